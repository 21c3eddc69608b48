//! What went wrong between us and a server, and what it means for who asked.

use std::error::Error;
use std::time::Duration;

use async_openai::error::OpenAIError;

use crate::models::WritingError;

/// An answer that is none. Goes through `async-openai` in a box.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("the key or token was not accepted")]
    Denied,
    #[error("too many requests")]
    Limited { retry_after: Option<Duration> },
    /// Status and codes. The server's own words are left out: they may quote the call, and no test of
    /// them can tell.
    #[error("{0}")]
    Refused(String),
    #[error("{0}")]
    Unavailable(String),
    #[error("no connection in time")]
    ConnectTimeout,
}

impl From<Failure> for OpenAIError {
    fn from(failure: Failure) -> Self {
        Self::Boxed(Box::new(failure))
    }
}

pub(super) fn explain(error: OpenAIError, provider: &str, waited_ms: u64) -> WritingError {
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
        Failure::Refused(detail) => WritingError::Refused { provider, detail },
        Failure::Unavailable(detail) => WritingError::Unavailable { provider, detail },
        Failure::ConnectTimeout => WritingError::Silent { provider, silent_ms: waited_ms },
    }
}

/// reqwest's own text names the address and hides the cause; the last link is the reason.
pub(super) fn reason(error: &reqwest::Error) -> String {
    let mut last = error.source();
    while let Some(deeper) = last.and_then(Error::source) {
        last = Some(deeper);
    }
    last.map_or_else(|| "no answer".to_owned(), ToString::to_string)
}
