//! Amounts, percentages, dates, times and plain numbers.

use super::context::{COUNTED, is_between, is_daily, is_housed, is_priced, is_scale, is_weighed};
use super::numbers::{Number, below_hundred, is_number, number, small};
use super::{Place, Written};

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
/// Words before a time of the day.
const TIMELY: [&str; 9] =
    ["at", "by", "until", "till", "before", "after", "around", "about", "from"];
/// Words before a year.
const YEARLY: [&str; 5] = ["in", "since", "year", "until", "before"];
/// Hours that are centuries, too.
const CENTURIES: std::ops::RangeInclusive<u64> = 19..=20;

/// "forty-two pounds fifty", "42 dollars", "twenty pence".
pub(super) fn money(place: &Place) -> Written {
    let amount = number(place)?;
    if is_estimate(place) || is_between(place) {
        return None;
    }
    let unit = place.word(amount.words);
    let weighed = matches!(unit, "pound" | "pounds") && is_weighed(place);
    if weighed || (unit == "p" && place.word(amount.words + 1) == "m") {
        return None;
    }
    let sign = match unit {
        "pound" | "pounds" => "£",
        "dollar" | "dollars" => "$",
        "euro" | "euros" => "€",
        "pence" | "p" if amount.fraction.is_empty() && (1..100).contains(&amount.whole) => {
            return Some((amount.words + 1, format!("{}p", amount.whole)));
        }
        _ => return None,
    };
    let words = amount.words + 1;
    if !place.whole(words) || matches!(place.word(words), "of" | "key" | "sign" | "in" | "note") {
        return None;
    }
    let plain = format!("{sign}{}", amount.text());
    if !amount.fraction.is_empty() || !amount.scale.is_empty() {
        let cents = if amount.fraction.len() == 1 && amount.scale.is_empty() { "0" } else { "" };
        return Some((words, format!("{plain}{cents}")));
    }
    let and = usize::from(place.word(words) == "and");
    if let Some((more, cents)) = minor(place, words + and) {
        let upto = words + and + more;
        let named = matches!(place.word(upto), "pence" | "p" | "cents" | "cent");
        // "forty-two pounds fifty", but not "ten pounds and fifty times" or "ten pounds five".
        let short = and == 0 && cents >= 10 && is_end(place, upto);
        if (named || short) && place.whole(upto + usize::from(named)) {
            return Some((upto + usize::from(named), format!("{plain}.{cents:02}")));
        }
        // "a hundred pounds and fifty" may be pounds or pence; so may what a comma cuts off.
        if and == 1 && cents >= 10 && is_end(place, upto) {
            return place.as_said(upto);
        }
    }
    let rest = Place { tokens: place.tokens, at: place.at + words };
    if minor(&rest, 0).is_some_and(|(more, cents)| cents >= 10 && is_cut_off(&rest, more)) {
        return place.as_said(words);
    }
    Some((words, plain))
}

/// "nineteen pounds, ninety nine": a comma before pence.
fn is_cut_off(place: &Place, words: usize) -> bool {
    let unit = matches!(place.word_before(1), "pounds" | "pound" | "dollars" | "euros");
    unit && is_end(place, words)
        && place.at > 0
        && place.tokens[place.at - 1].after.starts_with(',')
}

fn minor(place: &Place, ahead: usize) -> Option<(usize, u64)> {
    let digits = place.word(ahead);
    if digits.len() <= 2 && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some((1, digits.parse().ok()?));
    }
    below_hundred(place, ahead)
}

/// Nothing follows that the number may belong to instead.
fn is_end(place: &Place, ahead: usize) -> bool {
    let closed = place.tokens.get(place.at + ahead - 1).is_some_and(|t| !t.after.is_empty());
    closed
        || matches!(
            place.word(ahead),
            "" | "a"
                | "and"
                | "per"
                | "each"
                | "for"
                | "on"
                | "in"
                | "twice"
                | "every"
                | "from"
                | "was"
                | "is"
                | "to"
                | "but"
                | "so"
                | "which"
                | "that"
                | "now"
                | "please"
                | "off"
                | "out"
                | "back"
                | "at"
                | "this"
                | "last"
                | "again"
                | "instead"
                | "as"
        )
}

