//! The way of what the router does to the log and the outbox, in order.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use jiff::Timestamp;
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::actor::Answer;
use super::floor::Entry;
use super::ledger::Ledger;
use super::pack::Packs;
use crate::app::links;
use crate::domain::{
    Classify as _, ConversationId, CrmWrite, Decision, Effect, EventBody, EventId, NewDelivery,
    NewEvent, Progress, Recommendation, Recorded, TenantId,
};
use crate::insight::redaction;
use crate::store::{Outbox, Store, StoreError};

/// A log that is busy or away is asked again for so long.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(100);
/// After so many events what a start needs is written to its file.
const EVENTS_A_SAVE: usize = 2_000;
/// What other routers have room for.
const BRIEF_MAX_CHARS: usize = 600;

/// Streams that are written to side by side, and events of one commit.
const STREAMS_AT_ONCE: usize = 64;
const EVENTS_A_COMMIT: usize = 1_000;

/// What one thing at the desk came to, and who waits for it.
pub(super) struct Written {
    pub entries: Vec<Entry>,
    pub answer: Option<Answer>,
}

/// Tells another router.
#[derive(Clone)]
pub(super) struct Teller {
    pub destination: Option<String>,
    pub wake: Arc<Notify>,
    pub public_url: Option<String>,
}

pub(super) struct Writer {
    pub tenant: TenantId,
    pub store: Arc<dyn Store>,
    pub outbox: Arc<dyn Outbox>,
    pub file: PathBuf,
    pub ledger: Arc<Ledger>,
    pub teller: Option<Teller>,
    pub packs: Packs,
    /// Cancelled when something wasn't written: the desk is ahead of the log then, and has to be made anew.
    pub lost: CancellationToken,
    /// Cancelled when something is about a conversation that is erased: neither is the item kept, then.
    pub erased: CancellationToken,
}

impl Writer {
    /// Writes until nothing more comes, or something can't be written: what waits then was decided on what never was,
    /// and is lost with it. Returns how much was written.
    pub async fn run(mut self, mut written: mpsc::Receiver<Written>) -> usize {
        let (mut total, mut since) = (0, 0);
        while let Some(Written { entries, answer }) = written.recv().await {
            let count = entries.len();
            let done = self.write(entries).await;
            if let Err(error) = &done {
                tracing::error!(%error, "what the router did was not written");
                self.lost.cancel();
                written.close();
            }
            if let Some(answer) = answer {
                answer(done.is_ok());
            }
            if done.is_err() {
                while let Some(Written { answer, .. }) = written.recv().await {
                    if let Some(answer) = answer {
                        answer(false);
                    }
                }
                // Its position may be beyond an event that it hasn't heard of: the file stays as it was.
                return total;
            }
            total += count;
            since += count;
            if since >= EVENTS_A_SAVE.max(self.ledger.items.len()) {
                since = 0;
                self.save().await;
            }
        }
        self.save().await;
        total
    }

    async fn save(&self) {
        let (ledger, file) = (Arc::clone(&self.ledger), self.file.clone());
        let saved = tokio::task::spawn_blocking(move || ledger.save(&file)).await;
        let saved = saved.unwrap_or_else(|gone| Err(std::io::Error::other(gone)));
        if let Err(error) = saved {
            tracing::warn!(%error, "what the router has is read from the log at the next start");
        }
    }

    /// What is about one conversation stays in its order, the others don't wait for it. A plan goes before all that
    /// came of it.
    async fn write(&mut self, entries: Vec<Entry>) -> Result<(), StoreError> {
        let is_plan = |entry: &Entry| matches!(entry.body, EventBody::RoutePlanned(_));
        let (plans, entries): (Vec<_>, Vec<_>) = entries.into_iter().partition(is_plan);
        for some in [plans, entries] {
            let failed = AtomicBool::new(false);
            let streams = by_stream(some).into_iter();
            let commits: Vec<_> =
                streams.map(|(stream, entries)| self.commit(stream, entries, &failed)).collect();
            // To the end of each, also when one has failed: whoever reads the log next must see all that came of it.
            let done: Vec<_> =
                stream::iter(commits).buffer_unordered(STREAMS_AT_ONCE).collect().await;
            let mut recorded = Vec::new();
            for events in done {
                recorded.extend(events?);
            }
            recorded.sort_by_key(|event| event.position);
            let ledger = Arc::make_mut(&mut self.ledger);
            for event in &recorded {
                if let Err(error) = ledger.apply(event) {
                    tracing::error!(%error, "an event of the router can't be read");
                }
            }
        }
        Ok(())
    }

