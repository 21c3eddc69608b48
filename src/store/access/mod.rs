//! API keys, in a file of their own beside the log.
//!
//! `backchannel keys` writes here while a service runs, which holds the log's lock: so it is another file, which
//! SQLite lets several processes write. The service looks whether it has changed (`version`), takes the keys into
//! memory, and moves what was done to them (`changes`) into the event log.
//!
//! A key is 256 random bits. So a plain SHA-256 of it keeps it secret: a slow hash protects words that can be
//! guessed, and these can't (NIST SP 800-63B, 5.1.1.2, asks for one with memorised secrets only).

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions, Row};

use super::{StoreError, private};
use crate::domain::{AccessRole, TenantId};

pub const FILE: &str = "access.sqlite";
const SCHEMA: &str = include_str!("schema.sql");
const VERSION: i64 = 1;

/// Cheap to clone.
#[derive(Clone)]
pub struct AccessFile {
    /// One connection: `version` counts what others wrote, not what it wrote itself.
    pool: SqlitePool,
}

/// A key as it is kept: everything but itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRow {
    /// Stands in the key, so it is found without trying all.
    pub id: String,
    pub name: String,
    pub tenant: TenantId,
    pub role: AccessRole,
    pub hash: [u8; 32],
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    /// To the minute.
    pub last_used_at: Option<Timestamp>,
}

impl KeyRow {
    pub fn is_good_at(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

/// Something that was done to a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyChange {
    /// Grows, and is never given twice in one file.
    pub number: u64,
    pub time: Timestamp,
    pub action: KeyAction,
    pub key: String,
    /// The user of the machine who did it.
    pub by: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyAction {
    Added,
    Revoked,
}

impl KeyAction {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Revoked => "revoked",
        }
    }

    fn parse(name: &str) -> Result<Self, StoreError> {
        let all = [Self::Added, Self::Revoked];
        all.into_iter().find(|action| action.as_str() == name).ok_or_else(|| {
            StoreError::Corrupt(format!("{FILE}: a change of keys is called {name:?}"))
        })
    }
}

/// What became of a wish to revoke a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revoked {
    Now,
    Before,
    NoSuchKey,
}

