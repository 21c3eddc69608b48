//! When something is due: "Thursday at two", "within five working days", "in einer Stunde".
//!
//! Resolved against the moment at which it was said. What may mean two days means none here: a
//! missing date is asked for, a wrong one is missed.

mod calendar;
#[cfg(test)]
mod tests;

use jiff::civil::{Date, Time, Weekday};
use jiff::{ToSpan, Zoned};

use crate::domain::{Due, Redacted};
use calendar::{Figures, Unit, number, ordinal};

/// Words between a day and its time: "on Thursday then, at two".
const APART_MAX: usize = 3;
/// Working days that are counted; more is no promise.
const WORKING_DAYS_MAX: u64 = 260;

/// A word, and the bytes of it.
struct Token<'a> {
    lower: String,
    raw: &'a str,
    start: usize,
    end: usize,
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut out = Vec::new();
    for (start, word) in pieces(text) {
        let core = word.trim_matches(|c: char| !c.is_alphanumeric());
        if !core.is_empty() {
            let start = start
                + (word.len() - word.trim_start_matches(|c: char| !c.is_alphanumeric()).len());
            let lower = core.to_lowercase().replace(['\'', '’'], "");
            out.push(Token { lower, raw: word, start, end: start + core.len() });
        }
    }
    out
}

/// Pieces between white space, with where they begin.
fn pieces(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    text.split_inclusive(char::is_whitespace).filter_map(move |piece| {
        let start = at;
        at += piece.len();
        let word = piece.trim_end();
        (!word.is_empty()).then_some((start, word))
    })
}

/// What words mean, and which.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Found<T> {
    from: usize,
    upto: usize,
    meaning: T,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Day {
    On(Date),
    /// At the latest.
    By(Date),
    At(Date, Time),
    /// Some time, but it can't be said on which day.
    Unsure,
}

/// When the words say that something is due. `said` is when they were said.
pub(super) fn due(text: &Redacted, said: &Zoned) -> Option<Due> {
    let tokens = tokens(text.as_str());
    let day = day(&tokens, said);
    let clock = clock(&tokens, day.map(|day| (day.from, day.upto)));
    let (mut from, mut upto) = match (&day, &clock) {
        (Some(day), _) => (day.from, day.upto),
        (None, Some(clock)) => (clock.from, clock.upto),
        (None, None) => return None,
    };
    let near = clock.filter(|clock| {
        day.is_none_or(|day| {
            clock.from <= day.upto + APART_MAX && day.from <= clock.upto + APART_MAX
        })
    });
    if let Some(clock) = near {
        (from, upto) = (from.min(clock.from), upto.max(clock.upto));
    }
    let hour = near.and_then(|clock| clock.meaning.time(part_of_day(&tokens)));
    let (date, time, is_limit) = match day.map(|day| day.meaning) {
        Some(Day::On(date)) => (Some(date), hour, is_limited(&tokens, from)),
        Some(Day::By(date)) => (Some(date), hour, true),
        Some(Day::At(date, time)) => (Some(date), Some(time), is_limited(&tokens, from)),
        Some(Day::Unsure) => (None, hour, is_limited(&tokens, from)),
        // "At two" is today's, unless it is past.
        None => {
            let today = hour.filter(|hour| *hour > said.time()).map(|_| said.date());
            (today, hour, is_limited(&tokens, from))
        }
    };
    let bytes = tokens.get(from)?.start..tokens.get(upto.checked_sub(1)?)?.end;
    let zone = said.time_zone().iana_name().unwrap_or("UTC").to_owned();
    Some(Due { phrase: text.slice(bytes), date, time, until: None, is_limit, time_zone: zone })
}

fn is_limited(tokens: &[Token], from: usize) -> bool {
    let before = from.checked_sub(1).map_or("", |at| tokens[at].lower.as_str());
    matches!(before, "by" | "before" | "until" | "bis" | "avant" | "antes")
}

/// The one day that the words name. Two different ones are no certain day.
fn day(tokens: &[Token], said: &Zoned) -> Option<Found<Day>> {
    let mut found: Option<Found<Day>> = None;
    let mut at = 0;
    while at < tokens.len() {
        let Some((words, meaning)) = day_at(tokens, at, said) else {
            at += 1;
            continue;
        };
        let here = Found { from: at, upto: at + words, meaning };
        found = Some(match found {
            None => here,
            Some(before) if before.meaning == meaning => before,
            Some(before) => Found { meaning: Day::Unsure, upto: here.upto, ..before },
        });
        at += words.max(1);
    }
    found
}

