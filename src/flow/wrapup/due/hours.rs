//! What hours are meant by the hours that are said.

use jiff::civil::Time;

/// Nobody in a contact centre means a time before or after these, unless it is said in so many words.
const OPENS_HOUR: i8 = 7;
const CLOSES_HOUR: i8 = 21;
/// A window is no longer.
const WINDOW_HOURS_MAX: i8 = 12;

/// The part of the day in which a time lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Morning,
    Afternoon,
    Evening,
    Night,
}

/// A time as it was said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clock {
    pub hour: i8,
    pub minute: i8,
    /// "am" or "pm".
    pub half: Option<Part>,
    /// Counted from 0 to 24.
    pub is_exact: bool,
    /// More than one time is named, or one of another zone.
    pub is_unsure: bool,
}

impl Clock {
    pub const UNSURE: Self =
        Self { hour: 0, minute: 0, half: None, is_exact: false, is_unsure: true };

    pub const fn new(hour: i8, minute: i8) -> Self {
        Self { hour, minute, half: None, is_exact: false, is_unsure: false }
    }

    fn at(self, hour: i8) -> Option<Time> {
        Time::new(hour, self.minute, 0, 0).ok()
    }

    /// One to six is the afternoon, nine to twelve the day's first half; seven and eight may be either.
    pub fn time(self, part: Option<Part>) -> Option<Time> {
        if self.is_unsure {
            return None;
        }
        let hour = match (self.hour, self.half.or(part)) {
            (13..=23 | 0, _) => self.hour,
            (12, Some(Part::Morning | Part::Evening | Part::Night)) => return None,
            (12, _) => 12,
            (hour @ 1..=11, Some(Part::Morning)) => hour,
            (hour @ 1..=11, Some(Part::Afternoon)) if self.half.is_some() || hour <= 8 => hour + 12,
            (hour @ 4..=11, Some(Part::Evening)) | (hour @ 6..=11, Some(Part::Night)) => hour + 12,
            (hour @ 9..=11, None) => hour,
            (hour @ 7..=8, None) if self.is_exact => hour,
            (hour @ 1..=6, None) => hour + 12,
            _ => return None,
        };
        self.at(hour)
    }

    /// The hours that may be meant.
    fn hours(self, part: Option<Part>) -> Vec<i8> {
        match (self.hour, self.half.or(part)) {
            (hour @ (13..=23 | 0), _) => vec![hour],
            (hour @ 7..=12, None) if self.is_exact => vec![hour],
            (12, Some(Part::Morning)) => vec![0],
            (12, _) => vec![12],
            (hour, Some(Part::Morning)) => vec![hour],
            (hour, Some(_)) => vec![hour + 12],
            (hour, None) => vec![hour, hour + 12],
        }
    }

    /// Both ends of a window, if only one pair of times makes sense.
    pub fn window(self, end: Self, part: Option<Part>) -> Option<(Time, Time)> {
        if self.is_unsure || end.is_unsure {
            return None;
        }
        // "From two to four in the afternoon": of a window that begins in the morning only the beginning is.
        let of_end = part.filter(|part| *part != Part::Morning);
        let mut found: Vec<(i8, i8)> = Vec::new();
        for from in self.hours(part) {
            for upto in end.hours(of_end) {
                let is_awake = from >= OPENS_HOUR || self.half.is_some() || part.is_some();
                let minutes = i32::from(upto - from) * 60 + i32::from(end.minute - self.minute);
                let fits = minutes > 0 && minutes <= i32::from(WINDOW_HOURS_MAX) * 60;
                let is_late = upto > CLOSES_HOUR && end.half.is_none() && part.is_none();
                if fits && is_awake && !is_late {
                    found.push((from, upto));
                }
            }
        }
        // "Between eight and ten pm" is both in the evening.
        if end.half.is_some() && self.half.is_none() {
            found.sort_by_key(|(from, upto)| upto - from);
            found.truncate(1);
        }
        match *found {
            [(from, upto)] => Some((self.at(from)?, end.at(upto)?)),
            _ => None,
        }
    }
}