impl AccessFile {
    /// Opens the file of a data folder, or makes it, readable by its owner alone.
    ///
    /// # Errors
    /// The folder can't be written, or a newer version of the program made the file.
    pub async fn open(folder: &Path) -> Result<Self, StoreError> {
        let unusable = |error: std::io::Error| StoreError::Folder {
            folder: folder.to_owned(),
            why: error.to_string().into(),
        };
        private::folder(folder).map_err(unusable)?;
        let path = folder.join(FILE);
        private::file(&path).map_err(unusable)?;
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(5))
            .disable_statement_logging();
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await;
        let file = Self { pool: pool.map_err(|error| read_error(&error))? };
        file.migrate().await?;
        Ok(file)
    }

    async fn migrate(&self) -> Result<(), StoreError> {
        let mut step = self.begin().await?;
        let found: i64 = sqlx::query("PRAGMA user_version")
            .fetch_one(&mut *step)
            .await
            .map_err(|error| read_error(&error))?
            .get(0);
        match found {
            VERSION => return Ok(()),
            0 => {}
            newer => {
                let what = format!("{FILE} is of version {newer}; this program knows {VERSION}");
                return Err(StoreError::Corrupt(what));
            }
        }
        let version = format!("PRAGMA user_version = {VERSION}");
        for text in [SCHEMA.to_owned(), version] {
            let made = sqlx::raw_sql(sqlx::AssertSqlSafe(text)).execute(&mut *step).await;
            made.map_err(|error| write_error(&error))?;
        }
        step.commit().await.map_err(|error| write_error(&error))
    }

    /// All keys, the newest first; also those that open nothing any more.
    ///
    /// # Errors
    /// The file can't be read.
    pub async fn keys(&self) -> Result<Vec<KeyRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, name, tenant, role, hash, created_at, expires_at, revoked_at, last_used_at \
             FROM keys ORDER BY created_at DESC, id",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(|error| read_error(&error))?;
        rows.iter().map(key).collect()
    }

    /// # Errors
    /// There is a key with this id, or the file can't be written.
    pub async fn add(&self, key: &KeyRow, by: &str) -> Result<(), StoreError> {
        let mut step = self.begin().await?;
        let added = sqlx::query(
            "INSERT INTO keys (id, name, tenant, role, hash, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(&key.id)
        .bind(&key.name)
        .bind(key.tenant.as_str())
        .bind(key.role.as_str())
        .bind(key.hash.as_slice())
        .bind(key.created_at.as_millisecond())
        .bind(key.expires_at.map(Timestamp::as_millisecond))
        .execute(&mut *step)
        .await;
        added.map_err(|error| write_error(&error))?;
        note(&mut step, key.created_at, KeyAction::Added, &key.id, by).await?;
        step.commit().await.map_err(|error| write_error(&error))
    }

    /// # Errors
    /// The file can't be written.
    pub async fn revoke(&self, id: &str, at: Timestamp, by: &str) -> Result<Revoked, StoreError> {
        let mut step = self.begin().await?;
        let revoked =
            sqlx::query("UPDATE keys SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL")
                .bind(at.as_millisecond())
                .bind(id)
                .execute(&mut *step)
                .await
                .map_err(|error| write_error(&error))?;
        if revoked.rows_affected() == 0 {
            let known = sqlx::query("SELECT 1 FROM keys WHERE id = ?")
                .bind(id)
                .fetch_optional(&mut *step)
                .await
                .map_err(|error| read_error(&error))?;
            return Ok(if known.is_some() { Revoked::Before } else { Revoked::NoSuchKey });
        }
        note(&mut step, at, KeyAction::Revoked, id, by).await?;
        step.commit().await.map_err(|error| write_error(&error))?;
        Ok(Revoked::Now)
    }

    /// Notes when keys were last used.
    ///
    /// # Errors
    /// The file can't be written.
    pub async fn used(&self, keys: &[(String, Timestamp)]) -> Result<(), StoreError> {
        let mut step = self.begin().await?;
        for (id, at) in keys {
            let noted = sqlx::query("UPDATE keys SET last_used_at = ? WHERE id = ?")
                .bind(at.as_millisecond())
                .bind(id)
                .execute(&mut *step)
                .await;
            noted.map_err(|error| write_error(&error))?;
        }
        step.commit().await.map_err(|error| write_error(&error))
    }

    /// What was done and isn't in the log yet, the oldest first, with the key as it is now.
    ///
    /// # Errors
    /// The file can't be read.
    pub async fn changes(&self) -> Result<Vec<(KeyChange, KeyRow)>, StoreError> {
        let rows = sqlx::query(
            "SELECT k.id, name, tenant, role, hash, created_at, expires_at, revoked_at, last_used_at, \
             number, time, action, by FROM changes JOIN keys k ON k.id = key ORDER BY number LIMIT 500",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(|error| read_error(&error))?;
        let change = |row: &SqliteRow| {
            let key = key(row)?;
            let change = KeyChange {
                number: row.get::<i64, _>(9) as u64,
                time: time(row.get(10))?,
                action: KeyAction::parse(row.get(11))?,
                key: key.id.clone(),
                by: row.get(12),
            };
            Ok((change, key))
        };
        rows.iter().map(change).collect()
    }

    /// Forgets changes up to this one: they are in the log.
    ///
    /// # Errors
    /// The file can't be written.
    pub async fn logged(&self, number: u64) -> Result<(), StoreError> {
        let gone = sqlx::query("DELETE FROM changes WHERE number <= ?")
            .bind(number as i64)
            .execute(&self.pool)
            .await;
        gone.map(drop).map_err(|error| write_error(&error))
    }

    /// Another number than before when another process has written.
    ///
    /// # Errors
    /// The file can't be read.
    pub async fn version(&self) -> Result<i64, StoreError> {
        let row = sqlx::query("PRAGMA data_version").fetch_one(&self.pool).await;
        row.map(|row| row.get(0)).map_err(|error| read_error(&error))
    }

    pub async fn close(&self) {
        self.pool.close().await;
    }

    async fn begin(&self) -> Result<sqlx::Transaction<'static, sqlx::Sqlite>, StoreError> {
        self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(|error| write_error(&error))
    }
}

async fn note(
    step: &mut sqlx::Transaction<'static, sqlx::Sqlite>,
    time: Timestamp,
    action: KeyAction,
    key: &str,
    by: &str,
) -> Result<(), StoreError> {
    let noted = sqlx::query("INSERT INTO changes (time, action, key, by) VALUES (?, ?, ?, ?)")
        .bind(time.as_millisecond())
        .bind(action.as_str())
        .bind(key)
        .bind(by)
        .execute(&mut **step)
        .await;
    noted.map(drop).map_err(|error| write_error(&error))
}

