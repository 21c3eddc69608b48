//! The embedded back end: one SQLite file in WAL mode, one writer, a pool of readers.
//!
//! `engine` owns the only connection that may write; it commits with `synchronous=FULL`, and it alone moves the WAL
//! into the file. Readers can't write.

mod engine;
mod lock;
mod schema;
mod statements;
mod upgrade;

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use self::engine::SqliteEngine;
pub use self::lock::FolderLock;
use super::failpoints::{self, Failpoints};
use super::log::{EventLog, Queueing};
use super::reader::{Reader, read_error};
use super::sql::{Connection, Pool, Sql};
use super::{CommitHook, StoreError, private};

/// The log's file in a data folder.
pub const FILE: &str = "events.sqlite";

/// A file up to this size is looked through at each start, which takes some seconds at most.
const CHECKED_AT_START_BYTES: u64 = 256 << 20;

/// The log in a data folder.
pub type SqliteStore = EventLog;

#[derive(Clone)]
pub struct SqliteSettings {
    pub folder: PathBuf,
    pub queueing: Queueing,
    /// A quota for the file, in pages of 8 KiB (of 4 in an older log); beyond it appends are refused as on a full disk.
    pub max_pages: Option<u32>,
    pub readers: u32,
    /// For tests.
    pub failpoints: Option<Failpoints>,
}

impl SqliteSettings {
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            queueing: Queueing::default(),
            max_pages: None,
            readers: 4,
            failpoints: None,
        }
    }
}

impl EventLog {
    /// Opens (or makes) the log in a folder, alone: a second process is refused.
    ///
    /// Conversations that a crash left live are ended here, with reason `crash`.
    ///
    /// # Errors
    /// Another process has it, it is damaged, or the folder can't be used.
    pub async fn open(folder: &Path, on_commit: CommitHook) -> Result<Self, StoreError> {
        Self::open_with(SqliteSettings::new(folder), on_commit).await
    }

    /// # Errors
    /// As `open`.
    pub async fn open_with(
        settings: SqliteSettings,
        on_commit: CommitHook,
    ) -> Result<Self, StoreError> {
        let folder = &settings.folder;
        let unusable = |why: String| StoreError::Folder { folder: folder.clone(), why: why.into() };
        let lock = FolderLock::make(folder)?;
        private::file(&folder.join(FILE)).map_err(|error| unusable(error.to_string()))?;

        let options = options(&folder.join(FILE));
        let mut write = options
            .clone()
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(false)
            // The writer decides when: never while an appender waits.
            .pragma("wal_autocheckpoint", "0")
            // What is written over or erased leaves nothing behind in its page.
            .pragma("secure_delete", "ON")
            .thread_name(|_| "store-writer".to_owned());
        if let Some(pages) = settings.max_pages {
            write = write.pragma("max_page_count", pages.to_string());
        }
        let mut connection = write.connect().await.map_err(|error| unusable(error.to_string()))?;
        schema::check_sqlite(&mut connection).await?;
        schema::migrate(&mut connection).await?;
        let mut connection = Connection::Sqlite(connection);
        let settled = connection.script(engine::JOURNALS_IN_MEMORY).await;
        settled.map_err(|error| unusable(error.to_string()))?;

        let reader = Reader::new(Pool::Sqlite(pool(options, settings.readers).await?));
        let size = tokio::fs::metadata(folder.join(FILE)).await.map_or(0, |file| file.len());
        if size <= CHECKED_AT_START_BYTES {
            reader.pages_hold().await?;
        }
        let engine = SqliteEngine::new(connection, write, lock);
        let engine = failpoints::around(Box::new(engine), settings.failpoints);
        Self::to_write(engine, reader, settings.queueing, on_commit).await
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
        Self::open_file_to_read(&folder.join(FILE)).await
    }

    /// The same for a log's file under any name, such as a backup.
    ///
    /// # Errors
    /// It is no log, or of another version.
    pub async fn open_file_to_read(file: &Path) -> Result<Self, StoreError> {
        let pool = pool(options(file), SqliteSettings::new(file).readers).await?;
        let reader = Reader::new(Pool::Sqlite(pool));
        schema::check_version(reader.number(Sql::new("PRAGMA user_version")).await?)?;
        Ok(Self::to_read(reader))
    }

    /// Whether there is a log in the folder; nothing is made.
    pub fn is_in(folder: &Path) -> bool {
        folder.join(FILE).is_file()
    }
}

/// A connection that sees the log as it is now, whatever is written meanwhile.
pub async fn snapshot(file: &Path) -> Result<Connection, StoreError> {
    let failed = |error: sqlx::Error| read_error(&error);
    let connection = options(file).read_only(true).connect().await.map_err(failed)?;
    let mut connection = Connection::Sqlite(connection);
    connection.script("BEGIN").await.map_err(failed)?;
    // The view begins with the first look.
    connection.row(Sql::new("SELECT position FROM log")).await.map_err(failed)?;
    Ok(connection)
}

/// A second connection that may write to a log, also beside a service: little, and what no writer remembers.
pub async fn beside(file: &Path) -> Result<Connection, StoreError> {
    let options = options(file)
        .synchronous(SqliteSynchronous::Full)
        .pragma("wal_autocheckpoint", "0")
        .pragma("secure_delete", "ON");
    let connection = options.connect().await.map_err(|error| write_error(&error))?;
    Ok(Connection::Sqlite(connection))
}

/// Whether a log's file is of an earlier version, which `make_file` brings up to date.
pub async fn is_older(file: &Path) -> Result<bool, StoreError> {
    let failed = |error: sqlx::Error| read_error(&error);
    let connection = options(file).read_only(true).connect().await.map_err(failed)?;
    let mut connection = Connection::Sqlite(connection);
    let row = connection.row(Sql::new("PRAGMA user_version")).await.map_err(failed)?;
    let found = row.map_or(0, |row| row.int(0));
    Ok(matches!(schema::check_version(found), Err(StoreError::Older { .. })))
}

/// A log in a file of its own: a new, empty one, or what is there, brought up to date.
pub async fn make_file(file: &Path) -> Result<Connection, StoreError> {
    let options = options(file).create_if_missing(true);
    let mut connection = options.connect().await.map_err(|error| write_error(&error))?;
    schema::migrate(&mut connection).await?;
    Ok(Connection::Sqlite(connection))
}

fn options(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        // Of a new log: each commit touches many pages a little, and larger ones are fewer.
        .page_size(8_192)
        .busy_timeout(Duration::from_secs(5))
        .pragma("mmap_size", "0")
        .disable_statement_logging()
}

/// Connections that can't write.
async fn pool(options: SqliteConnectOptions, readers: u32) -> Result<SqlitePool, StoreError> {
    SqlitePoolOptions::new()
        .max_connections(readers.max(1))
        .acquire_timeout(Duration::from_secs(10))
        .connect_with(options.read_only(true).pragma("query_only", "1"))
        .await
        .map_err(|error| read_error(&error))
}

pub fn write_error(error: &sqlx::Error) -> StoreError {
    const SQLITE_FULL: &str = "13";
    match error.as_database_error().and_then(|error| error.code()) {
        Some(code) if code == SQLITE_FULL => StoreError::Full,
        _ => StoreError::Write(error.to_string().into()),
    }
}

#[cfg(test)]
mod tests;
