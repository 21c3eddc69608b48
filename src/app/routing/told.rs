//! What follows at the desk, as events; and the floor as it is shown.

use std::sync::Arc;

use super::floor::{Entry, Floor};
use super::ledger::Last;
use crate::domain::{
    EventBody, RoutingMode, WorkItemId, WorkMoved, WorkOverflowed, WorkQueued, WorkStep,
};
use crate::routing::desk::{AgentView, Output, Overflowed, Queued};
use crate::serve::{AgentState, Capacity, QueueState};

impl Floor {
    /// Takes all that follows from what the desk was told.
    pub fn drain(&mut self, now_ms: u64) {
        let mut left = Vec::new();
        while let Some(output) = self.desk.as_mut().and_then(|desk| desk.poll()) {
            match output {
                Output::Queued(one) => {
                    let stream = self.stream_of(&one.item);
                    self.push(stream, EventBody::RouteQueued(Box::new(queued(one))));
                }
                Output::Overflowed(one) => {
                    let stream = self.stream_of(&one.item);
                    if one.mode == RoutingMode::Active {
                        left.push(one.item.clone());
                    }
                    self.push(stream, EventBody::RouteOverflowed(Box::new(overflowed(one))));
                }
                Output::Decided(decision) => self.decided(decision),
                Output::Assigned(assignment) => {
                    let stream = self.stream_of(&assignment.item);
                    self.push(stream, EventBody::RouteAssigned(Box::new(assignment)));
                }
                // A clock declined it.
                Output::Unanswered(one) => {
                    let stream = self.stream_of(&one.item);
                    let (step, at_ms) = (WorkStep::Declined, one.at_ms);
                    let moved = WorkMoved { item: one.item, step, by: None, at_ms };
                    self.push(stream, EventBody::RouteMoved(Box::new(moved)));
                }
            }
        }
        left.iter().for_each(|item| self.forget_if_gone(item, now_ms));
    }

    fn decided(&mut self, decision: crate::domain::Decision) {
        let stream = self.stream_of(&decision.item);
        let Some(known) = self.items.get_mut(&decision.item) else { return };
        let last = Last::of(&decision);
        let stands = known.decision.as_ref().is_some_and(|before| before.says(&last));
        // It was told before a restart. Where somebody is assigned now, the reason is told anew.
        let is_carried_out = decision.mode == RoutingMode::Active && decision.chosen.is_some();
        if std::mem::take(&mut known.stood) && stands && known.is_told && !is_carried_out {
            return;
        }
        // The same again is for our log; the other router has it.
        let is_news = !(stands && known.is_told);
        let external = known.offered.external_id.clone().filter(|_| is_news);
        let tells = external.map(|external| (external, known.offered.conversation.clone()));
        known.decision = Some(last);
        known.is_told = known.offered.external_id.is_some();
        self.remember(Arc::new(decision.clone()));
        self.push_entry(Entry {
            stream,
            id: None,
            body: EventBody::RouteRecommended(Box::new(decision)),
            tells,
        });
    }

    pub fn queue_states(&mut self, now_ms: u64) -> Vec<QueueState> {
        let now_ms = self.at(now_ms);
        let Some(desk) = &self.desk else { return Vec::new() };
        let of_plan = desk.plan().queues.iter();
        let state =
            |(view, queue): (crate::routing::desk::QueueView, &crate::routing::plan::Queue)| {
                QueueState {
                    name: view.name,
                    channel: queue.channel.as_str().to_owned(),
                    method: queue.method.as_str().to_owned(),
                    waiting: view.waiting,
                    longest_wait_ms: view.longest_wait_ms,
                    serving: view.serving,
                    free: view.free,
                    unnamed: view.unnamed,
                    predicted_wait_ms: view.predicted_wait_ms,
                }
            };
        desk.queues(now_ms).into_iter().zip(of_plan).map(state).collect()
    }

    pub fn agent_states(&self) -> Vec<AgentState> {
        let Some(desk) = &self.desk else { return Vec::new() };
        let agents = desk.plan().agents.iter();
        agents.filter_map(|agent| desk.agent(&agent.name)).map(agent_state).collect()
    }

    pub fn agent_state(&self, name: &str) -> Option<AgentState> {
        self.desk.as_ref()?.agent(name).map(agent_state)
    }

    /// What is here, in the order of arrival.
    pub fn all_items(&self) -> Vec<WorkItemId> {
        let mut all: Vec<_> = self.items.values().map(|known| &known.offered).collect();
        all.sort_by(|a, b| (a.at_ms, &a.item).cmp(&(b.at_ms, &b.item)));
        all.into_iter().map(|offered| offered.item.clone()).collect()
    }
}

fn agent_state(view: AgentView) -> AgentState {
    let capacity = view.capacity.into_iter();
    AgentState {
        name: view.name,
        presence: view.presence.as_str().to_owned(),
        on_shift: view.on_shift,
        capacity: capacity
            .map(|(profile, used, limit)| Capacity { profile, used, limit })
            .collect(),
    }
}

fn queued(one: Queued) -> WorkQueued {
    WorkQueued {
        item: one.item,
        workstream: one.workstream,
        queue: one.queue,
        mode: one.mode,
        epoch: one.epoch,
        classified_by: one.classified_by,
        routes_matched: one.routes_matched,
        route: one.route,
        percent: one.percent,
        skills: one.skills,
        profiles: one.profiles,
        callback: one.callback,
        why: one.why,
        at_ms: one.at_ms,
    }
}

fn overflowed(one: Overflowed) -> WorkOverflowed {
    WorkOverflowed {
        item: one.item,
        queue: one.queue,
        mode: one.mode,
        epoch: one.epoch,
        action: one.action.as_str().to_owned(),
        to: one.to,
        after_queueing: one.after_queueing,
        waited_ms: one.waited_ms,
        why: one.why,
        at_ms: one.at_ms,
    }
}
