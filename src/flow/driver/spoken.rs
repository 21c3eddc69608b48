//! A card's voice: asked for when the card is on its way, and logged when it comes.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::time::Instant;

use super::call::Call;
use crate::domain::{Card, CardVoice, Citation, EventBody, NewEvent, StruckText};
use crate::flow::suggestion::whole_passage;
use crate::flow::voice::{CardOrder, Voiced};
use crate::knowledge::Library;
use crate::models::WritingTask;

/// Cards of one call that may be put into words at once; the voice of more would come too late.
pub(super) const VOICES_PER_CALL: usize = 3;
/// Turns that show what the card answers.
const RECENT_TURNS: usize = 6;

impl Call {
    /// Nothing waits for it: neither the call, nor its log, nor its end.
    pub fn give_voice(&self, card: Card) {
        let Some(voice) = self.shared.settings.voice.clone().filter(|voice| voice.speaks()) else {
            return;
        };
        let Ok(permit) = Arc::clone(&self.voices).try_acquire_owned() else {
            metrics::counter!("backchannel_card_voices_skipped_total").increment(1);
            return;
        };
        let since = Instant::now();
        let turns = self.notes.as_ref().map(|notes| notes.recent(RECENT_TURNS)).unwrap_or_default();
        let (shared, tenant, id) = (Arc::clone(&self.shared), self.tenant.clone(), self.id.clone());
        // The log of a call ends when nobody can write to it any more, and must not wait for this.
        let to_log = self.to_log.downgrade();
        self.shared.tasks.spawn(async move {
            let _permit = permit;
            let _waiting = Waiting::new();
            let speaking = async {
                let library = shared.library.clone();
                let cited = card.answer.citations;
                let passages = tokio::task::spawn_blocking(move || passages(&library, &cited));
                let passages = passages.await.ok().flatten()?;
                voice.speak(CardOrder { tenant: tenant.clone(), turns, passages }).await
            };
            let voiced = tokio::select! {
                voiced = speaking => voiced,
                () = shared.stop.cancelled() => None,
            };
            let body = match voiced {
                Some(Voiced::Spoken(spoken)) => {
                    metrics::histogram!("backchannel_card_voice_seconds").record(since.elapsed());
                    let latency_ms = since.elapsed().as_millis() as u64;
                    let voice = CardVoice { card_id: card.id, spoken, latency_ms };
                    EventBody::SuggestionVoiced(Box::new(voice))
                }
                Some(Voiced::Nothing { struck, authorship }) => {
                    let (task, about) = (WritingTask::Card.as_str().into(), card.id.to_string());
                    let text = StruckText { task, about, authorship, struck };
                    EventBody::WritingStruck(Box::new(text))
                }
                None => return,
            };
            let event = NewEvent::at(Timestamp::now(), body);
            // Behind the card, which goes the same way.
            if let Some(to_log) = to_log.upgrade() {
                super::call::log(&to_log, &id, event).await;
            } else if let Err(error) = shared.append(&tenant, &id, &[event]).await {
                tracing::error!(conversation.id = %id, %error, "a card's voice was lost");
            }
        });
    }
}

/// The passages that a card cites, whole; none if one of them may not be put into other words, or
/// isn't what it was.
fn passages(library: &Library, cited: &[Citation]) -> Option<Vec<Citation>> {
    let whole = cited.iter().map(|citation| {
        let article = library.article(&citation.article_id)?;
        if article.verbatim || article.revision != citation.revision {
            return None;
        }
        let passage = article.passages.iter().find(|one| one.id == citation.passage_id)?;
        Some(whole_passage(&article.id, article.revision, passage))
    });
    whole.collect()
}

/// Counts cards that wait for their voice.
struct Waiting;

impl Waiting {
    fn new() -> Self {
        metrics::gauge!("backchannel_card_voices_waiting").increment(1.0);
        Self
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        metrics::gauge!("backchannel_card_voices_waiting").decrement(1.0);
    }
}
