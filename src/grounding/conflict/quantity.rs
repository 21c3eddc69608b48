//! Numbers, amounts, spans, times and days of two sentences, each beside what it could be compared with.

use std::ops::Range;

use super::statement::{Statement, dot};
use super::{Clash, Evidence, Published};
use crate::domain::ConflictKind;
use crate::grounding::facts::{Currency, Fact, Half, Kind, Unit};
use crate::grounding::reading::{Part, Reading};

/// What is said in rounded words ("a month" for 30 days, "a year" for 360) may differ by so much.
const ROUNDED: f64 = 0.04;
const MINUTES_A_DAY: f64 = 1_440.0;
/// Of a month, for comparing it with weeks and days.
const DAYS_A_MONTH: f64 = 30.0;
/// Of a part of a sentence that tells nothing but its number.
const UNKNOWN: f32 = 0.5;
/// Words between a denial and the cost that it denies.
const COST_REACH: usize = 3;
/// Words behind a bare number in which what it counts may stand.
const NOUN_REACH: usize = 2;

/// Something that has a value, and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Quantity {
    pub value: Value,
    /// Its first word.
    pub at: usize,
    /// What the embedding model makes of it there, of length 1.
    pub vector: Vec<f32>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// In the currency's unit.
    Money(f64, Currency),
    /// In percent.
    Share(f64),
    /// In minutes.
    Span(f64),
    Measure(f64, Unit),
    /// How many, and the stem of what.
    Count(f64, Option<String>),
    /// Minutes since midnight; since noon or midnight where it isn't said which.
    Clock(u16, Option<Half>),
    Day {
        day: Option<u8>,
        month: u8,
    },
    Weekday(u8),
}

impl Value {
    fn kind(&self) -> ConflictKind {
        match self {
            Self::Money(..) => ConflictKind::Amount,
            Self::Share(_) | Self::Measure(..) | Self::Count(..) => ConflictKind::Number,
            Self::Span(_) => ConflictKind::Duration,
            Self::Clock(..) => ConflictKind::Time,
            Self::Day { .. } | Self::Weekday(_) => ConflictKind::Date,
        }
    }

    /// Both say the same.
    pub(super) fn agrees(&self, other: &Self) -> bool {
        use Value::{Clock, Count, Day, Measure, Money, Share, Span, Weekday};
        match (self, other) {
            // Nothing is nothing in any currency.
            (Money(a, here), Money(b, there)) => a == b && (here == there || *a == 0.0),
            (Share(a), Share(b)) => a == b,
            (Span(a), Span(b)) => (a - b).abs() <= ROUNDED * a.max(*b),
            (Measure(a, here), Measure(b, there)) => a == b && here == there,
            (Count(a, _), Count(b, _)) => a == b,
            (Count(a, _), Money(b, _) | Share(b) | Measure(b, _))
            | (Money(b, _) | Share(b) | Measure(b, _), Count(a, _)) => a == b,
            (Clock(a, here), Clock(b, there)) => {
                a == b && (here == there || here.is_none() || there.is_none())
            }
            (Count(a, _), Clock(b, _)) | (Clock(b, _), Count(a, _)) => hour_of(*a) == Some(*b),
            (Day { day: a, month: x }, Day { day: b, month: y }) => {
                x == y && (a == b || a.is_none() || b.is_none())
            }
            (Weekday(a), Weekday(b)) => a == b,
            _ => false,
        }
    }

    /// Both could be said of the same thing, and only one of them could be true.
    fn rivals(&self, other: &Self) -> bool {
        use Value::{Clock, Count, Day, Measure, Money, Share, Span, Weekday};
        let comparable = match (self, other) {
            (Money(a, here), Money(b, there)) => here == there || *a == 0.0 || *b == 0.0,
            (Measure(_, here), Measure(_, there)) => here == there,
            (Count(_, Some(here)), Count(_, Some(there))) => here == there,
            // "between twelve and one"
            (Count(hour, None), Clock(..)) => hour_of(*hour).is_some(),
            (Clock(..), Count(hour, None)) => hour_of(*hour).is_some(),
            (Share(_), Share(_))
            | (Span(_), Span(_))
            | (Clock(..), Clock(..))
            | (Day { .. }, Day { .. })
            | (Weekday(_), Weekday(_)) => true,
            _ => false,
        };
        comparable && !self.agrees(other)
    }
}

fn hour_of(count: f64) -> Option<u16> {
    (count.fract() == 0.0 && (1.0..=12.0).contains(&count)).then(|| (count as u16 % 12) * 60)
}

