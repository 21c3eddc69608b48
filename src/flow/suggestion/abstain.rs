//! How likely a hit answers: a logistic model over the search's evidence and the turn's act.
//!
//! The coefficients are fitted on one half of `knowledge/queries.toml` and judged on the other, by
//! `backchannel eval retrieval knowledge --calibrate`, which prints these two tables.

use super::Act;
use crate::knowledge::HitFeatures;

/// Inputs of the model, the constant first.
pub const INPUTS: usize = 12;

/// With vectors.
const HYBRID: [f32; INPUTS] =
    [-8.578, 1.974, 1.888, 2.547, 1.130, 3.874, 3.347, 0.508, 4.274, 1.608, 0.432, 2.422];
/// On keywords alone.
const KEYWORDS: [f32; INPUTS] =
    [-10.391, 0.000, 0.000, 0.038, 5.898, 4.387, 0.729, 0.000, 3.965, 1.027, 0.585, 0.000];

/// The evidence as numbers of about the same size.
pub fn inputs(features: &HitFeatures, act: Act) -> [f32; INPUTS] {
    let flag = f32::from;
    [
        1.0,
        features.cosine,
        features.sentence_cosine,
        features.margin.clamp(-0.3, 0.3) * 3.0,
        features.bm25.max(0.0).ln_1p() / 3.0,
        features.coverage,
        flag(u8::from(features.exact > 0)),
        flag(u8::from(features.agreed)),
        f32::from(u8::try_from(features.query_terms.min(8)).unwrap_or(8)) / 8.0,
        flag(u8::from(matches!(act, Act::Question | Act::Lookup))),
        flag(u8::from(matches!(act, Act::Request | Act::Need))),
        features.asked,
    ]
}

/// Calibrated probability that the hit answers, 0 to 1.
pub fn probability(features: &HitFeatures, act: Act, degraded: bool) -> f32 {
    let weights = if degraded { &KEYWORDS } else { &HYBRID };
    1.0 / (1.0 + (-sum(weights, &inputs(features, act)) - features.feedback).exp())
}

/// `1 / (1 + e^-(w · x))`
pub fn logistic(weights: &[f32; INPUTS], inputs: &[f32; INPUTS]) -> f32 {
    1.0 / (1.0 + (-sum(weights, inputs)).exp())
}

fn sum(weights: &[f32; INPUTS], inputs: &[f32; INPUTS]) -> f32 {
    weights.iter().zip(inputs).map(|(weight, input)| weight * input).sum()
}
