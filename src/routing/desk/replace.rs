//! Another plan while work goes on: what has the same name stays what it is.

use std::collections::HashMap;

use super::Desk;
use super::arrive::Entry;
use super::items::{Item, NOBODY, Place};
use super::timers::Timer;
use crate::domain::WorkItemId;
use crate::routing::overflow;
use crate::routing::plan::Plan;

impl Desk {
    /// The plan is the one of this epoch, as after a restart.
    #[must_use]
    pub fn at_epoch(mut self, epoch: u64) -> Self {
        self.epoch = epoch.max(1);
        self
    }

    /// The customer of this item is called back, as they were told before a restart.
    pub fn calls_back(&mut self, id: &WorkItemId) {
        if let Some(at) = self.items.find(id) {
            self.items.of_mut(at).callback = true;
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

    /// Agents keep presence, shifts and turn; items keep their agents, and those that wait their arrival. What waits
    /// in a queue, or for a workstream, that is gone is routed anew, or forgotten.
    pub(super) fn replace(&mut self, plan: Plan, now_ms: u64) {
        let prefix = self.prefix.clone();
        let mut old = std::mem::replace(self, Self::new(plan, &prefix));
        (self.epoch, self.decisions, self.sequence) = (old.epoch + 1, old.decisions, old.sequence);
        (self.kinds, self.means) = (std::mem::take(&mut old.kinds), std::mem::take(&mut old.means));
        self.out = std::mem::take(&mut old.out);
        self.overflows = old.overflows;
        let agents: Vec<Option<u32>> =
            old.plan.agents.iter().map(|agent| self.agent_named(&agent.name).ok()).collect();
        let queues: Vec<Option<u32>> =
            old.plan.queues.iter().map(|queue| self.queue_named(&queue.name).ok()).collect();
        for (before, after) in queues.iter().enumerate() {
            if let Some(after) = after {
                self.handling_s[*after as usize] = old.handling_s[before];
            }
        }
        let mut open: HashMap<(u32, u32), i32> = HashMap::new();
        for (_, item) in old.items.all() {
            let Some(agent) = item.agent() else { continue };
            item.taken.iter().for_each(|profile| *open.entry((agent, *profile)).or_default() += 1);
        }
        for (before, after) in agents.iter().enumerate() {
            let state = &old.agents[before];
            let Some(after) = *after else {
                // Reported anew, should they come back.
                self.forget_measured(&state.reported);
                continue;
            };
            self.figures[after as usize] = old.figures[before].clone();
            self.last[after as usize] = old.last[before];
            self.released_ms[after as usize] = old.released_ms[before];
            for member in &state.members {
                let member = old.members[*member as usize];
                let queue = queues[member.queue as usize];
                if let Some(now) = queue.and_then(|queue| self.member_of(after, queue)) {
                    self.members[now as usize].last = member.last;
                }
            }
            self.change(after, |now| {
                (now.presence, now.on_shift) = (state.presence, state.on_shift);
                now.reported = state.reported.clone();
            });
            self.set_shifts(after, state.booked.clone(), state.off.clone(), now_ms);
            self.keep_days_work(&old, before, after, &open);
        }
        self.see_first_shifts(now_ms);
        self.knows_time = true;
        let mut items: Vec<Item> = old.items.all().map(|(_, item)| item.clone()).collect();
        items.sort_by_key(|item| item.number);
        items.into_iter().for_each(|item| self.take_over(item, &old, &agents, &queues, now_ms));
        self.due.extend(0..self.plan.queues.len() as u32);
    }

    /// What an agent has done today counts on, but what is still open, by agent and profile: that is taken anew with
    /// its item.
    fn keep_days_work(
        &mut self,
        old: &Self,
        before: usize,
        after: u32,
        open: &HashMap<(u32, u32), i32>,
    ) {
        let open = |profile| open.get(&(before as u32, profile)).copied().unwrap_or_default();
        for slot in old.agents[before].capacity.slots().iter().filter(|slot| slot.used > 0) {
            let done = slot.used - open(slot.profile);
            let name = &old.plan.profiles[slot.profile as usize].name;
            let Some(profile) = self.plan.names.profiles.get(name).copied() else { continue };
            let plan = self.plan.clone();
            for _ in 0..done {
                self.change(after, |state| state.capacity.take(&[profile], &plan));
            }
        }
    }

    fn take_over(
        &mut self,
        mut item: Item,
        old: &Self,
        agents: &[Option<u32>],
        queues: &[Option<u32>],
        now_ms: u64,
    ) {
        let workstream = &old.plan.workstreams[item.workstream as usize].name;
        let Some(workstream) = self.plan.names.workstreams.get(workstream).copied() else { return };
        let renamed = |agent: u32| agents.get(agent as usize).copied().flatten().unwrap_or(NOBODY);
        let queue = queues[item.queue as usize];
        item.workstream = workstream;
        item.preferred =
            item.preferred.iter().filter_map(|agent| agents[*agent as usize]).collect();
        item.beside = item.beside.iter().filter_map(|agent| agents[*agent as usize]).collect();
        item.declined = item
            .declined
            .iter()
            .filter_map(|(agent, count)| Some((agents[*agent as usize]?, *count)))
            .collect();
        item.recommended = item.recommended.and_then(|agent| agents[agent as usize]);
        item.queue = queue.unwrap_or(self.plan.workstreams[workstream as usize].fallback);
        item.place = match item.place {
            Place::Waiting => Place::Waiting,
            // Nobody is left who could answer.
            Place::Offered { agent } if renamed(agent) == NOBODY => Place::Waiting,
            Place::Offered { agent } => Place::Offered { agent: renamed(agent) },
            Place::Active { agent } => Place::Active { agent: renamed(agent) },
            Place::WrappingUp { agent } => Place::WrappingUp { agent: renamed(agent) },
        };
        let (queued_ms, tried_ms, callback) = (item.queued_ms, item.tried_ms, item.callback);
        let (is_waiting, moved, agent) = (item.place == Place::Waiting, item.moved, item.agent());
        if is_waiting {
            (item.assigned_ms, item.taken) = (None, Vec::new());
        }
        let offered_ms = item.assigned_ms.filter(|_| matches!(item.place, Place::Offered { .. }));
        let at = self.items.insert(item);
        self.classify(at, now_ms);
        if !is_waiting {
            let profiles = self.items.of(at).profiles.clone();
            self.items.of_mut(at).taken = profiles.clone();
            if let Some(agent) = agent {
                self.take_capacity(agent, &profiles, now_ms);
            }
            if let Some(offered_ms) = offered_ms {
                let number = self.items.of(at).number;
                self.wait_for_answer(at, number, offered_ms);
            }
            return;
        }
        match queue {
            None => self.route_back(at, now_ms),
            Some(queue) => {
                let why = "another plan came into force".to_owned();
                self.enter(at, queue, Entry { routed: None, moved, callback, why }, now_ms);
                let item = self.items.of_mut(at);
                // What it has waited counts on.
                (item.queued_ms, item.tried_ms) = (queued_ms, tried_ms);
                let number = item.number;
                self.timers.insert((now_ms, Timer::Again { item: at, number }));
                let of_queue = &self.plan.queues[queue as usize];
                if let Some(due_ms) = overflow::due_ms(of_queue, queued_ms, moved) {
                    self.timers.insert((due_ms, Timer::Overflow { item: at, number }));
                }
            }
        }
    }
}
