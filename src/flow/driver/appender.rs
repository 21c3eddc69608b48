//! The way of one call's events to the log.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::news::News;
use super::{CallError, Shared};
use crate::bus::{PartialSignal, Signal};
use crate::domain::{
    Classify, ConversationId, EventBody, EventId, NewDelivery, NewEvent, TenantId,
};
use crate::store::{StoreError, codec};

/// What is written together.
#[derive(Default)]
pub(super) struct Entry {
    pub events: Vec<NewEvent>,
    /// The identifier of the turn that it comes with, where that is known before.
    pub turn_event: Option<EventId>,
    /// What is to be done elsewhere because of it.
    pub deliveries: Vec<NewDelivery>,
    /// Told once it is durable, and dropped when it never will be.
    pub told: Option<oneshot::Sender<()>>,
}

impl From<NewEvent> for Entry {
    fn from(event: NewEvent) -> Self {
        Self { events: vec![event], ..Self::default() }
    }
}

/// Writes one call's events in order, as many at once as have come.
pub(super) struct Appender {
    pub shared: Arc<Shared>,
    pub tenant: TenantId,
    pub id: ConversationId,
    /// Hears of turns and cards once they are durable.
    pub news: Option<mpsc::Sender<News>>,
}

/// A store that is busy or away is asked again, ever less often, for so long in all.
const STORE_PATIENCE: Duration = Duration::from_secs(12 * 60 * 60);
const EVENTS_AT_ONCE: usize = 64;
/// So many entries of one call are kept while nothing can be stored, hours of talk; beyond that the call waits.
const KEPT_MAX: usize = 8_192;

impl Appender {
    pub async fn run(self, mut entries: mpsc::Receiver<Entry>) -> Result<(), CallError> {
        let (mut waiting, mut batch) = (Vec::new(), Vec::new());
        while !waiting.is_empty() || entries.recv_many(&mut waiting, EVENTS_AT_ONCE).await > 0 {
            let (mut deliveries, mut told) = (Vec::new(), Vec::new());
            for entry in waiting.drain(..) {
                batch.extend(entry.events);
                deliveries.extend(entry.deliveries);
                told.extend(entry.told);
            }
            match self.append(&batch, &deliveries, &mut entries, &mut waiting).await {
                Ok(left_out) => batch.retain(|event| !left_out.contains(&event.id)),
                Err(error) => {
                    tracing::error!(conversation.id = %self.id, %error, "the call's events are lost");
                    return Err(error);
                }
            }
            for news in self.news.as_ref().map(|_| News::of(&batch)).unwrap_or_default() {
                self.tell(news);
            }
            batch.clear();
            for told in told {
                // Whoever asked may have gone.
                let _ = told.send(());
            }
        }
        Ok(())
    }

    fn tell(&self, news: News) {
        let Some(to_media) = &self.news else { return };
        if let Err(TrySendError::Full(_)) = to_media.try_send(news) {
            metrics::counter!("backchannel_media_news_dropped_total").increment(1);
        }
    }

    async fn append(
        &self,
        events: &[NewEvent],
        deliveries: &[NewDelivery],
        entries: &mut mpsc::Receiver<Entry>,
        waiting: &mut Vec<Entry>,
    ) -> Result<Vec<EventId>, CallError> {
        let begun = Instant::now();
        let mut pause = Duration::from_millis(50);
        let mut is_told = false;
        loop {
            match self.shared.post(&self.tenant, &self.id, events, deliveries).await {
                Ok(left_out) => return Ok(left_out),
                Err(error) if is_worth_waiting(&error) && begun.elapsed() < STORE_PATIENCE => {
                    tracing::warn!(conversation.id = %self.id, %error, "will append again");
                    if !is_told {
                        self.show_unsaved(events);
                        is_told = true;
                    }
                    self.pass(pause, entries, waiting).await;
                    pause = (pause * 2).min(Duration::from_secs(5));
                }
                Err(error) => return Err(CallError::Store(error.to_string())),
            }
        }
    }
}

impl Appender {
    /// Lets time go by, and takes in and shows what the call says meanwhile.
    async fn pass(
        &self,
        pause: Duration,
        entries: &mut mpsc::Receiver<Entry>,
        waiting: &mut Vec<Entry>,
    ) {
        let over = tokio::time::sleep(pause);
        tokio::pin!(over);
        loop {
            let room = KEPT_MAX.saturating_sub(waiting.len()).min(EVENTS_AT_ONCE);
            let known = waiting.len();
            tokio::select! {
                () = &mut over => return,
                count = entries.recv_many(waiting, room), if room > 0 => {
                    if count == 0 {
                        // The call is over; nothing more comes.
                        over.await;
                        return;
                    }
                    for entry in &waiting[known..] {
                        self.show_unsaved(&entry.events);
                    }
                }
            }
        }
    }

    /// The transcript goes on while nothing can be stored, marked as what it is.
    fn show_unsaved(&self, events: &[NewEvent]) {
        for event in events {
            if !matches!(event.body, EventBody::TurnFinal(_)) {
                continue;
            }
            metrics::counter!("backchannel_turns_shown_unsaved_total").increment(1);
            self.shared.bus.publish(Signal::Partial(Arc::new(PartialSignal {
                tenant: self.tenant.clone(),
                conversation: self.id.clone(),
                time: Timestamp::now(),
                kind: codec::TURN_UNSAVED,
                data: codec::encode(&event.body).data.into(),
            })));
        }
    }
}

/// A closed log stays closed; everything else that is away may come back.
fn is_worth_waiting(error: &StoreError) -> bool {
    error.kind().is_retryable() && !matches!(error, StoreError::Closed)
}
