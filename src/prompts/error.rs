use std::path::PathBuf;

use crate::domain::{Classify, ErrorKind};

/// Why a prompt can't be used.
#[derive(Debug, thiserror::Error)]
pub enum PromptError {
    #[error("{file}:{line}: {problem}")]
    File { file: String, line: usize, problem: String },
    #[error("prompts/lock.toml: {problem}")]
    Lock { problem: String },
    #[error("{path}: can't be read: {source}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("there is no prompt {id}")]
    Unknown { id: String },
    /// What the program gave it to render; our mistake, or that of a case.
    #[error("{file}: input `{input}` {problem}")]
    Input { file: String, input: String, problem: String },
}

impl PromptError {
    pub(super) fn at(file: &str, line: usize, problem: impl Into<String>) -> Self {
        Self::File { file: file.to_owned(), line, problem: problem.into() }
    }
}

impl Classify for PromptError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::File { .. } | Self::Lock { .. } | Self::Read { .. } => ErrorKind::Invalid,
            Self::Unknown { .. } => ErrorKind::NotFound,
            Self::Input { .. } => ErrorKind::Internal,
        }
    }
}
