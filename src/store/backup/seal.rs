//! Sealing rows on their way into a backup, and opening them on their way out of it.
//!
//! A backup is a log in which every body is erased, so that its hash chain can be checked by anybody; and beside it,
//! in the table `sealed`, what was erased, each piece by AES-256-GCM under the key of its conversation. Without the
//! key it stays erased, and the chain still holds.

use std::collections::{BTreeSet, HashMap};

use async_trait::async_trait;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::copy::{Change, Table};
use super::drafts::{self, Drafts, Shares};
use super::keyring::Keyring;
use super::pieces::{self, Pieces, Whose};
use crate::store::StoreError;
use crate::store::reader::read_error;
use crate::store::sql::{Connection, Sql, Value};

pub const KEY_BYTES: usize = 32;
/// Keys that a backup keeps in memory; beyond that they are read again.
const KEYS_MAX: usize = 20_000;
/// Rows a statement.
const ROWS: usize = 500;

pub const TABLE: &str = "CREATE TABLE sealed (part TEXT NOT NULL, row INTEGER NOT NULL, tenant TEXT NOT NULL, \
    conversation TEXT NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (part, row, tenant, conversation)) \
    STRICT, WITHOUT ROWID";

/// The key of a conversation. `Debug` doesn't show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(pub [u8; KEY_BYTES]);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[key]")
    }
}

impl Key {
    pub fn parse(text: &str) -> Option<Self> {
        STANDARD.decode(text).ok()?.try_into().ok().map(Self)
    }

    pub fn to_text(&self) -> String {
        STANDARD.encode(self.0)
    }

    fn cipher(&self) -> Option<LessSafeKey> {
        UnboundKey::new(&AES_256_GCM, &self.0).ok().map(LessSafeKey::new)
    }

    /// A random nonce and the sealed bytes. `about` must be the same when it is opened.
    fn seal(&self, about: &str, text: &str) -> Option<Vec<u8>> {
        let nonce: [u8; NONCE_LEN] = rand::random();
        let mut bytes = text.as_bytes().to_vec();
        let (place, about) = (Nonce::assume_unique_for_key(nonce), Aad::from(about.as_bytes()));
        self.cipher()?.seal_in_place_append_tag(place, about, &mut bytes).ok()?;
        Some([nonce.as_slice(), &bytes].concat())
    }

    fn open(&self, about: &str, bytes: &[u8]) -> Option<String> {
        let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut sealed = sealed.to_vec();
        let plain = self.cipher()?.open_in_place(nonce, Aad::from(about.as_bytes()), &mut sealed);
        String::from_utf8(plain.ok()?.to_vec()).ok()
    }
}

/// A piece can't be put in the place of another.
fn about(part: &str, row: i64, (tenant, conversation): &Whose) -> String {
    format!("backchannel backup 1\n{part}\n{row}\n{tenant}\n{conversation}")
}

/// What stands under several keys together stands apart.
fn part(table: &Table, is_shared: bool) -> String {
    match is_shared {
        true => format!("{}/shared", table.name),
        false => table.name.to_owned(),
    }
}

/// On the way into a backup.
pub struct Sealer {
    /// To the live log: a conversation's first backup makes its key.
    keys: Connection,
    known: HashMap<Whose, Option<Key>>,
    /// `None`: not read yet.
    drafts: Option<Drafts>,
    failed: fn(&sqlx::Error) -> StoreError,
}

struct Piece {
    row: i64,
    is_shared: bool,
    whose: Whose,
    pieces: Pieces,
}

impl Sealer {
    pub fn new(keys: Connection, failed: fn(&sqlx::Error) -> StoreError) -> Self {
        Self { keys, known: HashMap::new(), drafts: None, failed }
    }

    pub fn into_connection(self) -> Connection {
        self.keys
    }

