use crate::connect::telephony::Notes;
use crate::domain::Role;
use crate::flow::audio::Codec;
use crate::flow::driver::LEGS_MAX;

/// Shorter silences end no utterance: Deepgram's own least value.
const UTTERANCE_END_MIN_MS: u64 = 1_000;

/// How samples come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    pub codec: Codec,
    pub sample_rate_hz: u32,
    /// Interleaved in the audio.
    pub channels: usize,
}

impl Format {
    /// # Errors
    /// The sentence to refuse it with.
    pub fn check(self) -> Result<Self, String> {
        if !(8_000..=48_000).contains(&self.sample_rate_hz) {
            return Err("sample_rate must be from 8000 to 48000".to_owned());
        }
        if !(1..=LEGS_MAX).contains(&self.channels) {
            return Err(format!("channels must be from 1 to {LEGS_MAX}"));
        }
        Ok(self)
    }

    /// One sample of each channel.
    pub const fn frame_bytes(self) -> usize {
        self.channels * self.codec.bytes_per_sample()
    }
}

/// What the query of `/v1/listen` asks for. Values come as text; what isn't known is ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// `None` without `encoding`: the audio says it by itself, in the header of a WAV file.
    pub format: Option<Format>,
    /// Each channel is a party of its own; otherwise all are mixed into one.
    pub multichannel: bool,
    pub interim_results: bool,
    /// Words keep their capitals and punctuation.
    pub punctuate: bool,
    pub vad_events: bool,
    pub utterance_end_ms: Option<u64>,
    pub notes: Notes,
}

impl Listen {
    /// # Errors
    /// The sentence to answer 400 with.
    pub fn from_query(query: &[(String, String)]) -> Result<Self, String> {
        let codec = match text(query, "encoding") {
            Some("linear16") => Some(Codec::PcmS16Le),
            Some("mulaw") => Some(Codec::Mulaw),
            Some("alaw") => Some(Codec::Alaw),
            Some(_) => {
                return Err("encoding is not supported: use linear16, mulaw or alaw".to_owned());
            }
            None => None,
        };
        let sample_rate_hz = number(query, "sample_rate")?;
        let channels = number(query, "channels")?.unwrap_or(1) as usize;
        let format = match (codec, sample_rate_hz) {
            (None, _) => None,
            (Some(_), None) => {
                return Err("encoding needs a sample_rate, from 8000 to 48000".to_owned());
            }
            (Some(codec), Some(rate)) => {
                let sample_rate_hz = u32::try_from(rate).unwrap_or(u32::MAX);
                Some(Format { codec, sample_rate_hz, channels }.check()?)
            }
        };
        if text(query, "callback").is_some() {
            return Err("callback is not supported: results come over this connection".to_owned());
        }
        let listen = Self {
            format,
            multichannel: flag(query, "multichannel"),
            interim_results: flag(query, "interim_results"),
            punctuate: ["punctuate", "smart_format", "dictation"]
                .iter()
                .any(|name| flag(query, name)),
            vad_events: flag(query, "vad_events"),
            utterance_end_ms: number(query, "utterance_end_ms")?
                .map(|silence_ms| silence_ms.max(UTTERANCE_END_MIN_MS)),
            notes: notes(query)?,
        };
        if let Some(format) = format {
            listen.roles(format)?;
        }
        Ok(listen)
    }

    /// One for each party.
    ///
    /// # Errors
    /// The sentence to refuse the audio with: the query names another number of parties.
    pub fn roles(&self, format: Format) -> Result<Vec<Role>, String> {
        match format.channels {
            channels @ 2.. if self.multichannel => {
                self.notes.roles(channels, &[Role::Customer, Role::Agent])
            }
            _ => self.notes.roles(1, &[Role::Mixed]),
        }
    }
}

/// `extra=name:value`, any number of times, and `tag`.
fn notes(query: &[(String, String)]) -> Result<Notes, String> {
    let mut notes = Notes::default();
    let mut tags = Vec::new();
    for (name, value) in query {
        match name.as_str() {
            "extra" => {
                if let Some((name, value)) = value.split_once(':') {
                    notes.take(name.trim(), value.trim())?;
                }
            }
            "tag" => tags.push(value.as_str()),
            _ => {}
        }
    }
    if !tags.is_empty() {
        notes.attribute("tag", &tags.join(","));
    }
    Ok(notes)
}

fn text<'a>(query: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let (_, value) = query.iter().find(|(named, _)| named == name)?;
    (!value.is_empty()).then_some(value.as_str())
}

fn flag(query: &[(String, String)], name: &str) -> bool {
    text(query, name).is_some_and(|value| value.eq_ignore_ascii_case("true") || value == "1")
}

fn number(query: &[(String, String)], name: &str) -> Result<Option<u64>, String> {
    match text(query, name) {
        None => Ok(None),
        Some(value) => value.parse().map(Some).map_err(|_| format!("{name} must be a number")),
    }
}
