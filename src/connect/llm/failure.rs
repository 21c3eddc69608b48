//! What went wrong between us and a server, and what it means for who asked.

use std::error::Error;
use std::time::Duration;

use async_openai::error::OpenAIError;

use crate::models::{WritingError, WritingRequest};

/// An answer that is none. Goes through `async-openai` in a box.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("the key or token was not accepted")]
    Denied,
    #[error("too many requests")]
    Limited { retry_after: Option<Duration> },
    /// The first part is safe to log; the second is the server's own words, which may quote ours.
    #[error("{safe}")]
    Refused { safe: String, message: String },
    #[error("{0}")]
    Unavailable(String),
    /// The deadline of the request will tell how long.
    #[error("no connection in time")]
    ConnectTimeout,
}

impl From<Failure> for OpenAIError {
    fn from(failure: Failure) -> Self {
        Self::Boxed(Box::new(failure))
    }
}

/// How many characters of a server's message are told.
const MESSAGE_CHARS: usize = 160;
/// So much of our own text in a message makes it ours.
const QUOTE_CHARS: usize = 12;

pub(super) fn explain(
    error: OpenAIError,
    provider: &str,
    request: &WritingRequest,
    waited_ms: u64,
) -> WritingError {
    let provider = provider.to_owned();
    let failure = match error {
        OpenAIError::Boxed(boxed) => match boxed.downcast::<Failure>() {
            Ok(failure) => *failure,
            Err(_) => Failure::Unavailable("the request could not be made".to_owned()),
        },
        OpenAIError::Reqwest(error) => Failure::Unavailable(reason(&error)),
        // Its text would be the piece that couldn't be read.
        OpenAIError::JSONDeserialize(..) => {
            return WritingError::Broken { provider, detail: "a piece is no JSON".to_owned() };
        }
        OpenAIError::StreamError(_) => {
            return WritingError::Broken { provider, detail: "the connection broke".to_owned() };
        }
        _ => Failure::Unavailable("the request could not be made".to_owned()),
    };
    match failure {
        Failure::Denied => WritingError::Denied { provider },
        Failure::Limited { retry_after } => WritingError::Limited { provider, retry_after },
        Failure::Refused { safe, message } => {
            let message = speakable(&message, request);
            let detail = if message.is_empty() { safe } else { format!("{safe}: {message}") };
            WritingError::Refused { provider, detail }
        }
        Failure::Unavailable(detail) => WritingError::Unavailable { provider, detail },
        Failure::ConnectTimeout => WritingError::Timeout { provider, waited_ms },
    }
}

/// The server's words, unless they quote what was asked: that would be a customer's.
fn speakable(message: &str, request: &WritingRequest) -> String {
    let start: Vec<char> = message.chars().take(MESSAGE_CHARS).collect();
    let quotes = start.windows(QUOTE_CHARS).any(|window| {
        let window: String = window.iter().collect();
        request.messages.iter().any(|message| message.content.contains(&window))
    });
    if quotes { String::new() } else { start.into_iter().collect() }
}

/// reqwest's own text names the address and hides the cause; the last link is the reason.
pub(super) fn reason(error: &reqwest::Error) -> String {
    let mut last = error.source();
    while let Some(deeper) = last.and_then(Error::source) {
        last = Some(deeper);
    }
    last.map_or_else(|| "no answer".to_owned(), ToString::to_string)
}
