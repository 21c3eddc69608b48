//! The event log as everybody has it: appends go to the one writer, reads to a pool of connections.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::task::JoinHandle;

use super::chain::{LogHead, Report};
use super::reader::Reader;
use super::writer::{Engine, Intake, Order, Trouble, Troubles, Writer};
use super::{
    ArticleLog, ArticleQuery, ArticleRow, CommitHook, ConversationRow, DeliveryQuery, ListQuery,
    Outbox, Page, ReadQuery, RevisionRow, SYSTEM, Store, StoreError,
};
use crate::domain::{
    ArticleId, ArticleRevision, CardId, ConversationId, DedupeKey, Delivery, DeliveryMove,
    DeliveryState, EventId, NewDelivery, NewEvent, NewRevision, Recorded, TenantId,
};

/// How appends wait.
#[derive(Clone, Copy, Debug)]
pub struct Queueing {
    /// So many appends may wait for the writer. When it is full an append waits for room.
    pub queue: usize,
    /// An append that finds no room for so long is refused as busy.
    pub patience: Duration,
}

impl Default for Queueing {
    fn default() -> Self {
        Self { queue: 1_024, patience: Duration::from_secs(10) }
    }
}

/// A log that is open, in a file or in a database: what differs is behind `Engine`, `Pool` and `Dialect`. Cheap to
/// share as `Arc<dyn Store>`.
pub struct EventLog {
    /// `None`: opened for reading only.
    intake: Option<Intake>,
    reader: Reader,
    writer: Mutex<Option<JoinHandle<()>>>,
    troubles: Troubles,
    orphans: usize,
}

impl EventLog {
    /// Checks what is there, ends the conversations that a crash left live, and begins to write.
    pub(super) async fn to_write(
        engine: Box<dyn Engine>,
        reader: Reader,
        queueing: Queueing,
        on_commit: CommitHook,
    ) -> Result<Self, StoreError> {
        reader.check_ends().await?;
        let troubles = Troubles::default();
        let mut writer = Writer::new(engine, on_commit, troubles.clone());
        let orphans = writer.end_orphans(&reader).await?;
        let (intake, task) = writer.start(queueing.queue, queueing.patience);
        let (intake, writer) = (Some(intake), Mutex::new(Some(task)));
        Ok(Self { intake, reader, writer, troubles, orphans })
    }

    pub(super) fn to_read(reader: Reader) -> Self {
        let writer = Mutex::new(None);
        Self { intake: None, reader, writer, troubles: Troubles::default(), orphans: 0 }
    }

    pub(super) fn intake(&self) -> Result<&Intake, StoreError> {
        self.intake.as_ref().ok_or(StoreError::ReadOnly)
    }

    /// So many conversations were found live at the start, and ended.
    pub fn orphans_ended(&self) -> usize {
        self.orphans
    }

    /// Walks the whole log and checks its hash chain (`chain`); `kept` is a head that was noted earlier.
    ///
    /// # Errors
    /// It can't be read. What doesn't hold is in the report.
    pub async fn audit(
        &self,
        kept: Option<LogHead>,
        progress: impl FnMut(u64) + Send,
    ) -> Result<Report, StoreError> {
        self.reader.audit(kept, progress).await
    }

    /// What this log is called. One that was restored has another name than before, so that whoever keeps a position
    /// in it can tell.
    ///
    /// # Errors
    /// It can't be read.
    pub async fn id(&self) -> Result<String, StoreError> {
        self.reader.log_id().await
    }

    /// Where the log ends, to be noted elsewhere for a later `audit`.
    ///
    /// # Errors
    /// It can't be read.
    pub async fn log_head(&self) -> Result<LogHead, StoreError> {
        self.reader.log_head().await
    }

    pub(super) const fn reader(&self) -> &Reader {
        &self.reader
    }
}

#[async_trait]
impl Store for EventLog {
    async fn append(
        &self,
        tenant: &TenantId,
        conversation: &ConversationId,
        events: Vec<NewEvent>,
    ) -> Result<Vec<Arc<Recorded>>, StoreError> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let order = Order::of(tenant.clone(), conversation.clone(), events);
        Ok(self.intake()?.append(order).await?.events)
    }

    async fn read(&self, query: &ReadQuery) -> Result<Vec<Arc<Recorded>>, StoreError> {
        self.reader.read(query).await
    }

    async fn head(&self) -> Result<u64, StoreError> {
        self.reader.head().await
    }

    async fn conversations(&self, query: &ListQuery) -> Result<Page<ConversationRow>, StoreError> {
        self.reader.conversations(query).await
    }

    async fn conversation(
        &self,
        tenant: &TenantId,
        id: &ConversationId,
    ) -> Result<Option<ConversationRow>, StoreError> {
        self.reader.conversation(tenant, id).await
    }

    async fn conversation_of_card(
        &self,
        tenant: &TenantId,
        card: &CardId,
    ) -> Result<Option<ConversationId>, StoreError> {
        self.reader.conversation_of_card(tenant, card).await
    }

    async fn event(
        &self,
        tenant: &TenantId,
        id: &EventId,
    ) -> Result<Option<Arc<Recorded>>, StoreError> {
        self.reader.event(tenant, id).await
    }

    async fn integrity(&self) -> Result<(), StoreError> {
        self.reader.integrity().await
    }

    fn trouble(&self) -> Option<Trouble> {
        self.troubles.now()
    }

    async fn close(&self) {
        if let Some(intake) = &self.intake {
            intake.close();
        }
        let task = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        // Readers first: the last connection to go can then fold the WAL away.
        self.reader.close().await;
        if let Some(task) = task
            && let Err(error) = task.await
        {
            tracing::error!(%error, "the event log's writer did not end in order");
        }
    }
}

