//! Says why: every term that was weighed, the next best, and what would have changed the choice.

use std::borrow::Cow;

use super::Desk;
use super::classes::Seen;
use super::commit::Picked;
use super::items::Item;
use crate::domain::{Candidate, Decision, DecisionId, Term};
use crate::routing::bullseye;
use crate::routing::methods::{Standing, meets};
use crate::routing::overflow;
use crate::routing::plan::{Method, SkillMatch};
use crate::routing::score::{self, NEAR, Terms};

/// Besides the first two. Their terms have no reasons in words: those of the first two say what a term is.
pub(super) const OTHERS: usize = 4;

/// Agents of other queues who are looked at, to say whether some of them could help.
const LOOKED_AT: usize = 64;

impl Desk {
    pub(super) fn decision(&mut self, at: u32, picked: &Picked, now_ms: u64) -> Decision {
        self.decisions += 1;
        let id = DecisionId::from(format!("{}{}", self.prefix, self.decisions));
        let item = self.items.of(at);
        let queue = &self.plan.queues[item.queue as usize];
        let told = |rank: usize| {
            let (seen, terms) = picked.seen.get(rank)?;
            Some(self.candidate(item, seen, terms, rank < 2, now_ms))
        };
        let (chosen, runner_up) = (told(0), told(1));
        let others = (2..2 + OTHERS).map_while(told).collect();
        let would_change = match (picked.seen.as_slice(), &picked.by) {
            ([], _) => self.what_is_missing(item, now_ms),
            ([(only, _)], None) => {
                let name = &self.plan.agents[only.agent as usize].name;
                vec![format!("nobody but {name} was free for it")]
            }
            ([(chosen, a), (next, b), ..], _) => self.what_decided(item, (chosen, a), (next, b)),
            (_, Some(by)) => vec![format!("only if not: {by}")],
        };
        let would_change = match self.outbid.get(&at) {
            Some(outbid) => self.who_outbid(item, *outbid, would_change, now_ms),
            None => would_change,
        };
        let reason = match (&chosen, &picked.by) {
            (None, _) => "nobody who may take it is free".to_owned(),
            (Some(chosen), Some(by)) => format!("{}: {by}", chosen.agent),
            (Some(chosen), None) if picked.as_good_as.is_some() => {
                let best = picked.as_good_as.unwrap_or_default();
                let best = &self.plan.agents[best as usize].name;
                format!(
                    "{} is as good as {best} and idle longest in `{}`",
                    chosen.agent, queue.name
                )
            }
            (Some(chosen), None) => match self.tie(item, picked) {
                Some((next, broken)) => {
                    let (agent, queue) = (&chosen.agent, &queue.name);
                    format!("{agent} scores the same as {next} in `{queue}` and {broken}")
                }
                None => {
                    let measure = self.measure_of(item);
                    format!("{} is first by {measure} in `{}`", chosen.agent, queue.name)
                }
            },
        };
        let reason = match &item.unanswered {
            Some(unanswered) => format!("{reason}; {unanswered}"),
            None => reason,
        };
        Decision {
            id,
            item: item.id.clone(),
            queue: queue.name.clone(),
            mode: self.plan.mode,
            policy: queue.method.as_str().to_owned(),
            epoch: self.epoch,
            chosen,
            runner_up,
            others,
            rules_matched: item.rules.clone(),
            would_change,
            reason,
            features: item.features.clone(),
            at_ms: now_ms,
        }
    }

    /// The next best agent, when only the order among equals put the chosen one first, and that in words.
    fn tie(&self, item: &Item, picked: &Picked) -> Option<(&str, &'static str)> {
        let [(chosen, Some(a)), (next, Some(b)), ..] = picked.seen.as_slice() else { return None };
        let broken = what_broke_the_tie(&chosen.standing, &next.standing);
        let name = &self.plan.agents[next.agent as usize].name;
        let has_declined = item.declines_of(next.agent) > item.declines_of(chosen.agent);
        (is_same(a.score(), b.score()) && !has_declined).then_some((name, broken))
    }

