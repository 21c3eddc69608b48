//! Backups: a folder with the log as a SQLite file, whatever it stands in, and a note of what must be in it.
//!
//! A backup is consistent, and made while a service writes: all rows are read in one snapshot. Since both back ends
//! have the same rows, a backup of the one can be restored into the other. It is checked when it is made and again
//! before it replaces anything: its hash, the pages, the sequences and the whole hash chain.
//!
//! What belongs to a conversation stands in it under the conversation's key only (`seal`), and the keys are in the log
//! that was backed up (`keyring`). So an erasure, which destroys the key, reaches every backup, wherever it is.

mod copy;
mod drafts;
mod keyring;
mod pieces;
mod restore;
mod seal;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use self::seal::Sealer;
use super::chain::{LogHead, Report};
use super::sql::Connection;
use super::sqlite::FILE;
use super::{EventLog, Place, Store as _, StoreError, postgres, private, sqlite};

pub use self::keyring::{Keyring, export};
pub use self::restore::{Restored, replaced, restore};

const NOTE: &str = "backup.json";
/// 1: nothing is sealed; 2: drafts of articles aren't.
const VERSION: u32 = 3;

/// What a backup holds, as `backup.json` says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Note {
    version: u32,
    pub made_at: Timestamp,
    /// The program that made it.
    pub program: String,
    pub events: u64,
    pub conversations: usize,
    /// The log's head: `backchannel audit verify --head` takes it.
    pub head: String,
    /// Of the file.
    pub bytes: u64,
    pub sha256: String,
}

/// Why there is no backup, or none could be restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    #[error("{} is there already; name a folder that isn't", .0.display())]
    Taken(PathBuf),
    #[error("{}: {why}", folder.display())]
    NoBackup { folder: PathBuf, why: String },
    #[error(
        "{} is sealed, and the log in {place} has no keys; name the file that `backchannel keyring export` wrote \
         with --keyring", folder.display()
    )]
    NoKeys { folder: PathBuf, place: String },
    #[error("{}:{line}: this is no keyring, or not a whole one", file.display())]
    NoKeyring { file: PathBuf, line: usize },
    #[error("the log is damaged, so that no backup was kept: {0}")]
    Damaged(String),
    #[error(
        "there is an event log in {0} already; --force sets it aside and restores all the same"
    )]
    InTheWay(String),
}

