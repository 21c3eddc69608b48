//! One RTP stream of G.711 (RFC 3550, 3551): order out of what arrives, and the sender's own clock.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;

use super::sdp::Format;
use crate::flow::audio::Codec;

const HEADER_BYTES: usize = 12;
const SAMPLES_PER_MS: u64 = 8;
/// So many packets wait for one that is missing, and for so long: five are 100 ms.
const HELD_MAX: usize = 5;
const HOLD: Duration = Duration::from_millis(100);
/// A source that was silent for so long may be another one from now on.
const LOCK: Duration = Duration::from_millis(500);
/// No more audio is taken than a clock brings that is an eighth too fast, and so much at once.
const SAMPLES_PER_MS_MAX: u64 = 9;
const BURST_SAMPLES: u64 = 10_000 * SAMPLES_PER_MS;
/// A number this far back is no late packet: the sender has begun anew (RFC 3550, A.1).
const LATEST: u64 = 100;
/// Where the sender left silence out, up to so much is put in its place; a longer one only moves
/// the clock.
const SILENCE_MAX_SAMPLES: u64 = 5_000 * SAMPLES_PER_MS;
/// Comfort noise (RFC 3389).
const COMFORT_NOISE: u8 = 13;

/// Datagrams in, payloads with the stream's clock out. No socket, no clock of its own.
pub struct RtpStream {
    format: Format,
    events: Option<u8>,
    source: Option<Source>,
    allowance: Allowance,
    pub dropped: u64,
    pub keys: u64,
}

/// What a sender may still send: a flood is no speech.
struct Allowance {
    samples: u64,
    at: Duration,
}

impl Allowance {
    fn refill(&mut self, now: Duration) {
        let passed_ms = now.saturating_sub(self.at).as_millis() as u64;
        self.at += Duration::from_millis(passed_ms);
        self.samples = (self.samples + passed_ms * SAMPLES_PER_MS_MAX).min(BURST_SAMPLES);
    }

    fn spend(&mut self, samples: usize) -> bool {
        let left = self.samples.checked_sub(samples as u64);
        self.samples = left.unwrap_or(self.samples);
        left.is_some()
    }
}

/// The one sender whose packets count.
struct Source {
    ssrc: u32,
    heard_at: Duration,
    /// The newest numbers, counted on where the wire's wrap around.
    newest_sequence: u64,
    newest_timestamp: u64,
    next_sequence: u64,
    /// The timestamp where the audio so far ends.
    next_timestamp: u64,
    /// This timestamp is so many milliseconds after the call's beginning.
    base_timestamp: u64,
    base_ms: u64,
    /// Where the sender may have begun anew: two in a row have to say so.
    anew: Option<u16>,
    held: BTreeMap<u64, Held>,
    last_event: Option<u32>,
}

/// A packet that waits for one before it.
struct Held {
    arrived: Duration,
    timestamp: u64,
    content: Content,
}

enum Content {
    Audio(Bytes),
    /// It takes a number, but no time.
    Nothing,
}

struct Packet<'a> {
    payload_type: u8,
    sequence: u16,
    timestamp: u32,
    ssrc: u32,
    payload: &'a [u8],
}

impl<'a> Packet<'a> {
    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (head, mut rest) = bytes.split_at_checked(HEADER_BYTES)?;
        if head[0] >> 6 != 2 {
            return None;
        }
        let sources = usize::from(head[0] & 0x0F);
        rest = rest.get(sources * 4..)?;
        if head[0] & 0x10 != 0 {
            let [_, _, high, low, ..] = rest[..] else { return None };
            let words = usize::from(u16::from_be_bytes([high, low]));
            rest = rest.get(4 + words * 4..)?;
        }
        if head[0] & 0x20 != 0 {
            let padding = usize::from(*rest.last()?);
            rest = rest.get(..rest.len().checked_sub(padding)?)?;
        }
        Some(Self {
            payload_type: head[1] & 0x7F,
            sequence: u16::from_be_bytes([head[2], head[3]]),
            timestamp: u32::from_be_bytes([head[4], head[5], head[6], head[7]]),
            ssrc: u32::from_be_bytes([head[8], head[9], head[10], head[11]]),
            payload: rest,
        })
    }
}

impl RtpStream {
    pub fn new(format: Format, events: Option<u8>) -> Self {
        let allowance = Allowance { samples: BURST_SAMPLES, at: Duration::ZERO };
        Self { format, events, source: None, allowance, dropped: 0, keys: 0 }
    }

    /// Takes one datagram; `now` counts from the call's beginning. Appends what is ready to `out`.
    /// Answers whether it was this stream's.
    pub fn handle(&mut self, now: Duration, bytes: &[u8], out: &mut Vec<(u64, Bytes)>) -> bool {
        let taken = Packet::parse(bytes).is_some_and(|packet| self.take(now, &packet, out));
        if !taken {
            self.dropped += 1;
        }
        taken
    }

    /// Time passes: what waits too long is given up.
    pub fn tick(&mut self, now: Duration, out: &mut Vec<(u64, Bytes)>) {
        if let Some(source) = &mut self.source {
            source.settle(now, self.format.codec, &mut self.allowance, out);
        }
    }

    /// Gives up waiting.
    pub fn flush(&mut self, out: &mut Vec<(u64, Bytes)>) {
        if let Some(source) = &mut self.source {
            source.settle(Duration::MAX, self.format.codec, &mut self.allowance, out);
        }
    }

