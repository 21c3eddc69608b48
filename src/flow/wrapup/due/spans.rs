//! How long until then: "in an hour", "within five working days", "dans deux jours".

use jiff::ToSpan as _;
use jiff::civil::{Date, Time, Weekday};

use super::names::{self, Unit};
use super::{DayMeant, Meaning, View, holidays};
use crate::flow::wrapup::Language;

/// More are counted by nobody who promises something.
const COUNT_MAX: u32 = 400;
/// "In five weeks" is more or less five weeks.
const WEEKS_MAX: u32 = 4;
/// And so is "in twenty days".
const DAYS_MAX: u32 = 14;

/// How many words, and when that is.
pub type Read = Option<(usize, Meaning)>;

/// What a span begins with.
struct Lead {
    words: usize,
    is_limit: bool,
}

pub fn span_at(view: View) -> Read {
    if let Some(found) = next_working_day(view) {
        return Some(found);
    }
    if let Some(found) = ago(view) {
        return Some(found);
    }
    // "Two days from now" needs nothing before it.
    if let Some((words, meaning)) = from_now(view) {
        return Some((words, meaning));
    }
    let lead = lead(view)?;
    let (words, meaning) = counted(view.ahead(lead.words), lead.is_limit)?;
    Some((lead.words + words, meaning))
}

fn from_now(view: View) -> Read {
    let word = |ahead| view.word(ahead);
    let (words, _) = names::number(&word, Language::English)
        .or_else(|| matches!(word(0), "a" | "an").then_some((1, 1)))?;
    let is_so = view.language == Language::English
        && Unit::of(word(words)).is_some()
        && word(words + 1) == "from"
        && matches!(word(words + 2), "now" | "today");
    is_so.then(|| counted(view, false))?
}

fn lead(view: View) -> Option<Lead> {
    let word = |ahead| view.word(ahead);
    let (words, is_limit) = match (view.language, word(0), word(1), word(2)) {
        (Language::English, "within" | "inside", "the", "next") => (3, true),
        (Language::English, "in" | "over", "the", "next") => (3, true),
        (Language::English, "within" | "inside", "the", _) => (2, true),
        (Language::English, "within" | "inside", ..) => (1, true),
        (Language::English, "in", ..) => (1, false),
        (Language::German, "innerhalb" | "binnen", "von" | "der", "nächsten") => (3, true),
        (Language::German, "innerhalb", "von", _) => (2, true),
        (Language::German, "in", "den", "nächsten") => (3, true),
        (Language::German, "innerhalb" | "binnen", ..) => (1, true),
        (Language::German, "in", ..) => (1, false),
        (Language::French, "dans", "les", "prochains" | "prochaines") => (3, true),
        (Language::French, "dans", "un", "délai") if word(3) == "de" => (4, true),
        (Language::French, "dans", "les", _) => (2, true),
        (Language::French, "sous", ..) => (1, true),
        (Language::French, "d'ici", ..) => (1, true),
        (Language::French, "dans", ..) => (1, false),
        (Language::Spanish, "en", "un", "plazo") if word(3) == "de" => (4, true),
        (Language::Spanish, "en", "el", "plazo") if word(3) == "de" => (4, true),
        (Language::Spanish, "en", "los" | "las", "próximos" | "próximas") => (3, true),
        (Language::Spanish, "en", "menos", "de") => (3, true),
        (Language::Spanish, "dentro", "de", _) => (2, false),
        (Language::Spanish, "en", ..) => (1, false),
        _ => return None,
    };
    Some(Lead { words, is_limit })
}

