//! Whisper in Rust: the same weights as whisper.cpp's, in half of its time (`benches/README.md`).
//!
//! The layers' weights and what goes into them are 8-bit numbers, one scale for each 128 of either;
//! attention and convolutions are 32-bit.

pub(super) mod attention;
mod decoder;
mod encoder;
mod file;
pub(super) mod kernels;
pub(super) mod linear;
pub(super) mod math;
mod mel;
mod rules;
#[cfg(test)]
mod tests;
mod tokens;
mod words;

use std::path::Path;
use std::sync::Arc;

use fearless_simd::Level;

use super::ModelError;
use super::transcriber::{ENGLISH, Heard, Hints, SAMPLE_RATE_HZ, Transcriber};
use super::whisper::{
    LANGUAGE_CLEAR, LANGUAGE_GAIN, LANGUAGE_LEAST_S, LANGUAGE_OF_NOISE, LANGUAGE_SURE,
    PROMPT_TOKENS_MAX, Window, dither,
};

use decoder::{Decoder, Listening};
use encoder::{Encoder, Scratch};
use file::Weights;
use mel::Mel;
use tokens::Tokens;
use words::Spoken;

/// A time mark this close to the end is the end.
const NEAR_END_S: f32 = 0.1;

/// One set of weights in memory, shared by all workers.
#[derive(Clone)]
pub struct NativeModel {
    parts: Arc<Parts>,
    window: Window,
}

struct Parts {
    level: Level,
    mel: Mel,
    tokens: Tokens,
    encoder: Encoder,
    decoder: Decoder,
}

impl NativeModel {
    /// Loads ggml weights, the file that whisper.cpp reads too.
    ///
    /// # Errors
    /// `ModelError::Failed` when the file is not what it should be, `Io` when it can't be read.
    pub fn load(path: &Path) -> Result<Self, ModelError> {
        let mut weights = Weights::read(path)?;
        let shape = weights.shape;
        let parts = Parts {
            level: Level::new(),
            mel: Mel::new(&weights.mel_filters),
            tokens: Tokens::new(std::mem::take(&mut weights.words), shape.vocabulary),
            encoder: Encoder::take(&mut weights)?,
            decoder: Decoder::take(&mut weights)?,
        };
        Ok(Self { parts: Arc::new(parts), window: Window::of_layers(shape.encoder_layers) })
    }

    /// Whether this machine has the instructions that make this engine the faster one.
    pub fn is_fast_here() -> bool {
        #[cfg(target_arch = "x86_64")]
        return Level::new().as_avx2().is_some();
        #[cfg(not(target_arch = "x86_64"))]
        false
    }

    /// With another share of the encoder's window than the measured one.
    pub fn with_window(mut self, window: Window) -> Self {
        self.window = window;
        self
    }

    /// One transcriber, for one thread.
    pub fn transcriber(&self) -> NativeTranscriber {
        NativeTranscriber {
            parts: Arc::clone(&self.parts),
            window: self.window,
            padded: Vec::new(),
            frames: Vec::new(),
            encoded: Vec::new(),
            scratch: Scratch::default(),
            listening: Listening::default(),
        }
    }
}

/// The engine's working memory.
pub struct NativeTranscriber {
    parts: Arc<Parts>,
    window: Window,
    padded: Vec<f32>,
    frames: Vec<f32>,
    encoded: Vec<f32>,
    scratch: Scratch,
    listening: Listening,
}

impl Transcriber for NativeTranscriber {
    fn transcribe(&mut self, samples: &[f32], hints: &Hints) -> Result<Heard, ModelError> {
        self.hear(samples);
        let audio_s = samples.len() as f32 / SAMPLE_RATE_HZ as f32;
        let glossary = hints.glossary.as_deref().unwrap_or_default();
        let multilingual = self.parts.tokens.multilingual();
        let given = hints.language.as_deref().filter(|_| multilingual);
        let clear = (given.is_none() && multilingual && audio_s >= LANGUAGE_LEAST_S)
            .then(|| self.clear_language())
            .flatten();
        let mut heard = self.decode(given.unwrap_or(ENGLISH), glossary, audio_s);
        heard.language = given.map(Into::into);
        match clear {
            Some((ENGLISH, _)) => heard.language = Some(ENGLISH.into()),
            Some((other, share)) => {
                let gain = if share >= LANGUAGE_SURE { -LANGUAGE_GAIN } else { LANGUAGE_GAIN };
                let mut foreign = self.decode(other, glossary, audio_s);
                if foreign.mean_logprob > heard.mean_logprob + gain {
                    foreign.language = Some(other.into());
                    heard = foreign;
                }
            }
            None => {}
        }
        Ok(heard)
    }

