//! The one loop under all media protocols: WebSocket messages in, audio handed to the call.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Extension, State};
use axum::response::Response;
use axum::routing::any;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::Error as WireError;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{CallSink, LiveCall, MediaProtocol, Output, Rejection, acs, audiohook, pcm, twilio};
use crate::domain::{EndReason, TenantId};
use crate::flow::driver::{CallError, News};

/// 64 KiB is 2 s of the widest audio there is; vendors send 20 to 100 ms.
pub const MAX_MESSAGE_BYTES: usize = 64 << 10;

/// Frames up to this are read before they are refused, so that the refusal reaches a sender that
/// is still busy sending.
const MAX_FRAME_BYTES: usize = 2 << 20;

/// How long a peer that doesn't read may hold up a message to it, and the close handshake.
const SEND_PATIENCE: Duration = Duration::from_secs(5);
const LINGER: Duration = Duration::from_secs(2);

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
    let held = sockets.connections.token();
    upgrade.max_message_size(MAX_MESSAGE_BYTES).max_frame_size(MAX_FRAME_BYTES).on_upgrade(
        move |socket| async move {
            let live = metrics::gauge!("backchannel_media_connections", "protocol" => name);
            live.increment(1);
            Connection { socket, protocol, tenant, sockets, name, call: None, news: None }
                .run()
                .await;
            live.decrement(1);
            drop(held);
        },
    )
}

struct Connection {
    socket: WebSocket,
    protocol: Box<dyn MediaProtocol>,
    tenant: TenantId,
    sockets: MediaSockets,
    name: &'static str,
    call: Option<Box<dyn LiveCall>>,
    news: Option<mpsc::Receiver<News>>,
}

enum Ending {
    Stopped(EndReason),
    Rejected(Rejection),
    /// The call isn't taken; the wire may have its own way to say so.
    Refused(Rejection),
}

impl Connection {
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
                message = self.socket.recv() => match message {
                    Some(Ok(Message::Text(text))) => {
                        self.protocol.handle_text(opened.elapsed(), text.as_str());
                    }
                    Some(Ok(Message::Binary(bytes))) => {
                        self.protocol.handle_binary(opened.elapsed(), bytes);
                    }
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    Some(Err(error)) => match refusal(error) {
                        Some(rejection) => {
                            self.protocol.handle_farewell(opened.elapsed(), &rejection);
                            self.pass_on().await;
                            return Ending::Rejected(rejection);
                        }
                        None => self.protocol.handle_closed(),
                    },
                    Some(Ok(Message::Close(_))) => self.protocol.handle_goodbye(),
                    None => self.protocol.handle_closed(),
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
                if let Some(call) = &mut self.call {
                    call.control(control);
                }
            }
            Output::Start(opening) => {
                let opening = opening.for_tenant(self.tenant.clone());
                let mut call = self.sockets.calls.open(opening).await.map_err(|error| {
                    tracing::warn!(media.protocol = self.name, %error, "a call was not taken");
                    Ending::Refused(Rejection::from(&error))
                })?;
                tracing::info!(media.protocol = self.name, call.id = %call.id(), "call opened");
                self.protocol.handle_opened(call.id());
                self.news = call.take_news();
                self.call = Some(call);
            }
            Output::Send(text) => {
                if !self.send(Message::Text(text.into())).await {
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
            match call.close(reason).await {
                Ok(summary) => {
                    tracing::info!(call.id = %id, turns = summary.turns, "call finished");
                    while let Some(Ok(news)) = self.news.as_mut().map(mpsc::Receiver::try_recv) {
                        self.protocol.handle_news(&news);
                    }
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
            self.say_goodbye(closing.0, &closing.1).await;
            self.linger().await;
        }
    }

    /// Sends what the protocol still has to say. Answers whether the other side is there.
    async fn pass_on(&mut self) -> bool {
        while let Some(output) = self.protocol.poll_output() {
            if let Output::Send(text) = output
                && !self.send(Message::Text(text.into())).await
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
        self.say_goodbye(rejection.code, &rejection.reason).await;
        let call = self.call.take();
        tokio::join!(end(call, rejection.ends), self.linger());
    }

    async fn end_call(&mut self, reason: EndReason) {
        end(self.call.take(), reason).await;
    }

    /// Answers whether the other side is still there.
    async fn send(&mut self, message: Message) -> bool {
        matches!(timeout(SEND_PATIENCE, self.socket.send(message)).await, Ok(Ok(())))
    }

    async fn say_goodbye(&mut self, code: u16, reason: &str) {
        // A close frame holds 125 bytes, two of them for the code.
        let end = reason.floor_char_boundary(123);
        let reason = reason[..end].to_owned().into();
        self.send(Message::Close(Some(CloseFrame { code, reason }))).await;
    }

    /// Reads on until the other side has closed, too: closing a socket with unread bytes in it
    /// would reset the connection, and the reason would be lost on the way.
    async fn linger(&mut self) {
        let drain = async { while let Some(Ok(_)) = self.socket.recv().await {} };
        let _ = timeout(LINGER, drain).await;
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

/// What to tell the other side about an error of the WebSocket layer, if it can still be told.
fn refusal(error: axum::Error) -> Option<Rejection> {
    match error.into_inner().downcast_ref::<WireError>()? {
        WireError::Capacity(_) => {
            let reason = format!("message is larger than {} KiB", MAX_MESSAGE_BYTES >> 10);
            Some(Rejection::new(Rejection::TOO_BIG, reason))
        }
        WireError::Utf8(_) => {
            Some(Rejection::new(Rejection::MALFORMED, "text message is not UTF-8"))
        }
        _ => None,
    }
}
