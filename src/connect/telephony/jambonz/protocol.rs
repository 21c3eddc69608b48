use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;

use crate::connect::telephony::{
    Interleaved, Line, MediaProtocol, Notes, Opening, Rejection, texts, unreadable,
};
use crate::domain::{Direction, EndReason, Role};
use crate::flow::audio::Codec;

/// The call's attributes, then audio. The end of the connection is the end of the call.
pub struct Protocol {
    line: Line,
    notes: Notes,
    channels: Interleaved,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attributes {
    #[serde(alias = "sample_rate")]
    sample_rate: Option<u32>,
    #[serde(alias = "mix_type")]
    mix_type: Option<String>,
    #[serde(alias = "call_sid")]
    call_sid: Option<String>,
    direction: Option<String>,
}

impl Protocol {
    /// `query`: of the address that jambonz dials.
    pub fn new(patience: Duration, query: &[(String, String)]) -> Self {
        let mut this = Self {
            line: Line::new(patience),
            notes: Notes::default(),
            channels: Interleaved::new(1, 2),
        };
        match Notes::from_query(query) {
            Ok(notes) => this.notes = notes,
            Err(reason) => this.line.reject(Rejection::new(Rejection::POLICY, reason)),
        }
        this
    }

    fn read(&mut self, now: Duration, text: &str) -> Result<(), Rejection> {
        let message: Value = serde_json::from_str(text).map_err(|error| unreadable(&error))?;
        if self.line.is_waiting() {
            let opening = self.opening(&message)?;
            self.channels = Interleaved::new(opening.legs.len(), 2);
            self.line.start(now, opening);
        } else if message["event"] == "dtmf" {
            self.line.dtmf();
        }
        Ok(())
    }

    fn opening(&self, message: &Value) -> Result<Opening, Rejection> {
        let unsupported = |reason: &str| Rejection::new(Rejection::WRONG_KIND, reason);
        let policy = |reason| Rejection::new(Rejection::POLICY, reason);
        let call = Attributes::deserialize(message).map_err(|_| {
            let reason = "the first message must be the call's attributes";
            Rejection::new(Rejection::MALFORMED, reason)
        })?;
        let sample_rate_hz = match call.sample_rate {
            Some(rate @ 8_000..=48_000) => rate,
            _ => return Err(unsupported("sampleRate must be from 8000 to 48000")),
        };
        let usual: &[Role] = match call.mix_type.as_deref() {
            None | Some("mono") => &[Role::Customer],
            Some("mixed") => &[Role::Mixed],
            Some("stereo") => &[Role::Customer, Role::Agent],
            Some(_) => return Err(unsupported("mixType must be mono, mixed or stereo")),
        };
        let mut notes = self.notes.clone();
        for (name, value) in texts(message) {
            notes.attribute(&name, &value);
        }
        // What an application says of the call under names of ours counts.
        for (name, value) in texts(&message["metadata"]) {
            notes.take(&name, &value).map_err(policy)?;
        }
        notes.external_id = notes.external_id.or(call.call_sid);
        let outbound = call.direction.as_deref() == Some("outbound");
        notes.direction = notes.direction.or(outbound.then_some(Direction::Outbound));
        notes.opening(usual, Codec::PcmS16Le, sample_rate_hz)
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
            let reason = "audio came before the call's attributes";
            self.line.reject(Rejection::new(Rejection::POLICY, reason));
        }
        self.line.interleaved(now, &mut self.channels, bytes);
    }

    fn handle_goodbye(&mut self) {
        self.line.stop(EndReason::Hangup);
    }
}
