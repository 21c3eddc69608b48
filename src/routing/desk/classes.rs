//! Classes of demand: items of one queue that need the same of an agent.
//!
//! Who is qualified is found once for a class, from the shortest of the lists by queue and skill. In a cycle, those of
//! them who are free stand in a `Pool`, in the order of the method. Within a cycle an agent only moves backwards in it,
//! so an entry is put right when it comes to the top.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use super::Desk;
use super::items::Item;
use crate::routing::bullseye;
use crate::routing::methods::{self, Order, Standing};
use crate::routing::plan::{Method, SkillMatch};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Demand {
    pub queue: u32,
    pub presences: u8,
    pub matching: SkillMatch,
    pub skills: Vec<(u32, u8)>,
    pub profiles: Vec<u32>,
}

/// Somebody qualified: a member of the queue, and their distance from the skills.
#[derive(Clone, Copy, Debug)]
pub struct Qualified {
    pub member: u32,
    pub distance: u16,
}

#[derive(Clone, Debug)]
pub struct Class {
    pub demand: Demand,
    pub qualified: Vec<Qualified>,
    /// Of the queue's members, when `qualified` was made.
    version: Option<u32>,
}

#[derive(Clone, Debug, Default)]
pub struct Classes {
    pub list: Vec<Class>,
    index: HashMap<Demand, u32>,
}

impl Classes {
    pub fn of(&mut self, demand: Demand) -> u32 {
        if let Some(known) = self.index.get(&demand) {
            return *known;
        }
        let number = self.list.len() as u32;
        self.index.insert(demand.clone(), number);
        self.list.push(Class { demand, qualified: Vec::new(), version: None });
        number
    }
}

/// Free agents of a class, the first in order on top.
pub struct Pool {
    heap: BinaryHeap<Reverse<(Order, u32, u16)>>,
}

/// Pools that a cycle has made so far, by class.
pub type Pools = HashMap<u32, Pool>;

/// Somebody who could take an item, and where they stand.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    pub member: u32,
    pub agent: u32,
    pub standing: Standing,
    pub order: Order,
}

impl Pool {
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    pub fn put(&mut self, seen: &Seen) {
        self.heap.push(Reverse((seen.order, seen.member, seen.standing.distance)));
    }
}

impl Desk {
    /// The class of an item in a queue.
    pub(super) fn class_of(&mut self, item: &Item, queue: u32) -> u32 {
        let workstream = &self.plan.workstreams[item.workstream as usize];
        let of_queue = &self.plan.queues[queue as usize];
        let (matching, skills) = match of_queue.method {
            // Its rules say what is looked at.
            Method::Custom => (SkillMatch::Closest, Vec::new()),
            Method::Skills => (SkillMatch::Closest, item.skills.clone()),
            _ => (workstream.skill_match, item.skills.clone()),
        };
        let profiles = item.profiles.clone();
        let presences = workstream.presences;
        self.classes.of(Demand { queue, presences, matching, skills, profiles })
    }

    /// Finds out who is qualified, if the queue's members have changed.
    pub(super) fn qualify(&mut self, class: u32) {
        let demand = &self.classes.list[class as usize].demand;
        let members = &self.members_of[demand.queue as usize];
        if self.classes.list[class as usize].version == Some(members.version) {
            return;
        }
        let exact = demand.matching == SkillMatch::Exact;
        let none = Vec::new();
        let rarest = demand
            .skills
            .iter()
            .filter(|_| exact)
            .map(|(skill, _)| members.by_skill.get(skill).unwrap_or(&none))
            .min_by_key(|list| list.len());
        let qualified = rarest
            .unwrap_or(&members.all)
            .iter()
            .filter_map(|member| {
                let of_member = &self.members[*member as usize];
                let skills = &self.plan.agents[of_member.agent as usize].skills;
                let fits = of_member.level != bullseye::NEVER
                    && (!exact || methods::meets(&demand.skills, skills));
                let distance = methods::distance(&demand.skills, skills);
                fits.then_some(Qualified { member: *member, distance })
            })
            .collect();
        let version = Some(members.version);
        let class = &mut self.classes.list[class as usize];
        (class.qualified, class.version) = (qualified, version);
    }

    /// Whether an agent may be given work of a class now.
    pub(super) fn is_free_for(&self, agent: u32, demand: &Demand) -> bool {
        self.ready[agent as usize] & demand.presences != 0
            && self.agents[agent as usize].capacity.has_room(&demand.profiles)
    }

    pub(super) fn pool(&mut self, class: u32) -> Pool {
        self.qualify(class);
        let of_class = &self.classes.list[class as usize];
        let free = of_class.qualified.iter().filter(|qualified| {
            self.is_free_for(self.members[qualified.member as usize].agent, &of_class.demand)
        });
        let seen = free.map(|qualified| {
            let seen = self.seen(class, qualified.member, qualified.distance);
            Reverse((seen.order, seen.member, seen.standing.distance))
        });
        Pool { heap: seen.collect::<Vec<_>>().into() }
    }

    pub(super) fn seen(&self, class: u32, member: u32, distance: u16) -> Seen {
        let demand = &self.classes.list[class as usize].demand;
        let of_member = &self.members[member as usize];
        let agent = &self.agents[of_member.agent as usize];
        let standing = Standing {
            level: of_member.level,
            distance,
            free: agent.capacity.free(&demand.profiles).unwrap_or(0),
            last: agent.last,
            last_here: of_member.last,
            released_ms: agent.released_ms,
            joined: of_member.joined,
        };
        let method = self.plan.queues[demand.queue as usize].method;
        let order = methods::order(method, demand.matching, standing);
        Seen { member, agent: of_member.agent, standing, order }
    }

    /// The next free agent of a pool, as they stand now. Whoever isn't free any more is dropped.
    pub(super) fn next_of(&self, class: u32, pool: &mut Pool) -> Option<Seen> {
        while let Some(Reverse((order, member, distance))) = pool.heap.pop() {
            let agent = self.members[member as usize].agent;
            if !self.is_free_for(agent, &self.classes.list[class as usize].demand) {
                continue;
            }
            let seen = self.seen(class, member, distance);
            if seen.order == order {
                return Some(seen);
            }
            pool.put(&seen);
        }
        None
    }
}
