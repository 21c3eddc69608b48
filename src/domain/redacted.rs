use std::fmt;
use std::ops::Range;

/// Text whose secrets are masked. Only `insight::redaction` makes one out of raw words (a test
/// guards that), and everything that is stored, streamed, indexed or sent on takes this type.
///
/// It is still what a customer said, so `Debug` hides it: a log line can't carry it by accident.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Redacted(String);

impl Redacted {
    /// Vouches that `text` holds no secret: it comes out of the masker, or out of the store.
    pub fn vouched(text: impl Into<String>) -> Self {
        Self(text.into())
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A part of it, by bytes; empty where the bytes aren't whole characters of it.
    #[must_use]
    pub fn slice(&self, bytes: Range<usize>) -> Self {
        Self(self.0.get(bytes).unwrap_or_default().to_owned())
    }

    /// Puts words of the program and masked words together. What is masked stays so: the program's
    /// words are part of it and no input, and between two parts stands a letter or a mark.
    #[must_use]
    pub fn assembled(parts: &[Wording]) -> Self {
        let mut text = String::new();
        for part in parts {
            match part {
                Wording::Fixed(words) => text.push_str(words),
                Wording::Of(words) => text.push_str(&words.0),
            }
        }
        Self(text)
    }

    /// With other masked words in place of a placeholder, once.
    #[must_use]
    pub fn released(&self, placeholder: &str, words: &Self) -> Self {
        Self(self.0.replacen(placeholder, &words.0, 1))
    }
}

/// A piece of a text that is put together.
#[derive(Clone, Copy, Debug)]
pub enum Wording<'a> {
    /// The program's own words.
    Fixed(&'static str),
    Of(&'a Redacted),
}

impl fmt::Debug for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} characters]", self.0.chars().count())
    }
}
