//! Dates, days and times.

use super::chunk::Place;
use super::{DayPart, Found, Half, Kind};
use crate::domain::number_of;

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const WEEKDAYS: [&str; 7] =
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const ORDINALS: [&str; 20] = [
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
    "twentieth",
];

pub(super) fn is_ordinal(word: &str) -> bool {
    ORDINALS.contains(&word)
}

/// "3rd", "third", "twenty-first".
fn ordinal_at(here: &Place, ahead: usize) -> Option<(usize, i64)> {
    let word = here.word(ahead);
    let simple =
        |word: &str| ORDINALS.iter().position(|name| *name == word).map(|at| at as i64 + 1);
    let suffixed = ["st", "nd", "rd", "th"]
        .iter()
        .find_map(|suffix| word.strip_suffix(suffix)?.parse::<i64>().ok())
        .filter(|number| (0..=999).contains(number));
    if let Some(number) = suffixed.or_else(|| simple(word)) {
        return Some((1, number));
    }
    let tens =
        |word: &str| number_of(word).map(i64::from).filter(|tens| *tens >= 20 && tens % 10 == 0);
    if word == "thirtieth" {
        return Some((1, 30));
    }
    if let Some((head, tail)) = word.split_once('-') {
        return Some((1, tens(head)? + simple(tail).filter(|ones| *ones < 10)?));
    }
    let ones = simple(here.word(ahead + 1)).filter(|ones| *ones < 10)?;
    Some((2, tens(word)? + ones))
}

/// A month's number; abbreviations and words that mean something else only with a capital.
fn month_at(here: &Place, ahead: usize) -> Option<u8> {
    let (core, word) = (here.core(ahead), here.word(ahead));
    let capital = core.starts_with(char::is_uppercase);
    let full = MONTHS.iter().position(|name| *name == word);
    let index = match full {
        Some(index) if capital || !matches!(word, "may" | "march") => index,
        None if capital && (word.len() == 3 || word == "sept") && word != "may" => {
            MONTHS.iter().position(|name| name.starts_with(word))?
        }
        _ => return None,
    };
    u8::try_from(index + 1).ok()
}

fn day_number(word: &str) -> Option<u8> {
    let digits = word.bytes().all(|byte| byte.is_ascii_digit()) && word.len() <= 2;
    let number = if digits { word.parse().ok() } else { number_of(word) };
    number.filter(|day| (1..=31).contains(day))
}

fn day_at(here: &Place, ahead: usize) -> Option<(usize, u8)> {
    let found = ordinal_at(here, ahead).and_then(|(n, day)| Some((n, u8::try_from(day).ok()?)));
    found
        .filter(|(_, day)| (1..=31).contains(day))
        .or_else(|| day_number(here.word(ahead)).map(|day| (1, day)))
}

fn year_at(here: &Place, ahead: usize) -> Option<u16> {
    let word = here.word(ahead);
    let four = word.len() == 4 && word.bytes().all(|byte| byte.is_ascii_digit());
    word.parse().ok().filter(|year| four && (1_900..2_100).contains(year))
}

/// "12/03/2024", "3-12-24", "2024-03-12": day, month, year, the first two in doubt.
pub(super) fn numeric_day(word: &str) -> Option<[u16; 3]> {
    let mark = ['/', '-', '.'].into_iter().find(|mark| word.matches(*mark).count() == 2)?;
    let mut parts = word.split(mark).map(|part| {
        (part.len() <= 4 && !part.is_empty()).then(|| part.parse::<u16>().ok()).flatten()
    });
    let parts = [parts.next()??, parts.next()??, parts.next()??];
    let [a, b, c] = if parts[0] > 31 { [parts[2], parts[1], parts[0]] } else { parts };
    let year = if c < 100 { c + 2_000 } else { c };
    let sound = (1..=31).contains(&a)
        && (1..=31).contains(&b)
        && (a <= 12 || b <= 12)
        && (1_900..2_100).contains(&year)
        && (mark != '.' || word.len() >= 8);
    sound.then_some([a, b, year])
}

