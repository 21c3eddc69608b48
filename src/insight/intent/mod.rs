//! What a customer wants, as one label of the company's own list, learned from a few examples of each.
//!
//! A turn's MiniLM vector, the same that searches, is compared with those of the examples by a least-squares classifier
//! with a kernel (`machine`); `calibrate` makes its scores probabilities and finds where to abstain, both on what the
//! classifier says of each example when it is left out of the training; `files` reads the list from settings. No clock
//! and no chance: the same examples give the same model.

mod calibrate;
mod cholesky;
mod files;
mod learnt;
mod lexical;
mod machine;
mod model;
mod space;
#[cfg(test)]
mod tests;

pub use files::{INTENTS_MAX, IntentFiles, IntentMistake, WrittenIntent, parse, read};
pub use learnt::Shelf;
pub use model::{Example, IntentError, IntentModel, Kind, Measures, Vectors};
