//! What was made of the log about questions that were not answered: a file beside the log.
//!
//! The log's writer never waits for it, and it can be thrown away: whoever opens it reads on from the position that
//! it holds, which is from the beginning when it is new. `list` reads, `step` writes.

mod list;
mod step;

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions, Row};

use super::{StoreError, private};
use crate::domain::{ConversationId, GapReason, Redacted, TenantId, TurnId};

pub use list::{GapQuery, GapRow, GapSample, Since};
pub use step::GapStep;

const FILE: &str = "gaps.sqlite";
const SCHEMA: &str = include_str!("schema.sql");
/// A file of another version is made anew. Also raised when the same log gives other gaps.
const VERSION: i64 = 1;
const CONNECTIONS: u32 = 3;

/// Cheap to clone.
#[derive(Clone)]
pub struct GapFile {
    pool: SqlitePool,
}

/// A question as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct QuestionRow {
    /// Of the event that first told of it.
    pub position: u64,
    pub conversation: ConversationId,
    /// Unique in its conversation.
    pub key: String,
    pub turn: Option<TurnId>,
    pub time: Timestamp,
    pub reason: GapReason,
    pub text: Redacted,
    pub context: Option<Redacted>,
    pub is_answered: bool,
    /// Position of its gap's first question.
    pub gap: Option<u64>,
    /// Whether the gap's vectors hold it.
    pub is_counted: bool,
    /// Empty until somebody needed it.
    pub vector: Vec<f32>,
}

/// A group of questions as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptGap {
    pub first: u64,
    pub id: String,
    pub count: u64,
    pub sum: Vec<f32>,
    pub medoid: u64,
    pub medoid_vector: Vec<f32>,
}

impl GapFile {
    /// Opens the file in a data folder, whose lock the caller holds. One that is damaged or of another version is made
    /// anew.
    ///
    /// # Errors
    /// The folder can't be written.
    pub async fn open(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(FILE);
        match Self::attach(&path).await {
            Ok(Some(file)) => return Ok(file),
            Ok(None) => tracing::info!("the file of gaps is of another version and is made anew"),
            Err(error) => tracing::warn!(%error, "the file of gaps is damaged and is made anew"),
        }
        for suffix in ["", "-wal", "-shm"] {
            let mut name = path.clone().into_os_string();
            name.push(suffix);
            match tokio::fs::remove_file(&name).await {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    let why = error.to_string().into();
                    return Err(StoreError::Folder { folder: folder.to_owned(), why });
                }
                _ => {}
            }
        }
        let made = Self::attach(&path).await.map_err(|error| write_error(&error))?;
        made.ok_or_else(|| StoreError::Write("a new file of gaps has another version".into()))
    }

    /// `None` for another version.
    async fn attach(path: &Path) -> Result<Option<Self>, sqlx::Error> {
        private::own_file(path)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // What a power cut takes is read from the log again.
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(Duration::from_secs(5))
            .disable_statement_logging();
        let pool =
            SqlitePoolOptions::new().max_connections(CONNECTIONS).connect_with(options).await?;
        let this = Self { pool };
        let found: i64 = sqlx::query("PRAGMA user_version").fetch_one(&this.pool).await?.get(0);
        if found == 0 {
            let mut step = this.pool.begin().await?;
            sqlx::raw_sql(SCHEMA).execute(&mut *step).await?;
            let version = format!("PRAGMA user_version = {VERSION}");
            sqlx::raw_sql(sqlx::AssertSqlSafe(version)).execute(&mut *step).await?;
            step.commit().await?;
        } else if found != VERSION {
            this.pool.close().await;
            return Ok(None);
        }
        let sound: String =
            sqlx::query("PRAGMA quick_check(1)").fetch_one(&this.pool).await?.get(0);
        if sound != "ok" {
            this.pool.close().await;
            return Err(sqlx::Error::Protocol(sound));
        }
        Ok(Some(this))
    }

    /// Up to where the log was read for a tenant, with this likeness; 0 when it must be read anew, and then nothing is
    /// kept of what another likeness gave.
    ///
    /// # Errors
    /// The file can't be read or written.
    pub async fn resume(&self, tenant: &TenantId, likeness: &str) -> Result<u64, StoreError> {
        let kept = sqlx::query("SELECT position, likeness FROM progress WHERE tenant = ?")
            .bind(tenant.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(|error| read_error(&error))?;
        match kept {
            Some(row) if row.get::<&str, _>(1) == likeness => Ok(row.get::<i64, _>(0) as u64),
            None => Ok(0),
            Some(_) => {
                let mut step = self.step().await?;
                step.forget(tenant).await?;
                step.commit(tenant, 0, likeness).await?;
                Ok(0)
            }
        }
    }

    /// # Errors
    /// Another step is being written, or the disk is full.
    pub async fn step(&self) -> Result<GapStep, StoreError> {
        let inner = self.pool.begin_with("BEGIN IMMEDIATE").await;
        Ok(GapStep(inner.map_err(|error| write_error(&error))?))
    }

    /// All groups of a tenant, the oldest first.
    ///
    /// # Errors
    /// The file can't be read.
    pub async fn gaps(&self, tenant: &TenantId) -> Result<Vec<KeptGap>, StoreError> {
        let rows = sqlx::query(
            "SELECT g.first, g.id, g.count, g.sum, g.medoid, g.medoid_vector FROM gaps g \
             WHERE g.tenant = ? ORDER BY g.first",
        )
        .bind(tenant.as_str())
        .fetch_all(&self.pool)
        .await
        .map_err(|error| read_error(&error))?;
        let kept = |row: &SqliteRow| KeptGap {
            first: row.get::<i64, _>(0) as u64,
            id: row.get(1),
            count: row.get::<i64, _>(2) as u64,
            sum: numbers(row.get(3)),
            medoid: row.get::<i64, _>(4) as u64,
            medoid_vector: numbers(row.get(5)),
        };
        Ok(rows.iter().map(kept).collect())
    }

    /// Writes the file anew, so that what was deleted stands nowhere in it.
    ///
    /// # Errors
    /// The disk is full, or somebody reads for a long time.
    pub async fn scrub(&self) -> Result<(), StoreError> {
        for sql in ["VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"] {
            let done = sqlx::query(sql).execute(&self.pool).await;
            done.map_err(|error| write_error(&error))?;
        }
        Ok(())
    }

    pub async fn close(&self) {
        self.pool.close().await;
    }
}

fn read_error(error: &sqlx::Error) -> StoreError {
    StoreError::Read(error.to_string().into())
}

fn write_error(error: &sqlx::Error) -> StoreError {
    StoreError::Write(error.to_string().into())
}

/// Little-endian, four bytes each.
fn bytes(numbers: &[f32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

fn numbers(bytes: &[u8]) -> Vec<f32> {
    let four = |four: &[u8]| f32::from_le_bytes([four[0], four[1], four[2], four[3]]);
    bytes.chunks_exact(4).map(four).collect()
}

fn time(milliseconds: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(milliseconds)
        .map_err(|error| StoreError::Corrupt(format!("a time is out of range: {error}")))
}

#[cfg(test)]
mod tests;
