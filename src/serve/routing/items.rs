//! Work items: in, on to somebody, and out.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{RoutingDoor, Step, Target, WantedItem, WorkItem, denied, is_leader};
use crate::domain::{FeatureValue, Intent, WorkItemId};
use crate::serve::auth::Principal;
use crate::serve::error::{Problem, shown};
use crate::serve::extract::{Json, Path};
use crate::store::wire;

const NAME_MAX_CHARS: usize = 200;
const ATTRIBUTES_MAX: usize = 100;
const TEXT_MAX_CHARS: usize = 2_000;
const INTENTS_MAX: usize = 20;
const PREFERRED_MAX: usize = 20;

/// Work that somebody has to take.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OfferedItem {
    /// The client's own: given twice it is the same item. Made up where it is absent.
    id: Option<String>,
    /// Whose turns, intents and feelings count. Absent for records and for what another system talks about.
    conversation_id: Option<String>,
    /// What another router calls it, which is told of decisions.
    external_id: Option<String>,
    workstream: String,
    /// For rules.
    #[serde(default)]
    attributes: BTreeMap<String, wire::RouteFeatureValue>,
    /// The likeliest first; what is heard later takes their place.
    #[serde(default)]
    intents: Vec<wire::RankedIntent>,
    /// Agents who should get it if they can, in this order.
    #[serde(default)]
    preferred: Vec<String>,
}

/// Where it goes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Transfer {
    /// One of both.
    queue: Option<String>,
    agent: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Assign {
    agent: String,
}

/// Offers a work item: it is classified, queued, and decided on as soon as somebody can take it.
#[utoipa::path(post, path = "/v1/work-items", tag = "routing", request_body = OfferedItem,
    responses((status = 201, body = WorkItem, description = "it is new", headers(("location" = String))),
        (status = 200, body = WorkItem, description = "it was known, and is updated"),
        crate::serve::openapi::Refusals))]
pub async fn offer(
    State(door): State<Arc<dyn RoutingDoor>>,
    principal: Principal,
    Json(offered): Json<OfferedItem>,
) -> Result<Response, Problem> {
    let wanted = wanted(offered)?;
    let (item, is_new) = door.offer(&principal.tenant, wanted, &principal.name).await?;
    let place = HeaderValue::from_str(&format!("/v1/work-items/{}", path_of(&item.id))).ok();
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    let mut response = (status, axum::Json(item)).into_response();
    if let Some(place) = place.filter(|_| is_new) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}

/// Where a work item is.
#[utoipa::path(get, path = "/v1/work-items/{id}", tag = "routing", params(("id" = String, Path)),
    responses((status = 200, body = WorkItem), crate::serve::openapi::Refusals))]
pub async fn show(
    State(door): State<Arc<dyn RoutingDoor>>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<axum::Json<WorkItem>, Problem> {
    let found = door.item(&principal.tenant, &id.as_str().into()).await?;
    found.map(axum::Json).ok_or_else(|| no_item(&id))
}

/// Takes what was offered.
#[utoipa::path(post, path = "/v1/work-items/{id}/accept", tag = "routing", params(("id" = String, Path)),
    responses((status = 200, body = WorkItem), crate::serve::openapi::Refusals))]
pub async fn accept(
    State(door): State<Arc<dyn RoutingDoor>>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<axum::Json<WorkItem>, Problem> {
    take(door.as_ref(), &principal, &id, Step::Accept).await
}

/// Refuses what was offered: it goes to the next one.
#[utoipa::path(post, path = "/v1/work-items/{id}/decline", tag = "routing", params(("id" = String, Path)),
    responses((status = 200, body = WorkItem), crate::serve::openapi::Refusals))]
pub async fn decline(
    State(door): State<Arc<dyn RoutingDoor>>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<axum::Json<WorkItem>, Problem> {
    take(door.as_ref(), &principal, &id, Step::Decline).await
}

/// Gives it to a queue or to an agent. The hand-over pack of its conversation goes along.
#[utoipa::path(post, path = "/v1/work-items/{id}/transfer", tag = "routing", params(("id" = String, Path)),
    request_body = Transfer,
    responses((status = 200, body = WorkItem), crate::serve::openapi::Refusals))]
pub async fn transfer(
    State(door): State<Arc<dyn RoutingDoor>>,
    principal: Principal,
    Path(id): Path<String>,
    Json(transfer): Json<Transfer>,
) -> Result<axum::Json<WorkItem>, Problem> {
    let target = match (transfer.queue, transfer.agent) {
        (Some(queue), None) => Target::Queue(named("queue", queue)?),
        (None, Some(agent)) => Target::Agent(named("agent", agent)?),
        _ => return Err(Problem::invalid("name a queue or an agent, and one of them only")),
    };
    take(door.as_ref(), &principal, &id, Step::Transfer(target)).await
}

/// Says that somebody has got it, by hand or by another router, whatever their presence and capacity.
#[utoipa::path(post, path = "/v1/work-items/{id}/assign", tag = "routing", params(("id" = String, Path)),
    request_body = Assign,
    responses((status = 200, body = WorkItem), crate::serve::openapi::Refusals))]
