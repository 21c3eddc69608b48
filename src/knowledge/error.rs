use std::path::PathBuf;

use crate::domain::{Classify, ErrorKind};

/// What is wrong with the knowledge base, or with a search in it.
#[derive(Debug, thiserror::Error)]
pub enum KnowledgeError {
    #[error("the knowledge folder {folder} can't be read: {reason}")]
    Folder { folder: PathBuf, reason: String },
    #[error(transparent)]
    Article(#[from] ArticleError),
    #[error("the search index failed: {0}")]
    Index(#[from] tantivy::TantivyError),
    #[error("no threads for the search index: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
}

impl Classify for KnowledgeError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Folder { .. } | Self::Article(_) => ErrorKind::Invalid,
            Self::Index(_) | Self::Threads(_) => ErrorKind::Internal,
        }
    }
}

/// One article that can't be loaded. The others are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {field}: {reason}")]
pub struct ArticleError {
    pub file: String,
    /// Counts from 1.
    pub line: usize,
    /// The front matter's field, or `front matter`, or `body`.
    pub field: String,
    pub reason: String,
}

impl Classify for ArticleError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }
}
