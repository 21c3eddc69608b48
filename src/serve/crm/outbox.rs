//! Everything that is on its way to other systems, the dead letters first.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::outcome::text;
use crate::domain::{Delivery, DeliveryState};
use crate::serve::ServeState;
use crate::serve::auth::Principal;
use crate::serve::error::{Problem, shown};
use crate::serve::extract::{Path, Query};
use crate::store::DeliveryQuery;
use crate::store::codec::time_text;

const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 200;

#[derive(Deserialize)]
pub struct Wanted {
    state: Option<String>,
    conversation: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct DeliveryView {
    id: u64,
    conversation_id: String,
    operation: &'static str,
    destination: String,
    dedupe_key: String,
    #[schema(required)]
    contact_id: Option<String>,
    /// waiting, sending, done, failed or discarded
    state: &'static str,
    attempts: u32,
    /// When it is tried again, while it waits.
    #[schema(required)]
    next_at: Option<String>,
    #[schema(required)]
    problem: Option<String>,
    #[schema(required)]
    remote_id: Option<String>,
    created_at: String,
    updated_at: String,
    /// Who said yes; null where a rule did.
    #[schema(required)]
    by: Option<String>,
    /// What it says.
    text: String,
}

#[derive(Serialize, ToSchema)]
pub struct DeliveryList {
    /// The newest first.
    items: Vec<DeliveryView>,
    /// Give it back as `cursor` for the next page.
    #[schema(required)]
    next: Option<String>,
    tally: Vec<Tally>,
}

#[derive(Serialize, ToSchema)]
pub struct Tally {
    destination: String,
    state: &'static str,
    count: u64,
}

#[derive(Serialize, ToSchema)]
pub struct Systems {
    items: Vec<SystemView>,
}

#[derive(Serialize, ToSchema)]
pub struct SystemView {
    name: String,
    /// crm, mail, calendar, team, or channel: what carries replies
    kind: &'static str,
    system: &'static str,
    /// It is in trouble, and left alone for a moment; what waits for it is kept.
    resting: bool,
    /// Why nothing gets through, such as a key that isn't accepted.
    #[schema(required)]
    problem: Option<String>,
    waiting: u64,
    failed: u64,
}

/// What was written into other systems, is to be, or couldn't be.
#[utoipa::path(get, path = "/v1/outbox", tag = "crm",
    params(("state" = Option<String>, Query, description = "waiting, sending, done, failed or discarded; all unless told"),
        ("conversation" = Option<String>, Query),
        ("limit" = Option<usize>, Query, description = "1 to 200, 50 unless told"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before")),
    responses((status = 200, body = DeliveryList), crate::serve::openapi::Refusals))]
pub async fn list(
    State(state): State<ServeState>,
    principal: Principal,
    Query(wanted): Query<Wanted>,
) -> Result<axum::Json<DeliveryList>, Problem> {
    let limit = wanted.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(Problem::invalid(format!("limit is 1 to {MAX_LIMIT}")));
    }
    let only = wanted.state.as_deref().map(|name| {
        DeliveryState::parse(name).ok_or_else(|| {
            let all = "waiting, sending, done, failed or discarded";
            Problem::invalid(format!("state is {all}, not `{}`", shown(name)))
        })
    });
    let tenant = principal.tenant;
    let query = DeliveryQuery {
        state: only.transpose()?,
        conversation: wanted.conversation.map(Into::into),
        limit,
        after: wanted.cursor,
        ..DeliveryQuery::all(tenant.clone())
    };
    let page = state.crm.deliveries(query).await?;
    let tally = state.crm.tally(&tenant).await?;
    let line = |(destination, state, count): (String, DeliveryState, u64)| Tally {
        destination,
        state: state.as_str(),
        count,
    };
    Ok(axum::Json(DeliveryList {
        items: page.items.iter().map(view).collect(),
        next: page.next,
        tally: tally.into_iter().map(line).collect(),
    }))
}

/// Tries a dead letter again, now.
#[utoipa::path(post, path = "/v1/outbox/{id}/retry", tag = "crm", params(("id" = u64, Path)),
    responses((status = 200, body = DeliveryView), crate::serve::openapi::Refusals))]
pub async fn retry(
    State(state): State<ServeState>,
    principal: Principal,
    Path(id): Path<u64>,
) -> Result<axum::Json<DeliveryView>, Problem> {
    Ok(axum::Json(view(&state.crm.retry(&principal.tenant, id).await?)))
}

/// Gives one up. It may have been done all the same where an answer was lost.
#[utoipa::path(post, path = "/v1/outbox/{id}/discard", tag = "crm", params(("id" = u64, Path)),
    responses((status = 200, body = DeliveryView), crate::serve::openapi::Refusals))]
pub async fn discard(
    State(state): State<ServeState>,
    principal: Principal,
    Path(id): Path<u64>,
) -> Result<axum::Json<DeliveryView>, Problem> {
    Ok(axum::Json(view(&state.crm.discard(&principal.tenant, id).await?)))
}

/// The systems that are written into, and how they are.
#[utoipa::path(get, path = "/v1/systems", tag = "crm",
    responses((status = 200, body = Systems), crate::serve::openapi::Refusals))]
pub async fn systems(
    State(state): State<ServeState>,
    principal: Principal,
) -> Result<axum::Json<Systems>, Problem> {
    let tally = state.crm.tally(&principal.tenant).await?;
    let count = |name: &str, state: &[DeliveryState]| {
        let of = tally.iter().filter(|(to, one, _)| to == name && state.contains(one));
        of.map(|(_, _, count)| count).sum()
    };
    let view = |system: super::SystemState| SystemView {
        waiting: count(&system.name, &[DeliveryState::Waiting, DeliveryState::Sending]),
        failed: count(&system.name, &[DeliveryState::Failed]),
        name: system.name,
        kind: system.kind,
        system: system.system,
        resting: system.is_resting,
        problem: system.problem,
    };
    let carriers = (state.channels.carriers)();
    // The settings name systems of the service's own tenant.
    let is_ours = principal.tenant == *state.audit.home();
    let systems = state.crm.systems().into_iter().chain(carriers).filter(|_| is_ours);
    let items = systems.map(view).collect();
    Ok(axum::Json(Systems { items }))
}

fn view(delivery: &Delivery) -> DeliveryView {
    let (new, progress) = (&delivery.new, &delivery.progress);
    let waits = progress.state == DeliveryState::Waiting;
    DeliveryView {
        id: delivery.position,
        conversation_id: delivery.conversation.to_string(),
        operation: new.effect.operation(),
        destination: new.destination.clone(),
        dedupe_key: new.key.as_str().to_owned(),
        contact_id: new.effect.contact_id().map(str::to_owned),
        state: progress.state.as_str(),
        attempts: progress.attempts,
        next_at: waits.then(|| time_text(progress.next_at)),
        problem: progress.problem.clone(),
        remote_id: progress.remote_id.clone(),
        created_at: time_text(new.created_at),
        updated_at: time_text(progress.updated_at),
        by: new.by.clone(),
        text: text(&new.effect),
    }
}
