//! Fits what speaks for a contradiction and for a duplicate, and shows how well that holds on drafts that
//! were left out.

use std::collections::{BTreeMap, BTreeSet};

use super::Judged;
use super::data::Kind;
use crate::evaluate::logistic::{fit as descend, probability};
use crate::grounding::conflict::{CLASH_INPUTS, COVERED_INPUTS, DENIAL_INPUTS, Evidence};

/// Pulls weights towards 0: there are few drafts.
const RIDGE: f64 = 0.002;
const FOLDS: usize = 10;

/// Weights, and for some thresholds how many drafts are found and how many are wrongly named.
pub struct Fitted<const N: usize> {
    pub weights: [f32; N],
    pub curve: Vec<(f32, usize, usize)>,
    pub planted: usize,
}

/// One thing that may be so, of a draft.
struct Case<const N: usize> {
    draft: usize,
    inputs: [f32; N],
    is_so: bool,
}

/// The weights of values, of denials and of repetition.
pub fn fit(
    judged: &[Judged<'_>],
) -> (Fitted<CLASH_INPUTS>, Fitted<DENIAL_INPUTS>, Fitted<COVERED_INPUTS>) {
    let (mut values, mut denials, mut covered) = (Vec::new(), Vec::new(), Vec::new());
    for (draft, one) in judged.iter().enumerate() {
        for (sentence, beside) in one.compared.sentences.iter().enumerate() {
            let by_value: BTreeSet<usize> = beside
                .clashes
                .iter()
                .filter(|clash| matches!(clash.evidence, Evidence::Value(_)))
                .map(|clash| clash.published)
                .collect();
            for clash in &beside.clashes {
                let near = &beside.near[clash.published];
                let is_so = one.draft.lists(sentence, near.article.id.as_str(), near.text());
                match clash.evidence {
                    Evidence::Value(inputs) => values.push(Case { draft, inputs, is_so }),
                    // What differs in a value says nothing about denials.
                    Evidence::Denial(_) if is_so && by_value.contains(&clash.published) => {}
                    Evidence::Denial(inputs) => denials.push(Case { draft, inputs, is_so }),
                }
            }
        }
        for (id, coverage) in &one.compared.articles {
            let repeats = one.draft.may_repeat(id.as_str());
            // But for what it contradicts, such a draft repeats its article.
            if one.draft.kind == Kind::Contradiction && repeats {
                continue;
            }
            covered.push(Case { draft, inputs: coverage.inputs, is_so: repeats });
        }
    }
    (fitted(&values), fitted(&denials), fitted(&covered))
}

fn fitted<const N: usize>(cases: &[Case<N>]) -> Fitted<N> {
    let all = |keep: &dyn Fn(usize) -> bool| -> Vec<([f32; N], bool)> {
        let kept = cases.iter().filter(|case| keep(case.draft));
        kept.map(|case| (case.inputs, case.is_so)).collect()
    };
    let mut judged: Vec<(usize, f32, bool)> = Vec::new();
    for fold in 0..FOLDS {
        let weights = descend(&all(&|draft| draft % FOLDS != fold), RIDGE);
        let left_out = cases.iter().filter(|case| case.draft % FOLDS == fold);
        judged.extend(
            left_out.map(|case| (case.draft, probability(&weights, &case.inputs), case.is_so)),
        );
    }
    let planted: BTreeSet<usize> =
        cases.iter().filter(|case| case.is_so).map(|case| case.draft).collect();
    let at = |threshold: f32| {
        let mut named: BTreeMap<usize, bool> = BTreeMap::new();
        for (draft, _, is_so) in judged.iter().filter(|(_, sure, _)| *sure >= threshold) {
            *named.entry(*draft).or_default() |= is_so;
        }
        let found = named.values().filter(|right| **right).count();
        (threshold, found, named.len() - found)
    };
    let curve = (1..10).map(|tenth| at(tenth as f32 / 10.0)).collect();
    Fitted { weights: descend(&all(&|_| true), RIDGE), curve, planted: planted.len() }
}
