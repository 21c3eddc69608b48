//! New messages of a folder, by asking now and then.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::{Timestamp, ToSpan as _};

use super::asked::{Row, fetch, search};
use super::imap::{Folders, Imap, Open, failed, slow};
use super::read::{Inbound, MESSAGE_MAX_BYTES, ReadError, read};
use super::secret::Login;
use super::tls::Server;
use crate::connect::destination::DeliveryError;

/// So many messages at a time: they are in memory together.
const BATCH_MAX: usize = 50;

/// Where reading goes on. Written `validity:next:seconds`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// UIDVALIDITY: when it changes, all numbers mean other messages.
    uid_validity: u32,
    /// The first number that wasn't read.
    uid_next: u32,
    /// When the newest message arrived that was read.
    newest: Timestamp,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.uid_validity, self.uid_next, self.newest.as_second())
    }
}

impl FromStr for Cursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.split(':');
        let mut next = || parts.next().ok_or(());
        let cursor = Self {
            uid_validity: next()?.parse().map_err(|_| ())?,
            uid_next: next()?.parse().map_err(|_| ())?,
            newest: Timestamp::from_second(next()?.parse().map_err(|_| ())?).map_err(|_| ())?,
        };
        parts.next().is_none().then_some(cursor).ok_or(())
    }
}

/// One message of the folder.
#[derive(Clone, Debug)]
pub struct Received {
    pub uid: u32,
    pub message: Result<Inbound, Skipped>,
}

/// Why a message was passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Skipped {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("it is gone")]
    Gone,
}

/// A folder that customers write to. It is read and not changed: nothing becomes "seen" by us.
#[derive(Debug)]
pub struct Inbox {
    imap: Imap,
    folder: String,
    patience: Duration,
}

impl Inbox {
    /// # Errors
    /// What is wrong with the server's settings.
    pub fn new(
        server: &Server,
        login: &Login,
        folder: Option<String>,
        patience: Duration,
    ) -> Result<Self, String> {
        let imap = Imap::new(server, login, Folders::default(), patience)?;
        Ok(Self { imap, folder: folder.unwrap_or_else(|| "INBOX".to_owned()), patience })
    }

    /// Messages that came after the cursor, oldest first and at most 50; and where to go on. Without a cursor none, and the
    /// cursor is the present: what was there before is nobody's conversation.
    ///
    /// The server may have renumbered its messages. Then those since the day before the newest one come again: whoever
    /// takes them knows them by their `message_id`.
    ///
    /// # Errors
    /// Nothing was read; the same cursor goes on.
    pub async fn since(
        &self,
        cursor: Option<Cursor>,
    ) -> Result<(Vec<Received>, Cursor), DeliveryError> {
        let mut mailbox = self.imap.open().await?;
        let received = self.receive(&mut mailbox, cursor).await;
        mailbox.close(received).await
    }

    async fn receive(
        &self,
        mailbox: &mut Open,
        cursor: Option<Cursor>,
    ) -> Result<(Vec<Received>, Cursor), DeliveryError> {
        let folder = mailbox.session.examine(&self.folder);
        let folder = self.patiently(folder, "the folder can't be opened").await?;
        let (Some(uid_validity), Some(uid_next)) = (folder.uid_validity, folder.uid_next) else {
            return Err(DeliveryError::Unsupported("messages without lasting numbers"));
        };
        let Some(cursor) = cursor else {
            return Ok((Vec::new(), Cursor { uid_validity, uid_next, newest: Timestamp::now() }));
        };
        let is_same = cursor.uid_validity == uid_validity;
        let question = match is_same {
            true => format!("UID {}:*", cursor.uid_next),
            false => format!("SINCE {}", day_before(cursor.newest)),
        };
        let found = search(&mut mailbox.session, &question);
        let found = self.patiently(found, "the folder can't be searched").await?;
        // `n:*` holds the last message even when its number is smaller.
        let from = if is_same { cursor.uid_next } else { 1 };
        let mut uids: Vec<u32> = found.into_iter().filter(|uid| *uid >= from).collect();
        uids.sort_unstable();
        let is_last = uids.len() <= BATCH_MAX;
        uids.truncate(BATCH_MAX);
        let mut newest = if is_same { cursor.newest } else { Timestamp::UNIX_EPOCH };
        let mut received = Vec::new();
        let sizes = self.sizes(mailbox, &uids).await?;
        for uid in &uids {
            let message = match sizes.get(uid) {
                None => Err(Skipped::Gone),
                Some((size, at)) => {
                    newest = newest.max(*at);
                    match *size > MESSAGE_MAX_BYTES {
                        true => Err(ReadError::TooLong.into()),
                        false => self.one(mailbox, *uid).await?,
                    }
                }
            };
            received.push(Received { uid: *uid, message });
        }
        let after = uids.last().map_or(from, |last| last.saturating_add(1));
        let uid_next = if is_last { uid_next.max(after) } else { after };
        let newest = if newest == Timestamp::UNIX_EPOCH { cursor.newest } else { newest };
        Ok((received, Cursor { uid_validity, uid_next, newest }))
    }

    /// Bytes and arrival of each, before any is fetched.
    async fn sizes(
        &self,
        mailbox: &mut Open,
        uids: &[u32],
    ) -> Result<BTreeMap<u32, (usize, Timestamp)>, DeliveryError> {
        if uids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let set: Vec<String> = uids.iter().map(ToString::to_string).collect();
        let (set, what) = (set.join(","), "(UID RFC822.SIZE INTERNALDATE)");
        let rows = fetch(&mut mailbox.session, &set, what);
        let rows = self.patiently(rows, "the messages can't be listed").await?;
        let known = |row: Row| Some((row.uid, (row.bytes?, row.arrived.unwrap_or_default())));
        Ok(rows.into_iter().filter_map(known).collect())
    }

    async fn one(
        &self,
        mailbox: &mut Open,
        uid: u32,
    ) -> Result<Result<Inbound, Skipped>, DeliveryError> {
        let set = uid.to_string();
        let rows = fetch(&mut mailbox.session, &set, "(UID BODY.PEEK[])");
        let rows = self.patiently(rows, "a message can't be fetched").await?;
        let row = rows.into_iter().find(|row| row.uid == uid);
        Ok(match row.and_then(|row| row.body) {
            // A long one takes a tenth of a second; and whatever it does, the next one is read.
            Some(raw) => match tokio::task::spawn_blocking(move || read(&raw)).await {
                Ok(message) => message.map_err(Skipped::from),
                Err(_) => Err(ReadError::NoMessage.into()),
            },
            None => Err(Skipped::Gone),
        })
    }

    async fn patiently<T>(
        &self,
        work: impl Future<Output = async_imap::error::Result<T>>,
        what: &str,
    ) -> Result<T, DeliveryError> {
        match tokio::time::timeout(self.patience, work).await {
            Ok(done) => done.map_err(|error| failed(&error, what)),
            Err(_) => Err(slow(self.patience)),
        }
    }
}

/// `27-Nov-2026`, as IMAP writes days. It compares in the server's own zone.
fn day_before(at: Timestamp) -> String {
    at.checked_sub(24.hours()).unwrap_or(at).strftime("%d-%b-%Y").to_string()
}
