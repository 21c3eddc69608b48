//! What keeps visitors from crowding everybody else out.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Chats that may begin at once, and then each minute: tokens are given to everybody.
const BEGIN_AT_ONCE: usize = 120;
/// Of them from one address, so that one page that is open a hundred times leaves places for the rest.
const BEGIN_FROM_ONE: usize = 12;
const BEGIN_WITHIN: Duration = Duration::from_secs(60);
const VISITORS_MAX: usize = 2_000;

/// Limits for all visitors together, and for each address.
pub struct ChatLimits {
    begun: Mutex<VecDeque<(Instant, Option<IpAddr>)>>,
    watching: Arc<Semaphore>,
}

impl Default for ChatLimits {
    fn default() -> Self {
        Self { begun: Mutex::default(), watching: Arc::new(Semaphore::new(VISITORS_MAX)) }
    }
}

impl ChatLimits {
    /// Whether one more chat may begin now.
    pub(super) fn begin(&self, from: Option<IpAddr>) -> bool {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        while begun.front().is_some_and(|(at, _)| at.elapsed() >= BEGIN_WITHIN) {
            begun.pop_front();
        }
        let own = begun.iter().filter(|(_, other)| from.is_some() && *other == from).count();
        let is_free = begun.len() < BEGIN_AT_ONCE && own < BEGIN_FROM_ONE;
        if is_free {
            begun.push_back((Instant::now(), from));
        }
        is_free
    }

    pub(super) fn watch(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.watching).try_acquire_owned().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(text: &str) -> Option<IpAddr> {
        Some(text.parse().expect("an address"))
    }

    #[test]
    fn one_address_leaves_places_for_the_others() {
        let limits = ChatLimits::default();
        let begun = (0..200).filter(|_| limits.begin(from("192.0.2.1"))).count();
        assert_eq!(begun, BEGIN_FROM_ONE);
        assert!(limits.begin(from("192.0.2.2")), "somebody else");
        let all = (0..=255).filter(|last| limits.begin(from(&format!("192.0.3.{last}")))).count();
        assert_eq!(all, BEGIN_AT_ONCE - BEGIN_FROM_ONE - 1);
    }
}
