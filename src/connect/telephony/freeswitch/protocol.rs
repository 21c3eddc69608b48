use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use crate::connect::telephony::{
    Interleaved, Line, MediaProtocol, Notes, Opening, Rejection, texts,
};
use crate::domain::{EndReason, Role};
use crate::flow::audio::Codec;

/// Text that says something of the call, then audio. The call begins with the first audio, and the
/// end of the connection is its end.
pub struct Protocol {
    line: Line,
    notes: Notes,
    mix: Mix,
    sample_rate_hz: u32,
    channels: Interleaved,
}

/// The module's own three ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mix {
    /// The caller alone.
    Mono,
    /// Both on one channel.
    Mixed,
    /// The caller, then the other side.
    Stereo,
}

impl Mix {
    const fn roles(self) -> &'static [Role] {
        match self {
            Self::Mono => &[Role::Customer],
            Self::Mixed => &[Role::Mixed],
            Self::Stereo => &[Role::Customer, Role::Agent],
        }
    }
}

impl Protocol {
    /// `query`: of the address that FreeSWITCH dials.
    pub fn new(patience: Duration, query: &[(String, String)]) -> Self {
        let mut this = Self {
            line: Line::new(patience),
            notes: Notes::default(),
            mix: Mix::Mono,
            sample_rate_hz: 8_000,
            channels: Interleaved::new(1, 2),
        };
        for (name, value) in query {
            if let Err(rejection) = this.note(name, value) {
                this.line.reject(rejection);
            }
        }
        this
    }

    fn note(&mut self, name: &str, value: &str) -> Result<(), Rejection> {
        let unsupported = |reason: &str| Rejection::new(Rejection::WRONG_KIND, reason);
        match name {
            "mix" | "mix_type" | "mixType" | "channels" => {
                self.mix = match value {
                    "mono" | "1" => Mix::Mono,
                    "mixed" => Mix::Mixed,
                    "stereo" | "2" => Mix::Stereo,
                    _ => return Err(unsupported("mix must be mono, mixed or stereo")),
                };
            }
            "rate" | "sample_rate" | "sampleRate" => {
                self.sample_rate_hz = rate_of(value)
                    .ok_or_else(|| unsupported("rate must be from 8000 to 48000, or 8k or 16k"))?;
            }
            _ => self
                .notes
                .take(name, value)
                .map_err(|reason| Rejection::new(Rejection::POLICY, reason))?,
        }
        Ok(())
    }

    /// The metadata are a JSON object by convention, and anything at all by the module's rules.
    fn read(&mut self, text: &str) -> Result<(), Rejection> {
        match serde_json::from_str::<Value>(text) {
            Ok(object @ Value::Object(_)) => {
                for (name, value) in texts(&object) {
                    self.note(&name, &value)?;
                }
            }
            _ => self.notes.attribute("metadata", text),
        }
        Ok(())
    }

    fn opening(&self) -> Result<Opening, Rejection> {
        let mut notes = self.notes.clone();
        if notes.external_id.is_none() {
            let said = |name: &&str| notes.attributes.get(*name).cloned();
            notes.external_id = ["uuid", "call_id", "callId"].iter().find_map(said);
        }
        notes.opening(self.mix.roles(), Codec::PcmS16Le, self.sample_rate_hz)
    }

    fn begin(&mut self, now: Duration) {
        match self.opening() {
            Ok(opening) => {
                self.channels = Interleaved::new(opening.legs.len(), 2);
                self.line.start(now, opening);
            }
            Err(rejection) => self.line.reject(rejection),
        }
    }
}

fn rate_of(text: &str) -> Option<u32> {
    let rate = match text.strip_suffix('k') {
        Some(thousands) => thousands.parse::<u32>().ok()?.checked_mul(1_000)?,
        None => text.parse().ok()?,
    };
    (8_000..=48_000).contains(&rate).then_some(rate)
}

impl MediaProtocol for Protocol {
    fn line(&self) -> &Line {
        &self.line
    }

    fn line_mut(&mut self) -> &mut Line {
        &mut self.line
    }

    /// Text in mid-call is something that a dial plan sends to somebody else.
    fn handle_text(&mut self, now: Duration, text: &str) {
        if !self.line.is_waiting() {
            return;
        }
        self.line.heard(now);
        if let Err(rejection) = self.read(text) {
            self.line.reject(rejection);
        }
    }

    fn handle_binary(&mut self, now: Duration, bytes: Bytes) {
        if bytes.is_empty() {
            return;
        }
        if self.line.is_waiting() {
            self.begin(now);
        }
        self.line.interleaved(now, &mut self.channels, bytes);
    }

    fn handle_goodbye(&mut self) {
        self.line.stop(EndReason::Hangup);
    }
}
