//! Who is on the line, and what of a conversation goes back into other systems.

pub mod contact;
pub mod outbox;
pub mod outcome;

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::sources::Failure;
use super::view::Projection;
use crate::domain::{
    ContactKey, ConversationId, CrmContext, Delivery, DeliveryState, Redacted, TenantId,
};
use crate::flow::feedback::outcome::Ending;
use crate::flow::feedback::outcome::{CaseChoice, Planned};
use crate::store::wire;
use crate::store::{ConversationRow, DeliveryQuery, Page, Store, StoreError, codec};

/// What the doors need of the connectors. `app` implements it.
#[async_trait]
pub trait CrmDoor: Send + Sync {
    /// Makes a contact the conversation's, or looks for one; what is known then is in the log.
    async fn identify(
        &self,
        tenant: &TenantId,
        conversation: &ConversationId,
        wanted: WantedContact,
        by: &str,
    ) -> Result<CrmContext, Failure>;

    /// What may be written, and to which cases.
    async fn outcome(
        &self,
        tenant: &TenantId,
        conversation: &ConversationId,
    ) -> Result<Outcome, Failure>;

    /// Puts what was chosen into the outbox; what is there already is left as it is.
    ///
    /// # Errors
    /// A conflict where one of them stands with other words, another case or another time; nothing is put then.
    async fn write(
        &self,
        tenant: &TenantId,
        conversation: &ConversationId,
        order: OutcomeOrder,
        by: &str,
    ) -> Result<Vec<Delivery>, Failure>;

    async fn deliveries(&self, query: DeliveryQuery) -> Result<Page<Delivery>, Failure>;

    async fn tally(&self, tenant: &TenantId) -> Result<Vec<(String, DeliveryState, u64)>, Failure>;

    /// Another try for a dead letter.
    async fn retry(&self, tenant: &TenantId, position: u64) -> Result<Delivery, Failure>;

    /// Not to be tried any more.
    async fn discard(&self, tenant: &TenantId, position: u64) -> Result<Delivery, Failure>;

    fn systems(&self) -> Vec<SystemState>;

    /// Asks colleagues for help, with what is known. `pack` is what the next one needs, a paragraph each.
    async fn swarm(
        &self,
        tenant: &TenantId,
        conversation: &ConversationId,
        order: SwarmOrder,
        pack: Vec<Redacted>,
        by: &str,
    ) -> Result<Delivery, Failure>;

    /// Who has resolved such cases, the most experienced first.
    async fn experts(
        &self,
        tenant: &TenantId,
        conversation: &ConversationId,
    ) -> Result<Vec<Expert>, Failure>;
}

/// Whom a person says it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WantedContact {
    /// One of the candidates.
    Candidate(String),
    /// Whoever bears this.
    By(ContactKey),
    /// A number or address that has to be read first.
    Written(String),
    Nobody,
}

/// What may be written, and where it may go.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    pub planned: Vec<Planned>,
    /// By the same places: what stands of it for another contact, whom the CRM no longer has.
    pub before: Vec<Option<wire::CrmWrite>>,
    pub cases: Vec<crate::domain::Case>,
    /// Why nothing may be written, for people.
    pub why_not: Option<String>,
    /// What stands already, by key.
    pub writes: Vec<wire::CrmWrite>,
}

/// What is to be written.
#[derive(Clone, Debug, Default)]
pub struct OutcomeOrder {
    pub items: Vec<String>,
    pub case: CaseChoice,
    pub changes: BTreeMap<String, Change>,
}

/// In one of the things that are to be written.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Instead of what is planned.
    pub text: Option<String>,
    /// When a meeting starts: `2026-11-26T14:00[Europe/London]`.
    pub starts: Option<String>,
    pub minutes: Option<u32>,
    /// When a task is due: `2026-11-26`.
    pub date: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SwarmOrder {
    /// A room or channel in the words of its system; the one of the settings unless told.
    pub room: Option<String>,
    /// What the agent wants to know.
    pub note: Option<String>,
}

/// A colleague who has resolved such cases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Expert {
    pub name: String,
    /// So many of the cases that were found alike.
    pub cases: usize,
    /// What they were about.
    pub why: Vec<String>,
    #[schema(required)]
    pub last: Option<String>,
}

/// A system that effects go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemState {
    pub name: String,
    /// crm, mail, calendar, team or channel
    pub kind: &'static str,
    /// `bottlecrm`, `imap`.
    pub system: &'static str,
    /// It is in trouble, and left alone for a moment.
    pub is_resting: bool,
    /// Why nothing gets through, for people.
    pub problem: Option<String>,
}

/// What a conversation came to, and what is known of its customer; `None` if there is no such conversation.
///
/// # Errors
/// The log can't be read.
pub async fn ending(
    store: &dyn Store,
    tenant: &TenantId,
    id: &ConversationId,
) -> Result<Option<(Ending, Known)>, StoreError> {
    let found = super::conversations::read(store, tenant, id).await?;
    found.map(|(projection, row)| known(projection, &row)).transpose()
}

/// What stands in the log about a conversation's customer.
#[derive(Clone, Debug, Default)]
pub struct Known {
    pub row: Option<ConversationRow>,
    pub context: Option<CrmContext>,
    pub writes: Vec<wire::CrmWrite>,
}

fn known(projection: Projection, row: &ConversationRow) -> Result<(Ending, Known), StoreError> {
    let ending = projection.ending(row, jiff::Timestamp::now());
    let context = projection.crm.map(codec::context_of).transpose().map_err(StoreError::Corrupt)?;
    let writes = projection.writes.into_iter().map(|view| view.write).collect();
    Ok((ending, Known { row: Some(row.clone()), context, writes }))
}
