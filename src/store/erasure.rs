//! What is erased on purpose: because a contact asked for it, or because its time is over.
//!
//! The body of an event goes together with its salt. Its kind, time, place in the chain and commitment stay, so that
//! `audit verify` still passes and still finds what was changed without leave. An erased body is read as `ERASED`, and
//! only by those who ask for it. Of a conversation that is erased whole, its row keeps times and counts; effects in
//! the outbox keep where they went to and when; and its key goes, without which no backup holds anything of it. Articles
//! that rest on it stay, but for drafts of this program that nobody has reviewed: their newest revisions go.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::writer::Order;
use super::{AUDIT, EventLog, KindFilter, StoreError};
use crate::domain::{ConversationId, NewEvent, TenantId};

/// What of the conversations goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Everything that anybody said, and everything that was made of it.
    Whole,
    /// Bodies of events of these kinds.
    Kinds(KindFilter),
    /// What was to be done in other systems and is over.
    Deliveries,
}

/// One step, which is done whole or not at all. It should be small: nobody appends meanwhile.
#[derive(Clone, Debug)]
pub struct Erasure {
    pub tenant: TenantId,
    /// All of them have ended.
    pub conversations: Vec<ConversationId>,
    pub reach: Reach,
    /// Single events of any conversation, by position.
    pub events: Vec<u64>,
    pub at: Timestamp,
}

/// An effect that has, or may have, left something in another system, which is not erased there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Elsewhere {
    pub conversation: String,
    /// The destination's name in the settings.
    pub destination: String,
    pub operation: String,
    /// What it is called there, where that is known.
    #[schema(required)]
    pub remote_id: Option<String>,
}

/// What went, or would go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Erased {
    /// Bodies of events, by kind.
    pub bodies: BTreeMap<String, u64>,
    /// Rows of conversations.
    pub conversations: u64,
    /// Effects in the outbox.
    pub deliveries: u64,
    /// Keys of backups.
    pub backup_keys: u64,
    /// Revisions of articles that this program drafted and nobody reviewed.
    pub revisions: u64,
    /// Whose revisions these were.
    pub drafts: BTreeSet<String>,
    /// Sentences of articles' revisions whose origin is forgotten.
    pub origins: u64,
    /// Whose sentences these are.
    pub articles: BTreeSet<String>,
    pub elsewhere: Vec<Elsewhere>,
}

impl Erased {
    pub fn add(&mut self, other: Self) {
        for (kind, count) in other.bodies {
            *self.bodies.entry(kind).or_default() += count;
        }
        self.conversations += other.conversations;
        self.deliveries += other.deliveries;
        self.backup_keys += other.backup_keys;
        self.revisions += other.revisions;
        self.drafts.extend(other.drafts);
        self.origins += other.origins;
        self.articles.extend(other.articles);
        self.elsewhere.extend(other.elsewhere);
    }

    /// Bodies of all kinds.
    pub fn events(&self) -> u64 {
        self.bodies.values().sum()
    }

    /// Whether nothing went.
    pub fn is_nothing(&self) -> bool {
        self.events() == 0 && self.conversations == 0 && self.deliveries == 0
    }
}

impl EventLog {
    /// Erases, and appends `notes` to the audit log in the same commit. The bytes may stand in the files until
    /// `scrub`.
    ///
    /// # Errors
    /// A conversation hasn't ended or isn't there, or the log can't be written. Nothing went then.
    pub async fn erase(
        &self,
        erasure: Erasure,
        notes: Vec<NewEvent>,
    ) -> Result<Erased, StoreError> {
        let order = Order::of(erasure.tenant.clone(), AUDIT.into(), notes);
        let order = Order { erase: Some(erasure), ..order };
        Ok(self.intake()?.append(order).await?.erased)
    }

    /// What `erase` would take. The conversations need not have ended.
    ///
    /// # Errors
    /// It can't be read.
    pub async fn would_erase(&self, erasure: &Erasure) -> Result<Erased, StoreError> {
        self.reader().would_erase(erasure).await
    }

    /// Sees to it that what was erased stands in no file any more: writes a log in a file anew, with its WAL; of a
    /// database, makes the place of dead rows free. Appends wait meanwhile.
    ///
    /// # Errors
    /// There is no room for it, or somebody reads for a long time.
    pub async fn scrub(&self) -> Result<(), StoreError> {
        // Of no tenant and no conversation: nothing is appended.
        let order = Order::of("".into(), AUDIT.into(), Vec::new());
        self.intake()?.append(Order { scrub: true, ..order }).await.map(drop)
    }

    /// Whose conversations there are.
    ///
    /// # Errors
    /// It can't be read.
    pub async fn tenants(&self) -> Result<Vec<TenantId>, StoreError> {
        self.reader().tenants().await
    }

    /// Conversations that ended in a stretch of time and of which `reach` has something left, the oldest first.
    ///
    /// # Errors
    /// It can't be read.
    pub async fn ended(
        &self,
        tenant: &TenantId,
        from: Timestamp,
        before: Timestamp,
        reach: &Reach,
        limit: usize,
    ) -> Result<Vec<ConversationId>, StoreError> {
        self.reader().ended(tenant, (from, before), reach, limit).await
    }
}
