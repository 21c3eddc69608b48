//! Why nothing is shown at all.

use crate::domain::{Classify, ErrorKind, StruckSentence};

/// Fewer words with a subject than this leave nothing to write about.
pub(super) const CONTENT_WORDS_MIN: usize = 5;

#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    #[error("there is nothing to write about: the conversation is empty")]
    Empty,
    #[error("there is too little to write about: {turns} turns with {content_words} telling words")]
    TooLittle { turns: usize, content_words: usize },
    #[error("nothing was written")]
    NothingWritten,
    #[error("none of the {} sentences is supported", struck.len())]
    NothingProven { struck: Vec<StruckSentence> },
}

impl Classify for Refusal {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Empty | Self::TooLittle { .. } => ErrorKind::Invalid,
            // Another attempt may write something better.
            Self::NothingWritten | Self::NothingProven { .. } => ErrorKind::Unavailable,
        }
    }
}
