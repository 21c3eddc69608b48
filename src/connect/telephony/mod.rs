//! Live audio in. Each vendor's wire is a state machine without a socket; one loop drives them all.
//!
//! Bytes and the passing of time go in, [`Output`]s come out. A protocol never awaits, never reads
//! a clock and never touches a call: `socket` does all three, and hands audio to `flow::driver`.

pub mod acs;
pub mod asterisk;
pub mod audiohook;
pub mod audiosocket;
pub mod auth;
pub mod deepgram;
pub mod freeswitch;
mod interleaved;
pub mod jambonz;
mod line;
mod notes;
pub mod pcm;
pub mod siprec;
mod socket;
#[cfg(test)]
mod tests;
mod transport;
pub mod twilio;

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::mpsc;

pub use self::interleaved::Interleaved;
pub use self::line::Line;
pub use self::notes::Notes;
use self::notes::{shortened, texts};
pub use self::socket::{MAX_MESSAGE_BYTES, MediaSockets, routes};
use crate::domain::{ConversationId, Direction, EndReason, TenantId};
use crate::flow::driver::{
    CallError, CallHandle, CallOpening, CallSummary, Calls, Control, LegSpec, News, Reservation,
};

/// One vendor's media wire. All times count from the opening of the connection.
///
/// After each `handle_*` call, drain [`Self::poll_output`] before the next one.
pub trait MediaProtocol: Send {
    /// Where its outputs wait, with the patience that all wires have.
    fn line(&self) -> &Line;
    fn line_mut(&mut self) -> &mut Line;
    fn handle_text(&mut self, now: Duration, text: &str);
    fn handle_binary(&mut self, now: Duration, bytes: Bytes);
    /// The call of [`Output::Start`] is open.
    fn handle_opened(&mut self, _call: &ConversationId) {}
    /// What became of the audio, if the opening asked for news.
    fn handle_news(&mut self, _news: &News) {}
    /// The call of [`Output::Stop`] is over and all its turns are durable.
    fn handle_finished(&mut self, _turns: usize) {}
    /// The other side is gone.
    fn handle_closed(&mut self) {
        self.line_mut().stop(EndReason::Disconnected);
    }
    /// The other side closed the connection in order. On wires that have no message for the end,
    /// this is how a call is hung up.
    fn handle_goodbye(&mut self) {
        self.handle_closed();
    }
    /// The service has to end it: the call isn't taken, a message is too large, or the service stops.
    /// True if the wire has its own words for that and comes to an end by itself soon.
    fn handle_farewell(&mut self, _now: Duration, _rejection: &Rejection) -> bool {
        false
    }
    /// Whose call it is, where the wire's own messages prove that.
    fn tenant(&self) -> Option<TenantId> {
        None
    }
    fn handle_timeout(&mut self, now: Duration) {
        self.line_mut().check_patience(now);
    }
    /// When [`Self::handle_timeout`] wants to be called.
    fn deadline(&self) -> Duration {
        self.line().deadline()
    }
    fn poll_output(&mut self) -> Option<Output> {
        self.line_mut().poll_output()
    }
}

/// What a protocol wants done. `Start` comes at most once, `Audio` only after it, and nothing but
/// `Send` after `Stop` or `Reject`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    Start(Opening),
    Audio {
        leg: usize,
        at_ms: Option<u64>,
        payload: Bytes,
    },
    /// Between `Start` and the end.
    Control(Control),
    Send(String),
    Stop(EndReason),
    Reject(Rejection),
}

/// A call's attributes are stored and shown with it, so there are limits to them.
const ATTRIBUTES_MAX: usize = 32;
const ATTRIBUTE_MAX_CHARS: usize = 256;

/// A [`CallOpening`] without its tenant, which the wire has no say in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    pub external_id: Option<String>,
    pub direction: Direction,
    pub legs: Vec<LegSpec>,
    pub attributes: BTreeMap<String, String>,
    /// The other side wants transcripts back.
    pub wants_news: bool,
}

impl Opening {
    /// Holds what the other side says of a call against the limits.
    ///
    /// # Errors
    /// The first attribute that is too long, by name, or that there are too many.
    pub fn check_attributes(attributes: &BTreeMap<String, String>) -> Result<(), Rejection> {
        let too_long = |text: &str| text.chars().nth(ATTRIBUTE_MAX_CHARS).is_some();
        let refuse = |reason: String| Err(Rejection::new(Rejection::POLICY, reason));
        if attributes.len() > ATTRIBUTES_MAX {
            let found = attributes.len();
            return refuse(format!("{found} attributes came: {ATTRIBUTES_MAX} are the most"));
        }
        for (name, value) in attributes {
            let fault = match (too_long(name), too_long(value)) {
                (true, _) => "name",
                (_, true) => "value",
                _ => continue,
            };
            // A close frame has no room for a long name.
            let shown: String = name.chars().take(32).collect();
            return refuse(format!(
                "the {fault} of attribute `{shown}` is longer than {ATTRIBUTE_MAX_CHARS} characters"
            ));
        }
        Ok(())
    }

