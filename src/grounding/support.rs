//! Which sources carry a sentence, and how much of it.

use std::collections::HashMap;

use super::ground::Ground;
use super::reading::{Part, Reading};

/// So many sentences of sources may stand behind one sentence.
pub(super) const PROOFS_MAX: usize = 4;
/// Units that are looked at closely.
const CANDIDATES_MAX: usize = 24;

/// What was found for a sentence.
#[derive(Debug, Default)]
pub(super) struct Support {
    /// The units that carry it, the strongest first.
    pub units: Vec<usize>,
    /// For each word of the sentence, whether it stands in one of them.
    pub covered: Vec<bool>,
    /// The share of the sentence's weight that stands in them.
    pub share: f32,
    /// The share that stands in the strongest alone.
    pub share_of_first: f32,
}

/// Looks among the units that `allowed` lets through.
pub(super) fn find(claim: &Reading, ground: &Ground, allowed: &dyn Fn(usize) -> bool) -> Support {
    let weights = weights(claim, ground);
    let total: f32 = weights.iter().sum();
    let mut scores: HashMap<usize, f32> = HashMap::new();
    for (word, weight) in claim.words.iter().zip(&weights) {
        if *weight <= 0.0 {
            continue;
        }
        for unit in ground.postings.get(&word.stem).into_iter().flatten() {
            let unit = *unit as usize;
            if allowed(unit) {
                *scores.entry(unit).or_default() += weight;
            }
        }
    }
    let mut candidates: Vec<(usize, f32)> = scores.into_iter().collect();
    // Ties go to what was said first.
    candidates.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    candidates.truncate(CANDIDATES_MAX);

    let mut support = Support { covered: vec![false; claim.words.len()], ..Support::default() };
    let mut gained = 0.0;
    while support.units.len() < PROOFS_MAX {
        let gain_of = |unit: usize| -> f32 {
            let new = claim.words.iter().zip(&weights).zip(&support.covered);
            new.filter(|((word, _), covered)| !**covered && stands_in(ground, &word.stem, unit))
                .map(|((_, weight), _)| weight)
                .sum()
        };
        let near = |unit: usize| -> f32 {
            let first = support.units.first().map_or(unit, |first| *first);
            if first.abs_diff(unit) <= 4 { 0.05 } else { 0.0 }
        };
        let best = candidates
            .iter()
            .filter(|(unit, _)| !support.units.contains(unit))
            .map(|(unit, _)| (*unit, gain_of(*unit)))
            .max_by(|a, b| (a.1 + near(a.0)).total_cmp(&(b.1 + near(b.0))).then(b.0.cmp(&a.0)));
        let Some((unit, gain)) = best.filter(|(_, gain)| *gain > 0.0) else { break };
        gained += gain;
        for (word, covered) in claim.words.iter().zip(&mut support.covered) {
            *covered |= stands_in(ground, &word.stem, unit);
        }
        if support.units.is_empty() {
            support.share_of_first = if total > 0.0 { gain / total } else { 0.0 };
        }
        support.units.push(unit);
    }
    support.share = if total > 0.0 { (gained / total).min(1.0) } else { 0.0 };
    support
}

pub(super) fn stands_in(ground: &Ground, stem: &str, unit: usize) -> bool {
    let number = u32::try_from(unit).unwrap_or(u32::MAX);
    ground.postings.get(stem).is_some_and(|units| units.binary_search(&number).is_ok())
}

/// What each word of a sentence counts. A sentence of small words is weighed by them.
pub(super) fn weights(claim: &Reading, _ground: &Ground) -> Vec<f32> {
    let weights: Vec<f32> = claim.words.iter().map(|word| word.part.weight()).collect();
    if weights.iter().sum::<f32>() >= 1.0 {
        return weights;
    }
    let small = |part: Part| -> f32 { if matches!(part, Part::Frame) { 0.0 } else { 0.5 } };
    claim.words.iter().map(|word| small(word.part).max(word.part.weight())).collect()
}
