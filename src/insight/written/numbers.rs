//! Numbers in words and digits.

use crate::domain::number_of;

use super::Place;
use super::context::is_scale;

/// A number and the words that say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Number {
    pub words: usize,
    pub whole: u64,
    /// The digits behind the point.
    pub fraction: String,
    /// "million" or "billion", where it is said that way.
    pub scale: &'static str,
    /// Written in digits already.
    pub in_digits: bool,
}

const SCALES: [&str; 2] = ["million", "billion"];

impl Number {
    /// `1,250`, `4.5`, `2.5 million`.
    pub fn text(&self) -> String {
        let mut text = grouped(self.whole);
        if !self.fraction.is_empty() {
            text = format!("{text}.{}", self.fraction);
        }
        if self.scale.is_empty() { text } else { format!("{text} {}", self.scale) }
    }
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Below a hundred, in one word or with a hyphen: "forty-two".
pub(super) fn small(word: &str) -> Option<u64> {
    match word.split_once('-') {
        Some((tens, ones)) => {
            let (tens, ones) = (number_of(tens)?, number_of(ones)?);
            (tens >= 20 && (1..10).contains(&ones)).then(|| u64::from(tens + ones))
        }
        None => number_of(word).map(u64::from),
    }
}

/// Below a hundred in one or two words.
pub(super) fn below_hundred(place: &Place, ahead: usize) -> Option<(usize, u64)> {
    let first = small(place.word(ahead))?;
    if first >= 20
        && first.is_multiple_of(10)
        && place.whole(ahead + 2)
        && let Some(ones @ 1..10) = number_of(place.word(ahead + 1))
    {
        return Some((2, first + u64::from(ones)));
    }
    Some((1, first))
}

/// Digits as people write them: `1250`, `1,250`, `42.50`.
fn written(word: &str) -> Option<(u64, String)> {
    let (whole, fraction) = word.split_once('.').unwrap_or((word, ""));
    let groups: Vec<&str> = whole.split(',').collect();
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let sound = groups.iter().enumerate().all(|(index, group)| {
        digits(group) && !group.is_empty() && (index == 0 || group.len() == 3)
    });
    let shown = whole == grouped(whole.replace(',', "").parse().ok()?) || groups.len() == 1;
    let plain = !(whole.len() > 1 && whole.starts_with('0'));
    let pointed = word.contains('.') != fraction.is_empty() && digits(fraction);
    (sound && shown && plain && pointed && whole.len() <= 12)
        .then(|| Some((whole.replace(',', "").parse().ok()?, fraction.to_owned())))?
}

/// The number that begins here, as long as it goes.
pub(super) fn number(place: &Place) -> Option<Number> {
    if let Some((whole, fraction)) = written(place.word(0)) {
        let scale = scale_at(place, 1);
        let words = 1 + usize::from(!scale.is_empty());
        if !scale.is_empty() && goes_on(place, words) {
            return None;
        }
        return Some(Number { words, whole, fraction, scale, in_digits: true });
    }
    let (mut words, mut whole) = below_million(place, 0)?;
    let (more, fraction) = point(place, words);
    words += more;
    let mut scale = scale_at(place, words);
    words += usize::from(!scale.is_empty());
    if !scale.is_empty() && goes_on(place, words) {
        // "two million five hundred thousand"; what else follows a million is anybody's guess.
        let (more, rest) = below_million(place, words).filter(|(_, rest)| *rest >= 100)?;
        if !fraction.is_empty() || scale != "million" || whole >= 1_000 {
            return None;
        }
        words += more;
        whole = whole * 1_000_000 + rest;
        scale = "";
        if goes_on(place, words) || is_scale(place.word(words)) {
            return None;
        }
    }
    Some(Number { words, whole, fraction, scale, in_digits: false })
}

/// A number follows, or "and" and a number.
fn goes_on(place: &Place, ahead: usize) -> bool {
    let and = usize::from(place.word(ahead) == "and");
    place.whole(ahead + and + 1) && is_number(place.word(ahead + and))
}

fn below_million(place: &Place, ahead: usize) -> Option<(usize, u64)> {
    let (mut words, mut whole) = below_thousand(place, ahead)?;
    if place.word(ahead + words) == "thousand" && place.whole(ahead + words + 1) {
        words += 1;
        whole *= 1_000;
        let and = usize::from(place.word(ahead + words) == "and");
        if place.whole(ahead + words + and + 1)
            && let Some((more, rest)) = below_thousand(place, ahead + words + and)
            // "one thousand and two thousand" are two numbers.
            && !scaled(place, ahead + words + and + more)
        {
            words += and + more;
            whole += rest;
        }
    }
    Some((words, whole))
}

/// The number that ends here belongs to a larger one.
fn scaled(place: &Place, ahead: usize) -> bool {
    is_scale(place.word(ahead)) && place.whole(ahead + 1)
}

fn scale_at(place: &Place, ahead: usize) -> &'static str {
    let scale = SCALES.into_iter().find(|scale| *scale == place.word(ahead));
    scale.filter(|_| place.whole(ahead + 1)).unwrap_or_default()
}

fn below_thousand(place: &Place, ahead: usize) -> Option<(usize, u64)> {
    let (mut words, mut whole) = match place.word(ahead) {
        "a" if place.word(ahead + 1) == "hundred" => (1, 1),
        _ => below_hundred(place, ahead)?,
    };
    if place.word(ahead + words) == "hundred" && place.whole(ahead + words + 1) && whole > 0 {
        words += 1;
        whole *= 100;
        let and = usize::from(place.word(ahead + words) == "and");
        if place.whole(ahead + words + and + 1)
            && let Some((more, rest @ 1..)) = below_hundred(place, ahead + words + and)
            // "one hundred and two hundred" are two numbers; "one hundred and two thousand" is one.
            && place.word(ahead + words + and + more) != "hundred"
        {
            words += and + more;
            whole += rest;
        }
    }
    Some((words, whole))
}

/// "point five", "point two five".
fn point(place: &Place, ahead: usize) -> (usize, String) {
    let mut fraction = String::new();
    if place.word(ahead) != "point" || !place.whole(ahead + 1) {
        return (0, fraction);
    }
    let mut words = 1;
    while place.whole(ahead + words + 1) {
        match place.word(ahead + words) {
            "oh" => fraction.push('0'),
            word => match number_of(word) {
                Some(digit @ 0..10) => fraction.push(char::from(b'0' + digit)),
                _ => break,
            },
        }
        words += 1;
    }
    if fraction.is_empty() { (0, fraction) } else { (words, fraction) }
}

/// A word that is, or begins, a number.
pub(super) fn is_number(word: &str) -> bool {
    small(word).is_some() || written(word).is_some()
}
