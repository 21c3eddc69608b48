use std::collections::BTreeMap;
use std::sync::Arc;

use super::{
    Breaker, BreakerSettings, Budgeted, Chain, Ledger, Limited, Link, Price, RetrySettings,
    Retrying, Validated,
};
use crate::models::{Generator, WritingTask};

/// How a provider on a network is treated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Policy {
    pub retry: RetrySettings,
    pub breaker: BreakerSettings,
    pub concurrency: usize,
    pub queue_max: usize,
    pub price: Price,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            retry: RetrySettings::default(),
            breaker: BreakerSettings::default(),
            concurrency: 8,
            queue_max: 64,
            price: Price::default(),
        }
    }
}

/// A provider with all that stands before it, in the order of the module's picture. `measured` is
/// the provider in its [`super::Measured`].
pub fn guarded(
    measured: Arc<dyn Generator>,
    policy: &Policy,
    ledger: &Arc<Ledger>,
) -> Arc<dyn Generator> {
    let limited = Limited::new(measured, policy.concurrency, policy.queue_max);
    let breaker = Breaker::new(Arc::new(limited), policy.breaker);
    let budgeted = Budgeted::new(Arc::new(breaker), Arc::clone(ledger), policy.price);
    let retrying = Retrying::new(Arc::new(budgeted), policy.retry);
    Arc::new(Validated::new(Arc::new(retrying)))
}

/// Who writes what.
pub struct Writers {
    by_task: BTreeMap<WritingTask, Arc<dyn Generator>>,
    ledger: Arc<Ledger>,
}

impl Writers {
    /// `links` gives the chain of a task, in order; empty where nobody writes.
    pub fn new(ledger: Arc<Ledger>, links: impl Fn(WritingTask) -> Vec<Link>) -> Self {
        let chains = WritingTask::ALL.into_iter().map(|task| (task, links(task)));
        let by_task = chains
            .filter(|(_, links)| !links.is_empty())
            .map(|(task, links)| -> (_, Arc<dyn Generator>) { (task, Arc::new(Chain::new(links))) })
            .collect();
        Self { by_task, ledger }
    }

    /// Who writes for the task, with everything around it.
    pub fn of(&self, task: WritingTask) -> Option<Arc<dyn Generator>> {
        self.by_task.get(&task).map(Arc::clone)
    }

    /// What was used until now.
    pub fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }
}
