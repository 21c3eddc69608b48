//! The messages as they stand on the wire. What isn't listed is ignored.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// `conversationId` and `participant.id` of a connection probe.
pub const NULL_UUID: &str = "00000000-0000-0000-0000-000000000000";

/// The envelope of what comes from the client.
#[derive(Deserialize)]
pub struct Message {
    pub version: String,
    pub id: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub seq: u64,
    #[serde(default)]
    pub serverseq: u64,
    pub position: Option<String>,
    #[serde(default)]
    parameters: Value,
}

impl Message {
    /// The parameters as those of its kind.
    pub fn parameters<T: DeserializeOwned>(&mut self) -> Option<T> {
        serde_json::from_value(self.parameters.take()).ok()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Open {
    pub organization_id: String,
    pub conversation_id: String,
    pub participant: Participant,
    /// As they came, because the chosen one goes back unchanged.
    pub media: Vec<Value>,
    pub language: Option<String>,
    pub supported_languages: Option<bool>,
    #[serde(default)]
    pub continued_sessions: Vec<ContinuedSession>,
    #[serde(default)]
    pub custom_config: Map<String, Value>,
}

#[derive(Deserialize)]
pub struct Participant {
    pub id: String,
    #[serde(default)]
    pub ani: String,
    #[serde(default)]
    pub dnis: String,
}

#[derive(Deserialize)]
pub struct ContinuedSession {
    pub id: String,
}

#[derive(Deserialize)]
pub struct Offer {
    #[serde(rename = "type")]
    pub kind: String,
    pub format: String,
    pub channels: Vec<String>,
    pub rate: u32,
}

/// Of `discarded` and `resumed`.
#[derive(Deserialize)]
pub struct Discarded {
    pub discarded: String,
}

#[derive(Deserialize)]
pub struct Close {
    pub reason: String,
}

#[derive(Deserialize)]
pub struct Error {
    pub code: u32,
}

/// `PT<decimal>S` in milliseconds; the protocol knows no other ISO 8601 durations.
pub fn parse_duration(text: &str) -> Option<u64> {
    let seconds = text.strip_prefix("PT")?.strip_suffix('S')?;
    let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.is_empty() {
        return None;
    }
    let whole: u64 = match whole {
        "" if !seconds.contains('.') => return None,
        "" => 0,
        // Years are enough, and their milliseconds still fit.
        whole if whole.len() <= 12 => whole.parse().ok()?,
        _ => return None,
    };
    let thousandths = fraction.bytes().chain(*b"000").take(3);
    let ms = thousandths.fold(0, |ms, digit| ms * 10 + u64::from(digit - b'0'));
    Some(whole * 1_000 + ms)
}

pub fn duration(ms: u64) -> String {
    let fraction = format!("{:03}", ms % 1_000);
    match fraction.trim_end_matches('0') {
        "" => format!("PT{}S", ms / 1_000),
        fraction => format!("PT{}.{fraction}S", ms / 1_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_seconds() {
        for (text, ms) in [
            ("PT0S", Some(0)),
            ("PT1.5S", Some(1_500)),
            ("PT12S", Some(12_000)),
            ("PT.25S", Some(250)),
            ("PT0.123456S", Some(123)),
            ("PT1.S", None),
            ("PTS", None),
            ("PT-1S", None),
            ("PT1M", None),
            ("PT1e3S", None),
            ("1S", None),
            ("PT1.2.3S", None),
            ("PT99999999999999999999S", None),
        ] {
            assert_eq!(parse_duration(text), ms, "{text}");
        }
        for (ms, text) in [(0, "PT0S"), (1_500, "PT1.5S"), (20, "PT0.02S"), (61_000, "PT61S")] {
            assert_eq!(duration(ms), text);
        }
    }

    proptest::proptest! {
        #[test]
        fn durations_survive(ms in 0u64..1_000_000_000_000) {
            proptest::prop_assert_eq!(parse_duration(&duration(ms)), Some(ms));
        }

        #[test]
        fn no_text_breaks_it(text in "PT[0-9.+-eE ]{0,30}S?") {
            parse_duration(&text);
        }
    }
}
