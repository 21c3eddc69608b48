//! What keeps visitors from crowding everybody else out.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::HeaderMap;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::serve::listen::Peer;

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

/// Whose request it is. What a proxy on this machine says it stands for counts, and nobody else's word.
pub(super) fn visitor(peer: Option<Peer>, headers: &HeaderMap) -> Option<IpAddr> {
    let Peer(peer) = peer?;
    let said = headers.get_all("x-forwarded-for").iter().next_back();
    let said = said.and_then(|value| value.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
    let address = said.filter(|_| peer.is_loopback()).unwrap_or(peer);
    Some(match address.to_canonical() {
        // A household has that many.
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 => v4,
    })
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

    #[test]
    fn a_proxy_of_this_machine_says_for_whom_it_asks_and_nobody_else() {
        let mut headers = HeaderMap::new();
        let peer = |text: &str| from(text).map(Peer);
        assert_eq!(visitor(peer("127.0.0.1"), &headers), from("127.0.0.1"));
        headers.append("x-forwarded-for", "10.9.9.9".parse().expect("a value"));
        headers.append("x-forwarded-for", "203.0.113.9, 198.51.100.7".parse().expect("a value"));
        assert_eq!(visitor(peer("127.0.0.1"), &headers), from("198.51.100.7"));
        assert_eq!(visitor(peer("192.0.2.1"), &headers), from("192.0.2.1"), "anybody can write it");
        assert_eq!(visitor(None, &headers), None);
        let headers = HeaderMap::new();
        assert_eq!(visitor(peer("2001:db8:1:2:3:4:5:6"), &headers), from("2001:db8:1:2::"));
        assert_eq!(visitor(peer("::ffff:192.0.2.1"), &headers), from("192.0.2.1"));
    }
}
