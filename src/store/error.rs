use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::{ArticleId, Classify, ConversationId, ErrorKind, EventId};

/// Why the event log could not do what was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the event log found no room for an append within {0:?}; try again later")]
    Busy(Duration),
    #[error("the event log is closed")]
    Closed,
    #[error("conversation {0} has not started; its first event must be conversation.started")]
    NotStarted(ConversationId),
    #[error("conversation {0} has started already")]
    AlreadyStarted(ConversationId),
    #[error("conversation {0} has ended already")]
    AlreadyEnded(ConversationId),
    #[error("conversation {0} is still going on; erase it when it has ended")]
    StillLive(ConversationId),
    #[error("conversation {0} is erased; nothing is added to it any more")]
    Erased(ConversationId),
    #[error("event {0} stands in another conversation; give each event an id of its own")]
    ForeignEvent(EventId),
    #[error(
        "article {article} has revision {newest} by now, and this was made from revision {based_on}; \
         look at what changed and try again"
    )]
    StaleRevision { article: ArticleId, based_on: u32, newest: u32 },
    #[error("delivery {0} has moved on meanwhile; look where it is and try again")]
    DeliveryMoved(u64),
    #[error("the disk or the quota of the event log is full; make room and try again")]
    Full,
    #[error("the event log could not be written: {0}")]
    Write(Arc<str>),
    #[error("the database of the event log can't be reached, which is tried again by itself: {0}")]
    Unreachable(Arc<str>),
    #[error("the event log can't hold this append: {0}")]
    Unwritable(Arc<str>),
    #[error(
        "the event log in {place} is in use by {holder}; stop it, or give this service a database of its own with store.url"
    )]
    InUse { place: String, holder: String },
    #[error(
        "another service has taken the event log over; this one writes no more and must be started again"
    )]
    TakenOver,
    #[error("store.url: {0}")]
    Place(String),
    #[error("the event log could not be read: {0}")]
    Read(Arc<str>),
    #[error("the data folder {} is in use by {holder}; stop it or choose another folder with --data", folder.display())]
    Locked { folder: PathBuf, holder: String },
    #[error("the data folder {} can't be used: {why}", folder.display())]
    Folder { folder: PathBuf, why: Arc<str> },
    #[error(
        "the event log has schema version {found}, this program knows up to {known}; use a newer backchannel"
    )]
    Newer { found: i64, known: i64 },
    #[error(
        "the event log has schema version {found}, this program needs {known} to read it; start the service once, which brings it up to date"
    )]
    Older { found: i64, known: i64 },
    #[error("the event log was opened for reading only")]
    ReadOnly,
    #[error(
        "SQLite {found} is linked, 3.51.3 or later is needed because earlier versions can corrupt a log in WAL mode"
    )]
    OldSqlite { found: String },
    #[error("the event log is damaged: {0}; restore it from a backup (backchannel restore)")]
    Corrupt(String),
    #[error("{0} is not a page address; use the value of `next` as it was given")]
    BadCursor(String),
}

impl Classify for StoreError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Busy(_) => ErrorKind::Busy,
            Self::Closed
            | Self::Full
            | Self::Write(_)
            | Self::Unreachable(_)
            | Self::InUse { .. }
            | Self::TakenOver
            | Self::Locked { .. } => ErrorKind::Unavailable,
            Self::NotStarted(_) => ErrorKind::NotFound,
            Self::AlreadyStarted(_)
            | Self::AlreadyEnded(_)
            | Self::StillLive(_)
            | Self::Erased(_)
            | Self::ForeignEvent(_)
            | Self::StaleRevision { .. }
            | Self::DeliveryMoved(_) => ErrorKind::Conflict,
            Self::Folder { .. }
            | Self::Newer { .. }
            | Self::Older { .. }
            | Self::Unwritable(_)
            | Self::Place(_)
            | Self::BadCursor(_) => ErrorKind::Invalid,
            Self::ReadOnly => ErrorKind::Denied,
            Self::Read(_) | Self::OldSqlite { .. } | Self::Corrupt(_) => ErrorKind::Internal,
        }
    }
}
