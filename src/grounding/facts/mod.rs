//! What must be exactly right: numbers, amounts, dates, times, codes.

mod calendar;
mod chunk;
mod holds;
mod quantity;

use std::ops::Range;

pub(super) use chunk::spelling;
pub(super) use holds::{Holding, held};
pub(super) use quantity::{is_currency, is_unit};

use crate::domain::Fault;

/// One exact statement in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::grounding) struct Fact {
    pub kind: Kind,
    /// Where it stands in the written form.
    pub bytes: Range<usize>,
    /// It has to stand in the sources. "One" and "a week" are too common for that.
    pub required: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::grounding) enum Kind {
    /// In thousandths.
    Number {
        value: i64,
        unit: Option<Unit>,
    },
    /// In thousandths of the currency's unit.
    Amount {
        value: i64,
        currency: Currency,
    },
    /// In thousandths of a percent.
    Percent(i64),
    Ordinal(i64),
    Day {
        day: Option<u8>,
        month: Option<u8>,
        year: Option<u16>,
    },
    /// From 0, Monday.
    Weekday(u8),
    /// "tomorrow", "next week".
    Relative(String),
    DayPart(DayPart),
    /// Minutes since midnight or noon, and which of the two where it is said.
    Clock {
        minutes: u16,
        half: Option<Half>,
    },
    /// Letters and digits only, in lower case.
    Code(String),
}

impl Kind {
    /// Something of the same sort with another value.
    pub fn is_rival_of(&self, other: &Self) -> bool {
        let measure = |kind: &Self| match kind {
            Self::Number { unit, .. } => *unit,
            _ => None,
        };
        std::mem::discriminant(self) == std::mem::discriminant(other)
            && measure(self) == measure(other)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::grounding) enum Currency {
    Pound,
    Dollar,
    Euro,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::grounding) enum Half {
    Am,
    Pm,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::grounding) enum DayPart {
    Morning,
    Noon,
    Afternoon,
    Evening,
    Night,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::grounding) enum Unit {
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
    Megabyte,
    Gigabyte,
    Megabit,
    Gigabit,
    Kilo,
    Gram,
    Mile,
    Kilometre,
    Metre,
}

impl Kind {
    pub const fn fault(&self) -> Fault {
        match self {
            Self::Number { .. } | Self::Amount { .. } | Self::Percent(_) | Self::Ordinal(_) => {
                Fault::Number
            }
            Self::Day { .. }
            | Self::Weekday(_)
            | Self::Relative(_)
            | Self::DayPart(_)
            | Self::Clock { .. } => Fault::Date,
            Self::Code(_) => Fault::Code,
        }
    }
}

/// Everything exact in a text that is in its written form.
pub(in crate::grounding) fn read(text: &str) -> Vec<Fact> {
    let chunks = chunk::chunks(text);
    let mut facts = Vec::new();
    let mut at = 0;
    while at < chunks.len() {
        let here = chunk::Place { chunks: &chunks, at };
        let found = chunk::code(&here)
            .or_else(|| calendar::date(&here))
            .or_else(|| calendar::relative(&here))
            .or_else(|| calendar::clock(&here))
            .or_else(|| quantity::amount(&here))
            .or_else(|| quantity::percent(&here))
            .or_else(|| calendar::ordinal(&here))
            .or_else(|| quantity::number(&here));
        let Some(found) = found else {
            at += 1;
            continue;
        };
        let last = (at + found.chunks.max(1)).min(chunks.len());
        let bytes = chunks[at].bytes.start..chunks[last - 1].bytes.end;
        facts.extend(found.kinds.into_iter().map(|(kind, required)| Fact {
            kind,
            bytes: bytes.clone(),
            required,
        }));
        at = last;
    }
    facts
}

/// What some chunks say.
struct Found {
    chunks: usize,
    kinds: Vec<(Kind, bool)>,
}

impl Found {
    fn one(chunks: usize, kind: Kind) -> Self {
        Self { chunks, kinds: vec![(kind, true)] }
    }

    /// Said, but not worth insisting on.
    fn weak(chunks: usize, kind: Kind) -> Self {
        Self { chunks, kinds: vec![(kind, false)] }
    }
}
