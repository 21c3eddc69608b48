use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::connect::telephony::Notes;
use crate::domain::{Classify, ErrorKind, TenantId};

/// More calls can't be announced at a time.
const EXPECTED_MAX: usize = 10_000;

/// A call that somebody with a key has announced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedCall {
    pub tenant: TenantId,
    pub notes: Notes,
}

/// Why a call can't be announced.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum AnnounceError {
    #[error("a call with this UUID is announced already")]
    Known,
    #[error("more than {} announced calls have not come yet", EXPECTED_MAX)]
    Full,
}

impl Classify for AnnounceError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Known => ErrorKind::Conflict,
            Self::Full => ErrorKind::Busy,
        }
    }
}

/// The announced calls, by UUID. Cheap to clone.
#[derive(Clone, Default)]
pub struct Registry(Arc<Mutex<HashMap<Uuid, (Instant, ExpectedCall)>>>);

impl Registry {
    /// One connection may bring this call, within `patience`.
    ///
    /// # Errors
    /// `Known` for a UUID that is waited for already, `Full` when too many are.
    pub fn announce(
        &self,
        id: Uuid,
        call: ExpectedCall,
        patience: Duration,
    ) -> Result<(), AnnounceError> {
        self.announce_at(Instant::now(), id, call, patience)
    }

    pub(super) fn announce_at(
        &self,
        now: Instant,
        id: Uuid,
        call: ExpectedCall,
        patience: Duration,
    ) -> Result<(), AnnounceError> {
        let mut expected = self.lock();
        expected.retain(|_, (until, _)| *until > now);
        if expected.contains_key(&id) {
            return Err(AnnounceError::Known);
        }
        if expected.len() >= EXPECTED_MAX {
            return Err(AnnounceError::Full);
        }
        expected.insert(id, (now + patience, call));
        Ok(())
    }

    /// The call of a connection that says this UUID; once.
    pub fn claim(&self, id: &Uuid) -> Option<ExpectedCall> {
        self.claim_at(Instant::now(), id)
    }

    pub(super) fn claim_at(&self, now: Instant, id: &Uuid) -> Option<ExpectedCall> {
        let (until, call) = self.lock().remove(id)?;
        (until > now).then_some(call)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, (Instant, ExpectedCall)>> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