    fn take(&mut self, now: Duration, packet: &Packet, out: &mut Vec<(u64, Bytes)>) -> bool {
        let content = match packet.payload_type {
            audio if audio == self.format.payload_type => {
                Content::Audio(Bytes::copy_from_slice(packet.payload))
            }
            event if Some(event) == self.events => Content::Nothing,
            COMFORT_NOISE => Content::Nothing,
            _ => return false,
        };
        let other = self.source.as_ref().is_some_and(|source| source.ssrc != packet.ssrc);
        if other {
            let quiet = self.source.as_ref().is_some_and(|source| now >= source.heard_at + LOCK);
            if !quiet {
                return false;
            }
            self.flush(out);
        }
        if other || self.source.is_none() {
            self.source = Some(Source::begin(now, packet, self.source.take()));
        }
        let Some(source) = &mut self.source else { return false };
        source.heard_at = now;
        if Some(packet.payload_type) == self.events && source.last_event != Some(packet.timestamp) {
            // A key's packets all have the time of its beginning.
            source.last_event = Some(packet.timestamp);
            self.keys += 1;
        }
        let Some((sequence, timestamp)) = source.count_on(packet) else {
            // Far back: the sender has begun anew, if the next packet agrees.
            if source.anew != Some(packet.sequence) {
                source.anew = Some(packet.sequence.wrapping_add(1));
                return false;
            }
            self.flush(out);
            self.source = Some(Source::begin(now, packet, self.source.take()));
            return self.take(now, packet, out);
        };
        source.anew = None;
        if sequence < source.next_sequence || source.held.contains_key(&sequence) {
            return false;
        }
        self.allowance.refill(now);
        if !self.allowance.spend(packet.payload.len()) {
            return false;
        }
        source.held.insert(sequence, Held { arrived: now, timestamp, content });
        source.settle(now, self.format.codec, &mut self.allowance, out);
        true
    }
}

impl Source {
    /// The audio goes on where the one before ended, or where the call is by now.
    fn begin(now: Duration, packet: &Packet, before: Option<Self>) -> Self {
        // Far from 0, so that what is older counts down.
        const AWAY: u64 = 1 << 40;
        let sequence = AWAY + u64::from(packet.sequence);
        let timestamp = AWAY + u64::from(packet.timestamp);
        let ended_ms = before.map_or(0, |before| before.ms(before.next_timestamp));
        Self {
            ssrc: packet.ssrc,
            heard_at: now,
            newest_sequence: sequence,
            newest_timestamp: timestamp,
            next_sequence: sequence,
            next_timestamp: timestamp,
            base_timestamp: timestamp,
            base_ms: (now.as_millis() as u64).max(ended_ms),
            anew: None,
            held: BTreeMap::new(),
            last_event: None,
        }
    }

    /// The packet's numbers, counted on. `None` when it is much too far back.
    fn count_on(&mut self, packet: &Packet) -> Option<(u64, u64)> {
        let ahead = packet.sequence.wrapping_sub(self.newest_sequence as u16) as i16;
        let sequence = self.newest_sequence.saturating_add_signed(i64::from(ahead));
        if sequence + LATEST < self.next_sequence {
            return None;
        }
        let ahead = packet.timestamp.wrapping_sub(self.newest_timestamp as u32) as i32;
        let timestamp = self.newest_timestamp.saturating_add_signed(i64::from(ahead));
        if sequence >= self.newest_sequence {
            (self.newest_sequence, self.newest_timestamp) = (sequence, timestamp);
        }
        Some((sequence, timestamp))
    }

    /// Releases what follows, and gives up on what others have waited for too long.
    fn settle(
        &mut self,
        now: Duration,
        codec: Codec,
        allowance: &mut Allowance,
        out: &mut Vec<(u64, Bytes)>,
    ) {
        loop {
            let first = self.held.first_key_value().map(|(sequence, _)| *sequence);
            let follows = first == Some(self.next_sequence);
            let oldest = self.held.values().map(|held| held.arrived).min();
            let too_old = oldest.is_some_and(|arrived| now >= arrived + HOLD);
            if !(follows || too_old || self.held.len() > HELD_MAX) {
                return;
            }
            let Some((sequence, held)) = self.held.pop_first() else { return };
            self.release(sequence, held, codec, allowance, out);
        }
    }

    fn release(
        &mut self,
        sequence: u64,
        held: Held,
        codec: Codec,
        allowance: &mut Allowance,
        out: &mut Vec<(u64, Bytes)>,
    ) {
        let Held { timestamp, content, .. } = held;
        let follows = sequence == self.next_sequence;
        self.next_sequence = sequence + 1;
        let Content::Audio(payload) = content else { return };
        let left_out = timestamp.saturating_sub(self.next_timestamp);
        if follows
            && (1..=SILENCE_MAX_SAMPLES).contains(&left_out)
            && allowance.spend(left_out as usize)
        {
            // No packet is missing: the sender left silence out.
            let silence = if codec == Codec::Alaw { 0xD5 } else { 0xFF };
            out.push((self.ms(self.next_timestamp), vec![silence; left_out as usize].into()));
        }
        self.next_timestamp = timestamp + payload.len() as u64;
        if !payload.is_empty() {
            out.push((self.ms(timestamp), payload));
        }
    }

    fn ms(&self, timestamp: u64) -> u64 {
        let since = timestamp.saturating_sub(self.base_timestamp);
        self.base_ms + since / SAMPLES_PER_MS
    }
}

/// Whether a datagram may come from there: from who signals, or from where the offer says.
pub fn may_send(from: SocketAddr, signals: SocketAddr, offered: Option<std::net::IpAddr>) -> bool {
    let from = from.ip().to_canonical();
    from == signals.ip().to_canonical() || Some(from) == offered.map(|ip| ip.to_canonical())
}
