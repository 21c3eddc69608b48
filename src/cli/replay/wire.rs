//! A recording as the messages of a media wire. Pure: the player only adds the clock.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::domain::Role;
use crate::evaluate::live::FRAME_MS;
use crate::flow::audio::{AudioError, AudioFile, Codec, sample_to_i16};

/// AudioHook wants an organisation and a participant to be named.
const REPLAY_ID: &str = "5e91a700-0000-4000-8000-000000000001";

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum WireProtocol {
    /// Twilio Media Streams: 8 kHz µ-law in JSON.
    Twilio,
    /// The plain WebSocket: raw samples in binary messages.
    Pcm,
    /// Azure Communication Services: 16 kHz samples of each participant in JSON.
    Acs,
    /// Genesys AudioHook: interleaved 8 kHz µ-law in binary messages.
    #[value(name = "audiohook")]
    AudioHook,
}

impl WireProtocol {
    pub const fn path(self) -> &'static str {
        match self {
            Self::Twilio => "/v1/media/twilio",
            Self::Pcm => "/v1/media/pcm",
            Self::Acs => "/v1/media/acs",
            Self::AudioHook => "/v1/media/audiohook",
        }
    }

    /// What a call with this number is called on the wire.
    pub fn external_id(self, number: u128) -> String {
        match self {
            Self::Twilio => format!("CA{number:032x}"),
            Self::Pcm => format!("replay-{number:032x}"),
            Self::Acs | Self::AudioHook => {
                let hex = format!("{number:032x}");
                let [a, b, c, d] = [&hex[..8], &hex[8..12], &hex[13..16], &hex[17..20]];
                // A random UUID, as version 4 has it.
                format!("{a}-{b}-4{c}-8{d}-{}", &hex[20..])
            }
        }
    }

    /// What the service has to say before it may be sent audio.
    pub const fn waits_for(self) -> Option<&'static str> {
        match self {
            Self::AudioHook => Some("opened"),
            _ => None,
        }
    }

    /// What the service says when everything is durable. Wires without a word for it are closed.
    pub const fn ends_with(self) -> Option<&'static str> {
        match self {
            Self::Twilio | Self::Acs => None,
            Self::Pcm => Some("stopped"),
            Self::AudioHook => Some("closed"),
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
            (WireProtocol::Acs, _) => (Codec::PcmS16Le, 16_000),
            (WireProtocol::Twilio | WireProtocol::AudioHook, _) | (WireProtocol::Pcm, Some(_)) => {
                (Codec::Mulaw, 8_000)
            }
            (WireProtocol::Pcm, None) if file.sample_rate_hz <= 8_000 => (Codec::PcmS16Le, 8_000),
            (WireProtocol::Pcm, None) => (Codec::PcmS16Le, 16_000),
        };
        let untouched = untouched.filter(|_| codec == Codec::Mulaw);
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
            WireProtocol::Acs => {
                vec![json!({"kind": "AudioMetadata", "audioMetadata": {
                    "subscriptionId": self.external_id, "encoding": "PCM", "channels": 1,
                    "sampleRate": self.sample_rate_hz, "length": self.frame_bytes()}})]
            }
            WireProtocol::AudioHook => {
                let channels: Vec<_> = self.legs.iter().map(|(role, _)| channel(*role)).collect();
                let media = json!({"type": "audio", "format": "PCMU", "channels": channels,
                    "rate": self.sample_rate_hz});
                vec![self.hook(
                    1,
                    "open",
                    json!({
                    "organizationId": REPLAY_ID, "conversationId": self.external_id,
                    "participant": {"id": REPLAY_ID, "ani": "", "aniName": "", "dnis": ""},
                    "media": [media], "customConfig": {"source": "replay"}}),
                )]
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
            WireProtocol::Acs => {
                let stamp =
                    Timestamp::UNIX_EPOCH + SignedDuration::from_millis((index * FRAME_MS) as i64);
                let message = |(role, bytes): &(Role, Vec<u8>)| {
                    let mut data = json!({"timestamp": stamp.to_string(), "silent": false,
                        "data": STANDARD.encode(slice(bytes))});
                    if let Some(id) = raw_id(*role) {
                        data["participantRawID"] = id.into();
                    }
                    Message::text(json!({"kind": "AudioData", "audioData": data}).to_string())
                };
                self.legs.iter().map(message).collect()
            }
            WireProtocol::Pcm | WireProtocol::AudioHook => {
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
            WireProtocol::AudioHook => self.hook(2, "close", json!({"reason": "end"})),
            WireProtocol::Acs => {
                let (code, reason) = (CloseCode::Normal, "".into());
                return Message::Close(Some(CloseFrame { code, reason }));
            }
        };
        Message::text(message.to_string())
    }

    fn frame_bytes(&self) -> usize {
        (u64::from(self.sample_rate_hz) * FRAME_MS / 1_000) as usize * self.codec.bytes_per_sample()
    }

    /// A client message of AudioHook. The service has said one thing, `opened`, before the second.
    fn hook(&self, seq: u64, kind: &str, parameters: Value) -> Value {
        let position = (seq - 1) * self.frames() * FRAME_MS;
        json!({"version": "2", "id": self.external_id, "type": kind, "seq": seq,
            "serverseq": seq - 1, "parameters": parameters,
            "position": format!("PT{}.{:03}S", position / 1_000, position % 1_000)})
    }

    fn stream_sid(&self) -> String {
        self.external_id.replacen("CA", "MZ", 1)
    }
}

