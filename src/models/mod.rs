//! (empty until its owner fills it)

pub mod embedder;
pub mod minilm;
