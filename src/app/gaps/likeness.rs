//! What questions are compared by: the embedding model, or their words where there is none.

use tokio::sync::watch;

use crate::insight::gaps::{MEANING_NEARNESS, WORDS_NEARNESS, word_vector};
use crate::models::embedder::{EmbedderError, EmbedderHandle, Urgency};

/// Whether there is an embedding model; told once the service knows.
#[derive(Clone)]
pub enum Meaning {
    /// It is being loaded.
    Awaited,
    Known(EmbedderHandle),
    /// There is none.
    Missing,
}

pub(super) enum Likeness {
    Meaning(EmbedderHandle),
    Words,
}

impl Likeness {
    /// Waits until it is known whether there is a model.
    pub async fn of(mut meaning: watch::Receiver<Meaning>) -> Self {
        let known = meaning.wait_for(|meaning| !matches!(meaning, Meaning::Awaited)).await;
        match known.as_deref() {
            Ok(Meaning::Known(embedder)) => Self::Meaning(embedder.clone()),
            // An error says that nobody will tell any more.
            Ok(Meaning::Missing | Meaning::Awaited) | Err(_) => Self::Words,
        }
    }

    /// Vectors under one name can be compared.
    pub fn name(&self) -> &str {
        match self {
            Self::Meaning(embedder) => embedder.fingerprint(),
            Self::Words => "words",
        }
    }

    pub const fn nearness(&self) -> f32 {
        match self {
            Self::Meaning(_) => MEANING_NEARNESS,
            Self::Words => WORDS_NEARNESS,
        }
    }

    /// A vector of length 1, or zeros for a text that says nothing to compare by.
    ///
    /// # Errors
    /// The model is busy or gone.
    pub async fn vector(&self, text: &str) -> Result<Vec<f32>, EmbedderError> {
        match self {
            Self::Meaning(embedder) => {
                let vectors = embedder.embed(vec![text.to_owned()], Urgency::Background).await?;
                vectors.into_iter().next().ok_or(EmbedderError::Stopped)
            }
            Self::Words => Ok(word_vector(text)),
        }
    }
}
