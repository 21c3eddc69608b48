//! What the rules of dispositions mean, as vectors beside those of the customer's turns (`intents`).

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::OnceCell;

use super::Shared;
use crate::domain::TurnId;
use crate::flow::wrapup::{DispositionMeaning, DispositionRule};
use crate::models::embedder::{EmbedderError, EmbedderHandle, Urgency};

/// Vectors of the rules that a disposition is chosen from, once somebody needs them.
pub(super) type RuleVectors = OnceCell<Arc<Vec<Vec<f32>>>>;

impl Shared {
    /// Whether a disposition is chosen by what turns mean.
    pub(super) fn classifies(&self) -> bool {
        self.settings.wrap_up.as_ref().is_some_and(|how| !how.settings.dispositions.is_empty())
    }

    /// Makes the vectors of the rules, if there are any and nobody has made them yet.
    ///
    /// # Errors
    /// The model is busy or gone; the next turn tries again.
    pub(super) async fn learn_rules(&self, embedder: &EmbedderHandle) -> Result<(), EmbedderError> {
        match self.settings.wrap_up.as_ref().filter(|_| self.classifies()) {
            Some(how) => self.rules_of(embedder, &how.settings.dispositions).await,
            None => Ok(()),
        }
    }

    /// The same behind a search that has made the turn's vector.
    pub(super) fn learn_rules_soon(self: &Arc<Self>) {
        let Some(embedder) = self.library.embedder().filter(|_| self.classifies()) else { return };
        if self.rule_vectors.initialized() {
            return;
        }
        let shared = Arc::clone(self);
        self.tasks.spawn(async move {
            if let Err(error) = shared.learn_rules(&embedder).await {
                tracing::debug!(%error, "the rules of dispositions have no vectors yet");
            }
        });
    }

    async fn rules_of(
        &self,
        embedder: &EmbedderHandle,
        rules: &[DispositionRule],
    ) -> Result<(), EmbedderError> {
        let embed = async || {
            let texts = rules.iter().map(DispositionRule::text_to_embed).collect();
            embedder.embed(texts, Urgency::Background).await.map(Arc::new)
        };
        self.rule_vectors.get_or_try_init(embed).await.map(|_| ())
    }

    pub(super) fn meaning(&self, turns: HashMap<TurnId, Vec<f32>>) -> DispositionMeaning {
        DispositionMeaning { turns, rules: self.rule_vectors.get().cloned().unwrap_or_default() }
    }
}
