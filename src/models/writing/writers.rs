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
    let retrying = Retrying::new(Arc::new(breaker), policy.retry);
    let budgeted = Budgeted::new(Arc::new(retrying), Arc::clone(ledger), policy.price);
    Arc::new(Validated::new(Arc::new(budgeted)))
}

/// Who writes what.
pub struct Writers {
    by_task: BTreeMap<WritingTask, Arc<dyn Generator>>,
    ledger: Arc<Ledger>,
}

impl Writers {
    /// `links` gives the chain of a task, in order.
    ///
    /// # Panics
    /// When a chain is empty.
    pub fn new(ledger: Arc<Ledger>, links: impl Fn(WritingTask) -> Vec<Link>) -> Self {
        let chain = |task| -> (WritingTask, Arc<dyn Generator>) {
            (task, Arc::new(Chain::new(links(task))))
        };
        Self { by_task: WritingTask::ALL.into_iter().map(chain).collect(), ledger }
    }

    /// Who writes for the task, with everything around it.
    pub fn of(&self, task: WritingTask) -> Arc<dyn Generator> {
        Arc::clone(&self.by_task[&task])
    }

    /// What was used until now.
    pub fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }
}
