//! The one loop under all media protocols: WebSocket messages in, audio handed to the call.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Extension, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::transport::{Received, Transport};
use super::{
    CallSink, LiveCall, MediaProtocol, Output, Rejection, acs, asterisk, audiohook, deepgram,
    freeswitch, jambonz, pcm, twilio,
};
use crate::domain::{EndReason, TenantId};
use crate::flow::driver::{CallError, CallSummary, News, Reservation};

/// 64 KiB is 2 s of the widest audio there is; vendors send 20 to 100 ms.
pub const MAX_MESSAGE_BYTES: usize = 64 << 10;

/// Frames up to this are read before they are refused, so that the refusal reaches a sender that
/// is still busy sending.
const MAX_FRAME_BYTES: usize = 2 << 20;

/// A service that is stopping is usually back by then.
const RESTART_SECONDS: u64 = 10;

/// What media connections need. Cheap to clone.
#[derive(Clone)]
pub struct MediaSockets {
    pub calls: Arc<dyn CallSink>,
    /// A connection that brings no media for this long is closed.
    pub patience: Duration,
    /// Closes all connections and ends their calls as shut down.
    pub shutdown: CancellationToken,
    /// Holds every connection until its call is durable; wait for it after `shutdown`.
    pub connections: TaskTracker,
    /// Who is calling, where the vendor has told before the audio comes.
    pub incoming: acs::IncomingCalls,
    pub audiohook: audiohook::Settings,
}

impl MediaSockets {
    pub const PATIENCE: Duration = Duration::from_secs(30);

    pub fn new(calls: Arc<dyn CallSink>, shutdown: CancellationToken) -> Self {
        Self {
            calls,
            patience: Self::PATIENCE,
            shutdown,
            connections: TaskTracker::new(),
            incoming: acs::IncomingCalls::default(),
            audiohook: audiohook::Settings::default(),
        }
    }
}

/// The media routes, to be mounted behind authentication that leaves the caller's [`TenantId`] in
/// the request's extensions. Without one, calls belong to the tenant `default`.
pub fn routes(sockets: MediaSockets) -> Router {
    Router::new()
        .route("/v1/media/twilio", any(twilio_socket))
        .route("/v1/media/pcm", any(pcm_socket))
        .merge(acs::routes())
        .merge(audiohook::routes())
        .merge(deepgram::routes())
        .merge(asterisk::routes())
        .merge(freeswitch::routes())
        .merge(jambonz::routes())
        .with_state(sockets)
}

/// Whose calls a connection brings, as the authentication in front has found out.
pub(super) type Tenant = Option<Extension<TenantId>>;

async fn twilio_socket(
    State(sockets): State<MediaSockets>,
    tenant: Tenant,
    upgrade: WebSocketUpgrade,
) -> Response {
    let protocol = twilio::Protocol::new(sockets.patience);
    serve(sockets, tenant, upgrade, "twilio", Box::new(protocol))
}

async fn pcm_socket(
    State(sockets): State<MediaSockets>,
    tenant: Tenant,
    upgrade: WebSocketUpgrade,
) -> Response {
    let protocol = pcm::Protocol::new(sockets.patience);
    serve(sockets, tenant, upgrade, "pcm", Box::new(protocol))
}

pub(super) fn serve(
    sockets: MediaSockets,
    tenant: Tenant,
    upgrade: WebSocketUpgrade,
    name: &'static str,
    protocol: Box<dyn MediaProtocol>,
) -> Response {
    let tenant = tenant.map_or_else(|| TenantId::from("default"), |Extension(tenant)| tenant);
    // A full house says so before there is a connection, so that the other side can go elsewhere.
    let place = match sockets.calls.reserve(&tenant) {
        Ok(place) => place,
        Err(error) => return refuse(name, &error),
    };
    let held = sockets.connections.token();
    upgrade.max_message_size(MAX_MESSAGE_BYTES).max_frame_size(MAX_FRAME_BYTES).on_upgrade(
        move |socket| async move {
            converse(sockets, tenant, socket, name, protocol, place).await;
            drop(held);
        },
    )
}

/// The answer to a connection that isn't taken, as a problem document (RFC 9457).
fn refuse(name: &'static str, error: &CallError) -> Response {
    let (status, retry_after_seconds) = match error {
        CallError::Busy(full) => (StatusCode::TOO_MANY_REQUESTS, full.retry_after_seconds()),
        _ => (StatusCode::SERVICE_UNAVAILABLE, RESTART_SECONDS),
    };
    tracing::warn!(media.protocol = name, %error, "a media connection was not taken");
    metrics::counter!("backchannel_media_rejected_total", "code" => status.as_str().to_owned())
        .increment(1);
    let problem = serde_json::json!({
        "type": "about:blank",
        "title": status.canonical_reason(),
        "status": status.as_u16(),
        "detail": error.to_string(),
    });
    let headers = [
        (header::CONTENT_TYPE, "application/problem+json".to_owned()),
        (header::RETRY_AFTER, retry_after_seconds.to_string()),
    ];
    (status, headers, problem.to_string()).into_response()
}