/// A count and its unit, from where the count begins.
fn counted(view: View, is_limit: bool) -> Read {
    let word = |ahead: usize| view.word(ahead);
    let mut at = 0;
    let is_about = one_of!(word(0);
        "about" "around" "roughly" "approximately" "maybe" "etwa" "ungefähr" "rund" "environ"
        "unos" "unas"
    );
    at += usize::from(is_about);
    // "Half an hour", "within the hour", "eine halbe Stunde", "une demi-heure".
    let half_an_hour = match (word(at), word(at + 1), word(at + 2)) {
        ("half", "an", "hour") | ("half", "a", "hour") => 3,
        ("einer" | "eine", "halben" | "halbe", "stunde") => 3,
        ("une", "demi-heure", _) | ("media", "hora", _) => 2,
        ("hour", ..) if is_limit => return moment(view, 1, 60, true),
        _ => 0,
    };
    if half_an_hour > 0 {
        return moment(view, at + half_an_hour, 30, is_limit);
    }
    let is_vague = matches!(
        (word(at), word(at + 1)),
        ("a", "couple" | "few")
            | ("couple" | "few", _)
            | ("next", "few" | "couple")
            | ("ein", "paar")
            | ("den", "nächsten")
            | ("quelques", _)
            | ("unos" | "unas", "pocos" | "pocas")
    ) || one_of!(word(at);
        "some" "einigen" "einige" "wenigen" "quelques" "algunos" "unos" "paar"
    );
    if is_vague {
        let unit = (at + 1..at + 4).find(|&ahead| Unit::of(word(ahead)).is_some())?;
        return Some((unit + 1, Meaning::Day(DayMeant::UNSURE)));
    }
    let article = matches!(word(at), "a" | "an" | "one") && view.language == Language::English;
    let number = |from: usize| names::number(&|ahead| word(from + ahead), view.language);
    let (words, mut count) =
        if article { (1, 1) } else { number(at).or_else(|| range_in(word(at)))? };
    at += words;
    let mut is_range = word(at - 1).contains('-') && range_in(word(at - 1)).is_some();
    // "Five to seven": the last day of it is a limit, any other day is a guess.
    if one_of!(word(at); "to" "or" "bis" "oder" "à" "ou" "a" "o")
        && let Some((words, upper)) = number(at + 1)
    {
        (at, count, is_range) = (at + 1 + words, upper, true);
    }
    let is_full = matches!(word(at), "full" | "volle" | "vollen");
    at += usize::from(is_full);
    let is_working = matches!(word(at), "working" | "business");
    at += usize::from(is_working);
    let mut unit = match (Unit::of(word(at))?, is_working) {
        (Unit::Day, true) => Unit::WorkingDay,
        // Business hours are no hours of the clock.
        (_, true) => {
            return Some((at + 1, Meaning::Day(DayMeant { is_limit, ..DayMeant::UNSURE })));
        }
        (unit, _) => unit,
    };
    if word(at) == "fortnight" {
        (unit, count) = (Unit::Week, count * 2);
    }
    at += 1;
    match word(at) {
        "ouvrés" | "laborables" | "hábiles" => (unit, at) = (Unit::WorkingDay, at + 1),
        "ouvrables" => (unit, at) = (Unit::Werktag, at + 1),
        "and" if matches!((word(at + 1), word(at + 2)), ("a", "half")) => {
            return (unit == Unit::Hour)
                .then(|| moment(view, at + 3, i64::from(count) * 60 + 30, is_limit))?;
        }
        "time" => at += 1,
        "from" if matches!(word(at + 1), "now" | "today") => at += 2,
        _ => {}
    }
    if matches!((word(at), word(at + 1)), ("or", "so" | "two")) {
        return Some((at + 2, Meaning::Day(DayMeant::UNSURE)));
    }
    if count > COUNT_MAX {
        return Some((at, Meaning::Day(DayMeant::UNSURE)));
    }
    let minutes = i64::from(count) * if unit == Unit::Hour { 60 } else { 1 };
    let is_long = match unit {
        Unit::Minute | Unit::Hour if is_range && !is_limit => {
            return Some((at, Meaning::Day(DayMeant::UNSURE)));
        }
        Unit::Minute | Unit::Hour => return moment(view, at, minutes, is_limit),
        Unit::Day => count > DAYS_MAX,
        Unit::Week => count > WEEKS_MAX,
        Unit::Month => true,
        Unit::WorkingDay | Unit::Werktag => false,
    };
    let is_limit = is_limit || is_range;
    // "Huit jours" are a week, "quince días" are two.
    let is_idiom = matches!(view.language, Language::French | Language::Spanish)
        && unit == Unit::Day
        && matches!(count, 8 | 15);
    if is_idiom {
        return Some((at, Meaning::Day(DayMeant { is_limit, ..DayMeant::UNSURE })));
    }
    if !is_limit && (is_long || is_about) {
        return Some((at, Meaning::Day(DayMeant::UNSURE)));
    }
    let day = reached(view, unit, count).map_or(DayMeant::UNSURE, DayMeant::on);
    Some((at, Meaning::Day(DayMeant { is_limit, ..day })))
}

