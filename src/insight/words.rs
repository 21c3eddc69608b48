//! A text as words that can be compared: lower case, without marks, each with its place.

use std::ops::Range;

/// A text's words. `line` holds them with one space before, between and after, so that a phrase is found in it as
/// bytes: `" cancel my contract "`.
#[derive(Debug, Default)]
pub struct Words {
    line: String,
    /// Of each word, where its first letter stands in `line`.
    in_line: Vec<usize>,
    /// Of each word, which bytes of the text it is.
    in_text: Vec<Range<usize>>,
}

/// An apostrophe, however it is written.
const fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '\u{2019}' | '\u{2018}')
}

const SOFT_HYPHEN: char = '\u{ad}';

impl Words {
    pub fn of(text: &str) -> Self {
        let mut words = Self {
            line: String::with_capacity(text.len() + 2),
            in_line: Vec::with_capacity(text.len() / 5),
            in_text: Vec::with_capacity(text.len() / 5),
        };
        words.line.push(' ');
        let mut word: Option<Range<usize>> = None;
        // Of a word if a letter follows: `don't`, and not `customers'`.
        let mut apostrophe = false;
        for (at, c) in text.char_indices() {
            if c.is_alphanumeric() {
                let word = word.get_or_insert_with(|| {
                    words.in_line.push(words.line.len());
                    at..at
                });
                if std::mem::take(&mut apostrophe) {
                    words.line.push('\'');
                }
                word.end = at + c.len_utf8();
                words.line.extend(c.to_lowercase().filter(|c| c.is_alphanumeric()));
            } else if word.is_some() && is_apostrophe(c) && !apostrophe {
                apostrophe = true;
            } else if word.is_none() || c != SOFT_HYPHEN {
                words.close(word.take());
                apostrophe = false;
            }
        }
        words.close(word);
        words
    }

    fn close(&mut self, word: Option<Range<usize>>) {
        let Some(word) = word else { return };
        // A letter may have no lower case that is a letter.
        if self.in_line.last() == Some(&self.line.len()) {
            self.in_line.pop();
            return;
        }
        self.line.push(' ');
        self.in_text.push(word);
    }

    pub fn line(&self) -> &str {
        &self.line
    }

    pub fn len(&self) -> usize {
        self.in_text.len()
    }

    pub fn is_empty(&self) -> bool {
        self.in_text.is_empty()
    }

    pub fn get(&self, word: usize) -> Option<&str> {
        let start = *self.in_line.get(word)?;
        let end = self.in_line.get(word + 1).map_or(self.line.len(), |next| *next);
        self.line.get(start..end - 1)
    }

    /// Which word begins at this byte of `line`.
    pub fn beginning_at(&self, byte: usize) -> Option<usize> {
        self.in_line.binary_search(&byte).ok()
    }

    /// The bytes of the text that these words are, with what stands between them.
    pub fn span(&self, words: Range<usize>) -> Option<Range<usize>> {
        let first = self.in_text.get(words.start)?;
        let last = self.in_text.get(words.end.checked_sub(1)?)?;
        Some(first.start..last.end)
    }
}

/// Bytes of a text as code points.
pub fn chars(text: &str, bytes: &Range<usize>) -> Range<usize> {
    let before = text.get(..bytes.start).map_or(0, |before| before.chars().count());
    before..before + text.get(bytes.clone()).map_or(0, |inside| inside.chars().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_know_their_place() {
        let text = "I DON\u{2019}T want it, \u{e9}t\u{e9}!";
        let words = Words::of(text);
        assert_eq!(words.line(), " i don't want it \u{e9}t\u{e9} ");
        assert_eq!(
            (words.len(), words.get(1), words.get(4)),
            (5, Some("don't"), Some("\u{e9}t\u{e9}"))
        );
        assert_eq!(words.get(5), None);
        let span = words.span(1..4).expect("three words");
        assert_eq!(&text[span.clone()], "DON\u{2019}T want it");
        assert_eq!(chars(text, &span), 2..15);
        assert_eq!(words.beginning_at(3), Some(1));
        assert_eq!(words.beginning_at(4), None);
    }

    #[test]
    fn apostrophes_stand_inside_words_only() {
        for (text, line) in [
            ("the customers' 'own' rock 'n' roll", " the customers own rock n roll "),
            ("it''s he\u{2019}ll", " it s he'll "),
            ("soft\u{ad}ware", " software "),
        ] {
            assert_eq!(Words::of(text).line(), line);
        }
    }

    #[test]
    fn a_text_may_have_no_words() {
        for text in ["", "...", "' '", "\u{2019}"] {
            let words = Words::of(text);
            assert_eq!((words.len(), words.line(), words.get(0)), (0, " ", None), "{text:?}");
            assert_eq!(words.span(0..0), None);
        }
    }
}
