use crate::domain::{Classify, ErrorKind};

/// What can go wrong with a model.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    #[error("{0}")]
    Failed(String),
}

impl Classify for ModelError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Failed(_) => ErrorKind::Internal,
        }
    }
}