    /// Makes the keys that are missing, and knows all of them then.
    async fn learn(&mut self, pieces: &[Piece]) -> Result<(), sqlx::Error> {
        if self.known.len() > KEYS_MAX {
            self.known.clear();
        }
        let mut wanted: Vec<&Whose> = pieces
            .iter()
            .map(|piece| &piece.whose)
            .filter(|whose| !self.known.contains_key(*whose))
            .collect();
        wanted.sort();
        wanted.dedup();
        let mut missing = Vec::new();
        for whose in wanted {
            match read(&mut self.keys, whose).await? {
                Some(key) => {
                    self.known.insert(whose.clone(), Some(key));
                }
                None => missing.push(whose.clone()),
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        let is_postgres = matches!(self.keys, Connection::Postgres(_));
        self.keys.script(if is_postgres { "BEGIN" } else { "BEGIN IMMEDIATE" }).await?;
        for (tenant, conversation) in &missing {
            if is_postgres {
                // An erasure that is under way decides first.
                let sql = "SELECT 1 FROM conversations WHERE tenant = $1 AND id = $2 FOR SHARE";
                let sql = Sql::new(sql).with(tenant.as_str()).with(conversation.as_str());
                self.keys.rows(sql).await?;
            }
            give(&mut self.keys, (tenant, conversation), &Key(rand::random())).await?;
        }
        self.keys.script("COMMIT").await?;
        for whose in missing {
            // None: it was erased since this backup began, and isn't in it.
            let key = read(&mut self.keys, &whose).await?;
            self.known.insert(whose, key);
        }
        Ok(())
    }
}

/// Gives a conversation its key, if it has none and isn't erased.
pub async fn give(
    connection: &mut Connection,
    (tenant, conversation): (&str, &str),
    key: &Key,
) -> Result<(), sqlx::Error> {
    let sql = Sql::new(
        "INSERT INTO backup_keys (tenant, conversation, key) SELECT $1, $2, $3 WHERE NOT EXISTS \
         (SELECT 1 FROM conversations WHERE tenant = $1 AND id = $2 AND erased_at IS NOT NULL) \
         ON CONFLICT (tenant, conversation) DO NOTHING",
    );
    let sql = sql.with(tenant).with(conversation).with(key.0.as_slice());
    connection.execute(sql).await.map(drop)
}

async fn read(connection: &mut Connection, whose: &Whose) -> Result<Option<Key>, sqlx::Error> {
    let sql = Sql::new("SELECT key FROM backup_keys WHERE tenant = $1 AND conversation = $2");
    let row = connection.row(sql.with(whose.0.as_str()).with(whose.1.as_str())).await?;
    let key = row.map(|row| row.bytes(0).try_into().map(Key));
    key.transpose().map_err(|_| sqlx::Error::Decode("a key has another length".into()))
}

#[async_trait]
impl Change for Sealer {
    async fn change(
        &mut self,
        table: &Table,
        rows: &mut [Vec<Value>],
        from: &mut Connection,
        to: &mut Connection,
    ) -> Result<(), StoreError> {
        let failed = self.failed;
        let drafts = match self.drafts.take() {
            Some(drafts) => drafts,
            None => Drafts::of_log(from).await.map_err(|error| read_error(&error))?,
        };
        let mut pieces = Vec::new();
        for row in rows {
            let (shared, own) = (drafts.take(table, row), pieces::take(table, row));
            let Value::Int(Some(number)) = row[0] else { continue };
            for (is_shared, taken) in [(true, shared), (false, own)] {
                pieces.extend(taken.into_iter().map(|(whose, pieces)| Piece {
                    row: number,
                    is_shared,
                    whose,
                    pieces,
                }));
            }
        }
        self.drafts = Some(drafts);
        self.learn(&pieces).await.map_err(|error| failed(&error))?;
        let mut sealed: Vec<[Value; 5]> = Vec::new();
        for piece in &pieces {
            let Some(Some(key)) = self.known.get(&piece.whose) else { continue };
            let text = serde_json::to_string(&piece.pieces).expect("texts are JSON; this is a bug");
            let part = part(table, piece.is_shared);
            let bytes = key.seal(&about(&part, piece.row, &piece.whose), &text);
            let bytes = bytes.ok_or_else(|| StoreError::Write("a row can't be sealed".into()))?;
            sealed.push([
                part.into(),
                piece.row.into(),
                piece.whose.0.as_str().into(),
                piece.whose.1.as_str().into(),
                bytes.as_slice().into(),
            ]);
        }
        for some in sealed.chunks(ROWS) {
            let mut sql =
                Sql::new("INSERT INTO sealed (part, row, tenant, conversation, bytes) VALUES ");
            for (at, row) in some.iter().enumerate() {
                let names: Vec<String> = row.iter().map(|value| sql.next(value.clone())).collect();
                let comma = if at == 0 { "" } else { ", " };
                sql.push(&format!("{comma}({})", names.join(", ")));
            }
            let done = to.execute(sql).await;
            done.map_err(|error| crate::store::sqlite::write_error(&error))?;
        }
        Ok(())
    }
}

/// On the way out of a backup.
pub struct Opener {
    keys: Keyring,
    /// What isn't sealed: a backup from before they were.
    is_plain: bool,
    now_ms: i64,
    /// Conversations whose key is gone.
    pub closed: BTreeSet<Whose>,
    /// Positions of articles' revisions that rest on one of these, or can't be opened.
    pub gone: BTreeSet<i64>,
}

impl Opener {
    /// # Errors
    /// The backup can't be read.
    pub async fn new(from: &mut Connection, keys: Keyring) -> Result<Self, sqlx::Error> {
        let sql = Sql::new("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'sealed'");
        let is_plain = from.row(sql).await?.is_none();
        let now_ms = jiff::Timestamp::now().as_millisecond();
        let (closed, gone) = (BTreeSet::new(), BTreeSet::new());
        Ok(Self { keys, is_plain, now_ms, closed, gone })
    }

    /// Whether the backup needs keys, and there are none at all.
    pub fn is_locked(&self) -> bool {
        !self.is_plain && self.keys.is_empty()
    }

    pub const fn keys(&self) -> &Keyring {
        &self.keys
    }
}

#[async_trait]
impl Change for Opener {
    async fn change(
        &mut self,
        table: &Table,
        rows: &mut [Vec<Value>],
        from: &mut Connection,
        _: &mut Connection,
    ) -> Result<(), StoreError> {
        let number = |row: &Vec<Value>| match row[0] {
            Value::Int(number) => number,
            Value::Text(_) | Value::Bytes(_) => None,
        };
        let (Some(first), Some(last)) =
            (rows.first().and_then(number), rows.last().and_then(number))
        else {
            return Ok(());
        };
        if self.is_plain {
            return Ok(());
        }
        let (own, shared) = (part(table, false), part(table, true));
        let sql = Sql::new(
            "SELECT part, row, tenant, conversation, bytes FROM sealed WHERE part IN ($1, $2) \
             AND row >= $3 AND row <= $4",
        )
        .with(own.as_str())
        .with(shared.as_str())
        .with(first)
        .with(last);
        let sealed = from.rows(sql).await;
        let sealed = sealed.map_err(|error| StoreError::Read(error.to_string().into()))?;
        let mut by_row: HashMap<i64, Vec<(bool, Whose, Vec<u8>)>> = HashMap::new();
        for one in &sealed {
            let whose = (one.text(2).to_owned(), one.text(3).to_owned());
            let is_shared = one.text(0) == shared;
            by_row.entry(one.int(1)).or_default().push((is_shared, whose, one.bytes(4)));
        }
        let bad = |why: String| StoreError::Corrupt(why);
        for row in rows.iter_mut() {
            let Some(row_number) = number(row) else { continue };
            let (mut shares, mut is_gone) = (Shares::default(), false);
            for (is_shared, whose, bytes) in by_row.remove(&row_number).unwrap_or_default() {
                let Some(key) = self.keys.get(&whose) else {
                    pieces::gone(table, row, self.now_ms);
                    self.closed.insert(whose);
                    is_gone = true;
                    continue;
                };
                let part = if is_shared { &shared } else { &own };
                let text = key.open(&about(part, row_number, &whose), &bytes);
                let text = text.ok_or_else(|| {
                    bad(format!("what was sealed of conversation {} was changed", whose.1))
                })?;
                let pieces: Pieces = serde_json::from_str(&text).map_err(|_| {
                    bad(format!("what was sealed of conversation {} is odd", whose.1))
                })?;
                match is_shared {
                    true => shares.add(pieces),
                    false => pieces::put(table, row, pieces),
                }
                .map_err(bad)?;
            }
            if let Some(pieces) = shares.joined().map_err(bad)? {
                drafts::put(table, row, pieces).map_err(bad)?;
            }
            if table.name == "article_revisions" && (is_gone || drafts::is_sealed(table, row)) {
                self.gone.insert(row_number);
            }
            pieces::finish(table, row).map_err(bad)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_in_its_own_place_with_its_own_key_only() {
        let (key, other) = (Key([7; KEY_BYTES]), Key([8; KEY_BYTES]));
        let whose = ("t".to_owned(), "c-1".to_owned());
        let here = about("events", 1, &whose);
        let sealed = key.seal(&here, "So when?").expect("sealed");
        assert_ne!(key.seal(&here, "So when?"), Some(sealed.clone()), "each has its own nonce");
        assert_eq!(key.open(&here, &sealed).as_deref(), Some("So when?"));
        assert_eq!(other.open(&here, &sealed), None);
        assert_eq!(key.open(&about("events", 2, &whose), &sealed), None);
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(key.open(&here, &changed), None, "byte {at}");
        }
        assert_eq!(key.open(&here, &sealed[..5]), None);
        assert_eq!(Key::parse(&key.to_text()), Some(key.clone()));
        assert_eq!(format!("{key:?}"), "[key]");
    }
}
