//! What of a conversation may be written into other systems, and the click that does it.

use std::collections::BTreeMap;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Change, Expert, OutcomeOrder, SwarmOrder};
use crate::domain::{ConversationId, CrmWrite, Delivery, Effect};
use crate::flow::feedback::outcome::{CaseChoice, Planned};
use crate::serve::ServeState;
use crate::serve::auth::Principal;
use crate::serve::error::Problem;
use crate::serve::extract::{Json, Path};
use crate::serve::view::pack_of;
use crate::serve::wrapups;
use crate::store::{codec, wire};

const MAX_ITEMS: usize = 100;
const MAX_TEXT_CHARS: usize = 20_000;

#[derive(Serialize, ToSchema)]
pub struct OutcomeView {
    items: Vec<PlannedView>,
    /// The contact's open cases.
    cases: Vec<wire::Case>,
    /// Why nothing can be written, for people.
    #[schema(required)]
    why_not: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct PlannedView {
    /// `note`, `call`, `case`, `status:` and the case's, or `task:`, `meeting:`, `invite:`, `mail:`, `send:` and the draft's identifier
    id: String,
    operation: &'static str,
    destination: String,
    /// automatic (done by itself at the end) or ask
    rule: &'static str,
    title: &'static str,
    /// What will be written; once it was chosen, what was put.
    text: String,
    #[schema(required)]
    due: Option<DueView>,
    /// Where it is, once it was chosen.
    #[schema(required)]
    write: Option<wire::CrmWrite>,
    /// The same as it was done, or may have been, for a contact whom the CRM no longer has. No rule does it again.
    #[serde(skip_serializing_if = "Option::is_none")]
    written_before: Option<wire::CrmWrite>,
}

#[derive(Serialize, ToSchema)]
pub struct DueView {
    date: String,
    #[schema(required)]
    time: Option<String>,
    time_zone: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// Identifiers of what is planned.
    items: Vec<String>,
    /// The CRM's identifier of one of the contact's cases, or `new`.
    #[serde(default)]
    case: Option<String>,
    /// By identifier, what is to be otherwise.
    #[serde(default)]
    changes: BTreeMap<String, Change>,
}

#[derive(Serialize, ToSchema)]
pub struct Writes {
    items: Vec<wire::CrmWrite>,
}

#[derive(Serialize, ToSchema)]
pub struct Experts {
    items: Vec<Expert>,
}

/// What may be written into the CRM, the mailbox and the calendar, from the drafts as they stand.
#[utoipa::path(get, path = "/v1/conversations/{id}/outcome", tag = "crm",
    params(("id" = String, Path)),
    responses((status = 200, body = OutcomeView), crate::serve::openapi::Refusals))]
pub async fn show(
    State(state): State<ServeState>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<axum::Json<OutcomeView>, Problem> {
    let outcome = state.crm.outcome(&principal.tenant, &ConversationId::from(id)).await?;
    let items = outcome.planned.iter().zip(&outcome.before).map(|(one, before)| {
        let is_same = |write: &&wire::CrmWrite| {
            write.destination == one.destination && write.dedupe_key == one.key.as_str()
        };
        view(one, outcome.writes.iter().find(is_same).cloned(), before.clone())
    });
    Ok(axum::Json(OutcomeView {
        items: items.collect(),
        cases: outcome.cases.iter().map(codec::case).collect(),
        why_not: outcome.why_not,
    }))
}

/// Puts what was chosen into the outbox; the same again changes nothing. Where something stands already with other
/// words, in another case or at another time, nothing is put, and the answer is 409.
#[utoipa::path(post, path = "/v1/conversations/{id}/outcome", tag = "crm",
    params(("id" = String, Path)), request_body = Order,
    responses((status = 200, body = Writes), crate::serve::openapi::Refusals))]
pub async fn write(
    State(state): State<ServeState>,
    principal: Principal,
    Path(id): Path<String>,
    Json(order): Json<Order>,
) -> Result<axum::Json<Writes>, Problem> {
    if order.items.is_empty() || order.items.len() > MAX_ITEMS {
        return Err(Problem::invalid(format!("items has 1 to {MAX_ITEMS} identifiers")));
    }
    if let Some(stray) = order.changes.keys().find(|id| !order.items.contains(id)) {
        let id = crate::serve::error::shown(stray);
        return Err(Problem::invalid(format!("changes names {id}, which is none of the items")));
    }
    let too_long = |change: &Change| {
        change.text.as_ref().is_some_and(|text| text.chars().count() > MAX_TEXT_CHARS)
    };
    if order.changes.values().any(too_long) {
        return Err(Problem::invalid(format!("text has {MAX_TEXT_CHARS} characters at most")));
    }
    let case = match order.case {
        None => CaseChoice::None,
        Some(word) if word == "new" => CaseChoice::New,
        Some(id) => CaseChoice::Existing(id),
    };
    let order = OutcomeOrder { items: order.items, case, changes: order.changes };
    let id = ConversationId::from(id);
    let written = state.crm.write(&principal.tenant, &id, order, &principal.name).await?;
    Ok(axum::Json(Writes { items: written.iter().map(told).collect() }))
}

