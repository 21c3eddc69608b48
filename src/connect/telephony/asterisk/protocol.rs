use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use crate::connect::telephony::{
    Line, MediaProtocol, Notes, Opening, Rejection, texts, unreadable,
};
use crate::domain::{EndReason, Role};
use crate::flow::audio::Codec;

/// Text and audio of one channel in. Asterisk has no message for the end: it closes the connection.
pub struct Protocol {
    line: Line,
    notes: Notes,
    /// For versions whose `MEDIA_START` names no format: `format` in the query.
    format: Option<String>,
}

/// One notification, in whichever form it came.
struct Event {
    name: String,
    fields: Vec<(String, String)>,
    variables: Vec<(String, String)>,
}

impl Protocol {
    /// `query`: of the address that Asterisk dials.
    pub fn new(patience: Duration, query: &[(String, String)]) -> Self {
        let mut this = Self { line: Line::new(patience), notes: Notes::default(), format: None };
        let (format, notes): (Vec<_>, Vec<_>) =
            query.iter().cloned().partition(|(name, _)| name == "format");
        this.format = format.into_iter().next().map(|(_, value)| value);
        match Notes::from_query(&notes) {
            Ok(notes) => this.notes = notes,
            Err(reason) => this.line.reject(Rejection::new(Rejection::POLICY, reason)),
        }
        this
    }

    fn read(&mut self, now: Duration, text: &str) -> Result<(), Rejection> {
        let event = Event::parse(text)?;
        match event.name.as_str() {
            "MEDIA_START" if self.line.is_waiting() => {
                let opening = self.opening(&event)?;
                self.line.start(now, opening);
            }
            "MEDIA_START" => {
                return Err(Rejection::new(Rejection::POLICY, "a second MEDIA_START came"));
            }
            "DTMF_END" => self.line.dtmf(),
            // Flow control, status, and whatever Asterisk thinks of next.
            _ => {}
        }
        Ok(())
    }

    fn opening(&mut self, event: &Event) -> Result<Opening, Rejection> {
        let format = event.field("format").or(self.format.as_deref()).ok_or_else(|| {
            let reason = "MEDIA_START names no format: add ?format=ulaw to the uri";
            Rejection::new(Rejection::POLICY, reason)
        })?;
        let (codec, sample_rate_hz) = codec_of(format).ok_or_else(|| {
            let reason = "format is not supported: use ulaw, alaw, or slin to slin48";
            Rejection::new(Rejection::WRONG_KIND, reason)
        })?;
        let mut notes = self.notes.clone();
        for (name, value) in &event.variables {
            notes.attribute(name, value);
        }
        for name in ["connection_id", "channel", "channel_id"] {
            if let Some(value) = event.field(name) {
                notes.attribute(name, value);
            }
        }
        let id = event.field("channel_id").or(event.field("connection_id"));
        notes.external_id = notes.external_id.or(id.map(str::to_owned));
        notes.opening(&[Role::Mixed], codec, sample_rate_hz)
    }
}

impl Event {
    /// `{"event":"MEDIA_START","format":"ulaw"}` or `MEDIA_START format:ulaw`.
    fn parse(text: &str) -> Result<Self, Rejection> {
        if text.trim_start().starts_with(['{', '[']) {
            return Self::parse_json(text);
        }
        let mut words = text.split_whitespace();
        let name = words.next().unwrap_or_default().to_owned();
        let fields = words
            .filter_map(|word| word.split_once(':'))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Ok(Self { name, fields, variables: Vec::new() })
    }

    fn parse_json(text: &str) -> Result<Self, Rejection> {
        let message: Value = serde_json::from_str(text).map_err(|error| unreadable(&error))?;
        let Some(name) = message["event"].as_str() else {
            let reason = "the text message is no event: it has no field \"event\"";
            return Err(Rejection::new(Rejection::MALFORMED, reason));
        };
        Ok(Self {
            name: name.to_owned(),
            fields: texts(&message),
            variables: texts(&message["channel_variables"]),
        })
    }

    fn field(&self, name: &str) -> Option<&str> {
        let (_, value) = self.fields.iter().find(|(named, _)| named == name)?;
        (!value.is_empty()).then_some(value.as_str())
    }
}

/// Asterisk's names of formats; plain `slin` is 8 kHz, `slin44` is 44.1 kHz.
fn codec_of(format: &str) -> Option<(Codec, u32)> {
    Some(match format {
        "ulaw" => (Codec::Mulaw, 8_000),
        "alaw" => (Codec::Alaw, 8_000),
        "slin" => (Codec::PcmS16Le, 8_000),
        "slin12" => (Codec::PcmS16Le, 12_000),
        "slin16" => (Codec::PcmS16Le, 16_000),
        "slin24" => (Codec::PcmS16Le, 24_000),
        "slin32" => (Codec::PcmS16Le, 32_000),
        "slin44" => (Codec::PcmS16Le, 44_100),
        "slin48" => (Codec::PcmS16Le, 48_000),
        _ => return None,
    })
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
            let reason = "audio came before MEDIA_START";
            self.line.reject(Rejection::new(Rejection::POLICY, reason));
        }
        self.line.heard(now);
        self.line.audio(0, None, bytes);
    }

    fn handle_goodbye(&mut self) {
        self.line.stop(EndReason::Hangup);
    }
}
