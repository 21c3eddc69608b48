//! The event stream (SSE): from the log until it is caught up, then from the bus.
//!
//! A subscriber holds one page of the log at most. It never slows anybody down: when the bus has
//! gone on without it, it reads the log again from the last position that it was given, so nothing
//! is lost or sent twice. A peer that stops reading is dropped by `listen`.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use jiff::Timestamp;
use serde::Deserialize;
use tokio::sync::watch;
use tokio::time::{Instant, Interval, MissedTickBehavior};

use super::auth::{Principal, Proof};
use super::error::{Problem, shown};
use super::extract::{Path, Query};
use super::limits::OpenStream;
use super::{ServeState, envelope};
use crate::bus::{Heard, Signal, Subscription};
use crate::domain::{ConversationId, Recorded, TenantId};
use crate::store::{AUDIT, KindFilter, ReadQuery, StoreError};

/// So many events of the log a subscriber holds while it catches up.
const PAGE: usize = 64;
/// A session that is over, or a key that has expired, ends a stream on which nothing is said after so long at most.
const CHECKED_EVERY: Duration = Duration::from_secs(1);

#[derive(Deserialize)]
pub struct Wanted {
    last_event_id: Option<String>,
    types: Option<String>,
}

/// The events of all conversations of the tenant.
#[utoipa::path(get, path = "/v1/events", tag = "events",
    params(("Last-Event-ID" = Option<String>, Header, description = "resume after this SSE id; `0` is the beginning"),
        ("last_event_id" = Option<String>, Query, description = "the same, for a first connection of an EventSource"),
        ("types" = Option<String>, Query, description = "such as `turn.final,suggestion.*`")),
    responses((status = 200, description = "each message is an envelope as in /asyncapi.json",
            body = String, content_type = "text/event-stream"), super::openapi::Refusals))]
pub async fn of_all(
    State(state): State<ServeState>,
    principal: Principal,
    Extension(proof): Extension<Proof>,
    headers: HeaderMap,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    open(state, (principal.tenant, proof), None, &headers, &wanted).await
}

/// The events of one conversation.
#[utoipa::path(get, path = "/v1/conversations/{id}/events", tag = "events",
    params(("id" = String, Path),
        ("Last-Event-ID" = Option<String>, Header, description = "resume after this SSE id; `0` is the beginning"),
        ("last_event_id" = Option<String>, Query, description = "the same, for a first connection of an EventSource"),
        ("types" = Option<String>, Query, description = "such as `turn.final,suggestion.*`")),
    responses((status = 200, description = "each message is an envelope as in /asyncapi.json",
            body = String, content_type = "text/event-stream"), super::openapi::Refusals))]
pub async fn of_one(
    State(state): State<ServeState>,
    principal: Principal,
    Extension(proof): Extension<Proof>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let conversation = ConversationId::from(id);
    if state.store.conversation(&principal.tenant, &conversation).await?.is_none() {
        return Err(Problem::no_conversation(conversation.as_str()));
    }
    open(state, (principal.tenant, proof), Some(conversation), &headers, &wanted).await
}

async fn open(
    state: ServeState,
    (tenant, proof): (TenantId, Proof),
    conversation: Option<ConversationId>,
    headers: &HeaderMap,
    wanted: &Wanted,
) -> Result<Response, Problem> {
    let kinds = KindFilter::parse(wanted.types.as_deref().unwrap_or_default())
        .map_err(|error| Problem::invalid(error.to_string()))?;
    // What a browser sends when it connects again is newer than what its address says.
    let header = headers
        .get("last-event-id")
        .map(|value| value.to_str().map_err(|_| Problem::invalid("Last-Event-ID is not text")))
        .transpose()?;
    let last = header
        .filter(|text| !text.is_empty())
        .or(wanted.last_event_id.as_deref().filter(|text| !text.is_empty()))
        .map(parse_position)
        .transpose()?;

    let counted = state.limits.open_stream(&tenant)?;
    // First listen, then look: an event between the two is in both, and is sent once.
    let subscription = state.bus.subscribe();
    let head = state.store.head().await?;
    if last.is_some_and(|last| last > head) {
        return Err(Problem::invalid("this Last-Event-ID is not from this log"));
    }
    let whose = Whose { tenant, proof, conversation, _open: counted };
    let feed = Feed::new(state, subscription, whose, kinds, last.unwrap_or(head));
    let body = Body::from_stream(stream::unfold(feed, |mut feed| async move {
        feed.next().await.map(|bytes| (Ok::<_, Infallible>(bytes), feed))
    }));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (header::HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    Ok((headers, body).into_response())
}

/// Reads an SSE id that this service gave.
fn parse_position(text: &str) -> Result<u64, Problem> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let position = if digits { text.parse().ok() } else { None };
    position.ok_or_else(|| {
        Problem::invalid(format!("`{}` is not an SSE id of this service", shown(text)))
    })
}

