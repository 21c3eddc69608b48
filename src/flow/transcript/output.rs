//! What a leg wants done, and what it has found.

use crate::domain::TurnId;

use super::guards::Rejected;
use super::utterance::SpokenTurn;

/// Names one decoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// What a decoding is for, most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// Somebody waits for it.
    Final,
    /// Becomes the final if nobody speaks on.
    Early,
    /// May be late or never come.
    Partial,
}

/// What a leg wants done, or has found.
#[derive(Debug)]
pub enum LegOutput {
    /// Decode these 16 kHz samples and bring the answer to `Leg::decoded`.
    Decode {
        ticket: Ticket,
        purpose: Purpose,
        samples: Vec<f32>,
    },
    /// A partial that nobody has begun to decode is to be of these samples: the latest wins.
    Renew {
        ticket: Ticket,
        samples: Vec<f32>,
    },
    /// An early decoding has become the final one.
    Promote(Ticket),
    /// Nobody wants it any more.
    Cancel(Ticket),
    Partial {
        turn_id: TurnId,
        start_ms: u64,
        text: String,
        stable_words: usize,
    },
    Turn(SpokenTurn),
    /// Somebody begins to speak, or something sounds like it.
    Onset {
        start_ms: u64,
    },
    /// What was shown of this turn was no speech.
    Withdrawn {
        turn_id: TurnId,
        start_ms: u64,
    },
    /// Something was heard and not believed.
    Rejected(Rejected),
    /// This stretch was said, and the recogniser failed on it.
    Undecoded {
        start_ms: u64,
        lost_ms: u64,
    },
}
