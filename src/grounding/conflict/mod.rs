//! Whether a sentence that somebody wants published agrees with what is published.
//!
//! Words alone don't tell that "it runs out after a fortnight" and "the code is valid for 30 days" are
//! about the same thing. So each word is compared where it stands: by what the embedding model makes
//! of it in its sentence, below its heading. What is found there is compared as what it is: money
//! with money, a span of time with another one, what is denied with what isn't. How sure that makes
//! one of a contradiction is a logistic model with few inputs (`evaluate::conflicts` fits it).

mod covered;
mod polarity;
mod quantity;
mod statement;
#[cfg(test)]
mod tests;

pub use covered::{COVERED_INPUTS, Candidate, Coverage, coverages};
pub use statement::{Statement, Wording};

use crate::domain::ConflictKind;

pub const CLASH_INPUTS: usize = 6;
pub const DENIAL_INPUTS: usize = 7;

/// From here on a pair is shown to a reviewer. Chosen by the curve that `--fit` prints of drafts that were left
/// out: with fewer named, what is lost is more than what would be named wrongly.
pub const CLASH_MIN: f32 = 0.45;
pub const DENIAL_MIN: f32 = 0.4;

/// Fitted by `backchannel eval conflicts … --fit`.
const CLASH_WEIGHTS: [f32; CLASH_INPUTS] = [-5.492, 2.132, 1.502, 1.388, -1.519, 2.700];
const DENIAL_WEIGHTS: [f32; DENIAL_INPUTS] = [-4.691, 0.195, 1.449, -0.405, 2.731, 2.049, 0.473];

/// A published sentence that may be about the same thing. Several are passed in the order of how
/// near they are.
#[derive(Clone, Copy, Debug)]
pub struct Published<'a> {
    pub statement: &'a Statement,
    /// How near people's questions about its passage are to the one that is answered, -1 to 1.
    pub asked: f32,
}

/// Two sentences that may exclude each other.
#[derive(Clone, Debug)]
pub struct Clash {
    /// Which of the published sentences.
    pub published: usize,
    pub kind: ConflictKind,
    pub evidence: Evidence,
}

/// What speaks for a clash; the first input is the constant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Evidence {
    /// One states another value than the other.
    Value([f32; CLASH_INPUTS]),
    /// One denies what the other says.
    Denial([f32; DENIAL_INPUTS]),
}

impl Clash {
    /// That the two can't both be true, 0 to 1.
    pub fn probability(&self) -> f32 {
        match &self.evidence {
            Evidence::Value(inputs) => logistic(&CLASH_WEIGHTS, inputs),
            Evidence::Denial(inputs) => logistic(&DENIAL_WEIGHTS, inputs),
        }
    }

    pub fn is_likely(&self) -> bool {
        let least = match self.evidence {
            Evidence::Value(_) => CLASH_MIN,
            Evidence::Denial(_) => DENIAL_MIN,
        };
        self.probability() >= least
    }
}

/// Everything that may clash, likely or not.
pub fn clashes(said: &Statement, published: &[Published<'_>]) -> Vec<Clash> {
    let mut found = quantity::clashes(said, published);
    found.extend(polarity::clashes(said, published));
    found
}

fn logistic<const N: usize>(weights: &[f32; N], inputs: &[f32; N]) -> f32 {
    let sum: f32 = weights.iter().zip(inputs).map(|(weight, input)| weight * input).sum();
    1.0 / (1.0 + (-sum).exp())
}