/// One subscriber.
struct Feed {
    state: ServeState,
    subscription: Box<dyn Subscription>,
    whose: Whose,
    kinds: KindFilter,
    /// The last position that was sent or passed over.
    position: u64,
    /// Read from the log, not sent yet.
    page: VecDeque<Arc<Recorded>>,
    phase: Phase,
    /// Partials from before are of turns whose finals the log may have given already.
    caught_up_at: Timestamp,
    comments: Interval,
    checks: Interval,
    /// Tells of keys that came or went.
    key_changes: watch::Receiver<()>,
    _counted: Counted,
}

/// Who follows what.
struct Whose {
    tenant: TenantId,
    /// The stream ends with it.
    proof: Proof,
    conversation: Option<ConversationId>,
    _open: OpenStream,
}

/// Whether a page was the last for now.
struct Complete(bool);

#[derive(PartialEq)]
enum Phase {
    Greeting,
    CatchingUp,
    Live,
    Over,
}

impl Feed {
    fn new(
        state: ServeState,
        subscription: Box<dyn Subscription>,
        whose: Whose,
        kinds: KindFilter,
        position: u64,
    ) -> Self {
        let every = |period: Duration| {
            let mut ticks = tokio::time::interval_at(Instant::now() + period, period);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            ticks
        };
        Self {
            comments: every(state.comment_every),
            checks: every(CHECKED_EVERY),
            key_changes: state.auth.key_changes(),
            state,
            subscription,
            whose,
            kinds,
            position,
            page: VecDeque::new(),
            phase: Phase::Greeting,
            caught_up_at: Timestamp::now(),
            _counted: Counted::one(),
        }
    }

    /// Whoever was let in isn't for ever: a key is revoked, a session is over.
    fn may_go_on(&self) -> bool {
        self.state.auth.still_holds(&self.whose.proof)
    }

    async fn next(&mut self) -> Option<Bytes> {
        let bytes = self.ready().await?;
        self.may_go_on().then_some(bytes)
    }

    async fn ready(&mut self) -> Option<Bytes> {
        loop {
            if let Some(event) = self.page.pop_front() {
                return Some(self.event(&event));
            }
            match self.phase {
                Phase::Over => return None,
                Phase::Greeting => {
                    self.phase = Phase::CatchingUp;
                    return Some(Bytes::from_static(b": connected\n\n"));
                }
                Phase::CatchingUp => {
                    // The last look at the log finds what the calls left at their end.
                    let is_last = self.state.stop.is_cancelled();
                    match self.read_page().await {
                        Ok(Complete(false)) => {}
                        Ok(Complete(true)) => {
                            self.phase = if is_last { Phase::Over } else { Phase::Live };
                        }
                        Err(error) => {
                            // The subscriber comes back with its last id and loses nothing.
                            tracing::error!(%error, "a stream could not read the event log");
                            return None;
                        }
                    }
                }
                Phase::Live => {
                    let stop = self.state.stop.clone();
                    let heard = tokio::select! {
                        biased;
                        () = stop.cancelled() => {
                            self.phase = Phase::CatchingUp;
                            continue;
                        }
                        Ok(()) = self.key_changes.changed() => match self.may_go_on() {
                            true => continue,
                            false => return None,
                        },
                        _ = self.checks.tick() => match self.may_go_on() {
                            true => continue,
                            false => return None,
                        },
                        heard = self.subscription.next() => heard,
                        _ = self.comments.tick() => {
                            return Some(Bytes::from_static(b": still here\n\n"));
                        }
                    };
                    if let Some(bytes) = self.hear(heard) {
                        return Some(bytes);
                    }
                }
            }
        }
    }

