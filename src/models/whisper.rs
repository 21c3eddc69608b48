//! Whisper through whisper.cpp: one shared context a model, one state a worker.
//!
//! The settings were measured (`benches/README.md`): a short `audio_ctx` is what makes short
//! utterances cheap, since the encoder otherwise pays for 30 s, and dither, the token limit and the
//! guards of `flow::transcript` are what keep it from looping.

use std::path::Path;
use std::sync::Arc;

use whisper_rs::{
    FullParams, SamplingStrategy, WhisperContext, WhisperContextParameters, WhisperState,
    WhisperTokenId, get_lang_max_id, get_lang_str,
};

use super::ModelError;
use super::transcriber::{ENGLISH, Heard, HeardWord, Hints, SAMPLE_RATE_HZ, Transcriber};

/// The encoder makes 50 positions a second, 1,500 for the full window of 30 s.
const POSITIONS_PER_SECOND: f32 = 50.0;
const POSITIONS_MAX: usize = 1_500;
/// whisper.cpp refuses less than 0.1 s, and Whisper does badly on less than a second.
const SHORTEST_SAMPLES: usize = SAMPLE_RATE_HZ as usize;
/// A language is told from no less audio: two seconds of speech and what is kept around it.
pub(super) const LANGUAGE_LEAST_S: f32 = 2.4;
/// What Whisper takes noise for. Norwegian speech it calls `no`, in either written form.
pub(super) const LANGUAGE_OF_NOISE: &str = "nn";
/// So probable a language must be, whatever is second.
pub(super) const LANGUAGE_CLEAR: f32 = 0.6;
/// Words of another language must be so much likelier than what English makes of them, or, where the
/// language is all but certain, at most so much less likely.
pub(super) const LANGUAGE_SURE: f32 = 0.8;
pub(super) const LANGUAGE_GAIN: f32 = 0.1;
/// The longest prompt, in tokens: each costs as much as a word that is heard.
pub(super) const PROMPT_TOKENS_MAX: usize = 40;

/// How much of the encoder's window beyond the audio is kept, in positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub extra: usize,
    pub least: usize,
}

impl Window {
    /// A narrower one makes tiny.en repeat itself, a wider one gains it nothing.
    pub const TINY: Self = Self { extra: 256, least: 512 };
    /// Narrower ones cost base fewer milliseconds and more words (`benches/README.md`).
    pub const BASE: Self = Self { extra: 384, least: 768 };

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
        let audio_s = samples.len() as f32 / SAMPLE_RATE_HZ as f32;
        let prompt = self.prompt(hints);
        let multilingual = self.model.context.is_multilingual();
        let given = hints.language.as_deref().filter(|_| multilingual);
        let mut heard = self.decode(audio_s, given.unwrap_or(ENGLISH), &prompt)?;
        heard.language = given.map(Into::into);
        if given.is_none() && multilingual && audio_s >= LANGUAGE_LEAST_S {
            match self.clear_language()? {
                Some((ENGLISH, _)) => heard.language = Some(ENGLISH.into()),
                Some((other, share)) => {
                    let gain = if share >= LANGUAGE_SURE { -LANGUAGE_GAIN } else { LANGUAGE_GAIN };
                    let mut foreign = self.decode(audio_s, other, &prompt)?;
                    if foreign.mean_logprob > heard.mean_logprob + gain {
                        foreign.language = Some(other.into());
                        heard = foreign;
                    }
                }
                None => {}
            }
        }
        Ok(heard)
    }

    fn knows(&self, language: &str) -> bool {
        language == ENGLISH || self.model.context.is_multilingual()
    }
}

/// Whether Whisper knows this language, named as in ISO 639-1.
pub fn is_language(code: &str) -> bool {
    (0..=get_lang_max_id()).any(|id| get_lang_str(id) == Some(code))
}

impl WhisperTranscriber {
    fn prompt(&self, hints: &Hints) -> Vec<WhisperTokenId> {
        // Tokens, since whisper-rs never frees a prompt that is given as text.
        let glossary = hints.glossary.as_deref().unwrap_or_default().replace('\0', " ");
        let context = &self.model.context;
        match context.tokenize(&format!(" {glossary}"), 4 * PROMPT_TOKENS_MAX) {
            Ok(mut tokens) if !glossary.is_empty() => {
                tokens.truncate(PROMPT_TOKENS_MAX);
                tokens
            }
            _ => Vec::new(),
        }
    }

    fn decode(
        &mut self,
        audio_s: f32,
        language: &str,
        prompt: &[WhisperTokenId],
    ) -> Result<Heard, ModelError> {
        // The vocabulary was made for English: it cuts the words of others into more pieces.
        let tokens_per_s = if language == ENGLISH { 5.0 } else { 8.0 };
        let mut params = FullParams::new(SamplingStrategy::Greedy { best_of: 1 });
        params.set_n_threads(1);
        params.set_language(Some(language));
        params.set_tokens(prompt);
        params.set_no_context(true);
        params.set_single_segment(true);
        params.set_token_timestamps(true);
        params.set_temperature(0.0);
        params.set_temperature_inc(0.0);
        params.set_audio_ctx(self.model.window.positions(self.padded.len()) as i32);
        params.set_max_tokens((6.0 + tokens_per_s * audio_s) as i32);
        params.set_print_progress(false);
        params.set_print_realtime(false);
        params.set_print_special(false);
        params.set_print_timestamps(false);
        self.state
            .full(params, &self.padded)
            .map_err(|error| ModelError::Failed(format!("whisper: {error}")))?;
        Ok(self.read_out((audio_s * 1_000.0) as u64))
    }

    /// The language of what was decoded last and its probability, if it is clear. The encoder's work is still there, so
    /// this costs one step of the decoder (A. Radford et al., 2022, section 2.3: the first token is
    /// the language).
    fn clear_language(&mut self) -> Result<Option<(&'static str, f32)>, ModelError> {
        let start = [self.model.context.token_sot()];
        let failed = |error| ModelError::Failed(format!("whisper: no language: {error}"));
        self.state.decode(&start, 0, 1).map_err(failed)?;
        let logits = self.state.get_logits().map_err(failed)?;
        let scores: Vec<(&'static str, f32)> = (0..=get_lang_max_id())
            .filter_map(|id| {
                let token = self.model.context.token_lang(id);
                Some((get_lang_str(id)?, *logits.get(usize::try_from(token).ok()?)?))
            })
            .collect();
        let Some(best) = scores.iter().max_by(|a, b| a.1.total_cmp(&b.1)) else { return Ok(None) };
        let sum: f32 = scores.iter().map(|(_, score)| (score - best.1).exp()).sum();
        let told = (1.0 / sum >= LANGUAGE_CLEAR).then_some((best.0, 1.0 / sum));
        Ok(told.filter(|(language, _)| *language != LANGUAGE_OF_NOISE))
    }

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
