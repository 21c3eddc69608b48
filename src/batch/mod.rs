//! Work over many conversations at once: recordings instead of live calls.

mod recording;

pub use recording::{Channel, RecordingError, Transcript, transcribe};