    async fn commit(
        &self,
        stream: ConversationId,
        entries: Vec<Entry>,
        failed: &AtomicBool,
    ) -> Result<Vec<Arc<Recorded>>, StoreError> {
        let mut recorded = Vec::new();
        let mut entries = entries.into_iter().peekable();
        while entries.peek().is_some() && !failed.load(Ordering::Relaxed) {
            let some = entries.by_ref().take(EVENTS_A_COMMIT).collect();
            match self.commit_some(&stream, some, failed).await {
                Ok(events) => recorded.extend(events),
                Err(StoreError::Erased(_)) => {
                    self.erased.cancel();
                    break;
                }
                Err(error) => {
                    failed.store(true, Ordering::Relaxed);
                    return Err(error);
                }
            }
        }
        Ok(recorded)
    }

    async fn commit_some(
        &self,
        stream: &ConversationId,
        entries: Vec<Entry>,
        failed: &AtomicBool,
    ) -> Result<Vec<Arc<Recorded>>, StoreError> {
        let now = Timestamp::now();
        let (mut events, mut deliveries) = (Vec::new(), Vec::new());
        for entry in entries {
            let told = match (&entry.body, entry.tells) {
                (EventBody::RouteRecommended(decision), Some((external_id, conversation))) => {
                    self.delivery(decision, external_id, conversation, now).await
                }
                _ => None,
            };
            let id = entry.id.unwrap_or_else(|| name_of(&entry.body));
            events.push(NewEvent { id, time: now, body: entry.body });
            if let Some(delivery) = told {
                let write = CrmWrite::of(&delivery, &Progress::new(now));
                events.push(NewEvent::at(now, EventBody::CrmWrite(Box::new(write))));
                deliveries.push(delivery);
            }
        }
        let wakes = !deliveries.is_empty();
        let recorded = self.append(stream, events, deliveries, failed).await?;
        if let Some(teller) = self.teller.as_ref().filter(|_| wakes) {
            teller.wake.notify_one();
        }
        Ok(recorded)
    }

    async fn append(
        &self,
        stream: &ConversationId,
        events: Vec<NewEvent>,
        deliveries: Vec<NewDelivery>,
        failed: &AtomicBool,
    ) -> Result<Vec<Arc<Recorded>>, StoreError> {
        let begun = Instant::now();
        loop {
            let (events, deliveries) = (events.clone(), deliveries.clone());
            let done = match deliveries.is_empty() {
                true => self.store.append(&self.tenant, stream, events).await,
                false => self.outbox.post(&self.tenant, stream, events, deliveries).await,
            };
            match done {
                Ok(recorded) => return Ok(recorded),
                Err(error)
                    if error.kind().is_retryable()
                        && !matches!(error, StoreError::Closed)
                        && begun.elapsed() < PATIENCE
                        && !failed.load(Ordering::Relaxed) =>
                {
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// What the company's router is told. Nobody chosen is told, too: an earlier name must not stand.
    async fn delivery(
        &self,
        decision: &Decision,
        external_id: String,
        conversation: Option<ConversationId>,
        now: Timestamp,
    ) -> Option<NewDelivery> {
        let teller = self.teller.as_ref()?;
        let destination = teller.destination.clone()?;
        let brief = match &conversation {
            Some(id) => {
                let store = self.store.as_ref();
                self.packs.brief(store, &self.tenant, id, BRIEF_MAX_CHARS).await
            }
            None => None,
        };
        let link = teller.public_url.as_ref().zip(conversation.as_ref());
        let told = Recommendation {
            external_id: external_id.clone(),
            decision: decision.clone(),
            brief: brief.map(|text| redaction::typed(&text)),
            link: link.map(|(url, id)| links::desktop(url, id)),
            conversation: conversation.unwrap_or_else(|| crate::store::ROUTING.into()),
        };
        Some(NewDelivery {
            destination,
            key: told.key(),
            lane: external_id,
            effect: Effect::Recommend(Box::new(told)),
            from: None,
            by: None,
            created_at: now,
        })
    }
}

/// A decision is found by its own name.
fn name_of(body: &EventBody) -> EventId {
    match body {
        EventBody::RouteRecommended(decision) => decision.id.as_str().into(),
        _ => EventId::fresh(),
    }
}

/// By stream, in the order in which each came first.
fn by_stream(entries: Vec<Entry>) -> Vec<(ConversationId, Vec<Entry>)> {
    let mut places: HashMap<ConversationId, usize> = HashMap::new();
    let mut streams: Vec<(ConversationId, Vec<Entry>)> = Vec::new();
    for entry in entries {
        let place = *places.entry(entry.stream.clone()).or_insert_with(|| {
            streams.push((entry.stream.clone(), Vec::new()));
            streams.len() - 1
        });
        streams[place].1.push(entry);
    }
    streams
}