fn day_at(tokens: &[Token], at: usize, said: &Zoned) -> Option<(usize, Day)> {
    let word = |ahead: usize| tokens.get(at + ahead).map_or("", |token| token.lower.as_str());
    let today = said.date();
    let in_days = |days: i64| today.checked_add(days.days()).ok();
    let before = at.checked_sub(1).map_or("", |at| tokens[at].lower.as_str());
    match (word(0), word(1), word(2)) {
        ("day", "after", "tomorrow") => return Some((3, Day::On(in_days(2)?))),
        ("pasado", "mañana", _) => return Some((2, Day::On(in_days(2)?))),
        ("après-demain" | "übermorgen", ..) => return Some((1, Day::On(in_days(2)?))),
        // "Por la mañana" is in the morning.
        ("mañana", ..) if before == "la" => return None,
        ("morgen", ..) if matches!(before, "guten" | "am" | "jeden") => return None,
        ("tomorrow" | "morgen" | "demain" | "mañana", ..) => {
            return Some((1, Day::On(in_days(1)?)));
        }
        ("today" | "tonight" | "heute" | "aujourdhui" | "hoy", ..) => {
            return Some((1, Day::On(today)));
        }
        ("this", "morning" | "afternoon" | "evening", _) => return Some((2, Day::On(today))),
        ("end", "of", "the" | "this") => return end_of(word(3), today).map(|by| (4, by)),
        (
            "next" | "this" | "nächste" | "diese" | "próxima" | "esta",
            "week" | "month" | "woche" | "semana",
            _,
        )
        | ("semaine" | "semana", "prochaine" | "próxima", _) => return Some((2, Day::Unsure)),
        _ => {}
    }
    if let Some(weekday) = calendar::weekday(word(0)) {
        let is_next = matches!(before, "next" | "nächsten" | "nächster" | "nächste" | "próximo")
            || matches!(word(1), "prochain" | "week" | "próximo");
        let is_past = matches!(
            before,
            "last"
                | "letzten"
                | "letzter"
                | "pasado"
                | "since"
                | "seit"
                | "depuis"
                | "every"
                | "jeden"
                | "each"
        ) || matches!(word(1), "dernier" | "pasado");
        if is_past {
            return None;
        }
        return Some((1, if is_next { Day::Unsure } else { coming(weekday, today) }));
    }
    in_a_while(tokens, at, said).or_else(|| calendar_date(tokens, at, today))
}

/// The weekday after today; said of today's weekday it may be either.
fn coming(weekday: Weekday, today: Date) -> Day {
    if weekday == today.weekday() {
        return Day::Unsure;
    }
    today.nth_weekday(1, weekday).map_or(Day::Unsure, Day::On)
}

fn end_of(what: &str, today: Date) -> Option<Day> {
    Some(match what {
        "day" => Day::By(today),
        "week" if matches!(today.weekday(), Weekday::Saturday | Weekday::Sunday) => Day::Unsure,
        "week" if today.weekday() == Weekday::Friday => Day::By(today),
        "week" => Day::By(today.nth_weekday(1, Weekday::Friday).ok()?),
        "month" => Day::By(today.last_of_month()),
        _ => return None,
    })
}

/// "In an hour", "within five working days", "innerhalb von drei Tagen".
fn in_a_while(tokens: &[Token], at: usize, said: &Zoned) -> Option<(usize, Day)> {
    let word = |ahead: usize| tokens.get(at + ahead).map_or("", |token| token.lower.as_str());
    let (mut ahead, is_limit) = match (word(0), word(1), word(2)) {
        ("within", "the", "next") => (3, true),
        ("in", "the", "next") => (3, true),
        ("within" | "innerhalb", "von", _) => (2, true),
        ("dans" | "en", "les" | "los", "prochains" | "próximos") => (3, true),
        ("within" | "innerhalb" | "binnen", ..) => (1, true),
        ("dentro", "de", _) => (2, false),
        ("in" | "dans" | "en", ..) => (1, false),
        ("sous", ..) => (1, true),
        _ => return None,
    };
    let (words, mut count) = number(&|more| word(ahead + more))?;
    ahead += words;
    // "Five to seven": the last day of it is a limit, any other day is a guess.
    let mut is_range = false;
    if matches!(word(ahead), "to" | "or" | "bis" | "à" | "a")
        && let Some((words, upper)) = number(&|more| word(ahead + 1 + more))
    {
        ahead += 1 + words;
        count = upper;
        is_range = true;
    }
    let is_working = matches!(
        word(ahead),
        "working" | "business" | "week" | "werktage" | "werktagen" | "arbeitstage" | "arbeitstagen"
    ) || matches!(
        word(ahead + 1),
        "ouvrables" | "ouvrés" | "laborables" | "hábiles"
    );
    let after_working = ahead + usize::from(matches!(word(ahead), "working" | "business"));
    let unit = Unit::of(word(after_working))?;
    let words = after_working
        + 1
        + usize::from(matches!(
            word(after_working + 1),
            "ouvrables" | "ouvrés" | "laborables" | "hábiles"
        ));
    let count_i64 = i64::try_from(count).ok().filter(|count| *count <= 10_000)?;
    let today = said.date();
    let on = match unit {
        Unit::Minute | Unit::Hour => {
            let span = if unit == Unit::Hour { count_i64.hours() } else { count_i64.minutes() };
            let then = said.checked_add(span).ok()?;
            let time = Time::new(then.hour(), then.minute(), 0, 0).ok()?;
            return Some((
                words,
                if is_limit || is_range {
                    Day::By(then.date())
                } else {
                    Day::At(then.date(), time)
                },
            ));
        }
        Unit::Day if is_working => working_days(today, count)?,
        Unit::Day => today.checked_add(count_i64.days()).ok()?,
        Unit::Week => today.checked_add(count_i64.weeks()).ok()?,
        Unit::Month => today.checked_add(count_i64.months()).ok()?,
    };
    Some((
        words,
        match (is_limit, is_range || is_working) {
            (true, _) => Day::By(on),
            (false, true) => Day::By(on),
            (false, false) => Day::On(on),
        },
    ))
}

