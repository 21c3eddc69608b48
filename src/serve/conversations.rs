//! Conversations: the list, and one with everything in it.

use std::collections::BTreeMap;

use axum::extract::State;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ServeState;
use super::auth::Principal;
use super::error::{Problem, shown};
use super::extract::{Path, Query};
use super::view::{CardView, Projection, WrapUpView, WriteView};
use crate::domain::{ConversationId, TenantId};
use crate::store::codec::time_text;
use crate::store::wire::{
    AudioGap, CrmContext, CrmWrite, LastTurn, Party, QuestionAnswered, SuggestedQuestion,
    SuggestionAbstained, TurnFinal,
};
use crate::store::{
    ConversationRow, ConversationState, ListQuery, MAX_READ, ReadQuery, Store, StoreError,
};

const DEFAULT_LIMIT: usize = 100;
const MAX_LIMIT: usize = 500;

#[derive(Deserialize)]
pub struct Wanted {
    state: Option<String>,
    external_id: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct Summary {
    id: String,
    /// live or ended
    state: &'static str,
    channel: String,
    #[schema(required)]
    external_id: Option<String>,
    started_at: String,
    #[schema(required)]
    ended_at: Option<String>,
    /// Until now while it is live.
    duration_ms: u64,
    parties: Vec<Party>,
    attributes: BTreeMap<String, String>,
    turn_count: u64,
    card_count: u64,
    #[schema(required)]
    last_turn: Option<LastTurn>,
    last_sequence: u64,
    /// Since when what was said is erased; absent while it isn't.
    #[serde(skip_serializing_if = "Option::is_none")]
    erased_at: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct ConversationList {
    items: Vec<Summary>,
    /// Give it back as `cursor` for the next page.
    #[schema(required)]
    next: Option<String>,
}

/// Conversations, the latest first; the live ones unless `state` says otherwise.
#[utoipa::path(get, path = "/v1/conversations", tag = "conversations",
    params(("state" = Option<String>, Query, description = "live (default), ended or all"),
        ("external_id" = Option<String>, Query, description = "the media side's name, such as a call SID"),
        ("limit" = Option<usize>, Query, description = "1 to 500, 100 unless told"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before")),
    responses((status = 200, body = ConversationList), super::openapi::Refusals))]
pub async fn list(
    State(state): State<ServeState>,
    principal: Principal,
    Query(wanted): Query<Wanted>,
) -> Result<axum::Json<ConversationList>, Problem> {
    let only = match wanted.state.as_deref() {
        None | Some("live") => Some(ConversationState::Live),
        Some("ended") => Some(ConversationState::Ended),
        Some("all") => None,
        Some(other) => {
            let detail = format!("state is live, ended or all, not `{}`", shown(other));
            return Err(Problem::invalid(detail));
        }
    };
    let limit = wanted.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(Problem::invalid(format!("limit is 1 to {MAX_LIMIT}")));
    }
    let query = ListQuery {
        tenant: principal.tenant,
        state: only,
        external_id: wanted.external_id,
        limit,
        after: wanted.cursor,
    };
    let page = state.store.conversations(&query).await?;
    let now = Timestamp::now();
    let items = page.items.into_iter().map(|row| summary(row, now)).collect();
    Ok(axum::Json(ConversationList { items, next: page.next }))
}

#[derive(Serialize, ToSchema)]
pub struct Conversation {
    #[serde(flatten)]
    summary: Summary,
    /// The SSE id up to which everything is in here: resume the stream after it.
    position: String,
    turns: Vec<TurnFinal>,
    cards: Vec<CardView>,
    questions: Vec<QuestionAnswered>,
    /// The customer's questions that got no card.
    unanswered: Vec<SuggestionAbstained>,
    /// What the agent may want to ask now, three at most.
    suggested_questions: Vec<SuggestedQuestion>,
    gaps: Vec<AudioGap>,
    #[schema(required)]
    wrapup: Option<WrapUpView>,
    /// What the CRM knows of the customer; null while it wasn't asked.
    #[schema(required)]
    crm: Option<CrmContext>,
    /// What is to be done in other systems.
    writes: Vec<WriteView>,
    /// How far each reply is on its way to the customer.
    replies: Vec<CrmWrite>,
}

/// One conversation with its turns, cards, questions, gaps and wrap-up.
#[utoipa::path(get, path = "/v1/conversations/{id}", tag = "conversations",
    params(("id" = String, Path)),
    responses((status = 200, body = Conversation), super::openapi::Refusals))]
pub async fn show(
    State(state): State<ServeState>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<axum::Json<Conversation>, Problem> {
    let id = ConversationId::from(id);
    let (projection, row) = read(state.store.as_ref(), &principal.tenant, &id)
        .await?
        .ok_or_else(|| Problem::no_conversation(id.as_str()))?;
    Ok(axum::Json(Conversation {
        summary: summary(row, Timestamp::now()),
        position: projection.position.to_string(),
        turns: projection.turns,
        cards: projection.cards,
        questions: projection.questions,
        unanswered: projection.unanswered,
        suggested_questions: projection.suggested_questions,
        gaps: projection.gaps,
        wrapup: projection.wrapup,
        crm: projection.crm,
        writes: projection.writes,
        replies: projection.replies,
    }))
}

/// A conversation with everything in it; `None` if there is none.
///
/// # Errors
/// The log can't be read.
pub(super) async fn read(
    store: &dyn Store,
    tenant: &TenantId,
    id: &ConversationId,
) -> Result<Option<(Projection, ConversationRow)>, StoreError> {
    let mut projection = Projection::default();
    let mut query = ReadQuery::all(tenant.clone(), 0).of(id.clone());
    loop {
        // Events first, the row last: the row is never older than what `position` promises.
        let page = store.read(&query).await?;
        for event in &page {
            projection.take(event)?;
        }
        query.after = projection.position;
        if page.len() < MAX_READ {
            break;
        }
    }
    Ok(store.conversation(tenant, id).await?.map(|row| (projection, row)))
}

fn summary(row: ConversationRow, now: Timestamp) -> Summary {
    let so_far = || now.duration_since(row.started_at).as_millis().max(0) as u64;
    Summary {
        duration_ms: row.duration_ms.unwrap_or_else(so_far),
        id: row.id.to_string(),
        state: row.state.as_str(),
        channel: row.channel,
        external_id: row.external_id,
        started_at: time_text(row.started_at),
        ended_at: row.ended_at.map(time_text),
        parties: row.parties,
        attributes: row.attributes,
        turn_count: row.turn_count,
        card_count: row.card_count,
        last_turn: row.last_turn,
        last_sequence: row.last_sequence,
        erased_at: row.erased_at.map(time_text),
    }
}
