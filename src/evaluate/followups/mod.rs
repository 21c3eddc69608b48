//! Promises and their dates: what is found in written conversations beside what a reader finds.
//!
//! Which half a case is in stands in its identifier, as `tests/corpus/followups/README.md` fixed it before there was
//! anything to measure.

mod data;
mod report;
#[cfg(test)]
mod tests;

pub use data::{Case, Dataset, Expected, Half};
pub use report::Report;

use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::{Value, json};

use crate::domain::{Due, FollowUp, Proof};
use crate::flow::wrapup::follow_ups;

/// A case with what was found in it.
#[derive(Debug)]
pub struct Judged<'a> {
    pub case: &'a Case,
    pub found: Vec<Beside<'a>>,
    /// Expected, not optional, and not found.
    pub missed: Vec<&'a Expected>,
    pub took: Duration,
}

/// Something that was found, and what it should be; `None` where nothing is promised.
#[derive(Debug)]
pub struct Beside<'a> {
    pub found: FollowUp,
    /// From 1.
    pub turn: usize,
    pub expected: Option<&'a Expected>,
}

/// Finds what is promised in each case, as at the end of a call. A case is a part of one: how much has to be said before
/// anything is written about a conversation isn't asked of it.
pub fn judge<'a>(cases: impl Iterator<Item = &'a Case>) -> Vec<Judged<'a>> {
    cases
        .map(|case| {
            let begun = Instant::now();
            let found = follow_ups(&case.turns, &case.began);
            let took = begun.elapsed();
            let (found, missed) = matched(case, found);
            Judged { case, found, missed, took }
        })
        .collect()
}

/// Each expected one goes to the found one that agrees best: it quotes one of its turns and is promised by the same role.
fn matched<'a>(case: &'a Case, found: Vec<FollowUp>) -> (Vec<Beside<'a>>, Vec<&'a Expected>) {
    let mut beside: Vec<Beside<'a>> = found
        .into_iter()
        .map(|found| Beside { turn: turn_of(case, &found), found, expected: None })
        .collect();
    let mut pairs: Vec<(u32, usize, usize)> = Vec::new();
    for (at, one) in beside.iter().enumerate() {
        for (number, expected) in case.expected.iter().enumerate() {
            if expected.turns.contains(&one.turn) && expected.by == one.found.promised_by {
                pairs.push((agreement(one, expected), at, number));
            }
        }
    }
    pairs.sort_by_key(|(agreement, at, number)| (std::cmp::Reverse(*agreement), *at, *number));
    let mut taken = vec![false; case.expected.len()];
    for (_, at, number) in pairs {
        if beside[at].expected.is_none() && !taken[number] {
            (beside[at].expected, taken[number]) = (Some(&case.expected[number]), true);
        }
    }
    let missed = case.expected.iter().zip(&taken);
    let missed = missed.filter(|(one, taken)| !**taken && !one.is_optional).map(|(one, _)| one);
    (beside, missed.collect())
}

fn turn_of(case: &Case, found: &FollowUp) -> usize {
    let cited = found.sentence.proofs.iter().find_map(|proof| match proof {
        Proof::Turn(citation) => Some(&citation.turn_id),
        Proof::Passage(_) => None,
    });
    let at = case.turns.iter().position(|turn| Some(&turn.id) == cited);
    at.map_or(0, |at| at + 1)
}

fn agreement(one: &Beside, expected: &Expected) -> u32 {
    let due = one.found.due.as_ref();
    let points = |is_so: bool, points: u32| if is_so { points } else { 0 };
    points(!expected.is_optional, 8)
        + points(due.and_then(|due| due.date) == expected.date, 4)
        + points(due.and_then(|due| due.time) == expected.time, 2)
        + points(expected.kinds.contains(&one.found.kind), 1)
}

impl Beside<'_> {
    fn due(&self) -> Option<&Due> {
        self.found.due.as_ref()
    }

    /// A day or a time is shown as certain that isn't the one.
    pub fn is_wrongly_dated(&self) -> bool {
        let (Some(due), Some(expected)) = (self.due(), self.expected) else { return false };
        let wrong_day = due.date.is_some() && due.date != expected.date;
        let wrong_time =
            due.time.is_some() && (due.time, due.until) != (expected.time, expected.until);
        wrong_day || wrong_time
    }

    /// Day, time and end are as expected.
    pub fn is_rightly_dated(&self) -> bool {
        let shown = self.due().map(|due| (due.date, due.time, due.until));
        self.expected.is_some_and(|one| shown == Some((one.date, one.time, one.until)))
    }
}

impl Judged<'_> {
    /// For the file of predictions.
    pub fn prediction(&self) -> Value {
        let shown = |due: &Due| {
            json!({
                "phrase": due.phrase.as_str(), "date": due.date, "time": due.time, "until": due.until,
                "is_limit": due.is_limit,
            })
        };
        let found = self.found.iter().map(|one| {
            json!({
                "turn": one.turn,
                "by": one.found.promised_by.as_str(),
                "kind": one.found.kind.as_str(),
                "text": one.found.sentence.text.as_str(),
                "due": one.due().map(shown),
                "is_expected": one.expected.is_some(),
                "kind_right": one.expected.is_some_and(|it| it.kinds.contains(&one.found.kind)),
                "date_right": one.is_rightly_dated(),
                "date_wrong": one.is_wrongly_dated(),
            })
        });
        let missed = self.missed.iter().map(|one| {
            let kinds: Vec<_> = one.kinds.iter().map(|kind| kind.as_str()).collect();
            json!({
                "turns": one.turns, "by": one.by.as_str(), "kinds": kinds, "date": one.date,
                "time": one.time, "until": one.until,
            })
        });
        json!({
            "id": self.case.id,
            "half": self.case.half(),
            "found": found.collect::<Vec<_>>(),
            "missed": missed.collect::<Vec<_>>(),
        })
    }
}

/// A part of a whole; 1 where there is nothing.
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

/// Figures of one half, in a form of their own for the last line.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Figures {
    pub cases: usize,
    pub expected: usize,
    pub found: usize,
    pub precision: f64,
    pub recall: f64,
    pub f1: f64,
    /// Of those found that are expected.
    pub kind_accuracy: f64,
    /// Expected ones with a day.
    pub dated: usize,
    /// Of those that were found, how many show day, time and end as expected.
    pub date_accuracy: f64,
    /// Of those that were found with a day, how many tell "by" and "on" apart.
    pub limit_accuracy: f64,
    /// Expected ones that show a day or a time that isn't theirs.
    pub wrong_dates: usize,
    /// Days shown of what nobody promised.
    pub dated_for_nothing: usize,
    pub mean_us: f64,
}