/// What a sentence says in numbers. `vector_of` is what the embedding model makes of some bytes.
pub(super) fn read(
    reading: &Reading,
    vector_of: &dyn Fn(&Range<usize>) -> Vec<f32>,
) -> Vec<Quantity> {
    let mut found = Vec::new();
    for fact in &reading.facts {
        let Some(at) = reading.words.iter().position(|word| word.bytes.end > fact.bytes.start)
        else {
            continue;
        };
        if let Some(value) = value(reading, fact) {
            found.push(Quantity { value, at, vector: vector_of(&fact.bytes) });
        }
    }
    found.extend(parts(reading, vector_of));
    found.extend(gratis(reading, vector_of));
    found.extend(next_day(reading, vector_of));
    found.extend(between(reading, &found));
    found
}

/// What something costs, as a verb or a noun.
const COSTS: &[&str] = &[
    "cost",
    "costs",
    "charge",
    "charges",
    "charged",
    "charging",
    "fee",
    "fees",
    "surcharge",
    "pay",
    "paying",
    "price",
    "payment",
];

/// "is free", "for nothing", "no charge", "doesn't cost anything": no money at all.
fn gratis(reading: &Reading, vector_of: &dyn Fn(&Range<usize>) -> Vec<f32>) -> Vec<Quantity> {
    let words = &reading.words;
    let word = |at: usize| words.get(at).map_or("", |word| word.lower.as_str());
    let denied_cost = |at: usize| {
        let ahead = (at + 1..(at + 1 + COST_REACH).min(words.len()))
            .find(|next| COSTS.contains(&word(*next)) && words[*next].clause == words[at].clause);
        ahead.is_some()
    };
    let is_gratis = |at: usize| match word(at) {
        "free" => !matches!(word(at + 1), "to" | "from"),
        "nothing" => {
            let before = at.checked_sub(1).map_or("", word);
            before == "for" || COSTS.contains(&before)
        }
        "no" | "without" | "dont" | "doesnt" | "not" | "isnt" | "wont" | "never" | "arent" => {
            denied_cost(at)
                && !reading.facts.iter().any(|fact| {
                    matches!(fact.kind, Kind::Amount { .. })
                        && words[at].bytes.end <= fact.bytes.start
                })
        }
        _ => false,
    };
    let none = |at: usize| Quantity {
        value: Value::Money(0.0, Currency::Pound),
        at,
        vector: vector_of(&words[at].bytes),
    };
    (0..words.len()).filter(|at| is_gratis(*at)).map(none).collect()
}

/// "the next working day"
fn next_day(reading: &Reading, vector_of: &dyn Fn(&Range<usize>) -> Vec<f32>) -> Vec<Quantity> {
    let words = &reading.words;
    let word = |at: usize| words.get(at).map_or("", |word| word.lower.as_str());
    let is_next = |at: usize| {
        word(at) == "next"
            && (word(at + 1) == "day"
                || matches!(word(at + 1), "working" | "business") && word(at + 2) == "day")
    };
    let day = |at: usize| Quantity {
        value: Value::Span(MINUTES_A_DAY),
        at,
        vector: vector_of(&words[at].bytes),
    };
    (0..words.len()).filter(|at| is_next(*at)).map(day).collect()
}

/// "Monday to Saturday" names the days between, too.
fn between(reading: &Reading, found: &[Quantity]) -> Vec<Quantity> {
    let mut days = Vec::new();
    for pair in found.windows(2) {
        let [Quantity { value: Value::Weekday(from), at, vector }, to] = pair else { continue };
        let Value::Weekday(last) = to.value else { continue };
        let joined = reading.words.get(at + 1).is_some_and(|word| word.lower == "to");
        if joined && to.at == at + 2 {
            let day =
                |day| Quantity { value: Value::Weekday(day), at: *at, vector: vector.clone() };
            days.extend((from + 1..last).map(day));
        }
    }
    days
}

fn value(reading: &Reading, fact: &Fact) -> Option<Value> {
    let plain = |thousandths: i64| thousandths as f64 / 1_000.0;
    Some(match &fact.kind {
        // "A second payment" is no second.
        Kind::Number { unit: Some(Unit::Second), .. } if !fact.required => return None,
        Kind::Number { value, unit: Some(unit) } => match minutes(plain(*value), *unit) {
            Some(minutes) => Value::Span(minutes),
            None => Value::Measure(plain(*value), *unit),
        },
        Kind::Number { value, unit: None } => {
            // "One" counts nothing, mostly, and a long string of digits names something.
            let digits = reading.text.get(fact.bytes.clone()).unwrap_or_default();
            let names = digits.len() > 1 && digits.starts_with('0') || digits.len() > 4;
            if *value == 1_000 || names {
                return None;
            }
            Value::Count(plain(*value), counted(reading, fact))
        }
        Kind::Amount { value, currency } => Value::Money(plain(*value), *currency),
        Kind::Percent(value) => Value::Share(plain(*value)),
        Kind::Clock { minutes, half } => Value::Clock(*minutes, *half),
        Kind::Day { day, month: Some(month), .. } => Value::Day { day: *day, month: *month },
        Kind::Weekday(weekday) => Value::Weekday(*weekday),
        _ => return None,
    })
}

