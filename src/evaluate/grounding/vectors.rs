//! Vectors of a conversation's turns, so that the verifier can ask for what is meant.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::grounding::Vectors;
use crate::models::Material;
use crate::models::embedder::{EmbedderError, EmbedderHandle, Urgency};

/// Nobody waits on a phone for this run.
const PATIENCE: Duration = Duration::from_secs(60);
const BATCH: usize = 32;

pub struct Embedded {
    handle: EmbedderHandle,
    sources: HashMap<String, Vec<f32>>,
}

impl Embedded {
    /// # Errors
    /// The model failed.
    pub fn of(material: &Material, handle: &EmbedderHandle) -> Result<Arc<Self>, EmbedderError> {
        let turns = material.turns.iter().map(|turn| (turn.id.as_str(), turn.text.as_str()));
        let passages =
            material.passages.iter().map(|one| (one.passage_id.as_str(), one.quote.as_str()));
        let all: Vec<(&str, &str)> = turns.chain(passages).collect();
        let mut sources = HashMap::with_capacity(all.len());
        for batch in all.chunks(BATCH) {
            let texts = batch.iter().map(|(_, text)| (*text).to_owned()).collect();
            let vectors = handle.embed_blocking(texts, Urgency::Background, PATIENCE)?;
            sources.extend(batch.iter().map(|(id, _)| (*id).to_owned()).zip(vectors));
        }
        Ok(Arc::new(Self { handle: handle.clone(), sources }))
    }
}

impl std::fmt::Debug for Embedded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} vectors", self.sources.len())
    }
}

impl Vectors for Embedded {
    fn of_source(&self, id: &str) -> Option<&[f32]> {
        self.sources.get(id).map(Vec::as_slice)
    }

    fn of_sentence(&self, text: &str) -> Option<Vec<f32>> {
        // Without a vector the words decide alone.
        self.handle.embed_blocking(vec![text.to_owned()], Urgency::Live, PATIENCE).ok()?.pop()
    }
}
