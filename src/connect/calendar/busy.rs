//! When somebody is taken, from the events of a calendar.

use icalendar::parser::{Component, Property, read_calendar, unfold};
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan as _};

/// The parser goes one call deeper with each component inside another; real ones are three deep.
const DEPTH_MAX: usize = 8;
const EVENTS_MAX: usize = 10_000;

/// What a calendar says about a stretch of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Busy {
    /// Apart from each other and in order; ends are exclusive.
    pub taken: Vec<(Timestamp, Timestamp)>,
    /// So many events couldn't be read, or repeat and were not spelled out by the server: who is free by `taken`
    /// may still be taken.
    pub unread: usize,
}

impl Busy {
    /// Whether nothing is known against it.
    pub fn is_free(&self, from: Timestamp, to: Timestamp) -> bool {
        self.taken.iter().all(|(starts, ends)| *ends <= from || to <= *starts)
    }

    /// Adds the events of one calendar object. Times without a zone, and whole days, are of `zone`.
    pub(super) fn read(&mut self, object: &str, zone: &TimeZone, from: Timestamp, to: Timestamp) {
        let unfolded = unfold(object);
        if depth(&unfolded) > DEPTH_MAX {
            self.unread += 1;
            return;
        }
        let Ok(calendar) = read_calendar(&unfolded) else {
            self.unread += 1;
            return;
        };
        for event in calendar.components.iter().filter(|one| one.name == "VEVENT").take(EVENTS_MAX)
        {
            if is(event, "STATUS", "CANCELLED") || is(event, "TRANSP", "TRANSPARENT") {
                continue;
            }
            if event.find_prop("RRULE").is_some() || event.find_prop("RDATE").is_some() {
                self.unread += 1;
            }
            match interval(event, zone) {
                Some((starts, ends)) if starts < ends && starts < to && from < ends => {
                    self.taken.push((starts.max(from), ends.min(to)));
                }
                Some(_) => {}
                None => self.unread += 1,
            }
        }
    }

    /// Puts what overlaps together.
    pub(super) fn merged(mut self) -> Self {
        self.taken.sort();
        let mut apart: Vec<(Timestamp, Timestamp)> = Vec::new();
        for (starts, ends) in std::mem::take(&mut self.taken) {
            match apart.last_mut() {
                Some((_, last)) if starts <= *last => *last = ends.max(*last),
                _ => apart.push((starts, ends)),
            }
        }
        Self { taken: apart, ..self }
    }
}

/// A stored event's `SEQUENCE` and whether it was cancelled, if the object holds the event.
pub(super) fn revision(object: &str, uid: &str) -> Option<(u32, bool)> {
    let unfolded = unfold(object);
    if depth(&unfolded) > DEPTH_MAX {
        return None;
    }
    let calendar = read_calendar(&unfolded).ok()?;
    let event =
        calendar.components.iter().find(|one| one.name == "VEVENT" && is(one, "UID", uid))?;
    // Absent means the first one (RFC 5545, section 3.8.7.4).
    let sequence = event.find_prop("SEQUENCE").and_then(|one| one.val.as_str().parse().ok());
    Some((sequence.unwrap_or(0), is(event, "STATUS", "CANCELLED")))
}

fn depth(unfolded: &str) -> usize {
    let (mut now, mut most) = (0_usize, 0);
    for line in unfolded.lines() {
        let word = line.get(..6).unwrap_or(line).to_ascii_uppercase();
        if word == "BEGIN:" {
            now += 1;
            most = most.max(now);
        } else if word.starts_with("END:") {
            now = now.saturating_sub(1);
        }
    }
    most
}

fn is(event: &Component<'_>, property: &str, value: &str) -> bool {
    event.find_prop(property).is_some_and(|one| one.val.as_str().trim() == value)
}

fn interval(event: &Component<'_>, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
    let starts = event.find_prop("DTSTART")?;
    let begin = moment(starts, zone)?;
    if let Some(ends) = event.find_prop("DTEND") {
        return Some((begin, moment(ends, zone)?));
    }
    if let Some(duration) = event.find_prop("DURATION") {
        let span: Span = duration.val.as_str().trim().parse().ok()?;
        let ends = begin.to_zoned(zone.clone()).checked_add(span).ok()?;
        return Some((begin, ends.timestamp()));
    }
    // Without an end a day is a day, and a moment takes no time.
    match Date::strptime("%Y%m%d", starts.val.as_str().trim()) {
        Ok(day) => Some((begin, midnight(day.checked_add(1.day()).ok()?, zone)?)),
        Err(_) => Some((begin, begin)),
    }
}

fn moment(property: &Property<'_>, zone: &TimeZone) -> Option<Timestamp> {
    let text = property.val.as_str().trim();
    if let Ok(day) = Date::strptime("%Y%m%d", text) {
        return midnight(day, zone);
    }
    if let Some(utc) = text.strip_suffix('Z') {
        return at(utc, &TimeZone::UTC);
    }
    let named = property.params.iter().find(|one| one.key.as_str() == "TZID");
    match named.and_then(|one| one.val.as_ref()) {
        // A name of the vendor's own can't be guessed: being an hour off is worse than not knowing.
        Some(name) => at(text, &TimeZone::get(name.as_str()).ok()?),
        None => at(text, zone),
    }
}

fn at(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let local = DateTime::strptime("%Y%m%dT%H%M%S", text).ok()?;
    Some(zone.to_ambiguous_zoned(local).compatible().ok()?.timestamp())
}

fn midnight(day: Date, zone: &TimeZone) -> Option<Timestamp> {
    Some(day.to_zoned(zone.clone()).ok()?.timestamp())
}
