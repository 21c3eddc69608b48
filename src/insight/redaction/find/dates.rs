//! Dates and ages, written and spoken; which of them is somebody's birthday.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::{Before, Found, Places, Secret};

/// A date so near behind "date of birth" is that.
const REACH_BYTES: usize = 60;
/// A date that answers a question stands so near the beginning of its turn.
const ANSWER_WITHIN_BYTES: usize = 50;

const MONTH: &str = r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)";
const ORDINAL: &str = r"(?:\d{1,2}(?:st|nd|rd|th)?|(?:twenty|thirty)[- ](?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth)|first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|thirteenth|fourteenth|fifteenth|sixteenth|seventeenth|eighteenth|nineteenth|twentieth|thirtieth|(?:twenty|thirty)[- ](?:one|two|three|four|five|six|seven|eight|nine)|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|twenty|thirty)";
const YEAR: &str = r"(?:\d{4}|'\d\d|\d\d\b|(?:nineteen|twenty|two thousand|eighteen)(?:[- ](?:hundred|and|oh|o|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|one|two|three|four|five|six|seven|eight|nine))*)";

fn regex(pattern: &str) -> Regex {
    Regex::new(&format!("(?i){pattern}")).expect("a pattern of this file")
}

static BIRTH: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"\b(?:date of birth|birth ?-?date|birth ?day|d\.?o\.?b\.?|d o b|born|geburts(?:datum|tag)|geboren|date de naissance|née? le|fecha de nacimiento|nacid[oa])\b",
    )
});
/// "12/03/1984 is my date of birth."
static BIRTH_BEHIND: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"^,?\s(?:is|was|would be) (?:my|your|the|his|her|their) (?:date of birth|birth ?-?date|birth ?day|d\.?o\.?b)\b",
    )
});
static NUMERIC: LazyLock<Regex> = LazyLock::new(|| {
    regex(r"\b(\d{1,4})(?:[./-]| [-/.] )(\d{1,2})(?:[./-]| [-/.] )(\d{4}|\d{2})\b")
});
/// "12 3 84": a date where one is asked for, and some numbers elsewhere.
static SPACED: LazyLock<Regex> =
    LazyLock::new(|| regex(r"\b(\d{1,2})(?: |, ?)(\d{1,2})(?: |, ?)(\d{4}|\d{2})\b"));
/// What may stand between "born" and such numbers.
static THEN: LazyLock<Regex> = LazyLock::new(|| regex(r"^\W*(?:is|was|on|it['’]?s)?\W*$"));
/// What may stand before such an answer.
const ANSWER_BYTES: usize = 15;
static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    regex(&format!(
        r"\b(?:(?:the )?{ORDINAL}(?: of|,)? {MONTH}\b\.?(?:,? {YEAR})?|{MONTH}\.? (?:the )?{ORDINAL}\b(?:,? {YEAR})?|{MONTH}\.?,? (?:of )?(?:\d{{4}}|nineteen {YEAR}))"
    ))
});
static WEEKDAY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\b(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b").expect("a pattern of this file")
});
static YEAR_ALONE: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"\b(?:in|since|of|from|by|during|until|till|before|after|around|year|circa|for) ((?:1[89]|20)\d\d)\b",
    )
});
static AGE: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"\b(?:(?:turned|turning|turn|aged?|i['’]m|i am|he['’]s|he is|she['’]s|she is|is|was|age of|age is) (?:only |just |now |already )?(\d{1,3})(?: years?(?:[- ]olds?)?)?(?:[.,;!?]|$| and\b| years?\b)|(\d{1,3})[- ](?:years?|yrs?|yo)[- ]olds?)\b?",
    )
});

/// Whether these numbers are a day, in one of the orders that people write.
fn is_date(first: &str, second: &str, third: &str) -> bool {
    let number = |text: &str| text.parse::<u32>().unwrap_or(u32::MAX);
    let (a, b, c) = (number(first), number(second), number(third));
    let is_day_month = |a: u32, b: u32| (1..=31).contains(&a) && (1..=12).contains(&b);
    match (first.len(), third.len()) {
        (4, 2) => (1_800..2_100).contains(&a) && is_day_month(c, b),
        (1 | 2, 2) => is_day_month(a, b) || is_day_month(b, a),
        (1 | 2, 4) => (1_800..2_100).contains(&c) && (is_day_month(a, b) || is_day_month(b, a)),
        _ => false,
    }
}

