//! Stage 1: wire bytes → 16 kHz frames per party.
//!
//! Fed by the media sockets through the driver, and by the offline commands through [`AudioFile`];
//! feeds the speech gate and the recogniser. Nothing here waits, reads a clock or writes audio to
//! disk: time comes in as the wire's own stamps and leaves as a count of samples.

mod codec;
mod decoder;
mod file;
mod resample;
#[cfg(test)]
mod tests;

pub use codec::{Codec, sample_to_f32, sample_to_i16};
pub use decoder::LegDecoder;
pub use file::{AudioFile, FileError};
pub use resample::Resampler;

use crate::domain::{Classify, ErrorKind};

/// What the recogniser hears, whatever came in.
pub const SAMPLE_RATE_HZ: u32 = 16_000;

/// Audio that never arrived, on the leg's own clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    pub start_ms: u64,
    pub lost_ms: u64,
}

/// How a leg's clock passes a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Jump {
    pub gap: Gap,
    /// 16 kHz samples that pass unheard; 0 when silence stands in their place.
    pub skip_samples: u64,
    /// Nothing is lost: the gap is before the leg's first audio, or it was paused.
    pub joins_late: bool,
}

/// Why a leg's audio can't be decoded.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum AudioError {
    #[error("a sample rate of {0} Hz is not supported: use one from 8000 to 48000 Hz")]
    UnsupportedRate(u32),
    #[error("the resampler failed: {0}")]
    Resampler(String),
}

impl Classify for AudioError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::UnsupportedRate(_) => ErrorKind::Invalid,
            Self::Resampler(_) => ErrorKind::Internal,
        }
    }
}
