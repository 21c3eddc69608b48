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

    /// The text with a space in place of each range of bytes, which come in order. No two digits that were apart
    /// come together, so nothing that was masked can appear.
    #[must_use]
    pub fn without(&self, ranges: &[Range<usize>]) -> Self {
        let mut kept = String::with_capacity(self.0.len());
        let mut from = 0;
        for range in ranges {
            kept.push_str(self.0.get(from..range.start).unwrap_or_default());
            kept.push(' ');
            from = range.end;
        }
        kept.push_str(self.0.get(from..).unwrap_or_default());
        Self(kept)
    }

    /// The text without these bytes, which hold white space and stand before a mark.
    #[must_use]
    pub fn closing_up(&self, blank: Range<usize>) -> Self {
        let is_blank = self.0.get(blank.clone()).is_some_and(|text| text.trim().is_empty());
        let rest = self.0.get(blank.end..).unwrap_or_default();
        match is_blank && !rest.starts_with(|c: char| c.is_alphanumeric()) {
            true => Self(format!("{}{rest}", &self.0[..blank.start])),
            false => self.clone(),
        }
    }

    /// The text with a capital first.
    #[must_use]
    pub fn capitalised(&self) -> Self {
        let mut chars = self.0.chars();
        Self(
            chars
                .next()
                .map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect()),
        )
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_masked_text_are_masked() {
        let text = Redacted::vouched("été [t-1] 4111 [t-2] 2222.");
        assert_eq!(text.slice(0..5).as_str(), "été");
        assert_eq!(text.slice(1..5).as_str(), "", "in the middle of a letter");
        let digits = text.without(&[6..11, 17..22]);
        assert_eq!(digits.as_str(), "été   4111   2222.");
        assert_eq!(text.capitalised().as_str(), "Été [t-1] 4111 [t-2] 2222.");
        assert_eq!(Redacted::default().capitalised().as_str(), "");
    }
}
