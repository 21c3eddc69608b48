//! Who the CRM says is on the line: it may say so late, while the conversation goes on.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;

use super::call::Answer;
use super::{Calls, Shared};
use crate::domain::{ConversationId, KnownContact};
use crate::insight::redaction;

type Way = mpsc::UnboundedSender<Answer>;

/// The conversations that are in memory.
#[derive(Default)]
pub(super) struct Customers(Mutex<HashMap<ConversationId, Way>>);

/// As long as it is kept, the conversation is told.
pub(super) struct Listening {
    shared: Arc<Shared>,
    id: ConversationId,
}

impl Listening {
    pub fn new(shared: &Arc<Shared>, id: &ConversationId, way: Way) -> Self {
        shared.customers.ways().insert(id.clone(), way);
        Self { shared: Arc::clone(shared), id: id.clone() }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.shared.customers.ways().remove(&self.id);
    }
}

impl Customers {
    fn ways(&self) -> std::sync::MutexGuard<'_, HashMap<ConversationId, Way>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    /// What a medium or a client says of a conversation, without what must not be kept.
    pub(super) fn masked_attributes(
        &self,
        given: &BTreeMap<String, String>,
    ) -> BTreeMap<String, String> {
        let names = &self.settings.identify_by;
        let masked = |(name, value): (&String, &String)| {
            (name.clone(), redaction::attribute(name, value, names).as_str().to_owned())
        };
        given.iter().map(masked).collect()
    }
}

impl Calls {
    /// Tells a conversation whose it is, for its cards and its wrap-up. False where it isn't in memory: a typed one
    /// that sleeps reads it from the log.
    pub fn introduce(&self, id: &ConversationId, customer: &KnownContact) -> bool {
        let ways = self.0.customers.ways();
        let told = |way: &Way| way.send(Answer::Met(Box::new(customer.clone()))).is_ok();
        ways.get(id).is_some_and(told)
    }
}
