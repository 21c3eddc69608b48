use std::collections::VecDeque;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::listen::{Format, Listen};
use super::wav;
use super::wire::{self, ChannelIndex, ClientMessage, Origin};
use crate::connect::telephony::{Interleaved, Line, MediaProtocol, Opening, Rejection, unreadable};
use crate::domain::{Direction, EndReason, Partial, Party, Role, Turn};
use crate::flow::audio::{Codec, sample_to_i16};
use crate::flow::driver::{Control, LegSpec, News};

/// An onset without words may be a cough: it holds an `UtteranceEnd` up for no longer than this.
const ONSET_HOLD_MS: u64 = 3_000;

/// Until the audio has said what it is; no time passes in it, for there is no audio.
const UNKNOWN: Format = Format { codec: Codec::PcmS16Le, sample_rate_hz: 8_000, channels: 1 };

/// One `/v1/listen` connection: audio in, `Results` out.
///
/// The call begins with the first audio, so that a connection which brings none leaves no trace.
pub struct Protocol {
    line: Line,
    listen: Listen,
    /// As the query or the audio says; then a party's role for each channel of the results.
    format: Format,
    roles: Vec<Role>,
    /// The beginning of a WAV file whose format hasn't come yet.
    head: Option<BytesMut>,
    origin: Origin,
    /// When the connection was opened, for `Metadata`.
    created: String,
    interleaved: Interleaved,
    channels: Vec<Channel>,
    /// Bytes of audio so far, and their hash.
    taken: u64,
    hash: Sha256,
    turns: usize,
    /// For each `Finalize` that isn't answered yet: so many turns there will be with its last.
    finalizing: VecDeque<usize>,
}

#[derive(Clone, Debug, Default)]
struct Channel {
    /// End of the last words, until `UtteranceEnd` was sent for them.
    words_end_ms: Option<u64>,
    /// Up to here something may be being said.
    speaking_until_ms: u64,
}

impl Protocol {
    pub fn new(patience: Duration, listen: Listen, request_id: &str, created: &str) -> Self {
        Self {
            line: Line::new(patience),
            origin: Origin { request_id: request_id.to_owned(), punctuate: listen.punctuate },
            created: created.to_owned(),
            interleaved: Interleaved::new(1, 1),
            channels: vec![Channel::default()],
            format: listen.format.unwrap_or(UNKNOWN),
            roles: Vec::new(),
            head: listen.format.is_none().then(BytesMut::new),
            listen,
            taken: 0,
            hash: Sha256::new(),
            turns: 0,
            finalizing: VecDeque::new(),
        }
    }

    /// The first audio: it may say its format by itself. Returns the samples in it, once they begin.
    fn begin(&mut self, now: Duration, bytes: Bytes) -> Result<Option<Bytes>, Rejection> {
        let undecodable =
            |reason: String| Rejection::new(Rejection::POLICY, format!("DATA-0000: {reason}"));
        let mut samples = bytes;
        // Some clients name the encoding and send the file with its head all the same.
        if self.head.is_none() && wav::is_wav(&samples) {
            self.head = Some(BytesMut::new());
        }
        if let Some(head) = &mut self.head {
            head.extend_from_slice(&samples);
            let Some((format, at)) = wav::parse_head(head).map_err(undecodable)? else {
                return Ok(None);
            };
            self.format = format;
            samples = head.split_off(at).freeze();
            self.head = None;
        }
        self.roles = self.listen.roles(self.format).map_err(undecodable)?;
        self.interleaved =
            Interleaved::new(self.format.channels, self.format.codec.bytes_per_sample());
        self.channels = vec![Channel::default(); self.roles.len()];
        self.line.start(now, self.opening());
        Ok(Some(samples))
    }

