//! The measured claims: each number in the README has its computation here.

pub mod calibrate;
pub mod cards;
pub mod fit;
pub mod live;
pub mod retrieval;
pub mod stretches;
pub mod wer;