/// Runs one connection to its end.
pub(super) async fn converse<T: Transport>(
    sockets: MediaSockets,
    tenant: TenantId,
    socket: T,
    name: &'static str,
    protocol: Box<dyn MediaProtocol>,
    place: Reservation,
) {
    let live = metrics::gauge!("backchannel_media_connections", "protocol" => name);
    live.increment(1);
    Connection { socket, protocol, tenant, sockets, name, place, call: None, news: None }
        .run()
        .await;
    live.decrement(1);
}

struct Connection<T> {
    socket: T,
    protocol: Box<dyn MediaProtocol>,
    tenant: TenantId,
    sockets: MediaSockets,
    name: &'static str,
    place: Reservation,
    call: Option<Box<dyn LiveCall>>,
    news: Option<mpsc::Receiver<News>>,
}

enum Ending {
    Stopped(EndReason),
    Rejected(Rejection),
    /// The call isn't taken; the wire may have its own way to say so.
    Refused(Rejection),
}

impl<T: Transport> Connection<T> {
    async fn run(mut self) {
        match self.converse().await {
            Ending::Stopped(EndReason::Disconnected) => {
                self.end_call(EndReason::Disconnected).await
            }
            Ending::Stopped(reason) => self.finish(reason).await,
            Ending::Rejected(rejection) | Ending::Refused(rejection) => {
                self.reject(rejection).await
            }
        }
    }

    async fn converse(&mut self) -> Ending {
        let opened = Instant::now();
        let shutdown = self.sockets.shutdown.clone();
        let mut leaving = false;
        loop {
            while let Some(output) = self.protocol.poll_output() {
                match self.carry_out(output).await {
                    Ok(()) => {}
                    Err(Ending::Refused(rejection)) => {
                        if !self.protocol.handle_farewell(opened.elapsed(), &rejection) {
                            return Ending::Rejected(rejection);
                        }
                    }
                    Err(ending) => return ending,
                }
            }
            // A deadline that passed while messages kept coming is seen here, too.
            if opened.elapsed() >= self.protocol.deadline() {
                self.protocol.handle_timeout(opened.elapsed());
                continue;
            }
            tokio::select! {
                () = shutdown.cancelled(), if !leaving => {
                    leaving = true;
                    let rejection = Rejection::shutting_down();
                    if !self.protocol.handle_farewell(opened.elapsed(), &rejection) {
                        return Ending::Rejected(rejection);
                    }
                }
                received = self.socket.receive() => match received {
                    Received::Text(text) => {
                        self.protocol.handle_text(opened.elapsed(), text.as_str());
                    }
                    Received::Binary(bytes) => {
                        self.protocol.handle_binary(opened.elapsed(), bytes);
                    }
                    Received::Nothing => {}
                    Received::Goodbye => self.protocol.handle_goodbye(),
                    Received::Lost => self.protocol.handle_closed(),
                    Received::Refused(rejection) => {
                        self.protocol.handle_farewell(opened.elapsed(), &rejection);
                        self.pass_on().await;
                        return Ending::Rejected(rejection);
                    }
                },
                Some(news) = heard(&mut self.news) => self.protocol.handle_news(&news),
                () = sleep_until(opened + self.protocol.deadline()) => {
                    self.protocol.handle_timeout(opened.elapsed());
                }
            }
        }
    }

    async fn carry_out(&mut self, output: Output) -> Result<(), Ending> {
        match output {
            Output::Audio { leg, at_ms, payload } => {
                if let Some(call) = &self.call {
                    call.audio(leg, at_ms, payload);
                }
            }
            Output::Control(control) => {
                if self.call.as_mut().is_some_and(|call| !call.control(control)) {
                    let reason = "more messages came than can be taken";
                    return Err(Ending::Rejected(Rejection::new(Rejection::POLICY, reason)));
                }
            }
            Output::Start(opening) => {
                let tenant = self.protocol.tenant().unwrap_or_else(|| self.tenant.clone());
                let opening = opening.for_tenant(tenant);
                let place = std::mem::take(&mut self.place);
                let opened = self.sockets.calls.open_in(place, opening).await;
                let mut call = opened.map_err(|error| {
                    tracing::warn!(media.protocol = self.name, %error, "a call was not taken");
                    Ending::Refused(Rejection::from(&error))
                })?;
                tracing::info!(media.protocol = self.name, call.id = %call.id(), "call opened");
                self.protocol.handle_opened(call.id());
                self.news = call.take_news();
                self.call = Some(call);
            }
            Output::Send(text) => {
                if !self.socket.send(text).await {
                    return Err(Ending::Stopped(EndReason::Disconnected));
                }
            }
            Output::Stop(reason) => return Err(Ending::Stopped(reason)),
            Output::Reject(rejection) => return Err(Ending::Rejected(rejection)),
        }
        Ok(())
    }

