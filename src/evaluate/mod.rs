//! The measured claims: each number in the README has its computation here.

pub mod asr;
pub mod calibrate;
pub mod cards;
pub mod conflicts;
mod dataset;
pub mod english;
pub mod feedback;
pub mod fit;
pub mod followups;
pub mod gaps;
pub mod grounding;
pub mod hear;
pub mod injection;
pub mod intent;
pub mod live;
mod logistic;
pub mod need;
pub mod redaction;
pub mod retrieval;
pub mod routing;
pub mod spoken;
pub mod stretches;
pub mod summary;
pub mod wer;