pub(super) fn dates(text: &str, before: Before) -> Vec<Found> {
    let births: Vec<usize> = BIRTH.find_iter(text).map(|hit| hit.end()).collect();
    let is_birth = |start: usize| {
        let last = births[..births.partition_point(|end| *end <= start)].last();
        let is_near = last.is_some_and(|end| start - end <= REACH_BYTES);
        is_near || before.asked.has(Secret::BirthDate) && start <= ANSWER_WITHIN_BYTES
    };
    let is_told = |start: usize| {
        let last = births[..births.partition_point(|end| *end <= start)].last();
        last.is_some_and(|end| start - end <= REACH_BYTES && THEN.is_match(&text[*end..start]))
            || before.asked.has(Secret::BirthDate) && start <= ANSWER_BYTES
    };
    // Not of a longer row of numbers, which may be anything's.
    let is_alone = |place: &Range<usize>| {
        let is_digit = |c: char| c.is_ascii_digit();
        !text[..place.start].trim_end_matches([' ', ',', '-']).ends_with(is_digit)
            && !text[place.end..].trim_start_matches([' ', ',', '-']).starts_with(is_digit)
    };
    let spaced: Vec<_> = SPACED
        .captures_iter(text)
        .filter(|hit| is_date(&hit[1], &hit[2], &hit[3]))
        .filter_map(|hit| hit.get(0).map(|whole| whole.range()))
        .filter(|place| is_told(place.start) && is_alone(place))
        .collect();
    let kind =
        |start: usize, end: usize| match is_birth(start) || BIRTH_BEHIND.is_match(&text[end..]) {
            true => Secret::BirthDate,
            false => Secret::Date,
        };
    let mut found: Vec<Found> = Vec::new();
    let mut taken = Places::default();
    let mut push = |start: usize, end: usize| {
        if taken.take(start..end) {
            found.push(Found { start, end, kind: kind(start, end) });
        }
    };
    for hit in NUMERIC.captures_iter(text) {
        let beside =
            |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit() || matches!(c, '/' | '-' | '.'));
        let Some(whole) = hit.get(0).filter(|_| is_date(&hit[1], &hit[2], &hit[3])) else {
            continue;
        };
        let after = text[whole.end()..].chars().next();
        let goes_on = after.is_some_and(|c| c.is_ascii_digit() || matches!(c, '/' | '-'));
        if !goes_on && !beside(text[..whole.start()].chars().next_back()) {
            push(whole.start(), whole.end());
        }
    }
    spaced.into_iter().for_each(|range| push(range.start, range.end));
    NAMED.find_iter(text).for_each(|hit| push(hit.start(), hit.end()));
    for hit in YEAR_ALONE.captures_iter(text).filter_map(|hit| hit.get(1)) {
        push(hit.start(), hit.end());
    }
    WEEKDAY.find_iter(text).for_each(|hit| push(hit.start(), hit.end()));
    for hit in AGE.captures_iter(text) {
        let Some(age) = hit.get(1).or_else(|| hit.get(2)) else { continue };
        if !taken.overlap(&age.range())
            && age.as_str().parse::<u32>().is_ok_and(|age| (1..=119).contains(&age))
        {
            found.push(Found { start: age.start(), end: age.end(), kind: Secret::Age });
        }
    }
    found
}

static BEGUN: LazyLock<Regex> = LazyLock::new(|| {
    regex(&format!(r"\b(?:the )?(?:\d|{ORDINAL}\b|{MONTH}\b|nineteen|twenty|two thousand)"))
});

/// Where a birthday begins that is still being said.
pub(super) fn open_birth(text: &str, before: Before) -> Option<usize> {
    let cue = BIRTH.find_iter(text).map(|hit| hit.end()).last();
    let cue = cue.or_else(|| before.asked.has(Secret::BirthDate).then_some(0))?;
    let begun = BEGUN.find_at(text, cue).filter(|hit| hit.start() - cue <= REACH_BYTES)?;
    (text.len() - begun.start() <= REACH_BYTES).then_some(begun.start())
}

/// Whether a birthday is asked for, or its date comes next.
pub(super) fn asks_birth(text: &str) -> bool {
    let Some(last) = BIRTH.find_iter(text).last() else { return false };
    let has_digits = text[last.end()..].bytes().any(|byte| byte.is_ascii_digit());
    !has_digits && !NAMED.is_match(&text[last.end()..])
}
