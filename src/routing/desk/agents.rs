//! Agents as they are now: presence, shift, capacity, membership of queues.

use std::collections::HashMap;
use std::sync::Arc;

use super::Desk;
use super::context::Means;
use super::io::Refused;
use super::timers::Timer;
use crate::routing::bullseye;
use crate::routing::capacity::Capacity;
use crate::routing::plan::{Presence, presence_bit};

#[derive(Clone, Debug, Default)]
pub struct AgentState {
    pub presence: Presence,
    pub capacity: Capacity,
    pub members: Vec<u32>,
    /// Booked times, and times off; sorted.
    pub booked: Vec<(u64, u64)>,
    pub off: Vec<(u64, u64)>,
    pub on_shift: bool,
    /// By kind: what was reported last.
    pub reported: Vec<Means>,
}

/// An agent in a queue.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    pub agent: u32,
    pub queue: u32,
    /// Place in the order in which agents were added.
    pub joined: u32,
    /// The last assignment in this queue.
    pub last: u64,
    /// Bullseye level.
    pub level: u8,
}

/// The agents of a queue, also by skill.
#[derive(Clone, Debug, Default)]
pub struct Members {
    pub all: Vec<u32>,
    pub by_skill: HashMap<u32, Vec<u32>>,
    pub joins: u32,
    /// Grows with each change: what was made from the list is made again.
    pub version: u32,
    /// Those who are ever asked, and the version that this was found out for.
    pub asked: Option<(u32, Arc<Vec<u32>>)>,
    /// Members who are at work, and of those, whom something can be assigned to.
    pub serving: u32,
    pub ready: u32,
}

impl Desk {
    pub(super) fn agent_named(&self, name: &str) -> Result<u32, Refused> {
        self.plan.names.agents.get(name).copied().ok_or(Refused::NoSuchAgent)
    }

    pub(super) fn queue_named(&self, name: &str) -> Result<u32, Refused> {
        self.plan.names.queues.get(name).copied().ok_or(Refused::NoSuchQueue)
    }

    /// Adds an agent to a queue, at the end of its order.
    pub(super) fn join(&mut self, agent: u32, queue: u32) {
        if self.member_of(agent, queue).is_some() {
            return;
        }
        let of_agent = &self.plan.agents[agent as usize];
        let level = match &self.plan.queues[queue as usize].bullseye {
            Some(levels) => bullseye::level_of(levels, &of_agent.groups),
            None => 0,
        };
        let members = &mut self.members_of[queue as usize];
        members.joins += 1;
        members.version += 1;
        let member = self.members.len() as u32;
        self.members.push(Member { agent, queue, joined: members.joins, last: 0, level });
        members.all.push(member);
        for (skill, _) in &of_agent.skills {
            members.by_skill.entry(*skill).or_default().push(member);
        }
        self.count(agent, false);
        self.agents[agent as usize].members.push(member);
        self.count(agent, true);
    }

    pub(super) fn leave(&mut self, agent: u32, queue: u32) {
        let Some(member) = self.member_of(agent, queue) else { return };
        self.count(agent, false);
        self.agents[agent as usize].members.retain(|known| *known != member);
        self.count(agent, true);
        let members = &mut self.members_of[queue as usize];
        members.version += 1;
        members.all.retain(|known| *known != member);
        for list in members.by_skill.values_mut() {
            list.retain(|known| *known != member);
        }
        self.may_be_lost(agent);
    }

    pub(super) fn member_of(&self, agent: u32, queue: u32) -> Option<u32> {
        let members = &self.agents[agent as usize].members;
        members.iter().copied().find(|member| self.members[*member as usize].queue == queue)
    }

    /// The proficiency in each skill of the plan.
    pub(super) fn levels_of(&self, agent: u32) -> &[u8] {
        let skills = self.plan.skills.len();
        &self.levels[agent as usize * skills..][..skills]
    }

    pub(super) fn queues_of(&self, agent: u32) -> Vec<u32> {
        let members = &self.agents[agent as usize].members;
        members.iter().map(|member| self.members[*member as usize].queue).collect()
    }

    pub(super) fn set_presence(&mut self, agent: u32, presence: Presence) {
        self.change(agent, |state| state.presence = presence);
    }

    /// Changes an agent, and keeps what is counted of agents in step.
    pub(super) fn change(&mut self, agent: u32, change: impl FnOnce(&mut AgentState)) {
        self.count(agent, false);
        change(&mut self.agents[agent as usize]);
        let state = &self.agents[agent as usize];
        let works = state.on_shift || !self.plan.shift_based;
        let works = works && state.presence != Presence::Offline;
        let bit = if works { presence_bit(state.presence) } else { 0 };
        let room = state.capacity.room();
        self.present[agent as usize] = bit;
        self.ready[agent as usize] = if room != 0 { bit } else { 0 };
        self.room[agent as usize] = room;
        self.count(agent, true);
        self.may_be_lost(agent);
    }

    fn count(&mut self, agent: u32, is_more: bool) {
        let at_work = presence_bit(Presence::Available) | presence_bit(Presence::Busy);
        let serving = u32::from(self.present[agent as usize] & at_work != 0);
        let ready = u32::from(self.ready[agent as usize] & at_work != 0);
        for member in &self.agents[agent as usize].members {
            let queue = &mut self.members_of[self.members[*member as usize].queue as usize];
            if is_more {
                queue.serving += serving;
                queue.ready += ready;
            } else {
                queue.serving -= serving;
                queue.ready -= ready;
            }
        }
    }

    pub(super) fn set_shifts(
        &mut self,
        agent: u32,
        mut booked: Vec<(u64, u64)>,
        mut off: Vec<(u64, u64)>,
        now_ms: u64,
    ) {
        booked.sort_unstable();
        off.sort_unstable();
        self.change(agent, |state| (state.booked, state.off) = (booked, off));
        self.see_shift(agent, now_ms);
    }

    /// Looks at the shifts of the plan for the first time: nobody said what time it is until now.
    pub(super) fn see_first_shifts(&mut self, now_ms: u64) {
        let plan = self.plan.clone();
        for (number, _) in plan.agents.iter().enumerate().filter(|(_, one)| one.shifts.is_some()) {
            if self.see_shift(number as u32, now_ms) {
                self.freed.push(number as u32);
            }
        }
    }

    /// Compares an agent's shifts, those of the plan and those booked besides, with the time. True when one began.
    pub(super) fn see_shift(&mut self, agent: u32, now_ms: u64) -> bool {
        let plan = self.plan.clone();
        let state = &self.agents[agent as usize];
        let is_in =
            |times: &[(u64, u64)]| times.iter().any(|(from, to)| (*from..*to).contains(&now_ms));
        let weekly = plan.agents[agent as usize].shifts.as_ref();
        let is_weekly = weekly.is_some_and(|shifts| shifts.is_open(now_ms));
        let (was, is_booked) = (state.on_shift, is_weekly || is_in(&state.booked));
        let is = is_booked && !is_in(&state.off);
        let bounds = state.booked.iter().chain(&state.off).flat_map(|(from, to)| [*from, *to]);
        let weekly_bound = weekly.and_then(|shifts| shifts.next_bound_ms(now_ms));
        if let Some(next) = bounds.filter(|bound| *bound > now_ms).chain(weekly_bound).min() {
            self.timers.insert((next, Timer::Shift(agent)));
        }
        // Time off within a shift doesn't end the day.
        let ended = was && !is_booked;
        self.change(agent, |state| {
            state.on_shift = is;
            if ended {
                state.capacity.end_day(&plan);
            }
        });
        is && !was
    }
}
