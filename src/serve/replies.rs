//! An agent answers a customer who writes. Nothing but this sends anything to a customer.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ServeState;
use super::auth::Principal;
use super::error::{Problem, shown};
use super::extract::{Json, Path};
use super::kept::kept;
use super::suggestions;
use super::texts::{Taken, checked_id, checked_text, status};
use crate::domain::{CardId, ConversationId, DeliveryState, Role, TurnId, Verdict, VerdictKind};
use crate::flow::driver::texts::{NewTurn, Route, Speaker};
use crate::store::wire::{SuggestionOffered, SuggestionVoiced};
use crate::store::{KindFilter, MAX_READ, ReadQuery, codec};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WrittenReply {
    /// The client's own name for it: the same again is the same reply, sent once.
    id: Option<String>,
    text: String,
    /// The card that it was made from: that was accepted then, or edited.
    card_id: Option<String>,
}

/// What became of a reply.
#[derive(Serialize, ToSchema)]
pub struct Replied {
    #[serde(flatten)]
    turn: Taken,
    /// The connector that carries it to the customer. Null where whoever brings the messages reads it from
    /// the stream, as a chat on a web page does.
    #[schema(required)]
    destination: Option<String>,
}

/// Sends a reply to the customer, on the channel on which they write; it becomes a turn of the agent's. 200 where it
/// was taken before. How far it is tells `crm.write` with this `turn_id`.
#[utoipa::path(post, path = "/v1/conversations/{id}/replies", tag = "text channels",
    params(("id" = String, Path)), request_body = WrittenReply,
    responses((status = 201, body = Replied), (status = 200, body = Replied), super::openapi::Refusals))]
pub async fn reply(
    State(state): State<ServeState>,
    principal: Principal,
    Path(id): Path<String>,
    Json(reply): Json<WrittenReply>,
) -> Result<(StatusCode, axum::Json<Replied>), Problem> {
    let id = ConversationId::from(id);
    let text = checked_text(reply.text).map_err(Problem::invalid)?;
    if (state.masker)(&text).as_str() != text {
        let detail = "text holds what looks like the number of a payment card, or another secret; leave it out";
        return Err(Problem::invalid(detail));
    }
    let client_id = reply.id.map(|id| checked_id("id", id)).transpose();
    let client_id = client_id.map_err(Problem::invalid)?;
    let card = match reply.card_id.map(CardId::from) {
        Some(card) => Some(card_of(&state, &principal, &id, card).await?),
        None => None,
    };
    let row = state.store.conversation(&principal.tenant, &id).await?;
    let row = row.ok_or_else(|| Problem::no_conversation(id.as_str()))?;
    let turn = NewTurn {
        client_id: client_id.map(|id| format!("reply {id}")),
        speaker: Speaker::Role(Role::Agent, Some(principal.name.clone())),
        text: text.clone(),
        at: None,
        sends: true,
    };
    let taken = kept(&state, state.texts.turn(&principal.tenant, &id, turn)).await?;
    let is_new = taken.is_new;
    if let Some((card_id, texts)) = card.filter(|_| is_new) {
        let is_same = texts.iter().any(|shown| shown.trim() == text.trim());
        let verdict = match is_same {
            true => Verdict { card_id, kind: VerdictKind::Accepted, edited_text: None },
            false => Verdict {
                card_id,
                kind: VerdictKind::Edited,
                edited_text: Some((state.masker)(&suggestions::shortened(&text))),
            },
        };
        suggestions::record(&state, &principal, &id, verdict).await?;
    }
    let replied = Replied {
        turn: Taken::of(&id, taken),
        destination: Route::of(&row.attributes).map(|route| route.connector),
    };
    Ok((status(is_new), axum::Json(replied)))
}

#[derive(Serialize, ToSchema)]
pub struct SentAgain {
    turn_id: String,
    /// waiting, where it had failed and will be tried again; else `unchanged`
    state: &'static str,
}

/// Tries once more to send a reply that failed. Whether an earlier try got through is looked for before.
#[utoipa::path(post, path = "/v1/conversations/{id}/replies/{turn_id}/retry", tag = "text channels",
    params(("id" = String, Path), ("turn_id" = String, Path)),
    responses((status = 200, body = SentAgain), super::openapi::Refusals))]
pub async fn retry(
    State(state): State<ServeState>,
    principal: Principal,
    Path((id, turn)): Path<(String, String)>,
) -> Result<axum::Json<SentAgain>, Problem> {
    let (id, turn) = (ConversationId::from(id), TurnId::from(turn));
    if state.store.conversation(&principal.tenant, &id).await?.is_none() {
        return Err(Problem::no_conversation(id.as_str()));
    }
    let again = state.texts.send_again(&principal.tenant, &id, &turn).await?;
    let state = if again { DeliveryState::Waiting.as_str() } else { "unchanged" };
    Ok(axum::Json(SentAgain { turn_id: turn.to_string(), state }))
}

/// A card of this conversation, with the texts that it showed.
async fn card_of(
    state: &ServeState,
    principal: &Principal,
    conversation: &ConversationId,
    card: CardId,
) -> Result<(CardId, Vec<String>), Problem> {
    let mut query = ReadQuery::all(principal.tenant.clone(), 0).of(conversation.clone());
    query.kinds = KindFilter::exactly(codec::SUGGESTION_OFFERED).or(codec::SUGGESTION_VOICED);
    let mut texts = Vec::new();
    loop {
        let page = state.store.read(&query).await?;
        for event in &page {
            query.after = event.position;
            if &*event.kind == codec::SUGGESTION_OFFERED {
                let offered: SuggestionOffered = codec::data(event)?;
                texts.extend((offered.card_id == card.as_str()).then_some(offered.text));
            } else {
                let voiced: SuggestionVoiced = codec::data(event)?;
                texts.extend((voiced.card_id == card.as_str()).then_some(voiced.text));
            }
        }
        if page.len() < MAX_READ {
            break;
        }
    }
    match texts.is_empty() {
        true => {
            let name = shown(card.as_str());
            Err(Problem::invalid(format!("card_id: this conversation has no card {name}")))
        }
        false => Ok((card, texts)),
    }
}
