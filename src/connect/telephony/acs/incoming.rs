use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::eventgrid::{Event, IncomingCall};
use crate::domain::TenantId;

/// So many announced calls are remembered; the oldest gives way.
const CALLS_MAX: usize = 4_096;
/// Deliveries of which a second is recognised.
const EVENTS_MAX: usize = 16_384;

/// Who is calling, from the event that announces a call until its audio comes. Cheap to clone.
///
/// It holds telephone numbers, so it lives in memory only.
#[derive(Clone, Default)]
pub struct IncomingCalls(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    calls: HashMap<(TenantId, String), IncomingCall>,
    oldest_calls: VecDeque<(TenantId, String)>,
    events: HashSet<(TenantId, String)>,
    oldest_events: VecDeque<(TenantId, String)>,
}

impl IncomingCalls {
    /// Remembers what an event says. False if it has come before: delivery is at least once.
    pub fn take(&self, tenant: &TenantId, event: Event) -> bool {
        let mut known = self.known();
        let Known { calls, oldest_calls, events, oldest_events } = &mut *known;
        let id = (tenant.clone(), event.id);
        if !events.insert(id.clone()) {
            return false;
        }
        forget_oldest(oldest_events, id, EVENTS_MAX, |id| {
            events.remove(id);
        });
        if let Some(call) = event.incoming_call {
            let key = (tenant.clone(), call.correlation_id.clone());
            if calls.insert(key.clone(), call).is_none() {
                forget_oldest(oldest_calls, key, CALLS_MAX, |key| {
                    calls.remove(key);
                });
            }
        }
        true
    }

    /// What was announced of the call with this correlation id.
    pub fn of(&self, tenant: &TenantId, correlation_id: &str) -> Option<IncomingCall> {
        self.known().calls.get(&(tenant.clone(), correlation_id.to_owned())).cloned()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn forget_oldest<T>(queue: &mut VecDeque<T>, newest: T, max: usize, mut forget: impl FnMut(&T)) {
    queue.push_back(newest);
    while queue.len() > max {
        if let Some(oldest) = queue.pop_front() {
            forget(&oldest);
        }
    }
}
