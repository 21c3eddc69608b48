//! The chat on a company's own pages. A visitor writes into one conversation and sees its public turns: no card, no
//! colleague's word, no name, nothing of any other conversation.

mod limits;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::IpAddr;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use tokio::sync::OwnedSemaphorePermit;
use utoipa::ToSchema;

pub use self::limits::ChatLimits;
use super::ServeState;
use super::caller::Caller;
use super::channels::{bearer, closed};
use super::error::Problem;
use super::extract::Json;
use super::kept::kept;
use super::texts::{checked_id, status};
use crate::bus::{Heard, Signal, Subscription};
use crate::connect::channels::webchat::WebChat;
use crate::domain::{Channel, ConversationId, Direction, Role, TenantId};
use crate::flow::driver::texts::{NewTurn, Speaker, TextOpening};
use crate::store::wire::{RedactionResolved, TurnFinal};
use crate::store::{KindFilter, MAX_READ, ReadQuery, StoreError, codec};

/// A visitor writes a message, not a letter.
const TEXT_MAX_CHARS: usize = 4_000;
const PUBLIC: &str = "turn.final,insight.redaction,conversation.ended";

#[derive(Serialize, ToSchema)]
pub struct Invitation {
    /// Lets its bearer into one conversation, as long as that lasts.
    token: String,
}

/// Gives a visitor a token. Nothing is kept until they write.
#[utoipa::path(post, path = "/v1/chat", tag = "web chat",
    params(("Origin" = String, Header, description = "of a page in `channels.webchat.origins`")),
    responses((status = 201, body = Invitation), super::openapi::Refusals))]
pub async fn invite(
    State(state): State<ServeState>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let page = Page::of(&state, &headers)?.named()?;
    let (_, token) = page.chat.invite();
    Ok(page.answer((StatusCode::CREATED, axum::Json(Invitation { token })).into_response()))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VisitorMessage {
    /// The page's own name for it: the same again is the same turn.
    id: String,
    text: String,
}

/// A turn as visitors see it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct PublicTurn {
    turn_id: String,
    /// visitor, agent or bot
    by: &'static str,
    /// With secrets masked.
    text: String,
    /// Since the conversation's beginning.
    at_ms: u64,
}

/// Takes a visitor's message; 200 where it was taken already.
#[utoipa::path(post, path = "/v1/chat/turns", tag = "web chat", request_body = VisitorMessage,
    params(("Authorization" = String, Header, description = "`Bearer` and the visitor's token")),
    responses((status = 201, body = PublicTurn), (status = 200, body = PublicTurn), super::openapi::Refusals))]
pub async fn write(
    State(state): State<ServeState>,
    caller: Caller,
    headers: HeaderMap,
    message: Result<Json<VisitorMessage>, Problem>,
) -> Result<Response, Problem> {
    let page = Page::of(&state, &headers)?.named()?;
    let taken = page.write(&state, &headers, caller.subscriber(), message).await;
    Ok(page.answer(taken.unwrap_or_else(IntoResponse::into_response)))
}

/// The visitor's conversation: `turn` for each public turn, again with the same id when what was masked in it turned
/// out harmless, and `ended`. SSE ids count them.
#[utoipa::path(get, path = "/v1/chat/events", tag = "web chat",
    params(("Authorization" = String, Header, description = "`Bearer` and the visitor's token"),
        ("Last-Event-ID" = Option<String>, Header, description = "resume after this SSE id")),
    responses((status = 200, description = "`event: turn` with a turn as JSON, `event: ended`",
        body = String, content_type = "text/event-stream"), super::openapi::Refusals))]
pub async fn watch(
    State(state): State<ServeState>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let page = Page::of(&state, &headers)?;
    let opened = page.watch(&state, &headers);
    Ok(page.answer(opened.unwrap_or_else(IntoResponse::into_response)))
}

/// Answers a browser that asks whether a page may write here.
#[utoipa::path(options, path = "/v1/chat", tag = "web chat",
    params(("Origin" = String, Header, description = "of a page in `channels.webchat.origins`")),
    responses((status = 204, description = "it may"), super::openapi::Refusals))]
pub async fn may_invite(
    State(state): State<ServeState>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    preflight(&state, &headers)
}

/// As for `/v1/chat`.
#[utoipa::path(options, path = "/v1/chat/turns", tag = "web chat",
    params(("Origin" = String, Header, description = "of a page in `channels.webchat.origins`")),
    responses((status = 204, description = "it may"), super::openapi::Refusals))]
pub async fn may_write(
    State(state): State<ServeState>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    preflight(&state, &headers)
}

/// As for `/v1/chat`.
#[utoipa::path(options, path = "/v1/chat/events", tag = "web chat",
    params(("Origin" = String, Header, description = "of a page in `channels.webchat.origins`")),
    responses((status = 204, description = "it may"), super::openapi::Refusals))]
pub async fn may_watch(
    State(state): State<ServeState>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    preflight(&state, &headers)
}

