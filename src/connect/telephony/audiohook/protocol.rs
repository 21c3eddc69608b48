use std::time::Duration;

use bytes::{Bytes, BytesMut};
use serde_json::{Value, json};

use super::entities::{self, Feedback, Place};
use super::opening;
use super::wire::{self, Close, Discarded, Message, NULL_UUID, Open, parse_duration};
use crate::connect::telephony::{Line, MediaProtocol, Opening, Rejection, fault_of};
use crate::domain::{ConversationId, EndReason, Party, Role};
use crate::flow::driver::{Control, News};

/// After `disconnect` the client gets so long to close.
const LEAVE_PATIENCE: Duration = Duration::from_secs(5);

/// What finals can be made of at the moment.
const LANGUAGES: [&str; 6] = ["en-AU", "en-CA", "en-GB", "en-IN", "en-NZ", "en-US"];

/// What the upgrade's headers say; the messages have to say the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Upgrade {
    pub organization_id: Option<String>,
    pub session_id: Option<String>,
    pub correlation_id: Option<String>,
}

/// One AudioHook session.
///
/// A fault is told with `disconnect`; then the client closes and still gets its `closed`.
pub struct Protocol {
    line: Line,
    upgrade: Upgrade,
    feedback: Feedback,
    state: State,
    session: Option<String>,
    /// The last `seq` of either side.
    client_seq: u64,
    server_seq: u64,
    /// The roles by channel.
    channels: Vec<Role>,
    bytes_per_sample: usize,
    /// The stream's position when it was opened: a session that continues another doesn't begin at 0.
    base_ms: u64,
    language: Option<String>,
    /// What to answer `open` with, once the call is open.
    opened: Option<Value>,
    /// There is a call whose end is told by [`MediaProtocol::handle_finished`].
    has_call: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// `open` hasn't come.
    Preparing,
    /// The call is being opened.
    Opening,
    Active,
    Paused,
    /// We asked the client to close; patience ends then.
    Leaving {
        until: Duration,
        ends: EndReason,
    },
    /// The client closed; results may still go out.
    Closing,
    Closed,
}

/// Why we ask the client to close.
struct Fault {
    reason: &'static str,
    info: Option<String>,
}

impl Fault {
    fn error(info: impl Into<String>) -> Self {
        Self { reason: "error", info: Some(info.into()) }
    }
}

impl Protocol {
    pub fn new(patience: Duration, upgrade: Upgrade, feedback: Feedback) -> Self {
        Self {
            line: Line::new(patience),
            session: upgrade.session_id.clone(),
            upgrade,
            feedback,
            state: State::Preparing,
            client_seq: 0,
            server_seq: 0,
            channels: Vec::new(),
            bytes_per_sample: 1,
            base_ms: 0,
            language: None,
            opened: None,
            has_call: false,
        }
    }

    fn say(&mut self, kind: &str, parameters: &Value) {
        self.server_seq += 1;
        let id = self.session.as_deref().unwrap_or(NULL_UUID);
        let message = json!({"version": "2", "id": id, "type": kind, "seq": self.server_seq,
            "clientseq": self.client_seq, "parameters": parameters});
        self.line.send(message.to_string());
    }

    fn leave(&mut self, now: Duration, fault: Fault, ends: EndReason) {
        let mut parameters = json!({"reason": fault.reason});
        if let Some(info) = fault.info {
            parameters["info"] = info.into();
        }
        self.say("disconnect", &parameters);
        self.state = State::Leaving { until: now + LEAVE_PATIENCE, ends };
    }

