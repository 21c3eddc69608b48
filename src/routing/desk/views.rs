//! What the floor looks like now, for pages and for tests.

use std::collections::HashMap;

use super::Desk;
use super::classes::Class;
use super::items::{NOBODY, Place};
use crate::domain::WorkItemId;
use crate::routing::bullseye::NEVER;
use crate::routing::capacity::mask;
use crate::routing::methods::meets;
use crate::routing::plan::{Presence, SkillMatch};

#[derive(Clone, Debug, PartialEq)]
pub struct QueueView {
    pub name: String,
    pub waiting: u32,
    /// Since the oldest came.
    pub longest_wait_ms: u64,
    /// Members at work, and of those, who may be given what waits; where nothing does, what may come.
    pub serving: u32,
    pub free: u32,
    /// Items that somebody has whose name isn't known, or isn't in the plan.
    pub unnamed: u32,
    /// None when nobody is there.
    pub predicted_wait_ms: Option<u64>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct AgentView {
    pub name: String,
    pub presence: Presence,
    /// Always where the plan isn't shift-based.
    pub on_shift: bool,
    /// (profile, used, limit); more may be used than the limit, by hand.
    pub capacity: Vec<(String, i32, i32)>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ItemView {
    pub item: WorkItemId,
    pub queue: String,
    /// `waiting`, `offered`, `active` or `wrapping_up`.
    pub place: &'static str,
    pub agent: Option<String>,
    /// Of the last decision.
    pub recommended: Option<String>,
    pub callback: bool,
    pub arrived_ms: u64,
}

impl Desk {
    pub fn queues(&self, now_ms: u64) -> Vec<QueueView> {
        let mut unnamed: HashMap<u32, u32> = HashMap::new();
        for (_, item) in self.items.all() {
            if item.place == (Place::Active { agent: NOBODY }) {
                *unnamed.entry(item.queue).or_default() += 1;
            }
        }
        let view = |(number, queue): (usize, &crate::routing::plan::Queue)| {
            let (line, members) = (&self.lines[number], &self.members_of[number]);
            let firsts = line.classes().filter_map(|class| line.of_class(class).next());
            let oldest = firsts.map(|rank| self.items.of(rank.4).arrived_ms).min();
            QueueView {
                name: queue.name.clone(),
                waiting: line.len(),
                longest_wait_ms: oldest.map_or(0, |at_ms| now_ms.saturating_sub(at_ms)),
                serving: members.serving,
                free: self.free_in(number as u32),
                unnamed: unnamed.get(&(number as u32)).copied().unwrap_or_default(),
                predicted_wait_ms: self.load(number as u32).predicted_wait_ms,
            }
        };
        self.plan.queues.iter().enumerate().map(view).collect()
    }

    /// Room for something else is no room for what waits here.
    fn free_in(&self, queue: u32) -> u32 {
        let (line, of_queue) = (&self.lines[queue as usize], &self.plan.queues[queue as usize]);
        let waiting: Vec<&Class> =
            line.classes().map(|class| &self.classes.list[class as usize]).collect();
        let workstreams = self.plan.workstreams.iter();
        let may_come: Vec<(u8, u64)> = workstreams
            .filter(|one| one.channel == of_queue.channel)
            .map(|one| (one.presences, mask(&one.profiles)))
            .collect();
        let is_free = |member: &&u32| {
            let member = &self.members[**member as usize];
            let (ready, room) =
                (self.ready[member.agent as usize], self.room[member.agent as usize]);
            if ready == 0 || member.level == NEVER {
                return false;
            }
            let fits = |class: &&Class| {
                let demand = &class.demand;
                let is_exact = demand.matching == SkillMatch::Exact;
                self.is_free_for(member.agent, class)
                    && (!is_exact || meets(&demand.skills, self.levels_of(member.agent)))
            };
            match waiting.is_empty() {
                true => may_come.iter().any(|(at, of)| ready & at != 0 && room & of == *of),
                false => waiting.iter().any(fits),
            }
        };
        self.members_of[queue as usize].all.iter().filter(is_free).count() as u32
    }

    /// # Errors
    /// None when the plan has no such agent.
    pub fn agent(&self, name: &str) -> Option<AgentView> {
        let number = self.agent_named(name).ok()? as usize;
        let state = &self.agents[number];
        let slot = |slot: &crate::routing::capacity::Slot| {
            (self.plan.profiles[slot.profile as usize].name.clone(), slot.used, slot.limit)
        };
        Some(AgentView {
            name: name.to_owned(),
            presence: state.presence,
            on_shift: state.on_shift || !self.plan.shift_based,
            capacity: state.capacity.slots().iter().map(slot).collect(),
        })
    }

    pub fn item(&self, id: &WorkItemId) -> Option<ItemView> {
        let item = self.items.get(self.items.find(id)?)?;
        let name =
            |agent: u32| self.plan.agents.get(agent as usize).map(|agent| agent.name.clone());
        Some(ItemView {
            item: item.id.clone(),
            queue: self.plan.queues[item.queue as usize].name.clone(),
            place: match item.place {
                Place::Waiting => "waiting",
                Place::Offered { .. } => "offered",
                Place::Active { .. } => "active",
                Place::WrappingUp { .. } => "wrapping_up",
            },
            agent: item.agent().and_then(name),
            recommended: item.recommended.and_then(name),
            callback: item.callback,
            arrived_ms: item.arrived_ms,
        })
    }
}