    /// The other side said stop: it hears of the end when everything is durable.
    async fn finish(mut self, reason: EndReason) {
        let mut closing = (1000, String::new());
        if let Some(call) = self.call.take() {
            let id = call.id().clone();
            match self.close(call, reason).await {
                Ok(summary) => {
                    tracing::info!(call.id = %id, turns = summary.turns, "call finished");
                    self.protocol.handle_finished(summary.turns);
                }
                Err(error) => {
                    tracing::error!(call.id = %id, %error, "the call's end is not durable");
                    let rejection = Rejection::from(&error);
                    closing = (rejection.code, rejection.reason);
                }
            }
        }
        if self.pass_on().await {
            self.socket.say_goodbye(closing.0, &closing.1).await;
            self.socket.linger().await;
        }
    }

    /// Closes the call, and passes on what becomes of its last audio meanwhile.
    async fn close(
        &mut self,
        call: Box<dyn LiveCall>,
        reason: EndReason,
    ) -> Result<CallSummary, CallError> {
        let mut closing = call.close(reason);
        let mut there = true;
        loop {
            tokio::select! {
                biased;
                Some(news) = heard(&mut self.news) => {
                    self.protocol.handle_news(&news);
                    if !self.pass_on().await {
                        self.news = None;
                    }
                }
                // Somebody who waits long for the last words asks whether we live.
                received = self.socket.receive(), if there => {
                    there = matches!(received, Received::Text(_) | Received::Binary(_) | Received::Nothing);
                }
                closed = &mut closing => {
                    while let Some(Ok(news)) = self.news.as_mut().map(mpsc::Receiver::try_recv) {
                        self.protocol.handle_news(&news);
                    }
                    return closed;
                }
            }
        }
    }

    /// Sends what the protocol still has to say. Answers whether the other side is there.
    async fn pass_on(&mut self) -> bool {
        while let Some(output) = self.protocol.poll_output() {
            if let Output::Send(text) = output
                && !self.socket.send(text).await
            {
                return false;
            }
        }
        true
    }

    /// The refusal goes out first, so that it is prompt; what was said until then is kept.
    async fn reject(mut self, rejection: Rejection) {
        tracing::warn!(
            media.protocol = self.name,
            call.id = self.call.as_ref().map(|call| call.id().as_str().to_owned()),
            code = rejection.code,
            reason = %rejection.reason,
            "media connection closed"
        );
        metrics::counter!("backchannel_media_rejected_total", "code" => rejection.code.to_string())
            .increment(1);
        self.socket.say_goodbye(rejection.code, &rejection.reason).await;
        let call = self.call.take();
        tokio::join!(end(call, rejection.ends), self.socket.linger());
    }

    async fn end_call(&mut self, reason: EndReason) {
        end(self.call.take(), reason).await;
    }
}

/// The next of the news; never comes when there is nobody to tell any.
async fn heard(news: &mut Option<mpsc::Receiver<News>>) -> Option<News> {
    match news {
        Some(receiver) => receiver.recv().await,
        None => std::future::pending().await,
    }
}

async fn end(call: Option<Box<dyn LiveCall>>, reason: EndReason) {
    let Some(call) = call else { return };
    let id = call.id().clone();
    match call.close(reason).await {
        Ok(summary) => {
            let reason = reason.as_str();
            tracing::info!(call.id = %id, turns = summary.turns, reason, "call ended");
        }
        Err(error) => tracing::error!(call.id = %id, %error, "the call's end is not durable"),
    }
}

impl From<&CallError> for Rejection {
    fn from(error: &CallError) -> Self {
        match error {
            CallError::Busy(_) => Self::new(Self::BUSY, error.to_string()),
            CallError::ShuttingDown => Self::new(Self::RESTARTING, error.to_string()),
            // What the store says is for the log.
            _ => Self::new(Self::INTERNAL, "the call's events can't be stored at the moment"),
        }
    }
}
