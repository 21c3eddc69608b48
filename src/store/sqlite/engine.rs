//! How SQLite writes: one connection, one transaction at a time, the WAL moved into the file when there is time.

use async_trait::async_trait;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection as _, Error};

use super::lock::FolderLock;
use super::{statements, write_error};
use crate::domain::ArticleRevision;
use crate::store::StoreError;
use crate::store::reader::read_error;
use crate::store::sql::{Connection, Sql};
use crate::store::writer::{Engine, Group, LogState, Tending};

/// The WAL is moved into the file when it holds so much, or when nothing waits.
const WAL_BYTES: usize = 24 << 20;
/// The size of a page in a new log.
const PAGE_BYTES: usize = 8_192;
/// Roughly what a delivery takes in the WAL: its row, and a page of the index by key, which are in no order.
const DELIVERY_BYTES: usize = PAGE_BYTES;
/// So many times a reader is waited for, each time as long as the connection's busy timeout.
const SCRUBS: usize = 6;
/// What a probe writes: more than fits into pages that happen to be free.
const PROBE_BYTES: i64 = 256 << 10;

/// A statement of many rows keeps what it changes until it is through: in memory, and not in a file. What a migration
/// sorts and `VACUUM` builds may be as large as the log, and goes into one.
pub const JOURNALS_IN_MEMORY: &str = "PRAGMA temp_store = MEMORY";
const ALL_IN_FILES: &str = "PRAGMA temp_store = FILE";

pub struct SqliteEngine {
    connection: Connection,
    options: SqliteConnectOptions,
    /// Where the log is; `None` when that must be looked up.
    state: Option<LogState>,
    wal_bytes: usize,
    group_bytes: usize,
    _lock: FolderLock,
}

impl SqliteEngine {
    pub fn new(connection: Connection, options: SqliteConnectOptions, lock: FolderLock) -> Self {
        Self { connection, options, state: None, wal_bytes: 0, group_bytes: 0, _lock: lock }
    }

    fn sqlite(&mut self) -> &mut SqliteConnection {
        match &mut self.connection {
            Connection::Sqlite(connection) => connection,
            Connection::Postgres(_) => unreachable!("this engine opens SQLite only; this is a bug"),
        }
    }

    async fn checkpoint(&mut self, sql: &str) {
        if let Err(error) = self.connection.rows(Sql::new(sql)).await {
            tracing::warn!(%error, "the write-ahead log could not be moved into the file");
        }
        self.wal_bytes = 0;
    }
}

#[async_trait]
impl Engine for SqliteEngine {
    fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    async fn begin(&mut self) -> Result<LogState, StoreError> {
        let begun = self.connection.script("BEGIN IMMEDIATE").await;
        begun.map_err(|error| write_error(&error))?;
        if let Some(state) = self.state {
            return Ok(state);
        }
        let state = statements::state(&mut self.connection).await;
        let state = state.map_err(|error| read_error(&error))?;
        self.state = Some(state);
        Ok(state)
    }

    async fn insert(&mut self, group: &Group) -> Result<(), Error> {
        // Roughly: each row once in the table and its names in two indexes, and the pages that every commit touches.
        self.group_bytes = 8 * PAGE_BYTES
            + group.entries.iter().map(|entry| entry.event.data.len() + 512).sum::<usize>()
            + group.revisions.iter().map(|(_, one)| size(one)).sum::<usize>()
            + group.deliveries.len() * DELIVERY_BYTES;
        let connection = self.sqlite();
        statements::insert_events(connection, &group.entries).await?;
        statements::save_heads(connection, group.heads.iter()).await?;
        statements::insert_cards(connection, &group.cards).await?;
        statements::insert_deliveries(connection, &group.deliveries).await
    }

    async fn commit(&mut self, state: &LogState) -> Result<(), Error> {
        let save = (self.state != Some(*state)).then(|| statements::save_state(state));
        self.connection.script(&format!("{}COMMIT", save.unwrap_or_default())).await?;
        self.state = Some(*state);
        self.wal_bytes += std::mem::take(&mut self.group_bytes);
        Ok(())
    }

    async fn recover(&mut self) -> Result<(), StoreError> {
        self.state = None;
        // SQLite rolls back by itself on some errors; then this fails, and rightly.
        let _ = self.connection.script("ROLLBACK").await;
        if self.sqlite().ping().await.is_err() {
            let connection = self.options.connect().await.map_err(|error| write_error(&error))?;
            self.connection = Connection::Sqlite(connection);
            let settled = self.connection.script(JOURNALS_IN_MEMORY).await;
            settled.map_err(|error| write_error(&error))?;
        }
        Ok(())
    }

    async fn probe(&mut self) -> Result<(), Error> {
        // In two commits: what is written and deleted in one need never get to the disk.
        let write = Sql::new("INSERT INTO probes (bytes) VALUES (zeroblob($1))").with(PROBE_BYTES);
        self.connection.execute(write).await?;
        self.connection.execute(Sql::new("DELETE FROM probes")).await?;
        self.wal_bytes += 2 * PROBE_BYTES as usize;
        Ok(())
    }

    fn has_left_work(&self) -> bool {
        self.wal_bytes > 0
    }

    async fn tend(&mut self, when: Tending) {
        if when == Tending::Idle || self.wal_bytes > WAL_BYTES {
            self.checkpoint("PRAGMA wal_checkpoint(PASSIVE)").await;
        }
    }

    async fn scrub(&mut self) -> Result<(), StoreError> {
        let failed = |error: Error| write_error(&error);
        self.connection.script(ALL_IN_FILES).await.map_err(failed)?;
        let vacuumed = self.connection.script("VACUUM").await;
        self.connection.script(JOURNALS_IN_MEMORY).await.map_err(failed)?;
        vacuumed.map_err(failed)?;
        // The old pages are gone when the new ones stand in the file and nothing stands in the WAL.
        for _ in 0..SCRUBS {
            let sql = Sql::new("PRAGMA wal_checkpoint(TRUNCATE)");
            let row = self.connection.row(sql).await.map_err(failed)?;
            if row.is_none_or(|row| row.int(0) == 0) {
                self.wal_bytes = 0;
                return Ok(());
            }
        }
        Err(StoreError::Write("what was erased still stands in the write-ahead log".into()))
    }

    fn failure(&self, error: &Error) -> StoreError {
        write_error(error)
    }

    async fn close(mut self: Box<Self>) {
        self.checkpoint("PRAGMA wal_checkpoint(TRUNCATE)").await;
        if let Connection::Sqlite(connection) = self.connection
            && let Err(error) = connection.close().await
        {
            tracing::error!(%error, "the event log did not close in order");
        }
    }
}

/// Roughly what a revision takes in the file.
fn size(revision: &ArticleRevision) -> usize {
    revision.content.body.as_str().len() + 1_024
}
