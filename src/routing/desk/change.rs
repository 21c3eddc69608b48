//! What would have changed a choice. What is told is enough by itself: numbers are rounded to the side on which the
//! choice is another one, and where several things stood in the way, all are named.

use super::Desk;
use super::classes::Seen;
use super::items::Item;
use crate::routing::methods::Standing;
use crate::routing::plan::{Method, SkillMatch};
use crate::routing::score::{self, SHORTEST_HANDLING_S, Terms};

/// So many who declined an item for good are named.
const NAMED: usize = 3;

/// Somebody who was looked at, with the factors of their score where the method has one.
type Looked<'a> = (&'a Seen, &'a Option<Terms>);

impl Desk {
    /// What the first has before the second. `best` is the greatest score of all, which needn't be the first's.
    pub(super) fn what_decided(
        &self,
        item: &Item,
        (chosen, scored): Looked<'_>,
        (next, next_scored): Looked<'_>,
        best: f64,
    ) -> Vec<String> {
        if item.declines_of(next.agent) > 0 && item.declines_of(chosen.agent) == 0 {
            // It was offered to them before: whatever else stands in the way now, they would have it.
            return vec![hadnt_declined(&self.plan.agents[next.agent as usize].name)];
        }
        match (scored, next_scored) {
            (Some(scored), Some(terms)) => {
                let pair = Pair { chosen: scored.score(), next: terms.score(), best };
                self.by_score((chosen, scored), (next, terms), pair)
            }
            _ => self.by_order(item, chosen, next),
        }
    }

    /// With a method that has an order and no scores.
    fn by_order(&self, item: &Item, chosen: &Seen, next: &Seen) -> Vec<String> {
        let name = &self.plan.agents[next.agent as usize].name;
        let level = chosen.standing.level;
        if next.standing.level <= level {
            return vec![self.within_a_level(item, chosen, next)];
        }
        let in_group = format!("if {name} were in a group of level {level}");
        if next.within_level() < chosen.within_level() {
            return vec![in_group];
        }
        vec![format!("{in_group}, and {}", self.within_a_level(item, chosen, next))]
    }

    fn within_a_level(&self, item: &Item, chosen: &Seen, next: &Seen) -> String {
        let name = &self.plan.agents[next.agent as usize].name;
        let first = &self.plan.agents[chosen.agent as usize].name;
        let (a, b) = (&chosen.standing, &next.standing);
        let demand = &self.classes.list[item.class as usize].demand;
        let by_place = b.joined < a.joined;
        let last = turn(name, first, "last assignment", (a.last, b.last), by_place);
        let is_earlier = (b.last, b.joined) < (a.last, a.joined);
        let closest = demand.matching == SkillMatch::Closest;
        match self.plan.queues[item.queue as usize].method {
            Method::Custom => format!("if {name} came before {first} in the order of its rule"),
            Method::Skills => nearer(name, (a, b), is_earlier).unwrap_or(last),
            // Their skills are compared, and then nothing but their places.
            _ if closest => {
                let place = format!(
                    "if {name} came before {first} in the queue's order: by skill distance they are equal"
                );
                nearer(name, (a, b), by_place).unwrap_or(place)
            }
            Method::HighestCapacity | Method::Context if a.free > b.free => {
                let more = a.free - b.free + i32::from(!is_earlier);
                format!("with {more} more free for {name}")
            }
            Method::HighestCapacity | Method::Context => last,
            Method::AdvancedRoundRobin => {
                let (what, at) = ("last assignment in the queue", (a.last_here, b.last_here));
                turn(name, first, what, at, by_place)
            }
            Method::LeastActive if b.released_ms == a.released_ms => last,
            Method::LeastActive if a.released_ms == 0 => never(name, "", is_earlier, || last),
            Method::LeastActive => {
                let longer_ms = b.released_ms.saturating_sub(a.released_ms) as f64;
                format!("if {name} had been idle for {} s longer", seconds(longer_ms, is_earlier))
            }
        }
    }

