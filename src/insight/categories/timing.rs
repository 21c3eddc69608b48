//! Silences and interruptions between turns, as their finals come: not always in the order in which people spoke.

use std::collections::VecDeque;

use crate::domain::{PartyId, Role, Turn, TurnId};

/// A turn of which something may still be found out.
#[derive(Clone, Debug)]
pub struct Past {
    pub turn_id: TurnId,
    pub party: PartyId,
    pub role: Role,
    /// Its number in the conversation.
    pub number: u32,
    pub start_ms: u64,
    pub end_ms: u64,
}

/// Something of so many milliseconds, and the turn that broke the silence or the other's word.
#[derive(Clone, Debug)]
pub struct Timed {
    pub ms: u64,
    pub turn: Past,
}

#[derive(Clone, Debug)]
struct Silence {
    from_ms: u64,
    to_ms: u64,
    broken_by: Past,
}

/// Turns that are looked back at.
const PAST_MAX: usize = 8;
/// No utterance is longer before it is cut, so after this nothing can turn up that was said in a silence.
const LATEST_MS: u64 = 15_000;

/// Who spoke when, as far as it may matter still.
#[derive(Clone, Debug, Default)]
pub struct Timing {
    past: VecDeque<Past>,
    last_end_ms: Option<u64>,
    /// Somebody may have spoken in them whose final is still to come.
    doubtful: VecDeque<Silence>,
}

impl Timing {
    /// Takes a turn; says which silences are certain now and who spoke while others did.
    pub fn take(&mut self, turn: &Turn, number: u32) -> (Vec<Timed>, Vec<Timed>) {
        let now = Past {
            turn_id: turn.id.clone(),
            party: turn.party.id.clone(),
            role: turn.party.role,
            number,
            start_ms: turn.start_ms,
            end_ms: turn.end_ms.max(turn.start_ms),
        };
        // What is typed has no length, and nobody types unheard.
        let is_typed = now.end_ms == now.start_ms;
        self.doubtful.iter_mut().for_each(|silence| silence.hear(&now));
        let mut silences = self.settle(|silence| {
            let others = silence.broken_by.party != now.party;
            (others && now.start_ms >= silence.to_ms)
                || now.end_ms.saturating_sub(silence.to_ms) >= LATEST_MS
        });
        if let Some(last_end_ms) = self.last_end_ms.filter(|last| *last < now.start_ms) {
            let silence =
                Silence { from_ms: last_end_ms, to_ms: now.start_ms, broken_by: now.clone() };
            if is_typed {
                silences.push(silence.into());
            } else {
                self.doubtful.push_back(silence);
            }
            if self.doubtful.len() > PAST_MAX {
                silences.extend(self.doubtful.pop_front().map(Into::into));
            }
        }
        let overlaps = self.overlaps(&now);
        self.last_end_ms = self.last_end_ms.max(Some(now.end_ms));
        if self.past.len() == PAST_MAX {
            self.past.pop_front();
        }
        self.past.push_back(now);
        (silences, overlaps)
    }

    /// Nobody says anything more.
    pub fn close(&mut self) -> Vec<Timed> {
        self.settle(|_| true)
    }

    pub fn turn(&self, id: &TurnId) -> Option<&Past> {
        self.past.iter().rev().find(|past| past.turn_id == *id)
    }

    fn settle(&mut self, is_certain: impl Fn(&Silence) -> bool) -> Vec<Timed> {
        let mut certain = Vec::new();
        self.doubtful.retain(|silence| {
            let settles = is_certain(silence);
            if settles {
                certain.push(silence.clone().into());
            }
            !settles
        });
        certain
    }

    fn overlaps(&self, now: &Past) -> Vec<Timed> {
        let others = self.past.iter().filter(|past| past.party != now.party);
        let both = others.filter_map(|past| {
            let ms = past.end_ms.min(now.end_ms).checked_sub(past.start_ms.max(now.start_ms))?;
            let later = if past.start_ms > now.start_ms { past } else { now };
            (ms > 0).then(|| Timed { ms, turn: later.clone() })
        });
        both.collect()
    }
}

impl Silence {
    /// Somebody spoke in it: the longer part is left.
    fn hear(&mut self, turn: &Past) {
        if turn.party == self.broken_by.party
            || turn.start_ms >= self.to_ms
            || turn.end_ms <= self.from_ms
        {
            return;
        }
        let before = turn.start_ms.saturating_sub(self.from_ms);
        let after = self.to_ms.saturating_sub(turn.end_ms);
        if before > after {
            self.to_ms = turn.start_ms;
            self.broken_by = turn.clone();
        } else {
            self.from_ms = turn.end_ms.min(self.to_ms);
        }
    }
}

impl From<Silence> for Timed {
    fn from(silence: Silence) -> Self {
        Self { ms: silence.to_ms.saturating_sub(silence.from_ms), turn: silence.broken_by }
    }
}
