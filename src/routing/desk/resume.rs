//! After a restart: items are put back to where they were.

use super::Desk;
use super::arrive::Entry;
use super::items::{NOBODY, Place};
use crate::domain::WorkItemId;

impl Desk {
    /// This item was in this queue before a restart, since then: the rules may lead elsewhere by now. Where the plan has
    /// no such queue any more, it is where they lead.
    pub fn queued_before(&mut self, id: &WorkItemId, queue: &str, moved: bool, since_ms: u64) {
        let (Some(at), Ok(queue)) = (self.items.find(id), self.queue_named(queue)) else { return };
        if self.items.of(at).place != Place::Waiting {
            return;
        }
        self.step_out(at);
        let why = "it was there before the restart".to_owned();
        self.enter(at, queue, Entry { routed: None, moved, callback: false, why }, since_ms);
        // Whoever came was tried at once, and its circle has widened since.
        self.first_try(at, since_ms);
    }

    /// The customer of this item is called back, as they were told before a restart.
    pub fn calls_back(&mut self, id: &WorkItemId) {
        if let Some(at) = self.items.find(id) {
            self.items.of_mut(at).callback = true;
        }
    }

    /// So many of its queue's waits had acted on this item before a restart: they don't again.
    pub fn overflowed_before(&mut self, id: &WorkItemId, times: usize) {
        let Some(at) = self.items.find(id) else { return };
        for _ in 0..times {
            let Some((place, _)) = self.next_overflow(self.items.of(at)) else { break };
            self.items.of_mut(at).overflowed = place + 1;
        }
        if times > 0 && self.items.of(at).place == Place::Waiting {
            self.wait_for_overflow(at);
        }
    }

    /// Puts an item back to where it was before a restart: who had declined it, and whom it was offered to, or with.
    /// Agents who aren't in the plan any more are left out, but what they have accepted is theirs.
    pub fn resume(
        &mut self,
        id: &WorkItemId,
        declined: &[String],
        with: Option<(&str, bool)>,
        now_ms: u64,
    ) {
        let Some(at) = self.items.find(id) else { return };
        for name in declined {
            let Ok(agent) = self.agent_named(name) else { continue };
            let declined = &mut self.items.of_mut(at).declined;
            match declined.iter_mut().find(|(known, _)| *known == agent) {
                Some((_, count)) => *count = count.saturating_add(1),
                None => declined.push((agent, 1)),
            }
        }
        let Some((agent, is_accepted)) = with else { return };
        let is_there = self.assign_by_hand(id, agent, "restart", now_ms).is_ok();
        match (is_there, is_accepted) {
            (true, true) => {}
            (true, false) => {
                let item = self.items.of_mut(at);
                if let Place::Active { agent } = item.place {
                    item.place = Place::Offered { agent };
                    let number = item.number;
                    self.put_back.push((at, number));
                }
            }
            // Somebody who isn't in the plan any more has it: nobody else is to be given it.
            (false, true) => {
                if self.items.of(at).place == Place::Waiting {
                    self.step_out(at);
                }
                self.items.of_mut(at).place = Place::Active { agent: NOBODY };
            }
            (false, false) => {}
        }
    }
}
