//! How many promises were found, and how many of their dates are right.

use std::time::Duration;

use super::{Figures, Half, Judged, share};

/// Counts of some cases.
#[derive(Clone, Copy, Debug, Default)]
pub struct Report {
    cases: usize,
    expected: usize,
    found: usize,
    right: usize,
    kinds_right: usize,
    dated: usize,
    dated_found: usize,
    dates_right: usize,
    with_day: usize,
    limits_right: usize,
    wrong_dates: usize,
    dated_for_nothing: usize,
    took: Duration,
}

impl Report {
    /// Of all, or of one half.
    pub fn of(judged: &[Judged<'_>], half: Option<Half>) -> Self {
        let mut report = Self::default();
        let wanted = |one: &&Judged<'_>| half.is_none_or(|half| one.case.half() == half);
        for one in judged.iter().filter(wanted) {
            report.add(one);
        }
        report
    }

    fn add(&mut self, one: &Judged<'_>) {
        self.cases += 1;
        self.took += one.took;
        let required = one.case.expected.iter().filter(|expected| !expected.is_optional);
        for expected in required {
            self.expected += 1;
            self.dated += usize::from(expected.date.is_some());
        }
        for beside in &one.found {
            let due = beside.found.due.as_ref();
            let day = due.and_then(|due| due.date);
            self.wrong_dates += usize::from(beside.is_wrongly_dated());
            let Some(expected) = beside.expected else {
                self.found += 1;
                self.dated_for_nothing += usize::from(day.is_some());
                continue;
            };
            // What may be found or not counts for its date only.
            if expected.is_optional {
                continue;
            }
            self.found += 1;
            self.right += 1;
            self.kinds_right += usize::from(expected.kinds.contains(&beside.found.kind));
            if expected.date.is_some() {
                self.dated_found += 1;
                self.dates_right += usize::from(beside.is_rightly_dated());
            }
            if day.is_some() && day == expected.date {
                self.with_day += 1;
                let is_limit = due.is_some_and(|due| due.is_limit);
                self.limits_right += usize::from(is_limit == expected.is_limit);
            }
        }
    }

    pub fn figures(&self) -> Figures {
        let (precision, recall) = (share(self.right, self.found), share(self.right, self.expected));
        Figures {
            cases: self.cases,
            expected: self.expected,
            found: self.found,
            precision,
            recall,
            f1: 2.0 * precision * recall / (precision + recall).max(f64::EPSILON),
            kind_accuracy: share(self.kinds_right, self.right),
            dated: self.dated,
            date_accuracy: share(self.dates_right, self.dated_found),
            limit_accuracy: share(self.limits_right, self.with_day),
            wrong_dates: self.wrong_dates,
            dated_for_nothing: self.dated_for_nothing,
            mean_us: self.took.as_secs_f64() * 1e6 / self.cases.max(1) as f64,
        }
    }
}
