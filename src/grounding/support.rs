//! Which sources carry a sentence, and how much of it.

use std::collections::HashMap;

use super::context::is_pronoun;
use super::ground::Ground;
use super::reading::{Part, Reading};

/// So many sentences of sources may stand behind one sentence.
const PROOFS_MAX: usize = 4;
/// Units that are looked at closely.
const CANDIDATES_MAX: usize = 24;
/// What a small word weighs in a sentence that has hardly any others.
const SMALL_WEIGHT: f32 = 0.4;
/// Between sources that hold as much, the one near the first is preferred.
const NEARNESS: f32 = 0.05;
const NEAR_UNITS: usize = 4;

/// What was found for a sentence.
#[derive(Debug, Default)]
pub(super) struct Support<'a> {
    /// For each word of the sentence, the units that hold it.
    pub holders: Vec<&'a [u32]>,
    /// What each word counts.
    pub weights: Vec<f32>,
    /// The units that carry it, the strongest first.
    pub units: Vec<usize>,
    /// For each word, whether it stands in one of them.
    pub covered: Vec<bool>,
    /// The share of the sentence's weight that stands in them.
    pub share: f32,
}

impl Support<'_> {
    pub fn holds(&self, word: usize, unit: usize) -> bool {
        let number = u32::try_from(unit).unwrap_or(u32::MAX);
        self.holders.get(word).is_some_and(|units| units.binary_search(&number).is_ok())
    }

    /// Whether one of these units holds the word, or it was found in another form.
    pub fn is_held_among(&self, word: usize, units: &std::ops::Range<usize>) -> bool {
        let held = self.holders.get(word).copied().unwrap_or_default();
        let next = held.partition_point(|unit| (*unit as usize) < units.start);
        let is_near = held.get(next).is_some_and(|unit| (*unit as usize) < units.end);
        is_near || (held.is_empty() && self.covered[word])
    }

    /// How much of the sentence one unit holds.
    pub fn share_of(&self, unit: usize) -> f32 {
        let total: f32 = self.weights.iter().sum();
        let held = (0..self.weights.len()).filter(|word| self.holds(*word, unit));
        if total > 0.0 { held.map(|word| self.weights[word]).sum::<f32>() / total } else { 0.0 }
    }

    /// All units that hold one of the sentence's words.
    pub fn near_units(&self) -> Vec<usize> {
        let held = (self.holders.iter().zip(&self.weights)).filter(|(_, weight)| **weight > 0.0);
        let mut units: Vec<usize> =
            held.flat_map(|(units, _)| units.iter().map(|unit| *unit as usize)).collect();
        units.sort_unstable();
        units.dedup();
        units
    }

    /// Words whose meaning was found in another form stand there, too.
    pub fn cover(&mut self, words: impl Iterator<Item = usize>) {
        for word in words {
            if let Some(covered) = self.covered.get_mut(word) {
                *covered = true;
            }
        }
        let total: f32 = self.weights.iter().sum();
        let held = self.covered.iter().zip(&self.weights).filter(|(covered, _)| **covered);
        let held: f32 = held.map(|(_, weight)| weight).sum();
        self.share = if total > 0.0 { (held / total).min(1.0) } else { 0.0 };
    }
}

/// Looks among the units that `allowed` lets through.
pub(super) fn find<'a>(
    claim: &Reading,
    ground: &'a Ground,
    allowed: &dyn Fn(usize) -> bool,
) -> Support<'a> {
    let holders: Vec<&[u32]> = claim
        .words
        .iter()
        .map(|word| ground.postings.get(&word.stem).map_or(&[][..], Vec::as_slice))
        .collect();
    let weights = weights(claim);
    let mut scores: HashMap<usize, f32> = HashMap::new();
    for (units, weight) in holders.iter().zip(&weights) {
        if *weight <= 0.0 {
            continue;
        }
        for unit in units.iter().map(|unit| *unit as usize).filter(|unit| allowed(*unit)) {
            *scores.entry(unit).or_default() += weight;
        }
    }
    let mut candidates: Vec<(usize, f32)> = scores.into_iter().collect();
    // Ties go to what was said first.
    candidates.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    candidates.truncate(CANDIDATES_MAX);

    let covered = vec![false; claim.words.len()];
    let mut support = Support { holders, weights, covered, ..Support::default() };
    while support.units.len() < PROOFS_MAX {
        let first = support.units.first().copied();
        let gain_of = |unit: usize| -> f32 {
            let new = (0..support.covered.len())
                .filter(|word| !support.covered[*word] && support.holds(*word, unit));
            new.map(|word| support.weights[word]).sum()
        };
        let mut best: Option<(usize, f32)> = None;
        for (unit, score) in candidates.iter().filter(|(unit, _)| !support.units.contains(unit)) {
            // The rest holds less in all than the best has that is new.
            if best.is_some_and(|(_, most)| *score + NEARNESS < most) {
                break;
            }
            let gain = gain_of(*unit);
            let near = first.is_some_and(|first| first.abs_diff(*unit) <= NEAR_UNITS);
            let rank = if gain > 0.0 && near { gain + NEARNESS } else { gain };
            if gain > 0.0 && best.is_none_or(|(_, most)| rank > most) {
                best = Some((*unit, rank));
            }
        }
        let Some((unit, _)) = best else { break };
        let held: Vec<usize> =
            (0..support.covered.len()).filter(|word| support.holds(*word, unit)).collect();
        support.units.push(unit);
        support.cover(held.into_iter());
    }
    support
}

/// What each word of a sentence counts. A sentence of small words is weighed by them.
fn weights(claim: &Reading) -> Vec<f32> {
    let weights: Vec<f32> = claim.words.iter().map(|word| word.part.weight()).collect();
    if weights.iter().sum::<f32>() >= 1.0 {
        return weights;
    }
    let small = |lower: &str, part: Part| -> f32 {
        let changes =
            is_pronoun(lower) || matches!(lower, "the" | "that" | "others" | "is" | "are" | "be");
        if part == Part::Frame || changes { 0.0 } else { SMALL_WEIGHT }
    };
    claim.words.iter().map(|word| small(&word.lower, word.part).max(word.part.weight())).collect()
}
