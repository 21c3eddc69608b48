//! The instructions that models are given: `prompts/<name>/v<N>.md`, rendered.
//!
//! What customers, agents and articles say reaches a template only inside a fence that it can't
//! close (`fence`); a template has no way to get at the bare words. Each rendering names the file it
//! came from by hash, so that a verdict can be counted for the version that was used.

mod cases;
mod check;
mod error;
mod fence;
mod file;
mod inputs;
mod prompt;
mod set;

pub use check::{Report, check};
pub use error::PromptError;
pub use inputs::{Choice, Inputs};
pub use prompt::{Prompt, Rendered};
pub use set::{PromptSettings, Prompts};

#[cfg(test)]
mod tests;
