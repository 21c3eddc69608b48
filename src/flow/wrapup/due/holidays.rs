//! Days on which many don't work: a count of working days over one of them is no certain day.
//!
//! Which of them count depends on country, region and employer. The country is told by the time zone; what is kept
//! in a part of it only counts too. Where the country isn't known here, a holiday of any counts.

use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday, date};

/// Month, day, and in which countries (ISO 3166).
const FIXED: &[(i8, i8, &str)] = &[
    (1, 1, "gb ie us ca mx de at ch fr be es"),
    (1, 2, "gb ch"),
    (1, 6, "de at ch es"),
    (3, 17, "gb ie"),
    (3, 19, "es ch"),
    (5, 1, "mx de at ch fr be es"),
    (5, 8, "fr"),
    (6, 19, "us"),
    (6, 24, "ca es"),
    (7, 1, "ca"),
    (7, 4, "us"),
    (7, 12, "gb"),
    (7, 14, "fr"),
    (7, 21, "be"),
    (8, 1, "ch"),
    (8, 15, "de at ch fr be es"),
    (9, 16, "mx"),
    (9, 30, "ca"),
    (10, 3, "de"),
    (10, 12, "es"),
    (10, 26, "at"),
    (10, 31, "de"),
    (11, 1, "de at ch fr be es"),
    (11, 11, "us ca fr be"),
    (11, 30, "gb"),
    (12, 6, "es"),
    (12, 8, "at ch es"),
    (12, 24, "gb ie us ca mx de at ch fr be es"),
    (12, 25, "gb ie us ca mx de at ch fr be es"),
    (12, 26, "gb ie ca de at ch es"),
    (12, 31, "gb ie us ca mx de at ch fr be es"),
];
/// Days after Easter Sunday, and where.
const AFTER_EASTER: &[(i64, &str)] = &[
    (-3, "es mx"),
    (-2, "gb us ca mx ie de at ch es fr"),
    (1, "gb ie ca de at ch fr be es"),
    (39, "de at ch fr be"),
    (50, "de at ch fr be es"),
    (60, "de at ch es"),
];
/// Month, which one of it (the last is -1), weekday, and where.
const NTH: &[(i8, i8, Weekday, &str)] = &[
    (1, 3, Weekday::Monday, "us"),
    (2, 1, Weekday::Monday, "ie mx"),
    (2, 3, Weekday::Monday, "us ca"),
    (3, 3, Weekday::Monday, "mx"),
    (5, 1, Weekday::Monday, "gb ie"),
    (5, -1, Weekday::Monday, "gb us"),
    (6, 1, Weekday::Monday, "ie"),
    (8, 1, Weekday::Monday, "gb ie ca"),
    (8, -1, Weekday::Monday, "gb"),
    (9, 1, Weekday::Monday, "us ca"),
    (10, 2, Weekday::Monday, "us ca"),
    (10, -1, Weekday::Monday, "ie"),
    (11, 3, Weekday::Monday, "mx"),
    (11, 4, Weekday::Thursday, "us"),
    (11, 4, Weekday::Friday, "us"),
];
/// Where a holiday on a weekend is made up for on a working day.
const MOVED: &str = "gb ie us ca";

/// The country of a time zone, if it is one of those above.
fn country(zone: &str) -> Option<&'static str> {
    Some(match zone {
        "Europe/London" | "Europe/Belfast" | "GB" => "gb",
        "Europe/Dublin" => "ie",
        "Europe/Berlin" => "de",
        "Europe/Vienna" => "at",
        "Europe/Zurich" => "ch",
        "Europe/Paris" => "fr",
        "Europe/Brussels" => "be",
        "Europe/Madrid" | "Atlantic/Canary" => "es",
        "America/Mexico_City" | "America/Monterrey" | "America/Tijuana" => "mx",
        "America/Toronto" | "America/Montreal" | "America/Vancouver" | "America/Edmonton"
        | "America/Winnipeg" | "America/Halifax" | "America/Regina" | "America/St_Johns" => "ca",
        "America/New_York"
        | "America/Detroit"
        | "America/Chicago"
        | "America/Denver"
        | "America/Phoenix"
        | "America/Boise"
        | "America/Los_Angeles"
        | "America/Anchorage"
        | "Pacific/Honolulu" => "us",
        _ => return None,
    })
}

/// Whether somebody in that time zone may have the day off though it is neither Saturday nor Sunday.
pub fn may_be_off(day: Date, zone: &str) -> bool {
    let here = country(zone);
    let counts = |lands: &str| here.is_none_or(|land| lands.contains(land));
    let is_fixed = |at: Date| {
        let of_day = |one: &&(i8, i8, &str)| (one.0, one.1) == (at.month(), at.day());
        FIXED.iter().filter(of_day).any(|one| counts(one.2))
    };
    let back = |days: i64| day.checked_sub(days.days()).ok().is_some_and(is_fixed);
    let is_moved = counts(MOVED)
        && match day.weekday() {
            Weekday::Monday => back(1) || back(2),
            // Both days after Christmas Eve may lie on a weekend.
            Weekday::Tuesday => back(2) || back(3),
            Weekday::Friday => day.tomorrow().is_ok_and(is_fixed),
            _ => false,
        };
    let is_nth = |&(month, nth, weekday, lands): &(i8, i8, Weekday, &str)| {
        day.month() == month
            && counts(lands)
            && day.nth_weekday_of_month(nth, weekday).is_ok_and(|one| one == day)
    };
    let from_easter = day.since(easter(day.year())).map_or(0, |span| i64::from(span.get_days()));
    let is_of_easter = |&(days, lands): &(i64, &str)| days == from_easter && counts(lands);
    is_fixed(day) || is_moved || AFTER_EASTER.iter().any(is_of_easter) || NTH.iter().any(is_nth)
}

/// Easter Sunday of the western churches (the rule of Meeus, Jones and Butcher).
fn easter(year: i16) -> Date {
    let year_i32 = i32::from(year);
    let (a, b, c) = (year_i32 % 19, year_i32 / 100, year_i32 % 100);
    let (d, e) = (b / 4, b % 4);
    let g = (8 * b + 13) / 25;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 19 * l) / 433;
    let month = (h + l - 7 * m + 90) / 25;
    let day = (h + l - 7 * m + 33 * month + 19) % 32;
    match (i8::try_from(month), i8::try_from(day)) {
        (Ok(month), Ok(day)) => Date::new(year, month, day).unwrap_or(date(year, 4, 1)),
        _ => date(year, 4, 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holidays_are_known_and_plain_days_are_not() {
        for (year, month, day) in [(2024, 3, 31), (2025, 4, 20), (2026, 4, 5), (2027, 3, 28)] {
            assert_eq!(easter(year), date(year, month, day));
        }
        let off = |day: Date| may_be_off(day, "Europe/London");
        for day in [date(2026, 12, 25), date(2026, 12, 28), date(2026, 4, 3), date(2026, 5, 25)] {
            assert!(off(day), "{day}");
        }
        for day in [date(2026, 3, 4), date(2026, 6, 19), date(2026, 7, 20), date(2026, 9, 22)] {
            assert!(!off(day), "{day}");
        }
        for day in [date(2026, 6, 19), date(2026, 7, 3), date(2026, 11, 26), date(2027, 1, 1)] {
            assert!(may_be_off(day, "America/New_York"), "{day}");
        }
        assert!(may_be_off(date(2026, 7, 14), "Africa/Lagos"), "it isn't known what is kept there");
    }
}