fn key(row: &SqliteRow) -> Result<KeyRow, StoreError> {
    let id: String = row.get(0);
    let odd = |what: &str| StoreError::Corrupt(format!("{FILE}: key {id} has {what}"));
    let role: &str = row.get(3);
    let hash: &[u8] = row.get(4);
    let instant = |at: Option<i64>| at.map(time).transpose();
    Ok(KeyRow {
        name: row.get(1),
        tenant: TenantId::from(row.get::<String, _>(2)),
        role: AccessRole::parse(role).ok_or_else(|| odd("a role that isn't known"))?,
        hash: hash.try_into().map_err(|_| odd("a hash of another length"))?,
        created_at: time(row.get(5))?,
        expires_at: instant(row.get(6))?,
        revoked_at: instant(row.get(7))?,
        last_used_at: instant(row.get(8))?,
        id,
    })
}

fn time(milliseconds: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(milliseconds)
        .map_err(|error| StoreError::Corrupt(format!("{FILE}: a time is out of range: {error}")))
}

fn read_error(error: &sqlx::Error) -> StoreError {
    StoreError::Read(error.to_string().into())
}

fn write_error(error: &sqlx::Error) -> StoreError {
    StoreError::Write(error.to_string().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str, at: i64) -> KeyRow {
        KeyRow {
            id: id.to_owned(),
            name: "Ada".to_owned(),
            tenant: "demo".into(),
            role: AccessRole::Agent,
            hash: [7; 32],
            created_at: Timestamp::from_millisecond(at).expect("a time"),
            expires_at: None,
            revoked_at: None,
            last_used_at: None,
        }
    }

    #[tokio::test]
    async fn what_another_process_writes_is_seen_and_told_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let service = AccessFile::open(folder.path()).await.expect("it opens");
        let hand = AccessFile::open(folder.path()).await.expect("it opens beside it");
        let before = service.version().await.expect("read");
        assert_eq!(service.version().await.expect("read"), before);
        hand.add(&row("a", 1_000), "root").await.expect("written");
        assert!(hand.add(&row("a", 2_000), "root").await.is_err(), "an id is given once");
        assert_ne!(service.version().await.expect("read"), before);
        assert_eq!(service.keys().await.expect("read"), [row("a", 1_000)]);
        let at = Timestamp::from_millisecond(5_000).expect("a time");
        assert_eq!(hand.revoke("a", at, "root").await.expect("written"), Revoked::Now);
        assert_eq!(hand.revoke("a", at, "root").await.expect("read"), Revoked::Before);
        assert_eq!(hand.revoke("b", at, "root").await.expect("read"), Revoked::NoSuchKey);

        let changes = service.changes().await.expect("read");
        let told: Vec<_> =
            changes.iter().map(|(change, key)| (change.action, key.id.as_str())).collect();
        assert_eq!(told, [(KeyAction::Added, "a"), (KeyAction::Revoked, "a")]);
        assert!(!changes[0].1.is_good_at(at));
        service.logged(changes[0].0.number).await.expect("written");
        let left = service.changes().await.expect("read");
        assert_eq!(left.len(), 1);
        service.logged(left[0].0.number).await.expect("written");
        hand.add(&row("b", 6_000), "root").await.expect("written");
        let next = service.changes().await.expect("read");
        assert!(next[0].0.number > left[0].0.number, "numbers are never given twice");
    }

    #[tokio::test]
    async fn a_key_ends_when_it_says_so() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = AccessFile::open(folder.path()).await.expect("it opens");
        let end = Timestamp::from_millisecond(9_000).expect("a time");
        file.add(&KeyRow { expires_at: Some(end), ..row("a", 1_000) }, "root").await.expect("ok");
        file.used(&[("a".to_owned(), end)]).await.expect("written");
        let key = file.keys().await.expect("read").remove(0);
        assert_eq!(key.last_used_at, Some(end));
        let before = Timestamp::from_millisecond(8_999).expect("a time");
        assert_eq!((key.is_good_at(before), key.is_good_at(end)), (true, false));
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn others_of_the_machine_can_not_read_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let file = AccessFile::open(folder.path()).await.expect("it opens");
        file.add(&row("a", 1_000), "root").await.expect("written");
        for name in [FILE, "access.sqlite-wal"] {
            let mode = std::fs::metadata(folder.path().join(name)).expect("it is there");
            assert_eq!(mode.permissions().mode() & 0o077, 0, "{name}");
        }
    }
}
