//! Another plan while work goes on: what has the same name stays what it is.

use super::Desk;
use super::arrive::Entry;
use super::items::{Item, NOBODY, Place};
use super::timers::Timer;
use crate::domain::RoutingMode;
use crate::routing::plan::Plan;

impl Desk {
    /// The plan is the one of this epoch, as after a restart.
    #[must_use]
    pub fn at_epoch(mut self, epoch: u64) -> Self {
        self.epoch = epoch.max(1);
        self
    }

    /// Agents keep presence, shifts, turn and the work of their day; items keep their agents, and those that wait their
    /// arrival, and in shadow mode who is recommended. What waits in a queue that is gone is routed anew. Items of a
    /// workstream that is gone are forgotten: whoever puts a plan looks at that first.
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
        }
        self.see_first_shifts(now_ms);
        (self.knows_time, self.begun_ms) = (true, old.begun_ms);
        let mut items: Vec<Item> = old.items.all().map(|(_, item)| item.clone()).collect();
        items.sort_by_key(|item| item.number);
        items.into_iter().for_each(|item| self.take_over(item, &old, &agents, &queues, now_ms));
        self.keep_days_work(&old, &agents, now_ms);
        self.due.extend(0..self.plan.queues.len() as u32);
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
        let old_queue = item.queue;
        let queue = queues[old_queue as usize];
        item.workstream = workstream;
        item.preferred =
            item.preferred.iter().filter_map(|agent| agents[*agent as usize]).collect();
        item.beside = item.beside.iter().filter_map(|agent| agents[*agent as usize]).collect();
        item.declined = item
            .declined
            .iter()
            .filter_map(|(agent, count)| Some((agents[*agent as usize]?, *count)))
            .collect();
        let both_shadow = [&old.plan, &self.plan].iter().all(|one| one.mode == RoutingMode::Shadow);
        let advised = item.recommended.filter(|_| both_shadow && item.place == Place::Waiting);
        let advised = advised.and_then(|agent| agents[agent as usize]).zip(item.decision.clone());
        item.recommended = item.recommended.and_then(|agent| agents[agent as usize]);
        item.withdrawn = None;
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
        // By their wait: the list may be another one by now.
        let acted = &old.plan.queues[old_queue as usize].after[..item.overflowed];
        let acted_ms = acted.last().map(|after| after.wait_ms);
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
                let after = &self.plan.queues[queue as usize].after;
                let overflowed = acted_ms
                    .map_or(0, |acted_ms| after.partition_point(|one| one.wait_ms <= acted_ms));
                let item = self.items.of_mut(at);
                // What it has waited counts on.
                (item.queued_ms, item.tried_ms, item.overflowed) =
                    (queued_ms, tried_ms, overflowed);
                let number = item.number;
                self.timers.insert((now_ms, Timer::Again { item: at, number }));
                self.wait_for_overflow(at);
                if let Some((agent, decision)) =
                    advised.filter(|(agent, _)| self.could_take(at, *agent, now_ms))
                {
                    self.advise(at, agent, decision);
                }
            }
        }
    }
}