impl crate::domain::Classify for BackupError {
    fn kind(&self) -> crate::domain::ErrorKind {
        use crate::domain::ErrorKind;
        match self {
            Self::Store(error) => error.kind(),
            Self::Io { source, .. } => ErrorKind::of_named_file(source),
            Self::Taken(_) | Self::InTheWay(_) => ErrorKind::Conflict,
            Self::NoBackup { .. }
            | Self::Damaged(_)
            | Self::NoKeys { .. }
            | Self::NoKeyring { .. } => ErrorKind::Invalid,
        }
    }
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> BackupError {
    let path = path.to_owned();
    move |source| BackupError::Io { path, source }
}

/// Backs a log up into a new folder, also while a service writes to it. `progress` hears how many rows were copied,
/// where they are copied one by one.
///
/// # Errors
/// The folder is there already, there is no log or it is damaged, or the disk is full. Nothing is left behind then.
pub async fn backup(
    from: &Place,
    folder: &Path,
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<Note, BackupError> {
    match private::new_folder(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            return Err(BackupError::Taken(folder.to_owned()));
        }
        made => made.map_err(io(folder))?,
    }
    let made = make(from, folder, progress).await;
    if made.is_err() {
        // The folder is ours, and what is in it is worth nothing.
        let _ = tokio::fs::remove_dir_all(folder).await;
    }
    made
}

async fn make(
    from: &Place,
    folder: &Path,
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<Note, BackupError> {
    let file = folder.join(FILE);
    private::file(&file).map_err(io(&file))?;
    let mut snapshot = snapshot(from).await?;
    let mut sealer = match from {
        Place::Folder(data) => {
            Sealer::new(sqlite::beside(&data.join(FILE)).await?, sqlite::write_error)
        }
        Place::Postgres(options) => {
            Sealer::new(postgres::beside(options).await?, postgres::failure)
        }
    };
    let mut target = sqlite::make_file(&file).await?;
    let failed = |error: sqlx::Error| sqlite::write_error(&error);
    target.script(seal::TABLE).await.map_err(failed)?;
    target.script("BEGIN").await.map_err(failed)?;
    let to = &mut target;
    copy::copy(&mut snapshot, to, &mut sealer, sqlite::write_error, progress).await?;
    target.script("COMMIT").await.map_err(failed)?;
    close(target).await;
    close(snapshot).await;
    close(sealer.into_connection()).await;
    let report = checked(&file, None).await?;
    if let Some(fault) = report.faults.first() {
        return Err(BackupError::Damaged(fault.to_string()));
    }
    let (bytes, sha256) = hashed(&file).await?;
    let note = Note {
        version: VERSION,
        made_at: Timestamp::now(),
        program: format!("backchannel {}", env!("CARGO_PKG_VERSION")),
        events: report.events,
        conversations: report.conversations,
        head: report.head.to_string(),
        bytes,
        sha256,
    };
    let text = serde_json::to_string_pretty(&note).expect("a note is JSON; this is a bug");
    let path = folder.join(NOTE);
    tokio::fs::write(&path, text + "\n").await.map_err(io(&path))?;
    for path in [&file, &path, folder] {
        synced(path).await?;
    }
    Ok(note)
}

/// The head that a folder's `backup.json` tells of, whose file must be what it says; `None` where there is no note.
///
/// # Errors
/// `NoBackup`: the file isn't what the note tells of, or the note can't be read.
pub async fn noted(folder: &Path) -> Result<Option<LogHead>, BackupError> {
    match folder.join(NOTE).exists() {
        true => restore::noted(folder).await.map(|(_, head)| Some(head)),
        false => Ok(None),
    }
}

/// A connection that sees the log as it is now, whatever is written meanwhile.
async fn snapshot(from: &Place) -> Result<Connection, StoreError> {
    match from {
        Place::Folder(data) => {
            EventLog::open_to_read(data).await?.close().await;
            sqlite::snapshot(&data.join(FILE)).await
        }
        Place::Postgres(options) => postgres::snapshot(options).await,
    }
}

/// Everything that can be checked of a log's file.
async fn checked(file: &Path, kept: Option<LogHead>) -> Result<Report, StoreError> {
    let log = EventLog::open_file_to_read(file).await?;
    let sound = log.integrity().await;
    let report = match sound {
        Ok(()) => log.audit(kept, |_| ()).await,
        Err(error) => Err(error),
    };
    log.close().await;
    report
}

async fn hashed(file: &Path) -> Result<(u64, String), BackupError> {
    let path = file.to_owned();
    let hashing = tokio::task::spawn_blocking(move || -> std::io::Result<(u64, String)> {
        let mut hash = Sha256::new();
        let bytes = std::io::copy(&mut std::fs::File::open(path)?, &mut Hashing(&mut hash))?;
        let hex = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok((bytes, hex))
    });
    hashing.await.unwrap_or_else(|error| Err(std::io::Error::other(error))).map_err(io(file))
}

struct Hashing<'a>(&'a mut Sha256);

impl std::io::Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

async fn synced(path: &Path) -> Result<(), BackupError> {
    let file = tokio::fs::File::open(path).await.map_err(io(path))?;
    file.sync_all().await.map_err(io(path))
}

async fn close(connection: Connection) {
    use sqlx::Connection as _;
    let closed = match connection {
        Connection::Sqlite(connection) => connection.close().await,
        Connection::Postgres(connection) => connection.close().await,
    };
    if let Err(error) = closed {
        tracing::debug!(%error, "a connection did not close in order");
    }
}

#[cfg(test)]
mod tests;
