//! What the calls of a crowd say: turns of the recorded calls in ever new order, one party after the
//! other, with as much silence between them that each party speaks its share of the time.

use std::path::Path;

use anyhow::{Context, bail};
use backchannel::evaluate::live::Reference;
use backchannel::flow::audio::{AudioFile, Codec};

pub const FRAME_MS: u64 = 20;
/// µ-law at 8 kHz.
const BYTES_PER_MS: u64 = 8;
const FRAME_BYTES: usize = (FRAME_MS * BYTES_PER_MS) as usize;
const SILENCE: u8 = 0xff;
/// Before the first word, so that the gate knows the line.
const LEAD_MS: u64 = 500;
/// What of a recorded turn's surroundings is played with it.
const MARGIN_MS: u64 = 60;
const GAP_MIN_MS: u64 = 200;

/// One turn of the recordings.
struct Piece {
    audio: Vec<u8>,
    /// Where its speech lies in it.
    speech: (u64, u64),
}

pub struct Pieces(Vec<Piece>);

/// A turn as it is said in a call. Times are of the call.
#[derive(Clone, Copy, Debug)]
pub struct Said {
    pub leg: usize,
    pub start_ms: u64,
    /// Where its last voice ends.
    pub end_ms: u64,
}

/// Everything that one call says.
pub struct Talk {
    /// Customer and agent.
    legs: [Vec<u8>; 2],
    pub said: Vec<Said>,
}

impl Pieces {
    /// All turns of these recordings (8 kHz µ-law, with their references beside them).
    pub fn open(files: &[std::path::PathBuf]) -> anyhow::Result<Self> {
        let mut pieces = Vec::new();
        for path in files {
            pieces.extend(turns_of(path).with_context(|| path.display().to_string())?);
        }
        Ok(Self(pieces))
    }

    /// A call of this length. The same `number` says the same.
    pub fn talk(&self, number: u64, length_ms: u64, share: f64) -> Talk {
        let mut dice = Dice(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let mut deck: Vec<usize> = Vec::new();
        let mut legs = [Vec::new(), Vec::new()];
        let mut said = Vec::new();
        // Not all calls begin alike.
        let first_ms = LEAD_MS + dice.below(1_000);
        let mut at_ms = first_ms;
        let mut spoken_ms = 0;
        let mut leg = 1;
        loop {
            if deck.is_empty() {
                deck = (0..self.0.len()).collect();
                for index in (1..deck.len()).rev() {
                    deck.swap(index, dice.below(index as u64 + 1) as usize);
                }
            }
            // The last turn ends early enough to become a final by silence.
            let fits = |index: &usize| {
                at_ms + self.0[*index].audio.len() as u64 / BYTES_PER_MS + 1_000 <= length_ms
            };
            let Some(next) = deck.iter().rposition(fits) else { break };
            let piece = &self.0[deck.remove(next)];
            let piece_ms = piece.audio.len() as u64 / BYTES_PER_MS;
            let audio: &mut Vec<u8> = &mut legs[leg];
            audio.resize((at_ms * BYTES_PER_MS) as usize, SILENCE);
            audio.extend_from_slice(&piece.audio);
            let (start_ms, end_ms) = (at_ms + piece.speech.0, at_ms + piece.speech.1);
            said.push(Said { leg, start_ms, end_ms });
            spoken_ms += end_ms - start_ms;
            at_ms += piece_ms;
            // Two parties of this share would have come so far by now.
            let target_ms = first_ms + (spoken_ms as f64 / (2.0 * share)) as u64;
            let jitter = 0.5 + dice.below(1_000) as f64 / 1_000.0;
            let gap_ms = target_ms.saturating_sub(at_ms) as f64 * jitter;
            at_ms += (gap_ms as u64).max(GAP_MIN_MS);
            leg = 1 - leg;
        }
        for audio in &mut legs {
            audio.resize((length_ms * BYTES_PER_MS) as usize, SILENCE);
        }
        Talk { legs, said }
    }
}

impl Talk {
    pub fn frames(&self) -> u64 {
        self.legs[0].len() as u64 / FRAME_BYTES as u64
    }

    /// Milliseconds of speech of each party.
    pub fn spoken_ms(&self) -> [u64; 2] {
        [0, 1].map(|leg| {
            self.said.iter().filter(|said| said.leg == leg).map(|s| s.end_ms - s.start_ms).sum()
        })
    }

    /// Appends frame `number` as a masked WebSocket message (RFC 6455, 5.2) with the mask 0.
    pub fn put_frame(&self, number: u64, out: &mut Vec<u8>) {
        let from = number as usize * FRAME_BYTES;
        out.extend_from_slice(&[0x82, 0xfe]);
        out.extend_from_slice(&(2 * FRAME_BYTES as u16).to_be_bytes());
        out.extend_from_slice(&[0; 4]);
        let [left, right] = [0, 1].map(|leg| &self.legs[leg][from..from + FRAME_BYTES]);
        out.extend(left.iter().zip(right).flat_map(|(left, right)| [*left, *right]));
    }
}

/// The same for what isn't audio. Up to 65 kB.
pub fn put_text(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(&[0x81, 0xfe]);
    out.extend_from_slice(&(text.len() as u16).to_be_bytes());
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(text.as_bytes());
}

fn turns_of(path: &Path) -> anyhow::Result<Vec<Piece>> {
    let file = AudioFile::open(path)?;
    let reference = std::fs::read_to_string(path.with_extension("json"))?;
    let reference: Reference = serde_json::from_str(&reference)?;
    let Some((Codec::Mulaw, bytes)) = &file.g711 else { bail!("not µ-law") };
    let channels = file.channels.len();
    let piece = |turn: &backchannel::evaluate::live::ReferenceTurn| {
        let channel = usize::from(turn.speaker == "agent");
        let end_ms = turn.speech_end_ms.unwrap_or(turn.end_ms);
        let from_ms = turn.start_ms.saturating_sub(MARGIN_MS);
        let audio: Vec<u8> = bytes
            .iter()
            .skip(channel)
            .step_by(channels)
            .skip((from_ms * BYTES_PER_MS) as usize)
            .take(((end_ms + MARGIN_MS - from_ms) * BYTES_PER_MS) as usize)
            .copied()
            .collect();
        Piece { audio, speech: (turn.start_ms - from_ms, end_ms - from_ms) }
    };
    Ok(reference.turns.iter().map(piece).collect())
}

/// A xorshift generator: the same calls in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end.max(1)
    }
}
