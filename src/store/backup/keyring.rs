//! The keys of backups: one for each conversation, in the log's own database and never in a backup.
//!
//! Whoever loses them loses what is in the backups, so they can be exported into a file, which belongs elsewhere than
//! the backups. An erasure destroys the key in the log; an export from before must be replaced by a new one, or it
//! keeps the erased conversations of old backups readable.

use std::collections::HashMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::pieces::Whose;
use super::seal::{KEY_BYTES, Key, give};
use super::{BackupError, io};
use crate::store::StoreError;
use crate::store::sql::{Connection, Sql};

const PAGE: i64 = 1_000;
/// Before the lines of an export.
const VERSION: u32 = 1;

/// Keys by conversation.
#[derive(Default)]
pub struct Keyring(HashMap<Whose, Key>);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Heading {
    backchannel_keyring: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    tenant: String,
    conversation: String,
    /// Base64.
    key: String,
}

impl Keyring {
    pub fn get(&self, whose: &Whose) -> Option<&Key> {
        self.0.get(whose)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes over what the other one has and this one hasn't.
    pub fn join(&mut self, other: Self) {
        for (whose, key) in other.0 {
            self.0.entry(whose).or_insert(key);
        }
    }

    /// All keys of a log.
    pub async fn of_log(connection: &mut Connection) -> Result<Self, sqlx::Error> {
        let mut keys = HashMap::new();
        let mut after: Whose = Whose::default();
        loop {
            let sql = Sql::new(format!(
                "SELECT tenant, conversation, key FROM backup_keys WHERE (tenant, conversation) > ($1, $2) \
                 ORDER BY tenant, conversation LIMIT {PAGE}"
            ));
            let sql = sql.with(after.0.as_str()).with(after.1.as_str());
            let rows = connection.rows(sql).await?;
            let Some(last) = rows.last() else { return Ok(Self(keys)) };
            after = (last.text(0).to_owned(), last.text(1).to_owned());
            for row in &rows {
                let bytes: Result<[u8; KEY_BYTES], _> = row.bytes(2).try_into();
                let bytes =
                    bytes.map_err(|_| sqlx::Error::Decode("a key has another length".into()))?;
                keys.insert((row.text(0).to_owned(), row.text(1).to_owned()), Key(bytes));
            }
        }
    }

    /// Gives a log these keys, in the caller's transaction. Conversations that are erased get none.
    pub async fn give_to(&self, connection: &mut Connection) -> Result<(), sqlx::Error> {
        for ((tenant, conversation), key) in &self.0 {
            give(connection, (tenant, conversation), key).await?;
        }
        Ok(())
    }

    /// Reads an export.
    ///
    /// # Errors
    /// It can't be read, or is none; which line is wrong.
    pub async fn read(file: &Path) -> Result<Self, BackupError> {
        let text = tokio::fs::read_to_string(file).await.map_err(io(file))?;
        let wrong = |line: usize| BackupError::NoKeyring { file: file.to_owned(), line: line + 1 };
        let mut lines = text.lines().enumerate();
        let heading = lines.next().and_then(|(_, text)| serde_json::from_str::<Heading>(text).ok());
        if heading.is_none_or(|heading| heading.backchannel_keyring != VERSION) {
            return Err(wrong(0));
        }
        let mut keys = HashMap::new();
        for (number, text) in lines {
            let line: Line = serde_json::from_str(text).map_err(|_| wrong(number))?;
            let key = Key::parse(&line.key).ok_or_else(|| wrong(number))?;
            keys.insert((line.tenant, line.conversation), key);
        }
        Ok(Self(keys))
    }

    /// Writes an export that only its owner can read, in the place of an older one.
    ///
    /// # Errors
    /// The folder can't be written.
    pub async fn write(&self, file: &Path) -> Result<(), BackupError> {
        let mut lines: Vec<String> = self
            .0
            .iter()
            .map(|((tenant, conversation), key)| {
                let line = Line {
                    tenant: tenant.clone(),
                    conversation: conversation.clone(),
                    key: key.to_text(),
                };
                serde_json::to_string(&line).expect("texts are JSON; this is a bug")
            })
            .collect();
        lines.sort();
        let heading = Heading { backchannel_keyring: VERSION };
        lines.insert(0, serde_json::to_string(&heading).expect("a number is JSON; this is a bug"));
        let text = lines.join("\n") + "\n";
        let path = file.to_owned();
        let writing = tokio::task::spawn_blocking(move || whole(&path, text.as_bytes()));
        writing.await.unwrap_or_else(|error| Err(std::io::Error::other(error))).map_err(io(file))
    }
}

/// A full disk or a kill leaves the older one as it was.
fn whole(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write as _;
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // Such a file is its owner's alone from the beginning.
    let mut beside = tempfile::NamedTempFile::new_in(folder)?;
    beside.write_all(bytes)?;
    beside.as_file().sync_all()?;
    beside.persist(file)?;
    std::fs::File::open(folder)?.sync_all()
}

/// Exports the keys of a log, also while a service runs. Says how many there are.
///
/// # Errors
/// There is no log, or the file can't be written.
pub async fn export(from: &crate::store::Place, file: &Path) -> Result<usize, BackupError> {
    let mut connection = super::snapshot(from).await?;
    let keys = Keyring::of_log(&mut connection).await;
    super::close(connection).await;
    let keys = keys.map_err(|error| StoreError::Read(error.to_string().into()))?;
    keys.write(file).await?;
    Ok(keys.len())
}
