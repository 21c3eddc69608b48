//! How much of what is secret is masked, and how much else with it.
//!
//! Words are counted, as presidio-research's evaluator does with its tokens: a word is right when it has the type that its
//! label says. F2 weighs a secret that was shown four times as much as a word that was hidden for nothing.

mod data;
pub mod generated;

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Serialize;

use crate::insight::redaction::{Kinds, spans};

pub use data::{Dataset, Item, Label, RedactionDataError, Type, predictions};

/// Words of a type, as counted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Counts {
    right: u64,
    /// Labelled so, and taken for something else or nothing.
    missed: u64,
    /// Taken for it, and labelled as something else or not at all.
    wrong: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Figures {
    pub precision: f64,
    pub recall: f64,
    pub f2: f64,
    /// Words with such a label.
    pub words: u64,
}

impl From<Counts> for Figures {
    fn from(counts: Counts) -> Self {
        let share =
            |part: u64, whole: u64| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
        let precision = share(counts.right, counts.right + counts.wrong);
        let recall = share(counts.right, counts.right + counts.missed);
        let sum = 4.0 * precision + recall;
        let f2 = if sum > 0.0 { 5.0 * precision * recall / sum } else { 0.0 };
        Self { precision, recall, f2, words: counts.right + counts.missed }
    }
}

/// What came of a set of items.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    pub items: usize,
    #[serde(flatten)]
    pub overall: Figures,
    pub by_type: BTreeMap<&'static str, Figures>,
    /// Whether a secret is hidden at all, whatever it is taken for.
    pub hidden: Figures,
}

/// What this program finds in a text, all kinds switched on.
pub fn find(text: &str) -> Vec<Label> {
    spans(text, Kinds::EVERY)
        .into_iter()
        .map(|span| Label { bytes: span.start..span.end, kind: Type::of(span.kind) })
        .collect()
}

/// Compares what was found in each item with its labels.
pub fn compare<'a>(items: impl Iterator<Item = (&'a Item, &'a [Label])>) -> Report {
    let mut report = Report::default();
    let mut counts: BTreeMap<Type, Counts> = BTreeMap::new();
    let mut hidden = Counts::default();
    for (item, found) in items {
        report.items += 1;
        for word in words(&item.text) {
            let meant = type_at(&item.labels, &word);
            let taken = type_at(found, &word);
            match (meant, taken) {
                (Some(meant), Some(taken)) if meant == taken => {
                    counts.entry(meant).or_default().right += 1
                }
                (meant, taken) => {
                    meant.into_iter().for_each(|kind| counts.entry(kind).or_default().missed += 1);
                    taken.into_iter().for_each(|kind| counts.entry(kind).or_default().wrong += 1);
                }
            }
            match (meant.is_some(), taken.is_some()) {
                (true, true) => hidden.right += 1,
                (true, false) => hidden.missed += 1,
                (false, true) => hidden.wrong += 1,
                (false, false) => {}
            }
        }
    }
    let sum = counts.values().fold(Counts::default(), |sum, one| Counts {
        right: sum.right + one.right,
        missed: sum.missed + one.missed,
        wrong: sum.wrong + one.wrong,
    });
    report.overall = sum.into();
    report.hidden = hidden.into();
    report.by_type =
        counts.into_iter().map(|(kind, counts)| (kind.as_str(), counts.into())).collect();
    report
}

/// Letters and digits in a row.
fn words(text: &str) -> Vec<Range<usize>> {
    let mut words: Vec<Range<usize>> = Vec::new();
    for (at, c) in text.char_indices().filter(|(_, c)| c.is_alphanumeric()) {
        match words.last_mut() {
            Some(word) if word.end == at => word.end = at + c.len_utf8(),
            _ => words.push(at..at + c.len_utf8()),
        }
    }
    words
}

fn type_at(labels: &[Label], word: &Range<usize>) -> Option<Type> {
    let overlaps = |label: &&Label| label.bytes.start < word.end && word.start < label.bytes.end;
    labels.iter().find(overlaps).map(|label| label.kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_count_by_their_types() {
        let text = "Ann Lee of Bonn called Tim";
        let label = |bytes, kind| Label { bytes, kind };
        let item = Item {
            id: "i-1".into(),
            text: text.into(),
            template: "7".into(),
            labels: vec![label(0..7, Type::Person), label(11..15, Type::Location)],
        };
        let found = [
            label(0..3, Type::Person),
            label(11..15, Type::Organisation),
            label(23..26, Type::Person),
        ];
        let report = compare([(&item, &found[..])].into_iter());
        let person = report.by_type["person"];
        assert_eq!((person.precision, person.recall, person.words), (0.5, 0.5, 2));
        assert_eq!(report.by_type["organisation"].precision, 0.0);
        assert_eq!((report.hidden.precision, report.hidden.recall), (2.0 / 3.0, 2.0 / 3.0));
        // 5 · ⅓ · ⅓ / (4 · ⅓ + ⅓)
        assert!((report.overall.f2 - 1.0 / 3.0).abs() < 1e-9, "{:?}", report.overall);
    }
}
