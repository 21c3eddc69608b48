//! The desk: who waits, who is free, and who gets what, as a state machine.
//!
//! `handle` takes what happened and `poll` gives what follows from it; drain it after every call. Times are unix
//! milliseconds that the caller passes in, and never go back. `next_due_ms` says when to call with `Input::Tick`.
//!
//! An item comes in (`arrive`), waits (`items`) and is tried in a cycle (`cycle`) against free agents of its class
//! (`classes`, `agents`), by the queue's method (`methods`, or here `context` and `custom`). `commit` carries out what
//! was chosen, `explain` and `change` say why, `timers` moves what waits too long, `advice` is what stands in shadow
//! mode, `day` counts a day's work, `replace` changes the plan and `resume` puts items back after a restart.

mod advice;
mod agents;
mod arrive;
mod change;
mod classes;
mod commit;
mod context;
mod custom;
mod cycle;
mod day;
mod explain;
mod io;
mod items;
mod replace;
mod resume;
mod timers;
mod views;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

pub use self::day::Counted;
pub use self::io::{
    Input, Joining, Offer, Output, Overflowed, Queued, Refused, Target, Unanswered,
};
pub use self::views::{AgentView, ItemView, QueueView};

use self::agents::{AgentState, Member, Members};
use self::classes::{Classes, Pools, Seen};
use self::context::Means;
use self::day::SetAside;
use self::items::{Items, Line, Place};
use self::timers::Timer;
use super::capacity::Capacity;
use super::methods::Order;
use super::plan::{Plan, Presence};
use crate::domain::RoutingMode;

/// Work items and agents of one tenant.
#[derive(Clone, Debug)]
pub struct Desk {
    plan: Arc<Plan>,
    epoch: u64,
    /// Of the identifiers of decisions.
    prefix: String,
    decisions: u64,
    /// Numbers assignments, so that two of one millisecond have an order.
    sequence: u64,
    items: Items,
    /// By queue: who waits, who serves, and the mean handling time.
    lines: Vec<Line>,
    members_of: Vec<Members>,
    handling_s: Vec<f64>,
    agents: Vec<AgentState>,
    members: Vec<Member>,
    /// By agent: the bit of the presence, 0 for whoever is off shift; and 0 too for whoever has no room.
    present: Vec<u8>,
    ready: Vec<u8>,
    /// By agent: the capacity profiles with room.
    room: Vec<u64>,
    /// By agent: the last assignment, as a number that grows, 0 without one; and when capacity was given back last.
    last: Vec<u64>,
    released_ms: Vec<u64>,
    /// By agent and skill: the proficiency. And by skill: agents who have it.
    levels: Vec<u8>,
    skilled: Vec<Vec<u32>>,
    /// By agent: handling seconds and resolve probability by kind, not a number where nothing is measured; see `context`.
    figures: Vec<Vec<(f64, f64)>>,
    classes: Classes,
    /// Kinds of contact by name, and what they take on average.
    kinds: HashMap<String, u32>,
    means: Vec<Means>,
    /// Waiting items by an agent whom they prefer.
    preferring: HashMap<u32, BTreeSet<u32>>,
    /// In shadow mode: waiting items by the agent who is recommended for them, and agents whose recommendations may
    /// not stand any more.
    advised: HashMap<u32, BTreeSet<u32>>,
    lost: BTreeSet<u32>,
    timers: BTreeSet<(u64, Timer)>,
    /// Whether a timer for records runs, and one for the backlog.
    sees_to_records: bool,
    sees_to_backlog: bool,
    /// Whether the shifts of the plan were compared with the time yet.
    knows_time: bool,
    /// When something was told for the first time, also to the desk of an earlier plan.
    begun_ms: u64,
    /// Of agents or profiles that a plan has left out.
    set_aside: Vec<SetAside>,
    /// Offers from before a restart, with their numbers of arrival: their time to answer begins with the next tick.
    put_back: Vec<(u32, u64)>,
    /// Start of the minute, and how many overflowed in it while they waited.
    overflows: (u64, usize),
    /// What the next cycle is for.
    new_items: Vec<u32>,
    freed: Vec<u32>,
    due: BTreeSet<u32>,
    /// Queues whose last cycle ended with its block.
    backlog: BTreeSet<u32>,
    /// Queues where somebody may have got room that nothing was made of yet: the next trigger tries all their items.
    stale: BTreeSet<u32>,
    /// Capacity that a cycle in shadow mode pretends to take.
    reserved: Vec<(u32, Vec<u32>)>,
    /// A list that is used again and again; see `eligible`.
    found: Vec<Seen>,
    /// And one for `pool`.
    row: Vec<(Order, u32)>,
    /// Items that a matching left their best agent to another item, in this cycle: that agent's number, and the item.
    outbid: HashMap<u32, (u32, u32)>,
    out: VecDeque<Output>,
}

