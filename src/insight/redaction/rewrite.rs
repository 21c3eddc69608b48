//! Puts placeholders where secrets stood, in a turn's text and among its words.

use std::borrow::Cow;
use std::ops::Range;

use super::fold::folded;
use super::{RawWord, find};
use crate::domain::{Redacted, Turn, Word};

/// Marks that stay behind a placeholder.
const MARKS: [char; 4] = ['.', ',', '?', '!'];

/// Bytes of a line, and what stands there instead.
pub(super) struct Replaced {
    place: Range<usize>,
    placeholder: String,
}

impl Replaced {
    pub fn new(place: Range<usize>, placeholder: String) -> Self {
        Self { place, placeholder }
    }
}

/// The words as they are read.
pub(super) fn read(words: &[RawWord]) -> Cow<'_, [RawWord]> {
    if words.iter().all(|word| word.text.is_ascii() && !word.text.contains('&')) {
        return Cow::Borrowed(words);
    }
    let read = |word: &RawWord| RawWord { text: folded(&word.text).into_text(), ..word.clone() };
    Cow::Owned(words.iter().map(read).collect())
}

/// A turn's words with a space between.
pub(super) fn line(words: &[RawWord]) -> String {
    words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
}

/// Where whole words stand in the line, without the mark behind them.
pub(super) fn place(
    words: &[RawWord],
    starts: &[usize],
    first: usize,
    last: usize,
) -> Range<usize> {
    let mark = words[last].text.chars().last().filter(|c| MARKS.contains(c));
    starts[first]..starts[last] + words[last].text.len() - mark.map_or(0, char::len_utf8)
}

/// Where each word begins in the line.
pub(super) fn starts(words: &[RawWord]) -> Vec<usize> {
    let start = |at: &mut usize, word: &RawWord| {
        let start = *at;
        *at += word.text.len() + 1;
        Some(start)
    };
    words.iter().scan(0, start).collect()
}

/// Words of a masked span become one with the span's times; the others keep theirs. The places are those of the line as
/// it is read.
pub(super) fn rewrite(words: &[RawWord], mut replaced: Vec<Replaced>) -> (Redacted, Vec<Word>) {
    let line = line(words);
    let as_read = folded(&line);
    for one in &mut replaced {
        one.place = as_read.written(one.place.clone());
    }
    replaced.sort_by_key(|one| one.place.start);
    let mut out: Vec<Word> = Vec::with_capacity(words.len());
    let mut replaced = replaced.into_iter().peekable();
    let (mut index, mut at) = (0, 0);
    while index < words.len() {
        let word = &words[index];
        let (start, mut end) = (at, at + word.text.len());
        let mut text = String::new();
        let (mut shown, mut last) = (start, index);
        while let Some(one) = replaced.next_if(|one| one.place.start < end) {
            // A span that lies in another one is hidden with it.
            if one.place.start >= shown {
                text.push_str(&line[shown..one.place.start]);
                text.push_str(&one.placeholder);
            }
            shown = shown.max(one.place.end);
            while end < shown && last + 1 < words.len() {
                last += 1;
                end += 1 + words[last].text.len();
            }
        }
        text.push_str(line.get(shown..end).unwrap_or_default());
        out.push(Word {
            text: Redacted::vouched(text),
            start_ms: word.start_ms,
            end_ms: words[last].end_ms,
            confidence: word.confidence,
        });
        (index, at) = (last + 1, end + 1);
    }
    let text: Vec<&str> = out.iter().map(|word| word.text.as_str()).collect();
    (Redacted::vouched(text.join(" ")), out)
}

/// What isn't final yet, with dots in place of what is hidden.
pub(super) fn hide(text: &str, mut hidden: Vec<Range<usize>>) -> Redacted {
    hidden.sort_by_key(|range| range.start);
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for range in hidden {
        if range.start >= from {
            out.push_str(&text[from..range.start]);
            out.push_str("••••");
        }
        from = from.max(range.end);
    }
    out.push_str(text.get(from..).unwrap_or_default());
    Redacted::vouched(out)
}

/// When something is said in a turn that stays masked, in milliseconds of the conversation; the whole turn's time where its
/// words have none.
pub fn secret_times(turn: &Turn) -> Vec<Range<u64>> {
    let is_masked = |text: &Redacted| !find::placeholders(text.as_str()).is_empty();
    if turn.words.is_empty() && is_masked(&turn.text) {
        return std::iter::once(turn.start_ms..turn.end_ms).collect();
    }
    let masked = turn.words.iter().filter(|word| is_masked(&word.text));
    masked.map(|word| word.start_ms..word.end_ms.max(word.start_ms)).collect()
}

/// Writes the words behind a placeholder into their turn, once they are known to be harmless.
pub fn write_out(turn: &mut Turn, placeholder: &str, released: &Redacted) {
    let written = |text: &Redacted| {
        Redacted::vouched(text.as_str().replacen(placeholder, released.as_str(), 1))
    };
    turn.text = written(&turn.text);
    for word in &mut turn.words {
        word.text = written(&word.text);
    }
}

pub(super) fn raw_text(words: &[RawWord]) -> String {
    let words: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    words.join(" ").trim_end_matches(['.', ',', '?', '!']).to_owned()
}