pub async fn assign(
    State(door): State<Arc<dyn RoutingDoor>>,
    principal: Principal,
    Path(id): Path<String>,
    Json(assign): Json<Assign>,
) -> Result<axum::Json<WorkItem>, Problem> {
    super::leaders_only(&principal, "assigning by hand")?;
    let agent = named("agent", assign.agent)?;
    step(door.as_ref(), &principal, &id, Step::Assign { agent }).await
}

/// The conversation is over, or the customer gave up. The agent keeps wrapping up where the workstream says so.
#[utoipa::path(post, path = "/v1/work-items/{id}/end", tag = "routing", params(("id" = String, Path)),
    responses((status = 200, body = WorkItem), crate::serve::openapi::Refusals))]
pub async fn end(
    State(door): State<Arc<dyn RoutingDoor>>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<axum::Json<WorkItem>, Problem> {
    take(door.as_ref(), &principal, &id, Step::End).await
}

/// The wrap-up is over: the agent is free for the next.
#[utoipa::path(post, path = "/v1/work-items/{id}/release", tag = "routing", params(("id" = String, Path)),
    responses((status = 200, body = WorkItem), crate::serve::openapi::Refusals))]
pub async fn release(
    State(door): State<Arc<dyn RoutingDoor>>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<axum::Json<WorkItem>, Problem> {
    take(door.as_ref(), &principal, &id, Step::Release).await
}

/// By whoever has it, or looks after others.
async fn take(
    door: &dyn RoutingDoor,
    principal: &Principal,
    id: &str,
    what: Step,
) -> Result<axum::Json<WorkItem>, Problem> {
    if principal.role == "agent" && !is_leader(principal) {
        let item = door.item(&principal.tenant, &id.into()).await?.ok_or_else(|| no_item(id))?;
        if item.agent.as_deref() != Some(principal.name.as_str()) {
            return Err(denied("this work item is somebody else's".to_owned()));
        }
    }
    step(door, principal, id, what).await
}

async fn step(
    door: &dyn RoutingDoor,
    principal: &Principal,
    id: &str,
    what: Step,
) -> Result<axum::Json<WorkItem>, Problem> {
    let item = door.step(&principal.tenant, &id.into(), what, &principal.name).await?;
    Ok(axum::Json(item))
}

fn no_item(id: &str) -> Problem {
    Problem::not_found(format!("there is no work item {}", shown(id)))
}

fn path_of(id: &str) -> String {
    percent_encoding::utf8_percent_encode(id, percent_encoding::NON_ALPHANUMERIC)
        .to_string()
        // What our own identifiers are made of.
        .replace("%2D", "-")
        .replace("%5F", "_")
}

fn named(what: &str, name: String) -> Result<String, Problem> {
    match name.trim().is_empty() || name.chars().count() > NAME_MAX_CHARS {
        true => Err(Problem::invalid(format!("{what} has 1 to {NAME_MAX_CHARS} characters"))),
        false => Ok(name),
    }
}

fn wanted(offered: OfferedItem) -> Result<WantedItem, Problem> {
    let too_many = |what: &str, most: usize| Problem::invalid(format!("{what}: {most} at most"));
    if offered.attributes.len() > ATTRIBUTES_MAX {
        return Err(too_many("attributes", ATTRIBUTES_MAX));
    }
    if offered.intents.len() > INTENTS_MAX {
        return Err(too_many("intents", INTENTS_MAX));
    }
    if offered.preferred.len() > PREFERRED_MAX {
        return Err(too_many("preferred", PREFERRED_MAX));
    }
    let mut attributes = BTreeMap::new();
    for (name, value) in offered.attributes {
        let name = named("an attribute's name", name)?;
        let value = match value {
            wire::RouteFeatureValue::Text(text) if text.chars().count() > TEXT_MAX_CHARS => {
                let most =
                    format!("attributes.{}: {TEXT_MAX_CHARS} characters at most", shown(&name));
                return Err(Problem::invalid(most));
            }
            wire::RouteFeatureValue::Text(text) => FeatureValue::Text(text),
            wire::RouteFeatureValue::Number(number) => FeatureValue::Number(number),
            wire::RouteFeatureValue::Flag(flag) => FeatureValue::Flag(flag),
        };
        attributes.insert(name, value);
    }
    let mut intents = Vec::new();
    for intent in offered.intents {
        if !(0.0..=1.0).contains(&intent.probability) {
            return Err(Problem::invalid("an intent's probability is 0 to 1"));
        }
        let label = named("an intent's label", intent.label)?;
        intents.push(Intent { label, probability: intent.probability });
    }
    let preferred = offered.preferred.into_iter().map(|one| named("preferred", one));
    let optional = |what, text: Option<String>| text.map(|text| named(what, text)).transpose();
    let id = optional("id", offered.id)?;
    Ok(WantedItem {
        id: id.map_or_else(WorkItemId::fresh, WorkItemId::from),
        conversation: optional("conversation_id", offered.conversation_id)?.map(Into::into),
        external_id: optional("external_id", offered.external_id)?,
        workstream: named("workstream", offered.workstream)?,
        attributes,
        intents,
        preferred: preferred.collect::<Result<_, _>>()?,
    })
}
