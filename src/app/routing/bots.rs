//! Conversations that a bot has: nobody's work until it gives up.

use std::collections::{BTreeMap, VecDeque};

use crate::domain::{Channel, ConversationId, Direction, Role};
use crate::store::wire;

/// Conversations that wait; of more, the oldest becomes work as if its bot had given up.
const WITH_BOTS_MAX: usize = 10_000;

type Begun = (ConversationId, wire::ConversationStarted);

#[derive(Default)]
pub(super) struct WithBots {
    begun: BTreeMap<ConversationId, wire::ConversationStarted>,
    /// In the order in which they came, also some that are with nobody's bot any more.
    order: VecDeque<ConversationId>,
}

impl WithBots {
    /// Whether a conversation begins with a bot: it is announced, and of a call no agent is on the line.
    pub fn begins(started: &wire::ConversationStarted) -> bool {
        let has = |role: Role| started.parties.iter().any(|party| party.role == role.as_str());
        let is_answered = started.channel == Channel::Voice.as_str() && has(Role::Agent);
        started.direction == Direction::Inbound.as_str() && has(Role::Bot) && !is_answered
    }

    /// Keeps it, and gives back what there is no room for.
    pub fn keep(
        &mut self,
        id: ConversationId,
        started: wire::ConversationStarted,
    ) -> Option<Begun> {
        self.order.push_back(id.clone());
        self.begun.insert(id, started);
        while self.order.len() > WITH_BOTS_MAX {
            let oldest = self.order.pop_front()?;
            if let Some(started) = self.begun.remove(&oldest) {
                return Some((oldest, started));
            }
        }
        None
    }

    pub fn has(&self, id: &ConversationId) -> bool {
        self.begun.contains_key(id)
    }

    /// Its bot has it no more.
    pub fn take(&mut self, id: &ConversationId) -> Option<wire::ConversationStarted> {
        self.begun.remove(id)
    }
}
