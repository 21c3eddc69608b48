use std::path::PathBuf;

use crate::domain::{Classify, ErrorKind};

/// Why a file can't write.
#[derive(Debug, thiserror::Error)]
pub enum LlamaError {
    #[error("{path}: {source}")]
    Io { path: PathBuf, source: std::io::Error },
    #[error("not a GGUF file that can be read: {0}")]
    Container(String),
    #[error(
        "the architecture {0:?} is not supported; llama (also SmolLM2, and Mistral as GGUF has it) \
         and qwen2 are"
    )]
    Architecture(String),
    #[error("the model can't be run: {0}")]
    Shape(String),
    #[error("weights can't be read: {0}")]
    Format(String),
    #[error("the tokenizer {0}")]
    Tokenizer(String),
    #[error("the chat template can't be used: {0}")]
    Template(String),
    #[error("threads must be from 1 to {most}, and are {0}", most = super::THREADS_MAX)]
    Threads(usize),
    #[error("the system gives no thread: {0}")]
    System(String),
}

impl Classify for LlamaError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Io { .. } | Self::System(_) => ErrorKind::Unavailable,
            _ => ErrorKind::Invalid,
        }
    }
}
