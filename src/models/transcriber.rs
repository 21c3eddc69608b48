//! What a speech recogniser is to the rest of the house.

use std::sync::Arc;

use super::ModelError;

/// The samples that a transcriber takes: mono, 16 kHz, -1 to 1.
pub const SAMPLE_RATE_HZ: u32 = 16_000;

/// What is taken for granted until another language is clear.
pub const ENGLISH: &str = "en";

/// One recognised word, timed from the start of the audio that was given.
#[derive(Clone, Debug, PartialEq)]
pub struct HeardWord {
    pub text: String,
    pub start_ms: u64,
    pub end_ms: u64,
    /// Mean probability of its tokens, 0 to 1.
    pub confidence: f32,
}

/// What is known before listening.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hints {
    /// The language as ISO 639-1, such as `en`. `None` lets a multilingual model find out; where it
    /// can't tell, it listens for English.
    pub language: Option<Arc<str>>,
    /// Names and products that are likely to be said, a line each. Where something like one was
    /// heard in a final, that is decoded once more with a prompt.
    pub glossary: Option<Arc<str>>,
}

/// What was heard in one stretch of audio, before any guard has looked at it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Heard {
    pub words: Vec<HeardWord>,
    /// Mean natural logarithm of the tokens' probabilities; 0 when there are none.
    pub mean_logprob: f32,
    pub tokens: usize,
    /// The language that was given or is clear, as ISO 639-1.
    pub language: Option<Arc<str>>,
    /// What the other recogniser heard, asked because this one was unsure.
    pub second: Option<Box<Heard>>,
}

impl Heard {
    pub fn text(&self) -> String {
        let words: Vec<&str> = self.words.iter().map(|word| word.text.as_str()).collect();
        words.join(" ")
    }
}

/// A loaded recogniser. It is busy for as long as it listens, so it lives on a thread of its own.
pub trait Transcriber: Send {
    /// Writes down up to 30 s of 16 kHz mono audio. A model that can't follow a hint ignores it.
    ///
    /// # Errors
    /// `ModelError::Failed` when the engine refuses the audio or breaks.
    fn transcribe(&mut self, samples: &[f32], hints: &Hints) -> Result<Heard, ModelError>;

    /// Whether it can write down this language, named as in ISO 639-1.
    fn knows(&self, language: &str) -> bool {
        language == ENGLISH
    }
}