/// Asks colleagues for help: a message with who it is, what was tried and what is known.
#[utoipa::path(post, path = "/v1/conversations/{id}/swarm", tag = "crm",
    params(("id" = String, Path)), request_body = SwarmOrder,
    responses((status = 200, body = wire::CrmWrite), crate::serve::openapi::Refusals))]
pub async fn swarm(
    State(state): State<ServeState>,
    principal: Principal,
    Path(id): Path<String>,
    Json(order): Json<SwarmOrder>,
) -> Result<axum::Json<wire::CrmWrite>, Problem> {
    if order.note.as_ref().is_some_and(|note| note.chars().count() > MAX_TEXT_CHARS) {
        return Err(Problem::invalid(format!("note has {MAX_TEXT_CHARS} characters at most")));
    }
    let id = ConversationId::from(id);
    // Where there is nothing to hand over yet, the question goes out with what was said last.
    let pack = wrapups::hand_over_now(&state, &principal, &id).await;
    let pack = pack.as_ref().map(pack_of).unwrap_or_default();
    let posted = state.crm.swarm(&principal.tenant, &id, order, pack, &principal.name).await?;
    Ok(axum::Json(told(&posted)))
}

/// Colleagues who have resolved such cases, the most experienced first.
#[utoipa::path(get, path = "/v1/conversations/{id}/experts", tag = "crm",
    params(("id" = String, Path)),
    responses((status = 200, body = Experts), crate::serve::openapi::Refusals))]
pub async fn experts(
    State(state): State<ServeState>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<axum::Json<Experts>, Problem> {
    let items = state.crm.experts(&principal.tenant, &ConversationId::from(id)).await?;
    Ok(axum::Json(Experts { items }))
}

pub(super) fn told(delivery: &Delivery) -> wire::CrmWrite {
    codec::crm_write(&CrmWrite::of(&delivery.new, &delivery.progress))
}

fn view(
    planned: &Planned,
    write: Option<wire::CrmWrite>,
    written_before: Option<wire::CrmWrite>,
) -> PlannedView {
    PlannedView {
        id: planned.id.clone(),
        operation: planned.effect.operation(),
        destination: planned.destination.clone(),
        rule: planned.rule.as_str(),
        title: planned.title,
        text: text(&planned.effect),
        due: due(&planned.effect),
        write,
        written_before,
    }
}

/// What an effect says, for people.
pub(super) fn text(effect: &Effect) -> String {
    match effect {
        Effect::CreateCase(one) => format!("{}\n\n{}", one.subject.as_str(), one.body.as_str()),
        Effect::UpdateCase(one) => {
            let status = one.status.as_deref().map(|status| format!("status {status}"));
            let priority = one.priority.as_deref().map(|priority| format!("priority {priority}"));
            status.into_iter().chain(priority).collect::<Vec<_>>().join(", ")
        }
        Effect::AddNote(one) => one.body.as_str().to_owned(),
        Effect::LogCall(one) => format!("{}\n\n{}", one.subject.as_str(), one.body.as_str()),
        Effect::CreateTask(one) => format!("{}\n\n{}", one.subject.as_str(), one.body.as_str()),
        Effect::PushArticle(one) => format!("{}\n\n{}", one.title.as_str(), one.body.as_str()),
        Effect::DraftMail(one) | Effect::SendMail(one) => {
            format!("{}\n\n{}", one.subject.as_str(), one.body.as_str())
        }
        Effect::PutMeeting(one) => format!("{}\n\n{}", one.subject.as_str(), one.body.as_str()),
        Effect::SendReply(one) => one.text.as_str().to_owned(),
        Effect::Recommend(one) => one.decision.reason.clone(),
        Effect::PostMessage(one) => {
            let lines = one.paragraphs.iter().map(|line| line.as_str());
            std::iter::once(one.title.as_str()).chain(lines).collect::<Vec<_>>().join("\n\n")
        }
    }
}

fn due(effect: &Effect) -> Option<DueView> {
    match effect {
        Effect::CreateTask(task) => task.due.as_ref().map(|due| DueView {
            date: due.date.to_string(),
            time: due.time.map(|time| time.strftime("%H:%M").to_string()),
            time_zone: due.time_zone.clone(),
        }),
        Effect::PutMeeting(meeting) => Some(DueView {
            date: meeting.starts.date().to_string(),
            time: Some(meeting.starts.strftime("%H:%M").to_string()),
            time_zone: meeting.starts.time_zone().iana_name().unwrap_or("UTC").to_owned(),
        }),
        _ => None,
    }
}