    fn by_score(
        &self,
        (chosen, scored): (&Seen, &Terms),
        (next, terms): (&Seen, &Terms),
        pair: Pair,
    ) -> Vec<String> {
        let name = &self.plan.agents[next.agent as usize].name;
        let longer_ms = idle_longer_ms(&chosen.standing, &next.standing);
        if pair.next <= 0.0 {
            return vec![format!("if {name} could resolve it")];
        }
        if is_same(scored.score(), terms.score()) && longer_ms == 0.0 {
            let first = &self.plan.agents[chosen.agent as usize].name;
            let why = what_broke_the_tie(&chosen.standing, &next.standing);
            return vec![format!(
                "anything that made {name} better: both score the same, and {first} {why}"
            )];
        }
        if pair.is_before(longer_ms) {
            // The matching gave the better agent to another item.
            return vec![format!("if {name} weren't worth more to another item")];
        }
        let mut told = Vec::new();
        let is_more = pair.next > pair.chosen;
        if score::is_near(pair.next, pair.best) && longer_ms > 0.0 {
            match longer_ms.is_finite() {
                true => told.push(format!(
                    "if {name} had been idle for {} s longer",
                    seconds(longer_ms, is_more)
                )),
                // Both would have been idle since ever, and the greater score goes first.
                false if is_more => told.push(format!("if {name} hadn't had any work yet either")),
                false => {}
            }
        }
        let factor = |by: f64| pair.with(by).is_before(longer_ms);
        if let Some((needed, has)) = resolves_needed(terms.resolves, factor) {
            told.push(format!(
                "if {name} resolved such contacts in {needed} of all cases instead of {has}"
            ));
        }
        let handling_s = 60.0 / terms.service_rate_per_min;
        if let Some((needed, has)) = seconds_needed(handling_s, factor) {
            told.push(format!("if {name} took {needed} s instead of {has} s"));
        }
        if !told.is_empty() {
            return told;
        }
        // No agent resolves, or hurries, so much.
        vec![format!("nothing near: {name} would have to be better by far")]
    }

    /// Of an item that one agent alone could have been given: who declined it for good, or isn't asked yet.
    pub(super) fn who_else(&self, item: &Item, only: &Seen, now_ms: u64) -> Vec<String> {
        let refusers = self.refusers(item, now_ms);
        if !refusers.is_empty() {
            return refusers.into_iter().map(hadnt_declined).collect();
        }
        let reached = self.reached(item, now_ms);
        let later = |member: &u32| self.members[*member as usize].level > reached;
        let later = self.free_of(item.class).filter(later).count();
        let name = &self.plan.agents[only.agent as usize].name;
        vec![match later {
            0 => format!("nobody but {name} was free for it"),
            _ => format!("nobody but {name} was free for it among those who are asked so far"),
        }]
    }

    /// Who is free for an item and asked, but has declined it as often as is allowed.
    pub(super) fn refusers(&self, item: &Item, now_ms: u64) -> Vec<&str> {
        let allowed = self.plan.declines_allowed;
        if item.declined.iter().all(|(_, count)| *count < allowed) {
            return Vec::new();
        }
        let reached = self.reached(item, now_ms);
        let members = self.free_of(item.class).map(|member| self.members[member as usize]);
        let refused = members
            .filter(|member| member.level <= reached && item.declines_of(member.agent) >= allowed);
        refused.map(|member| &*self.plan.agents[member.agent as usize].name).take(NAMED).collect()
    }

    /// Names the item that got the best agent of this one.
    pub(super) fn who_outbid(
        &self,
        item: &Item,
        (agent, rival): (u32, u32),
        mut told: Vec<String>,
        now_ms: u64,
    ) -> Vec<String> {
        let Some(rival) = self.items.get(rival) else { return told };
        let name = &self.plan.agents[agent as usize].name;
        let weren_t = format!("if {name} weren't worth more to another item");
        told.retain(|known| *known != weren_t);
        let (mine, theirs) = (self.terms(item, agent, now_ms), self.terms(rival, agent, now_ms));
        // With the same wait, or the same weight, this item would have been worth more there.
        let even = |theirs: Terms| theirs.score() <= mine.score();
        let what = if theirs.waiting_cost > mine.waiting_cost
            && even(Terms { waiting_cost: mine.waiting_cost, ..theirs })
        {
            format!("if item {} had not waited longer: {name} went to it", rival.id)
        } else if theirs.value > mine.value && even(Terms { value: mine.value, ..theirs }) {
            format!("if item {} had no more weight: {name} went to it", rival.id)
        } else {
            format!("{weren_t}, {}", rival.id)
        };
        told.insert(0, what);
        told
    }
}

/// The scores that decide between two, and the greatest of all.
#[derive(Clone, Copy, Debug)]
struct Pair {
    chosen: f64,
    next: f64,
    best: f64,
}

impl Pair {
    /// With so many times the second's score.
    fn with(self, factor: f64) -> Self {
        let next = self.next * factor;
        Self { next, best: self.best.max(next), ..self }
    }

