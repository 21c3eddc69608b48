//! Numbers with what they count.

use super::chunk::Place;
use super::{Currency, Found, Kind, Unit};
use crate::domain::number_of;

/// A value in thousandths and the pieces that say it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value {
    pub chunks: usize,
    pub thousandths: i64,
    /// In words, and so small that it may be an article or an idiom.
    pub vague: bool,
}

/// "1,250", "42.50", "4k".
fn digits(word: &str) -> Option<i64> {
    let (number, scale) = match word.strip_suffix(['k', 'K']) {
        Some(head) => (head, 1_000),
        None => match word.strip_suffix('m') {
            Some(head) => (head, 1_000_000),
            None => (word, 1),
        },
    };
    let number = number.strip_suffix('+').unwrap_or(number);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let plain: String = whole.chars().filter(|c| *c != ',').collect();
    let sound = plain.len() <= 12
        && (!plain.is_empty() || !fraction.is_empty())
        && plain.bytes().all(|byte| byte.is_ascii_digit())
        && fraction.bytes().all(|byte| byte.is_ascii_digit());
    if !sound {
        return None;
    }
    let fraction: String = fraction.chars().chain("000".chars()).take(3).collect();
    let whole: i64 = if plain.is_empty() { 0 } else { plain.parse().ok()? };
    (whole * 1_000 + fraction.parse::<i64>().ok()?).checked_mul(scale)
}

fn small(word: &str) -> Option<i64> {
    match word.split_once('-') {
        Some((tens, ones)) => {
            let (tens, ones) = (number_of(tens)?, number_of(ones)?);
            (tens >= 20 && (1..10).contains(&ones)).then(|| i64::from(tens + ones))
        }
        None => number_of(word).map(i64::from),
    }
}

/// The number that begins here.
pub(super) fn value(here: &Place, ahead: usize) -> Option<Value> {
    let scale_of = |word: &str| match word {
        "hundred" | "hundreds" => Some(100),
        "thousand" | "thousands" => Some(1_000),
        "million" | "millions" => Some(1_000_000),
        "billion" => Some(1_000_000_000),
        "dozen" => Some(12),
        _ => None,
    };
    let word = here.word(ahead);
    let (mut chunks, base, in_words) = match digits(word) {
        Some(value) => (1, value, false),
        None => match small(word) {
            Some(value) => {
                let ones = number_of(here.word(ahead + 1)).map_or(0, i64::from);
                let joins = value >= 20 && value % 10 == 0 && (1..10).contains(&ones);
                (1 + usize::from(joins), (value + if joins { ones } else { 0 }) * 1_000, true)
            }
            // "a hundred", "a dozen"
            None if word == "a" && scale_of(here.word(ahead + 1)).is_some() => (1, 1_000, true),
            None => return None,
        },
    };
    let mut thousandths = base;
    if let Some(scale) =
        scale_of(here.word(ahead + chunks)).filter(|_| here.reaches(ahead + chunks))
    {
        thousandths = thousandths.checked_mul(scale)?;
        chunks += 1;
    }
    let vague = in_words && thousandths <= 1_000;
    Some(Value { chunks, thousandths, vague })
}

fn currency_of(word: &str) -> Option<Currency> {
    match word {
        "pound" | "pounds" | "quid" | "gbp" | "£" => Some(Currency::Pound),
        "dollar" | "dollars" | "buck" | "bucks" | "usd" | "$" => Some(Currency::Dollar),
        "euro" | "euros" | "eur" | "€" => Some(Currency::Euro),
        _ => None,
    }
}

/// A word for money that stands without a number.
pub(in crate::grounding) fn is_currency(word: &str) -> bool {
    currency_of(word).is_some()
}

/// "£42.50", "42 pounds", "20p", "$1.5 million", "45 euros".
pub(super) fn amount(here: &Place) -> Option<Found> {
    let word = here.word(0);
    let found =
        |chunks, value, currency| Some(Found::one(chunks, Kind::Amount { value, currency }));
    if let Some(sign) = word.chars().next().filter(|c| matches!(c, '£' | '$' | '€')) {
        let currency = currency_of(&sign.to_string())?;
        let rest = &word[sign.len_utf8()..];
        let value = digits(rest)?;
        let (more, scale) = match here.word(1) {
            "million" => (1, 1_000_000),
            "thousand" => (1, 1_000),
            "billion" => (1, 1_000_000_000),
            _ => (0, 1),
        };
        return found(1 + more, value.checked_mul(scale)?, currency);
    }
    if let Some(sign) = word.chars().next_back().filter(|c| matches!(c, '£' | '$' | '€')) {
        let value = digits(&word[..word.len() - sign.len_utf8()])?;
        return found(1, value, currency_of(&sign.to_string())?);
    }
    if let Some(pence) = word.strip_suffix('p').and_then(digits).filter(|p| *p < 100_000) {
        return found(1, pence / 100, Currency::Pound);
    }
    let value = value(here, 0).filter(|value| here.reaches(value.chunks))?;
    let unit = here.word(value.chunks);
    match unit {
        "pence" | "p" => found(value.chunks + 1, value.thousandths / 100, Currency::Pound),
        "cents" | "cent" => found(value.chunks + 1, value.thousandths / 100, Currency::Dollar),
        _ => found(value.chunks + 1, value.thousandths, currency_of(unit)?),
    }
}

