//! Whether a spoken turn needs an article at all: something is asked that the articles know, and not
//! what the desk does from its own screens ("what's the post code", "book it for Thursday").
//!
//! A logistic model of two cosines. The weights are fitted by `backchannel eval spoken-retrieval
//! FOLDER --fit` on one half of `dstc10-spoken-knowledge` (Kim et al. 2021, <https://arxiv.org/abs/2109.13489>).

use crate::knowledge::SearchResponse;

/// Inputs of the model, the constant first.
pub const INPUTS: usize = 3;

/// An article is taken to be needed from this probability on: half of the F1 that can be had, which is
/// where F1 is largest for calibrated probabilities (Lipton et al. 2014,
/// <https://arxiv.org/abs/1402.1892>).
pub const THRESHOLD: f32 = 0.4;

const WEIGHTS: [f32; INPUTS] = [-0.04, 5.76, -6.45];

/// How near the best hit is in meaning, and how near the desk's own work.
pub fn inputs(found: &SearchResponse) -> [f32; INPUTS] {
    let near = found
        .hits
        .iter()
        .map(|hit| 0.5 * (hit.features.cosine + hit.features.sentence_cosine))
        .fold(0.0, f32::max);
    [1.0, near, found.routine]
}

/// Calibrated probability that an article is needed, 0 to 1.
pub fn probability(found: &SearchResponse) -> f32 {
    logistic(&WEIGHTS, &inputs(found))
}

/// `1 / (1 + e^-(w · x))`
pub fn logistic(weights: &[f32; INPUTS], inputs: &[f32; INPUTS]) -> f32 {
    let sum: f32 = weights.iter().zip(inputs).map(|(weight, input)| weight * input).sum();
    1.0 / (1.0 + (-sum).exp())
}
