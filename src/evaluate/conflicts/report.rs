//! How many were found, and how often it was wrong to say so.

use std::time::Duration;

use serde_json::{Value, json};

use super::data::{Half, Kind};
use super::{Judged, Prediction};

/// One question about each draft.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Drafts that should be found, and those of them that were.
    pub planted: usize,
    pub found: usize,
    /// Drafts of which it was said, and those of them of which that is right.
    pub named: usize,
    pub right: usize,
}

impl Count {
    /// Of what should be found; 1 where there is nothing.
    pub fn recall(&self) -> f64 {
        share(self.found, self.planted)
    }

    /// Of what was said; 1 where nothing was.
    pub fn precision(&self) -> f64 {
        share(self.right, self.named)
    }

    fn to_json(self) -> Value {
        json!({
            "recall": self.recall(), "precision": self.precision(),
            "planted": self.planted, "found": self.found,
            "named": self.named, "right": self.right,
        })
    }
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

/// The figures of some drafts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Report {
    pub drafts: usize,
    /// Found when a listed pair is among those flagged. Wrong when none of them is listed.
    pub contradictions: Count,
    /// Found when the article named says it. Of a contradiction, the article that would say it but for
    /// that is right to name, and none to miss.
    pub duplicates: Count,
    took: Duration,
}

impl Report {
    /// Of all, or of one half.
    pub fn of(judged: &[Judged<'_>], half: Option<Half>) -> Self {
        let mut report = Self::default();
        let wanted = |one: &&Judged<'_>| half.is_none_or(|half| one.draft.half() == half);
        for one in judged.iter().filter(wanted) {
            report.took += one.took;
            report.add(&one.prediction());
        }
        report
    }

    fn add(&mut self, one: &Prediction<'_>) {
        let count = |is_so: bool| usize::from(is_so);
        self.drafts += 1;
        let listed = one.conflicts.iter().any(|pair| pair.is_listed);
        self.contradictions.planted += count(one.kind == Kind::Contradiction);
        self.contradictions.found += count(listed);
        self.contradictions.named += count(!one.conflicts.is_empty());
        self.contradictions.right += count(listed);
        let is_duplicate = one.kind == Kind::Duplicate;
        self.duplicates.planted += count(is_duplicate);
        self.duplicates.found += count(is_duplicate && one.covered_right);
        self.duplicates.named += count(one.covered_by.is_some());
        self.duplicates.right += count(one.covered_right);
    }

    pub fn mean_ms(&self) -> f64 {
        self.took.as_secs_f64() * 1_000.0 / self.drafts.max(1) as f64
    }

    pub fn to_json(&self) -> Value {
        json!({
            "drafts": self.drafts,
            "contradictions": self.contradictions.to_json(),
            "duplicates": self.duplicates.to_json(),
            "mean_ms": self.mean_ms(),
        })
    }
}
