//! Classes of demand: items of one queue that need the same of an agent.
//!
//! Who is qualified is found once for a class, from the shortest of the lists by queue and skill. In a cycle, those of
//! them who are free stand in a `Pool`, in the order of the method. Within a cycle an agent only moves backwards in it,
//! so an entry is put right when it comes to the top.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;

use super::Desk;
use super::items::Item;
use crate::routing::assign::Numbered;
use crate::routing::methods::{self, Order, Standing};
use crate::routing::plan::{Method, SkillMatch};
use crate::routing::{bullseye, capacity};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Demand {
    pub queue: u32,
    pub presences: u8,
    pub matching: SkillMatch,
    pub skills: Vec<(u32, u8)>,
    pub profiles: Vec<u32>,
}

#[derive(Clone, Debug)]
pub struct Class {
    pub demand: Demand,
    /// Bits of the capacity profiles.
    mask: u64,
    /// Members of the queue.
    pub qualified: Arc<Vec<u32>>,
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
        let mask = capacity::mask(&demand.profiles);
        self.list.push(Class { demand, mask, qualified: Arc::default(), version: None });
        number
    }
}

/// Free agents of a class.
pub enum Pool {
    /// The first in order on top. Of many, the first alone are kept: nobody else comes before `bound`, and without
    /// a bound there is nobody else.
    Heap { heap: BinaryHeap<Reverse<(Order, u32)>>, bound: Option<Order> },
    /// In order, for method `context`, which looks at several; those before `from` aren't free any more.
    Row { members: Vec<u32>, from: usize },
}

/// So many of a heap are kept. A cycle makes thousands of heaps and takes a few from each.
const KEPT: usize = 24;

/// Pools that a cycle has made so far, by class.
pub type Pools = Numbered<Pool>;

/// Somebody who could take an item, and where they stand.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    pub member: u32,
    pub agent: u32,
    pub standing: Standing,
    order: Order,
}

impl Seen {
    /// Somebody who isn't in the queue.
    pub fn outside(agent: u32) -> Self {
        Self { member: u32::MAX, agent, standing: Standing::default(), order: Order::default() }
    }
}

impl Seen {
    /// Where somebody stands in a method's order, their bullseye level left aside.
    pub const fn within_level(&self) -> Order {
        methods::within_level(self.order)
    }
}