fn preflight(state: &ServeState, headers: &HeaderMap) -> Result<Response, Problem> {
    let page = Page::of(state, headers)?;
    let mut answer = page.answer(StatusCode::NO_CONTENT.into_response());
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type, last-event-id"),
        (header::ACCESS_CONTROL_MAX_AGE, "600"),
    ] {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    Ok(answer)
}

/// The page that asks; one of the list, or our own.
struct Page<'a> {
    chat: &'a WebChat,
    origin: Option<HeaderValue>,
}

impl<'a> Page<'a> {
    fn of(state: &'a ServeState, headers: &HeaderMap) -> Result<Self, Problem> {
        let chat = state.channels.webchat.as_ref();
        let chat = chat.ok_or_else(closed)?;
        let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let host = text(header::HOST).unwrap_or_default();
        let own = |origin: &str| origin.split_once("://").is_some_and(|(_, rest)| rest == host);
        let origin = text(header::ORIGIN);
        // A page of our own that only reads says no origin.
        let lets_in =
            origin.is_none_or(|origin| (state.demo && own(origin)) || chat.lets_in(origin));
        match lets_in {
            true => Ok(Self { chat, origin: headers.get(header::ORIGIN).cloned() }),
            false => Err(not_listed()),
        }
    }

    /// A page that writes says its origin, as every browser does then.
    fn named(self) -> Result<Self, Problem> {
        if self.origin.is_some() { Ok(self) } else { Err(not_listed()) }
    }

    fn answer(&self, mut response: Response) -> Response {
        let headers = response.headers_mut();
        if let Some(origin) = &self.origin {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        }
        headers.insert(header::VARY, HeaderValue::from_static("Origin"));
        response
    }

    fn visitor(&self, headers: &HeaderMap) -> Result<ConversationId, Problem> {
        bearer(headers).and_then(|token| self.chat.admit(token)).ok_or_else(|| {
            let detail = "send the visitor's token as `Authorization: Bearer …`";
            Problem::new(StatusCode::UNAUTHORIZED, "unauthorised", detail)
        })
    }

    async fn write(
        &self,
        state: &ServeState,
        headers: &HeaderMap,
        from: Option<IpAddr>,
        message: Result<Json<VisitorMessage>, Problem>,
    ) -> Result<Response, Problem> {
        let id = self.visitor(headers)?;
        let Json(VisitorMessage { id: name, text }) = message?;
        if text.trim().is_empty() || text.chars().nth(TEXT_MAX_CHARS).is_some() {
            let detail = format!("text has 1 to {TEXT_MAX_CHARS} characters");
            return Err(Problem::invalid(detail));
        }
        let name = checked_id("id", name).map_err(Problem::invalid)?;
        let tenant = &self.chat.tenant;
        if state.store.conversation(tenant, &id).await?.is_none() {
            if !state.chat_limits.begin(from) {
                return Err(crowded());
            }
            kept(state, state.texts.open(opening(tenant, &id))).await?;
        }
        let turn = NewTurn {
            client_id: Some(name),
            speaker: Speaker::Role(Role::Customer, None),
            text,
            at: None,
            sends: false,
        };
        let taken = kept(state, state.texts.turn(tenant, &id, turn)).await?;
        let turn = PublicTurn {
            turn_id: taken.id.to_string(),
            by: "visitor",
            text: taken.text.as_str().to_owned(),
            at_ms: taken.start_ms,
        };
        Ok((status(taken.is_new), axum::Json(turn)).into_response())
    }

    fn watch(&self, state: &ServeState, headers: &HeaderMap) -> Result<Response, Problem> {
        let id = self.visitor(headers)?;
        let place = state.chat_limits.watch().ok_or_else(crowded)?;
        let seen = headers.get("last-event-id").and_then(|value| value.to_str().ok());
        let seen = seen.and_then(|text| text.parse().ok()).unwrap_or(0);
        let feed = Feed::new(state, self.chat.tenant.clone(), id, seen, place);
        let body = Body::from_stream(stream::unfold(feed, |mut feed| async move {
            feed.next().await.map(|bytes| (Ok::<_, Infallible>(bytes), feed))
        }));
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
            (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
        ];
        Ok((headers, body).into_response())
    }
}

fn opening(tenant: &TenantId, id: &ConversationId) -> TextOpening {
    let via = [("via".to_owned(), "webchat".to_owned())];
    TextOpening {
        tenant: tenant.clone(),
        id: Some(id.clone()),
        channel: Channel::Chat,
        direction: Direction::Inbound,
        external_id: None,
        parties: vec![(Role::Customer, None), (Role::Agent, None)],
        attributes: via.into(),
        route: None,
        language: "en".to_owned(),
    }
}

fn not_listed() -> Problem {
    let detail = "this page may not show the chat: see `channels.webchat.origins`";
    Problem::new(StatusCode::FORBIDDEN, "denied", detail)
}

