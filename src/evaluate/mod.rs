//! The measured claims: how well the service hears, finds and keeps silent, in numbers.

pub mod live;
pub mod wer;
