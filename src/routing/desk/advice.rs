//! Recommendations in shadow mode: nobody is assigned here, so a name stands while its agent could take the item.
//!
//! It stands over other decisions, another plan and a restart, until more is known of the item or the agent is lost:
//! goes away, fills up, or leaves the queue. Then the item is weighed anew.

use super::Desk;
use super::commit::Picked;
use super::io::Output;
use super::items::{Place, Withdrawn};
use crate::domain::{Decision, DecisionId, RoutingMode, WorkItemId};
use crate::routing::methods::meets;
use crate::routing::plan::SkillMatch;

/// Another router says that an agent is busy and that it has assigned them in two messages, in either order. Within
/// so long both are one step: whoever was named before the first is who it took.
const ONE_STEP_MS: u64 = 10_000;

impl Desk {
    /// Notes a recommendation of a waiting item by its agent.
    pub(super) fn note_advice(&mut self, at: u32) {
        if self.plan.mode == RoutingMode::Shadow
            && let Some(agent) = self.items.of(at).recommended
        {
            self.advised.entry(agent).or_default().insert(at);
        }
    }

    /// Of an item that doesn't wait any more, or gets another name.
    pub(super) fn drop_advice(&mut self, at: u32) {
        let Some(agent) = self.items.of(at).recommended else { return };
        if let Some(items) = self.advised.get_mut(&agent) {
            items.remove(&at);
            if items.is_empty() {
                self.advised.remove(&agent);
            }
        }
    }

    /// Names an agent for a waiting item, in shadow mode.
    pub(super) fn advise(&mut self, at: u32, agent: u32, decision: DecisionId) {
        self.drop_advice(at);
        let item = self.items.of_mut(at);
        (item.recommended, item.decision) = (Some(agent), Some(decision));
        self.note_advice(at);
    }

    /// Whether somebody is named for an item, and nothing has changed that.
    pub(super) fn is_advised(&self, at: u32) -> bool {
        self.plan.mode == RoutingMode::Shadow && self.items.of(at).recommended.is_some()
    }

    /// Something about an agent has changed.
    pub(super) fn may_be_lost(&mut self, agent: u32) {
        if self.advised.contains_key(&agent) {
            self.lost.insert(agent);
        }
    }

    /// Takes back the names of agents who can't take their items any more; these are tried anew, and returned.
    pub(super) fn revise_advice(&mut self, now_ms: u64) -> Vec<u32> {
        let mut taken_back = Vec::new();
        for agent in std::mem::take(&mut self.lost) {
            let advised: Vec<u32> =
                self.advised.get(&agent).into_iter().flatten().copied().collect();
            for at in advised {
                if self.could_take(at, agent, now_ms) {
                    continue;
                }
                self.drop_advice(at);
                let item = self.items.of_mut(at);
                let decision = item.decision.clone();
                item.withdrawn = Some(Withdrawn { agent, decision, at_ms: now_ms });
                (item.recommended, item.told_nobody) = (None, false);
                taken_back.push(at);
            }
        }
        self.new_items.extend(&taken_back);
        taken_back
    }

    /// Whether an agent is free for a waiting item, and allowed to have it.
    pub(super) fn could_take(&self, at: u32, agent: u32, now_ms: u64) -> bool {
        let item = self.items.of(at);
        let class = &self.classes.list[item.class as usize];
        let is_preferred = item.preferred.contains(&agent);
        let is_reached = self.member_of(agent, item.queue).is_some_and(|member| {
            self.members[member as usize].level <= self.reached(item, now_ms)
        });
        let is_exact = class.demand.matching == SkillMatch::Exact || is_preferred;
        let skills = if is_preferred { &item.skills } else { &class.demand.skills };
        self.is_free_for(agent, class)
            && self.agents[agent as usize].capacity.free(&class.demand.profiles).is_some()
            && (is_preferred || is_reached)
            && (!is_exact || meets(skills, self.levels_of(agent)))
            && item.declines_of(agent) < self.plan.declines_allowed
    }

    /// The name that stood before a restart stands again, if its agent could still take the item. True if so.
    pub fn advised_before(
        &mut self,
        id: &WorkItemId,
        queue: &str,
        agent: &str,
        decision: DecisionId,
        now_ms: u64,
    ) -> bool {
        let (Some(at), Ok(agent)) = (self.items.find(id), self.agent_named(agent)) else {
            return false;
        };
        let item = self.items.of(at);
        let stands = self.plan.mode == RoutingMode::Shadow
            && item.place == Place::Waiting
            && self.plan.queues[item.queue as usize].name == queue
            && self.could_take(at, agent, now_ms);
        if stands {
            self.advise(at, agent, decision);
        }
        stands
    }

    /// Routing is off, and a name was told for this waiting item: nobody is named from now on.
    pub fn names_nobody(&mut self, id: &WorkItemId, now_ms: u64) {
        let Some(at) = self.items.find(id) else { return };
        if self.items.of(at).place != Place::Waiting {
            return;
        }
        let item = self.items.of_mut(at);
        (item.recommended, item.decision, item.withdrawn) = (None, None, None);
        let decision = self.decision(at, &Picked::default(), now_ms);
        let (reason, would_change) = ("routing is off".to_owned(), Vec::new());
        let decision = Decision { reason, would_change, ..decision };
        // Whoever was told the name is told this in spite of the mode: they would go by it for ever.
        self.out.push_back(Output::Decided(decision));
    }

    /// Whose name counts when an item is assigned, and by which decision: the one that stands, or the one taken back
    /// because the other router said first that this agent is busy with it.
    pub(super) fn counted_advice(
        &self,
        at: u32,
        assigned: u32,
        now_ms: u64,
    ) -> (Option<u32>, Option<DecisionId>) {
        let item = self.items.of(at);
        match &item.withdrawn {
            Some(before) if before.agent == assigned && now_ms <= before.at_ms + ONE_STEP_MS => {
                (Some(assigned), before.decision.clone())
            }
            _ => (item.recommended, item.decision.clone()),
        }
    }
}
