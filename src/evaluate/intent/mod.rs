//! How well intents are told apart, and whether what is none of them is left alone: `insight::intent` beside labels of
//! people.
//!
//! `data` reads public sets and a company's own list, `measure` trains on one part and asks about the other, `report`
//! counts. Nothing of the rows that are asked about goes into the training, its probabilities or its threshold.

mod data;
mod measure;
mod report;
#[cfg(test)]
mod tests;

pub use data::{Dataset, IntentDataError, Part, Row};
pub use measure::{Asked, Plan, Run, VectorsOf, measure};
pub use report::{Confusion, Figures, confusion, figures, mean};
