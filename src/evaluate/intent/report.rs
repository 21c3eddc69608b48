//! Counts what was said right.

use std::collections::BTreeMap;

use serde::Serialize;

use super::measure::{Asked, Run};

/// Bins of the calibration error, of equal width (Guo et al., ICML 2017).
const BINS: usize = 15;

/// Shares, of 1. Rows whose intent the model wasn't taught count as wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Figures {
    /// Rows with an intent.
    pub in_scope: usize,
    /// Rows without one.
    pub out_of_scope: usize,
    /// In scope: the first intent is right, whether it was named or not.
    pub accuracy: f64,
    /// In scope: the right one is among the first three.
    pub top3_accuracy: f64,
    /// In scope: it is right and was named.
    pub in_scope_accuracy: f64,
    /// Of those that were named, in or out of scope, how many are right.
    pub named_precision: Option<f64>,
    /// Out of scope: nothing was named.
    pub oos_recall: Option<f64>,
    /// Expected calibration error of the first intent's probability, in scope.
    pub ece: f64,
    pub train_rows: usize,
    pub train_seconds: f64,
    /// What the training itself believes of its accuracy.
    pub left_out_accuracy: f64,
    pub threshold: f64,
    pub temperature: f64,
    /// One turn, median, without its vector.
    pub predict_us: f64,
}

pub fn figures(run: &Run<'_>) -> Figures {
    let (inside, outside): (Vec<&Asked<'_>>, Vec<&Asked<'_>>) =
        run.asked.iter().partition(|asked| asked.row.example.label.is_some());
    let count = |asked: &[&Asked<'_>], is_so: &dyn Fn(&Asked<'_>) -> bool| {
        asked.iter().filter(|asked| is_so(asked)).count() as f64
    };
    let all = inside.len().max(1) as f64;
    let named_rightly = count(&inside, &|asked| is_right(asked) && !asked.seen.abstained);
    let named = count(&inside, &|asked| !asked.seen.abstained)
        + count(&outside, &|asked| !asked.seen.abstained);
    let left_alone = count(&outside, &|asked| asked.seen.abstained);
    let models = run.trained.len().max(1) as f64;
    let trained = |of: &dyn Fn(&crate::insight::intent::Measures) -> f32| {
        run.trained.iter().map(|measures| f64::from(of(measures))).sum::<f64>() / models
    };
    Figures {
        in_scope: inside.len(),
        out_of_scope: outside.len(),
        accuracy: count(&inside, &is_right) / all,
        top3_accuracy: count(&inside, &is_among) / all,
        in_scope_accuracy: named_rightly / all,
        named_precision: (named > 0.0).then(|| named_rightly / named),
        oos_recall: (!outside.is_empty()).then(|| left_alone / outside.len() as f64),
        ece: calibration_error(&inside),
        train_rows: run.train_rows,
        train_seconds: run.train_seconds,
        left_out_accuracy: trained(&|measures| measures.accuracy),
        threshold: trained(&|measures| measures.threshold),
        temperature: trained(&|measures| measures.temperature),
        predict_us: median(run.asked.iter().map(|asked| asked.took_us).collect()),
    }
}

/// The mean of several seeds.
pub fn mean(runs: &[Figures]) -> Figures {
    let Some(first) = runs.first() else { return Figures::default() };
    let count = runs.len() as f64;
    let of = |of: &dyn Fn(&Figures) -> f64| runs.iter().map(of).sum::<f64>() / count;
    let maybe = |of: &dyn Fn(&Figures) -> Option<f64>| {
        let known: Vec<f64> = runs.iter().filter_map(of).collect();
        (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
    };
    Figures {
        accuracy: of(&|run| run.accuracy),
        top3_accuracy: of(&|run| run.top3_accuracy),
        in_scope_accuracy: of(&|run| run.in_scope_accuracy),
        named_precision: maybe(&|run| run.named_precision),
        oos_recall: maybe(&|run| run.oos_recall),
        ece: of(&|run| run.ece),
        train_seconds: of(&|run| run.train_seconds),
        left_out_accuracy: of(&|run| run.left_out_accuracy),
        threshold: of(&|run| run.threshold),
        temperature: of(&|run| run.temperature),
        predict_us: of(&|run| run.predict_us),
        ..*first
    }
}

fn is_right(asked: &Asked<'_>) -> bool {
    let first = asked.seen.ranked.first();
    first.is_some_and(|intent| Some(&intent.label) == asked.row.example.label.as_ref())
}

fn is_among(asked: &Asked<'_>) -> bool {
    asked.seen.ranked.iter().any(|intent| Some(&intent.label) == asked.row.example.label.as_ref())
}

/// Mean distance between what the first intent's probability promises and how often it is right.
fn calibration_error(asked: &[&Asked<'_>]) -> f64 {
    let mut bins = [(0.0, 0.0); BINS];
    for asked in asked {
        let Some(first) = asked.seen.ranked.first() else { continue };
        let promised = f64::from(first.probability);
        let bin = &mut bins[((promised * BINS as f64) as usize).min(BINS - 1)];
        bin.0 += promised;
        bin.1 += f64::from(u8::from(is_right(asked)));
    }
    let apart: f64 = bins.iter().map(|(promised, right)| (promised - right).abs()).sum();
    apart / asked.len().max(1) as f64
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// What was named for what was meant, in the form that `route simulate` reads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Confusion {
    pub labels: Vec<String>,
    /// A row for each label that was meant: how often each label was named, and last how often none was.
    pub counts: Vec<Vec<u64>>,
    /// The same for what was out of scope.
    pub out_of_scope: Vec<u64>,
}

pub fn confusion<'a>(asked: impl Iterator<Item = &'a Asked<'a>>) -> Confusion {
    let mut pairs: BTreeMap<(Option<&str>, Option<&str>), u64> = BTreeMap::new();
    for asked in asked {
        let named = asked.seen.top().map(|intent| intent.label.as_str());
        *pairs.entry((asked.row.example.label.as_deref(), named)).or_insert(0) += 1;
    }
    let mut labels: Vec<&str> =
        pairs.keys().flat_map(|(meant, named)| [*meant, *named]).flatten().collect();
    labels.sort_unstable();
    labels.dedup();
    let row = |meant: Option<&str>| -> Vec<u64> {
        let named = labels.iter().map(|label| Some(*label)).chain([None]);
        named.map(|named| pairs.get(&(meant, named)).copied().unwrap_or(0)).collect()
    };
    Confusion {
        counts: labels.iter().map(|label| row(Some(label))).collect(),
        out_of_scope: row(None),
        labels: labels.iter().map(|label| (*label).to_owned()).collect(),
    }
}
