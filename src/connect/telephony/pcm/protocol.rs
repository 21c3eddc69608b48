use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use crate::connect::telephony::{Interleaved, Line, MediaProtocol, Opening, Rejection, unreadable};
use crate::domain::{ConversationId, Direction, EndReason, Role};
use crate::flow::audio::Codec;
use crate::flow::driver::{Control, LegSpec};

const ROLES: &str = "customer, agent, supervisor, bot, expert or mixed";
const NAME_MAX_CHARS: usize = 256;

#[derive(Deserialize)]
struct Message {
    r#type: String,
    encoding: Option<String>,
    sample_rate_hz: Option<u32>,
    channels: Option<usize>,
    parties: Option<Vec<String>>,
    external_id: Option<String>,
    direction: Option<String>,
    #[serde(default)]
    attributes: BTreeMap<String, serde_json::Value>,
    paused_ms: Option<u64>,
    channel: Option<usize>,
    role: Option<String>,
    name: Option<String>,
}

pub struct Protocol {
    line: Line,
    channels: Interleaved,
    call: Option<ConversationId>,
}

impl Protocol {
    pub fn new(patience: Duration) -> Self {
        Self { line: Line::new(patience), channels: Interleaved::new(1, 1), call: None }
    }

    fn read(&mut self, now: Duration, text: &str) -> Result<(), Rejection> {
        let message: Message = serde_json::from_str(text).map_err(|error| unreadable(&error))?;
        match message.r#type.as_str() {
            "start" if self.line.is_waiting() => {
                let (opening, bytes_per_sample) = opening(message)?;
                self.channels = Interleaved::new(opening.legs.len(), bytes_per_sample);
                self.line.start(now, opening);
                Ok(())
            }
            "start" => Err(Rejection::new(Rejection::POLICY, "a second start came")),
            "stop" => {
                self.line.stop(EndReason::Hangup);
                Ok(())
            }
            _ if self.line.is_waiting() => {
                Err(Rejection::new(Rejection::POLICY, "the first message must be start"))
            }
            // Whoever pauses may send no audio meanwhile; repeating the message shows that it lives.
            "pause" => {
                self.line.heard(now);
                self.line.control(Control::Pause);
                Ok(())
            }
            "resume" => {
                self.line.heard(now);
                self.line.control(Control::Resume { paused_ms: message.paused_ms });
                Ok(())
            }
            "transfer" => {
                let transfer = transfer(message, self.channels.count())?;
                self.line.heard(now);
                self.line.control(transfer);
                Ok(())
            }
            _ => Ok(()),
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
        if let Err(rejection) = self.read(now, text) {
            self.line.reject(rejection);
        }
    }

    fn handle_binary(&mut self, now: Duration, bytes: Bytes) {
        if self.line.is_waiting() {
            let reason = "audio came before the start message";
            self.line.reject(Rejection::new(Rejection::POLICY, reason));
        }
        self.line.interleaved(now, &mut self.channels, bytes);
    }

    fn handle_opened(&mut self, call: &ConversationId) {
        self.line.send(json!({"type": "started", "conversation_id": call.as_str()}).to_string());
        self.call = Some(call.clone());
    }

    fn handle_finished(&mut self, turns: usize) {
        let call = self.call.as_ref().map(ConversationId::as_str);
        let message = json!({"type": "stopped", "conversation_id": call, "turns": turns});
        self.line.send(message.to_string());
    }
}

/// Somebody else is on a channel from now on; the agent's unless told.
fn transfer(message: Message, channels: usize) -> Result<Control, Rejection> {
    let refuse = |reason: String| Rejection::new(Rejection::POLICY, reason);
    let leg = message.channel.unwrap_or(channels - 1);
    if leg >= channels {
        return Err(refuse(format!("channel of a transfer must be below {channels}")));
    }
    let role = Role::parse(message.role.as_deref().unwrap_or(Role::Agent.as_str()));
    let role = role.ok_or_else(|| refuse(format!("role of a transfer must be {ROLES}")))?;
    let name = message.name.filter(|name| !name.trim().is_empty());
    if name.as_ref().is_some_and(|name| name.chars().count() > NAME_MAX_CHARS) {
        return Err(refuse(format!("name of a transfer has {NAME_MAX_CHARS} characters at most")));
    }
    Ok(Control::Transfer { leg, role, name })
}

fn opening(message: Message) -> Result<(Opening, usize), Rejection> {
    let unsupported = |reason: &str| Rejection::new(Rejection::WRONG_KIND, reason);
    let codec = match message.encoding.as_deref() {
        Some("pcm_s16le") => Codec::PcmS16Le,
        Some("mulaw") => Codec::Mulaw,
        _ => return Err(unsupported("encoding must be pcm_s16le or mulaw")),
    };
    let sample_rate_hz = match message.sample_rate_hz {
        Some(rate @ (8_000 | 16_000)) => rate,
        _ => return Err(unsupported("sample_rate_hz must be 8000 or 16000")),
    };
    let channels = match message.channels.unwrap_or(1) {
        channels @ (1 | 2) => channels,
        _ => return Err(unsupported("channels must be 1 or 2")),
    };
    let roles = match message.parties {
        None => vec![Role::Customer, Role::Agent][..channels].to_vec(),
        Some(parties) => {
            parties.iter().map(|party| Role::parse(party)).collect::<Option<Vec<_>>>().ok_or_else(
                || Rejection::new(Rejection::POLICY, format!("each of parties must be {ROLES}")),
            )?
        }
    };
    if roles.len() != channels {
        let reason = format!("{channels} channels need as many parties, not {}", roles.len());
        return Err(Rejection::new(Rejection::POLICY, reason));
    }
    // Two channels of one party could not be told apart in the transcript.
    if roles.iter().enumerate().any(|(index, role)| roles[..index].contains(role)) {
        let reason = "each of parties must be another one";
        return Err(Rejection::new(Rejection::POLICY, reason));
    }
    let text = |value| match value {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    };
    let attributes = message.attributes.into_iter().map(|(key, v)| (key, text(v))).collect();
    Opening::check_attributes(&attributes)?;
    let opening = Opening {
        external_id: message.external_id,
        direction: match message.direction.as_deref() {
            Some("outbound") => Direction::Outbound,
            _ => Direction::Inbound,
        },
        legs: roles
            .into_iter()
            .map(|role| LegSpec { role, name: None, codec, sample_rate_hz })
            .collect(),
        attributes,
        wants_news: false,
    };
    Ok((opening, codec.bytes_per_sample()))
}