pub(super) fn percent(here: &Place) -> Option<Found> {
    if let Some(value) = here.word(0).strip_suffix('%').and_then(digits) {
        return Some(Found::one(1, Kind::Percent(value)));
    }
    let value = value(here, 0)?;
    let more = match (here.word(value.chunks), here.word(value.chunks + 1)) {
        ("percent" | "%" | "pct", _) => 1,
        ("per", "cent") => 2,
        _ => return None,
    };
    Some(Found::one(value.chunks + more, Kind::Percent(value.thousandths)))
}

fn unit(word: &str) -> Option<Unit> {
    Some(match word {
        "second" | "seconds" | "sec" | "secs" => Unit::Second,
        "minute" | "minutes" | "min" | "mins" => Unit::Minute,
        "hour" | "hours" | "hr" | "hrs" | "h" => Unit::Hour,
        "day" | "days" => Unit::Day,
        "week" | "weeks" | "wk" | "wks" => Unit::Week,
        "month" | "months" => Unit::Month,
        "year" | "years" | "yr" | "yrs" => Unit::Year,
        "megabyte" | "megabytes" | "mb" => Unit::Megabyte,
        "gigabyte" | "gigabytes" | "gb" | "gig" | "gigs" => Unit::Gigabyte,
        "mbps" | "mbit" | "mbits" | "megabit" | "megabits" | "meg" | "megs" | "mb/s" => {
            Unit::Megabit
        }
        "gbps" | "gbit" | "gigabit" | "gigabits" => Unit::Gigabit,
        "kg" | "kgs" | "kilo" | "kilos" | "kilogram" | "kilograms" => Unit::Kilo,
        "g" | "gram" | "grams" => Unit::Gram,
        "mile" | "miles" => Unit::Mile,
        "km" | "kilometre" | "kilometres" | "kilometer" | "kilometers" => Unit::Kilometre,
        "metre" | "metres" | "meter" | "meters" => Unit::Metre,
        _ => return None,
    })
}

pub(in crate::grounding) fn is_unit(word: &str) -> bool {
    unit(word).is_some()
}

/// What may stand right behind digits: `3rd`, `10am`, `4k`, `25kg`, `20s`.
pub(super) fn is_suffix(word: &str) -> bool {
    is_unit(word)
        || matches!(
            word,
            "st" | "nd" | "rd" | "th" | "am" | "pm" | "k" | "m" | "p" | "s" | "x" | "ish"
        )
}

/// Words between a number and what it counts.
const BETWEEN: [&str; 10] = [
    "working",
    "business",
    "calendar",
    "full",
    "whole",
    "more",
    "further",
    "or",
    "consecutive",
    "extra",
];

pub(super) fn number(here: &Place) -> Option<Found> {
    let word = here.word(0);
    match word {
        "twice" => return Some(Found::one(1, Kind::Number { value: 2_000, unit: None })),
        "thrice" => return Some(Found::one(1, Kind::Number { value: 3_000, unit: None })),
        "couple" | "both" | "pair" => {
            let unit = unit(here.word(if here.word(1) == "of" { 2 } else { 1 }));
            return Some(Found::weak(1, Kind::Number { value: 2_000, unit }));
        }
        "fortnight" => {
            return Some(Found::one(1, Kind::Number { value: 2_000, unit: Some(Unit::Week) }));
        }
        "half" if matches!(here.word(1), "an" | "a") && unit(here.word(2)).is_some() => {
            return Some(Found::one(3, Kind::Number { value: 500, unit: unit(here.word(2)) }));
        }
        "quarter"
            if here.word(1) == "of"
                && matches!(here.word(2), "an" | "a")
                && unit(here.word(3)).is_some() =>
        {
            return Some(Found::one(4, Kind::Number { value: 250, unit: unit(here.word(3)) }));
        }
        "a" | "an" if unit(here.word(1)).is_some() => {
            return Some(Found::weak(2, Kind::Number { value: 1_000, unit: unit(here.word(1)) }));
        }
        _ => {}
    }
    // "25kg", "20s", "2x"
    let tail = word.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | ','));
    if !tail.is_empty() && tail.len() < word.len() && !matches!(tail, "k" | "m") {
        let value = digits(&word[..word.len() - tail.len()])?;
        let unit = unit(tail);
        let known = unit.is_some() || matches!(tail, "s" | "x" | "ish" | "+");
        return known.then(|| Found::one(1, Kind::Number { value, unit }));
    }
    let value = value(here, 0)?;
    let mut ahead = value.chunks;
    while here.reaches(ahead) && BETWEEN.contains(&here.word(ahead)) && ahead < value.chunks + 2 {
        ahead += 1;
    }
    let unit = unit(here.word(ahead)).filter(|_| here.reaches(ahead));
    let chunks = if unit.is_some() { ahead + 1 } else { value.chunks };
    let kind = Kind::Number { value: value.thousandths, unit };
    let weak = value.vague && unit.is_none();
    Some(if weak { Found::weak(chunks, kind) } else { Found::one(chunks, kind) })
}