    /// What the method of the item's queue compares, in words.
    fn measure_of(&self, item: &Item) -> &'static str {
        let demand = &self.classes.list[item.class as usize].demand;
        match self.plan.queues[item.queue as usize].method {
            Method::Context => "score",
            Method::Skills => "skill distance",
            Method::Custom => "its rule",
            _ if demand.matching == SkillMatch::Closest => "skill distance",
            Method::HighestCapacity => "free capacity",
            Method::AdvancedRoundRobin => "turn",
            Method::LeastActive => "idle time",
        }
    }

    fn candidate(
        &self,
        item: &Item,
        seen: &Seen,
        scored: &Option<Terms>,
        in_words: bool,
        now_ms: u64,
    ) -> Candidate {
        let term = |name: &'static str, value: f64, why: &'static str| Term {
            name: Cow::Borrowed(name),
            value,
            why: Cow::Borrowed(if in_words { why } else { "" }),
        };
        let at = &seen.standing;
        let idle_s = now_ms.saturating_sub(at.released_ms) as f64 / 1000.0;
        // Room for those below too: growing costs another allocation for each candidate.
        let mut terms: Vec<Term> = Vec::with_capacity(if scored.is_some() { 7 } else { 4 });
        match scored {
            Some(scored) => {
                let named = scored.named().into_iter();
                terms.extend(named.map(|(name, value)| term(name, value, why_of(name))));
            }
            None => terms.extend([
                term("free_capacity", f64::from(at.free), "in all profiles of the item"),
                term("idle_s", idle_s, "since capacity was given back"),
            ]),
        }
        if !item.skills.is_empty() {
            terms.push(term(
                "skill_distance",
                f64::from(at.distance),
                "0 is exactly what is required",
            ));
        }
        if self.plan.queues[item.queue as usize].bullseye.is_some() {
            terms.push(term("bullseye_level", f64::from(at.level), "earlier levels go first"));
        }
        let declines = item.declines_of(seen.agent);
        if declines > 0 {
            terms.push(term(
                "declined",
                f64::from(declines),
                "whoever declined, or didn't answer, comes last",
            ));
        }
        let score = match (scored, self.measure_of(item)) {
            (Some(scored), _) => scored.score(),
            (None, "skill distance") => -f64::from(at.distance),
            (None, "turn") => (self.sequence - at.last_here.min(self.sequence)) as f64,
            (None, "idle time") => idle_s,
            (None, _) => f64::from(at.free),
        };
        Candidate { agent: self.plan.agents[seen.agent as usize].name.clone(), score, terms }
    }

    /// What the first has before the second.
    fn what_decided(
        &self,
        item: &Item,
        (chosen, scored): (&Seen, &Option<Terms>),
        (next, next_scored): (&Seen, &Option<Terms>),
    ) -> Vec<String> {
        let name = &self.plan.agents[next.agent as usize].name;
        let (a, b) = (&chosen.standing, &next.standing);
        if item.declines_of(next.agent) > item.declines_of(chosen.agent) {
            return vec![format!("if {name} hadn't declined it")];
        }
        if let (Some(scored), Some(next)) = (scored, next_scored) {
            // Whoever had no work yet has been idle since ever.
            let since = |ms: u64| if ms == 0 { f64::NEG_INFINITY } else { ms as f64 };
            let longer_ms = match a.released_ms == b.released_ms {
                true => 0.0,
                false => since(b.released_ms) - since(a.released_ms),
            };
            let told = self.what_outweighed(name, scored, next, longer_ms);
            if !told.is_empty() {
                return told;
            }
            let first = &self.plan.agents[chosen.agent as usize].name;
            return vec![match is_same(scored.score(), next.score()) {
                true => format!(
                    "anything that made {name} better: both score the same, and {first} {}",
                    what_broke_the_tie(a, b)
                ),
                false => format!("a little more of anything: {name} scores almost the same"),
            }];
        }
        if b.level > a.level {
            return vec![format!("if {name} were in a group of level {}", a.level)];
        }
        let first = &self.plan.agents[chosen.agent as usize].name;
        let method = self.plan.queues[item.queue as usize].method;
        let measure = self.measure_of(item);
        let by_turn = match method {
            Method::AdvancedRoundRobin => a.last_here < b.last_here,
            Method::Custom => true,
            _ => a.last < b.last && (method == Method::Skills || measure != "skill distance"),
        };
        let what = match measure {
            "skill distance" if b.distance > a.distance => {
                format!("with skills nearer by {} for {name}", b.distance - a.distance)
            }
            "free capacity" if a.free > b.free => {
                format!("with {} more free for {name}", a.free - b.free + 1)
            }
            "idle time" if b.released_ms > a.released_ms => {
                let seconds = (b.released_ms - a.released_ms) as f64 / 1000.0;
                format!("if {name} had been idle for {seconds} s longer")
            }
            _ if by_turn => format!("if {name}'s last assignment had been before {first}"),
            _ => format!(
                "if {name} came before {first} in the queue's order: by {measure} they are equal"
            ),
        };
        vec![what]
    }

    /// `longer_ms`: how much longer the chosen one has been idle.
    fn what_outweighed(
        &self,
        name: &str,
        chosen: &Terms,
        next: &Terms,
        longer_ms: f64,
    ) -> Vec<String> {
        let (a, b) = (chosen.score(), next.score());
        if b <= 0.0 {
            return vec![format!("if {name} could resolve it")];
        }
        let near = f64::from(NEAR);
        let is_near = score::is_near(b, a);
        let is_better = a < b && !(score::is_near(a, b) && longer_ms > 0.0);
        if is_better || is_near && longer_ms < 0.0 {
            // The matching gave the better agent to another item.
            return vec![format!("if {name} weren't worth more to another item")];
        }
        let mut told = Vec::new();
        if is_near && longer_ms > 0.0 {
            told.push(match longer_ms.is_finite() {
                true => format!("if {name} had been idle for {} s longer", longer_ms / 1000.0),
                false => format!("if {name} hadn't had any work yet either"),
            });
        }
        // Whoever has been idle for longer needs to be almost as good, anybody else so much better.
        let ratio = match longer_ms {
            ..0.0 => near * a / b,
            0.0 => a / b,
            _ => a / (near * b),
        };
        // Only what is another figure as it is printed: "0.70 instead of 0.70" says nothing.
        let (needed, has) =
            (format!("{:.2}", next.resolves * ratio), format!("{:.2}", next.resolves));
        if next.resolves * ratio <= 1.0 && needed != has {
            told.push(format!(
                "if {name} resolved such contacts in {needed} of all cases instead of {has}"
            ));
        }
        let handling_s = 60.0 / next.service_rate_per_min;
        let (needed, has) = (format!("{:.0}", handling_s / ratio), format!("{handling_s:.0}"));
        if needed != has {
            told.push(format!("if {name} took {needed} s instead of {has} s"));
        }
        told
    }

    /// Names the item that got the best agent of this one.
    fn who_outbid(
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

    /// Why nobody is free, and what would help.
    fn what_is_missing(&self, item: &Item, now_ms: u64) -> Vec<String> {
        let class = &self.classes.list[item.class as usize];
        let exact = class.demand.matching == SkillMatch::Exact;
        let skills: Vec<String> = class
            .demand
            .skills
            .iter()
            .filter(|_| exact)
            .map(|(skill, level)| format!("{} {level}", self.plan.skills[*skill as usize]))
            .collect();
        let with = match skills.as_slice() {
            [] => String::new(),
            skills => format!(" with {}", skills.join(", ")),
        };
        let (mut qualified, mut present, mut narrow) = (0, 0, 0);
        let reached = self.reached(item, now_ms);
        for member in class.qualified.iter() {
            let member = &self.members[*member as usize];
            let is_there = self.present[member.agent as usize] & class.demand.presences != 0;
            qualified += 1;
            present += u32::from(is_there);
            narrow += u32::from(is_there && member.level > reached);
        }
        let mut told = Vec::new();
        told.push(match (qualified, present) {
            (0, _) => format!("with an agent{with} in the queue: there is none"),
            (_, 0) => format!("with a present agent{with}: {qualified} are in the queue, none at work"),
            _ => format!("with a free agent{with}: {present} of {qualified} are at work, none has room for it"),
        });
        let queue = &self.plan.queues[item.queue as usize];
        let tried_ms = item.tried_ms.unwrap_or(now_ms);
        if let Some(levels) = &queue.bullseye
            && let Some(widens_ms) = bullseye::widens_ms(levels, now_ms.saturating_sub(tried_ms))
        {
            let in_s = (tried_ms + widens_ms).saturating_sub(now_ms) as f64 / 1000.0;
            told.push(format!("if it had waited {in_s} s longer, more groups would be asked ({narrow} agents at work)"));
        }
        if let Some(after) = overflow::first_after(queue, item.moved) {
            let in_s = (item.queued_ms + after.wait_ms).saturating_sub(now_ms) as f64 / 1000.0;
            told.push(format!(
                "if it waits {in_s} s longer, it overflows: {}",
                after.action.kind().as_str()
            ));
        }
        if exact && !skills.is_empty() {
            let rarest =
                class.demand.skills.iter().map(|(skill, _)| &self.skilled[*skill as usize]);
            let elsewhere = rarest
                .min_by_key(|agents| agents.len())
                .into_iter()
                .flatten()
                .take(LOOKED_AT)
                .filter(|agent| self.ready[**agent as usize] & class.demand.presences != 0)
                .filter(|agent| self.member_of(**agent, item.queue).is_none())
                .filter(|agent| meets(&class.demand.skills, self.levels_of(**agent)))
                .count();
            if elsewhere > 0 {
                told.push(format!("if agents of other queues served this one: {elsewhere} have the skills and are free"));
            }
        }
        told
    }
}

fn why_of(term: &str) -> &'static str {
    match term {
        "value" => "weight of the customer, 1 for an ordinary one",
        "waiting_cost" => "1 for somebody who just came, more by each target time waited",
        "service_rate_per_min" => "such contacts that the agent ends in a minute",
        _ => "how likely it doesn't come back",
    }
}

/// What put one of two before the other whose scores are the same.
fn what_broke_the_tie(first: &Standing, next: &Standing) -> &'static str {
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
fn is_same(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
}
