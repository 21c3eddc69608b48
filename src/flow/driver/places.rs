//! Who may have a call: so many in all, so many for each tenant, and none under too much load.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::TenantId;
use crate::models::SpeechPool;

/// Why there is no place for another call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    #[error("as many calls are live as this machine can hold ({0})")]
    Machine(usize),
    #[error("this tenant has as many live calls as it may have ({0})")]
    Tenant(usize),
    #[error("the recognisers can't keep up with the live calls")]
    Load,
}

impl Full {
    /// When it is worth another try: calls last minutes, load passes in seconds.
    pub const fn retry_after_seconds(self) -> u64 {
        match self {
            Self::Machine(_) | Self::Tenant(_) => 15,
            Self::Load => 5,
        }
    }
}

/// The places for live calls.
pub(super) struct Places {
    max: AtomicUsize,
    /// 0: as many as there are.
    per_tenant: usize,
    speech: Arc<SpeechPool>,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    all: usize,
    tenants: HashMap<TenantId, usize>,
}

/// One of the places; given back on drop.
pub(super) struct Place {
    places: Arc<Places>,
    pub tenant: TenantId,
}

impl Places {
    pub fn new(max: usize, per_tenant: usize, speech: Arc<SpeechPool>) -> Arc<Self> {
        let places = Self { max: AtomicUsize::new(0), per_tenant, speech, taken: Mutex::default() };
        places.set_max(max);
        Arc::new(places)
    }

    /// Calls beyond a smaller number go on; new ones wait until there are fewer.
    pub fn set_max(&self, max: usize) {
        self.max.store(max, Ordering::Relaxed);
        metrics::gauge!("backchannel_calls_max").set(max as f64);
    }

    pub fn live(&self) -> usize {
        self.lock().all
    }

    pub fn take(self: &Arc<Self>, tenant: &TenantId) -> Result<Place, Full> {
        let max = self.max.load(Ordering::Relaxed);
        let mut taken = self.lock();
        let of_tenant = taken.tenants.get(tenant).copied().unwrap_or(0);
        let refusal = if taken.all >= max {
            Some(Full::Machine(max))
        } else if self.per_tenant > 0 && of_tenant >= self.per_tenant {
            Some(Full::Tenant(self.per_tenant))
        } else if self.speech.level().refuses_calls() {
            Some(Full::Load)
        } else {
            None
        };
        if let Some(full) = refusal {
            metrics::counter!("backchannel_calls_refused_total").increment(1);
            return Err(full);
        }
        taken.all += 1;
        taken.tenants.insert(tenant.clone(), of_tenant + 1);
        metrics::gauge!("backchannel_calls_live").set(taken.all as f64);
        drop(taken);
        Ok(Place { places: Arc::clone(self), tenant: tenant.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        // Both counts change together, without a panic between them.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        taken.all -= 1;
        if let Some(of_tenant) = taken.tenants.get_mut(&self.tenant) {
            *of_tenant -= 1;
            if *of_tenant == 0 {
                taken.tenants.remove(&self.tenant);
            }
        }
        metrics::gauge!("backchannel_calls_live").set(taken.all as f64);
    }
}

/// A place that is kept for a call while its media connection is being set up. Dropping it gives
/// the place back.
#[derive(Default)]
pub struct Reservation(pub(super) Option<Place>);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::LoadLevel;

    #[test]
    fn places_are_counted_for_all_and_for_each_tenant() {
        let speech = Arc::new(SpeechPool::start(Vec::new()).expect("no threads"));
        let places = Places::new(3, 2, Arc::clone(&speech));
        let (ours, theirs) = (TenantId::from("ours"), TenantId::from("theirs"));
        let take = |tenant: &TenantId| places.take(tenant);
        let held = [take(&ours).expect("one"), take(&ours).expect("two")];
        assert_eq!(take(&ours).err(), Some(Full::Tenant(2)));
        let other = take(&theirs).expect("the third");
        assert_eq!(take(&theirs).err(), Some(Full::Machine(3)));
        drop(other);
        speech.set_level(LoadLevel::Refusing);
        assert_eq!(take(&theirs).err(), Some(Full::Load));
        speech.set_level(LoadLevel::SmallFinals);
        places.set_max(2);
        assert_eq!(take(&theirs).err(), Some(Full::Machine(2)));
        drop(held);
        assert!(take(&ours).is_ok() && places.live() == 0);
    }
}