    fn read(&mut self, now: Duration, text: &str) -> Result<(), Fault> {
        let mut message: Message = serde_json::from_str(text).map_err(|error| {
            Fault::error(format!("the message {}", fault_of(&error, "a client message")))
        })?;
        if matches!(self.state, State::Leaving { .. }) {
            // All that counts now is that it closes, whatever went wrong before.
            self.client_seq = message.seq;
            if message.kind == "close" {
                self.close("disconnect");
            }
            return Ok(());
        }
        if message.version != "2" {
            return Err(Fault::error("version must be 2"));
        }
        let expected = self.client_seq.saturating_add(1);
        self.client_seq = message.seq;
        if message.seq != expected {
            return Err(Fault::error(format!("seq must be {expected}")));
        }
        if message.serverseq > self.server_seq {
            return Err(Fault::error(format!("serverseq must not be above {}", self.server_seq)));
        }
        let session = self.session.get_or_insert_with(|| message.id.clone());
        if !session.eq_ignore_ascii_case(&message.id) {
            return Err(Fault::error("id must be the session's"));
        }
        let parameters = |kind: &str| Fault::error(format!("{kind} has wrong parameters"));
        match message.kind.as_str() {
            "open" => {
                let position = message.position.as_deref().and_then(parse_duration);
                let open = message.parameters().ok_or_else(|| parameters("open"))?;
                self.open(now, open, position.unwrap_or(0))?;
            }
            "ping" => self.say("pong", &json!({})),
            "update" if self.is_open() => {
                let update: Value = message.parameters().unwrap_or_default();
                // An update of something else leaves the language as it is.
                if let Some(language) = update["language"].as_str() {
                    self.language = Some(language.to_owned());
                }
                self.say("updated", &json!({}));
            }
            "paused" if self.state == State::Active => {
                self.state = State::Paused;
                self.line.control(Control::Pause);
            }
            "resumed" if self.state == State::Paused => {
                let resumed: Discarded =
                    message.parameters().ok_or_else(|| parameters("resumed"))?;
                let paused_ms = parse_duration(&resumed.discarded);
                self.state = State::Active;
                self.line.control(Control::Resume { paused_ms });
            }
            "discarded" if self.is_open() => {
                let lost: Option<Discarded> = message.parameters();
                let lost_ms = lost.and_then(|lost| parse_duration(&lost.discarded));
                let lost_ms = lost_ms.ok_or_else(|| parameters("discarded"))?;
                self.line.control(Control::Lost { lost_ms });
            }
            "error" => {
                let code = message.parameters().map_or(0, |error: wire::Error| error.code);
                tracing::warn!(code, "the AudioHook client reports an error");
            }
            "close" => {
                let close: Option<Close> = message.parameters();
                self.close(close.map_or_else(String::new, |close| close.reason).as_str());
            }
            // In another state, or of a kind that the vendor thought of later.
            _ => {}
        }
        Ok(())
    }

    fn is_open(&self) -> bool {
        matches!(self.state, State::Active | State::Paused)
    }

    fn open(&mut self, now: Duration, open: Open, position_ms: u64) -> Result<(), Fault> {
        if self.state != State::Preparing {
            return Err(Fault::error("a second open came"));
        }
        let expected = self.upgrade.organization_id.as_ref();
        if expected.is_some_and(|expected| !expected.eq_ignore_ascii_case(&open.organization_id)) {
            return Err(Fault { reason: "unauthorized", info: None });
        }
        self.base_ms = position_ms;
        self.language.clone_from(&open.language);
        let chosen = opening::choose(&open.media);
        let media: Vec<&Value> = chosen.iter().map(|(media, _)| *media).collect();
        let mut opened = json!({"media": media});
        if open.supported_languages == Some(true) {
            opened["supportedLanguages"] = json!(LANGUAGES);
        }
        if opening::is_probe(&open) {
            // Somebody wants to know whether we are there. That is no call.
            self.say("opened", &opened);
            self.state = State::Active;
            return Ok(());
        }
        let Some((_, format)) = chosen else {
            let known = "PCMU or L16 at 8000 Hz, external and internal channels";
            return Err(Fault::error(format!("no offered media is supported: offer {known}")));
        };
        let session = self.session.as_deref().unwrap_or_default();
        let opening = Opening {
            legs: format.legs(),
            direction: opening::direction(&open),
            attributes: opening::attributes(&open, session, self.upgrade.correlation_id.as_deref()),
            external_id: Some(open.conversation_id.clone()),
            wants_news: self.feedback.wanted(),
        };
        self.opened = Some(opened);
        self.bytes_per_sample = format.codec.bytes_per_sample();
        self.channels = format.roles;
        self.state = State::Opening;
        self.line.start(now, opening);
        Ok(())
    }

    /// Results come before `closed`, so a call is ended first.
    fn close(&mut self, reason: &str) {
        let ends = match (self.state, reason) {
            (State::Closing | State::Closed, _) => return,
            (State::Leaving { ends, .. }, _) => ends,
            (_, "error") => EndReason::ProtocolError,
            _ => EndReason::Hangup,
        };
        self.state = State::Closing;
        if !self.has_call {
            self.say_closed();
        }
        self.line.stop(ends);
    }

    fn say_closed(&mut self) {
        self.say("closed", &json!({}));
        self.state = State::Closed;
    }

