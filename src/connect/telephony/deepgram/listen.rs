use crate::connect::telephony::Notes;
use crate::domain::Role;
use crate::flow::audio::Codec;
use crate::flow::driver::LEGS_MAX;

/// Shorter silences end no utterance: Deepgram's own least value.
const UTTERANCE_END_MIN_MS: u64 = 1_000;

/// What the query of `/v1/listen` asks for. Values come as text; what isn't known is ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    pub codec: Codec,
    pub sample_rate_hz: u32,
    /// Interleaved in the audio.
    pub channels: usize,
    /// Each channel is a party of its own; otherwise all are mixed into one.
    pub multichannel: bool,
    pub interim_results: bool,
    /// Words keep their capitals and punctuation.
    pub punctuate: bool,
    pub vad_events: bool,
    pub utterance_end_ms: Option<u64>,
    /// One for each party.
    pub roles: Vec<Role>,
    pub notes: Notes,
}

impl Listen {
    /// # Errors
    /// The sentence to answer 400 with.
    pub fn from_query(query: &[(String, String)]) -> Result<Self, String> {
        let codec = match text(query, "encoding") {
            Some("linear16") => Codec::PcmS16Le,
            Some("mulaw") => Codec::Mulaw,
            Some("alaw") => Codec::Alaw,
            Some(_) => {
                return Err("encoding is not supported: use linear16, mulaw or alaw".to_owned());
            }
            None => return Err("encoding is needed: linear16, mulaw or alaw".to_owned()),
        };
        let sample_rate_hz = match number(query, "sample_rate")? {
            Some(rate @ 8_000..=48_000) => rate as u32,
            _ => return Err("sample_rate must be from 8000 to 48000".to_owned()),
        };
        let channels = match number(query, "channels")?.unwrap_or(1) {
            channels if (1..=LEGS_MAX as u64).contains(&channels) => channels as usize,
            _ => return Err(format!("channels must be from 1 to {LEGS_MAX}")),
        };
        if text(query, "callback").is_some() {
            return Err("callback is not supported: results come over this connection".to_owned());
        }
        let multichannel = flag(query, "multichannel") && channels > 1;
        let notes = notes(query)?;
        let roles = if multichannel {
            notes.roles(channels, &[Role::Customer, Role::Agent])?
        } else {
            notes.roles(1, &[Role::Mixed])?
        };
        Ok(Self {
            codec,
            sample_rate_hz,
            channels,
            multichannel,
            interim_results: flag(query, "interim_results"),
            punctuate: ["punctuate", "smart_format", "dictation"]
                .iter()
                .any(|name| flag(query, name)),
            vad_events: flag(query, "vad_events"),
            utterance_end_ms: number(query, "utterance_end_ms")?
                .map(|silence_ms| silence_ms.max(UTTERANCE_END_MIN_MS)),
            roles,
            notes,
        })
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
