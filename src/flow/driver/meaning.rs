//! Vectors of what customers say, made while the call goes on, so that its end doesn't wait for them.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::{OnceCell, mpsc};

use super::Shared;
use super::call::{Answer, Call};
use crate::domain::{Role, Turn, TurnId};
use crate::flow::wrapup::{DispositionMeaning, DispositionRule};
use crate::models::ENGLISH;
use crate::models::embedder::{EmbedderError, EmbedderHandle, Urgency};

/// Vectors of the rules that a disposition is chosen from, once somebody needs them.
pub(super) type RuleVectors = OnceCell<Arc<Vec<Vec<f32>>>>;

impl Call {
    /// Nothing waits for it; a busy model leaves a turn out.
    pub fn understand(&self, turn: &Turn, answer: &mpsc::UnboundedSender<Answer>) {
        let Some(how) = self.shared.settings.wrap_up.as_ref().filter(|_| self.notes.is_some())
        else {
            return;
        };
        let is_customers = matches!(turn.party.role, Role::Customer | Role::Mixed);
        // The model has read English only.
        if !is_customers || turn.language != ENGLISH || how.settings.dispositions.is_empty() {
            return;
        }
        let Some(embedder) = self.shared.library.embedder() else { return };
        let (shared, settings, answer) =
            (Arc::clone(&self.shared), Arc::clone(&how.settings), answer.clone());
        let (id, text) = (turn.id.clone(), turn.text.as_str().to_owned());
        self.shared.tasks.spawn(async move {
            let embedding = async {
                shared.rules_of(&embedder, &settings.dispositions).await?;
                embedder.embed(vec![text], Urgency::Background).await
            };
            match embedding.await {
                Ok(vectors) => {
                    if let Some(vector) = vectors.into_iter().next() {
                        // A call that has ended has chosen without it.
                        let _ = answer.send(Answer::Understood(id, vector));
                    }
                }
                Err(error) => tracing::debug!(%error, "a turn without a vector"),
            }
        });
    }
}

impl Shared {
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
