//! A recording as the messages of a media wire. Pure: the player only adds the clock.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::domain::Role;
use crate::evaluate::live::FRAME_MS;
use crate::flow::audio::{AudioError, AudioFile, Codec, sample_to_i16};

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum WireProtocol {
    /// Twilio Media Streams: 8 kHz µ-law in JSON.
    Twilio,
    /// The plain WebSocket: raw samples in binary messages.
    Pcm,
}

impl WireProtocol {
    pub const fn path(self) -> &'static str {
        match self {
            Self::Twilio => "/v1/media/twilio",
            Self::Pcm => "/v1/media/pcm",
        }
    }
}

/// One recording, encoded for one protocol.
#[derive(Debug)]
pub struct Script {
    protocol: WireProtocol,
    external_id: String,
    codec: Codec,
    sample_rate_hz: u32,
    /// Role and encoded audio of each channel.
    legs: Vec<(Role, Vec<u8>)>,
}

impl Script {
    /// `roles`: one for each channel of the file.
    pub fn new(
        file: &AudioFile,
        roles: &[Role],
        protocol: WireProtocol,
        external_id: String,
    ) -> Result<Self, AudioError> {
        let untouched = match &file.g711 {
            Some((Codec::Mulaw, bytes)) if file.sample_rate_hz == 8_000 => Some(bytes),
            _ => None,
        };
        let (codec, sample_rate_hz) = match (protocol, untouched) {
            (WireProtocol::Twilio, _) | (WireProtocol::Pcm, Some(_)) => (Codec::Mulaw, 8_000),
            (WireProtocol::Pcm, None) if file.sample_rate_hz <= 8_000 => (Codec::PcmS16Le, 8_000),
            (WireProtocol::Pcm, None) => (Codec::PcmS16Le, 16_000),
        };
        let mut legs = Vec::new();
        for (channel, &role) in roles.iter().enumerate() {
            let bytes = match untouched {
                Some(bytes) => bytes.iter().skip(channel).step_by(roles.len()).copied().collect(),
                None => {
                    let mut bytes = Vec::new();
                    for sample in file.channel_at(channel, sample_rate_hz)? {
                        codec.encode(sample_to_i16(sample), &mut bytes);
                    }
                    bytes
                }
            };
            legs.push((role, bytes));
        }
        // Twilio's tracks, and the plain wire's parties, have the customer first.
        legs.sort_by_key(|(role, _)| *role == Role::Agent);
        Ok(Self { protocol, external_id, codec, sample_rate_hz, legs })
    }

    pub fn external_id(&self) -> &str {
        &self.external_id
    }

    pub fn frames(&self) -> u64 {
        let longest = self.legs.iter().map(|(_, bytes)| bytes.len()).max().unwrap_or(0);
        longest.div_ceil(self.frame_bytes()) as u64
    }

    /// What opens the call.
    pub fn opening(&self) -> Vec<Message> {
        let messages = match self.protocol {
            WireProtocol::Twilio => {
                let tracks: Vec<_> = self.legs.iter().map(|(role, _)| track(*role)).collect();
                let sid = self.stream_sid();
                vec![
                    json!({"event": "connected", "protocol": "Call", "version": "1.0.0"}),
                    json!({"event": "start", "sequenceNumber": "1", "streamSid": sid, "start": {
                        "accountSid": "AC0", "streamSid": sid, "callSid": self.external_id,
                        "tracks": tracks, "customParameters": {"source": "replay"},
                        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}}}),
                ]
            }
            WireProtocol::Pcm => {
                let parties: Vec<_> = self.legs.iter().map(|(role, _)| role.as_str()).collect();
                vec![json!({"type": "start", "encoding": self.codec.as_str(),
                    "sample_rate_hz": self.sample_rate_hz, "channels": self.legs.len(),
                    "parties": parties, "external_id": self.external_id,
                    "attributes": {"source": "replay"}})]
            }
        };
        messages.into_iter().map(|message| Message::text(message.to_string())).collect()
    }

    /// The messages of one frame of 20 ms, counted from 0.
    pub fn frame(&self, index: u64) -> Vec<Message> {
        let from = index as usize * self.frame_bytes();
        let slice = |bytes: &'_ [u8]| -> Vec<u8> {
            let from = from.min(bytes.len());
            bytes[from..(from + self.frame_bytes()).min(bytes.len())].to_vec()
        };
        match self.protocol {
            WireProtocol::Twilio => {
                let message = |(leg, (role, bytes)): (usize, &(Role, Vec<u8>))| {
                    let number = 2 + index * self.legs.len() as u64 + leg as u64;
                    let message = json!({"event": "media", "sequenceNumber": number.to_string(),
                        "streamSid": self.stream_sid(), "media": {
                            "track": track(*role), "chunk": (index + 1).to_string(),
                            "timestamp": (index * FRAME_MS).to_string(),
                            "payload": STANDARD.encode(slice(bytes))}});
                    Message::text(message.to_string())
                };
                self.legs.iter().enumerate().map(message).collect()
            }
            WireProtocol::Pcm => {
                let parts: Vec<_> = self.legs.iter().map(|(_, bytes)| slice(bytes)).collect();
                let width = self.codec.bytes_per_sample();
                let samples = parts[0].len() / width;
                let mut interleaved = Vec::with_capacity(samples * width * parts.len());
                for sample in 0..samples {
                    for part in &parts {
                        interleaved.extend_from_slice(&part[sample * width..][..width]);
                    }
                }
                vec![Message::binary(interleaved)]
            }
        }
    }

    /// What ends the call.
    pub fn closing(&self) -> Message {
        let message = match self.protocol {
            WireProtocol::Twilio => json!({"event": "stop", "streamSid": self.stream_sid(),
                "sequenceNumber": (2 + self.frames() * self.legs.len() as u64).to_string(),
                "stop": {"accountSid": "AC0", "callSid": self.external_id}}),
            WireProtocol::Pcm => json!({"type": "stop"}),
        };
        Message::text(message.to_string())
    }

    fn frame_bytes(&self) -> usize {
        (u64::from(self.sample_rate_hz) * FRAME_MS / 1_000) as usize * self.codec.bytes_per_sample()
    }

    fn stream_sid(&self) -> String {
        self.external_id.replacen("CA", "MZ", 1)
    }
}

