//! When a queue is open: weekly windows of a time zone, and holidays.

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

/// Minutes of a day, end excluded; 1440 is midnight at its end.
pub type Window = (u16, u16);

#[derive(Clone, Debug)]
pub struct Hours {
    pub zone: TimeZone,
    /// From Monday; sorted.
    pub windows: [Vec<Window>; 7],
    /// Sorted.
    pub holidays: Vec<Date>,
}

impl Hours {
    /// Whether it is open at a unix time. A time that no calendar knows counts as closed.
    pub fn is_open(&self, at_ms: u64) -> bool {
        let Some(at) = timestamp(at_ms) else { return false };
        let local = at.to_zoned(self.zone.clone()).datetime();
        if self.holidays.binary_search(&local.date()).is_ok() {
            return false;
        }
        let minute = local.hour() as u16 * 60 + local.minute() as u16;
        self.of(local.date()).iter().any(|(from, to)| (*from..*to).contains(&minute))
    }

    /// When it opens next, now if it is open; none when it doesn't within a year.
    pub fn next_open_ms(&self, at_ms: u64) -> Option<u64> {
        if self.is_open(at_ms) {
            return Some(at_ms);
        }
        let today = timestamp(at_ms)?.to_zoned(self.zone.clone()).date();
        let mut date = today;
        for _ in 0..=366 {
            if self.holidays.binary_search(&date).is_err() {
                for (from, _) in self.of(date) {
                    let opens_ms = self.at(date, *from)?;
                    if opens_ms > at_ms {
                        return Some(opens_ms);
                    }
                }
            }
            date = date.tomorrow().ok()?;
        }
        None
    }

    /// When a window begins or ends next; none without windows.
    pub fn next_bound_ms(&self, at_ms: u64) -> Option<u64> {
        let mut date = timestamp(at_ms)?.to_zoned(self.zone.clone()).date();
        // The same day a week later, in case its windows are over for today.
        for _ in 0..=7 {
            let bounds = self.of(date).iter().flat_map(|(from, to)| [*from, *to]);
            let bounds = bounds.filter_map(|minute| self.at(date, minute));
            if let Some(next_ms) = bounds.filter(|bound_ms| *bound_ms > at_ms).min() {
                return Some(next_ms);
            }
            date = date.tomorrow().ok()?;
        }
        None
    }

    fn at(&self, date: Date, minute: u16) -> Option<u64> {
        let (date, minute) =
            if minute < 1440 { (date, minute) } else { (date.tomorrow().ok()?, 0) };
        let time = Time::new((minute / 60) as i8, (minute % 60) as i8, 0, 0).ok()?;
        let local = date.to_datetime(time).to_zoned(self.zone.clone()).ok()?;
        u64::try_from(local.timestamp().as_millisecond()).ok()
    }

    fn of(&self, date: Date) -> &[Window] {
        &self.windows[date.weekday().to_monday_zero_offset() as usize]
    }
}

/// The next midnight of a zone, when a day's capacity is given back.
pub fn next_midnight_ms(zone: &TimeZone, at_ms: u64) -> Option<u64> {
    let local = timestamp(at_ms)?.to_zoned(zone.clone());
    let midnight = local.date().tomorrow().ok()?.to_zoned(zone.clone()).ok()?;
    u64::try_from(midnight.timestamp().as_millisecond()).ok()
}

fn timestamp(at_ms: u64) -> Option<Timestamp> {
    Timestamp::from_millisecond(i64::try_from(at_ms).ok()?).ok()
}

/// Minutes of `08:30`, also of `24:00`.
pub fn minutes(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
    (text.len() == 5 && minutes < 60 && (hours < 24 || (hours == 24 && minutes == 0)))
        .then_some(hours * 60 + minutes)
}
