//! The measured claims: each capability on shipped or public data, one JSON line of metrics.

pub mod calibrate;
pub mod retrieval;
