//! Work items: in, on to somebody, and out.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::ToSchema;

use super::wanted::{OfferedItem, named, wanted};
use super::{RoutingDoor, Step, Target, WorkItem, only_of};
use crate::serve::auth::Principal;
use crate::serve::error::{Problem, shown};
use crate::serve::extract::{Json, Path};

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
    let wanted = wanted(offered, door.party_attributes())?;
    let by = &principal.name;
    let (item, is_new) = door.offer(&principal.tenant, wanted, by, only_of(&principal)).await?;
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
    step(door.as_ref(), &principal, &id, Step::Accept).await
}

/// Refuses what was offered: it goes to the next one.
#[utoipa::path(post, path = "/v1/work-items/{id}/decline", tag = "routing", params(("id" = String, Path)),
    responses((status = 200, body = WorkItem), crate::serve::openapi::Refusals))]
pub async fn decline(
    State(door): State<Arc<dyn RoutingDoor>>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<axum::Json<WorkItem>, Problem> {
    step(door.as_ref(), &principal, &id, Step::Decline).await
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
    step(door.as_ref(), &principal, &id, Step::Transfer(target)).await
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
    step(door.as_ref(), &principal, &id, Step::End).await
}

/// The wrap-up is over: the agent is free for the next.
#[utoipa::path(post, path = "/v1/work-items/{id}/release", tag = "routing", params(("id" = String, Path)),
    responses((status = 200, body = WorkItem), crate::serve::openapi::Refusals))]
pub async fn release(
    State(door): State<Arc<dyn RoutingDoor>>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<axum::Json<WorkItem>, Problem> {
    step(door.as_ref(), &principal, &id, Step::Release).await
}

/// By whoever has it, or looks after others.
async fn step(
    door: &dyn RoutingDoor,
    principal: &Principal,
    id: &str,
    what: Step,
) -> Result<axum::Json<WorkItem>, Problem> {
    let (tenant, by) = (&principal.tenant, &principal.name);
    Ok(axum::Json(door.step(tenant, &id.into(), what, by, only_of(principal)).await?))
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
