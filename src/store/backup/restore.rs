//! Putting a backup in the place of a log.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;

use super::{BackupError, NOTE, Note, VERSION, checked, close, copy, hashed, io, synced};
use crate::store::chain::LogHead;
use crate::store::sql::{Connection, Sql};
use crate::store::sqlite::{FILE, FolderLock};
use crate::store::{Place, StoreError, followers, postgres, sqlite};

/// What was done.
#[derive(Debug)]
pub struct Restored {
    pub note: Note,
    /// Where the log that was there before is now.
    pub set_aside: Option<PathBuf>,
}

/// Checks a backup and makes it the log in `to`, which no service may use meanwhile. `replace`: also where there is a
/// log already; a file is set aside then, rows of a database are not kept.
///
/// # Errors
/// The backup is damaged or isn't one, there is a log already, or a service uses it. What was there still is.
pub async fn restore(
    folder: &Path,
    to: &Place,
    replace: bool,
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<Restored, BackupError> {
    let note = verified(folder).await?;
    let file = folder.join(FILE);
    let set_aside = match to {
        Place::Folder(data) => into_folder(&file, data, replace).await?,
        Place::Postgres(options) => {
            let mut target = postgres::alone(options).await?;
            let there =
                target.row(Sql::new("SELECT 1 FROM log WHERE position > 0 OR revision > 0"));
            let is_there = there.await.map_err(|error| postgres::failure(&error))?.is_some();
            if is_there && !replace {
                return Err(BackupError::InTheWay(to.to_string()));
            }
            into_database(&file, &mut target, progress).await?;
            close(target).await;
            None
        }
    };
    Ok(Restored { note, set_aside })
}

/// The note of a backup whose every byte and link was checked.
async fn verified(folder: &Path) -> Result<Note, BackupError> {
    let bad = |why: String| BackupError::NoBackup { folder: folder.to_owned(), why };
    let path = folder.join(NOTE);
    let text = match tokio::fs::read_to_string(&path).await {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(bad(format!("there is no {NOTE} in it, so it is no whole backup")));
        }
        read => read.map_err(io(&path))?,
    };
    let note: Note =
        serde_json::from_str(&text).map_err(|error| bad(format!("{NOTE}: {error}")))?;
    if note.version > VERSION {
        return Err(bad("it was made by a newer backchannel; use that to restore it".to_owned()));
    }
    let head = LogHead::parse(&note.head)
        .ok_or_else(|| bad(format!("{NOTE}: `head` is no head of a log")))?;
    let file = folder.join(FILE);
    if hashed(&file).await? != (note.bytes, note.sha256.clone()) {
        return Err(bad(format!("{FILE} isn't the file that {NOTE} tells of; it is damaged")));
    }
    let report = checked(&file, Some(head)).await?;
    match report.faults.first() {
        Some(fault) => Err(bad(format!("it is damaged: {fault}"))),
        None => Ok(note),
    }
}

async fn into_folder(
    file: &Path,
    data: &Path,
    replace: bool,
) -> Result<Option<PathBuf>, BackupError> {
    let _lock = FolderLock::make(data)?;
    let log = data.join(FILE);
    let is_there = log.exists();
    if is_there && !replace {
        return Err(BackupError::InTheWay(data.display().to_string()));
    }
    // Whole beside it first: a full disk or a kill leaves the old log as it was.
    let beside = data.join(format!("{FILE}.restoring"));
    tokio::fs::copy(file, &beside).await.map_err(io(&beside))?;
    let renamed = rename_log(&beside).await;
    renamed.map_err(|error| sqlite::write_error(&error))?;
    synced(&beside).await?;
    let mut aside = None;
    if is_there {
        let stamp = Timestamp::now().strftime("%Y%m%dT%H%M%SZ");
        let folder = data.join(format!("replaced-{stamp}"));
        tokio::fs::create_dir_all(&folder).await.map_err(io(&folder))?;
        // The WAL first: it must never be found beside a file that isn't its own.
        for suffix in ["-wal", "-shm", ""] {
            let name = format!("{FILE}{suffix}");
            match tokio::fs::rename(data.join(&name), folder.join(&name)).await {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                moved => moved.map_err(io(&data.join(&name)))?,
            }
        }
        aside = Some(folder);
    }
    tokio::fs::rename(&beside, &log).await.map_err(io(&log))?;
    followers::part(data).await.map_err(io(data))?;
    synced(data).await?;
    Ok(aside)
}

/// Gives a restored log a name of its own: it goes on differently from here.
async fn rename_log(file: &Path) -> Result<(), sqlx::Error> {
    let options = SqliteConnectOptions::new().filename(file).disable_statement_logging();
    let mut connection = Connection::Sqlite(options.connect().await?);
    let renamed = connection.execute(name_anew()).await;
    close(connection).await;
    renamed.map(drop)
}

fn name_anew() -> Sql {
    let id: [u8; 16] = rand::random();
    let id: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    Sql::new("UPDATE log SET id = $1").with(id)
}

async fn into_database(
    file: &Path,
    target: &mut Connection,
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<(), BackupError> {
    let options =
        SqliteConnectOptions::new().filename(file).read_only(true).disable_statement_logging();
    let unreadable = |error: sqlx::Error| StoreError::Read(error.to_string().into());
    let mut source = Connection::Sqlite(options.connect().await.map_err(unreadable)?);
    let copied = replaced(&mut source, target, progress).await;
    close(source).await;
    copied.map_err(|error| postgres::failure(&error).into())
}

/// In one transaction: whoever reads sees the old log or the new one.
async fn replaced(
    source: &mut Connection,
    target: &mut Connection,
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<(), sqlx::Error> {
    target.script("BEGIN").await?;
    source.script("BEGIN").await?;
    copy::empty(target).await?;
    copy::copy(source, target, progress).await?;
    target.execute(name_anew()).await?;
    let newest = "SELECT setval(pg_get_serial_sequence('outbox', 'position'), \
         coalesce((SELECT max(position) FROM outbox), 1), EXISTS (SELECT 1 FROM outbox))";
    target.row(Sql::new(newest)).await?;
    target.script("COMMIT").await
}
