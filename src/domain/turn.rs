use super::{Party, Redacted, TurnId};

/// One recognised word. Times count from the conversation's `audio.started`.
#[derive(Clone, Debug, PartialEq)]
pub struct Word {
    pub text: Redacted,
    pub start_ms: u64,
    pub end_ms: u64,
    /// Mean probability of the word's tokens, 0 to 1.
    pub confidence: f32,
}

/// One finished utterance.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    pub id: TurnId,
    pub party: Party,
    pub start_ms: u64,
    pub end_ms: u64,
    pub text: Redacted,
    /// As people would write it: numbers, amounts, dates, addresses. `None` when that is `text`.
    pub display_text: Option<Redacted>,
    pub words: Vec<Word>,
    /// Mean natural logarithm of the tokens' probabilities; `None` for typed text.
    pub mean_logprob: Option<f32>,
    /// ISO 639-1
    pub language: String,
}

/// What has been understood of an utterance that goes on. Streamed, never stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partial {
    /// The id that the final will have.
    pub turn_id: TurnId,
    pub party: Party,
    pub start_ms: u64,
    /// Empty when the utterance turned out to be none.
    pub text: Redacted,
    /// So many characters at the front won't change any more.
    pub stable_prefix_chars: usize,
}

impl Turn {
    /// Puts digits that were held back and found harmless in the place of their placeholder.
    pub fn release(&mut self, placeholder: &str, words: &Redacted) {
        self.text = self.text.released(placeholder, words);
        if let Some(written) = &mut self.display_text {
            *written = written.released(placeholder, words);
        }
        for word in &mut self.words {
            word.text = word.text.released(placeholder, words);
        }
    }
}