/// "two or three hundred": the first number has the second one's unit.
fn is_estimate(place: &Place) -> bool {
    let other = place.word_before(2);
    joins(place) && (is_number(other) || is_scale(other)) || is_some(place)
}

fn joins(place: &Place) -> bool {
    matches!(place.word_before(1), "or" | "to" | "and")
}

fn is_some(place: &Place) -> bool {
    matches!(place.word_before(1), "couple" | "few" | "several")
}

pub(super) fn percent(place: &Place) -> Written {
    let share = number(place)?;
    let words = share.words
        + match (place.word(share.words), place.word(share.words + 1)) {
            ("percent", _) => 1,
            ("per", "cent") => 2,
            _ => return None,
        };
    (!is_estimate(place) && !is_between(place) && share.scale.is_empty())
        .then(|| (words, format!("{}%", share.text())))
}

/// "third", "twenty-first", "twenty first", "3rd".
fn ordinal(place: &Place, ahead: usize) -> Option<(usize, u64)> {
    let word = place.word(ahead);
    let simple =
        |word: &str| ORDINALS.iter().position(|name| *name == word).map(|at| at as u64 + 1);
    let whole = |tens: &str, ones: &str| match (small(tens)?, simple(ones)?) {
        (tens @ (20 | 30), ones @ 1..10) => Some(tens + ones),
        _ => None,
    };
    let found = match word {
        "thirtieth" => Some((1, 30)),
        _ => simple(word).map(|number| (1, number)),
    };
    let found = found
        .or_else(|| word.split_once('-').and_then(|(a, b)| whole(a, b)).map(|number| (1, number)))
        .or_else(|| whole(word, place.word(ahead + 1)).map(|number| (2, number)));
    found.filter(|(words, number)| *number <= 31 && place.whole(ahead + words))
}