    fn split(&mut self, now: Duration, bytes: &Bytes) -> Result<(), Fault> {
        if self.state != State::Active {
            let state = match self.state {
                State::Paused => "while it is paused",
                _ => "before opened",
            };
            return Err(Fault::error(format!("audio came {state}")));
        }
        if self.channels.is_empty() {
            return Err(Fault::error("audio came in a connection probe"));
        }
        let frame_bytes = self.channels.len() * self.bytes_per_sample;
        if !bytes.len().is_multiple_of(frame_bytes) {
            let fault = format!("a binary message must have a multiple of {frame_bytes} bytes");
            return Err(Fault::error(fault));
        }
        self.line.heard(now);
        if self.channels.len() == 1 {
            self.line.audio(0, None, bytes.clone());
            return Ok(());
        }
        for leg in 0..self.channels.len() {
            let mut payload = BytesMut::with_capacity(bytes.len() / self.channels.len());
            let samples = bytes.chunks_exact(self.bytes_per_sample).skip(leg);
            for sample in samples.step_by(self.channels.len()) {
                payload.extend_from_slice(sample);
            }
            self.line.audio(leg, None, payload.freeze());
        }
        Ok(())
    }

    fn place(&self, party: &Party) -> Place<'_> {
        Place {
            session: self.session.as_deref().unwrap_or(NULL_UUID),
            language: self.language.as_deref(),
            channel: self.channels.iter().position(|role| *role == party.role).unwrap_or(0),
            base_ms: self.base_ms,
        }
    }
}

impl MediaProtocol for Protocol {
    fn line(&self) -> &Line {
        &self.line
    }

    fn line_mut(&mut self) -> &mut Line {
        &mut self.line
    }

    fn handle_text(&mut self, now: Duration, text: &str) {
        if self.line.is_over() {
            return;
        }
        // A paused call has no audio, but pings.
        self.line.heard(now);
        let leaving = matches!(self.state, State::Leaving { .. });
        if let Err(fault) = self.read(now, text)
            && !leaving
        {
            self.leave(now, fault, EndReason::ProtocolError);
        }
    }

    fn handle_binary(&mut self, now: Duration, bytes: Bytes) {
        if self.line.is_over() || matches!(self.state, State::Leaving { .. }) {
            // What was on its way when we asked to close.
            return;
        }
        if let Err(fault) = self.split(now, &bytes) {
            self.leave(now, fault, EndReason::ProtocolError);
        }
    }

    fn handle_opened(&mut self, _call: &ConversationId) {
        self.has_call = true;
        if self.state == State::Opening {
            let opened = self.opened.take().unwrap_or_else(|| json!({"media": []}));
            self.say("opened", &opened);
            self.state = State::Active;
        }
    }

    fn handle_news(&mut self, news: &News) {
        let goes_on = self.is_open() && !self.line.is_over();
        if !goes_on && self.state != State::Closing {
            return;
        }
        let Feedback { transcripts, cards, articles_url } = &self.feedback;
        let entity = match news {
            News::Turn(turn) if *transcripts => {
                Some(entities::turn(&self.place(&turn.party), turn))
            }
            News::Partial(partial) if *transcripts => {
                Some(entities::partial(&self.place(&partial.party), partial))
            }
            News::Card(card) if *cards => {
                let session = self.session.as_deref().unwrap_or(NULL_UUID);
                entities::card(session, articles_url, card)
            }
            _ => None,
        };
        if let Some(entity) = entity {
            self.say("event", &json!({"entities": [entity]}));
        }
    }

    fn handle_finished(&mut self, _turns: usize) {
        self.say_closed();
    }

    fn handle_closed(&mut self) {
        self.line.stop(match self.state {
            State::Leaving { ends, .. } => ends,
            _ => EndReason::Disconnected,
        });
    }

    fn handle_farewell(&mut self, now: Duration, rejection: &Rejection) -> bool {
        match self.state {
            State::Leaving { .. } | State::Closing => return true,
            State::Closed => return false,
            _ => {}
        }
        let shutdown = rejection.ends == EndReason::Shutdown;
        let reason = if shutdown { "completed" } else { "error" };
        let fault = Fault { reason, info: Some(rejection.reason.clone()) };
        self.leave(now, fault, rejection.ends);
        true
    }

    fn handle_timeout(&mut self, now: Duration) {
        if self.line.is_over() {
            return;
        }
        match self.state {
            State::Leaving { until, ends } if now >= until => {
                let reason = "the client did not close after disconnect";
                let rejection = Rejection::new(Rejection::POLICY, reason);
                self.line.reject(Rejection { ends, ..rejection });
            }
            State::Leaving { .. } => {}
            _ if now >= self.line.deadline() => {
                self.say("disconnect", &json!({"reason": "error", "info": "no media came"}));
                self.line.check_patience(now);
            }
            _ => {}
        }
    }

    fn deadline(&self) -> Duration {
        match self.state {
            State::Leaving { until, .. } => until,
            _ => self.line.deadline(),
        }
    }
}
