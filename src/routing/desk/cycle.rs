//! Cycles: waiting items against free agents.
//!
//! A cycle tries the first items of each queue, at most a block of them. Queues go by priority; among equals, those
//! with a standard method before custom ones, the former by the age of their items, the latter by name. A new item, or
//! an agent who becomes free, is no reason to look at all that wait: what could have been assigned already is.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap};

use super::Desk;
use super::classes::{Pool, Pools, Seen};
use super::commit::Picked;
use super::io::Output;
use super::items::{Item, Place, Rank};
use super::timers::Timer;
use crate::routing::assign::CANDIDATES;
use crate::routing::bullseye;
use crate::routing::methods::meets;
use crate::routing::plan::Method;

/// Agents that are told of in a decision of a method without scores.
const TOLD: usize = 3;

/// What the preference of an item for certain agents leads to.
enum Preference {
    None,
    Take(Seen),
    /// One of them is there, and may become free in time.
    Wait,
}

impl Desk {
    /// Queues in groups that are served one after another.
    pub(super) fn in_order(&self, queues: BTreeSet<u32>) -> Vec<Vec<u32>> {
        let key = |queue: &u32| {
            let of_queue = &self.plan.queues[*queue as usize];
            let custom = (of_queue.method == Method::Custom).then_some(of_queue.name.as_str());
            (of_queue.priority, custom)
        };
        let mut sorted: Vec<u32> = queues.into_iter().collect();
        sorted.sort_by_key(key);
        sorted.chunk_by(|a, b| key(a) == key(b)).map(<[u32]>::to_vec).collect()
    }

    /// Tries the first items of these queues.
    pub(super) fn cycle(&mut self, queues: BTreeSet<u32>, now_ms: u64) {
        let mut pools = Pools::default();
        for group in self.in_order(queues) {
            let is_context =
                |queue: &u32| self.plan.queues[*queue as usize].method == Method::Context;
            let (context, rest): (Vec<u32>, Vec<u32>) =
                group.iter().partition(|queue| is_context(queue));
            self.oldest_first(&rest, &mut pools, now_ms);
            let count = context.len();
            for queue in context {
                self.context_cycle(queue, count, &mut pools, now_ms);
            }
        }
    }

    /// One block of each queue, the oldest item of all queues first. Classes that nobody is free for cost nothing, but
    /// that their first item is told so.
    fn oldest_first(&mut self, queues: &[u32], pools: &mut Pools, now_ms: u64) {
        let mut room: HashMap<u32, usize> = HashMap::new();
        let mut lines: Vec<std::vec::IntoIter<Rank>> = Vec::new();
        let mut heads = BinaryHeap::new();
        for queue in queues {
            let block = self.plan.block_of(&self.plan.queues[*queue as usize]);
            room.insert(*queue, block);
            self.backlog.remove(queue);
            self.stale.remove(queue);
            let classes: Vec<u32> = self.lines[*queue as usize].classes().collect();
            for class in classes {
                let is_empty = match pools.get(&class) {
                    Some(pool) => pool.is_empty(),
                    None => !self.has_free(class),
                };
                let wants = self.lines[*queue as usize].of_class(class);
                let wants = wants.filter(|rank| !self.is_settled(rank.4, now_ms));
                // Somebody who isn't free in general may still be preferred, or be to be told of.
                // One more than the block, so that it is seen that more are left.
                let count = if is_empty { 1 } else { block + 1 };
                let mut line = wants.take(count).collect::<Vec<_>>().into_iter();
                if let Some(rank) = line.next() {
                    heads.push(Reverse((rank, *queue, lines.len())));
                    lines.push(line);
                }
            }
        }
        while let Some(Reverse((rank, queue, line))) = heads.pop() {
            let left = room.entry(queue).or_default();
            if *left == 0 {
                self.backlog.insert(queue);
                continue;
            }
            let at = rank.4;
            let class = self.items.of(at).class;
            let is_hopeless = match pools.get(&class) {
                Some(pool) => pool.is_empty(),
                None => !self.has_free(class),
            };
            *left -= usize::from(!is_hopeless);
            self.attempt(at, pools, now_ms);
            if let Some(rank) = lines[line].next().filter(|_| !is_hopeless) {
                heads.push(Reverse((rank, queue, line)));
            }
        }
    }

