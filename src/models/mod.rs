//! Neural networks: their files and their back ends.

mod error;
mod speech;
mod transcriber;
mod whisper;

pub use error::ModelError;
pub use speech::{Ears, JobId, Outcome, SpeechPool, Urgency};
pub use transcriber::{Heard, HeardWord, SAMPLE_RATE_HZ, Transcriber};
pub use whisper::{WhisperModel, WhisperTranscriber, Window};
