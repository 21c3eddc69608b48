//! The way of what the router does to the log and the outbox, in order.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

use super::actor::{Answer, Job};
use super::floor::Entry;
use super::ledger::Ledger;
use super::{pack, restore};
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

/// What one thing at the desk came to, and who waits for it.
pub(super) struct Written {
    pub entries: Vec<Entry>,
    pub answer: Option<Answer>,
}

/// Tells another router.
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
    pub ledger: Ledger,
    pub teller: Option<Teller>,
    pub to_actor: mpsc::WeakSender<Job>,
}

impl Writer {
    pub async fn run(mut self, mut written: mpsc::Receiver<Written>) {
        let mut since = 0;
        while let Some(Written { entries, answer }) = written.recv().await {
            let count = entries.len();
            let done = self.write(entries).await;
            if let Err(error) = &done {
                tracing::error!(%error, "what the router did was not written");
                // What waits was decided on what was never written.
                written_in_vain(&mut written);
                self.begin_anew();
            }
            if let Some(answer) = answer {
                answer(done.is_ok());
            }
            since += count;
            if since >= EVENTS_A_SAVE {
                since = 0;
                self.save().await;
            }
        }
        self.save().await;
    }

    async fn save(&self) {
        if let Err(error) = self.ledger.save(&self.file).await {
            tracing::warn!(%error, "what the router has is read from the log at the next start");
        }
    }

    /// The desk is ahead of the log: it goes back to what is durable.
    fn begin_anew(&self) {
        let ledger = self.ledger.clone();
        let job = Job(Box::new(move |floor, now_ms| {
            restore::restore(floor, &ledger, &[], None, now_ms);
            Box::new(|_| ())
        }));
        let sent = self.to_actor.upgrade().map(|actor| actor.try_send(job));
        if sent.is_some_and(|sent| sent.is_err()) {
            tracing::error!("the router goes on with what was not written until its next start");
        }
    }

    /// Events of one stream that come together are one commit.
    async fn write(&mut self, entries: Vec<Entry>) -> Result<(), StoreError> {
        let mut entries = entries.into_iter().peekable();
        while let Some(first) = entries.next() {
            let stream = first.stream.clone();
            let mut all = vec![first];
            while let Some(next) = entries.next_if(|next| next.stream == stream) {
                all.push(next);
            }
            self.commit(&stream, all).await?;
        }
        Ok(())
    }

    async fn commit(
        &mut self,
        stream: &ConversationId,
        entries: Vec<Entry>,
    ) -> Result<(), StoreError> {
        let now = Timestamp::now();
        let (mut events, mut deliveries) = (Vec::new(), Vec::new());
        for entry in entries {
            let told = match (&entry.body, entry.tells) {
                (EventBody::RouteRecommended(decision), Some((external_id, conversation))) => {
                    self.delivery(decision, external_id, conversation, now).await
                }
                _ => None,
            };
            events.push(NewEvent { id: name_of(&entry.body), time: now, body: entry.body });
            if let Some(delivery) = told {
                let write = CrmWrite::of(&delivery, &Progress::new(now));
                events.push(NewEvent::at(now, EventBody::CrmWrite(Box::new(write))));
                deliveries.push(delivery);
            }
        }
        let wakes = !deliveries.is_empty();
        for event in self.append(stream, events, deliveries).await? {
            if let Err(error) = self.ledger.apply(&event) {
                tracing::error!(%error, "an event of the router can't be read");
            }
        }
        if let Some(teller) = self.teller.as_ref().filter(|_| wakes) {
            teller.wake.notify_one();
        }
        Ok(())
    }

    async fn append(
        &self,
        stream: &ConversationId,
        events: Vec<NewEvent>,
        deliveries: Vec<NewDelivery>,
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
                        && begun.elapsed() < PATIENCE =>
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
            Some(id) => pack::brief(self.store.as_ref(), &self.tenant, id, BRIEF_MAX_CHARS).await,
            None => None,
        };
        let link = teller.public_url.as_ref().zip(conversation.as_ref());
        let told = Recommendation {
            external_id: external_id.clone(),
            decision: decision.clone(),
            brief: brief.map(|text| redaction::typed(&text)),
            link: link.map(|(url, id)| format!("{url}/desktop?conversation={id}")),
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

fn written_in_vain(waiting: &mut mpsc::Receiver<Written>) {
    while let Ok(Written { answer, .. }) = waiting.try_recv() {
        if let Some(answer) = answer {
            answer(false);
        }
    }
}