/// Whole and partial dates with a month, and weekdays.
pub(super) fn date(here: &Place) -> Option<Found> {
    let word = here.word(0);
    if let Some([a, b, year]) = numeric_day(word) {
        let part = |number: u16| u8::try_from(number).ok();
        // Which is the month is in doubt: either reading may be meant.
        let (day, month) = if b > 12 { (part(b), part(a)) } else { (part(a), part(b)) };
        return Some(Found::one(1, Kind::Day { day, month, year: Some(year) }));
    }
    if let Some(weekday) = weekday_at(here, 0) {
        return Some(Found::one(1, Kind::Weekday(weekday)));
    }
    if let Some(month) = month_at(here, 0) {
        let the = usize::from(here.word(1) == "the");
        let day = day_at(here, 1 + the).filter(|_| {
            here.reaches(1 + the)
                && super::quantity::value(here, 1 + the).is_none_or(|v| v.thousandths < 32_000)
        });
        let used = day.map_or(1, |(more, _)| 1 + the + more);
        let year = year_at(here, used);
        let named =
            day.is_some() || year.is_some() || here.core(0).len() > 3 || month_is_meant(here);
        let kind = Kind::Day { day: day.map(|(_, day)| day), month: Some(month), year };
        return named.then(|| Found::one(used + usize::from(year.is_some()), kind));
    }
    let (words, day) = day_at(here, 0).filter(|(words, _)| here.reaches(*words))?;
    let of = usize::from(here.word(words) == "of");
    let month = month_at(here, words + of)?;
    let used = words + of + 1;
    let year = year_at(here, used);
    let kind = Kind::Day { day: Some(day), month: Some(month), year };
    Some(Found::one(used + usize::from(year.is_some()), kind))
}

fn month_is_meant(here: &Place) -> bool {
    matches!(
        here.word_before(1),
        "in" | "of" | "until" | "since" | "by" | "last" | "next" | "till" | "from"
    )
}

fn weekday_at(here: &Place, ahead: usize) -> Option<u8> {
    let (core, word) = (here.core(ahead), here.word(ahead));
    let whole = word.strip_suffix('s').filter(|head| head.ends_with("day")).unwrap_or(word);
    let short = core.starts_with(char::is_uppercase)
        && matches!(
            word,
            "mon" | "tue" | "tues" | "wed" | "weds" | "thu" | "thur" | "thurs" | "fri"
        );
    let at = WEEKDAYS
        .iter()
        .position(|name| *name == whole || (short && name.starts_with(&word[..3])))?;
    u8::try_from(at).ok()
}

fn day_part(word: &str) -> Option<DayPart> {
    Some(match word {
        "morning" | "mornings" => DayPart::Morning,
        "noon" | "midday" | "lunchtime" => DayPart::Noon,
        "afternoon" | "afternoons" => DayPart::Afternoon,
        "evening" | "evenings" => DayPart::Evening,
        "night" | "nights" | "midnight" | "overnight" => DayPart::Night,
        _ => return None,
    })
}

/// "tomorrow", "the day after", "next week", "this morning".
pub(super) fn relative(here: &Place) -> Option<Found> {
    let said = |chunks, text: &str| Some(Found::one(chunks, Kind::Relative(text.to_owned())));
    let (a, b, c) = (here.word(0), here.word(1), here.word(2));
    match (a, b, c) {
        ("today", ..) => return said(1, "today"),
        ("tonight", ..) => {
            return Some(Found {
                chunks: 1,
                kinds: vec![
                    (Kind::Relative("today".into()), false),
                    (Kind::DayPart(DayPart::Night), true),
                ],
            });
        }
        ("same" | "that", "day", _) => {
            return Some(Found::weak(2, Kind::Relative("today".into())));
        }
        ("day", "after", "tomorrow") => return said(3, "in two days"),
        ("day", "before", "yesterday") => return said(3, "two days ago"),
        ("tomorrow", ..) => return said(1, "tomorrow"),
        ("next" | "following", "day", _) | ("day", "after", _) => return said(2, "tomorrow"),
        ("yesterday", ..) => return said(1, "yesterday"),
        ("previous", "day", _) | ("day", "before", _) => return said(2, "yesterday"),
        _ => {}
    }
    if matches!(a, "next" | "last" | "following" | "previous") {
        let which = if matches!(a, "next" | "following") { "next" } else { "last" };
        let span = match b {
            "week" | "weeks" => "week",
            "weekend" => "weekend",
            "month" | "months" => "month",
            "year" => "year",
            "night" => return Some(Found::one(2, Kind::Relative("last night".into()))),
            _ => return None,
        };
        return said(2, &format!("{which} {span}"));
    }
    if matches!(a, "weekend" | "weekends") {
        return said(1, "weekend");
    }
    // "Good morning" says hello.
    let greets = here.word_before(1) == "good";
    let part = day_part(a).filter(|_| !greets)?;
    Some(Found::one(1, Kind::DayPart(part)))
}