#[async_trait]
impl ArticleLog for EventLog {
    async fn revise(
        &self,
        tenant: &TenantId,
        revisions: Vec<NewRevision>,
        events: Vec<NewEvent>,
    ) -> Result<Vec<Arc<ArticleRevision>>, StoreError> {
        let (tenant, conversation) = (tenant.clone(), SYSTEM.into());
        let order = Order { revisions, ..Order::of(tenant, conversation, events) };
        Ok(self.intake()?.append(order).await?.revisions)
    }

    async fn revisions_after(
        &self,
        tenant: &TenantId,
        after: u64,
    ) -> Result<Vec<Arc<ArticleRevision>>, StoreError> {
        self.reader.revisions_after(tenant, after).await
    }

    async fn newest_revision(&self) -> Result<u64, StoreError> {
        self.reader.newest_revision().await
    }

    async fn in_force(
        &self,
        tenant: &TenantId,
        after: Option<&ArticleId>,
    ) -> Result<Vec<Arc<ArticleRevision>>, StoreError> {
        self.reader.in_force(tenant, after).await
    }

    async fn articles(&self, query: &ArticleQuery) -> Result<Page<ArticleRow>, StoreError> {
        self.reader.articles(query).await
    }

    async fn article(
        &self,
        tenant: &TenantId,
        id: &ArticleId,
    ) -> Result<Option<ArticleRow>, StoreError> {
        self.reader.article(tenant, id).await
    }

    async fn articles_named(
        &self,
        tenant: &TenantId,
        ids: &[ArticleId],
    ) -> Result<Vec<ArticleRow>, StoreError> {
        self.reader.articles_named(tenant, ids).await
    }

    async fn revision(
        &self,
        tenant: &TenantId,
        id: &ArticleId,
        number: u32,
    ) -> Result<Option<Arc<ArticleRevision>>, StoreError> {
        self.reader.revision(tenant, id, number).await
    }

    async fn history(
        &self,
        tenant: &TenantId,
        id: &ArticleId,
    ) -> Result<Vec<RevisionRow>, StoreError> {
        self.reader.history(tenant, id).await
    }
}

#[async_trait]
impl Outbox for EventLog {
    async fn post(
        &self,
        tenant: &TenantId,
        conversation: &ConversationId,
        events: Vec<NewEvent>,
        deliveries: Vec<NewDelivery>,
    ) -> Result<Vec<Arc<Recorded>>, StoreError> {
        let order = Order::of(tenant.clone(), conversation.clone(), events);
        let deliveries = deliveries.into_iter().map(|new| Arc::new(new.into())).collect();
        Ok(self.intake()?.append(Order { deliveries, ..order }).await?.events)
    }

    async fn advance(
        &self,
        step: DeliveryMove,
        events: Vec<NewEvent>,
    ) -> Result<Vec<Arc<Recorded>>, StoreError> {
        let order = Order::of(step.tenant.clone(), step.conversation.clone(), events);
        Ok(self.intake()?.append(Order { step: Some(step), ..order }).await?.events)
    }

    async fn due(
        &self,
        destination: &str,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        self.reader.due(destination, now, limit).await
    }

    async fn next_due(&self, destination: &str) -> Result<Option<Timestamp>, StoreError> {
        self.reader.next_due(destination).await
    }

    async fn in_state(
        &self,
        destination: &str,
        state: DeliveryState,
        after: u64,
    ) -> Result<Vec<Delivery>, StoreError> {
        self.reader.in_state(destination, state, after).await
    }

    async fn deliveries(&self, query: &DeliveryQuery) -> Result<Page<Delivery>, StoreError> {
        self.reader.deliveries(query).await
    }

    async fn delivery(
        &self,
        tenant: &TenantId,
        position: u64,
    ) -> Result<Option<Delivery>, StoreError> {
        self.reader.delivery(tenant, position).await
    }

    async fn delivery_by_key(
        &self,
        tenant: &TenantId,
        destination: &str,
        key: &DedupeKey,
    ) -> Result<Option<Delivery>, StoreError> {
        self.reader.delivery_by_key(tenant, destination, key).await
    }

    async fn tally(
        &self,
        tenant: &TenantId,
    ) -> Result<Vec<(String, DeliveryState, u64)>, StoreError> {
        self.reader.tally(tenant).await
    }
}
