//! When something is due: "Thursday at two", "within five working days", "in einer Stunde".
//!
//! Resolved against the moment at which it was said. What may mean two days means none here: a
//! missing date is asked for, a wrong one is missed.

/// Whether a word is one of several. The words stand as they are written, so that lists stay short to read.
macro_rules! one_of {
    ($word:expr; $($one:literal)+) => { matches!($word, $($one)|+) };
}

mod clock;
mod days;
mod fold;
mod holidays;
mod hours;
mod marks;
mod names;
mod spans;
#[cfg(test)]
mod tests;
mod tokens;

use jiff::Zoned;
use jiff::civil::{Date, Time, Weekday};

use super::Language;
use crate::domain::{Due, Redacted};
use hours::{Clock, Part};

pub(super) use fold::{When, when};
pub(super) use names::{holds, is_one_of, is_time_word, is_weekday};
pub(super) use one_of;
pub(super) use tokens::{Token, tokens};

/// Which day is meant, as far as it is certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sure {
    On(Date),
    /// Some day, but it can't be said which.
    Unsure,
    /// It is over, so nothing is due then.
    Past,
}

/// What words for a day mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct DayMeant {
    pub sure: Sure,
    /// The weekday that was named.
    pub weekday: Option<Weekday>,
    /// At the latest.
    pub is_limit: bool,
    /// A week that isn't this one is named.
    pub is_week: bool,
}

/// What some words say about when.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Meaning {
    Day(DayMeant),
    Clock(Clock),
    Window(Clock, Clock),
    Moment {
        date: Date,
        time: Time,
        is_limit: bool,
    },
    Part(Part),
    /// The end of a working day.
    Close,
    /// What follows takes the place of what was said before.
    Mend,
}

/// Words from a place on, and what stands around them.
#[derive(Clone, Copy)]
struct View<'a> {
    tokens: &'a [Token],
    at: usize,
    language: Language,
    said: &'a Zoned,
}

impl<'a> View<'a> {
    /// Empty behind the end.
    fn word(&self, ahead: usize) -> &'a str {
        self.token(ahead).map_or("", |token| token.word.as_str())
    }

    fn token(&self, ahead: usize) -> Option<&'a Token> {
        self.tokens.get(self.at + ahead)
    }

    /// The word so many before; empty before the first.
    fn before(&self, back: usize) -> &'a str {
        let at = self.at.checked_sub(back).and_then(|at| self.tokens.get(at));
        at.map_or("", |token| token.word.as_str())
    }

    const fn ahead(self, words: usize) -> Self {
        Self { at: self.at + words, ..self }
    }

    const fn ended(&self) -> bool {
        self.at >= self.tokens.len()
    }

    fn today(&self) -> Date {
        self.said.date()
    }

    /// Somebody has just corrected themselves.
    fn is_mended(&self) -> bool {
        (1..=3).any(|back| {
            let from = self.at.checked_sub(back);
            from.is_some_and(|at| {
                marks::mend_at(Self { at, ..*self }).is_some_and(|words| words == back)
            })
        })
    }
}

/// When the words say that something is due. `said` is when they were said.
pub(super) fn due(text: &Redacted, said: &Zoned, language: Language) -> Option<Due> {
    let tokens = tokens(text.as_str());
    let when = when(&tokens, said, language)?;
    when.is_told().then(|| when.due(&tokens, text, said))
}