/// Twilio knows two sides only; a mixed recording goes as the caller's.
fn track(role: Role) -> &'static str {
    if role == Role::Agent { "outbound" } else { "inbound" }
}

/// AudioHook's channels, in the same way.
fn channel(role: Role) -> &'static str {
    if role == Role::Agent { "internal" } else { "external" }
}

/// Made-up participants of ACS; a mixed recording has none.
fn raw_id(role: Role) -> Option<&'static str> {
    match role {
        Role::Agent => Some("8:acs:replay-agent"),
        Role::Mixed => None,
        _ => Some("4:+15550100"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::telephony::{MediaProtocol, Output, acs, audiohook, pcm, twilio};
    use crate::flow::driver::Control;

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
                        parser.handle_opened(&"c-1".into());
                    }
                    Output::Control(Control::Join(leg)) => legs.push((leg.role, Vec::new())),
                    Output::Audio { leg, payload, .. } => legs[leg].1.extend_from_slice(&payload),
                    Output::Reject(rejection) => panic!("{rejection:?}"),
                    _ => {}
                }
            }
        }
        legs
    }

    fn parser(protocol: WireProtocol) -> Box<dyn MediaProtocol> {
        let patience = std::time::Duration::from_secs(9);
        match protocol {
            WireProtocol::Twilio => Box::new(twilio::Protocol::new(patience)),
            WireProtocol::Pcm => Box::new(pcm::Protocol::new(patience)),
            WireProtocol::Acs => Box::new(acs::Protocol::new(patience, acs::Note::default())),
            WireProtocol::AudioHook => Box::new(audiohook::Protocol::new(
                patience,
                audiohook::Upgrade::default(),
                audiohook::Feedback::default(),
            )),
        }
    }

    #[test]
    fn mulaw_goes_untouched_over_the_wires_that_have_it() {
        let file = mulaw_file();
        let customer: Vec<u8> = file.g711.as_ref().unwrap().1.iter().step_by(2).copied().collect();
        for protocol in [WireProtocol::Twilio, WireProtocol::Pcm, WireProtocol::AudioHook] {
            let roles = [Role::Customer, Role::Agent];
            let script = Script::new(&file, &roles, protocol, "CA1".to_owned()).unwrap();
            let legs = heard(&script, &mut *parser(protocol));
            assert_eq!(legs[0], (Role::Customer, customer.clone()), "{protocol:?}");
            assert_eq!(legs[1], (Role::Agent, vec![255; 1_000]));
        }
    }

    #[test]
    fn swapped_channels_reach_the_right_party() {
        for protocol in [WireProtocol::Twilio, WireProtocol::Pcm, WireProtocol::AudioHook] {
            let roles = [Role::Agent, Role::Customer];
            let script = Script::new(&mulaw_file(), &roles, protocol, "CA1".to_owned()).unwrap();
            let legs = heard(&script, &mut *parser(protocol));
            assert_eq!(legs[0], (Role::Customer, vec![255; 1_000]), "{protocol:?}");
        }
    }

    #[test]
    fn acs_hears_both_participants_in_linear_samples() {
        let roles = [Role::Agent, Role::Customer];
        let script = Script::new(&mulaw_file(), &roles, WireProtocol::Acs, "x".to_owned()).unwrap();
        let legs = heard(&script, &mut *parser(WireProtocol::Acs));
        let [(Role::Customer, customer), (Role::Agent, agent)] = &legs[..] else {
            panic!("{:?}", legs.iter().map(|(role, _)| role).collect::<Vec<_>>())
        };
        assert_eq!((customer.len(), agent.len()), (4_000, 4_000), "1000 samples at twice the rate");
        // The customer's channel is µ-law silence.
        assert!(customer.iter().all(|byte| *byte == 0) && agent.iter().any(|byte| *byte != 0));
    }

    #[test]
    fn a_call_is_named_in_the_way_of_its_wire() {
        let number = 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef;
        let name = |protocol: WireProtocol| protocol.external_id(number);
        assert_eq!(name(WireProtocol::Twilio), "CA0123456789abcdef0123456789abcdef");
        assert_eq!(name(WireProtocol::AudioHook), "01234567-89ab-4def-8123-456789abcdef");
        assert_eq!(name(WireProtocol::Acs), name(WireProtocol::AudioHook));
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
