//! Verdicts on their way from the log into the ranking.
//!
//! The bus only says that there is something new; what it is stands in the log. So a verdict that the
//! bus lost is learnt with the next one, and a restart learns them all again. Searches never wait: they
//! take what is there.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::bus::{Bus, Heard, Signal, Subscription};
use crate::domain::TenantId;
use crate::flow::feedback::{JUDGED_MAX, Learner, StoredCall};
use crate::flow::replay::{JudgedCalls, judged_calls, placed_cards, stored_call};
use crate::knowledge::Library;
use crate::models::embedder::{EmbedderError, EmbedderHandle};
use crate::store::{Store, StoreError, codec};

/// Calls that are learnt from before searches hear of it.
const CALLS_AT_ONCE: usize = 64;
/// After a failure of the log or the model.
const PAUSE: Duration = Duration::from_secs(2);

/// Learns from one tenant's verdicts, for as long as the service runs.
pub(super) struct FeedbackFeed {
    pub store: Arc<dyn Store>,
    pub bus: Arc<dyn Bus>,
    pub tenant: TenantId,
    pub library: Library,
    pub stop: CancellationToken,
}

/// Why a round ended early.
enum Broken {
    Log(StoreError),
    Model(EmbedderError),
}

impl FeedbackFeed {
    /// `embedder` places questions; it is the one of the library's vectors.
    pub async fn run(self, embedder: EmbedderHandle) {
        let mut subscription = self.bus.subscribe();
        let learner = Arc::new(Mutex::new(Learner::default()));
        let mut after = 0;
        let stop = self.stop.clone();
        let work = async {
            loop {
                match self.catch_up(&mut after, &learner, &embedder).await {
                    Ok(()) => {}
                    Err(Broken::Model(EmbedderError::Stopped)) => return,
                    Err(Broken::Model(error)) => {
                        tracing::warn!(%error, "verdicts wait for the embedding model");
                        tokio::time::sleep(PAUSE).await;
                        continue;
                    }
                    Err(Broken::Log(error)) => {
                        tracing::warn!(%error, "verdicts can't be read from the log");
                        tokio::time::sleep(PAUSE).await;
                        continue;
                    }
                }
                if !self.hear(subscription.as_mut()).await {
                    return;
                }
            }
        };
        tokio::select! {
            () = work => {}
            () = stop.cancelled() => {}
        }
    }

    /// Waits for a verdict; false when there will be none.
    async fn hear(&self, subscription: &mut dyn Subscription) -> bool {
        loop {
            match subscription.next().await {
                Heard::Signal(Signal::Event(event)) => {
                    if event.tenant == self.tenant && &*event.kind == codec::SUGGESTION_VERDICT {
                        return true;
                    }
                }
                Heard::Signal(Signal::Partial(_)) => {}
                Heard::Lagged(_) => return true,
                Heard::Closed => return false,
            }
        }
    }

    /// Learns what the log has got since; the calls that were judged last come first.
    async fn catch_up(
        &self,
        after: &mut u64,
        learner: &Arc<Mutex<Learner>>,
        embedder: &EmbedderHandle,
    ) -> Result<(), Broken> {
        let store = self.store.as_ref();
        let judged = judged_calls(store, &self.tenant, *after, JUDGED_MAX).await;
        let JudgedCalls { calls, last } = judged.map_err(Broken::Log)?;
        for some in calls.chunks(CALLS_AT_ONCE) {
            for id in some {
                match stored_call(store, &self.tenant, id).await {
                    Ok(call) => self.learn(call, learner, embedder).await?,
                    Err(error @ StoreError::Corrupt(_)) => {
                        tracing::error!(conversation.id = %id, %error, "its verdicts don't count");
                    }
                    Err(error) => return Err(Broken::Log(error)),
                }
            }
            self.publish(learner, embedder.dimensions()).await;
        }
        *after = last;
        Ok(())
    }

    /// Learns what agents think of the cards of a call by now.
    async fn learn(
        &self,
        call: StoredCall,
        learner: &Arc<Mutex<Learner>>,
        embedder: &EmbedderHandle,
    ) -> Result<(), Broken> {
        let (learner, embedder) = (Arc::clone(learner), embedder.clone());
        let work = move || {
            learn(&call, &mut learner.lock().unwrap_or_else(PoisonError::into_inner), &embedder)
        };
        match tokio::task::spawn_blocking(work).await {
            Ok(learnt) => learnt.map_err(Broken::Model),
            Err(_) => {
                // With what it panicked is told nowhere: that may be what a customer said.
                tracing::error!("verdicts were not learnt, which is a bug");
                Ok(())
            }
        }
    }

    async fn publish(&self, learner: &Arc<Mutex<Learner>>, dimensions: usize) {
        let (learner, library) = (Arc::clone(learner), self.library.clone());
        // Some milliseconds for 10,000 cards.
        let work = move || {
            let learner = learner.lock().unwrap_or_else(PoisonError::into_inner);
            metrics::gauge!("backchannel_feedback_judged_cards").set(learner.len() as f64);
            library.heed(Some(learner.feedback(dimensions)));
        };
        if tokio::task::spawn_blocking(work).await.is_err() {
            tracing::error!("verdicts are not ranked by, which is a bug");
        }
    }
}

fn learn(
    call: &StoredCall,
    learner: &mut Learner,
    embedder: &EmbedderHandle,
) -> Result<(), EmbedderError> {
    let placed = placed_cards(call, |card| learner.knows(&card.id), embedder)?;
    for card in &call.cards {
        if let Some(&(position, verdict)) = card.verdicts.last() {
            learner.relearn(position, &card.id, verdict);
        }
    }
    for placed in placed {
        if let Some(&(position, verdict)) = placed.card.verdicts.last() {
            learner.learn(position, placed.card.id.clone(), placed.judged(verdict));
        }
    }
    Ok(())
}
