use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::Timestamp;

use super::roles::Customer;
use super::wire::{AudioData, AudioMetadata, Message};
use crate::connect::telephony::{Line, MediaProtocol, Opening, Rejection, fault_of};
use crate::domain::{Direction, EndReason};
use crate::flow::audio::Codec;
use crate::flow::driver::{Control, LEGS_MAX, LegSpec};

/// ACS sends packets of this length, whatever their rate.
const PACKET_MS: u64 = 20;

/// What is known of a call before its first message: from the upgrade's headers and query, and
/// from the event that announced it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Note {
    pub external_id: Option<String>,
    pub customer: Customer,
    pub outbound: bool,
    pub attributes: BTreeMap<String, String>,
}

/// Text in, audio of each participant out.
///
/// The call starts with the first audio, because only then somebody is in it; those who come later
/// join.
pub struct Protocol {
    line: Line,
    note: Note,
    messages: u64,
    sample_rate_hz: Option<u32>,
    /// The participants by leg; `None` is all of them mixed.
    participants: Vec<Option<String>>,
    /// The stamp of the first audio, in milliseconds.
    epoch_ms: Option<i64>,
}

impl Protocol {
    pub fn new(patience: Duration, note: Note) -> Self {
        Self {
            line: Line::new(patience),
            note,
            messages: 0,
            sample_rate_hz: None,
            participants: Vec::new(),
            epoch_ms: None,
        }
    }

    fn read(&mut self, now: Duration, text: &str) -> Result<(), Rejection> {
        let message: Message = serde_json::from_str(text)
            .map_err(|error| self.malformed(&fault_of(&error, "a streaming message")))?;
        // ACS itself writes PascalCase one way and camelCase the other.
        match message.kind.to_ascii_lowercase().as_str() {
            "audiometadata" => {
                let metadata = message.audio_metadata;
                self.metadata(metadata.ok_or_else(|| self.malformed("lacks \"audioMetadata\""))?)
            }
            "audiodata" => {
                let audio = message.audio_data;
                self.audio(now, audio.ok_or_else(|| self.malformed("lacks \"audioData\""))?)
            }
            "dtmfdata" => {
                self.line.dtmf();
                Ok(())
            }
            // Transcripts of their own, and whatever the vendor thinks of next.
            _ => Ok(()),
        }
    }

    fn metadata(&mut self, metadata: AudioMetadata) -> Result<(), Rejection> {
        let encoding = metadata.encoding.as_deref().unwrap_or("PCM");
        let rate = match metadata.sample_rate.unwrap_or(16_000) {
            16_000 => Some(16_000),
            24_000 => Some(24_000),
            _ => None,
        };
        let channels = metadata.channels.unwrap_or(1);
        let (true, Some(rate), 1) = (encoding.eq_ignore_ascii_case("PCM"), rate, channels) else {
            let reason = "audioMetadata is not supported: stream Pcm16KMono or Pcm24KMono";
            return Err(Rejection::new(Rejection::WRONG_KIND, reason));
        };
        // Streaming that is stopped and started again says it again.
        if self.sample_rate_hz.is_some_and(|known| known != rate) {
            let reason = "a second AudioMetadata with another sampleRate came";
            return Err(Rejection::new(Rejection::POLICY, reason));
        }
        self.sample_rate_hz = Some(rate);
        if let Some(id) = metadata.subscription_id {
            self.note.external_id.get_or_insert_with(|| id.clone());
            self.note.attributes.entry("subscription_id".to_owned()).or_insert(id);
        }
        Ok(())
    }

    fn audio(&mut self, now: Duration, audio: AudioData) -> Result<(), Rejection> {
        let Some(rate) = self.sample_rate_hz else {
            return Err(Rejection::new(Rejection::POLICY, "audio came before its metadata"));
        };
        let payload = STANDARD
            .decode(audio.data.unwrap_or_default())
            .map_err(|_| self.malformed("has data that is not base64"))?;
        let payload = if payload.is_empty() && audio.silent == Some(true) {
            // Its time passes all the same.
            Bytes::from(vec![0; (u64::from(rate) * PACKET_MS / 1_000) as usize * 2])
        } else {
            Bytes::from(payload)
        };
        self.line.heard(now);
        let participant = audio.participant_raw_id.filter(|id| !id.is_empty());
        let Some(leg) = self.leg_of(now, participant, rate) else { return Ok(()) };
        let stamp = audio.timestamp.and_then(|stamp| stamp.parse::<Timestamp>().ok());
        let at_ms = stamp.map(|stamp| self.since_first(stamp.as_millisecond()));
        self.line.audio(leg, at_ms, payload);
        Ok(())
    }

    /// The participant's leg, made for who is heard the first time. None beyond the limit.
    fn leg_of(&mut self, now: Duration, participant: Option<String>, rate: u32) -> Option<usize> {
        if let Some(leg) = self.participants.iter().position(|known| *known == participant) {
            return Some(leg);
        }
        if self.participants.len() >= LEGS_MAX {
            return None;
        }
        let leg = LegSpec {
            role: self.note.customer.role_of(participant.as_deref()),
            name: None,
            codec: Codec::PcmS16Le,
            sample_rate_hz: rate,
        };
        if self.line.is_waiting() {
            let Note { external_id, customer, outbound, mut attributes } = self.note.clone();
            if let Some(raw_id) = customer.raw_id() {
                attributes.insert("customer".to_owned(), raw_id.to_owned());
            }
            let direction = if outbound { Direction::Outbound } else { Direction::Inbound };
            let opening =
                Opening { external_id, direction, legs: vec![leg], attributes, wants_news: false };
            self.line.start(now, opening);
        } else {
            self.line.control(Control::Join(leg));
        }
        self.participants.push(participant);
        Some(self.participants.len() - 1)
    }

    fn since_first(&mut self, stamp_ms: i64) -> u64 {
        let epoch_ms = *self.epoch_ms.get_or_insert(stamp_ms);
        // One participant's first packet may be stamped before another's that came earlier.
        u64::try_from(stamp_ms.saturating_sub(epoch_ms)).unwrap_or(0)
    }

    fn malformed(&self, fault: &str) -> Rejection {
        Rejection::new(Rejection::MALFORMED, format!("message {} {fault}", self.messages))
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
        self.messages += 1;
        if let Err(rejection) = self.read(now, text) {
            self.line.reject(rejection);
        }
    }

    fn handle_binary(&mut self, _now: Duration, _bytes: Bytes) {
        let reason = "binary message: audio streaming is JSON text";
        self.line.reject(Rejection::new(Rejection::WRONG_KIND, reason));
    }

    fn handle_goodbye(&mut self) {
        // There is no message for the end.
        self.line.stop(EndReason::Hangup);
    }
}
