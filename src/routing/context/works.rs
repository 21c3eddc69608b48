//! Work without a conversation, such as records and what another system talks about: who has it and since when, so
//! that its handling time is learnt, too.

use std::collections::{BTreeMap, VecDeque};

use crate::domain::{Recorded, RoutingMode, WorkStep};
use crate::store::{StoreError, codec, wire};

/// A work item that isn't over.
#[derive(Clone, Debug, Default, PartialEq)]
struct Work {
    /// The likeliest of the intents that it was offered with.
    matter: Option<String>,
    /// Who has it, and since when, in unix milliseconds.
    with: Option<(String, u64)>,
}

/// Somebody has ended a work item.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Handled {
    pub agent: String,
    pub matter: Option<String>,
    /// From the assignment, or from when it was accepted.
    pub seconds: f64,
}

/// Open work items by name; of a full table the oldest goes first.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Works {
    most: usize,
    open: BTreeMap<String, Work>,
    /// In the order in which they came, also some that are over.
    order: VecDeque<String>,
}

impl Works {
    pub fn new(most: usize) -> Self {
        Self { most: most.max(1), ..Self::default() }
    }

    /// Takes in the next event; what it ends, if it ends anything.
    pub fn apply(&mut self, event: &Recorded, at_ms: u64) -> Result<Option<Handled>, StoreError> {
        match &*event.kind {
            codec::ROUTE_OFFERED => {
                let offered: wire::RouteOffered = codec::data(event)?;
                let matter = offered.intents.into_iter().next().map(|intent| intent.label);
                let work = self.enter(offered.work_item_id);
                work.matter = matter.or(work.matter.take());
            }
            codec::ROUTE_ASSIGNED => {
                let assigned: wire::RouteAssigned = codec::data(event)?;
                if assigned.mode != RoutingMode::Off.as_str() {
                    self.enter(assigned.work_item_id).with = Some((assigned.agent, at_ms));
                }
            }
            codec::ROUTE_MOVED => return Ok(self.moved(codec::data(event)?, at_ms)),
            _ => {}
        }
        Ok(None)
    }

    fn moved(&mut self, moved: wire::RouteMoved, at_ms: u64) -> Option<Handled> {
        let is = |step: WorkStep| moved.step == step.as_str();
        let is_gone = is(WorkStep::Released);
        let work = self.open.get_mut(&moved.work_item_id)?;
        let handled = if is(WorkStep::Ended) || is_gone {
            work.with.take().map(|(agent, since_ms)| Handled {
                agent,
                matter: work.matter.clone(),
                seconds: at_ms.saturating_sub(since_ms) as f64 / 1_000.0,
            })
        } else {
            match &mut work.with {
                Some((_, since_ms)) if is(WorkStep::Accepted) => *since_ms = at_ms,
                with => *with = None,
            }
            None
        };
        if is_gone {
            self.open.remove(&moved.work_item_id);
        }
        handled
    }

    fn enter(&mut self, item: String) -> &mut Work {
        if !self.open.contains_key(&item) {
            while self.order.len() >= self.most {
                let Some(oldest) = self.order.pop_front() else { break };
                self.open.remove(&oldest);
            }
            self.order.push_back(item.clone());
        }
        self.open.entry(item).or_default()
    }
}