    /// Looks for an agent for one waiting item. True when one was found.
    pub(super) fn attempt(&mut self, at: u32, pools: &mut Pools, now_ms: u64) -> bool {
        if self.items.get(at).is_none_or(|item| item.place != Place::Waiting) {
            return false;
        }
        if self.is_advised(at) {
            return true;
        }
        self.first_try(at, now_ms);
        let picked = match self.preference(at, now_ms) {
            Preference::Wait => return false,
            Preference::Take(seen) => Picked {
                seen: vec![(seen, None)],
                by: Some("the preferred agent is free".to_owned()),
                as_good_as: None,
            },
            Preference::None => match self.plan.queues[self.items.of(at).queue as usize].method {
                Method::Custom => self.pick_custom(at, now_ms),
                Method::Context => self.pick_by_score(at, pools, now_ms),
                _ => self.pick(at, pools, now_ms),
            },
        };
        if picked.chosen().is_some() {
            self.carry_out(at, &picked, now_ms);
            return true;
        }
        if !self.items.of(at).told_nobody {
            self.items.of_mut(at).told_nobody = true;
            let decision = self.decision(at, &picked, now_ms);
            self.tell(Output::Decided(decision));
        }
        false
    }

    /// Whether trying an item would change nothing: its recommendation stands, or whoever is free has declined it for
    /// good. Such items take no place in a block, so that those behind them aren't hidden.
    pub(super) fn is_settled(&self, at: u32, now_ms: u64) -> bool {
        if self.is_advised(at) {
            return true;
        }
        let item = self.items.of(at);
        let allowed = self.plan.declines_allowed;
        let is_refused = item.declined.iter().any(|(_, count)| *count >= allowed);
        if !is_refused || !item.told_nobody || !item.preferred.is_empty() {
            return false;
        }
        let reached = self.reached(item, now_ms);
        let is_open = |member: u32| {
            let member = &self.members[member as usize];
            member.level <= reached && item.declines_of(member.agent) < allowed
        };
        !self.free_of(item.class).any(is_open)
    }

    /// Notes when an item was tried first, from when on bullseye levels count.
    pub(super) fn first_try(&mut self, at: u32, now_ms: u64) {
        let item = self.items.of_mut(at);
        if item.tried_ms.is_some() {
            return;
        }
        item.tried_ms = Some(now_ms);
        let (queue, number) = (item.queue, item.number);
        let wait_ms = self.plan.workstreams[item.workstream as usize].preferred_wait_ms;
        if !item.preferred.is_empty() && wait_ms > 0 {
            self.timers.insert((now_ms + wait_ms, Timer::Again { item: at, number }));
        }
        if let Some(levels) = &self.plan.queues[queue as usize].bullseye
            && let Some(widens_ms) = bullseye::widens_ms(levels, 0)
        {
            self.timers.insert((now_ms + widens_ms, Timer::Again { item: at, number }));
        }
    }

    /// The first agents of the queue's method. Whoever declined the item comes behind all others.
    fn pick(&mut self, at: u32, pools: &mut Pools, now_ms: u64) -> Picked {
        let seen = self.eligible(at, pools, TOLD, 0, now_ms);
        let picked =
            Picked { seen: seen.iter().map(|seen| (*seen, None)).collect(), ..Picked::default() };
        self.found = seen;
        picked
    }

    /// At most `most` free agents who may be given an item, in the order of the method.
    pub(super) fn eligible(
        &mut self,
        at: u32,
        pools: &mut Pools,
        most: usize,
        skipped: usize,
        now_ms: u64,
    ) -> Vec<Seen> {
        // Taken back by whoever is done with it: a cycle asks for each item, and allocating is what it would do most.
        let mut found = std::mem::take(&mut self.found);
        found.clear();
        let class = self.items.of(at).class;
        let mut pool = match pools.remove(&class) {
            Some(pool) => pool,
            None => self.pool(class),
        };
        let item = self.items.of(at);
        let reached = self.reached(item, now_ms);
        let (mut reluctant, mut others) = (Vec::new(), Vec::new());
        while found.len() < most && reluctant.len() < CANDIDATES {
            let held = |member: u32| {
                let mut all = found.iter().chain(&reluctant).chain(&others);
                all.any(|seen: &Seen| seen.member == member)
            };
            let Some(seen) = self.next_of(class, &mut pool, &held) else { break };
            if seen.standing.level > reached {
                others.push(seen);
                break;
            }
            match item.declines_of(seen.agent) {
                0 => found.push(seen),
                declines if declines < self.plan.declines_allowed => reluctant.push(seen),
                _ => others.push(seen),
            }
        }
        // All go back: an entry that has become wrong is put right when it comes to the top again.
        found.iter().chain(&reluctant).chain(&others).for_each(|seen| pool.put(seen));
        if matches!(pool, Pool::Row { .. }) {
            self.row_of(class, &mut pool, skipped, most, &mut found);
            let declines = |seen: &Seen| item.declines_of(seen.agent);
            found.retain(|seen| {
                seen.standing.level <= reached && declines(seen) < self.plan.declines_allowed
            });
            found.sort_by_key(|seen| declines(seen) > 0);
        }
        pools.insert(class, pool);
        reluctant.truncate(most - found.len().min(most));
        found.extend(reluctant);
        found
    }

