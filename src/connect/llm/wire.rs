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

/// Longer ones are no names of errors.
const CODE_CHARS_MAX: usize = 40;

/// What the error object of a body or of a piece is called. Only what looks like a name in a program is
/// told: everything else may be somebody's words.
pub(super) fn refusal(status: Option<u16>, error: &serde_json::Value) -> Failure {
    let inner = error.get("error").unwrap_or(error);
    let is_plain = |code: &&str| {
        (1..=CODE_CHARS_MAX).contains(&code.len())
            && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    };
    let mut said = status.map_or_else(|| "error".to_owned(), |status| format!("status {status}"));
    for field in ["type", "code"] {
        if let Some(code) = inner.get(field).and_then(|code| code.as_str()).filter(is_plain) {
            said.push_str(&format!(", {field} {code}"));
        }
    }
    Failure::Refused(said)
}
