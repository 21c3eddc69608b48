//! What the agent did with a card.

use axum::extract::{Extension, State};
use jiff::Timestamp;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::ServeState;
use super::auth::Principal;
use super::error::{Problem, shown};
use super::extract::{Json, Path};
use super::tokens::Scope;
use crate::domain::{CardId, ConversationId, EventBody, EventId, NewEvent, Verdict, VerdictKind};
use crate::store::codec;
use crate::store::wire::SuggestionVerdict;
use crate::store::{KindFilter, MAX_READ, ReadQuery};

const MAX_TEXT_CHARS: usize = 4_000;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// accepted, edited, dismissed or ignored
    verdict: String,
    /// What the card's text became; only with `edited`, and then needed.
    text: Option<String>,
}

/// Records the verdict in the log of the card's conversation; the same again changes nothing.
#[utoipa::path(post, path = "/v1/suggestions/{card_id}/verdict", tag = "suggestions",
    params(("card_id" = String, Path)), request_body = Given,
    responses((status = 200, body = SuggestionVerdict), super::openapi::Refusals))]
pub async fn give_verdict(
    State(state): State<ServeState>,
    principal: Principal,
    scope: Option<Extension<Scope>>,
    Path(card_id): Path<String>,
    Json(given): Json<Given>,
) -> Result<axum::Json<SuggestionVerdict>, Problem> {
    let kind = VerdictKind::parse(&given.verdict).ok_or_else(|| {
        let detail = "verdict is accepted, edited, dismissed or ignored, not";
        Problem::invalid(format!("{detail} `{}`", shown(&given.verdict)))
    })?;
    let edited_text = match (kind, given.text.as_deref().map(str::trim)) {
        (VerdictKind::Edited, None | Some("")) => {
            return Err(Problem::invalid(
                "with `edited` comes `text`, what the card's text became",
            ));
        }
        (VerdictKind::Edited, Some(text)) if text.chars().count() > MAX_TEXT_CHARS => {
            return Err(Problem::invalid(format!("text has {MAX_TEXT_CHARS} characters at most")));
        }
        (VerdictKind::Edited, Some(text)) => Some((state.masker)(text)),
        (_, Some(_)) => return Err(Problem::invalid("`text` comes only with `edited`")),
        (_, None) => None,
    };
    let card = CardId::from(card_id);
    let conversation =
        state.store.conversation_of_card(&principal.tenant, &card).await?.ok_or_else(|| {
            Problem::not_found(format!("there is no card {}", shown(card.as_str())))
        })?;
    if scope.is_some_and(|Extension(Scope(only))| only != conversation) {
        return Err(Problem::not_found(format!("there is no card {}", shown(card.as_str()))));
    }
    let verdict = Verdict { card_id: card, kind, edited_text };
    record(&state, &principal, &conversation, verdict).await.map(axum::Json)
}

/// As much of a text as a verdict takes.
pub(super) fn shortened(text: &str) -> String {
    text.chars().take(MAX_TEXT_CHARS).collect()
}

/// Writes a verdict down, unless it is the newest already.
pub(super) async fn record(
    state: &ServeState,
    principal: &Principal,
    conversation: &ConversationId,
    verdict: Verdict,
) -> Result<SuggestionVerdict, Problem> {
    let wire = codec::verdict(&verdict);
    let before = verdicts_before(state, principal, conversation, &wire.card_id).await?;
    if before.last() != Some(&wire) {
        let event = NewEvent {
            id: event_id(before.len(), principal, &wire),
            time: Timestamp::now(),
            body: EventBody::SuggestionVerdict(verdict),
        };
        state.store.append(&principal.tenant, conversation, vec![event]).await?;
    }
    Ok(wire)
}

async fn verdicts_before(
    state: &ServeState,
    principal: &Principal,
    conversation: &ConversationId,
    card: &str,
) -> Result<Vec<SuggestionVerdict>, Problem> {
    let mut query = ReadQuery::all(principal.tenant.clone(), 0).of(conversation.clone());
    query.kinds = KindFilter::exactly(codec::SUGGESTION_VERDICT);
    let mut verdicts = Vec::new();
    loop {
        let page = state.store.read(&query).await?;
        for event in &page {
            let data: SuggestionVerdict = codec::data(event)?;
            if data.card_id == card {
                verdicts.push(data);
            }
        }
        match page.last() {
            Some(last) if page.len() == MAX_READ => query.after = last.position,
            _ => return Ok(verdicts),
        }
    }
}

/// The same verdict after the same number of others has the same id, so two requests at once
/// leave one event.
fn event_id(before: usize, principal: &Principal, verdict: &SuggestionVerdict) -> EventId {
    let mut hash = Sha256::new();
    let parts = [
        principal.tenant.as_str(),
        &verdict.card_id,
        &before.to_string(),
        &verdict.verdict,
        verdict.text.as_deref().unwrap_or_default(),
    ];
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let hex: String = hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("verdict-{hex}").into()
}