fn with_suffix(day: u64) -> String {
    let suffix = match (day / 10, day % 10) {
        (1, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    format!("{day}{suffix}")
}

fn is_month(place: &Place, ahead: usize) -> bool {
    let word = place.word(ahead);
    // "may" and "march" are other words, too.
    let capital = place.core(ahead).starts_with(char::is_uppercase);
    MONTHS.contains(&word) && (capital || !matches!(word, "may" | "march"))
}

/// "third of May twenty twenty-six", "May the third", "June twenty-first".
pub(super) fn date(place: &Place) -> Written {
    if let Some((words, day)) = ordinal(place, 0) {
        if is_month(place, words) && is_day(place, words) {
            let text = format!("{} {}", with_suffix(day), place.core(words));
            return Some(with_year(place, words + 1, text));
        }
        if place.word(words) != "of" || !is_month(place, words + 1) {
            return None;
        }
        let text = format!("{} of {}", with_suffix(day), place.core(words + 1));
        return Some(with_year(place, words + 2, text));
    }
    if !is_month(place, 0) {
        return None;
    }
    let the = usize::from(place.word(1) == "the");
    let (words, day) = ordinal(place, 1 + the)?;
    if matches!(place.word(1 + the + words), "party" | "parties" | "time" | "person" | "of") {
        return None;
    }
    let the_text = if the == 1 { " the" } else { "" };
    let text = format!("{}{the_text} {}", place.core(0), with_suffix(day));
    Some(with_year(place, 1 + the + words, text))
}

/// "the third June", "twenty third May"; but "First May I ask".
fn is_day(place: &Place, words: usize) -> bool {
    let led = matches!(place.word_before(1), "the" | "on" | "by" | "until" | "from" | "since");
    let asks = matches!(place.word(words + 1), "i" | "we" | "you" | "they" | "he" | "she");
    (led || words == 2 || place.word(0).contains('-')) && !asks
}

/// "the twenty third"; but "the twenty second wait", "the twenty first time buyers".
pub(super) fn day(place: &Place) -> Written {
    let (words, day) = ordinal(place, 0)?;
    let spoken = words == 2 || place.word(0).contains('-');
    let alone = is_end(place, words) && place.word(words) != "a";
    (spoken && alone && place.word_before(1) == "the").then(|| (words, with_suffix(day)))
}

fn with_year(place: &Place, words: usize, text: String) -> (usize, String) {
    match year_at(place, words) {
        Some((more, year)) if place.whole(words + more) => (words + more, format!("{text} {year}")),
        _ => (words, text),
    }
}

/// "nineteen eighty-four", "twenty oh five", "two thousand and five".
fn year_at(place: &Place, ahead: usize) -> Option<(usize, u64)> {
    let here = Place { tokens: place.tokens, at: place.at + ahead };
    let found = match small(here.word(0)) {
        Some(century) if CENTURIES.contains(&century) && here.word(1) != "hundred" => match here
            .word(1)
        {
            "oh" => (3, century * 100 + small(here.word(2)).filter(|ones| (1..10).contains(ones))?),
            _ => {
                let (words, rest) = below_hundred(&here, 1).filter(|(_, rest)| *rest >= 10)?;
                (1 + words, century * 100 + rest)
            }
        },
        _ => {
            let year = number(&here).filter(|year| !year.in_digits && year.fraction.is_empty())?;
            (year.words, year.whole)
        }
    };
    let more = here.word(found.0);
    ((1_900..2_100).contains(&found.1)
        && here.whole(found.0)
        && !is_number(more)
        && !COUNTED.contains(&more))
    .then_some(found)
}

/// A year that isn't part of a whole date.
pub(super) fn year(place: &Place) -> Written {
    let before = place.word_before(1);
    if !YEARLY.contains(&before) && !MONTHS.contains(&before) {
        return None;
    }
    let (words, year) = year_at(place, 0)?;
    // "before twenty ten" may be late in the evening.
    let evening = matches!(before, "before" | "until") && words <= 3 && year % 100 < 60;
    let thousands = place.word(1) == "thousand";
    (!evening || thousands).then(|| (words, year.to_string()))
}

/// "nine thirty a.m.", "nine o'clock", "at nine thirty", "at half past nine".
pub(super) fn time(place: &Place) -> Written {
    let timely = TIMELY.contains(&place.word_before(1));
    if let Some(found) = clock_words(place).filter(|_| timely) {
        return Some(found);
    }
    let (words, hour) = minor(place, 0).filter(|(_, hour)| *hour <= 23)?;
    if place.word(words) == "o'clock" && (1..=12).contains(&hour) {
        return Some((words + 1, format!("{hour} o'clock")));
    }
    let minutes = minutes(place, words);
    let before = place.word_before(1);
    let upto = words + minutes.map_or(0, |(more, _)| more);
    let clock = minutes.map_or(hour.to_string(), |(_, minute)| format!("{hour}:{minute:02}"));
    if let Some((more, half)) = half_of_day(place, upto)
        && (1..=12).contains(&hour)
        && !matches!((place.word(upto), place.word(upto + 1)), ("am", "i"))
    {
        // What is digits already stands as it was heard.
        let same = minutes.is_none() && small(place.word(0)).is_none();
        return (!same).then(|| (upto + more, format!("{clock} {half}")));
    }
    let spoken = small(place.word(0)).is_some();
    let follows = is_number(place.word(upto))
        || matches!(
            place.word(upto),
            "percent" | "per" | "pounds" | "dollars" | "hundred" | "point"
        );
    // "about nine fifty" is as often a price.
    let vague = matches!(before, "about" | "around" | "from")
        && place.word_before(2) != "at"
        && !is_daily(place);
    let year = CENTURIES.contains(&hour) && before != "at";
    let other = vague || year || is_priced(place) || is_housed(place);
    (timely && spoken && minutes.is_some() && !follows && !other && is_end(place, upto))
        .then_some((upto, clock))
}

fn minutes(place: &Place, ahead: usize) -> Option<(usize, u64)> {
    if !place.whole(ahead + 1) {
        return None;
    }
    if place.word(ahead) == "oh" {
        let ones = small(place.word(ahead + 1)).filter(|ones| (1..10).contains(ones))?;
        return Some((2, ones));
    }
    minor(place, ahead)
        .filter(|(words, minute)| (10..60).contains(minute) && place.whole(ahead + words))
}

fn half_of_day(place: &Place, ahead: usize) -> Option<(usize, &'static str)> {
    let (words, half) = match (place.word(ahead), place.word(ahead + 1)) {
        ("am", _) => (1, "am"),
        ("pm", _) => (1, "pm"),
        ("a.m", _) => (1, "a.m."),
        ("p.m", _) => (1, "p.m."),
        ("a", "m") => (2, "a.m."),
        ("p", "m") => (2, "p.m."),
        _ => return None,
    };
    let dotted = place.tokens.get(place.at + ahead).is_some_and(|t| t.after.starts_with('.'));
    // The mark behind "a.m." comes back with it.
    let half = if dotted && half.ends_with('.') { &half[..half.len() - 1] } else { half };
    place.whole(ahead + words).then_some((words, half))
}

/// "half past nine", "quarter to ten".
fn clock_words(place: &Place) -> Written {
    let start = usize::from(place.word(0) == "a");
    let (past, minute) = match (place.word(start), place.word(start + 1)) {
        ("half", "past") => (true, 30),
        ("quarter", "past") => (true, 15),
        ("quarter", "to") => (false, 45),
        _ => return None,
    };
    let hour = small(place.word(start + 2)).filter(|hour| (1..=12).contains(hour))?;
    let hour = match (past, hour) {
        (true, hour) => hour,
        (false, 1) => 12,
        (false, hour) => hour - 1,
    };
    is_end(place, start + 3).then(|| (start + 3, format!("{hour}:{minute:02}")))
}

/// A plain number from ten on; smaller ones read better as words.
pub(super) fn plain(place: &Place) -> Written {
    let found = number(place)?;
    let worth = found.whole >= 10 || !found.fraction.is_empty() || !found.scale.is_empty();
    let (next, second) = (place.word(found.words), place.word(found.words + 1));
    let fits = match next {
        // "a hundred times", "ten past five", "ten to five", "one and a half".
        "past" | "o'clock" => false,
        "to" | "or" if is_shared(place, &found) => false,
        "to" => small(second).is_none_or(|hour| hour > 12),
        // "one hundred and two hundred", "two hundred and first".
        "and" => second != "a" && !is_number(second) && !is_ordinal(second),
        "am" | "pm" | "a.m" | "p.m" => false,
        "a" | "p" if second == "m" => false,
        "odd" | "something" => false,
        next if is_scale(next) || is_ordinal(next) => false,
        next => !is_number(next) || !place.whole(found.words + 1),
    };
    let exact = place.word(0) != "a" || found.words > 2;
    // "nineteen hundred and fifty", "two thousand nineteen": years, as it may be.
    let teens = place.word(1) == "hundred" && found.whole >= 1_000 && found.whole < 10_000;
    let dated = teens || (2_001..2_100).contains(&found.whole);
    let other = place.word_before(2);
    let shared = joins(place)
        && match small(other) {
            Some(number) => number < 10 || found.whole >= 100 || place.word_before(1) == "and",
            None => is_scale(other) && place.word_before(1) == "and",
        };
    let apart = is_between(place) || is_cut_off(place, found.words) || place.word_before(1) == "oh";
    let sound = worth && fits && exact && !dated && !shared && !apart;
    (sound && !found.in_digits && !is_some(place)).then(|| (found.words, found.text()))
}

/// "ten or twenty thousand": the thousand may be the first number's, too.
fn is_shared(place: &Place, found: &Number) -> bool {
    let next = Place { tokens: place.tokens, at: place.at + found.words + 1 };
    let large = |other: Number| other.whole >= 100 || !other.scale.is_empty();
    found.whole < 100 && found.scale.is_empty() && number(&next).is_some_and(large)
}

fn is_ordinal(word: &str) -> bool {
    ORDINALS.contains(&word) || matches!(word, "thirtieth" | "hundredth" | "thousandth")
}

/// How many number words stand side by side here.
pub(super) fn beside(place: &Place) -> usize {
    let mut words = 0;
    let mut scaled = false;
    while place.whole(words + 1) {
        let word = place.word(words);
        let next = place.word(words + 1);
        let linked = scaled && word == "and" && (is_number(next) || is_ordinal(next));
        let larger = words > 0 && (is_scale(word) || is_ordinal(word));
        if !(is_number(word) || larger || linked && place.whole(words + 2)) {
            break;
        }
        scaled |= is_scale(word);
        words += 1;
    }
    words
}