fn crowded() -> Problem {
    let detail = "too many chats at once; try again in a moment";
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "busy", detail)
}

/// What one visitor sees.
struct Feed {
    state: ServeState,
    subscription: Box<dyn Subscription>,
    query: ReadQuery,
    turns: PublicTurns,
    waiting: VecDeque<Bytes>,
    greeted: bool,
    over: bool,
    _place: OwnedSemaphorePermit,
}

impl Feed {
    fn new(
        state: &ServeState,
        tenant: TenantId,
        id: ConversationId,
        seen: u64,
        place: OwnedSemaphorePermit,
    ) -> Self {
        // First listen, then look.
        let subscription = state.bus.subscribe();
        let mut query = ReadQuery::all(tenant, 0).of(id);
        query.kinds = KindFilter::parse(PUBLIC).expect("the kinds are a constant; this is a bug");
        let turns = PublicTurns { seen, ..PublicTurns::default() };
        let (state, waiting) = (state.clone(), VecDeque::new());
        let (greeted, over) = (false, false);
        Self { state, subscription, query, turns, waiting, greeted, over, _place: place }
    }

    async fn next(&mut self) -> Option<Bytes> {
        if !std::mem::replace(&mut self.greeted, true) {
            return Some(Bytes::from_static(b": connected\n\n"));
        }
        loop {
            if let Some(bytes) = self.waiting.pop_front() {
                return Some(bytes);
            }
            if self.over {
                return None;
            }
            if let Err(error) = self.read().await {
                // The visitor comes back with the last id and loses nothing.
                tracing::error!(%error, "a chat could not read the event log");
                return None;
            }
            if self.waiting.is_empty() && !self.over && !self.wait().await {
                return Some(Bytes::from_static(b": still here\n\n"));
            }
        }
    }

    async fn read(&mut self) -> Result<(), StoreError> {
        loop {
            let page = self.state.store.read(&self.query).await?;
            for event in &page {
                self.query.after = event.position;
                let news = match &*event.kind {
                    codec::TURN_FINAL => self.turns.turn(codec::data(event)?),
                    codec::REDACTION => self.turns.released(&codec::data(event)?),
                    _ => {
                        self.over = true;
                        Some("event: ended\ndata: {}\n\n".to_owned())
                    }
                };
                self.waiting.extend(news.and_then(|news| self.turns.numbered(&news)));
            }
            if page.len() < MAX_READ {
                return Ok(());
            }
        }
    }

    /// Until something is told of this conversation; false when nothing was for a while.
    async fn wait(&mut self) -> bool {
        let quiet = tokio::time::sleep(self.state.comment_every);
        tokio::pin!(quiet);
        loop {
            let heard = tokio::select! {
                heard = self.subscription.next() => heard,
                () = &mut quiet => return false,
                () = self.state.stop.cancelled() => {
                    self.over = true;
                    return true;
                }
            };
            match heard {
                Heard::Signal(Signal::Event(event)) => {
                    let is_mine = event.tenant == self.query.tenant
                        && self.query.conversation.as_ref() == Some(&event.conversation);
                    if is_mine {
                        return true;
                    }
                }
                Heard::Signal(Signal::Partial(_)) => {}
                Heard::Lagged(_) => return true,
                Heard::Closed => {
                    self.over = true;
                    return true;
                }
            }
        }
    }
}

/// Turns as a visitor may see them. No I/O.
#[derive(Default)]
struct PublicTurns {
    /// Of the connection before.
    seen: u64,
    count: u64,
    /// In which something is masked that may yet be shown.
    masked: Vec<PublicTurn>,
}

impl PublicTurns {
    fn turn(&mut self, turn: TurnFinal) -> Option<String> {
        let by = match Role::parse(&turn.party.role)? {
            Role::Customer => "visitor",
            Role::Agent => "agent",
            Role::Bot => "bot",
            // What colleagues write is for the agent.
            Role::Supervisor | Role::Expert | Role::Mixed => return None,
        };
        let TurnFinal { turn_id, text, start_ms, .. } = turn;
        let public = PublicTurn { turn_id, by, text, at_ms: start_ms };
        if public.text.contains("[digits-") {
            self.masked.push(public.clone());
        }
        Some(told(&public))
    }

    fn released(&mut self, resolved: &RedactionResolved) -> Option<String> {
        let words = resolved.text.as_ref()?;
        let turn = self.masked.iter_mut().find(|turn| turn.turn_id == resolved.turn_id)?;
        turn.text = turn.text.replacen(&resolved.placeholder, words, 1);
        Some(told(turn))
    }

    /// With its number; none where the connection before had it.
    fn numbered(&mut self, news: &str) -> Option<Bytes> {
        self.count += 1;
        (self.count > self.seen).then(|| format!("id: {}\n{news}", self.count).into())
    }
}

fn told(turn: &PublicTurn) -> String {
    let data = serde_json::to_string(turn).expect("a turn is plain text; this is a bug");
    format!("event: turn\ndata: {data}\n\n")
}
