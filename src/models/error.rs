use std::path::PathBuf;

use crate::domain::{Classify, ErrorKind};

use super::convert::ConvertError;

/// What can go wrong with a model.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    #[error("{0}")]
    Failed(String),
    #[error("{file}:{line}: field {field:?}: {problem}")]
    Manifest { file: String, line: usize, field: String, problem: String },
    #[error("manifest {file}: can't be read: {source}")]
    NoManifest { file: PathBuf, source: std::io::Error },
    #[error("{file} has no model {name:?}; it has {known}")]
    Unknown { file: String, name: String, known: String },
    #[error("model {name} is not installed in {folder}; run `backchannel models pull {name}`")]
    NotInstalled { name: String, folder: PathBuf },
    #[error(
        "model {name}: {file} is damaged: expected sha256 {expected}, found {found}; \
         run `backchannel models pull {name}`"
    )]
    Damaged { name: String, file: PathBuf, expected: String, found: String },
    #[error("{what} has the wrong hash: expected sha256 {expected}, found {found}")]
    WrongHash { what: String, expected: String, found: String },
    #[error("no cache folder: set BACKCHANNEL_CACHE, XDG_CACHE_HOME or HOME")]
    NoCache,
    /// One source could not be used; the next may do.
    #[error("{0}")]
    Source(String),
    #[error("model {name} could not be had from any source; {by_hand}")]
    Unavailable { name: String, by_hand: String, retryable: bool },
    #[error("{what}: {source}")]
    Convert { what: String, source: ConvertError },
    #[error("{path}: {source}")]
    Io { path: PathBuf, source: std::io::Error },
}

impl ModelError {
    /// For `map_err`: an input or output error with the path that it is about.
    pub(super) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}

impl Classify for ModelError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Failed(_) => ErrorKind::Internal,
            Self::Unknown { .. } | Self::NotInstalled { .. } => ErrorKind::NotFound,
            Self::Manifest { .. }
            | Self::NoManifest { .. }
            | Self::Damaged { .. }
            | Self::WrongHash { .. }
            | Self::Unavailable { retryable: false, .. }
            | Self::NoCache
            | Self::Convert { .. } => ErrorKind::Invalid,
            // A full disk or a folder without rights is the machine's state, not a bug.
            Self::Source(_) | Self::Unavailable { .. } | Self::Io { .. } => ErrorKind::Unavailable,
        }
    }
}
