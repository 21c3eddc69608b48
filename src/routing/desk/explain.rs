//! Says why: every term that was weighed, the next best, and what would have changed the choice.

use std::borrow::Cow;

use super::Desk;
use super::change::{hadnt_declined, is_same, what_broke_the_tie};
use super::classes::Seen;
use super::commit::Picked;
use super::items::Item;
use crate::domain::{Candidate, Decision, DecisionId, Term};
use crate::routing::bullseye;
use crate::routing::methods::meets;
use crate::routing::plan::{Method, SkillMatch};
use crate::routing::score::Terms;

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
            ([(only, _)], None) => self.who_else(item, only, now_ms),
            ([(chosen, a), (next, b), ..], _) => {
                // Whoever declined it was compared with others who did.
                let has_declined = |seen: &Seen| item.declines_of(seen.agent) > 0;
                let alike = |seen: &Seen| has_declined(seen) == has_declined(chosen);
                let compared = picked.seen.iter().filter(|(seen, _)| alike(seen));
                let scores = compared.filter_map(|(_, terms)| Some(terms.as_ref()?.score()));
                let best = scores.fold(0.0, f64::max);
                self.what_decided(item, (chosen, a), (next, b), best)
            }
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
        let has_declined = item.declines_of(next.agent) > 0 && item.declines_of(chosen.agent) == 0;
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
        // Who has had no work yet is idle for as long as anybody can know.
        let since_ms = at.released_ms.max(self.begun_ms);
        let idle_s = now_ms.saturating_sub(since_ms) as f64 / 1000.0;
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
        let refusers = self.refusers(item, now_ms);
        for member in class.qualified.iter() {
            let member = &self.members[*member as usize];
            let is_there = self.present[member.agent as usize] & class.demand.presences != 0;
            qualified += 1;
            present += u32::from(is_there);
            narrow += u32::from(is_there && member.level > reached);
        }
        let mut told = refusers.into_iter().map(hadnt_declined).collect::<Vec<_>>();
        told.push(match (qualified, present) {
            (0, _) => format!("with an agent{with} in the queue: there is none"),
            (_, 0) => format!("with a present agent{with}: {qualified} are in the queue, none at work"),
            _ if !told.is_empty() => {
                format!("with another free agent{with}: {present} of {qualified} are at work")
            }
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
        if let Some((_, after)) = self.next_overflow(item) {
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
