//! The messages as they stand on the wire.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::domain::{Partial, Turn, Word};

/// What a client says besides audio.
#[derive(Deserialize)]
pub struct ClientMessage {
    pub r#type: String,
    /// Of `Configure`.
    pub keyterms: Option<Vec<String>>,
    /// Of `Configure`.
    pub features: Option<std::collections::BTreeMap<String, bool>>,
}

/// A channel's number, and how many there are.
pub type ChannelIndex = [usize; 2];

/// What `Results` say of where they come from.
#[derive(Clone, Debug)]
pub struct Origin {
    pub request_id: String,
    /// Capitals and punctuation stay.
    pub punctuate: bool,
}

/// The recogniser as `metadata.model_info` shows it. The identifier stands for "the local model".
const MODEL_UUID: &str = "6261636b-6368-416e-8e65-6c2d6c6f6361";

impl Origin {
    /// Words that are final.
    pub fn of_turn(&self, channel: ChannelIndex, turn: &Turn, from_finalize: bool) -> Value {
        let confidence = match turn.words.len() {
            0 => 0.0,
            words => {
                turn.words.iter().map(|word| f64::from(word.confidence)).sum::<f64>() / words as f64
            }
        };
        let words: Vec<Value> = turn.words.iter().map(|word| self.word(word)).collect();
        let heard = self.heard(turn.text.as_str(), confidence, words);
        self.results(channel, (turn.start_ms, turn.end_ms), heard, Some(from_finalize))
    }

    /// Words that may still change. Nobody knows their times yet, so there is no list of them; how
    /// sure they are is the share of the text that two decodings agree on.
    pub fn of_partial(&self, channel: ChannelIndex, partial: &Partial, now_ms: u64) -> Value {
        let characters = partial.text.as_str().chars().count().max(1);
        let confidence = partial.stable_prefix_chars as f64 / characters as f64;
        let heard = self.heard(partial.text.as_str(), confidence.min(1.0), Vec::new());
        self.results(channel, (partial.start_ms, now_ms), heard, None)
    }

    /// There was nothing left to finalize.
    pub fn nothing(&self, channel: ChannelIndex, now_ms: u64) -> Value {
        let heard = self.heard("", 0.0, Vec::new());
        self.results(channel, (now_ms, now_ms), heard, Some(true))
    }

    fn results(
        &self,
        channel: ChannelIndex,
        (start_ms, end_ms): (u64, u64),
        heard: Value,
        from_finalize: Option<bool>,
    ) -> Value {
        json!({
            "type": "Results",
            "channel_index": channel,
            "duration": seconds(end_ms.saturating_sub(start_ms)),
            "start": seconds(start_ms),
            "is_final": from_finalize.is_some(),
            "speech_final": from_finalize.is_some(),
            "from_finalize": from_finalize.unwrap_or(false),
            "channel": {"alternatives": [heard]},
            "metadata": {
                "request_id": self.request_id,
                "model_info": {
                    "name": "backchannel",
                    "version": env!("CARGO_PKG_VERSION"),
                    "arch": "whisper",
                },
                "model_uuid": MODEL_UUID,
            },
        })
    }

    fn heard(&self, text: &str, confidence: f64, words: Vec<Value>) -> Value {
        let transcript = if self.punctuate {
            text.to_owned()
        } else {
            let plain: Vec<String> = text.split_whitespace().map(plain).collect();
            plain.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
        };
        json!({"transcript": transcript, "confidence": rounded(confidence), "words": words})
    }

    fn word(&self, word: &Word) -> Value {
        let text = word.text.as_str().trim();
        let mut shown = json!({
            "word": plain(text),
            "start": seconds(word.start_ms),
            "end": seconds(word.end_ms),
            "confidence": rounded(f64::from(word.confidence)),
        });
        if self.punctuate {
            shown["punctuated_word"] = text.into();
        }
        shown
    }
}

pub fn speech_started(channel: usize, start_ms: u64) -> Value {
    json!({"type": "SpeechStarted", "channel": [channel], "timestamp": seconds(start_ms)})
}

pub fn utterance_end(channel: ChannelIndex, end_ms: u64) -> Value {
    json!({"type": "UtteranceEnd", "channel": channel, "last_word_end": seconds(end_ms)})
}

/// What the stream was, once it is over.
pub fn metadata(
    request_id: &str,
    sha256: &[u8],
    created: &str,
    duration_ms: u64,
    channels: usize,
) -> Value {
    let sha256: String = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    json!({
        "type": "Metadata",
        "transaction_key": "deprecated",
        "request_id": request_id,
        "sha256": sha256,
        "created": created,
        "duration": seconds(duration_ms),
        "channels": channels,
    })
}

pub fn error(description: &str) -> Value {
    json!({"type": "Error", "variant": "SchemaError", "description": description})
}

pub fn configured(request_id: &str) -> Value {
    json!({"type": "ConfigureSuccess", "request_id": request_id})
}

pub fn no_keyterms(request_id: &str) -> Value {
    json!({
        "type": "ConfigureFailure",
        "request_id": request_id,
        "code": "CONFIGURE_KEYTERMS_NOT_SUPPORTED",
        "description": "key terms can't be changed while a call is live",
    })
}

fn seconds(ms: u64) -> f64 {
    ms as f64 / 1_000.0
}

/// Four digits are more than anybody knows.
fn rounded(confidence: f64) -> f64 {
    (confidence * 10_000.0).round() / 10_000.0
}

/// A word as it is without `punctuate`. Placeholders of masked numbers (`[card-1]`) stay whole.
fn plain(word: &str) -> String {
    if word.starts_with('[') {
        return word.trim_end_matches(['.', ',', '?', '!', ';', ':']).to_owned();
    }
    word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase()
}
