//! What works less well than it should at the moment.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::domain::{ConversationId, EventBody, NewEvent, SystemNotice, TenantId};
use crate::store::{SYSTEM, Store};

/// The notices that stand; each change is an event.
pub(super) struct Notices {
    tenant: TenantId,
    store: Arc<dyn Store>,
    standing: Mutex<BTreeMap<String, SystemNotice>>,
}

impl Notices {
    pub fn new(tenant: TenantId, store: Arc<dyn Store>) -> Self {
        Self { tenant, store, standing: Mutex::default() }
    }

    /// All that stand, by their word.
    pub fn all(&self) -> Vec<SystemNotice> {
        self.lock().values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, SystemNotice>> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn stands(&self, what: &str) -> bool {
        self.lock().contains_key(what)
    }

    pub async fn degraded(&self, what: &str, detail: &str) {
        tracing::warn!(what, detail, "degraded");
        let since = Timestamp::now();
        let notice = SystemNotice { what: what.to_owned(), detail: detail.to_owned(), since };
        self.lock().insert(what.to_owned(), notice.clone());
        self.append(EventBody::SystemDegraded(notice)).await;
    }

    pub async fn recovered(&self, what: &str) {
        let Some(notice) = self.lock().remove(what) else { return };
        tracing::info!(what, "recovered");
        self.append(EventBody::SystemRecovered(notice)).await;
    }

    async fn append(&self, body: EventBody) {
        let event = NewEvent::at(Timestamp::now(), body);
        let system = ConversationId::from(SYSTEM);
        if let Err(error) = self.store.append(&self.tenant, &system, vec![event]).await {
            tracing::warn!(%error, "a notice was not recorded");
        }
    }
}
