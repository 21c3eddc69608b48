//! Whisper through whisper.cpp: one shared context a model, one state a worker.
//!
//! The settings were measured (`benches/README.md`): a short `audio_ctx` is what makes short
//! utterances cheap, since the encoder otherwise pays for 30 s, and dither, the token limit and the
//! guards of `flow::transcript` are what keep it from looping.

use std::path::Path;
use std::sync::Arc;

use whisper_rs::{
    FullParams, SamplingStrategy, WhisperContext, WhisperContextParameters, WhisperState,
};

use super::ModelError;
use super::transcriber::{Heard, HeardWord, Hints, SAMPLE_RATE_HZ, Transcriber};

/// The encoder makes 50 positions a second, 1,500 for the full window of 30 s.
const POSITIONS_PER_SECOND: f32 = 50.0;
const POSITIONS_MAX: usize = 1_500;
/// whisper.cpp refuses less than 0.1 s, and Whisper does badly on less than a second.
const SHORTEST_SAMPLES: usize = SAMPLE_RATE_HZ as usize;

/// How much of the encoder's window beyond the audio is kept, in positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub extra: usize,
    pub least: usize,
}

impl Window {
    /// tiny.en loops below these.
    pub const TINY: Self = Self { extra: 256, least: 512 };
    pub const BASE: Self = Self { extra: 128, least: 0 };

    /// Tiny has four encoder layers, base six.
    pub(super) fn of_layers(layers: usize) -> Self {
        if layers <= 4 { Self::TINY } else { Self::BASE }
    }

    pub(super) fn positions(self, samples: usize) -> usize {
        let seconds = samples as f32 / SAMPLE_RATE_HZ as f32;
        let wanted = (seconds * POSITIONS_PER_SECOND).ceil() as usize + self.extra;
        wanted.max(self.least).next_multiple_of(64).min(POSITIONS_MAX)
    }
}

/// One set of weights in memory, shared by all workers.
#[derive(Clone)]
pub struct WhisperModel {
    context: Arc<WhisperContext>,
    window: Window,
}

impl WhisperModel {
    /// Loads ggml weights.
    ///
    /// # Errors
    /// `ModelError::Failed` names the file.
    pub fn load(path: &Path) -> Result<Self, ModelError> {
        whisper_rs::install_logging_hooks();
        let context = WhisperContext::new_with_params(path, WhisperContextParameters::default())
            .map_err(|error| ModelError::Failed(format!("{}: {error}", path.display())))?;
        let layers = usize::try_from(context.model_n_audio_layer()).unwrap_or_default();
        let window = Window::of_layers(layers);
        Ok(Self { context: Arc::new(context), window })
    }

    /// With another share of the encoder's window than the measured one.
    pub fn with_window(mut self, window: Window) -> Self {
        self.window = window;
        self
    }

    /// One state, for one thread.
    ///
    /// # Errors
    /// `ModelError::Failed` when memory runs out.
    pub fn transcriber(&self) -> Result<WhisperTranscriber, ModelError> {
        let state = self
            .context
            .create_state()
            .map_err(|error| ModelError::Failed(format!("no state for a worker: {error}")))?;
        Ok(WhisperTranscriber { state, model: self.clone(), padded: Vec::new() })
    }
}

pub struct WhisperTranscriber {
    state: WhisperState,
    model: WhisperModel,
    padded: Vec<f32>,
}

impl Transcriber for WhisperTranscriber {
    fn transcribe(&mut self, samples: &[f32], hints: &Hints) -> Result<Heard, ModelError> {
        dither(samples, &mut self.padded);
        let seconds = samples.len() as f32 / SAMPLE_RATE_HZ as f32;
        let mut params = FullParams::new(SamplingStrategy::Greedy { best_of: 1 });
        params.set_n_threads(1);
        params.set_language(Some(hints.language.as_deref().unwrap_or("en")));
        params.set_no_context(true);
        params.set_single_segment(true);
        params.set_token_timestamps(true);
        params.set_temperature(0.0);
        params.set_temperature_inc(0.0);
        params.set_audio_ctx(self.model.window.positions(self.padded.len()) as i32);
        params.set_max_tokens((6.0 + 5.0 * seconds) as i32);
        params.set_print_progress(false);
        params.set_print_realtime(false);
        params.set_print_special(false);
        params.set_print_timestamps(false);
        self.state
            .full(params, &self.padded)
            .map_err(|error| ModelError::Failed(format!("whisper: {error}")))?;
        Ok(self.read_out((seconds * 1_000.0) as u64))
    }
}

impl WhisperTranscriber {
    fn read_out(&self, audio_ms: u64) -> Heard {
        let first_special = self.model.context.token_eot();
        let mut heard = Heard::default();
        let mut logprob_sum = 0.0;
        let mut word = Vec::new();
        let mut span = (0_u64, 0_u64);
        let mut probabilities = (0.0_f32, 0_u32);
        for segment in self.state.as_iter() {
            for index in 0..segment.n_tokens() {
                let Some(token) = segment.get_token(index) else { continue };
                let data = token.token_data();
                if data.id >= first_special {
                    continue;
                }
                let Ok(bytes) = token.to_bytes() else { continue };
                heard.tokens += 1;
                logprob_sum += data.plog;
                // A token that begins with a blank begins a word.
                if bytes.first() == Some(&b' ') && !word.is_empty() {
                    push_word(&mut heard.words, &word, span, probabilities);
                    word.clear();
                    probabilities = (0.0, 0);
                }
                // Engine times are in hundredths of a second.
                let start_ms = (data.t0.max(0) as u64 * 10).min(audio_ms);
                let end_ms = (data.t1.max(0) as u64 * 10).min(audio_ms);
                if word.is_empty() {
                    span.0 = start_ms;
                }
                span.1 = end_ms.max(span.0);
                probabilities = (probabilities.0 + data.p, probabilities.1 + 1);
                word.extend_from_slice(bytes);
            }
        }
        push_word(&mut heard.words, &word, span, probabilities);
        if heard.tokens > 0 {
            heard.mean_logprob = logprob_sum / heard.tokens as f32;
        }
        heard
    }
}

/// Copies the samples with a little noise under them: exact digital silence, which telephone
/// networks send, is what Whisper invents text on. The noise is the same every time.
pub(super) fn dither(samples: &[f32], out: &mut Vec<f32>) {
    const AMPLITUDE: f32 = 0.002;
    out.clear();
    out.extend_from_slice(samples);
    out.resize(samples.len().max(SHORTEST_SAMPLES), 0.0);
    let mut state = 0x9E37_79B9_u32;
    for sample in out {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        *sample += (state as f32 / u32::MAX as f32 - 0.5) * 2.0 * AMPLITUDE;
    }
}

fn push_word(words: &mut Vec<HeardWord>, bytes: &[u8], span: (u64, u64), sum: (f32, u32)) {
    let text = String::from_utf8_lossy(bytes).trim().to_owned();
    if text.is_empty() {
        return;
    }
    let confidence = if sum.1 == 0 { 0.0 } else { (sum.0 / sum.1 as f32).clamp(0.0, 1.0) };
    words.push(HeardWord { text, start_ms: span.0, end_ms: span.1, confidence });
}
