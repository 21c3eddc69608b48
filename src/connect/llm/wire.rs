//! A piece of a streamed answer, read leniently: servers differ in what they leave out.

use serde::Deserialize;

use super::failure::Failure;
use crate::models::{Finish, TokenCount};

#[derive(Debug, Default, Deserialize)]
pub(super) struct Chunk {
    #[serde(default)]
    pub choices: Vec<Choice>,
    pub model: Option<String>,
    pub usage: Option<Usage>,
    /// Some servers have begun with 200 when they fail.
    pub error: Option<serde_json::Value>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Choice {
    pub delta: Option<Delta>,
    pub finish_reason: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Delta {
    pub content: Option<String>,
    pub refusal: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Usage {
    #[serde(default)]
    pub prompt_tokens: u64,
    #[serde(default)]
    pub completion_tokens: u64,
}

impl From<Usage> for TokenCount {
    fn from(usage: Usage) -> Self {
        Self { prompt: usage.prompt_tokens, written: usage.completion_tokens }
    }
}

pub(super) fn finish(reason: &str) -> Finish {
    match reason {
        "length" | "max_tokens" => Finish::Length,
        "content_filter" => Finish::Filtered,
        _ => Finish::Stop,
    }
}

/// The error object of a body or of a piece: what it is, for people.
pub(super) fn refusal(status: Option<u16>, error: &serde_json::Value) -> Failure {
    let inner = error.get("error").unwrap_or(error);
    let word = |field: &str| {
        let value = inner.get(field)?;
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        (text != "null" && text.len() <= 64).then_some(text)
    };
    let mut safe = status.map_or_else(|| "error".to_owned(), |status| format!("status {status}"));
    for field in ["type", "code", "param"] {
        if let Some(word) = word(field) {
            safe.push_str(&format!(", {field} {word}"));
        }
    }
    let message = inner.get("message").and_then(serde_json::Value::as_str);
    let message = message.or_else(|| inner.as_str()).unwrap_or_default().to_owned();
    Failure::Refused { safe, message }
}
