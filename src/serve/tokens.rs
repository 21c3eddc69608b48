//! Tokens for browsers on other people's pages: one conversation, an hour, and nothing else.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::{Method, StatusCode};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ServeState;
use super::auth::{Principal, fresh_secret, hash_of};
use super::error::Problem;
use super::extract::Json;
use crate::domain::ConversationId;
use crate::store::codec::time_text;

const LIFETIME: Duration = Duration::from_secs(3_600);
/// The oldest gives way beyond that.
const TOKENS_MAX: usize = 10_000;
const PREFIX: &str = "bct_";

/// What a request's token is for; in the request's extensions where it came with one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope(pub ConversationId);

#[derive(Default)]
pub(super) struct Tokens(Mutex<HashMap<[u8; 32], Issued>>);

struct Issued {
    principal: Principal,
    conversation: ConversationId,
    at: Instant,
}

impl Tokens {
    fn issue(&self, principal: Principal, conversation: ConversationId) -> String {
        let token = fresh_secret(PREFIX);
        let mut issued = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        issued.retain(|_, one| one.at.elapsed() < LIFETIME);
        if issued.len() >= TOKENS_MAX
            && let Some(oldest) = issued.iter().min_by_key(|(_, one)| one.at).map(|(hash, _)| *hash)
        {
            issued.remove(&oldest);
        }
        let at = Instant::now();
        issued.insert(hash_of(&token), Issued { principal, conversation, at });
        token
    }

    /// Who comes with a token, if it opens this door.
    pub fn admit(&self, token: &str, method: &Method, path: &str) -> Option<(Principal, Scope)> {
        if !token.starts_with(PREFIX) {
            return None;
        }
        let issued = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let one = issued.get(&hash_of(token)).filter(|one| one.at.elapsed() < LIFETIME)?;
        let is_in = opens(method, path, one.conversation.as_str());
        is_in.then(|| (one.principal.clone(), Scope(one.conversation.clone())))
    }
}

/// What somebody who looks at one conversation needs. Paths are compared as they came: a token's conversation has no
/// letters that are written otherwise in an address.
fn opens(method: &Method, path: &str, conversation: &str) -> bool {
    let pieces: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    match (method.as_str(), pieces.as_slice()) {
        ("GET", ["v1", "me"]) => true,
        ("GET", ["v1", "conversations", id]) => *id == conversation,
        ("GET", ["v1", "conversations", id, "events"]) => *id == conversation,
        ("POST", ["v1", "conversations", id, "ask"]) => *id == conversation,
        // Of which conversation a card is, only its handler knows.
        ("POST", ["v1", "suggestions", _, "verdict"]) => true,
        // What is in force, every agent may read; the handler shows nothing else. A search is no article, and is
        // written down in a conversation.
        ("GET", ["v1", "articles", id]) => *id != "search",
        _ => false,
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WantedToken {
    /// The conversation that may be seen with it.
    conversation: String,
}

#[derive(Serialize, ToSchema)]
pub struct TokenView {
    /// As `Authorization: Bearer`, or `?token=` on the conversation's stream.
    token: String,
    expires_at: String,
}

/// Makes a token for one conversation: its events, its cards' verdicts, questions, and the articles they cite. For
/// `<backchannel-copilot>` on a page of the CRM, made by whoever serves that page.
#[utoipa::path(post, path = "/v1/tokens", tag = "session", request_body = WantedToken,
    responses((status = 201, body = TokenView), super::openapi::Refusals))]
pub async fn issue(
    State(state): State<ServeState>,
    principal: Principal,
    Json(wanted): Json<WantedToken>,
) -> Result<(StatusCode, axum::Json<TokenView>), Problem> {
    let id = ConversationId::from(wanted.conversation);
    let row = state.store.conversation(&principal.tenant, &id).await?;
    row.ok_or_else(|| Problem::no_conversation(id.as_str()))?;
    let token = state.auth.tokens.issue(principal, id);
    let ends = Timestamp::now().checked_add(LIFETIME).unwrap_or(Timestamp::MAX);
    Ok((StatusCode::CREATED, axum::Json(TokenView { token, expires_at: time_text(ends) })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_opens_its_conversation_only() {
        let (get, post) = (Method::GET, Method::POST);
        for (method, path) in [
            (&get, "/v1/conversations/c-1"),
            (&get, "/v1/conversations/c-1/events"),
            (&post, "/v1/conversations/c-1/ask"),
            (&post, "/v1/suggestions/k-1/verdict"),
            (&get, "/v1/articles/billing%2Frefunds"),
        ] {
            assert!(opens(method, path, "c-1"), "{method} {path}");
        }
        for (method, path) in [
            (&get, "/v1/conversations"),
            (&get, "/v1/conversations/c-2"),
            (&get, "/v1/conversations/c-2/events"),
            (&get, "/v1/conversations/c-1/../c-2"),
            (&get, "/v1/events"),
            (&post, "/v1/conversations/c-1/outcome"),
            (&get, "/v1/conversations/c-1/outcome"),
            (&post, "/v1/tokens"),
            (&get, "/metrics"),
            (&get, "/v1/outbox"),
            (&get, "/v1/articles"),
            (&get, "/v1/articles/search"),
            (&get, "/v1/articles/billing%2Frefunds/revisions"),
            (&post, "/v1/articles/search"),
        ] {
            assert!(!opens(method, path, "c-1"), "{method} {path}");
        }
    }
}
