//! Decides what becomes of digits that were held back: a card's, some other number's, or shown after all.

use std::collections::VecDeque;

use super::{Fragment, Masker, QUIET_TURNS, State, TRAIL_MS, typed};
use crate::domain::{Redacted, RedactionKind, RedactionOutcome, RedactionResolved};

impl Masker {
    /// Settles groups that are too long ago to go on.
    pub(super) fn settle_old(
        &self,
        trail: &mut VecDeque<Fragment>,
        now_ms: u64,
        resolved: &mut Vec<RedactionResolved>,
    ) {
        while trail.front().is_some_and(|fragment| fragment.end_ms + TRAIL_MS < now_ms) {
            if let Some(old) = trail.pop_front() {
                self.settle(old, resolved);
            }
        }
    }

    /// Settles what the party has spoken on from without another digit. It stays in the trail: what
    /// comes later may still join it.
    pub(super) fn settle_quiet(
        &self,
        trail: &mut VecDeque<Fragment>,
        resolved: &mut Vec<RedactionResolved>,
    ) {
        for fragment in trail.iter_mut() {
            fragment.quiet_turns += 1;
            if fragment.quiet_turns >= QUIET_TURNS && matches!(fragment.state, State::Held { .. }) {
                let state = std::mem::replace(&mut fragment.state, State::Shown);
                self.settle_state(&fragment.digits, state, resolved);
            }
        }
    }

    pub(super) fn settle(&self, fragment: Fragment, resolved: &mut Vec<RedactionResolved>) {
        self.settle_state(&fragment.digits, fragment.state, resolved);
    }

    /// A group that didn't become a card is shown after all, unless a card was being spoken of or
    /// it reads back part of one.
    pub(super) fn settle_state(
        &self,
        digits: &str,
        state: State,
        resolved: &mut Vec<RedactionResolved>,
    ) {
        let read_back = !digits.is_empty() && self.cards.iter().any(|card| card.contains(digits));
        // Letters may stand before digits that nobody took for a card's then ("DE4539…"), and an account's number may have
        // been said whole since.
        let is_known = |raw: &str| typed(raw).as_str() != raw || self.ledger.has_iban_with(raw);
        match state {
            State::Held { turn_id, placeholder, raw, in_context: false }
                if !read_back && !is_known(&raw) && !self.pieces.complete(digits) =>
            {
                resolved.push(RedactionResolved {
                    turn_id,
                    placeholder,
                    outcome: RedactionOutcome::Released(Redacted::vouched(raw)),
                });
            }
            state => keep(state, RedactionKind::Digits, resolved),
        }
    }
}

pub(super) fn keep(state: State, kind: RedactionKind, resolved: &mut Vec<RedactionResolved>) {
    if let State::Held { turn_id, placeholder, .. } = state {
        let outcome = RedactionOutcome::Kept(kind);
        resolved.push(RedactionResolved { turn_id, placeholder, outcome });
    }
}
