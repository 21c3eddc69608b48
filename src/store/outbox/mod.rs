//! What is to be done in other systems, written in the commit that says why.
//!
//! A delivery is there or isn't, together with its events. It moves from state to state, each time in a commit,
//! and whoever moves it says from which: two can't take the same one. Each back end passes `conformance::all`.

pub mod conformance;

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Page, StoreError};
use crate::domain::{
    ConversationId, DedupeKey, Delivery, DeliveryMove, DeliveryState, NewDelivery, NewEvent,
    Recorded, TenantId,
};

/// The most deliveries that one call returns.
pub const MAX_DELIVERIES: usize = 200;

/// A condition on rows: they are of the conversation `$2` of the tenant `$1`. What waits isn't in the index by
/// conversation, which would cost a page for each delivery that is put in; the index by state has it in passing.
pub(super) const OF_CONVERSATION: &str = "position IN (SELECT position FROM outbox WHERE state = 'waiting' \
    AND tenant = $1 AND conversation = $2 UNION ALL SELECT position FROM outbox WHERE state <> 'waiting' \
    AND tenant = $1 AND conversation = $2)";

#[async_trait]
pub trait Outbox: Send + Sync {
    /// Appends events and puts deliveries into the outbox, all or nothing; durable when this resolves.
    ///
    /// A key that the destination has already, of this tenant, is left as it is: the same effect twice is one.
    async fn post(
        &self,
        tenant: &TenantId,
        conversation: &ConversationId,
        events: Vec<NewEvent>,
        deliveries: Vec<NewDelivery>,
    ) -> Result<Vec<Arc<Recorded>>, StoreError>;

    /// Moves one delivery and appends what is told of it, all or nothing; durable when this resolves.
    ///
    /// # Errors
    /// `DeliveryMoved` when it is in another state than the one that it should come from.
    async fn advance(
        &self,
        step: DeliveryMove,
        events: Vec<NewEvent>,
    ) -> Result<Vec<Arc<Recorded>>, StoreError>;

    /// The first delivery of each of a destination's lanes that waits and is due, the oldest first. A lane of which
    /// one is being sent, or waits for its time, gives none. What belongs to a case whose delivery is a dead letter
    /// waits for that and holds nobody up. A time further away than `Progress::PAUSE_MAX` is due.
    async fn due(
        &self,
        destination: &str,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError>;

    /// When the next of a destination's lanes is due; none when nothing waits that can go.
    async fn next_due(&self, destination: &str) -> Result<Option<Timestamp>, StoreError>;

    /// A destination's deliveries in a state, the oldest first, after a position: whatever a crash left `Sending`.
    async fn in_state(
        &self,
        destination: &str,
        state: DeliveryState,
        after: u64,
    ) -> Result<Vec<Delivery>, StoreError>;

    async fn deliveries(&self, query: &DeliveryQuery) -> Result<Page<Delivery>, StoreError>;

    /// One of a tenant's; another tenant's is not found.
    async fn delivery(
        &self,
        tenant: &TenantId,
        position: u64,
    ) -> Result<Option<Delivery>, StoreError>;

    async fn delivery_by_key(
        &self,
        tenant: &TenantId,
        destination: &str,
        key: &DedupeKey,
    ) -> Result<Option<Delivery>, StoreError>;

    /// How many a tenant has in each state, for each destination; what is none isn't named.
    async fn tally(
        &self,
        tenant: &TenantId,
    ) -> Result<Vec<(String, DeliveryState, u64)>, StoreError>;
}

/// Which deliveries to list.
#[derive(Clone, Debug)]
pub struct DeliveryQuery {
    pub tenant: TenantId,
    pub state: Option<DeliveryState>,
    pub conversation: Option<ConversationId>,
    pub limit: usize,
    /// `next` of the page before.
    pub after: Option<String>,
}

impl DeliveryQuery {
    /// All of them, the newest first.
    pub fn all(tenant: TenantId) -> Self {
        Self { tenant, state: None, conversation: None, limit: MAX_DELIVERIES, after: None }
    }
}
