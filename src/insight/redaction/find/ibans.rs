//! International bank account numbers (ISO 13616), written or spelled, whole or begun.

use std::ops::Range;

use super::checks::{iban_length, is_iban};
use super::{Found, Secret, Word};

/// Characters of the longest IBAN.
const IBAN_LONGEST: usize = 34;

/// IBANs, written or spelled, over any number of words.
pub(super) fn ibans(words: &[Word<'_>], found: &mut Vec<Found>) {
    let parts: Vec<Option<String>> = words.iter().map(Word::characters).collect();
    for first in 0..words.len() {
        let mut bare = String::new();
        for (index, part) in parts.iter().enumerate().skip(first) {
            let Some(part) = part else { break };
            bare.push_str(part);
            if bare.len() > IBAN_LONGEST || bare.len() >= 4 && iban_length(&bare).is_none() {
                break;
            }
            if is_iban(&bare) {
                let (start, _) = words[first].trimmed();
                let (_, end) = words[index].trimmed();
                found.push(Found { start, end, kind: Secret::Iban });
                break;
            }
        }
    }
}

/// Words that may stand before the rest of a number: "and then 0532".
const LEADING_WORDS_MAX: usize = 2;

/// A piece of an IBAN that a text ends in, or goes on with.
#[derive(Clone)]
pub(in super::super) struct Part {
    pub range: Range<usize>,
    /// All that is known of it, with what came before.
    pub characters: String,
    pub is_whole: bool,
}

/// What these words have of an IBAN whose beginning is this: its rest, some more of it, or, where nothing was before, its
/// beginning.
pub(in super::super) fn part(so_far: &str, words: &[Word<'_>]) -> Option<Part> {
    let part = |first: usize, last: usize, characters: String, is_whole: bool| {
        let range = words[first].trimmed().0..words[last].trimmed().1;
        Part { range, characters, is_whole }
    };
    if so_far.is_empty() {
        let start = open_iban(words)?;
        let first = words.iter().position(|word| word.trimmed().0 == start)?;
        let characters = words[first..].iter().filter_map(Word::characters).collect();
        return Some(part(first, words.len() - 1, characters, false));
    }
    let length = iban_length(so_far)?;
    let first = (0..=LEADING_WORDS_MAX.min(words.len()))
        .find(|first| words.get(*first).is_some_and(|word| word.characters().is_some()))?;
    let mut characters = so_far.to_owned();
    for (last, word) in words.iter().enumerate().skip(first) {
        characters.push_str(&word.characters()?);
        if characters.len() >= length {
            return is_iban(&characters).then(|| part(first, last, characters, true));
        }
    }
    Some(part(first, words.len() - 1, characters, false))
}

/// Where the beginning of an IBAN stands at the end.
pub(super) fn open_iban(words: &[Word<'_>]) -> Option<usize> {
    let last = &words[words.len().saturating_sub(IBAN_LONGEST)..];
    let parts: Vec<Option<String>> = last.iter().map(Word::characters).collect();
    (0..last.len()).find_map(|first| {
        let bare = parts[first..].iter().cloned().collect::<Option<String>>()?;
        let is_begun = bare.len() < 4
            && bare.len() > 1
            && bare.bytes().take(2).all(|byte| byte.is_ascii_uppercase())
            && bare.bytes().skip(2).all(|byte| byte.is_ascii_digit());
        let length = iban_length(&bare);
        let is_open =
            length.is_some_and(|length| bare.len() < length) || is_begun && bare.len() > 2;
        is_open.then(|| last[first].trimmed().0)
    })
}