    /// Whether the second would go before the first, who has been idle for so much longer: of those who are almost as
    /// good as the best, whoever has been idle for longest, and of the same time whoever scores more.
    fn is_before(self, longer_ms: f64) -> bool {
        let (is_near, has_near) =
            (score::is_near(self.next, self.best), score::is_near(self.chosen, self.best));
        match (is_near, has_near) {
            (true, true) if longer_ms == 0.0 => self.next > self.chosen,
            (true, true) => longer_ms < 0.0,
            (true, false) => true,
            (false, _) => false,
        }
    }
}

/// The share of contacts that is enough, and the one at hand, as they are printed.
fn resolves_needed(has: f64, is_enough: impl Fn(f64) -> bool) -> Option<(String, String)> {
    let printed = format!("{has:.2}");
    let least = (has * 100.0).ceil() as u32;
    let enough = (least..=100).find(|percent| {
        let share = f64::from(*percent) / 100.0;
        is_enough(share / has) && format!("{share:.2}") != printed
    })?;
    Some((format!("{:.2}", f64::from(enough) / 100.0), printed))
}

/// The seconds a contact that are short enough, and those at hand, as they are printed.
fn seconds_needed(has_s: f64, is_enough: impl Fn(f64) -> bool) -> Option<(u64, String)> {
    let printed = format!("{has_s:.0}");
    let (mut short, mut long) = (SHORTEST_HANDLING_S.ceil() as u64, has_s.floor() as u64);
    if short > long || !is_enough(has_s / short as f64) {
        return None;
    }
    // The fewer, the better: the most that is enough is found by halves.
    while short < long {
        let middle = (short + long).div_ceil(2);
        if is_enough(has_s / middle as f64) {
            short = middle;
        } else {
            long = middle - 1;
        }
    }
    let needed = if short.to_string() == printed { short - 1 } else { short };
    (needed as f64 >= SHORTEST_HANDLING_S).then_some((needed, printed))
}

/// Whole seconds that are enough to have been idle for as long, or for longer where the same isn't enough.
fn seconds(longer_ms: f64, same_is_enough: bool) -> u64 {
    let seconds = longer_ms / 1000.0;
    (if same_is_enough { seconds.ceil() } else { seconds.floor() + 1.0 }) as u64
}

/// By how much skills would have to be nearer; none where they are as near as can be, or alike.
fn nearer(name: &str, (a, b): (&Standing, &Standing), same_is_enough: bool) -> Option<String> {
    let apart = b.distance.checked_sub(a.distance).filter(|apart| *apart > 0)?;
    let needed = apart + u16::from(!same_is_enough);
    Some(match needed <= b.distance {
        true => format!("with skills nearer by {needed} for {name}"),
        false => format!("with skills nearer by {apart} for {name}, and an earlier turn"),
    })
}

/// Whose turn is earlier; `at` are numbers that grow, 0 for never.
fn turn(name: &str, first: &str, what: &str, at: (u64, u64), by_place: bool) -> String {
    let place =
        || format!("if {name} came before {first} in the queue's order: by turn they are equal");
    match at {
        (a, b) if a == b => place(),
        (0, _) => {
            let of = if what.ends_with("queue") { " from the queue" } else { "" };
            never(name, of, by_place, || format!("if {name} came before {first} in its order"))
        }
        _ => format!("if {name}'s {what} had been before {first}'s"),
    }
}

/// The first one had no work yet: nobody can be before that, and the rest decides.
fn never(name: &str, of: &str, is_enough: bool, rest: impl FnOnce() -> String) -> String {
    let never = format!("if {name} hadn't had any work{of} yet either");
    if is_enough { never } else { format!("{never}, and {}", rest()) }
}

/// How much longer the first has been idle; whoever had no work yet has been so since ever.
fn idle_longer_ms(first: &Standing, next: &Standing) -> f64 {
    let since = |ms: u64| if ms == 0 { f64::NEG_INFINITY } else { ms as f64 };
    match first.released_ms == next.released_ms {
        true => 0.0,
        false => since(next.released_ms) - since(first.released_ms),
    }
}

pub(super) fn hadnt_declined(name: &str) -> String {
    format!("if {name} hadn't declined it")
}

/// What put one of two before the other whose scores are the same.
pub(super) fn what_broke_the_tie(first: &Standing, next: &Standing) -> &'static str {
    if first.released_ms < next.released_ms {
        "has been idle for longer"
    } else if first.level < next.level {
        "is asked on an earlier level"
    } else if first.distance < next.distance {
        "has the nearer skills"
    } else if first.joined < next.joined {
        "comes first in the queue's order"
    } else {
        "was matched first"
    }
}

/// Whether two scores are one, but for the rounding of sums.
pub(super) fn is_same(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
}
