//! Who takes which work: items in, decisions out, the plan, and who is there.

pub mod floor;
pub mod items;
pub mod plan;
pub mod taskrouter;
#[cfg(test)]
mod tests;
mod wanted;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use axum::extract::FromRef;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::ServeState;
use super::auth::Principal;
use super::error::Problem;
use super::sources::Failure;
use crate::connect::routing::Fields;
use crate::connect::routing::callback::{Callback, Reserved};
use crate::domain::{
    AccessRole, ConversationId, Decision, DecisionId, FeatureValue, Intent, TenantId, WorkItemId,
};
use crate::store::wire;

pub use crate::domain::PlanForm;
pub use crate::routing::plan::Mistake as PlanMistake;

/// What the doors need of the router. `app` implements it.
#[async_trait]
pub trait RoutingDoor: Send + Sync {
    /// Attributes that name a party by number or address, beside the usual ones.
    fn party_attributes(&self) -> &[String];

    /// Takes a work item in. The same identifier twice is the same item: the second time it is updated with what is
    /// known now, and `false` comes back. `only_of`: as in `step`; whoever offered it may update it, too.
    async fn offer(
        &self,
        tenant: &TenantId,
        item: WantedItem,
        by: &str,
        only_of: Option<&str>,
    ) -> Result<(WorkItem, bool), Failure>;

    async fn item(&self, tenant: &TenantId, id: &WorkItemId) -> Result<Option<WorkItem>, Failure>;

    /// Something happens with an item. The same step twice changes nothing the second time. `only_of`: only while it
    /// is this agent's, which is looked at in the same moment; it is denied otherwise.
    async fn step(
        &self,
        tenant: &TenantId,
        id: &WorkItemId,
        step: Step,
        by: &str,
        only_of: Option<&str>,
    ) -> Result<WorkItem, Failure>;

    async fn decision(
        &self,
        tenant: &TenantId,
        id: &DecisionId,
    ) -> Result<Option<Decision>, Failure>;

    /// The newest first, of one queue or of all.
    async fn decisions(
        &self,
        tenant: &TenantId,
        queue: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Decision>, Failure>;

    async fn queues(&self, tenant: &TenantId) -> Result<Vec<QueueState>, Failure>;

    async fn agents(&self, tenant: &TenantId) -> Result<Vec<AgentState>, Failure>;

    async fn set_presence(
        &self,
        tenant: &TenantId,
        agent: &str,
        presence: &str,
        by: &str,
    ) -> Result<AgentState, Failure>;

    /// The plan in force; `None` while there is none.
    async fn plan(&self, tenant: &TenantId) -> Result<Option<PlanInForce>, Failure>;

    /// Puts a plan into force, whole or not at all. `expected`: only while this epoch is in force; 0: only while there
    /// is none.
    async fn replace_plan(
        &self,
        tenant: &TenantId,
        new: NewPlan,
        expected: Option<u64>,
        by: &str,
    ) -> Result<PlanInForce, PlanRefusal>;

    /// What goes along when this conversation is handed on; `None` when there is no such conversation.
    async fn pack(
        &self,
        tenant: &TenantId,
        conversation: &ConversationId,
    ) -> Result<Option<wire::HandOverPack>, Failure>;

    /// What another router's flow is told about an item or a conversation, by our identifier or by the router's own.
    async fn recommendation(&self, tenant: &TenantId, id: &str) -> Result<Option<Fields>, Failure>;

    /// TaskRouter's callback, where it is configured: whose it is, how it is read, and the address that it was sent to.
    fn taskrouter(&self) -> Option<TaskRouterDoor<'_>>;

    /// TaskRouter has reserved a worker.
    async fn reserved(&self, tenant: &TenantId, reserved: Reserved) -> Result<(), Failure>;
}

/// Twilio's way in.
pub struct TaskRouterDoor<'a> {
    pub tenant: TenantId,
    pub callback: &'a Callback,
    /// `media.public_url`, to which a path is added.
    pub address: &'a (dyn Fn(&str) -> String + Send + Sync),
}

impl FromRef<ServeState> for Arc<dyn RoutingDoor> {
    fn from_ref(state: &ServeState) -> Self {
        Self::clone(&state.routing)
    }
}