fn half(word: &str) -> Option<Half> {
    match word {
        "am" | "a.m" | "a.m." => Some(Half::Am),
        "pm" | "p.m" | "p.m." => Some(Half::Pm),
        _ => None,
    }
}

/// "9:30", "9.30am", "9 a.m.", "5pm", "half past two", "noon".
pub(super) fn clock(here: &Place) -> Option<Found> {
    let word = here.word(0);
    let start = usize::from(word == "a");
    let hour_at = |ahead: usize| {
        let word = here.word(ahead);
        let number = word.parse::<u16>().ok().or_else(|| number_of(word).map(u16::from));
        number.filter(|hour| (1..=12).contains(hour))
    };
    let spoken = match (here.word(start), here.word(start + 1)) {
        ("half", "past") => Some(30),
        ("quarter", "past") => Some(15),
        ("quarter", "to") => Some(45),
        _ => None,
    };
    if let (Some(minute), Some(hour)) = (spoken, hour_at(start + 2)) {
        let hour = if minute == 45 { (hour + 11) % 12 } else { hour % 12 };
        let half = half(here.word(start + 3));
        let chunks = start + 3 + usize::from(half.is_some());
        return Some(Found::one(chunks, Kind::Clock { minutes: hour * 60 + minute, half }));
    }
    let (digits, glued) = match word.strip_suffix("am").map(|head| (head, Half::Am)) {
        Some((head, half)) => (head, Some(half)),
        None => match word.strip_suffix("pm") {
            Some(head) => (head, Some(Half::Pm)),
            None => (word, None),
        },
    };
    let colon =
        digits.split_once(':').or_else(|| digits.split_once('.').filter(|_| glued.is_some()));
    let following = glued.or_else(|| half(here.word(1)));
    let more = usize::from(glued.is_none() && following.is_some());
    let (hour, minute, chunks) = match colon {
        Some((hour, minute)) if minute.len() == 2 => {
            (hour.parse::<u16>().ok()?, minute.parse::<u16>().ok()?, 1 + more)
        }
        Some(_) => return None,
        None if here.word(1) == "o'clock" || here.word(1) == "o’clock" => {
            let half = half(here.word(2));
            let kind = Kind::Clock { minutes: hour_at(0)? % 12 * 60, half };
            return Some(Found::one(2 + usize::from(half.is_some()), kind));
        }
        None => {
            following?;
            let hour = digits.parse::<u16>().ok().or_else(|| number_of(digits).map(u16::from))?;
            (hour, 0, 1 + more)
        }
    };
    if hour > 23 || minute > 59 {
        return None;
    }
    let half = match hour {
        13.. => Some(Half::Pm),
        0 => Some(Half::Am),
        _ => following,
    };
    Some(Found::one(chunks, Kind::Clock { minutes: hour % 12 * 60 + minute, half }))
}

/// "the third attempt"; not "first", which orders sentences.
pub(super) fn ordinal(here: &Place) -> Option<Found> {
    let (words, number) = ordinal_at(here, 0)?;
    // "a second", "one second" and "the first" count nothing.
    let weak = number <= 2 && !here.word(0).starts_with(|c: char| c.is_ascii_digit());
    let kind = Kind::Ordinal(number);
    Some(if weak { Found::weak(words, kind) } else { Found::one(words, kind) })
}
