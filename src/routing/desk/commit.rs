//! Carries out what was chosen, and what people do: assigning, accepting, declining, ending.

use super::Desk;
use super::classes::Seen;
use super::io::{Output, Refused};
use super::items::{NOBODY, Place};
use crate::domain::{Assignment, DecisionId, RoutingMode, WorkItemId};
use crate::routing::score::Terms;

/// How much a new handling time moves the mean of its queue.
const NEWEST: f64 = 0.05;

/// Who was chosen for an item, and who else was looked at, the best first.
#[derive(Clone, Debug, Default)]
pub(super) struct Picked {
    pub seen: Vec<(Seen, Option<Terms>)>,
    /// The rule of a custom queue, or the preference, that chose.
    pub by: Option<String>,
    /// The agent with the best score, where somebody as good had been idle for longer.
    pub as_good_as: Option<u32>,
}

impl Picked {
    pub fn chosen(&self) -> Option<&Seen> {
        self.seen.first().map(|(seen, _)| seen)
    }
}

impl Desk {
    /// Records a choice, and carries it out in active mode.
    pub(super) fn carry_out(&mut self, at: u32, picked: &Picked, now_ms: u64) {
        let Some(chosen) = picked.chosen().copied() else { return };
        match self.plan.mode {
            RoutingMode::Off => {}
            RoutingMode::Shadow => {
                let decision = self.decision(at, picked, now_ms);
                self.advise(at, chosen.agent, decision.id.clone());
                self.tell(Output::Decided(decision));
                let profiles = self.items.of(at).profiles.clone();
                let plan = self.plan.clone();
                self.change(chosen.agent, |state| state.capacity.take(&profiles, &plan));
                self.reserved.push((chosen.agent, profiles));
            }
            RoutingMode::Active => {
                let decision = self.decision(at, picked, now_ms);
                let (id, policy) = (decision.id.clone(), decision.policy.clone());
                let reason = decision.reason.clone();
                self.items.of_mut(at).recommended = Some(chosen.agent);
                self.tell(Output::Decided(decision));
                self.assign(at, chosen.agent, Some(id), None, policy, reason, now_ms);
            }
        }
    }

