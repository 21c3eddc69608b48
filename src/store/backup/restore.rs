//! Putting a backup in the place of a log.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use tempfile::TempDir;

use super::keyring::Keyring;
use super::seal::Opener;
use super::{BackupError, NOTE, Note, VERSION, checked, close, copy, drafts, hashed, io, synced};
use crate::store::chain::LogHead;
use crate::store::reader::read_error;
use crate::store::sql::{Connection, Sql};
use crate::store::sqlite::{FILE, FolderLock};
use crate::store::{Place, StoreError, followers, postgres, private, sqlite};

/// What the names of folders begin with that hold a log which was replaced.
const REPLACED: &str = "replaced-";

/// Folders with logs that were replaced, in the order of their names. No erasure reaches them.
pub fn replaced(data: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(data) else { return Vec::new() };
    let is_one = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy());
        path.is_dir() && name.is_some_and(|name| name.starts_with(REPLACED))
    };
    let mut found: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(is_one).collect();
    found.sort();
    found
}

/// What was done.
#[derive(Debug)]
pub struct Restored {
    pub note: Note,
    /// Where the log that was there before is now.
    pub set_aside: Option<PathBuf>,
    /// Conversations whose key is gone: they are erased in the restored log.
    pub erased: usize,
}

/// Checks a backup and makes it the log in `to`, which no service may use meanwhile. `replace`: also where there is a
/// log already; a file is set aside then, rows of a database are not kept. The keys are those of the log that is
/// there, and those of `keyring`, an export.
///
/// # Errors
/// The backup is damaged or isn't one, there are no keys for it, there is a log already, or a service uses it. What
/// was there still is.
pub async fn restore(
    folder: &Path,
    to: &Place,
    keyring: Option<&Path>,
    replace: bool,
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<Restored, BackupError> {
    let (note, file) = verified(folder).await?;
    let given = match keyring {
        Some(file) => Some(Keyring::read(file).await?),
        None => None,
    };
    let source = Source { folder: folder.to_owned(), file, place: to.to_string(), given };
    let (set_aside, erased) = match to {
        Place::Folder(data) => source.into_folder(data, replace, progress).await?,
        Place::Postgres(options) => {
            let mut target = postgres::alone(options).await?;
            let there =
                target.row(Sql::new("SELECT 1 FROM log WHERE position > 0 OR revision > 0"));
            let is_there = there.await.map_err(|error| postgres::failure(&error))?.is_some();
            if is_there && !replace {
                return Err(BackupError::InTheWay(to.to_string()));
            }
            let keys = Keyring::of_log(&mut target).await;
            let keys = keys.map_err(|error| postgres::failure(&error))?;
            let erased = source.copied(&mut target, keys, postgres::failure, progress).await?;
            close(target).await;
            (None, erased)
        }
    };
    Ok(Restored { note, set_aside, erased })
}

/// The note of a backup whose file is to the byte what it tells of, and the log's head by it.
pub(super) async fn noted(folder: &Path) -> Result<(Note, LogHead), BackupError> {
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
    Ok((note, head))
}

/// The note of a backup whose every byte and link was checked, and its log.
async fn verified(folder: &Path) -> Result<(Note, Current), BackupError> {
    let bad = |why: String| BackupError::NoBackup { folder: folder.to_owned(), why };
    let (note, head) = noted(folder).await?;
    let current = Current::of(folder.join(FILE)).await?;
    let report = checked(&current.file, Some(head)).await?;
    match report.faults.first() {
        Some(fault) => Err(bad(format!("it is damaged: {fault}"))),
        None => Ok((note, current)),
    }
}

/// A log's file as this version has it.
struct Current {
    file: PathBuf,
    /// Where it is when it was copied.
    _copy: Option<TempDir>,
}

impl Current {
    /// That of an earlier version is brought up to date in a copy: a backup stays as its note says, and may be where
    /// nothing can be written.
    async fn of(file: PathBuf) -> Result<Self, BackupError> {
        if !sqlite::is_older(&file).await? {
            return Ok(Self { file, _copy: None });
        }
        let folder = tempfile::tempdir().map_err(io(&std::env::temp_dir()))?;
        let copy = folder.path().join(FILE);
        tokio::fs::copy(&file, &copy).await.map_err(io(&copy))?;
        close(sqlite::make_file(&copy).await?).await;
        Ok(Self { file: copy, _copy: Some(folder) })
    }
}

/// A backup that was checked.
struct Source {
    folder: PathBuf,
    file: Current,
    /// Where it goes, for people.
    place: String,
    given: Option<Keyring>,
}

impl Source {
    /// Into a data folder. Where the log that was there is now, and how many conversations' keys are gone.
    async fn into_folder(
        self,
        data: &Path,
        replace: bool,
        progress: &mut (dyn FnMut(u64) + Send),
    ) -> Result<(Option<PathBuf>, usize), BackupError> {
        let _lock = FolderLock::make(data)?;
        let log = data.join(FILE);
        let is_there = log.exists();
        if is_there && !replace {
            return Err(BackupError::InTheWay(data.display().to_string()));
        }
        let keys = if is_there { keys_of(&log).await } else { Keyring::default() };
        // Whole beside it first: a full disk or a kill leaves the old log as it was.
        let beside = data.join(format!("{FILE}.restoring"));
        for suffix in ["", "-journal"] {
            let left = data.join(format!("{FILE}.restoring{suffix}"));
            match tokio::fs::remove_file(&left).await {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(io(&left)(error));
                }
                _ => {}
            }
        }
        private::file(&beside).map_err(io(&beside))?;
        let mut target = sqlite::make_file(&beside).await?;
        let erased = self.copied(&mut target, keys, sqlite::write_error, progress).await;
        close(target).await;
        if erased.is_err() {
            // What is in it is worth nothing, and readable.
            let _ = tokio::fs::remove_file(&beside).await;
        }
        let erased = erased?;
        synced(&beside).await?;
        let mut aside = None;
        if is_there {
            let stamp = Timestamp::now().strftime("%Y%m%dT%H%M%SZ");
            let folder = data.join(format!("{REPLACED}{stamp}"));
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
        Ok((aside, erased))
    }

    /// In one transaction: whoever reads sees the old log or the new one. How many conversations' keys are gone.
    async fn copied(
        self,
        target: &mut Connection,
        mut keys: Keyring,
        failed: fn(&sqlx::Error) -> StoreError,
        progress: &mut (dyn FnMut(u64) + Send),
    ) -> Result<usize, BackupError> {
        let options = SqliteConnectOptions::new()
            .filename(&self.file.file)
            .read_only(true)
            .disable_statement_logging();
        let unread = |error: sqlx::Error| read_error(&error);
        let mut from = Connection::Sqlite(options.connect().await.map_err(unread)?);
        let is_given = self.given.is_some();
        if let Some(given) = self.given {
            keys.join(given);
        }
        let mut opener = Opener::new(&mut from, keys).await.map_err(unread)?;
        if opener.is_locked() && !is_given {
            return Err(BackupError::NoKeys { folder: self.folder, place: self.place });
        }
        let broken = |error: sqlx::Error| BackupError::Store(failed(&error));
        target.script("BEGIN").await.map_err(broken)?;
        from.script("BEGIN").await.map_err(unread)?;
        copy::empty(target).await.map_err(broken)?;
        copy::copy(&mut from, target, &mut opener, failed, progress).await?;
        drafts::settle(target, &opener.gone).await.map_err(broken)?;
        opener.keys().give_to(target).await.map_err(broken)?;
        target.execute(name_anew()).await.map_err(broken)?;
        if let Connection::Postgres(_) = target {
            let newest = "SELECT setval(pg_get_serial_sequence('outbox', 'position'), \
                 coalesce((SELECT max(position) FROM outbox), 1), EXISTS (SELECT 1 FROM outbox))";
            target.row(Sql::new(newest)).await.map_err(broken)?;
        }
        target.script("COMMIT").await.map_err(broken)?;
        close(from).await;
        Ok(opener.closed.len())
    }
}

/// Those of the log that is replaced. It may be replaced because it can't be read.
async fn keys_of(log: &Path) -> Keyring {
    let keys = async {
        let mut connection = sqlite::snapshot(log).await?;
        let keys = Keyring::of_log(&mut connection).await;
        close(connection).await;
        keys.map_err(|error| read_error(&error))
    };
    keys.await.unwrap_or_else(|error| {
        tracing::warn!(%error, "the keys of the log that is replaced can't be read");
        Keyring::default()
    })
}

/// A restored log has a name of its own: it goes on differently from here.
fn name_anew() -> Sql {
    let id: [u8; 16] = rand::random();
    let id: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    Sql::new("UPDATE log SET id = $1").with(id)
}
