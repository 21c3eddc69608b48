//! (empty until its owner fills it)

pub mod eval_retrieval;
pub mod knowledge;
