//! Tokens for browsers on other people's pages: one conversation, and nothing else.
//!
//! A page has one for an hour, which goes in a header. An address gets into logs and histories, so what goes there
//! (an event source can send no header) is another one, which opens one stream once and must be used at once.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Extension, State};
use axum::http::{Method, StatusCode};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ServeState;
use super::auth::{Hash, Principal, Proof, fresh_secret, hash_of, make_room};
use super::error::{Problem, shown};
use super::extract::Json;
use crate::domain::ConversationId;
use crate::store::codec::time_text;

const LIFETIME: Duration = Duration::from_secs(3_600);
/// To be used for the first and only time.
const STREAM_LIFETIME: Duration = Duration::from_secs(60);
/// The oldest of a tenant gives way beyond that.
const TOKENS_MAX: usize = 10_000;
const PREFIX: &str = "bct_";

/// What a request's token is for; in the request's extensions where it came with one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope(pub ConversationId);

#[derive(Default)]
pub(super) struct Tokens(Mutex<HashMap<Hash, Issued>>);

struct Issued {
    principal: Principal,
    /// What it was issued for, and ends with.
    by: Proof,
    conversation: ConversationId,
    kind: TokenKind,
    at: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TokenKind {
    /// In a header, as often as one likes.
    Page,
    /// In the address of the conversation's stream, once.
    Stream,
}

impl TokenKind {
    const fn lifetime(self) -> Duration {
        match self {
            Self::Page => LIFETIME,
            Self::Stream => STREAM_LIFETIME,
        }
    }
}

impl Issued {
    fn is_good(&self) -> bool {
        self.at.elapsed() < self.kind.lifetime()
    }
}

impl Tokens {
    fn issue(&self, issued: Issued) -> String {
        let token = fresh_secret(PREFIX);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, one| one.is_good());
        make_room(&mut all, TOKENS_MAX, &issued.principal.tenant, |one| {
            (&one.principal.tenant, one.at)
        });
        all.insert(hash_of(&token), issued);
        token
    }

    /// Who comes with a token in a header, if it opens this door.
    pub fn admit(
        &self,
        token: &str,
        method: &Method,
        path: &str,
    ) -> Option<(Principal, Proof, Scope)> {
        let hash = token.starts_with(PREFIX).then(|| hash_of(token))?;
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let one = all.get(&hash).filter(|one| one.is_good() && one.kind == TokenKind::Page)?;
        let is_in = opens(method, path, one.conversation.as_str());
        let scope = Scope(one.conversation.clone());
        is_in.then(|| (one.principal.clone(), Proof::Token(hash), scope))
    }

    /// Who comes with a token in the address of this stream. It is used up by what it opens, and by nothing else:
    /// whoever mistook the address still has it.
    pub fn admit_stream(&self, token: &str, path: &str) -> Option<(Principal, Proof, Scope)> {
        let hash = token.starts_with(PREFIX).then(|| hash_of(token))?;
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.get(&hash).filter(|one| one.kind == TokenKind::Stream)?;
        if path != format!("/v1/conversations/{}/events", known.conversation.as_str()) {
            return None;
        }
        let one = all.remove(&hash).filter(Issued::is_good)?;
        Some((one.principal, one.by, Scope(one.conversation)))
    }

    /// What a token was issued for, as long as it is good itself.
    pub fn issued_for(&self, hash: &Hash) -> Option<Proof> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(hash).filter(|one| one.is_good()).map(|one| one.by.clone())
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
        // For a stream of its own conversation, which the handler sees to.
        ("POST", ["v1", "tokens"]) => true,
        // What is in force, every agent may read; the handler shows nothing else. A search is no article, and is
        // written down in a conversation.
        ("GET", ["v1", "articles", id]) => *id != "search",
        _ => false,
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WantedToken {
    conversation: String,
    /// page: an hour, in a header; or stream: once, within a minute, in the address of the conversation's stream. Page
    /// unless told.
    r#use: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct TokenView {
    /// As `Authorization: Bearer`, or, of a stream, as `?token=` on the conversation's stream.
    token: String,
    expires_at: String,
}

/// Makes a token for one conversation: its events, its cards' verdicts, questions, and the articles they cite. For
/// `<backchannel-copilot>` on a page of the CRM, made by whoever serves that page. With a page's token one for a
/// stream of its conversation can be had, and nothing else.
#[utoipa::path(post, path = "/v1/tokens", tag = "session", request_body = WantedToken,
    responses((status = 201, body = TokenView), super::openapi::Refusals))]
