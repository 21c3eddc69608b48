//! Pieces between white space, and the codes among them.

use std::ops::Range;

use super::{Found, Kind};
use crate::domain::number_of;

#[derive(Debug)]
pub(super) struct Chunk {
    /// Of the core in the text.
    pub bytes: Range<usize>,
    pub core: String,
    pub lower: String,
    /// A mark follows, so that the next piece doesn't belong to this one.
    pub closed: bool,
}

pub(super) fn chunks(text: &str) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    for raw in text.split_whitespace() {
        // Slices of `text`, so the distance is their place in it.
        let start = raw.as_ptr() as usize - text.as_ptr() as usize;
        // "sixty-day", "12-month": the number and its unit are two pieces.
        let hyphen = raw.find('-').filter(|at| {
            let (head, tail) = (&raw[..*at], &raw[at + 1..]);
            let number = head.bytes().all(|byte| byte.is_ascii_digit())
                || number_of(&head.to_lowercase()).is_some();
            let word: String = tail.chars().take_while(|c| c.is_alphabetic()).collect();
            !head.is_empty()
                && number
                && word.len() > 2
                && number_of(&word.to_lowercase()).is_none()
                && !super::calendar::is_ordinal(&word.to_lowercase())
        });
        match hyphen {
            Some(at) => {
                push(raw.get(..at), start, &mut chunks);
                push(raw.get(at + 1..), start + at + 1, &mut chunks);
            }
            None => push(Some(raw), start, &mut chunks),
        }
    }
    chunks
}

fn push(raw: Option<&str>, start: usize, chunks: &mut Vec<Chunk>) {
    let Some(raw) = raw else { return };
    // What masks a secret is nobody's number.
    if raw.contains(['[', ']', '•']) {
        return;
    }
    let before = |c: char| !c.is_alphanumeric() && !matches!(c, '£' | '$' | '€' | '+' | '@' | '#');
    let after = |c: char| !c.is_alphanumeric() && !matches!(c, '%' | '£' | '$' | '€');
    let rest = raw.trim_start_matches(before);
    let core = rest.trim_end_matches(after);
    let core = core.strip_suffix("'s").or_else(|| core.strip_suffix("’s")).unwrap_or(core);
    if core.is_empty() {
        return;
    }
    let begin = start + raw.len() - rest.len();
    chunks.push(Chunk {
        bytes: begin..begin + core.len(),
        core: core.to_owned(),
        lower: core.to_lowercase(),
        closed: rest[core.len()..].contains(['.', ',', ';', ':', '!', '?', ')']),
    });
}

/// A piece with what stands around it.
pub(super) struct Place<'a> {
    pub chunks: &'a [Chunk],
    pub at: usize,
}

impl Place<'_> {
    pub fn word(&self, ahead: usize) -> &str {
        self.chunks.get(self.at + ahead).map_or("", |chunk| chunk.lower.as_str())
    }

    pub fn core(&self, ahead: usize) -> &str {
        self.chunks.get(self.at + ahead).map_or("", |chunk| chunk.core.as_str())
    }

    pub fn word_before(&self, back: usize) -> &str {
        self.at.checked_sub(back).map_or("", |at| self.chunks[at].lower.as_str())
    }

    /// No mark stands between this piece and the one so far ahead.
    pub fn reaches(&self, ahead: usize) -> bool {
        self.chunks
            .get(self.at..self.at + ahead)
            .is_some_and(|between| between.iter().all(|chunk| !chunk.closed))
    }
}

/// Only what can be compared: letters and digits in lower case.
pub(in crate::grounding) fn compact(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

const ENDINGS: [&str; 12] =
    [".com", ".org", ".net", ".uk", ".io", ".example", ".co", ".de", ".fr", ".eu", ".gov", ".edu"];

/// Addresses, references, versions, telephone numbers.
pub(super) fn code(here: &Place) -> Option<Found> {
    let word = here.word(0);
    let code = |chunks, text: &str| Some(Found::one(chunks, Kind::Code(compact(text))));
    let is_mail = word.find('@').is_some_and(|at| at > 0 && word[at..].contains('.'));
    if is_mail {
        return code(1, word);
    }
    let address = word.trim_start_matches("https://").trim_start_matches("http://");
    let host = address.split('/').next().unwrap_or_default();
    if address.len() < word.len()
        || word.starts_with("www.")
        || (host.len() > 4 && ENDINGS.iter().any(|ending| host.ends_with(ending)))
    {
        return code(1, address.trim_start_matches("www."));
    }
    if word.starts_with(['@', '£', '$', '€']) || word.ends_with('%') {
        return None;
    }
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let letters = word.chars().filter(|c| c.is_alphabetic()).count();
    if digits == 0 {
        return None;
    }
    if letters == 0 && digits_only(word) {
        return telephone(here);
    }
    let marks = word.matches(['.', '/', '-', '_']).count();
    if letters == 0 {
        // 6.2.1 and 24/7; but not 4.5, 1,250, 9:30 and 12/03/2024.
        let version = word.matches('.').count() >= 2 || word.contains('/');
        // "888-202-1024" is a telephone number, "10-20" is none.
        let version = version || (word.contains('-') && digits >= 7);
        return (version && super::calendar::numeric_day(word).is_none())
            .then(|| code(1, word))
            .flatten();
    }
    let head =
        word.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | ':'));
    let tail_is_word = head.len() < word.len() && head.bytes().all(|b| b.is_ascii_alphabetic());
    // 3rd, 10am, 25kg, 4k are numbers with something behind.
    let measured = tail_is_word && (head.len() <= 5 || super::quantity::is_unit(head));
    // "1080p" isn't money.
    let known = super::quantity::is_suffix(head) && !(head == "p" && digits > 2);
    let long = measured && head.len() <= 5 && !known;
    (!measured || (long && digits + letters >= 4) || marks > 1).then(|| code(1, word)).flatten()
}

fn digits_only(word: &str) -> bool {
    word.strip_prefix('+').unwrap_or(word).bytes().all(|byte| byte.is_ascii_digit())
}

/// "020 7946 0112", "07700900461", "+44 20 7946 0112".
fn telephone(here: &Place) -> Option<Found> {
    let first = here.word(0);
    let mut words = 1;
    let mut text = compact(first);
    while here.reaches(words)
        && !here.word(words).is_empty()
        && digits_only(here.word(words))
        && here.word(words).len() >= 2
    {
        text.push_str(here.word(words));
        words += 1;
    }
    let opens = first.starts_with(['0', '+']) && text.len() >= 3;
    (opens || text.len() >= 9 || words >= 3).then(|| Found::one(words, Kind::Code(text)))
}

/// A word as a piece of a code: "four" is `4`, "double" and "dash" are nothing that is written.
pub(in crate::grounding) fn spelling(lower: &str) -> String {
    match lower {
        "dash" | "hyphen" | "dot" | "point" | "slash" | "underscore" | "at" | "space"
        | "stroke" => String::new(),
        "oh" => "0".into(),
        _ => match number_of(lower) {
            Some(number) => number.to_string(),
            None => compact(lower),
        },
    }
}
