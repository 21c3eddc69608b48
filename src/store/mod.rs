//! The event log: the product's memory.
//!
//! A conversation is an append-only list of events; whatever is shown or derived is a projection of
//! it. This room declares the trait `Store`, the form in which events stand on disk (`codec`,
//! `wire`) and the back ends, which all pass `conformance`. Flow and serve append, serve reads and
//! streams. Nothing here knows HTTP, and nothing here changes an event once it is durable.

pub mod access;
pub mod articles;
pub mod backup;
pub mod chain;
pub mod codec;
pub mod conformance;
pub mod erasure;
mod error;
mod failpoints;
pub mod followers;
pub mod gaps;
#[cfg(test)]
mod golden;
mod kinds;
mod log;
pub mod outbox;
mod place;
pub mod postgres;
pub(crate) mod private;
mod reader;
mod sql;
pub mod sqlite;
pub mod wire;
mod writer;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::domain::{CardId, ConversationId, EventId, NewEvent, Recorded, TenantId};

pub use articles::{ArticleLog, ArticleQuery, ArticleRow, RevisionRow};
pub use error::StoreError;
pub use failpoints::{Failpoint, Failpoints};
pub use kinds::{BadKinds, KindFilter};
pub use log::{EventLog, Queueing};
pub use outbox::{DeliveryQuery, Outbox};
pub use place::{BadPlace, Place};
pub use sqlite::{FolderLock, SqliteSettings, SqliteStore};
pub use writer::Trouble;

/// The conversation id under which notices about the service itself are logged. It is never
/// started, never ended and never listed.
pub const SYSTEM: &str = "system";

/// The same for what is routed: the plan, who is there, and work items. What an item's decisions are about stands in
/// its conversation, if it has one.
pub const ROUTING: &str = "routing";

/// The same for the audit log. It is read at `/v1/audit` by administrators, and never streamed.
pub const AUDIT: &str = "audit";

/// Whether the service itself writes under this id, and no conversation.
pub fn is_own(id: &ConversationId) -> bool {
    matches!(id.as_str(), SYSTEM | ROUTING | AUDIT)
}

/// What an erased body is read as.
pub const ERASED: &str = r#"{"erased":true}"#;

/// The most events that one `read` returns.
pub const MAX_READ: usize = 1_000;

/// Called after each commit with its events, in commit order, before the appenders are answered.
/// It must not block.
pub type CommitHook = Arc<dyn Fn(&[Arc<Recorded>]) + Send + Sync>;

/// Everything the service remembers. Each back end passes `conformance::all`.
#[async_trait]
pub trait Store: Send + Sync {
    /// Appends events to a conversation; they are durable when this resolves.
    ///
    /// All of them are written or none. The store gives each event its sequence (per conversation,
    /// from 1, without gaps) and its position (in the whole log, growing in commit order). Times
    /// are cut to milliseconds. The same event id twice is a no-op that answers with what stands;
    /// in another conversation it is an error. Appends of one caller keep their order. The first
    /// event of a conversation is `conversation.started`, which can't come twice, as
    /// `conversation.ended` can't; verdicts, questions and other afterthoughts may follow the end, and
    /// nothing follows an erasure.
    /// Dropping the future does not take an append back.
    async fn append(
        &self,
        tenant: &TenantId,
        conversation: &ConversationId,
        events: Vec<NewEvent>,
    ) -> Result<Vec<Arc<Recorded>>, StoreError>;

    /// Returns a tenant's events after a position, in commit order.
    async fn read(&self, query: &ReadQuery) -> Result<Vec<Arc<Recorded>>, StoreError>;

    /// The position of the newest durable event; 0 when there is none.
    async fn head(&self) -> Result<u64, StoreError>;

    /// A tenant's conversations, the latest started first.
    async fn conversations(&self, query: &ListQuery) -> Result<Page<ConversationRow>, StoreError>;

    /// One conversation of a tenant; another tenant's is not found.
    async fn conversation(
        &self,
        tenant: &TenantId,
        id: &ConversationId,
    ) -> Result<Option<ConversationRow>, StoreError>;

    /// Where a card was offered.
    async fn conversation_of_card(
        &self,
        tenant: &TenantId,
        card: &CardId,
    ) -> Result<Option<ConversationId>, StoreError>;

    /// One event of a tenant, in whichever conversation it stands; none whose body is erased.
    async fn event(
        &self,
        tenant: &TenantId,
        id: &EventId,
    ) -> Result<Option<Arc<Recorded>>, StoreError>;

    /// Checks the log for damage and for gaps; slow.
    async fn integrity(&self) -> Result<(), StoreError>;

    /// Since when nothing can be written, and why; `None` while all is well. It ends by itself.
    fn trouble(&self) -> Option<Trouble> {
        None
    }

    /// Writes what waits, refuses what comes later, and lets go of the files.
    async fn close(&self);
}

/// Which events to read.
#[derive(Clone, Debug)]
pub struct ReadQuery {
    pub tenant: TenantId,
    pub conversation: Option<ConversationId>,
    /// Events with a greater position.
    pub after: u64,
    pub kinds: KindFilter,
    /// At most so many, and at most `MAX_READ`.
    pub limit: usize,
    /// Also events whose body is erased, with `ERASED` in its place. Nobody makes anything of them, so they are left
    /// out unless told.
    pub with_erased: bool,
}

impl ReadQuery {
    pub fn all(tenant: TenantId, after: u64) -> Self {
        Self {
            tenant,
            conversation: None,
            after,
            kinds: KindFilter::all(),
            limit: MAX_READ,
            with_erased: false,
        }
    }

    pub fn of(mut self, conversation: ConversationId) -> Self {
        self.conversation = Some(conversation);
        self
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConversationState {
    Live,
    Ended,
}

impl ConversationState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Ended => "ended",
        }
    }
}

/// Which conversations to list.
#[derive(Clone, Debug)]
pub struct ListQuery {
    pub tenant: TenantId,
    /// `None`: any.
    pub state: Option<ConversationState>,
    pub external_id: Option<String>,
    pub limit: usize,
    /// `next` of the page before.
    pub after: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Opaque; `None` on the last page.
    pub next: Option<String>,
}

/// What is known of a conversation without reading its events. Updated in the transaction that
/// appends them.
#[derive(Clone, Debug, PartialEq)]
pub struct ConversationRow {
    pub id: ConversationId,
    pub state: ConversationState,
    pub channel: String,
    pub external_id: Option<String>,
    pub started_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    /// As `conversation.ended` says; `None` while it is live.
    pub duration_ms: Option<u64>,
    pub parties: Vec<wire::Party>,
    pub attributes: BTreeMap<String, String>,
    pub turn_count: u64,
    pub card_count: u64,
    pub last_turn: Option<wire::LastTurn>,
    pub last_sequence: u64,
    /// The position of the newest event of this conversation.
    pub last_position: u64,
    /// Since when what was said in it is erased.
    pub erased_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests;