    /// Not every wire can refuse what is too long in its headers and ids: here it is cut.
    fn for_tenant(self, tenant: TenantId) -> CallOpening {
        let Self { external_id, direction, legs, mut attributes, wants_news } = self;
        let external_id = external_id.map(|id| shortened(&id));
        attributes.values_mut().for_each(|value| *value = shortened(value));
        CallOpening { tenant, external_id, direction, legs, attributes, wants_news }
    }
}

/// The one clear error that the other side gets: a WebSocket close code and a sentence. `ends` is
/// what the log says of a call that was live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    pub code: u16,
    pub reason: String,
    pub ends: EndReason,
}

impl Rejection {
    /// The service is being stopped.
    pub const GOING_AWAY: u16 = 1001;
    /// The kind of audio or message is not supported.
    pub const WRONG_KIND: u16 = 1003;
    /// What came doesn't parse.
    pub const MALFORMED: u16 = 1007;
    /// Out of order, silent, or otherwise not how it's done.
    pub const POLICY: u16 = 1008;
    pub const TOO_BIG: u16 = 1009;
    pub const INTERNAL: u16 = 1011;
    pub const RESTARTING: u16 = 1012;
    pub const BUSY: u16 = 1013;

    pub fn new(code: u16, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into(), ends: EndReason::ProtocolError }
    }

    pub fn shutting_down() -> Self {
        let ends = EndReason::Shutdown;
        Self { ends, ..Self::new(Self::GOING_AWAY, "the service is shutting down") }
    }
}

/// What is wrong with a JSON message that had to be `expected`, and where. serde's own words may
/// quote the message, and with it a customer's name.
fn fault_of(error: &serde_json::Error, expected: &str) -> String {
    let fault = if error.is_data() { expected } else { "JSON" };
    format!("is not {fault} (line {}, column {})", error.line(), error.column())
}

fn unreadable(error: &serde_json::Error) -> Rejection {
    let fault = fault_of(error, "a message of this protocol");
    Rejection::new(Rejection::MALFORMED, format!("the text message {fault}"))
}

/// Where calls go. `flow::driver::Calls` in the service, a recorder in tests.
#[async_trait]
pub trait CallSink: Send + Sync {
    async fn open(&self, opening: CallOpening) -> Result<Box<dyn LiveCall>, CallError>;
    /// Keeps a place for a call before its connection is taken, where places are counted.
    ///
    /// # Errors
    /// As `open`, when there is none.
    fn reserve(&self, _tenant: &TenantId) -> Result<Reservation, CallError> {
        Ok(Reservation::default())
    }
    /// Opens a call in the place that was kept for it.
    ///
    /// # Errors
    /// As `open`.
    async fn open_in(
        &self,
        _reservation: Reservation,
        opening: CallOpening,
    ) -> Result<Box<dyn LiveCall>, CallError> {
        self.open(opening).await
    }
}

/// One open call. Dropping it ends the call as disconnected.
#[async_trait]
pub trait LiveCall: Send + Sync {
    fn id(&self) -> &ConversationId;
    /// Never waits.
    fn audio(&self, leg: usize, at_ms: Option<u64>, payload: Bytes);
    /// Never waits. False when too much waits already: then the call should end.
    #[must_use]
    fn control(&mut self, control: Control) -> bool;
    /// Once; `None` if the opening didn't ask for news.
    fn take_news(&mut self) -> Option<mpsc::Receiver<News>>;
    /// Resolves when all finals are durable.
    async fn close(self: Box<Self>, reason: EndReason) -> Result<CallSummary, CallError>;
}

#[async_trait]
impl CallSink for Calls {
    async fn open(&self, opening: CallOpening) -> Result<Box<dyn LiveCall>, CallError> {
        Ok(Box::new(Calls::open(self, opening).await?))
    }
    fn reserve(&self, tenant: &TenantId) -> Result<Reservation, CallError> {
        Calls::reserve(self, tenant)
    }
    async fn open_in(
        &self,
        reservation: Reservation,
        opening: CallOpening,
    ) -> Result<Box<dyn LiveCall>, CallError> {
        Ok(Box::new(Calls::open_in(self, reservation, opening).await?))
    }
}

#[async_trait]
impl LiveCall for CallHandle {
    fn id(&self) -> &ConversationId {
        CallHandle::id(self)
    }
    fn audio(&self, leg: usize, at_ms: Option<u64>, payload: Bytes) {
        CallHandle::audio(self, leg, at_ms, payload);
    }
    fn control(&mut self, control: Control) -> bool {
        CallHandle::control(self, control)
    }
    fn take_news(&mut self) -> Option<mpsc::Receiver<News>> {
        CallHandle::take_news(self)
    }
    async fn close(self: Box<Self>, reason: EndReason) -> Result<CallSummary, CallError> {
        CallHandle::close(*self, reason).await
    }
}
