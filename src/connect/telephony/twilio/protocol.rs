use std::time::Duration;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;

use super::reorder::Reorder;
use super::wire::{Media, MediaFormat, Message, Start};
use crate::connect::telephony::{Line, MediaProtocol, Opening, Rejection, fault_of};
use crate::domain::{Direction, EndReason, Role};
use crate::flow::audio::Codec;
use crate::flow::driver::LegSpec;

const SAMPLE_RATE_HZ: u32 = 8_000;

/// The dialects differ in whether they pad.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Text in, audio of the customer (inbound track) and the agent (outbound track) out.
pub struct Protocol {
    line: Line,
    legs: Vec<(Track, Reorder)>,
    messages: u64,
    ready: Vec<(u64, Bytes)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Track {
    Inbound,
    Outbound,
}

impl Protocol {
    pub fn new(patience: Duration) -> Self {
        Self { line: Line::new(patience), legs: Vec::new(), messages: 0, ready: Vec::new() }
    }

    fn read(&mut self, now: Duration, text: &str) -> Result<(), Rejection> {
        let message: Message = serde_json::from_str(text)
            .map_err(|error| self.malformed(&fault_of(&error, "a media stream message")))?;
        match message.event.as_str() {
            "start" => {
                let start = message.start.ok_or_else(|| self.malformed("lacks \"start\""))?;
                self.start(now, start, message.stream_sid)
            }
            "media" if self.line.is_waiting() => {
                Err(Rejection::new(Rejection::POLICY, "media came before start"))
            }
            "media" => {
                let media = message.media.ok_or_else(|| self.malformed("lacks \"media\""))?;
                self.media(now, media)
            }
            "stop" => {
                self.end(EndReason::Hangup);
                Ok(())
            }
            "dtmf" => {
                self.line.dtmf();
                Ok(())
            }
            // connected, mark, and whatever the vendor thinks of next.
            _ => Ok(()),
        }
    }

    fn start(
        &mut self,
        now: Duration,
        start: Start,
        stream_sid: Option<String>,
    ) -> Result<(), Rejection> {
        if !self.line.is_waiting() {
            return Err(Rejection::new(Rejection::POLICY, "a second start came"));
        }
        if let Some(format) = &start.media_format {
            check_format(format)?;
        }
        self.legs = tracks(&start.tracks).map(|track| (track, Reorder::default())).collect();
        if self.legs.is_empty() {
            let reason = "start names no track: inbound and outbound are supported";
            return Err(Rejection::new(Rejection::WRONG_KIND, reason));
        }
        let mut attributes = start.custom_parameters;
        Opening::check_attributes(&attributes)?;
        let direction = match attributes.get("direction").map(String::as_str) {
            Some("outbound") => Direction::Outbound,
            _ => Direction::Inbound,
        };
        let stream_sid = start.stream_sid.or(stream_sid);
        for (name, value) in [("call_sid", &start.call_sid), ("stream_sid", &stream_sid)] {
            if let Some(value) = value {
                attributes.insert(name.to_owned(), value.clone());
            }
        }
        let leg = |track: &Track| LegSpec {
            role: match track {
                Track::Inbound => Role::Customer,
                Track::Outbound => Role::Agent,
            },
            name: None,
            codec: Codec::Mulaw,
            sample_rate_hz: SAMPLE_RATE_HZ,
        };
        let legs = self.legs.iter().map(|(track, _)| leg(track)).collect();
        let opening =
            Opening { external_id: start.call_sid, direction, legs, attributes, wants_news: false };
        self.line.start(now, opening);
        Ok(())
    }

    fn media(&mut self, now: Duration, media: Media) -> Result<(), Rejection> {
        let payload = media.payload.ok_or_else(|| self.malformed("lacks \"payload\""))?;
        let payload = BASE64
            .decode(payload)
            .map_err(|_| self.malformed("has a payload that is not base64"))?;
        self.line.heard(now);
        let track = media.track.as_deref().and_then(Track::parse).unwrap_or(Track::Inbound);
        // A track that start didn't name has no party to belong to.
        let Some(leg) = self.legs.iter().position(|(named, _)| *named == track) else {
            return Ok(());
        };
        self.legs[leg].1.push(media.timestamp, payload.into(), &mut self.ready);
        self.hand_over(leg);
        Ok(())
    }

    fn end(&mut self, reason: EndReason) {
        for leg in 0..self.legs.len() {
            self.legs[leg].1.flush(&mut self.ready);
            self.hand_over(leg);
        }
        self.line.stop(reason);
    }

    fn hand_over(&mut self, leg: usize) {
        for (at_ms, payload) in self.ready.drain(..) {
            self.line.audio(leg, Some(at_ms), payload);
        }
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
        let reason = "binary message: media streams are JSON text";
        self.line.reject(Rejection::new(Rejection::WRONG_KIND, reason));
    }

    fn handle_closed(&mut self) {
        self.end(EndReason::Disconnected);
    }
}

impl Track {
    /// `dtmf` and TwiML say `inbound_track` where the rest says `inbound`.
    fn parse(text: &str) -> Option<Self> {
        match text {
            "inbound" | "inbound_track" => Some(Self::Inbound),
            "outbound" | "outbound_track" => Some(Self::Outbound),
            _ => None,
        }
    }
}

/// The tracks that `start` names, customer first. None named means the caller's alone, which is
/// what a bidirectional stream carries.
fn tracks(named: &[String]) -> impl Iterator<Item = Track> {
    let both = named.iter().any(|track| track.starts_with("both"));
    let has = |track| both || named.iter().any(|name| Track::parse(name) == Some(track));
    let inbound = named.is_empty() || has(Track::Inbound);
    let outbound = has(Track::Outbound);
    [(inbound, Track::Inbound), (outbound, Track::Outbound)]
        .into_iter()
        .filter_map(|(present, track)| present.then_some(track))
}

fn check_format(format: &MediaFormat) -> Result<(), Rejection> {
    let encoding = format.encoding.as_deref().unwrap_or("audio/x-mulaw").to_ascii_lowercase();
    let mulaw = matches!(encoding.as_str(), "audio/x-mulaw" | "audio/mulaw" | "mulaw" | "pcmu");
    let rate = format.sample_rate.unwrap_or(SAMPLE_RATE_HZ.into());
    let channels = format.channels.unwrap_or(1);
    if mulaw && rate == u64::from(SAMPLE_RATE_HZ) && channels == 1 {
        return Ok(());
    }
    let reason = "mediaFormat is not supported: send audio/x-mulaw at 8000 Hz with one channel";
    Err(Rejection::new(Rejection::WRONG_KIND, reason))
}
