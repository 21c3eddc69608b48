//! Method `context`: who is worth most to whom, by the score of `routing::score`.

use std::ops::Range;

use super::Desk;
use super::classes::{Pools, Seen};
use super::commit::Picked;
use super::explain::OTHERS;
use super::items::{Item, Rank};
use crate::domain::Intent;
use crate::routing::assign::{self, CANDIDATES, Edge, Numbered, URGENT};
use crate::routing::score::{self, Terms};

/// So many of the candidates stand in a decision.
const TOLD: usize = 2 + OTHERS;

/// Matching is cubic: a cycle over more than 40 queues matches fewer than `URGENT` items of each, the rest greedily.
const MATCHED_MAX: usize = 4000;

/// So many kinds of contact are told apart. Others may invent labels without end, and each has a place in every agent's
/// list: further ones count as nothing that is known.
pub(super) const KINDS_MAX: usize = 4096;

/// Without any measurement, so much is resolved.
const RESOLVED: f64 = 0.7;

/// What contacts of a kind take and become, over all agents.
#[derive(Clone, Copy, Debug, Default)]
pub struct Means {
    handled: f64,
    resolved: f64,
    total_s: f64,
}

impl Means {
    fn add(&mut self, more: Self) {
        self.handled += more.handled;
        self.resolved += more.resolved;
        self.total_s += more.total_s;
    }

    /// Sums of decimal fractions may leave a little less than nothing.
    fn take(&mut self, less: Self) {
        self.handled = (self.handled - less.handled).max(0.0);
        self.resolved = (self.resolved - less.resolved).max(0.0);
        self.total_s = (self.total_s - less.total_s).max(0.0);
    }
}

impl Desk {
    /// Labels as numbers.
    pub(super) fn kinds_of(&mut self, intents: &[Intent]) -> Vec<(u32, f64)> {
        intents
            .iter()
            .filter_map(|intent| Some((self.kind(&intent.label)?, f64::from(intent.probability))))
            .collect()
    }

    fn kind(&mut self, label: &str) -> Option<u32> {
        if let Some(known) = self.kinds.get(label) {
            return Some(*known);
        }
        if self.means.len() >= KINDS_MAX {
            return None;
        }
        let number = self.means.len() as u32;
        self.kinds.insert(label.to_owned(), number);
        self.means.push(Means::default());
        Some(number)
    }

    /// Takes what an agent has done so far with a kind of contact. The mean over all agents counts as ten contacts
    /// more, so the order of the first reports matters a little; later ones put it right.
    pub(super) fn measure(
        &mut self,
        agent: u32,
        kind: &str,
        handled: f64,
        resolved: f64,
        total_s: f64,
    ) {
        let Some(kind) = self.kind(kind) else { return };
        let reported = &mut self.agents[agent as usize].reported;
        if reported.len() <= kind as usize {
            reported.resize(kind as usize + 1, Means::default());
        }
        let now = Means {
            handled: handled.max(0.0),
            resolved: resolved.max(0.0),
            total_s: total_s.max(0.0),
        };
        let before = std::mem::replace(&mut reported[kind as usize], now);
        let means = &mut self.means[kind as usize];
        means.take(before);
        means.add(now);
        let (others_s, others) = self.mean_of(kind, 0);
        let figures = (
            score::handling_s(total_s, handled, others_s),
            score::resolves(resolved, handled, others),
        );
        let known = &mut self.figures[agent as usize];
        if known.len() <= kind as usize {
            known.resize(kind as usize + 1, (f64::NAN, f64::NAN));
        }
        known[kind as usize] = figures;
    }

    /// Takes what an agent had reported, by kind, out of the means over all agents.
    pub(super) fn forget_measured(&mut self, reported: &[Means]) {
        for (means, reported) in self.means.iter_mut().zip(reported) {
            means.take(*reported);
        }
    }

    /// Seconds and resolve probability over all agents; `queue`'s where nothing is measured.
    fn mean_of(&self, kind: u32, queue: u32) -> (f64, f64) {
        match self.means.get(kind as usize) {
            Some(means) if means.handled > 0.0 => {
                (means.total_s / means.handled, means.resolved / means.handled)
            }
            _ => (self.handling_s.get(queue as usize).copied().unwrap_or(300.0), RESOLVED),
        }
    }

    /// The factors of an item and an agent.
    pub(super) fn terms(&self, item: &Item, agent: u32, now_ms: u64) -> Terms {
        self.terms_at(item, agent, self.waiting_cost(item, now_ms))
    }