/// What comes in.
#[derive(Clone, Debug, PartialEq)]
pub struct WantedItem {
    /// Fresh where the client gives none.
    pub id: WorkItemId,
    pub conversation: Option<ConversationId>,
    /// What another router calls it.
    pub external_id: Option<String>,
    pub workstream: String,
    pub attributes: BTreeMap<String, FeatureValue>,
    pub intents: Vec<Intent>,
    pub preferred: Vec<String>,
}

/// What happens with an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Accept,
    Decline,
    Transfer(Target),
    /// By a person or another router, whatever presence and capacity say.
    Assign {
        agent: String,
    },
    /// The conversation is over, or the customer gave up.
    End,
    /// The wrap-up is over: the capacity is free.
    Release,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    Queue(String),
    Agent(String),
}

/// Where a work item is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct WorkItem {
    pub id: String,
    #[schema(required)]
    pub conversation_id: Option<String>,
    /// What another router calls it.
    #[schema(required)]
    pub external_id: Option<String>,
    pub workstream: String,
    /// Null while it isn't queued: an overflow ended it, or sent it elsewhere.
    #[schema(required)]
    pub queue: Option<String>,
    /// waiting, offered, active, wrapping_up or ended
    pub state: String,
    /// Whom it is offered to, or with.
    #[schema(required)]
    pub agent: Option<String>,
    /// Of the last decision.
    #[schema(required)]
    pub recommended: Option<String>,
    #[schema(required)]
    pub decision_id: Option<String>,
    /// The customer is called back.
    pub callback: bool,
    pub arrived_ms: u64,
    /// What goes along, when it was just accepted, assigned or transferred and has a conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pack: Option<Box<wire::HandOverPack>>,
}

/// A queue as it is now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct QueueState {
    pub name: String,
    pub channel: String,
    /// highest_capacity, advanced_round_robin, least_active, skills, context or custom
    pub method: String,
    pub waiting: u32,
    pub longest_wait_ms: u64,
    /// Members at work, and of those, who may be given what waits; where nothing does, what may come.
    pub serving: u32,
    pub free: u32,
    /// Conversations of the queue that somebody has whose name wasn't told, or isn't in the plan: as many of those who
    /// seem free may be on them.
    pub unnamed: u32,
    /// Null when nobody is there.
    #[schema(required)]
    pub predicted_wait_ms: Option<u64>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct AgentState {
    pub name: String,
    /// available, busy, do_not_disturb, away or offline
    pub presence: String,
    pub on_shift: bool,
    pub capacity: Vec<Capacity>,
}

/// Of one profile. By hand, more may be used than the limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Capacity {
    pub profile: String,
    pub used: i32,
    pub limit: i32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPlan {
    pub form: PlanForm,
    pub text: String,
}

/// The plan as it was written last, and which one it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanInForce {
    pub epoch: u64,
    pub form: PlanForm,
    pub text: String,
}

/// Why a plan isn't put into force.
#[derive(Clone, Debug)]
pub enum PlanRefusal {
    /// Each with its place; never empty.
    Mistakes(Vec<PlanMistake>),
    /// Another one is in force by now.
    Changed {
        epoch: u64,
    },
    Failed(Failure),
}

/// Roles that look after others' work. A program beside the calls tells what any agent did.
const LEADERS: [AccessRole; 3] = [AccessRole::Supervisor, AccessRole::Admin, AccessRole::Service];

fn is_leader(principal: &Principal) -> bool {
    principal.is_operator || LEADERS.contains(&principal.role)
}

/// Whose items alone this principal may change; none for those who look after others.
fn only_of(principal: &Principal) -> Option<&str> {
    (!is_leader(principal)).then_some(principal.name.as_str())
}

/// # Errors
/// 403 for whoever isn't one of these.
fn leaders_only(principal: &Principal, what: &str) -> Result<(), Problem> {
    match is_leader(principal) && principal.role != AccessRole::Service {
        true => Ok(()),
        false => Err(denied(format!("{what} is for supervisors and administrators"))),
    }
}

fn denied(detail: String) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, "denied", detail)
}