/// Mondays to Fridays; holidays are not known here.
fn working_days(from: Date, count: u64) -> Option<Date> {
    let mut date = from;
    let mut left = count.min(WORKING_DAYS_MAX);
    while left > 0 {
        date = date.tomorrow().ok()?;
        left -= u64::from(!matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday));
    }
    Some(date)
}

/// "The fifth of March", "March 5th", "5. März", "12/03/2027".
fn calendar_date(tokens: &[Token], at: usize, today: Date) -> Option<(usize, Day)> {
    let word = |ahead: usize| tokens.get(at + ahead).map_or("", |token| token.lower.as_str());
    if let Some(parts) = calendar::in_figures(word(0)) {
        return Some((1, figures(parts, today)));
    }
    if let Some(month) = calendar::month(word(0)) {
        let (words, day) = ordinal(&|more| word(1 + more))?;
        return Some((1 + words, upcoming(month, day, today)?));
    }
    let (words, day) = ordinal(&|more| word(more))?;
    let of = usize::from(matches!(word(words), "of" | "de"));
    let month = calendar::month(word(words + of))?;
    Some((words + of + 1, upcoming(month, day, today)?))
}

fn upcoming(month: i8, day: i8, today: Date) -> Option<Day> {
    let this_year = Date::new(today.year(), month, day).ok();
    let date = match this_year.filter(|date| *date >= today) {
        Some(date) => date,
        None => Date::new(today.year() + 1, month, day).ok()?,
    };
    Some(Day::On(date))
}

/// Day and month may stand either way round.
fn figures((first, second, year, is_sure): Figures, today: Date) -> Day {
    let orders = [(second, first), (first, second)];
    let fits = |(month, day): (i8, i8)| match year {
        Some(year) => Date::new(year, month, day).ok(),
        None => match upcoming(month, day, today) {
            Some(Day::On(date)) => Some(date),
            _ => None,
        },
    };
    match orders.map(fits) {
        [Some(one), Some(other)] if one != other && !is_sure => Day::Unsure,
        [Some(date), _] | [None, Some(date)] => Day::On(date),
        [None, None] => Day::Unsure,
    }
}

/// A time of the day as it was said.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Clock {
    hour: i8,
    minute: i8,
    half: Option<Half>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Half {
    Morning,
    Afternoon,
}

impl Clock {
    /// Nobody in a contact centre means the night: one to six is the afternoon, eight to twelve the
    /// day's first half, and seven may be either.
    fn time(self, part: Option<Half>) -> Option<Time> {
        let hour = match (self.hour, self.half.or(part)) {
            (13..=23 | 0, _) => self.hour,
            (12, Some(Half::Morning)) => return None,
            (12, _) => 12,
            (hour @ 1..=11, Some(Half::Morning)) => hour,
            (hour @ 1..=11, Some(Half::Afternoon)) => hour + 12,
            (hour @ 8..=11, None) => hour,
            (hour @ 1..=6, None) => hour + 12,
            _ => return None,
        };
        Time::new(hour, self.minute, 0, 0).ok()
    }
}

fn part_of_day(tokens: &[Token]) -> Option<Half> {
    tokens.iter().enumerate().find_map(|(at, token)| match token.lower.as_str() {
        "morning" | "vormittag" | "vormittags" | "früh" | "matin" => Some(Half::Morning),
        "mañana" if at > 0 && tokens[at - 1].lower == "la" => Some(Half::Morning),
        "afternoon" | "evening" | "tonight" | "nachmittag" | "nachmittags" | "abend" | "abends"
        | "après-midi" | "soir" | "tarde" => Some(Half::Afternoon),
        _ => None,
    })
}

/// The one time that the words name. A window ("between one and six") is none.
fn clock(tokens: &[Token], day: Option<(usize, usize)>) -> Option<Found<Clock>> {
    let outside = |at: usize| day.is_none_or(|(from, upto)| !(from..upto).contains(&at));
    let mut found: Option<Found<Clock>> = None;
    let mut at = 0;
    while at < tokens.len() {
        let here = outside(at)
            .then(|| {
                calendar::clock_at(&|ahead| {
                    tokens
                        .get(at + ahead)
                        .map_or(("", ""), |token| (token.lower.as_str(), token.raw))
                })
            })
            .flatten();
        let Some((words, hour, minute, half)) = here else {
            at += 1;
            continue;
        };
        let meaning = Clock { hour, minute, half };
        if found.is_some_and(|before| before.meaning != meaning) {
            return None;
        }
        found = found.or(Some(Found { from: at, upto: at + words, meaning }));
        at += words;
    }
    found
}
