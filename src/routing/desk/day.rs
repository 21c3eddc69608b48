//! Work that counts for a day: what was assigned since the last day's, or shift's, end, whatever became of it.

use super::Desk;
use super::timers::Timer;
use crate::routing::hours::next_midnight_ms;
use crate::routing::plan::Reset;

/// A day is over everywhere after so long, and so is a shift.
const SET_ASIDE_MS: u64 = 3 * 24 * 3_600_000;

/// An assignment that took capacity for the day.
#[derive(Clone, Copy, Debug)]
pub struct Counted<'a> {
    pub agent: &'a str,
    /// Capacity profiles by name.
    pub profiles: &'a [String],
    pub at_ms: u64,
}

/// A day's work that no agent of the plan can have at the moment.
#[derive(Clone, Debug)]
pub(super) struct SetAside {
    agent: String,
    profile: String,
    used: i32,
    at_ms: u64,
}

impl Desk {
    pub(super) fn is_daily(&self, profile: u32) -> bool {
        self.plan.profiles[profile as usize].reset == Reset::EndOfDay
    }

    /// Whether an agent's day ends with a shift, and not at midnight.
    fn has_shifts(&self, agent: u32) -> bool {
        !self.agents[agent as usize].booked.is_empty()
            || self.plan.agents[agent as usize].shifts.is_some()
    }

    /// Takes capacity, and sees to it that a day's work is forgotten at the day's end.
    pub(super) fn take_capacity(&mut self, agent: u32, profiles: &[u32], now_ms: u64) {
        let plan = self.plan.clone();
        self.change(agent, |state| state.capacity.take(profiles, &plan));
        if profiles.iter().any(|profile| self.is_daily(*profile)) {
            self.wait_for_days_end(agent, now_ms);
        }
    }

    /// Gives back what an item took of an agent's capacity as it was assigned at this time, and wasn't begun. A day that
    /// is over has given it back already.
    pub(super) fn undo_capacity(
        &mut self,
        agent: u32,
        profiles: &[u32],
        assigned_ms: Option<u64>,
        now_ms: u64,
    ) {
        let plan = self.plan.clone();
        let is_over = assigned_ms.is_some_and(|at_ms| self.is_of_before(agent, at_ms, now_ms));
        self.change(agent, |state| match is_over {
            true => state.capacity.release(profiles, &plan),
            false => state.capacity.undo(profiles, &plan),
        });
    }

    fn wait_for_days_end(&mut self, agent: u32, now_ms: u64) {
        if self.has_shifts(agent) {
            return;
        }
        let zone = &self.plan.agents[agent as usize].zone;
        let midnight_ms = next_midnight_ms(zone, now_ms);
        self.timers.extend(midnight_ms.map(|at_ms| (at_ms, Timer::Day(agent))));
    }

    pub(super) fn end_day(&mut self, agent: u32) {
        let plan = self.plan.clone();
        self.change(agent, |state| state.capacity.end_day(&plan));
        self.freed.push(agent);
    }

    /// Of another plan, once all items were taken over: an agent has done today what they had done before it, and
    /// their day ends when it would have ended. What the plan leaves out waits for one that doesn't.
    pub(super) fn keep_days_work(&mut self, old: &Self, agents: &[Option<u32>], now_ms: u64) {
        let mut done = old.set_aside.clone();
        for (before, state) in old.agents.iter().enumerate() {
            let slots = state.capacity.slots().iter();
            for slot in slots.filter(|slot| old.is_daily(slot.profile)) {
                done.push(SetAside {
                    agent: old.plan.agents[before].name.clone(),
                    profile: old.plan.profiles[slot.profile as usize].name.clone(),
                    used: slot.used,
                    at_ms: now_ms,
                });
            }
        }
        for one in done {
            let profile = self.plan.names.profiles.get(&one.profile).copied();
            let profile = profile.filter(|profile| self.is_daily(*profile));
            let agent = self.agent_named(&one.agent).ok();
            let has = |(agent, profile): &(u32, u32)| {
                let slots = self.agents[*agent as usize].capacity.slots();
                slots.iter().any(|slot| slot.profile == *profile)
            };
            let Some((agent, profile)) = agent.zip(profile).filter(has) else {
                self.set_aside.push(one);
                continue;
            };
            if self.is_of_before(agent, one.at_ms, now_ms) {
                continue;
            }
            let plan = self.plan.clone();
            self.change(agent, |state| state.capacity.set_used(profile, one.used, &plan));
            if one.used > 0 {
                self.wait_for_days_end(agent, now_ms);
            }
        }
        // Nothing that was done days ago counts in any zone.
        self.set_aside.retain(|one| one.used > 0 && one.at_ms + SET_ASIDE_MS > now_ms);
        for (at_ms, timer) in &old.timers {
            if let Timer::Day(agent) = timer
                && let Some(agent) = agents[*agent as usize]
                && !self.has_shifts(agent)
            {
                self.timers.insert((*at_ms, Timer::Day(agent)));
            }
        }
    }

    /// After a restart, once all items are back: what counts of a day's work is what was assigned since the agent's
    /// last day ended, also of items that are over. `counted` is in the order of time.
    pub fn count_days_work(&mut self, counted: &[Counted<'_>], now_ms: u64) {
        let plan = self.plan.clone();
        self.timers.retain(|(_, timer)| !matches!(timer, Timer::Day(_)));
        for agent in 0..self.agents.len() as u32 {
            self.change(agent, |state| state.capacity.end_day(&plan));
        }
        for one in counted {
            let Ok(agent) = self.agent_named(one.agent) else { continue };
            if self.is_of_before(agent, one.at_ms, now_ms) {
                continue;
            }
            let known = one.profiles.iter().filter_map(|name| plan.names.profiles.get(name));
            let profiles: Vec<u32> = known.copied().filter(|one| self.is_daily(*one)).collect();
            self.take_capacity(agent, &profiles, now_ms);
        }
    }

    /// Whether an agent's day has ended between two times.
    fn is_of_before(&self, agent: u32, at_ms: u64, now_ms: u64) -> bool {
        let of_agent = &self.plan.agents[agent as usize];
        let Some(shifts) = &of_agent.shifts else {
            return next_midnight_ms(&of_agent.zone, at_ms).is_some_and(|end_ms| end_ms <= now_ms);
        };
        let mut bound_ms = at_ms;
        while let Some(next_ms) = shifts.next_bound_ms(bound_ms).filter(|next| *next <= now_ms) {
            if !shifts.is_open(next_ms) {
                return true;
            }
            bound_ms = next_ms;
        }
        false
    }
}