    fn opening(&self) -> Opening {
        let (listen, format) = (&self.listen, self.format);
        let mut attributes = listen.notes.attributes.clone();
        attributes.insert("request_id".to_owned(), self.origin.request_id.clone());
        // A mix is made of samples, whatever the channels were coded in.
        let codec = if self.is_mixed() { Codec::PcmS16Le } else { format.codec };
        let sample_rate_hz = format.sample_rate_hz;
        let leg = |&role: &Role| LegSpec { role, name: None, codec, sample_rate_hz };
        Opening {
            external_id: listen.notes.external_id.clone().or(Some(self.origin.request_id.clone())),
            direction: listen.notes.direction.unwrap_or(Direction::Inbound),
            legs: self.roles.iter().map(leg).collect(),
            attributes,
            wants_news: true,
        }
    }

    fn is_mixed(&self) -> bool {
        self.format.channels > self.roles.len()
    }

    fn read(&mut self, now: Duration, text: &str) -> Result<(), Rejection> {
        let message: ClientMessage =
            serde_json::from_str(text).map_err(|error| unreadable(&error))?;
        match message.r#type.as_str() {
            "KeepAlive" => self.line.heard(now),
            "Finalize" if self.line.is_live() => self.line.control(Control::Flush),
            "Finalize" => self.say(&self.origin.nothing(self.index(0), 0)),
            "CloseStream" => {
                if self.line.is_waiting() {
                    // Without a call nothing has to be finished first.
                    self.say_metadata();
                }
                self.line.stop(EndReason::Hangup);
            }
            "Configure" => self.configure(&message),
            _ => {}
        }
        Ok(())
    }

    fn configure(&mut self, message: &ClientMessage) {
        if message.keyterms.is_some() {
            self.say(&wire::no_keyterms(&self.origin.request_id));
            return;
        }
        let features = message.features.iter().flatten();
        for (name, on) in features {
            if matches!(name.as_str(), "punctuate" | "smart_format") {
                self.origin.punctuate = *on;
            }
        }
        self.say(&wire::configured(&self.origin.request_id));
    }

    fn hear(&mut self, bytes: Bytes) {
        self.taken += bytes.len() as u64;
        self.hash.update(&bytes);
        let payloads = self.interleaved.split(bytes);
        if self.is_mixed() {
            self.line.audio(0, None, mix(self.format.codec, &payloads));
        } else {
            for (leg, payload) in payloads.into_iter().enumerate() {
                self.line.audio(leg, None, payload);
            }
        }
        self.end_utterances();
    }

    /// The clock: the audio so far.
    fn now_ms(&self) -> u64 {
        let Format { sample_rate_hz, .. } = self.format;
        self.taken / self.format.frame_bytes() as u64 * 1_000 / u64::from(sample_rate_hz)
    }

    fn onset(&mut self, channel: usize, start_ms: u64) {
        self.channels[channel].speaking_until_ms = start_ms + ONSET_HOLD_MS;
        if self.listen.vad_events {
            self.say(&wire::speech_started(channel, start_ms));
        }
    }

    fn partial(&mut self, channel: usize, partial: &Partial) {
        let now_ms = self.now_ms();
        let goes_on = !partial.text.as_str().is_empty();
        self.channels[channel].speaking_until_ms = if goes_on { now_ms + ONSET_HOLD_MS } else { 0 };
        if self.listen.interim_results {
            self.say(&self.origin.of_partial(self.index(channel), partial, now_ms));
        }
    }

    fn turn(&mut self, channel: usize, turn: &Turn) {
        self.turns += 1;
        let from_finalize = self.finalizing.front().is_some_and(|turns| *turns <= self.turns);
        while self.finalizing.front().is_some_and(|turns| *turns <= self.turns) {
            self.finalizing.pop_front();
        }
        self.say(&self.origin.of_turn(self.index(channel), turn, from_finalize));
        let words_end_ms = turn.words.last().map_or(turn.end_ms, |word| word.end_ms);
        self.channels[channel] = Channel { words_end_ms: Some(words_end_ms), speaking_until_ms: 0 };
        self.end_utterances();
    }

    fn flushed(&mut self, turns: usize) {
        if turns > self.turns {
            self.finalizing.push_back(turns);
        } else {
            self.say(&self.origin.nothing(self.index(0), self.now_ms()));
        }
    }

    /// Says `UtteranceEnd` where there was silence for long enough after the last words.
    fn end_utterances(&mut self) {
        let Some(silence_ms) = self.listen.utterance_end_ms else { return };
        let now_ms = self.now_ms();
        for number in 0..self.channels.len() {
            let channel = &mut self.channels[number];
            let Some(end_ms) = channel.words_end_ms else { continue };
            if now_ms >= end_ms + silence_ms && now_ms >= channel.speaking_until_ms {
                channel.words_end_ms = None;
                self.say(&wire::utterance_end(self.index(number), end_ms));
            }
        }
    }

    fn say_metadata(&mut self) {
        let hash: [u8; 32] = self.hash.clone().finalize().into();
        let Origin { request_id, .. } = &self.origin;
        let metadata =
            wire::metadata(request_id, &hash, &self.created, self.now_ms(), self.format.channels);
        self.say(&metadata);
    }

    fn refuse(&mut self, rejection: Rejection) {
        self.say(&wire::error(&rejection.reason));
        self.line.reject(rejection);
    }

    fn say(&mut self, message: &Value) {
        self.line.send(message.to_string());
    }

    fn index(&self, channel: usize) -> ChannelIndex {
        [channel, self.channels.len()]
    }

    /// Parties are numbered as their legs are: `p-1` is the first.
    fn channel_of(&self, party: &Party) -> Option<usize> {
        let number: usize = party.id.as_str().strip_prefix("p-")?.parse().ok()?;
        number.checked_sub(1).filter(|channel| *channel < self.channels.len())
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
        if let Err(rejection) = self.read(now, text) {
            self.refuse(rejection);
        }
    }

    fn handle_binary(&mut self, now: Duration, bytes: Bytes) {
        if self.line.is_over() || bytes.is_empty() {
            return;
        }
        self.line.heard(now);
        let samples = match self.line.is_waiting() {
            true => self.begin(now, bytes),
            false => Ok(Some(bytes)),
        };
        match samples {
            Ok(samples) => samples.into_iter().for_each(|samples| self.hear(samples)),
            Err(rejection) => self.refuse(rejection),
        }
    }

    fn handle_news(&mut self, news: &News) {
        match news {
            News::Onset { party, start_ms } => {
                if let Some(channel) = self.channel_of(party) {
                    self.onset(channel, *start_ms);
                }
            }
            News::Partial(partial) => {
                if let Some(channel) = self.channel_of(&partial.party) {
                    self.partial(channel, partial);
                }
            }
            News::Turn(turn) => {
                if let Some(channel) = self.channel_of(&turn.party) {
                    self.turn(channel, turn);
                }
            }
            News::Flushed { turns } => self.flushed(*turns),
            // Cards are for agents; these clients know nothing of them.
            News::Card(_) => {}
        }
    }

    fn handle_finished(&mut self, _turns: usize) {
        self.say_metadata();
    }
}

/// All channels as one.
fn mix(codec: Codec, payloads: &[Bytes]) -> Bytes {
    let mut sum: Vec<f32> = Vec::new();
    let mut samples = Vec::new();
    for payload in payloads {
        samples.clear();
        codec.decode(payload, &mut samples);
        sum.resize(samples.len(), 0.0);
        for (sum, sample) in sum.iter_mut().zip(&samples) {
            *sum += sample;
        }
    }
    let share = 1.0 / payloads.len().max(1) as f32;
    let mut mixed = Vec::with_capacity(sum.len() * 2);
    for sample in sum {
        Codec::PcmS16Le.encode(sample_to_i16(sample * share), &mut mixed);
    }
    mixed.into()
}