    /// With the waiting cost, which is the same for all agents of an item.
    fn terms_at(&self, item: &Item, agent: u32, waiting_cost: f64) -> Terms {
        let figures = &self.figures[agent as usize];
        let of = |kind: u32| match figures.get(kind as usize) {
            Some(figures) if !figures.0.is_nan() => *figures,
            _ => self.mean_of(kind, item.queue),
        };
        let otherwise = (self.handling_s[item.queue as usize], RESOLVED);
        let (handling_s, resolves) = match item.kinds.as_slice() {
            [] => otherwise,
            kinds => score::expected_both(kinds.iter().map(|(kind, p)| (*p, of(*kind))), otherwise),
        };
        Terms {
            value: item.value,
            waiting_cost,
            service_rate_per_min: score::service_rate_per_min(handling_s),
            resolves,
        }
    }

    fn waiting_cost(&self, item: &Item, now_ms: u64) -> f64 {
        let target_s = self.plan.queues[item.queue as usize].target_s;
        let waited_s = now_ms.saturating_sub(item.arrived_ms) as f64 / 1000.0;
        let due_in_s = item.promised_ms.map(|due_ms| (due_ms as f64 - now_ms as f64) / 1000.0);
        score::waiting_cost(score::wait_with_promise(waited_s, target_s, due_in_s), target_s)
    }

