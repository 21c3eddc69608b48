//! The embedded back end: one SQLite file in WAL mode, one writer, a pool of readers.
//!
//! The writer (`writer`) owns the only connection that may write; it commits whatever waits as one
//! group with `synchronous=FULL`, and it alone moves the WAL into the file. Readers can't write.

mod articles;
mod head;
mod lock;
mod orphans;
mod outbox;
mod reader;
mod schema;
mod statements;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

use self::lock::FolderLock;
use self::reader::Reader;
use self::writer::{Intake, Order, Writer};
use super::{
    ArticleLog, ArticleQuery, ArticleRow, CommitHook, ConversationRow, DeliveryQuery, ListQuery,
    Outbox, Page, ReadQuery, RevisionRow, SYSTEM, Store, StoreError, codec,
};
use crate::domain::{
    ArticleId, ArticleRevision, CardId, ConversationId, DedupeKey, Delivery, DeliveryMove,
    DeliveryState, EventId, NewDelivery, NewEvent, NewRevision, Recorded, TenantId,
};

const FILE: &str = "events.sqlite";

#[derive(Clone, Debug)]
pub struct SqliteSettings {
    pub folder: PathBuf,
    /// So many appends may wait for the writer. When it is full an append waits for room.
    pub queue: usize,
    /// An append that finds no room for so long is refused as busy.
    pub patience: Duration,
    /// A quota for the file, in pages of 4 KiB; beyond it appends are refused as on a full disk.
    pub max_pages: Option<u32>,
    pub readers: u32,
}

impl SqliteSettings {
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            queue: 1_024,
            patience: Duration::from_secs(10),
            max_pages: None,
            readers: 4,
        }
    }
}

/// See the module's text. Cheap to share as `Arc<dyn Store>`.
pub struct SqliteStore {
    /// `None`: opened for reading only.
    intake: Option<Intake>,
    reader: Reader,
    writer: Mutex<Option<tokio::task::JoinHandle<()>>>,
    orphans: usize,
}

impl SqliteStore {
    /// Opens (or makes) the log in a folder, alone: a second process is refused.
    ///
    /// Conversations that a crash left live are ended here, with reason `crash`.
    pub async fn open(folder: &Path, on_commit: CommitHook) -> Result<Self, StoreError> {
        Self::open_with(SqliteSettings::new(folder), on_commit).await
    }

    pub async fn open_with(
        settings: SqliteSettings,
        on_commit: CommitHook,
    ) -> Result<Self, StoreError> {
        let folder = &settings.folder;
        let unusable = |why: String| StoreError::Folder { folder: folder.clone(), why: why.into() };
        tokio::fs::create_dir_all(folder).await.map_err(|error| unusable(error.to_string()))?;
        let lock = FolderLock::take(folder)?;

        let options = options(folder);
        let mut write = options
            .clone()
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(false)
            // The writer decides when: never while an appender waits.
            .pragma("wal_autocheckpoint", "0")
            .thread_name(|_| "store-writer".to_owned());
        if let Some(pages) = settings.max_pages {
            write = write.pragma("max_page_count", pages.to_string());
        }
        let mut connection = write.connect().await.map_err(|error| unusable(error.to_string()))?;
        schema::check_sqlite(&mut connection).await?;
        schema::migrate(&mut connection).await?;

        let reader = Reader::open(options, settings.readers).await?;
        let mut writer = Writer::new(connection, write, on_commit, lock).await?;
        let orphans = writer.end_orphans(&reader).await?;
        let (intake, task) = writer.start(settings.queue, settings.patience);
        Ok(Self { intake: Some(intake), reader, writer: Mutex::new(Some(task)), orphans })
    }

    /// Opens a log that is there for reading only, also while a service writes to it: no conversation
    /// is ended, nothing is brought up to date, and every append is refused.
    ///
    /// # Errors
    /// There is no log in the folder, or it is of another version.
    pub async fn open_to_read(folder: &Path) -> Result<Self, StoreError> {
        if !Self::is_in(folder) {
            let why = "there is no event log in it".into();
            return Err(StoreError::Folder { folder: folder.to_owned(), why });
        }
        let reader = Reader::open(options(folder), SqliteSettings::new(folder).readers).await?;
        schema::check_version(reader.schema_version().await?)?;
        Ok(Self { intake: None, reader, writer: Mutex::new(None), orphans: 0 })
    }

    fn intake(&self) -> Result<&Intake, StoreError> {
        self.intake.as_ref().ok_or(StoreError::ReadOnly)
    }

    /// Whether there is a log in the folder; nothing is made.
    pub fn is_in(folder: &Path) -> bool {
        folder.join(FILE).is_file()
    }

