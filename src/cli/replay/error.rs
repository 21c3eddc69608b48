use crate::domain::{Classify, ErrorKind};
use crate::flow::audio::{AudioError, FileError};

#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    #[error("{file} {fault}")]
    File { file: String, fault: FileError },
    #[error("{file}: {fault}")]
    Audio { file: String, fault: AudioError },
    #[error("{0}")]
    Arguments(String),
    #[error(
        "{url} can't be reached ({why}): is the service running there? start it with `backchannel serve`, or name another with --url"
    )]
    Unreachable { url: String, why: String },
    #[error("{url} refused the API key: set BACKCHANNEL_API_KEY to a key of this service")]
    Denied { url: String },
    #[error("{url} does not answer like a Backchannel service (HTTP status {status})")]
    NotAService { url: String, status: u16 },
    #[error("{url} can't take the call at the moment: {why}")]
    Busy { url: String, why: String },
    #[error("{file}: the service refused the call: {reason} (close code {code})")]
    Refused { file: String, code: u16, reason: String },
    #[error("{file}: the connection broke in mid-call ({why}); what was said until then is kept")]
    Broken { file: String, why: String },
    #[error("{file}: the service did not finish the call within {seconds} s")]
    Unfinished { file: String, seconds: u64 },
    #[error("the event stream of {url} broke and did not come back ({why})")]
    StreamLost { url: String, why: String },
    #[error("{0}: this is a bug")]
    Bug(String),
}

impl Classify for ReplayError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::File { fault, .. } => fault.kind(),
            Self::Audio { fault, .. } => fault.kind(),
            Self::Arguments(_) | Self::NotAService { .. } => ErrorKind::Invalid,
            Self::Denied { .. } => ErrorKind::Denied,
            Self::Unreachable { .. } | Self::Broken { .. } | Self::StreamLost { .. } => {
                ErrorKind::Unavailable
            }
            Self::Busy { .. } => ErrorKind::Busy,
            Self::Unfinished { .. } => ErrorKind::Timeout,
            Self::Refused { code, .. } => match code {
                1001 | 1011 | 1012 | 1013 => ErrorKind::Unavailable,
                // We wrote every byte of it.
                _ => ErrorKind::Internal,
            },
            Self::Bug(_) => ErrorKind::Internal,
        }
    }
}