    /// Capacity that was only pretended to be taken is free again.
    pub(super) fn give_reserved_back(&mut self) {
        let plan = self.plan.clone();
        for (agent, profiles) in std::mem::take(&mut self.reserved) {
            self.change(agent, |state| state.capacity.undo(&profiles, &plan));
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one for each field of what is recorded")]
    fn assign(
        &mut self,
        at: u32,
        agent: u32,
        decision: Option<DecisionId>,
        by: Option<&str>,
        policy: String,
        reason: String,
        now_ms: u64,
    ) {
        self.step_out(at);
        let item = self.items.of_mut(at);
        item.place = match by {
            None => Place::Offered { agent },
            // By hand: nobody is asked.
            Some(_) => Place::Active { agent },
        };
        let taken = item.profiles.clone();
        item.assigned_ms = Some(now_ms);
        let queue = item.queue;
        self.take_capacity(agent, &taken, now_ms);
        self.items.of_mut(at).taken = taken;
        self.sequence += 1;
        self.last[agent as usize] = self.sequence;
        if let Some(member) = self.member_of(agent, queue) {
            self.members[member as usize].last = self.sequence;
        }
        let name = |agent: u32| self.plan.agents[agent as usize].name.clone();
        let item = self.items.of(at);
        let (recommended, told_by) = self.counted_advice(at, agent, now_ms);
        let recommended = recommended.filter(|recommended| *recommended != agent).map(name);
        let daily = item.taken.iter().filter(|profile| self.is_daily(**profile));
        let daily = daily.map(|profile| self.plan.profiles[*profile as usize].name.clone());
        let assignment = Assignment {
            decision: decision.or(told_by),
            item: item.id.clone(),
            queue: self.plan.queues[queue as usize].name.clone(),
            agent: name(agent),
            mode: self.plan.mode,
            policy,
            epoch: self.epoch,
            recommended,
            by: by.map(str::to_owned),
            reason,
            day_profiles: daily.collect(),
            waited_ms: now_ms.saturating_sub(item.arrived_ms),
            at_ms: now_ms,
        };
        let (number, is_offer) = (item.number, by.is_none());
        self.tell(Output::Assigned(assignment));
        if is_offer {
            self.wait_for_answer(at, number, now_ms);
        }
    }

    /// A person's word goes before presence and capacity.
    pub(super) fn assign_by_hand(
        &mut self,
        id: &WorkItemId,
        agent: &str,
        by: &str,
        now_ms: u64,
    ) -> Result<(), Refused> {
        let at = self.items.find(id).ok_or(Refused::NoSuchItem)?;
        let agent = self.agent_named(agent)?;
        self.take_away(at, now_ms);
        let profiles = self.items.of(at).profiles.clone();
        let excess = 1 - self.agents[agent as usize].capacity.free(&profiles).unwrap_or(0);
        let reason = match excess {
            ..=0 => "assigned by hand".to_owned(),
            excess => format!("assigned by hand, {excess} beyond the agent's capacity"),
        };
        self.assign(at, agent, None, Some(by), "manual".to_owned(), reason, now_ms);
        Ok(())
    }

    pub(super) fn accept(&mut self, id: &WorkItemId) -> Result<(), Refused> {
        let at = self.items.find(id).ok_or(Refused::NoSuchItem)?;
        let item = self.items.of_mut(at);
        match item.place {
            Place::Offered { agent } => item.place = Place::Active { agent },
            Place::Active { .. } => {}
            Place::Waiting | Place::WrappingUp { .. } => return Err(Refused::NotOffered),
        }
        Ok(())
    }

    /// Back to its place in the line; the agent goes behind all others for this item.
    pub(super) fn decline(&mut self, id: &WorkItemId, now_ms: u64) -> Result<(), Refused> {
        let at = self.items.find(id).ok_or(Refused::NoSuchItem)?;
        let Place::Offered { agent } = self.items.of(at).place else {
            return Err(Refused::NotOffered);
        };
        self.items.of_mut(at).unanswered = None;
        self.put_back_in_line(at, agent, now_ms);
        Ok(())
    }

    /// Of an item that was offered to an agent, who hasn't taken it.
    pub(super) fn put_back_in_line(&mut self, at: u32, agent: u32, now_ms: u64) {
        let item = self.items.of_mut(at);
        let (taken, assigned_ms) = (std::mem::take(&mut item.taken), item.assigned_ms);
        (item.place, item.recommended, item.told_nobody) = (Place::Waiting, None, false);
        match item.declined.iter_mut().find(|(known, _)| *known == agent) {
            Some((_, count)) => *count = count.saturating_add(1),
            None => item.declined.push((agent, 1)),
        }
        // What was learned meanwhile may have made another demand of it.
        self.stand(at, now_ms);
        if agent != NOBODY {
            self.undo_capacity(agent, &taken, assigned_ms, now_ms);
            self.freed.push(agent);
        }
        self.new_items.push(at);
    }

    pub(super) fn taken(&mut self, id: &WorkItemId, now_ms: u64) -> Result<(), Refused> {
        let at = self.items.find(id).ok_or(Refused::NoSuchItem)?;
        if matches!(self.items.of(at).place, Place::Waiting | Place::Offered { .. }) {
            self.take_away(at, now_ms);
            self.items.of_mut(at).place = Place::Active { agent: NOBODY };
        }
        Ok(())
    }

    pub(super) fn end(&mut self, id: &WorkItemId, now_ms: u64) -> Result<(), Refused> {
        let at = self.items.find(id).ok_or(Refused::NoSuchItem)?;
        let item = self.items.of(at);
        let blocks = self.plan.workstreams[item.workstream as usize].wrap_up_blocks;
        match item.place {
            Place::Active { agent } if blocks => {
                self.items.of_mut(at).place = Place::WrappingUp { agent };
            }
            // It was ended already, by whoever was first to say so: its wrap-up goes on.
            Place::WrappingUp { .. } => {}
            _ => {
                self.take_away(at, now_ms);
                self.forget(at);
            }
        }
        Ok(())
    }

    pub(super) fn release(&mut self, id: &WorkItemId, now_ms: u64) -> Result<(), Refused> {
        let at = self.items.find(id).ok_or(Refused::NoSuchItem)?;
        if self.items.of(at).place == Place::Waiting {
            return Err(Refused::NotOffered);
        }
        self.take_away(at, now_ms);
        self.forget(at);
        Ok(())
    }

    /// Takes an item from the line or from its agent; it is nowhere until it is put somewhere.
    pub(super) fn take_away(&mut self, at: u32, now_ms: u64) {
        let item = self.items.of(at);
        let (agent, queue, waits) = (item.agent(), item.queue, item.place == Place::Waiting);
        let was_begun = !matches!(item.place, Place::Waiting | Place::Offered { .. });
        if waits {
            self.step_out(at);
        }
        let taken = std::mem::take(&mut self.items.of_mut(at).taken);
        let Some(agent) = agent else { return };
        if was_begun {
            let plan = self.plan.clone();
            self.change(agent, |state| state.capacity.release(&taken, &plan));
        } else {
            let assigned_ms = self.items.of(at).assigned_ms;
            self.undo_capacity(agent, &taken, assigned_ms, now_ms);
        }
        self.released_ms[agent as usize] = now_ms;
        if let Some(begun_ms) = self.items.of_mut(at).assigned_ms.take().filter(|_| was_begun) {
            let mean = &mut self.handling_s[queue as usize];
            *mean += NEWEST * (now_ms.saturating_sub(begun_ms) as f64 / 1000.0 - *mean);
        }
        self.freed.push(agent);
    }

    /// Forgets an item that is nowhere.
    pub(super) fn forget(&mut self, at: u32) {
        self.items.remove(at);
    }
}