impl Pool {
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Heap { heap, bound } => heap.is_empty() && bound.is_none(),
            Self::Row { members, from } => *from >= members.len(),
        }
    }

    /// Puts somebody back into a heap who was taken from it.
    pub fn put(&mut self, seen: &Seen) {
        if let Self::Heap { heap, .. } = self {
            heap.push(Reverse((seen.order, seen.member)));
        }
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
        let version = Some(members.version);
        let is_asked = |member: &u32| self.members[*member as usize].level != bullseye::NEVER;
        let is_exact = demand.matching == SkillMatch::Exact;
        let none = Vec::new();
        let rarest = demand
            .skills
            .iter()
            .filter(|_| is_exact)
            .map(|(skill, _)| members.by_skill.get(skill).unwrap_or(&none))
            .min_by_key(|list| list.len());
        let qualified = match (rarest, &members.asked) {
            (Some(list), _) => {
                let meets = |member: &u32| {
                    let agent = self.members[*member as usize].agent;
                    is_asked(member) && methods::meets(&demand.skills, self.levels_of(agent))
                };
                // Most of them fit: growing step by step would copy them several times.
                let mut qualified = Vec::with_capacity(list.len());
                qualified.extend(list.iter().copied().filter(meets));
                Arc::new(qualified)
            }
            (None, Some((made_for, list))) if Some(*made_for) == version => Arc::clone(list),
            (None, _) => {
                // One list for all classes of the queue: they are many, and each would have a copy of all members.
                let list = Arc::new(members.all.iter().copied().filter(is_asked).collect());
                let made_for = members.version;
                let queue = demand.queue as usize;
                self.members_of[queue].asked = Some((made_for, Arc::clone(&list)));
                list
            }
        };
        let class = &mut self.classes.list[class as usize];
        (class.qualified, class.version) = (qualified, version);
    }

    /// Whether an agent may be given work of a class now.
    pub(super) fn is_free_for(&self, agent: u32, class: &Class) -> bool {
        self.ready[agent as usize] & class.demand.presences != 0
            && self.room[agent as usize] & class.mask == class.mask
    }

    pub(super) fn free_of(&self, class: u32) -> impl Iterator<Item = u32> {
        let class = &self.classes.list[class as usize];
        let free = |member: &u32| self.is_free_for(self.members[*member as usize].agent, class);
        class.qualified.iter().copied().filter(free)
    }

    /// Whether anybody may be given work of a class now.
    pub(super) fn has_free(&mut self, class: u32) -> bool {
        self.qualify(class);
        self.free_of(class).next().is_some()
    }

    pub(super) fn pool(&mut self, class: u32) -> Pool {
        self.qualify(class);
        let queue = self.classes.list[class as usize].demand.queue;
        // One list for all pools: growing a new one each time costs more than what is done with it.
        let mut row = std::mem::take(&mut self.row);
        row.clear();
        let free = self.free_of(class).map(|member| (self.order_of(class, member), member));
        let pool = if self.plan.queues[queue as usize].method == Method::Context {
            row.extend(free);
            row.sort_unstable();
            Pool::Row { members: row.iter().map(|(_, member)| *member).collect(), from: 0 }
        } else {
            heap_of(free, &mut row)
        };
        self.row = row;
        pool
    }

    /// Where a member stands by the queue's method.
    fn order_of(&self, class: u32, member: u32) -> Order {
        let demand = &self.classes.list[class as usize].demand;
        let method = self.plan.queues[demand.queue as usize].method;
        let counts_free = matches!(method, Method::HighestCapacity | Method::Custom);
        let standing = self.standing(demand, member, counts_free);
        methods::order(method, demand.matching, standing)
    }

    fn standing(&self, demand: &Demand, member: u32, counts_free: bool) -> Standing {
        let of_member = &self.members[member as usize];
        let free =
            || self.agents[of_member.agent as usize].capacity.free(&demand.profiles).unwrap_or(0);
        Standing {
            level: of_member.level,
            distance: methods::distance(&demand.skills, self.levels_of(of_member.agent)),
            free: if counts_free { free() } else { 0 },
            last: self.last[of_member.agent as usize],
            last_here: of_member.last,
            released_ms: self.released_ms[of_member.agent as usize],
            joined: of_member.joined,
        }
    }

    pub(super) fn seen(&self, class: u32, member: u32) -> Seen {
        let demand = &self.classes.list[class as usize].demand;
        let standing = self.standing(demand, member, true);
        let method = self.plan.queues[demand.queue as usize].method;
        let order = methods::order(method, demand.matching, standing);
        Seen { member, agent: self.members[member as usize].agent, standing, order }
    }

    /// The next free agent of a heap, as they stand now. Whoever isn't free any more is dropped. `held` are those taken
    /// from it who will be put back.
    pub(super) fn next_of(
        &self,
        class: u32,
        pool: &mut Pool,
        held: &dyn Fn(u32) -> bool,
    ) -> Option<Seen> {
        let Pool::Heap { heap, bound } = pool else { return None };
        loop {
            let top = heap.pop();
            let is_past = match (&top, *bound) {
                (Some(Reverse((order, _))), Some(bound)) => *order > bound,
                (None, Some(_)) => true,
                (_, None) => false,
            };
            if is_past {
                // Somebody who wasn't kept may come before: all are looked at again.
                let free = self.free_of(class).filter(|member| !held(*member));
                let free = free.map(|member| (self.order_of(class, member), member));
                let Pool::Heap { heap: again, bound: next } = heap_of(free, &mut Vec::new()) else {
                    return None;
                };
                (*heap, *bound) = (again, next);
                continue;
            }
            let Reverse((order, member)) = top?;
            let agent = self.members[member as usize].agent;
            if !self.is_free_for(agent, &self.classes.list[class as usize]) {
                continue;
            }
            let seen = self.seen(class, member);
            if seen.order == order {
                return Some(seen);
            }
            heap.push(Reverse((seen.order, member)));
        }
    }

    /// Adds free agents of a row in its order, but the first `skipped` where enough are behind them.
    pub(super) fn row_of(
        &self,
        class: u32,
        pool: &mut Pool,
        skipped: usize,
        most: usize,
        found: &mut Vec<Seen>,
    ) {
        let Pool::Row { members, from } = pool else { return };
        let class_of = &self.classes.list[class as usize];
        let is_free =
            |member: &u32| self.is_free_for(self.members[*member as usize].agent, class_of);
        *from += members[*from..].iter().take_while(|member| !is_free(member)).count();
        let skipped = skipped.min((members.len() - *from).saturating_sub(most));
        let mut looked_at = 0;
        let free = members[*from + skipped..].iter().inspect(|_| looked_at += 1);
        let free = free.filter(|member| is_free(member)).take(most);
        // The rest of where they stand is found out for those that are told of.
        let at = |member: &u32| {
            let of = &self.members[*member as usize];
            let released_ms = self.released_ms[of.agent as usize];
            let standing = Standing { level: of.level, released_ms, ..Standing::default() };
            Seen { member: *member, agent: of.agent, standing, order: Order::default() }
        };
        found.extend(free.map(at));
        if looked_at > 4 * most {
            members.retain(is_free);
            *from = 0;
        }
    }
}

/// The first [`KEPT`] of `free`; `row` is used meanwhile.
fn heap_of(free: impl Iterator<Item = (Order, u32)>, row: &mut Vec<(Order, u32)>) -> Pool {
    row.clear();
    // Twice as many as are kept, cut in half when they are reached: what comes behind the bound isn't even noted.
    let mut bound = None;
    for one in free {
        if bound.is_some_and(|bound| one.0 > bound) {
            continue;
        }
        row.push(one);
        if row.len() > 2 * KEPT {
            row.select_nth_unstable(KEPT - 1);
            row.truncate(KEPT);
            bound = row.last().map(|(order, _)| *order);
        }
    }
    if bound.is_some() && row.len() > KEPT {
        row.select_nth_unstable(KEPT - 1);
        row.truncate(KEPT);
        bound = row.last().map(|(order, _)| *order);
    }
    Pool::Heap { heap: row.iter().copied().map(Reverse).collect(), bound }
}