    /// So many conversations were found live at the start, and ended.
    pub fn orphans_ended(&self) -> usize {
        self.orphans
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn append(
        &self,
        tenant: &TenantId,
        conversation: &ConversationId,
        events: Vec<NewEvent>,
    ) -> Result<Vec<Arc<Recorded>>, StoreError> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let (tenant, conversation) = (tenant.clone(), conversation.clone());
        let order = Order::of(tenant, conversation, encoded(events));
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

    async fn close(&self) {
        if let Some(intake) = &self.intake {
            intake.close();
        }
        let task = self.writer.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
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
impl ArticleLog for SqliteStore {
    async fn revise(
        &self,
        tenant: &TenantId,
        revisions: Vec<NewRevision>,
        events: Vec<NewEvent>,
    ) -> Result<Vec<Arc<ArticleRevision>>, StoreError> {
        let (tenant, conversation) = (tenant.clone(), SYSTEM.into());
        let order = Order { revisions, ..Order::of(tenant, conversation, encoded(events)) };
        Ok(self.intake()?.append(order).await?.revisions)
    }

    async fn revisions_after(
        &self,
        tenant: &TenantId,
        after: u64,
    ) -> Result<Vec<Arc<ArticleRevision>>, StoreError> {
        self.reader.articles().after(tenant, after).await
    }

    async fn newest_revision(&self) -> Result<u64, StoreError> {
        self.reader.articles().newest().await
    }

    async fn in_force(
        &self,
        tenant: &TenantId,
        after: Option<&ArticleId>,
    ) -> Result<Vec<Arc<ArticleRevision>>, StoreError> {
        self.reader.articles().in_force(tenant, after).await
    }

    async fn articles(&self, query: &ArticleQuery) -> Result<Page<ArticleRow>, StoreError> {
        self.reader.articles().list(query).await
    }

    async fn article(
        &self,
        tenant: &TenantId,
        id: &ArticleId,
    ) -> Result<Option<ArticleRow>, StoreError> {
        self.reader.articles().one(tenant, id).await
    }

    async fn articles_named(
        &self,
        tenant: &TenantId,
        ids: &[ArticleId],
    ) -> Result<Vec<ArticleRow>, StoreError> {
        self.reader.articles().named(tenant, ids).await
    }

    async fn revision(
        &self,
        tenant: &TenantId,
        id: &ArticleId,
        number: u32,
    ) -> Result<Option<Arc<ArticleRevision>>, StoreError> {
        self.reader.articles().revision(tenant, id, number).await
    }

    async fn history(
        &self,
        tenant: &TenantId,
        id: &ArticleId,
    ) -> Result<Vec<RevisionRow>, StoreError> {
        self.reader.articles().history(tenant, id).await
    }
}

#[async_trait]
impl Outbox for SqliteStore {
    async fn post(
        &self,
        tenant: &TenantId,
        conversation: &ConversationId,
        events: Vec<NewEvent>,
        deliveries: Vec<NewDelivery>,
    ) -> Result<Vec<Arc<Recorded>>, StoreError> {
        let order = Order::of(tenant.clone(), conversation.clone(), encoded(events));
        Ok(self.intake()?.append(Order { deliveries, ..order }).await?.events)
    }

    async fn advance(
        &self,
        step: DeliveryMove,
        events: Vec<NewEvent>,
    ) -> Result<Vec<Arc<Recorded>>, StoreError> {
        let order = Order::of(step.tenant.clone(), step.conversation.clone(), encoded(events));
        Ok(self.intake()?.append(Order { step: Some(step), ..order }).await?.events)
    }

    async fn due(
        &self,
        destination: &str,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        self.reader.outbox().due(destination, now, limit).await
    }

    async fn next_due(&self, destination: &str) -> Result<Option<Timestamp>, StoreError> {
        self.reader.outbox().next_due(destination).await
    }

    async fn in_state(
        &self,
        destination: &str,
        state: DeliveryState,
        after: u64,
    ) -> Result<Vec<Delivery>, StoreError> {
        self.reader.outbox().in_state(destination, state, after).await
    }

    async fn deliveries(&self, query: &DeliveryQuery) -> Result<Page<Delivery>, StoreError> {
        self.reader.outbox().list(query).await
    }

    async fn delivery(
        &self,
        tenant: &TenantId,
        position: u64,
    ) -> Result<Option<Delivery>, StoreError> {
        self.reader.outbox().one(tenant, position).await
    }

    async fn delivery_by_key(
        &self,
        tenant: &TenantId,
        destination: &str,
        key: &DedupeKey,
    ) -> Result<Option<Delivery>, StoreError> {
        self.reader.outbox().by_key(tenant, destination, key).await
    }

    async fn tally(
        &self,
        tenant: &TenantId,
    ) -> Result<Vec<(String, DeliveryState, u64)>, StoreError> {
        self.reader.outbox().tally(tenant).await
    }
}

fn encoded(events: Vec<NewEvent>) -> Vec<(NewEvent, codec::Encoded)> {
    let encode = |event: NewEvent| {
        let encoded = codec::encode(&event.body);
        (event, encoded)
    };
    events.into_iter().map(encode).collect()
}

fn options(folder: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(folder.join(FILE))
        .busy_timeout(Duration::from_secs(5))
        .pragma("mmap_size", "0")
        .disable_statement_logging()
}

fn read_error(error: &sqlx::Error) -> StoreError {
    StoreError::Read(error.to_string().into())
}

fn write_error(error: &sqlx::Error) -> StoreError {
    const SQLITE_FULL: &str = "13";
    match error.as_database_error().and_then(|error| error.code()) {
        Some(code) if code == SQLITE_FULL => StoreError::Full,
        _ => StoreError::Write(error.to_string().into()),
    }
}

#[cfg(test)]
mod tests;