impl Desk {
    /// `prefix` begins the identifiers of decisions: choose one that was never used before.
    pub fn new(plan: Plan, prefix: &str) -> Self {
        let (queues, agents) = (plan.queues.len(), plan.agents.len());
        let mut desk = Self {
            epoch: 1,
            prefix: prefix.to_owned(),
            decisions: 0,
            sequence: 0,
            items: Items::default(),
            lines: vec![Line::default(); queues],
            members_of: vec![Members::default(); queues],
            handling_s: plan.queues.iter().map(|queue| queue.handling_s).collect(),
            agents: Vec::with_capacity(agents),
            members: Vec::new(),
            present: vec![0; agents],
            ready: vec![0; agents],
            room: vec![0; agents],
            last: vec![0; agents],
            released_ms: vec![0; agents],
            levels: vec![0; agents * plan.skills.len()],
            skilled: vec![Vec::new(); plan.skills.len()],
            figures: vec![Vec::new(); agents],
            classes: Classes::default(),
            kinds: HashMap::new(),
            means: Vec::new(),
            preferring: HashMap::new(),
            advised: HashMap::new(),
            lost: BTreeSet::new(),
            timers: BTreeSet::new(),
            sees_to_records: false,
            sees_to_backlog: false,
            knows_time: false,
            begun_ms: 0,
            set_aside: Vec::new(),
            put_back: Vec::new(),
            overflows: (0, 0),
            new_items: Vec::new(),
            freed: Vec::new(),
            due: BTreeSet::new(),
            backlog: BTreeSet::new(),
            stale: BTreeSet::new(),
            reserved: Vec::new(),
            found: Vec::new(),
            row: Vec::new(),
            outbid: HashMap::new(),
            out: VecDeque::new(),
            plan: Arc::new(plan),
        };
        let plan = desk.plan.clone();
        for agent in &plan.agents {
            let capacity = Capacity::new(&agent.profiles, &plan);
            desk.agents.push(AgentState { capacity, ..AgentState::default() });
        }
        for (number, agent) in plan.agents.iter().enumerate() {
            for (skill, level) in &agent.skills {
                desk.levels[number * plan.skills.len() + *skill as usize] = *level;
                desk.skilled[*skill as usize].push(number as u32);
            }
            agent.queues.iter().for_each(|queue| desk.join(number as u32, *queue));
        }
        desk
    }

    /// Takes what happened, and does what follows from it.
    ///
    /// # Errors
    /// When it names what isn't there. Nothing has changed then.
    pub fn handle(&mut self, input: Input, now_ms: u64) -> Result<(), Refused> {
        self.note(input, now_ms)?;
        self.settle(now_ms);
        Ok(())
    }

