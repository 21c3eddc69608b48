//! Searches that an agent makes for a conversation: kept in its log, so that one that led to nothing is known.

use axum::extract::State;
use jiff::Timestamp;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::ServeState;
use super::auth::Principal;
use super::error::{Problem, shown};
use super::extract::{Json, Path};
use crate::domain::{
    ArticleOpened, ArticleSearch, ConversationId, EventBody, EventId, NewEvent, SearchId, TenantId,
};
use crate::store::wire::{self, ArticleSearched};
use crate::store::{KindFilter, MAX_READ, ReadQuery, codec};

/// Keeps a search in the log of its conversation.
pub(super) async fn keep(
    state: &ServeState,
    tenant: &TenantId,
    conversation: ConversationId,
    query: &str,
    hits: usize,
) -> Result<SearchId, Problem> {
    if state.store.conversation(tenant, &conversation).await?.is_none() {
        return Err(Problem::no_conversation(conversation.as_str()));
    }
    let id = SearchId::fresh();
    let search = ArticleSearch { id: id.clone(), query: (state.masker)(query), hits };
    let event = NewEvent::at(Timestamp::now(), EventBody::ArticleSearched(search));
    state.store.append(tenant, &conversation, vec![event]).await?;
    Ok(id)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Opened {
    article_id: String,
}

/// Says that something was opened that a search had found. The same again changes nothing.
#[utoipa::path(post, path = "/v1/conversations/{id}/searches/{search_id}/opened", tag = "articles",
    params(("id" = String, Path), ("search_id" = String, Path)), request_body = Opened,
    responses((status = 200, body = wire::ArticleOpened), super::openapi::Refusals))]
pub async fn opened(
    State(state): State<ServeState>,
    principal: Principal,
    Path((id, search_id)): Path<(String, String)>,
    Json(opened): Json<Opened>,
) -> Result<axum::Json<wire::ArticleOpened>, Problem> {
    let (tenant, id) = (&principal.tenant, ConversationId::from(id));
    if !is_search_of(&state, tenant, &id, &search_id).await? {
        let detail = format!("there is no search {} in this conversation", shown(&search_id));
        return Err(Problem::not_found(detail));
    }
    let opened =
        ArticleOpened { search_id: search_id.into(), article_id: opened.article_id.into() };
    let answer = codec::article_opened(&opened);
    let event = NewEvent {
        id: event_id(tenant, &answer),
        time: Timestamp::now(),
        body: EventBody::ArticleOpened(opened),
    };
    state.store.append(tenant, &id, vec![event]).await?;
    Ok(axum::Json(answer))
}

async fn is_search_of(
    state: &ServeState,
    tenant: &TenantId,
    conversation: &ConversationId,
    search_id: &str,
) -> Result<bool, Problem> {
    let mut query = ReadQuery::all(tenant.clone(), 0).of(conversation.clone());
    query.kinds = KindFilter::exactly(codec::ARTICLE_SEARCHED);
    loop {
        let page = state.store.read(&query).await?;
        for event in &page {
            if codec::data::<ArticleSearched>(event)?.search_id == search_id {
                return Ok(true);
            }
        }
        match page.last() {
            Some(last) if page.len() == MAX_READ => query.after = last.position,
            _ => return Ok(false),
        }
    }
}

fn event_id(tenant: &TenantId, opened: &wire::ArticleOpened) -> EventId {
    let mut hash = Sha256::new();
    for part in [tenant.as_str(), &opened.search_id, &opened.article_id] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let hex: String = hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("opened-{hex}").into()
}
