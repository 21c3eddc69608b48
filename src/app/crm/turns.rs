//! One at a time in a conversation: whoever decides on what was read must find it still so when it is written.

use std::hash::{BuildHasher as _, RandomState};

use tokio::sync::{Mutex, MutexGuard};

use crate::domain::{ConversationId, TenantId};

/// Conversations that share a lock wait for each other's disk and for nothing else: no lock is held over a request to
/// another system.
const LOCKS: usize = 256;

pub(super) struct Turns {
    hasher: RandomState,
    locks: Vec<Mutex<()>>,
}

impl Default for Turns {
    fn default() -> Self {
        let locks = (0..LOCKS).map(|_| Mutex::default()).collect();
        Self { hasher: RandomState::new(), locks }
    }
}

impl Turns {
    pub async fn of(&self, tenant: &TenantId, id: &ConversationId) -> MutexGuard<'_, ()> {
        let hash = self.hasher.hash_one((tenant.as_str(), id.as_str()));
        self.locks[hash as usize % LOCKS].lock().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_conversation_is_in_one_hand() {
        let turns = Turns::default();
        let (tenant, id) = ("demo".into(), "c-1".into());
        let held = turns.of(&tenant, &id).await;
        let (other, again) = ("demo".into(), "c-1".into());
        let waiting = turns.of(&other, &again);
        tokio::pin!(waiting);
        assert!(futures_util::poll!(&mut waiting).is_pending());
        drop(held);
        assert!(futures_util::poll!(&mut waiting).is_ready());
    }
}
