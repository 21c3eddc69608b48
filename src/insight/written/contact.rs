//! Addresses and codes: e-mail, web, postcodes, runs of digits.

use crate::domain::number_of;

use super::{Place, Written};

const ENDINGS: [&str; 16] = [
    "com", "org", "net", "uk", "example", "io", "eu", "de", "fr", "es", "ie", "info", "biz", "edu",
    "gov", "us",
];
/// Words that are no mailbox when "at" follows.
const NO_MAILBOX: [&str; 40] = [
    "look",
    "looking",
    "looked",
    "be",
    "is",
    "are",
    "am",
    "was",
    "me",
    "us",
    "them",
    "him",
    "her",
    "it",
    "find",
    "found",
    "here",
    "there",
    "works",
    "work",
    "working",
    "online",
    "out",
    "arrived",
    "shop",
    "buy",
    "bought",
    "that",
    "this",
    "up",
    "stuff",
    "one",
    "anything",
    "everything",
    "and",
    "or",
    "account",
    "page",
    "someone",
    "go",
];
/// Words after which digits are a code, however few.
const CODE_CONTEXT: [&str; 16] = [
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
    "call",
    "dial",
    "order",
    "is",
    "it's",
    "ending",
];
/// Fewer digits than this are counted, not spelled.
const SPELLED_MIN: usize = 4;
const SPELLED_MIN_IN_CONTEXT: usize = 3;

fn joiner(word: &str) -> Option<&'static str> {
    match word {
        "dot" => Some("."),
        "underscore" => Some("_"),
        "dash" | "hyphen" => Some("-"),
        _ => None,
    }
}

fn is_label(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// "example dot co dot uk", from `ahead` on.
fn domain(place: &Place, ahead: usize) -> Written {
    let mut text = String::new();
    let mut words = 0;
    loop {
        let word = place.word(ahead + words);
        if !is_label(word) {
            return None;
        }
        text.push_str(word);
        words += 1;
        match joiner(place.word(ahead + words)) {
            Some(join @ ("." | "-")) if place.whole(ahead + words + 1) => {
                text.push_str(join);
                words += 1;
            }
            _ => break,
        }
    }
    let ending = text.rsplit_once('.')?.1;
    (ENDINGS.contains(&ending) && place.whole(ahead + words)).then_some((words, text))
}

/// "john dot smith at example dot com". Without a dot or digits in it, a mailbox has to be spoken of:
/// "look at example dot com" names none.
pub(super) fn email(place: &Place) -> Written {
    let mut mailbox = String::new();
    let mut words = 0;
    let mut joined = false;
    // A mailbox begins at a word's beginning, not in the middle of another one.
    if joiner(place.word_before(1)).is_some() {
        return None;
    }
    loop {
        let word = place.word(words);
        match number_of(word).filter(|digit| *digit < 10 && joined) {
            Some(digit) => mailbox.push(char::from(b'0' + digit)),
            None if is_label(word) && word != "at" => mailbox.push_str(word),
            None => return None,
        }
        words += 1;
        match joiner(place.word(words)) {
            Some(join) => {
                joined = true;
                mailbox.push_str(join);
                words += 1;
            }
            None if place.word(words) == "at" => break,
            // "john smith five at": a digit may follow what is spelled.
            None if joined && number_of(place.word(words)).is_some_and(|digit| digit < 10) => {}
            None => return None,
        }
    }
    let (more, domain) = domain(place, words + 1)?;
    let spoken_of = (1..=6).any(|back| {
        matches!(
            place.word_before(back),
            "email" | "e-mail" | "mail" | "emails" | "address" | "write" | "contact" | "send"
        )
    });
    let sound = joined || (spoken_of && !NO_MAILBOX.contains(&mailbox.as_str()));
    sound.then(|| (words + 1 + more, format!("{mailbox}@{domain}")))
}

/// "www dot example dot com", "example dot com".
pub(super) fn web(place: &Place) -> Written {
    let before = place.word_before(1);
    if joiner(before).is_some() || place.word(1) != "dot" {
        return None;
    }
    domain(place, 0)
}

/// "S W one A one A A" and "M1 1AE" in pieces: British postcodes (BS 7666).
pub(super) fn postcode(place: &Place) -> Written {
    let mut code = String::new();
    let mut words = 0;
    let mut found = None;
    while words < 7 && place.whole(words + 1) {
        let core = place.core(words);
        match number_of(place.word(words)).filter(|digit| *digit < 10) {
            Some(digit) => code.push(char::from(b'0' + digit)),
            None if core.len() <= 4
                && core.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
                && !core.is_empty() =>
            {
                code.push_str(core);
            }
            None => break,
        }
        words += 1;
        if is_postcode(&code) {
            found =
                Some((words, format!("{} {}", &code[..code.len() - 3], &code[code.len() - 3..])));
        }
    }
    // "SW1A 1AA B" is something else.
    let goes_on = found.as_ref().is_some_and(|(words, _)| {
        let next = place.core(*words);
        place.whole(words + 1) && next.len() == 1 && next.bytes().all(|b| b.is_ascii_uppercase())
    });
    found.filter(|_| !goes_on)
}

fn is_postcode(code: &str) -> bool {
    let bytes = code.as_bytes();
    if !(5..=7).contains(&bytes.len()) {
        return false;
    }
    let (outward, inward) = bytes.split_at(bytes.len() - 3);
    let letters = outward.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
    let district = &outward[letters.min(outward.len())..];
    let [sector, unit @ ..] = inward else { return false };
    (1..=2).contains(&letters)
        && matches!(district.len(), 1..=2)
        && district[0].is_ascii_digit()
        && sector.is_ascii_digit()
        && unit.iter().all(u8::is_ascii_uppercase)
}

/// "oh seven seven double oh nine": single digits in a row, said or written.
pub(super) fn digits(place: &Place) -> Written {
    let plus = place.word(0) == "plus";
    let mut words = usize::from(plus);
    let mut digits = String::new();
    let mut spelled = 0;
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
    }
    let next = place.word(words);
    // "four seventeen", "one two three hundred": no code that is known.
    let broken = place.whole(words + 1) && super::numbers::is_number(next)
        || matches!(next, "hundred" | "thousand" | "million" | "percent" | "point");
    let in_context = (1..=3).any(|back| CODE_CONTEXT.contains(&place.word_before(back)));
    let least = if in_context { SPELLED_MIN_IN_CONTEXT } else { SPELLED_MIN };
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
    let split = |at: usize| format!("{} {}", &digits[..at], &digits[at..]);
    match digits.len() {
        12 if plus && digits.starts_with("44") => {
            format!("+44 {} {}", &digits[2..6], &digits[6..])
        }
        _ if plus => format!("+{digits}"),
        11 if digits.starts_with("02") => {
            format!("{} {} {}", &digits[..3], &digits[3..7], &digits[7..])
        }
        11 if digits.starts_with('0') => split(5),
        _ => digits.to_owned(),
    }
}