/// Twilio knows two sides only; a mixed recording goes as the caller's.
fn track(role: Role) -> &'static str {
    if role == Role::Agent { "outbound" } else { "inbound" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::telephony::{MediaProtocol, Output, pcm, twilio};

    fn mulaw_file() -> AudioFile {
        let bytes: Vec<u8> = (0..1_000u32).flat_map(|n| [(n % 127) as u8, 255]).collect();
        let mut linear = Vec::new();
        Codec::Mulaw.decode(&bytes, &mut linear);
        let channel = |index| linear.iter().skip(index).step_by(2).copied().collect();
        AudioFile {
            sample_rate_hz: 8_000,
            channels: vec![channel(0), channel(1)],
            g711: Some((Codec::Mulaw, bytes)),
            warnings: Vec::new(),
        }
    }

    /// Plays the whole script into the service's own parser: the roles and the audio of each leg.
    fn heard(script: &Script, parser: &mut dyn MediaProtocol) -> Vec<(Role, Vec<u8>)> {
        let mut messages = script.opening();
        messages.extend((0..script.frames()).flat_map(|index| script.frame(index)));
        messages.push(script.closing());
        let mut legs = Vec::new();
        for message in messages {
            match message {
                Message::Text(text) => parser.handle_text(Default::default(), &text),
                Message::Binary(bytes) => parser.handle_binary(Default::default(), bytes),
                _ => {}
            }
            while let Some(output) = parser.poll_output() {
                match output {
                    Output::Start(opening) => {
                        legs = opening.legs.iter().map(|leg| (leg.role, Vec::new())).collect();
                    }
                    Output::Audio { leg, payload, .. } => legs[leg].1.extend_from_slice(&payload),
                    Output::Reject(rejection) => panic!("{rejection:?}"),
                    _ => {}
                }
            }
        }
        legs
    }

    #[test]
    fn mulaw_goes_untouched_over_both_wires() {
        let file = mulaw_file();
        let customer: Vec<u8> = file.g711.as_ref().unwrap().1.iter().step_by(2).copied().collect();
        for (protocol, parser) in [
            (
                WireProtocol::Twilio,
                &mut twilio::Protocol::new(std::time::Duration::MAX / 2) as &mut dyn MediaProtocol,
            ),
            (WireProtocol::Pcm, &mut pcm::Protocol::new(std::time::Duration::MAX / 2)),
        ] {
            let roles = [Role::Customer, Role::Agent];
            let script = Script::new(&file, &roles, protocol, "CA1".to_owned()).unwrap();
            let legs = heard(&script, parser);
            assert_eq!(legs[0], (Role::Customer, customer.clone()), "{protocol:?}");
            assert_eq!(legs[1], (Role::Agent, vec![255; 1_000]));
        }
    }

    #[test]
    fn swapped_channels_reach_the_right_party() {
        for protocol in [WireProtocol::Twilio, WireProtocol::Pcm] {
            let roles = [Role::Agent, Role::Customer];
            let script = Script::new(&mulaw_file(), &roles, protocol, "CA1".to_owned()).unwrap();
            let patience = std::time::Duration::from_secs(9);
            let legs = match protocol {
                WireProtocol::Twilio => heard(&script, &mut twilio::Protocol::new(patience)),
                WireProtocol::Pcm => heard(&script, &mut pcm::Protocol::new(patience)),
            };
            assert_eq!(legs[0], (Role::Customer, vec![255; 1_000]), "{protocol:?}");
        }
    }

    #[test]
    fn other_rates_are_converted() {
        let file = AudioFile {
            sample_rate_hz: 44_100,
            channels: vec![vec![0.25; 44_100]],
            ..AudioFile::default()
        };
        let check = |protocol, codec, rate, bytes| {
            let script = Script::new(&file, &[Role::Mixed], protocol, "CA1".to_owned()).unwrap();
            assert_eq!((script.codec, script.sample_rate_hz), (codec, rate));
            assert_eq!((script.legs[0].1.len(), script.frames()), (bytes, 50));
        };
        check(WireProtocol::Twilio, Codec::Mulaw, 8_000, 8_000);
        check(WireProtocol::Pcm, Codec::PcmS16Le, 16_000, 32_000);
    }
}
