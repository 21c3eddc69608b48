//! The floor: queues, agents, decisions, and what goes along at a hand-over.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{AgentState, QueueState, RoutingDoor, is_leader};
use crate::serve::auth::Principal;
use crate::serve::error::{Problem, shown};
use crate::serve::extract::{Json, Path, Query};
use crate::store::{codec, wire};

const DECISIONS: usize = 50;
const DECISIONS_MAX: usize = 200;
const PRESENCES: [&str; 5] = ["available", "busy", "do_not_disturb", "away", "offline"];

#[derive(Serialize, ToSchema)]
pub struct QueueList {
    items: Vec<QueueState>,
}

#[derive(Serialize, ToSchema)]
pub struct AgentList {
    items: Vec<AgentState>,
}

#[derive(Serialize, ToSchema)]
pub struct DecisionList {
    /// The newest first.
    items: Vec<wire::RouteRecommended>,
}

#[derive(Deserialize)]
pub struct WantedDecisions {
    queue: Option<String>,
    limit: Option<usize>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Presence {
    /// available, busy, do_not_disturb, away or offline
    presence: String,
}

/// The queues as they are now, in the order of the plan.
#[utoipa::path(get, path = "/v1/routing/queues", tag = "routing",
    responses((status = 200, body = QueueList), crate::serve::openapi::Refusals))]
pub async fn queues(
    State(door): State<Arc<dyn RoutingDoor>>,
    principal: Principal,
) -> Result<axum::Json<QueueList>, Problem> {
    Ok(axum::Json(QueueList { items: door.queues(&principal.tenant).await? }))
}

/// The agents of the plan, with presence and capacity.
#[utoipa::path(get, path = "/v1/routing/agents", tag = "routing",
    responses((status = 200, body = AgentList), crate::serve::openapi::Refusals))]
pub async fn agents(
    State(door): State<Arc<dyn RoutingDoor>>,
    principal: Principal,
) -> Result<axum::Json<AgentList>, Problem> {
    Ok(axum::Json(AgentList { items: door.agents(&principal.tenant).await? }))
}

/// An agent is there, or isn't. Everybody says it for themselves; supervisors for others, too.
#[utoipa::path(post, path = "/v1/routing/agents/{id}/presence", tag = "routing",
    params(("id" = String, Path, description = "the agent's name in the plan")), request_body = Presence,
    responses((status = 200, body = AgentState), crate::serve::openapi::Refusals))]
pub async fn presence(
    State(door): State<Arc<dyn RoutingDoor>>,
    principal: Principal,
    Path(id): Path<String>,
    Json(wanted): Json<Presence>,
) -> Result<axum::Json<AgentState>, Problem> {
    if principal.name != id && !is_leader(&principal) {
        return Err(super::denied("say it for yourself".to_owned()));
    }
    if !PRESENCES.contains(&wanted.presence.as_str()) {
        let detail = format!("presence is {}", PRESENCES.join(", "));
        return Err(Problem::invalid(detail));
    }
    let (tenant, by) = (&principal.tenant, &principal.name);
    Ok(axum::Json(door.set_presence(tenant, &id, &wanted.presence, by).await?))
}

/// A decision with every scored term, the runner-up, and what would have changed it.
#[utoipa::path(get, path = "/v1/routing/decisions/{id}", tag = "routing", params(("id" = String, Path)),
    responses((status = 200, body = wire::RouteRecommended), crate::serve::openapi::Refusals))]
pub async fn decision(
    State(door): State<Arc<dyn RoutingDoor>>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<axum::Json<wire::RouteRecommended>, Problem> {
    let found = door.decision(&principal.tenant, &id.as_str().into()).await?;
    let found =
        found.ok_or_else(|| Problem::not_found(format!("there is no decision {}", shown(&id))))?;
    Ok(axum::Json(codec::decision(&found)))
}

/// The last decisions.
#[utoipa::path(get, path = "/v1/routing/decisions", tag = "routing",
    params(("queue" = Option<String>, Query),
        ("limit" = Option<usize>, Query, description = "1 to 200, 50 unless told")),
    responses((status = 200, body = DecisionList), crate::serve::openapi::Refusals))]
pub async fn decisions(
    State(door): State<Arc<dyn RoutingDoor>>,
    principal: Principal,
    Query(wanted): Query<WantedDecisions>,
) -> Result<axum::Json<DecisionList>, Problem> {
    let limit = wanted.limit.unwrap_or(DECISIONS);
    if !(1..=DECISIONS_MAX).contains(&limit) {
        return Err(Problem::invalid(format!("limit is 1 to {DECISIONS_MAX}")));
    }
    let found = door.decisions(&principal.tenant, wanted.queue.as_deref(), limit).await?;
    Ok(axum::Json(DecisionList { items: found.iter().map(codec::decision).collect() }))
}

/// What goes along when the conversation is handed on: made of its events, each sentence with its proof.
#[utoipa::path(get, path = "/v1/conversations/{id}/pack", tag = "routing", params(("id" = String, Path)),
    responses((status = 200, body = wire::HandOverPack), crate::serve::openapi::Refusals))]
pub async fn pack(
    State(door): State<Arc<dyn RoutingDoor>>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<axum::Json<wire::HandOverPack>, Problem> {
    let found = door.pack(&principal.tenant, &id.as_str().into()).await?;
    found.map(axum::Json).ok_or_else(|| Problem::no_conversation(&id))
}

/// What another router's flow is told: a flat object of texts, as a Lambda function of Amazon Connect and a data action
/// of Genesys Cloud answer. Empty where nothing was decided yet, so that a flow goes its usual way.
#[utoipa::path(get, path = "/v1/routing/recommendations/{id}", tag = "routing",
    params(("id" = String, Path, description = "a work item or conversation, by our name or by the router's own")),
    responses((status = 200, body = BTreeMap<String, String>), crate::serve::openapi::Refusals))]
pub async fn recommendation(
    State(door): State<Arc<dyn RoutingDoor>>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<axum::Json<BTreeMap<String, String>>, Problem> {
    Ok(axum::Json(door.recommendation(&principal.tenant, &id).await?.unwrap_or_default()))
}
