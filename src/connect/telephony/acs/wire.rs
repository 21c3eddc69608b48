//! The messages as they stand on the wire. What isn't listed is ignored.

use serde::Deserialize;

#[derive(Deserialize)]
pub struct Message {
    pub kind: String,
    #[serde(rename = "audioMetadata")]
    pub audio_metadata: Option<AudioMetadata>,
    #[serde(rename = "audioData")]
    pub audio_data: Option<AudioData>,
}

#[derive(Deserialize)]
pub struct AudioMetadata {
    #[serde(rename = "subscriptionId")]
    pub subscription_id: Option<String>,
    pub encoding: Option<String>,
    #[serde(rename = "sampleRate")]
    pub sample_rate: Option<u64>,
    pub channels: Option<u64>,
}

#[derive(Deserialize)]
pub struct AudioData {
    /// RFC 3339, UTC.
    pub timestamp: Option<String>,
    /// Absent in mixed audio.
    #[serde(rename = "participantRawID", alias = "participantRawId")]
    pub participant_raw_id: Option<String>,
    pub data: Option<String>,
    #[serde(default)]
    pub silent: Option<bool>,
}