    /// Takes what happened, and leaves assigning to the next `settle`: for several inputs at once, so that they are
    /// weighed together.
    ///
    /// # Errors
    /// As `handle`.
    pub fn note(&mut self, input: Input, now_ms: u64) -> Result<(), Refused> {
        if !std::mem::replace(&mut self.knows_time, true) {
            self.begun_ms = now_ms;
            self.see_first_shifts(now_ms);
        }
        match input {
            Input::Offered(offer) => self.offer(offer, false, now_ms),
            Input::Restored(offer) => self.offer(offer, true, now_ms),
            Input::Updated { item, features, intents } => {
                self.update(&item, features, intents, now_ms)
            }
            Input::Ended { item } => self.end(&item, now_ms),
            Input::Released { item } => self.release(&item, now_ms),
            Input::Transferred { item, to, by } => self.transfer(&item, &to, &by, now_ms),
            Input::Assigned { item, agent, by } => self.assign_by_hand(&item, &agent, &by, now_ms),
            Input::Accepted { item } => self.accept(&item),
            Input::Declined { item } => self.decline(&item, now_ms),
            Input::Taken { item } => self.taken(&item, now_ms),
            Input::Joined { item, agent, .. } => {
                let at = self.items.find(&item).ok_or(Refused::NoSuchItem)?;
                let agent = self.agent_named(&agent)?;
                self.items.of_mut(at).beside.push(agent);
                Ok(())
            }
            Input::PresenceChanged { agent, presence } => {
                let agent = self.agent_named(&agent)?;
                self.set_presence(agent, presence);
                if presence == Presence::Offline {
                    self.take_back_offers(agent, now_ms);
                }
                self.freed.push(agent);
                Ok(())
            }
            Input::QueueJoined { agent, queue } => {
                let (agent, queue) = (self.agent_named(&agent)?, self.queue_named(&queue)?);
                self.join(agent, queue);
                self.freed.push(agent);
                Ok(())
            }
            Input::QueueLeft { agent, queue } => {
                let (agent, queue) = (self.agent_named(&agent)?, self.queue_named(&queue)?);
                self.leave(agent, queue);
                Ok(())
            }
            Input::LimitSet { agent, profile, limit } => {
                let agent = self.agent_named(&agent)?;
                let profile = self.plan.names.profiles.get(&profile).copied();
                let profile = profile.ok_or(Refused::NoSuchProfile)?;
                let plan = self.plan.clone();
                let limit = limit.map(|limit| limit.min(i32::MAX as u32) as i32);
                self.change(agent, |state| state.capacity.set_limit(profile, limit, &plan));
                self.stale.extend(self.queues_of(agent));
                Ok(())
            }
            Input::Shifts { agent, booked, off } => {
                let agent = self.agent_named(&agent)?;
                self.set_shifts(agent, booked, off, now_ms);
                self.freed.push(agent);
                Ok(())
            }
            Input::Measured { agent, kind, handled, resolved, total_s } => {
                let agent = self.agent_named(&agent)?;
                self.measure(agent, &kind, handled, resolved, total_s);
                Ok(())
            }
            Input::PlanReplaced(plan) => {
                self.replace(*plan, now_ms);
                Ok(())
            }
            Input::Tick => {
                self.tick(now_ms);
                Ok(())
            }
        }
    }

    /// Assigns what can be assigned, after one or more `note`s.
    pub fn settle(&mut self, now_ms: u64) {
        let taken_back = self.revise_advice(now_ms);
        let mut items = std::mem::take(&mut self.new_items);
        let mut agents = std::mem::take(&mut self.freed);
        let mut queues = std::mem::take(&mut self.due);
        if self.plan.mode == RoutingMode::Off {
            return;
        }
        let decisions = self.decisions;
        items.retain(|at| self.items.get(*at).is_some_and(|item| item.place == Place::Waiting));
        agents.retain(|agent| self.ready[*agent as usize] != 0);
        match (items.as_slice(), agents.as_slice(), queues.is_empty()) {
            ([], [], true) => {}
            ([at], [], true) if !self.has_untried(self.items.of(*at).queue) => {
                self.attempt(*at, &mut Pools::default(), now_ms);
            }
            ([], [agent], true) => self.serve(*agent, now_ms),
            _ => {
                queues.extend(items.iter().map(|at| self.items.of(*at).queue));
                queues.extend(agents.iter().flat_map(|agent| self.queues_of(*agent)));
                self.cycle(queues, now_ms);
                // An item's preferred agent may serve none of these queues.
                agents.iter().for_each(|agent| self.serve_preferring(*agent, now_ms));
            }
        }
        // A cycle tells of one item in a class that nobody is free for; here each had a name that stands no more.
        for at in taken_back {
            if self.items.get(at).is_some_and(|item| !item.told_nobody) {
                self.attempt(at, &mut Pools::default(), now_ms);
            }
        }
        self.give_reserved_back();
        // Nobody was assigned anything in shadow mode: what was reserved and given back loses nobody.
        self.lost.clear();
        // Where nothing came of it, the same would come of it again.
        if self.decisions > decisions {
            self.see_to_backlog(now_ms);
        }
    }

    /// Whether items wait in a queue that somebody who is free might take.
    fn has_untried(&self, queue: u32) -> bool {
        self.backlog.contains(&queue) || self.stale.contains(&queue)
    }

    /// The next thing that follows. Drain it after every `handle` and `settle`.
    pub fn poll(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// Nobody is told anything when routing is off.
    fn tell(&mut self, output: Output) {
        if self.plan.mode != RoutingMode::Off {
            self.out.push_back(output);
        }
    }

    /// When something falls due that only `Input::Tick` does.
    pub fn next_due_ms(&self) -> Option<u64> {
        self.timers.first().map(|(at_ms, _)| *at_ms)
    }

    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Grows with every plan.
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }
}

#[cfg(test)]
mod tests;