    /// One item, several agents: who has been idle for longest of those with almost the greatest score. Whoever
    /// declined it comes last.
    pub(super) fn pick_by_score(&mut self, at: u32, pools: &mut Pools, now_ms: u64) -> Picked {
        let seen = self.eligible(at, pools, CANDIDATES, 0, now_ms);
        let item = self.items.of(at);
        let waiting_cost = self.waiting_cost(item, now_ms);
        let score = |(number, seen): (usize, &Seen)| {
            let has_declined = item.declines_of(seen.agent) > 0;
            (has_declined, self.terms_at(item, seen.agent, waiting_cost).score(), number)
        };
        let mut ranked: Vec<(bool, f64, usize)> = seen.iter().enumerate().map(score).collect();
        ranked.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)).then(a.2.cmp(&b.2)));
        let as_good_as = ranked.first().copied().and_then(|first| {
            let near =
                ranked.iter().take_while(|one| one.0 == first.0 && score::is_near(one.1, first.1));
            // The first of those who are idle for as long is the better one.
            let place = near.enumerate().min_by_key(|(_, one)| seen[one.2].standing.released_ms)?.0;
            ranked[..=place].rotate_right(1);
            (place > 0).then(|| seen[ranked[1].2].agent)
        });
        ranked.truncate(TOLD);
        let terms = |(_, _, number): (bool, f64, usize)| {
            let seen = self.seen(item.class, seen[number].member);
            (seen, Some(self.terms_at(item, seen.agent, waiting_cost)))
        };
        let best = ranked.into_iter().map(terms).collect();
        self.found = seen;
        Picked { seen: best, by: None, as_good_as }
    }

    /// One agent, several items: the greatest score of the oldest and of the most valuable ones.
    pub(super) fn dearest_for(
        &self,
        agent: u32,
        queue: u32,
        fits: &dyn Fn(u32) -> bool,
        may_have: &dyn Fn(&Rank) -> bool,
        now_ms: u64,
    ) -> Option<(f64, u32)> {
        let line = &self.lines[queue as usize];
        let mut oldest: Vec<Rank> = Vec::new();
        for class in line.classes().filter(|class| fits(*class)) {
            oldest.extend(line.of_class(class).filter(|rank| may_have(rank)).take(CANDIDATES));
        }
        oldest.sort_unstable();
        oldest.truncate(URGENT);
        let may_have = |rank: &Rank| fits(self.items.of(rank.4).class) && may_have(rank);
        let valued = line.valued().filter(may_have).take(URGENT);
        oldest
            .into_iter()
            .chain(valued)
            .map(|rank| (self.terms(self.items.of(rank.4), agent, now_ms).score(), rank))
            .max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)))
            .map(|(score, rank)| (score, rank.4))
    }

    /// Several of both: the best matching of the most urgent items, and greedily beyond them.
    pub(super) fn context_cycle(
        &mut self,
        queue: u32,
        queues: usize,
        pools: &mut Pools,
        now_ms: u64,
    ) {
        self.backlog.remove(&queue);
        self.stale.remove(&queue);
        let block = self.plan.block_of(&self.plan.queues[queue as usize]);
        let mut urgent: Vec<(f64, Rank)> = Vec::new();
        let urgency = |desk: &Self, rank: &Rank| {
            let item = desk.items.of(rank.4);
            item.value * desk.waiting_cost(item, now_ms)
        };
        let classes: Vec<u32> = self.lines[queue as usize].classes().collect();
        for class in classes {
            // The oldest of each class and the most valuable of all: nobody behind both can be more urgent by much.
            let count = if self.has_free(class) { block } else { 1 };
            let ranks = self.lines[queue as usize].of_class(class);
            let ranks = ranks.filter(|rank| !self.is_settled(rank.4, now_ms)).take(count);
            urgent.extend(ranks.map(|rank| (urgency(self, &rank), rank)));
        }
        let valued = self.lines[queue as usize].valued();
        let valued = valued.filter(|rank| !self.is_settled(rank.4, now_ms)).take(block);
        urgent.extend(valued.map(|rank| (urgency(self, &rank), rank)));
        urgent.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        urgent.dedup_by_key(|(_, rank)| *rank);
        urgent.truncate(block);
        if self.lines[queue as usize].len() as usize > block {
            self.backlog.insert(queue);
        }
        let numbers: Vec<u32> = urgent.iter().map(|(_, rank)| rank.4).collect();
        let matched = numbers.len().min(URGENT).min(MATCHED_MAX / queues.max(1));
        self.match_best(&numbers[..matched], pools, now_ms);
        // Beyond them, agents with room for more than one, and items that the matching left.
        for at in numbers {
            self.attempt(at, pools, now_ms);
        }
        self.outbid.clear();
    }

    /// Makes the pairs that are worth most together, but with who has been idle for longest of those who are left and
    /// almost as good.
    fn match_best(&mut self, items: &[u32], pools: &mut Pools, now_ms: u64) {
        let mut of_class: Numbered<usize> = Numbered::default();
        let mut edges = Vec::with_capacity(items.len() * CANDIDATES);
        // Where the edges of an item begin and end, and the members of the queue that they lead to.
        let (mut ranges, mut members) = (Numbered::<Range<usize>>::default(), Vec::new());
        for at in items {
            // An item with preferred agents goes its own way.
            if !self.items.of(*at).preferred.is_empty() {
                continue;
            }
            self.first_try(*at, now_ms);
            // Not all of a class look at the same agents: half of their candidates are new after half as many items.
            let before = of_class.entry(self.items.of(*at).class).or_default();
            let skipped = *before / (CANDIDATES / 2) * (CANDIDATES / 2);
            *before += 1;
            let seen = self.eligible(*at, pools, CANDIDATES, skipped, now_ms);
            let item = self.items.of(*at);
            let begin = edges.len();
            let waiting_cost = self.waiting_cost(item, now_ms);
            for seen in seen.iter().filter(|seen| item.declines_of(seen.agent) == 0) {
                let score = self.terms_at(item, seen.agent, waiting_cost).score();
                edges.push(Edge { item: *at, agent: seen.agent, score });
                members.push(seen.member);
            }
            ranges.insert(*at, begin..edges.len());
            self.found = seen;
        }
        let pairs = assign::cycle(items, &edges);
        let mut has: Numbered<u32> = pairs.iter().map(|pair| (pair.agent, pair.item)).collect();
        for at in items {
            let Some(best) = ranges.get(at).and_then(|range: &Range<usize>| {
                edges[range.clone()].iter().max_by(|a, b| a.score.total_cmp(&b.score))
            }) else {
                continue;
            };
            if let Some(rival) = has.get(&best.agent).filter(|rival| *rival != at) {
                self.outbid.insert(*at, (best.agent, *rival));
            }
        }
        for pair in pairs {
            let Some(range) = ranges.remove(&pair.item) else { continue };
            let idle_since = |edge: usize| self.released_ms[edges[edge].agent as usize];
            let mut best: Vec<usize> = range.collect();
            best.sort_by(|a, b| edges[*b].score.total_cmp(&edges[*a].score));
            let left = |edge: &usize| {
                let edge = &edges[*edge];
                edge.agent == pair.agent
                    || !has.contains_key(&edge.agent) && score::is_near(edge.score, pair.score)
            };
            // Whoever the matching chose keeps it among those who are idle for as long.
            let chosen = best
                .iter()
                .copied()
                .filter(left)
                .min_by_key(|edge| (idle_since(*edge), edges[*edge].agent != pair.agent));
            let agent = chosen.map_or(pair.agent, |edge| edges[edge].agent);
            if agent != pair.agent {
                has.remove(&pair.agent);
                has.insert(agent, pair.item);
            }
            best.sort_by_key(|edge| edges[*edge].agent != agent);
            best.truncate(TOLD);
            let item = self.items.of(pair.item);
            let waiting_cost = self.waiting_cost(item, now_ms);
            let told = best.into_iter().map(|edge| {
                let seen = self.seen(item.class, members[edge]);
                (seen, Some(self.terms_at(item, seen.agent, waiting_cost)))
            });
            let as_good_as = (agent != pair.agent).then_some(pair.agent);
            let picked = Picked { seen: told.collect(), by: None, as_good_as };
            self.carry_out(pair.item, &picked, now_ms);
        }
    }
}
