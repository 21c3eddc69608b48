//! Tells speech from everything else, frame by frame.

use earshot::Detector;

use super::tone::ToneGuard;

/// 16 ms at 16 kHz, the frame of the detector.
pub const FRAME_SAMPLES: usize = 256;
pub const FRAME_MS: u64 = 16;

/// Speech begins above the first score and lasts above the second, so that a weak syllable in the
/// middle of a word doesn't end it.
const SCORE_TO_BEGIN: f32 = 0.5;
const SCORE_TO_LAST: f32 = 0.35;
/// Quieter than this is the line's own noise, whatever it sounds like.
const FLOOR_DBFS: f32 = -62.0;

/// What one frame holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frame {
    pub voiced: bool,
    /// The detector's score, 0 to 1.
    pub score: f32,
    /// Mean power against full scale.
    pub level_dbfs: f32,
}

/// One leg's speech detector. About 10 µs a frame.
pub struct Gate {
    detector: Box<Detector>,
    tones: ToneGuard,
    speaking: bool,
}

impl Default for Gate {
    fn default() -> Self {
        Self { detector: Detector::default_boxed(), tones: ToneGuard::default(), speaking: false }
    }
}

impl Gate {
    pub fn frame(&mut self, samples: &[f32; FRAME_SAMPLES]) -> Frame {
        let score = self.detector.predict_f32(samples);
        let power = samples.iter().map(|s| s * s).sum::<f32>() / FRAME_SAMPLES as f32;
        let level_dbfs = 10.0 * power.max(1e-10).log10();
        let tone = self.tones.frame(samples);
        let needed = if self.speaking { SCORE_TO_LAST } else { SCORE_TO_BEGIN };
        self.speaking = score >= needed && level_dbfs > FLOOR_DBFS && !tone;
        Frame { voiced: self.speaking, score, level_dbfs }
    }
}