    async fn read_page(&mut self) -> Result<Complete, StoreError> {
        // The head first: whatever is appended after it comes over the bus.
        let head = self.state.store.head().await?;
        let query = ReadQuery {
            tenant: self.whose.tenant.clone(),
            conversation: self.whose.conversation.clone(),
            after: self.position,
            kinds: self.kinds.clone(),
            limit: PAGE,
            // A sequence without gaps, and nothing in its place.
            with_erased: true,
        };
        let page = self.state.store.read(&query).await?;
        let (read, last) = (page.len(), page.last().map_or(0, |event| event.position));
        let shown = page.into_iter().filter(|event| is_streamed(&event.conversation));
        self.page = shown.collect();
        if read < PAGE {
            self.position = self.position.max(head).max(last);
            self.caught_up_at = Timestamp::now();
            return Ok(Complete(true));
        }
        self.position = last;
        Ok(Complete(false))
    }

    fn hear(&mut self, heard: Heard) -> Option<Bytes> {
        match heard {
            Heard::Signal(Signal::Event(event)) => {
                if event.position <= self.position {
                    return None;
                }
                self.position = event.position;
                let wanted = self.is_mine(&event.tenant, &event.conversation)
                    && self.kinds.matches(&event.kind);
                wanted.then(|| self.event(&event))
            }
            Heard::Signal(Signal::Partial(partial)) => {
                let wanted = self.is_mine(&partial.tenant, &partial.conversation)
                    && self.kinds.matches(partial.kind)
                    && partial.time >= self.caught_up_at;
                wanted.then(|| {
                    let envelope = envelope::of_partial(&self.state.node, &partial);
                    Bytes::from(format!("data: {envelope}\n\n"))
                })
            }
            Heard::Lagged(_) => {
                self.phase = Phase::CatchingUp;
                None
            }
            Heard::Closed => {
                self.phase = Phase::Over;
                None
            }
        }
    }

    fn is_mine(&self, tenant: &TenantId, conversation: &ConversationId) -> bool {
        let whose = &self.whose;
        *tenant == whose.tenant
            && whose.conversation.as_ref().is_none_or(|mine| mine == conversation)
            && is_streamed(conversation)
    }

    fn event(&self, event: &Recorded) -> Bytes {
        let envelope = envelope::of_event(&self.state.node, event);
        format!("id: {}\ndata: {envelope}\n\n", event.position).into()
    }
}

/// The audit log is for administrators, who read it at its own address.
fn is_streamed(conversation: &ConversationId) -> bool {
    conversation.as_str() != AUDIT
}

/// Counts a subscriber as long as it lives.
struct Counted;

impl Counted {
    fn one() -> Self {
        metrics::gauge!("backchannel_serve_subscribers").increment(1.0);
        Self
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        metrics::gauge!("backchannel_serve_subscribers").decrement(1.0);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::parse_position;

    #[test]
    fn only_what_was_given_is_taken() {
        assert_eq!(parse_position("0").ok(), Some(0));
        assert_eq!(parse_position("412").ok(), Some(412));
        for bad in ["-1", "+1", " 1", "1 ", "0x1", "c-1", "99999999999999999999999", "١"] {
            assert!(parse_position(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn positions_survive(position: u64) {
            prop_assert_eq!(parse_position(&position.to_string()).ok(), Some(position));
        }

        #[test]
        fn nothing_panics(text in ".{0,40}") {
            let _ = parse_position(&text);
        }
    }
}
