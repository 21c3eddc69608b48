//! Runs of digits: telephone numbers and codes.

use crate::domain::number_of;

use super::context::{COUNTED, is_scale};
use super::{Place, Written};

/// Words after which digits are a code, however few.
const CODE_CONTEXT: [&str; 12] = [
    "number",
    "code",
    "extension",
    "account",
    "reference",
    "zip",
    "pin",
    "phone",
    "mobile",
    "telephone",
    "dial",
    "ending",
];
/// The same, if nothing follows that could be counted.
const WEAK_CONTEXT: [&str; 4] = ["call", "order", "is", "it's"];
/// Fewer digits than this are counted, not spelled.
const SPELLED_MIN: usize = 4;
const SPELLED_MIN_IN_CONTEXT: usize = 3;
/// "oh eight hundred" begins a number of at least so many digits.
const FREEPHONE_MIN: usize = 9;

/// "oh seven seven double oh nine": single digits in a row, said or written.
pub(super) fn digits(place: &Place) -> Written {
    let plus = place.word(0) == "plus";
    let mut words = usize::from(plus);
    let mut digits = String::new();
    let mut spelled = 0;
    let mut freephone = false;
    while place.whole(words + 1) {
        let (times, ahead) = match place.word(words) {
            "double" => (2, 1),
            "triple" | "treble" => (3, 1),
            _ => (1, 0),
        };
        let Some(digit) =
            single(place.word(words + ahead)).filter(|_| place.whole(words + ahead + 1))
        else {
            break;
        };
        digits.extend(std::iter::repeat_n(digit, times));
        words += ahead + 1;
        spelled += 1;
        if matches!(&*digits, "03" | "08")
            && place.word(words) == "hundred"
            && place.whole(words + 1)
        {
            freephone = true;
            digits.push_str("00");
            words += 1;
        }
    }
    let next = place.word(words);
    // "four seventeen", "one two three hundred": no code that is known.
    let broken = place.whole(words + 1)
        && (super::numbers::is_number(next)
            || is_scale(next)
            || COUNTED.contains(&next)
            || next == "point")
        || matches!(next, "hundred" | "thousand" | "million" | "percent" | "point");
    let near = |context: &[&str]| (1..=3).any(|back| context.contains(&place.word_before(back)));
    let alone = words > 0
        && (place.closed(words - 1)
            || matches!(
                next,
                "and" | "please" | "for" | "on" | "but" | "with" | "thanks" | "thank"
            ));
    let in_context = near(&CODE_CONTEXT) || near(&WEAK_CONTEXT) && alone;
    let least = match (freephone, in_context) {
        (true, _) => FREEPHONE_MIN,
        (false, true) => SPELLED_MIN_IN_CONTEXT,
        (false, false) => SPELLED_MIN,
    };
    if broken || digits.len() < least || spelled < 2 {
        return None;
    }
    Some((words, telephone(&digits, plus)))
}

fn single(word: &str) -> Option<char> {
    match (word, word.as_bytes()) {
        ("oh" | "o", _) => Some('0'),
        (_, [digit @ b'0'..=b'9']) => Some(char::from(*digit)),
        _ => number_of(word).filter(|digit| *digit < 10).map(|digit| char::from(b'0' + digit)),
    }
}

/// British numbers in their groups (Ofcom's numbering plan); any other run stays together.
fn telephone(digits: &str, plus: bool) -> String {
    match (plus, digits.len()) {
        (true, 12) if digits.starts_with("44") => {
            let national = national(&format!("0{}", &digits[2..]));
            format!("+44 {}", &national[1..])
        }
        (true, _) => format!("+{digits}"),
        (false, 11) if digits.starts_with('0') => national(digits),
        (false, _) => digits.to_owned(),
    }
}

/// Eleven digits, the area first.
fn national(digits: &str) -> String {
    let area_digits = match digits.as_bytes() {
        [_, b'2', ..] => 3,
        // 0117, 0121; freephone and the like.
        [_, b'1', b'1', ..] | [_, b'1', _, b'1', ..] | [_, b'3' | b'8' | b'9', ..] => 4,
        _ => 5,
    };
    let (area, rest) = digits.split_at(area_digits);
    match area_digits {
        5 => format!("{area} {rest}"),
        _ => format!("{area} {} {}", &rest[..rest.len() - 4], &rest[rest.len() - 4..]),
    }
}
