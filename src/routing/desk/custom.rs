//! Method `custom`: the first assignment rule that finds an agent decides, in the order that it names.

use super::Desk;
use super::classes::Seen;
use super::commit::Picked;
use super::items::Item;
use crate::routing::condition::Scope;
use crate::routing::methods::{distance, meets};
use crate::routing::plan::{AssignmentRule, OrderBy, SkillMatch};

impl Desk {
    pub(super) fn pick_custom(&mut self, at: u32, now_ms: u64) -> Picked {
        let item = self.items.of(at).clone();
        self.qualify(item.class);
        let plan = self.plan.clone();
        for rule in &plan.queues[item.queue as usize].assignment {
            let mut found = self.matching(&item, rule, now_ms);
            if found.is_empty() {
                continue;
            }
            let by = |seen: &Seen| {
                (item.declines_of(seen.agent) > 0, self.place(&item, rule.order_by, seen))
            };
            found.sort_by_key(by);
            found.truncate(3);
            return Picked {
                seen: found.into_iter().map(|seen| (seen, None)).collect(),
                by: Some(format!("assignment rule `{}`", rule.name)),
                as_good_as: None,
            };
        }
        Picked::default()
    }

    fn matching(&self, item: &Item, rule: &AssignmentRule, now_ms: u64) -> Vec<Seen> {
        let class = &self.classes.list[item.class as usize];
        let free = class.qualified.iter().filter_map(|member| {
            let agent = self.members[*member as usize].agent;
            let of_agent = &self.plan.agents[agent as usize];
            let levels = self.levels_of(agent);
            let scope = Scope { item: &item.features, agent: &of_agent.attributes, now_ms };
            let fits = self.is_free_for(agent, class)
                && item.declines_of(agent) < self.plan.declines_allowed
                && (rule.skills != Some(SkillMatch::Exact) || meets(&item.skills, levels))
                && rule.when.holds(scope);
            let apart = distance(&item.skills, levels);
            fits.then(|| {
                let mut seen = self.seen(item.class, *member);
                seen.standing.distance = apart;
                seen
            })
        });
        free.collect()
    }

    /// The smallest is first; ties go to the earliest last assignment.
    fn place(&self, item: &Item, by: OrderBy, seen: &Seen) -> (i64, u64, u32) {
        let at = &seen.standing;
        let levels = self.levels_of(seen.agent);
        let first = match by {
            OrderBy::AvailableCapacity => -i64::from(at.free),
            OrderBy::RoundRobin => at.last_here as i64,
            OrderBy::LeastActive => at.released_ms as i64,
            OrderBy::NearestProficiency => i64::from(at.distance),
            OrderBy::MostProficient => -item
                .skills
                .iter()
                .map(|(skill, _)| i64::from(levels[*skill as usize]))
                .sum::<i64>(),
            OrderBy::SkillCount => {
                let has = |(skill, _): &&(u32, u8)| levels[*skill as usize] > 0;
                -(item.skills.iter().filter(has).count() as i64)
            }
        };
        (first, at.last, at.joined)
    }
}
