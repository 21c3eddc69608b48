//! Whether a spoken turn needs an article at all: something is asked that the articles know, and not
//! what the desk does from its own screens ("what's the post code", "book it for Thursday").
//!
//! A logistic model of two cosines, measured only: cards abstain by a judgement of their own. The weights
//! are fitted by `backchannel eval spoken-retrieval FOLDER --fit` on one half of
//! `dstc10-spoken-knowledge` (Kim et al. 2021, <https://arxiv.org/abs/2109.13489>).

use crate::knowledge::SearchResponse;
use crate::models::embedder::{EmbedderError, EmbedderHandle, Urgency};
use std::time::Duration;

use super::logistic;

/// Inputs of the model, the constant first.
pub const INPUTS: usize = 3;

/// An article is taken to be needed from this probability on: half of the F1 that can be had, which is
/// where F1 is largest for calibrated probabilities (Lipton et al. 2014,
/// <https://arxiv.org/abs/1402.1892>).
pub const THRESHOLD: f32 = 0.4;

const WEIGHTS: [f32; INPUTS] = [-0.04, 5.76, -6.45];
/// Nothing is live here.
const PATIENCE: Duration = Duration::from_secs(60);

/// Ways to ask for what needs no article, in the words of the challenge's own domain: travel.
const ROUTINE: &[&str] = &[
    "what is the phone number",
    "what is the address",
    "what is the post code",
    "how much does it cost",
    "what is the price range",
    "please make a booking for two people on Thursday",
    "can you reserve it for three days",
    "i am looking for a place in this area",
    "can you recommend one",
    "which ones do you have",
    "can you find another one instead",
    "what kind is it",
    "which area is it in",
    "what rating does it have",
    "thank you, that is all i need",
    "yes please",
    "hello, can you help me",
    "that sounds good, please book it",
];

/// Vectors of what needs no article.
pub struct Routine {
    embedder: EmbedderHandle,
    vectors: Vec<Vec<f32>>,
}

impl Routine {
    /// # Errors
    /// The model fails.
    pub fn new(embedder: EmbedderHandle) -> Result<Self, EmbedderError> {
        let texts = ROUTINE.iter().map(|&text| text.to_owned()).collect();
        let vectors = embedder.embed_blocking(texts, Urgency::Background, PATIENCE)?;
        Ok(Self { embedder, vectors })
    }

    /// How near the best hit is in meaning, and how near the desk's own work, after the constant.
    ///
    /// # Errors
    /// The model fails.
    pub fn inputs(
        &self,
        asked: &str,
        found: &SearchResponse,
    ) -> Result<[f32; INPUTS], EmbedderError> {
        let near = found
            .hits
            .iter()
            .map(|hit| 0.5 * (hit.features.cosine + hit.features.sentence_cosine))
            .fold(0.0, f32::max);
        let texts = vec![asked.to_owned()];
        let asked = self.embedder.embed_blocking(texts, Urgency::Background, PATIENCE)?;
        let cosine = |one: &Vec<f32>| one.iter().zip(&asked[0]).map(|(a, b)| a * b).sum::<f32>();
        Ok([1.0, near, self.vectors.iter().map(cosine).fold(0.0, f32::max)])
    }
}

/// Calibrated probability that an article is needed, 0 to 1.
pub fn probability(inputs: &[f32; INPUTS]) -> f32 {
    logistic::probability(&WEIGHTS, inputs)
}