/// `3-5`
fn range_in(word: &str) -> Option<(usize, u32)> {
    let (lower, upper) = word.split_once(['-', '–'])?;
    let (lower, upper): (u32, u32) = (lower.parse().ok()?, upper.parse().ok()?);
    (lower < upper).then_some((1, upper))
}

fn reached(view: View, unit: Unit, count: u32) -> Option<Date> {
    let today = view.today();
    let count = i64::from(count);
    match unit {
        Unit::Day => today.checked_add(count.days()).ok(),
        Unit::Week => today.checked_add(count.weeks()).ok(),
        Unit::Month => today.checked_add(count.months()).ok(),
        Unit::WorkingDay => working_days(view, count, false),
        // Where both ways to count end on one day, it is sure.
        Unit::Werktag => {
            let with_saturdays = working_days(view, count, true);
            working_days(view, count, false).filter(|day| Some(*day) == with_saturdays)
        }
        Unit::Minute | Unit::Hour => None,
    }
}

/// None where one of the days may be a holiday.
fn working_days(view: View, count: i64, counts_saturdays: bool) -> Option<Date> {
    let zone = view.said.time_zone().iana_name().unwrap_or_default();
    let mut day = view.today();
    let mut left = count;
    while left > 0 {
        day = day.tomorrow().ok()?;
        match day.weekday() {
            Weekday::Sunday => continue,
            Weekday::Saturday if !counts_saturdays => continue,
            _ if holidays::may_be_off(day, zone) => return None,
            _ => left -= 1,
        }
    }
    Some(day)
}

/// So many minutes from now on the clock, also where the clock is changed meanwhile.
fn moment(view: View, words: usize, minutes: i64, is_limit: bool) -> Read {
    let then = view.said.checked_add(minutes.minutes()).ok()?;
    let time = Time::new(then.hour(), then.minute(), 0, 0).ok()?;
    Some((words, Meaning::Moment { date: then.date(), time, is_limit }))
}

/// "On the next working day".
fn next_working_day(view: View) -> Read {
    let word = |ahead| view.word(ahead);
    let words = match (word(0), word(1), word(2)) {
        ("next", "working" | "business", "day") => 3,
        ("nächsten", "arbeitstag", _) => 2,
        ("prochain", "jour", "ouvré") | ("siguiente", "día", "hábil" | "laborable") => 3,
        _ => return None,
    };
    let day = working_days(view, 1, false).map_or(DayMeant::UNSURE, DayMeant::on);
    Some((words, Meaning::Day(day)))
}

/// "Two days ago", "vor zwei Tagen", "il y a deux jours", "hace dos días".
fn ago(view: View) -> Read {
    let past = Meaning::Day(DayMeant::PAST);
    let count = |from: usize| {
        let (words, _) = names::number(&|ahead| view.word(from + ahead), view.language)
            .or_else(|| matches!(view.word(from), "a" | "an" | "few").then_some((1, 1)))?;
        Unit::of(view.word(from + words)).map(|_| from + words + 1)
    };
    match (view.language, view.word(0), view.word(1)) {
        (Language::German, "vor", _) | (Language::Spanish, "hace", _) => {
            count(1).map(|words| (words, past))
        }
        (Language::French, "il", "y") if view.word(2) == "a" => count(3).map(|words| (words, past)),
        (Language::English, ..) => {
            count(0).filter(|&words| view.word(words) == "ago").map(|words| (words + 1, past))
        }
        _ => None,
    }
}