fn minutes(value: f64, unit: Unit) -> Option<f64> {
    let each = match unit {
        Unit::Second => 1.0 / 60.0,
        Unit::Minute => 1.0,
        Unit::Hour => 60.0,
        Unit::Day => MINUTES_A_DAY,
        Unit::Week => 7.0 * MINUTES_A_DAY,
        Unit::Month => DAYS_A_MONTH * MINUTES_A_DAY,
        Unit::Year => 12.0 * DAYS_A_MONTH * MINUTES_A_DAY,
        _ => return None,
    };
    Some(value * each)
}

/// What a bare number counts: "up to 3 Wi-Fi Boosters" counts what the first telling word is.
fn counted(reading: &Reading, fact: &Fact) -> Option<String> {
    let next = reading.words.iter().position(|word| word.bytes.start >= fact.bytes.end)?;
    let clause = reading.words[next].clause;
    // "from 8 to 12" counts nothing.
    let near = reading.words[next..].iter().take(NOUN_REACH);
    let near = near.take_while(|word| word.clause == clause && word.lower != "to");
    let mut near = near.filter(|word| !matches!(word.part, Part::Stop));
    near.next().filter(|word| !reading.is_exact(word)).map(|word| word.stem.clone())
}

/// "half of the price", "a third of it".
fn parts(reading: &Reading, vector_of: &dyn Fn(&Range<usize>) -> Vec<f32>) -> Vec<Quantity> {
    let words = &reading.words;
    let part = |at: usize| {
        let percent = match words[at].lower.as_str() {
            "half" => 50.0,
            "third" => 100.0 / 3.0,
            "quarter" => 25.0,
            _ => return None,
        };
        let next = |ahead: usize| words.get(at + ahead).map_or("", |word| word.lower.as_str());
        let is_part =
            next(1) == "of" && !matches!(next(2), "an" | "a" | "the" if next(3) == "hour");
        let bytes = words[at].bytes.clone();
        is_part.then(|| Quantity { value: Value::Share(percent), at, vector: vector_of(&bytes) })
    };
    (0..words.len()).filter_map(part).collect()
}

/// Each value of the sentence that no published sentence says, beside the one of each published
/// sentence that stands in its place.
pub(super) fn clashes(said: &Statement, published: &[Published<'_>]) -> Vec<Clash> {
    let mut found = Vec::new();
    for own in &said.quantities {
        let confirmed = confirmation(said, own, published);
        for (number, candidate) in published.iter().enumerate() {
            let theirs = candidate.statement;
            if theirs.quantities.iter().any(|other| other.value.agrees(&own.value)) {
                continue;
            }
            let is_rival = theirs.quantities.iter().any(|other| {
                let taken = said.quantities.iter().any(|one| one.value.agrees(&other.value));
                own.value.rivals(&other.value) && !taken
            });
            if !is_rival {
                continue;
            }
            let clause = said.clause_of(own.at).filter(|clause| !clause.telling.is_empty());
            let about = clause.map_or(UNKNOWN, |clause| said.held(&clause.telling, &[theirs]));
            let back = theirs.held(&theirs.telling(false), &[said]);
            let inputs =
                [1.0, about, back, candidate.asked, confirmed, f32::from(u8::from(number == 0))];
            let kind = own.value.kind();
            found.push(Clash { published: number, kind, evidence: Evidence::Value(inputs) });
        }
    }
    found
}

/// How near the nearest published sentence is that says the value, 0 if none does.
fn confirmation(said: &Statement, own: &Quantity, published: &[Published<'_>]) -> f32 {
    let holders = published.iter().flat_map(|one| {
        let same = one.statement.quantities.iter();
        let same = same.filter(|other| other.value.agrees(&own.value));
        same.map(|other| {
            said.nearness(one.statement) * (0.5 + 0.5 * dot(&own.vector, &other.vector))
        })
    });
    holders.fold(0.0, f32::max)
}