pub async fn issue(
    State(state): State<ServeState>,
    principal: Principal,
    Extension(proof): Extension<Proof>,
    scope: Option<Extension<Scope>>,
    Json(wanted): Json<WantedToken>,
) -> Result<(StatusCode, axum::Json<TokenView>), Problem> {
    let kind = match wanted.r#use.as_deref() {
        None | Some("page") => TokenKind::Page,
        Some("stream") => TokenKind::Stream,
        Some(other) => {
            let detail = format!("use is page or stream, not `{}`", shown(other));
            return Err(Problem::invalid(detail));
        }
    };
    let conversation = ConversationId::from(wanted.conversation);
    if let Some(Extension(Scope(own))) = scope
        && (own != conversation || kind == TokenKind::Page)
    {
        let detail = "with a page's token, only one for a stream of its conversation can be had";
        return Err(Problem::new(StatusCode::FORBIDDEN, "denied", detail));
    }
    let row = state.store.conversation(&principal.tenant, &conversation).await?;
    row.ok_or_else(|| Problem::no_conversation(conversation.as_str()))?;
    let (by, at) = (proof, Instant::now());
    let token = state.auth.tokens.issue(Issued { principal, by, conversation, kind, at });
    let ends = Timestamp::now().checked_add(kind.lifetime()).unwrap_or(Timestamp::MAX);
    Ok((StatusCode::CREATED, axum::Json(TokenView { token, expires_at: time_text(ends) })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::AccessRole;

    fn issued(kind: TokenKind) -> (Tokens, String) {
        let tokens = Tokens::default();
        let token = tokens.issue(Issued {
            principal: Principal::new("Ada", AccessRole::Agent, "demo".into()),
            by: Proof::Settings,
            conversation: "c-1".into(),
            kind,
            at: Instant::now(),
        });
        (tokens, token)
    }

    #[test]
    fn a_streams_token_is_used_up_by_its_first_use() {
        const STREAM: &str = "/v1/conversations/c-1/events";
        let (tokens, token) = issued(TokenKind::Stream);
        assert!(
            tokens.admit(&token, &Method::GET, STREAM).is_none(),
            "it has no place in a header"
        );
        assert!(tokens.admit_stream(&token, STREAM).is_some());
        assert!(tokens.admit_stream(&token, STREAM).is_none());
        let (tokens, token) = issued(TokenKind::Stream);
        assert!(tokens.admit_stream(&token, "/v1/conversations/c-2/events").is_none());
        assert!(tokens.admit_stream(&token, STREAM).is_some(), "not by a wrong one");
        assert!(tokens.admit_stream(&token, STREAM).is_none());
        let (tokens, token) = issued(TokenKind::Page);
        assert!(
            tokens.admit_stream(&token, STREAM).is_none(),
            "a page's has no place in an address"
        );
        assert!(tokens.admit(&token, &Method::GET, STREAM).is_some());
        assert!(tokens.admit(&token, &Method::GET, STREAM).is_some());
    }

    #[test]
    fn a_token_opens_its_conversation_only() {
        let (get, post) = (Method::GET, Method::POST);
        for (method, path) in [
            (&get, "/v1/conversations/c-1"),
            (&get, "/v1/conversations/c-1/events"),
            (&post, "/v1/conversations/c-1/ask"),
            (&post, "/v1/suggestions/k-1/verdict"),
            (&post, "/v1/tokens"),
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
