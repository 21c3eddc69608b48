//! One thing that somebody says may be cut into several turns.

use super::Suggester;
use crate::domain::{PartyId, Role, Turn};

/// After a shorter break somebody goes on saying the same thing: turns are cut where their speaker takes
/// a breath, and a question may stand in one of them and what it is about in another.
const GOES_ON_MS: u64 = 1_000;
/// Longer than this, nobody says one thing.
const SAYING_MAX_MS: u64 = 15_000;

/// What somebody is saying, over as many turns as it takes.
pub(super) struct Saying {
    pub party: PartyId,
    pub role: Role,
    pub start_ms: u64,
    pub end_ms: u64,
    pub text: String,
    /// Whether the memory holds it.
    pub is_kept: bool,
    pub asked_identity: bool,
}

impl Suggester {
    /// The turn with what it goes on from, if it does.
    pub(super) fn said_with(&mut self, turn: &Turn) -> (Saying, bool) {
        let goes_on = |before: &Saying| {
            (&before.party, before.role) == (&turn.party.id, turn.party.role)
                && turn.start_ms >= before.end_ms
                && turn.start_ms - before.end_ms <= GOES_ON_MS
                && turn.end_ms - before.start_ms <= SAYING_MAX_MS
        };
        let text = turn.text.as_str();
        match self.saying.take().filter(goes_on) {
            Some(before) => {
                if before.is_kept {
                    self.memory.forget_last();
                }
                let text = format!("{} {text}", before.text);
                (Saying { end_ms: turn.end_ms, text, ..before }, true)
            }
            None => {
                let saying = Saying {
                    party: turn.party.id.clone(),
                    role: turn.party.role,
                    start_ms: turn.start_ms,
                    end_ms: turn.end_ms,
                    text: text.to_owned(),
                    is_kept: false,
                    asked_identity: self.asked_identity,
                };
                (saying, false)
            }
        }
    }
}
