//! Tells speech from everything else, frame by frame.
//!
//! Two witnesses have to agree. The detector (earshot) knows voices from noise, but its score takes
//! most of a second to fall after the last word. The level above the line's own noise falls at
//! once, but knows nothing of voices. So the score says that somebody is speaking, and the level
//! says when.

use std::collections::VecDeque;

use earshot::Detector;

use super::tone::ToneGuard;

/// 16 ms at 16 kHz, the frame of the detector.
pub const FRAME_SAMPLES: usize = 256;
pub const FRAME_MS: u64 = 16;

/// Speech begins above the first score and lasts above the second.
const SCORE_TO_BEGIN: f32 = 0.5;
const SCORE_TO_LAST: f32 = 0.4;
/// So much louder than the line's noise is sound.
const MARGIN_DB: f32 = 6.0;
/// Quieter than this is nothing, however silent the line is.
const QUIETEST_DBFS: f32 = -60.0;

/// What one frame holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frame {
    pub voiced: bool,
    /// The detector's score, 0 to 1.
    pub score: f32,
    /// Mean power against full scale.
    pub level_dbfs: f32,
    /// Mean power against the line's own noise.
    pub above_db: f32,
}

/// How much like a voice the voiced frames of an utterance were.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Voice {
    frames: u32,
    scores: f32,
    loudest_above_db: f32,
}

impl Voice {
    pub(super) fn hear(&mut self, frame: Frame) {
        self.frames += 1;
        self.scores += frame.score;
        self.loudest_above_db = self.loudest_above_db.max(frame.above_db);
    }

    /// So many voiced frames, all alike.
    #[cfg(test)]
    pub(super) fn of(frames: u32, score: f32, loudest_above_db: f32) -> Self {
        Self { frames, scores: score * frames as f32, loudest_above_db }
    }

    pub fn voiced_ms(&self) -> u64 {
        u64::from(self.frames) * FRAME_MS
    }

    /// Mean score of the detector, 0 to 1.
    pub fn mean_score(&self) -> f32 {
        self.scores / self.frames.max(1) as f32
    }

    /// The loudest frame against the line's noise.
    pub fn loudest_above_db(&self) -> f32 {
        self.loudest_above_db
    }
}

/// One leg's speech detector. About 10 µs a frame.
pub struct Gate {
    detector: Box<Detector>,
    tones: ToneGuard,
    floor: NoiseFloor,
    speaking: bool,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            detector: Detector::default_boxed(),
            tones: ToneGuard::default(),
            floor: NoiseFloor::default(),
            speaking: false,
        }
    }
}

impl Gate {
    pub fn frame(&mut self, samples: &[f32; FRAME_SAMPLES]) -> Frame {
        let score = self.detector.predict_f32(samples);
        let power = samples.iter().map(|s| s * s).sum::<f32>() / FRAME_SAMPLES as f32;
        let level_dbfs = 10.0 * power.max(1e-10).log10();
        let floor_dbfs = self.floor.update(level_dbfs);
        let tone = self.tones.frame(samples);
        let needed = if self.speaking { SCORE_TO_LAST } else { SCORE_TO_BEGIN };
        self.speaking = score >= needed && !tone;
        let voiced = self.speaking && level_dbfs > (floor_dbfs + MARGIN_DB).max(QUIETEST_DBFS);
        Frame { voiced, score, level_dbfs, above_db: level_dbfs - floor_dbfs }
    }
}

/// The line's own noise: the quietest moment of the last seconds (minimum statistics: R. Martin,
/// IEEE Trans. Speech and Audio Processing 9(5), 2001, without its bias correction).
struct NoiseFloor {
    recent: VecDeque<f32>,
    /// Minimum of each finished block.
    blocks: VecDeque<f32>,
    block_min: f32,
    block_frames: usize,
}

/// Half a second; ten of them are longer than people speak without a gap between two sounds.
const BLOCK_FRAMES: usize = 31;
const BLOCKS: usize = 10;
/// One frame alone may fall into the closure of a consonant; so many together are the line.
const SMOOTHED_FRAMES: usize = 3;
/// What is assumed before anything was heard: a typical telephone line.
const FIRST_DBFS: f32 = -55.0;

impl Default for NoiseFloor {
    fn default() -> Self {
        Self {
            recent: VecDeque::new(),
            blocks: VecDeque::from([FIRST_DBFS]),
            block_min: 0.0,
            block_frames: 0,
        }
    }
}

impl NoiseFloor {
    fn update(&mut self, level_dbfs: f32) -> f32 {
        self.recent.push_back(level_dbfs);
        if self.recent.len() > SMOOTHED_FRAMES {
            self.recent.pop_front();
        }
        let smoothed = self.recent.iter().sum::<f32>() / self.recent.len() as f32;
        self.block_min = self.block_min.min(smoothed);
        self.block_frames += 1;
        if self.block_frames == BLOCK_FRAMES {
            self.blocks.push_back(self.block_min);
            if self.blocks.len() > BLOCKS {
                self.blocks.pop_front();
            }
            self.block_min = 0.0;
            self.block_frames = 0;
        }
        self.blocks.iter().copied().fold(self.block_min, f32::min)
    }
}
