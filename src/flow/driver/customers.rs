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
        masked(given, &self.settings.identify_by)
    }
}

/// Names are as much a client's words as values. Two that are masked alike are told apart by a number.
fn masked(given: &BTreeMap<String, String>, parties: &[String]) -> BTreeMap<String, String> {
    let mut kept = BTreeMap::new();
    for (name, value) in given {
        let value = redaction::attribute(name, value, parties).as_str().to_owned();
        let name = redaction::typed(name).as_str().to_owned();
        let others = (2_u32..).map(|number| format!("{name} ({number})"));
        let mut free = std::iter::once(name.clone()).chain(others);
        if let Some(free) = free.find(|name| !kept.contains_key(name)) {
            kept.insert(free, value);
        }
    }
    kept
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_attributes_are_masked_and_none_is_lost() {
        let given = [
            ("4111111111111111", "a"),
            ("4242424242424242", "b"),
            ("my password is fluffy22", "c"),
            ("mobil", "+8613812345678"),
            ("note", "4111 1111 1111 1111"),
        ];
        let given = given.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let kept = masked(&given, &["mobil".to_owned()]);
        let kept: Vec<(&str, &str)> =
            kept.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(
            kept,
            [
                ("[card-1]", "a"),
                ("[card-1] (2)", "b"),
                ("mobil", "+8613812345678"),
                ("my password is [password-1]", "c"),
                ("note", "[card-1]"),
            ]
        );
    }
}