    /// The bullseye level that may be asked for an item.
    pub(super) fn reached(&self, item: &Item, now_ms: u64) -> u8 {
        match &self.plan.queues[item.queue as usize].bullseye {
            Some(levels) => {
                bullseye::reached(levels, now_ms.saturating_sub(item.tried_ms.unwrap_or(now_ms)))
            }
            None => bullseye::FALLBACK,
        }
    }

    fn preference(&mut self, at: u32, now_ms: u64) -> Preference {
        let item = self.items.of(at);
        let (class, preferred) = (item.class, item.preferred.clone());
        let wait_ms = self.plan.workstreams[item.workstream as usize].preferred_wait_ms;
        let in_time = now_ms < item.tried_ms.unwrap_or(now_ms) + wait_ms;
        let mut is_there = false;
        for agent in preferred {
            let demand = &self.classes.list[class as usize].demand;
            let item = self.items.of(at);
            let fits = meets(&item.skills, self.levels_of(agent))
                && item.declines_of(agent) == 0
                && self.agents[agent as usize].capacity.free(&demand.profiles).is_some();
            if fits && self.is_free_for(agent, &self.classes.list[class as usize]) {
                // A preferred agent needn't serve the queue.
                let seen = match self.member_of(agent, demand.queue) {
                    Some(member) => self.seen(class, member),
                    None => Seen::outside(agent),
                };
                return Preference::Take(seen);
            }
            // Whoever is there for other work only gets none of this, however long it waits.
            let presences = self.classes.list[class as usize].demand.presences;
            is_there |= fits && self.present[agent as usize] & presences != 0;
        }
        if is_there && in_time { Preference::Wait } else { Preference::None }
    }

    /// Gives an agent who has become free what waits for them, until they have enough.
    pub(super) fn serve(&mut self, agent: u32, now_ms: u64) {
        self.serve_preferring(agent, now_ms);
        let groups = self.in_order(self.queues_of(agent).into_iter().collect());
        let mut passed = BTreeSet::new();
        for group in groups {
            while let Some(at) = self.next_for(agent, &group, &passed, now_ms) {
                self.attempt(at, &mut Pools::default(), now_ms);
                // Whoever got it, this item is done with.
                passed.insert(at);
                if self.ready[agent as usize] == 0 {
                    return;
                }
            }
        }
    }

    pub(super) fn serve_preferring(&mut self, agent: u32, now_ms: u64) {
        let waiting: Vec<u32> = match self.preferring.get(&agent) {
            Some(items) => items.iter().copied().collect(),
            None => return,
        };
        for at in waiting {
            if self.ready[agent as usize] == 0 {
                return;
            }
            self.attempt(at, &mut Pools::default(), now_ms);
        }
    }

    /// The item that an agent should get next from queues of equal order. It looks at the first of each class.
    fn next_for(
        &self,
        agent: u32,
        queues: &[u32],
        passed: &BTreeSet<u32>,
        now_ms: u64,
    ) -> Option<u32> {
        let levels = self.levels_of(agent);
        let mut best: Option<(Rank, u32)> = None;
        let mut scored: Option<(f64, u32)> = None;
        for queue in queues {
            let Some(member) = self.member_of(agent, *queue) else { continue };
            let level = self.members[member as usize].level;
            let line = &self.lines[*queue as usize];
            let may_have = |rank: &Rank| {
                let item = self.items.of(rank.4);
                !passed.contains(&rank.4)
                    && !self.is_advised(rank.4)
                    && level <= self.reached(item, now_ms)
                    && item.declines_of(agent) < self.plan.declines_allowed
            };
            let fits = |class: u32| {
                let of_class = &self.classes.list[class as usize];
                let demand = &of_class.demand;
                let exact = demand.matching == crate::routing::plan::SkillMatch::Exact;
                self.is_free_for(agent, of_class) && (!exact || meets(&demand.skills, levels))
            };
            if self.plan.queues[*queue as usize].method == Method::Context {
                let mine = self.dearest_for(agent, *queue, &fits, &may_have, now_ms);
                scored = [scored, mine].into_iter().flatten().max_by(|a, b| a.0.total_cmp(&b.0));
                continue;
            }
            for class in line.classes().filter(|class| fits(*class)) {
                let first = line.of_class(class).find(|rank| may_have(rank));
                let Some(rank) = first else { continue };
                if best.is_none_or(|(known, _)| rank < known) {
                    best = Some((rank, rank.4));
                }
            }
        }
        best.or(scored.map(|(_, at)| (Rank::default(), at))).map(|(_, at)| at)
    }
}
