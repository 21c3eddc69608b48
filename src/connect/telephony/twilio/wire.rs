//! The messages as they stand on the wire. What isn't listed is ignored.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

#[derive(Deserialize)]
pub struct Message {
    pub event: String,
    #[serde(alias = "stream_sid")]
    #[serde(rename = "streamSid")]
    pub stream_sid: Option<String>,
    pub start: Option<Start>,
    pub media: Option<Media>,
}

#[derive(Deserialize)]
pub struct Start {
    #[serde(rename = "streamSid", alias = "stream_sid")]
    pub stream_sid: Option<String>,
    #[serde(rename = "callSid", alias = "call_sid", alias = "call_control_id")]
    pub call_sid: Option<String>,
    #[serde(default)]
    pub tracks: Vec<String>,
    #[serde(rename = "mediaFormat", alias = "media_format")]
    pub media_format: Option<MediaFormat>,
    #[serde(
        default,
        rename = "customParameters",
        alias = "custom_parameters",
        deserialize_with = "texts"
    )]
    pub custom_parameters: BTreeMap<String, String>,
}

#[derive(Deserialize)]
pub struct MediaFormat {
    #[serde(default)]
    pub encoding: Option<String>,
    #[serde(rename = "sampleRate", alias = "sample_rate", default, deserialize_with = "number")]
    pub sample_rate: Option<u64>,
    #[serde(default, deserialize_with = "number")]
    pub channels: Option<u64>,
}

#[derive(Deserialize)]
pub struct Media {
    pub track: Option<String>,
    #[serde(default, deserialize_with = "number")]
    pub timestamp: Option<u64>,
    pub payload: Option<String>,
}

/// Twilio writes numbers as strings in some places and as numbers in others.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(value.as_u64().or_else(|| value.as_str()?.trim().parse().ok()))
}

/// A map whose values are text; anything else is kept as its JSON.
pub fn texts<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    let map = Option::<BTreeMap<String, serde_json::Value>>::deserialize(deserializer)?;
    let text = |value| match value {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    };
    Ok(map.unwrap_or_default().into_iter().map(|(key, value)| (key, text(value))).collect())
}