    fn knows(&self, language: &str) -> bool {
        let tokens = &self.parts.tokens;
        language == ENGLISH || (tokens.multilingual() && tokens.language(language).is_some())
    }
}

impl NativeTranscriber {
    /// Runs the encoder.
    fn hear(&mut self, samples: &[f32]) {
        dither(samples, &mut self.padded);
        let parts = &*self.parts;
        let positions = self.window.positions(self.padded.len());
        parts.mel.frames(&self.padded, 2 * positions, &mut self.frames);
        let (level, scratch) = (parts.level, &mut self.scratch);
        parts.encoder.encode(level, &self.frames, positions, scratch, &mut self.encoded);
        parts.decoder.hear(level, &self.encoded, &mut self.listening, scratch);
    }

    /// The language and its probability, if it is clear: one step of the decoder (A. Radford et al., 2022, section 2.3:
    /// the first token is the language).
    fn clear_language(&mut self) -> Option<(&'static str, f32)> {
        let Parts { level, tokens, decoder, .. } = &*self.parts;
        decoder.step(*level, &[tokens.start], &mut self.listening, &mut self.scratch);
        let (language, probability) = tokens.likeliest_language(&self.listening.logits)?;
        (probability >= LANGUAGE_CLEAR && language != LANGUAGE_OF_NOISE)
            .then_some((language, probability))
    }

    /// Says the likeliest after the likeliest, until the end or the limit.
    fn decode(&mut self, language: &str, glossary: &str, audio_s: f32) -> Heard {
        let model = Arc::clone(&self.parts);
        let Parts { level, tokens, decoder, .. } = &*model;
        let listening = &mut self.listening;
        listening.rewind();
        decoder.step(*level, &model.prompt(language, glossary), listening, &mut self.scratch);
        // The vocabulary was made for English: it cuts the words of others into more pieces.
        let tokens_per_s = if language == ENGLISH { 5.0 } else { 8.0 };
        let limit = ((6.0 + tokens_per_s * audio_s) as usize).min(decoder.room(listening));
        let last_time = tokens.time(audio_s - NEAR_END_S);
        let mut said = vec![tokens.first_time];
        let (mut spoken, mut ending) = (Vec::new(), Vec::new());
        while said.len() <= limit {
            let (token, probability) = rules::choose(*level, tokens, &said, &listening.logits);
            let attention = std::mem::take(&mut listening.attention);
            if token < tokens.end {
                spoken.push(Spoken { token, probability, attention });
                ending.clear();
            } else if ending.is_empty() {
                ending = attention;
            }
            if token == tokens.end || token >= last_time {
                break;
            }
            said.push(token);
            decoder.step(*level, &[token], listening, &mut self.scratch);
        }
        words::put_together(tokens, &spoken, &ending, listening.positions(), audio_s)
    }
}

impl Parts {
    /// What the decoder is told before it begins.
    fn prompt(&self, language: &str, glossary: &str) -> Vec<u32> {
        let tokens = &self.tokens;
        let mut prompt = Vec::new();
        let names = tokens.tokenise(glossary);
        if !names.is_empty() {
            prompt.push(tokens.previous);
            prompt.extend(names.iter().take(PROMPT_TOKENS_MAX));
        }
        prompt.push(tokens.start);
        if tokens.multilingual() {
            prompt.extend(tokens.language(language).or_else(|| tokens.language(ENGLISH)));
            prompt.push(tokens.transcribe);
        }
        prompt.push(tokens.first_time);
        prompt
    }
}
