//! What browsers come in with after they have signed in.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, header};

use super::{Hash, Principal, Proof, fresh_secret, hash_of, make_room};

const COOKIE: &str = "backchannel_session";
/// A browser takes a cookie of this name over https only, and from no other host (RFC 6265bis, section 4.1.3).
const SECURE_COOKIE: &str = "__Host-backchannel_session";
const SESSION: Duration = Duration::from_secs(12 * 3600);
/// One that nobody used for so long has ended. A page with a stream uses it all the time, others when they ask for
/// something.
const IDLE: Duration = Duration::from_secs(3600);
/// The oldest session of a tenant gives way to a new one beyond that.
const SESSIONS_MAX: usize = 10_000;

pub struct Sessions {
    by_hash: Mutex<HashMap<Hash, Session>>,
    secure: bool,
}

struct Session {
    principal: Principal,
    begun: Instant,
    used: Instant,
    /// What it was given for, and ends with.
    by: Option<Proof>,
}

impl Session {
    fn goes_on(&self, now: Instant) -> bool {
        now.duration_since(self.begun) < SESSION && now.duration_since(self.used) < IDLE
    }
}

impl Sessions {
    pub(super) fn new(secure: bool) -> Self {
        Self { by_hash: Mutex::default(), secure }
    }

    /// Begins one; the cookie for it. The one that the browser has had (`earlier`) ends.
    pub(super) fn begin(
        &self,
        earlier: Option<Hash>,
        principal: Principal,
        by: Option<Proof>,
    ) -> String {
        let (token, now) = (fresh_secret(""), Instant::now());
        let mut sessions = self.by_hash.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|hash, session| session.goes_on(now) && earlier.as_ref() != Some(hash));
        make_room(&mut sessions, SESSIONS_MAX, &principal.tenant, |one| {
            (&one.principal.tenant, one.begun)
        });
        sessions.insert(hash_of(&token), Session { principal, begun: now, used: now, by });
        self.cookie(self.name(), &token, "/", "Strict", SESSION)
    }

    pub(super) fn end(&self, token: &str) -> Option<Principal> {
        let mut sessions = self.by_hash.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.remove(&hash_of(token)).map(|session| session.principal)
    }

    /// Takes the cookie from the browser.
    pub(super) fn no_cookie(&self) -> String {
        self.cookie(self.name(), "", "/", "Strict", Duration::ZERO)
    }

    pub(super) const fn is_secure(&self) -> bool {
        self.secure
    }

    const fn name(&self) -> &'static str {
        if self.secure { SECURE_COOKIE } else { COOKIE }
    }

    /// The session's token in a request, if it carries one.
    pub(in crate::serve) fn token_in<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        cookie_of(headers, self.name())
    }

    /// The session that a browser has, if it has one.
    pub(super) fn had(&self, headers: &HeaderMap) -> Option<Hash> {
        self.token_in(headers).map(hash_of)
    }

    pub(super) fn cookie(
        &self,
        name: &str,
        value: &str,
        path: &str,
        same_site: &str,
        age: Duration,
    ) -> String {
        let secure = if self.secure { "; Secure" } else { "" };
        let age = age.as_secs();
        format!(
            "{name}={value}; Path={path}; Max-Age={age}; HttpOnly; SameSite={same_site}{secure}"
        )
    }

    /// Whose session it is, and what it was given for.
    pub(super) fn find(&self, hash: &Hash) -> Option<(Principal, Option<Proof>)> {
        self.find_at(hash, Instant::now())
    }

    fn find_at(&self, hash: &Hash, now: Instant) -> Option<(Principal, Option<Proof>)> {
        let mut sessions = self.by_hash.lock().unwrap_or_else(PoisonError::into_inner);
        let session = sessions.get_mut(hash).filter(|session| session.goes_on(now))?;
        session.used = now;
        Some((session.principal.clone(), session.by.clone()))
    }
}

pub(super) fn cookie_of<'a>(headers: &'a HeaderMap, wanted: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| (name == wanted).then_some(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::AccessRole;

    #[test]
    fn many_sessions_of_one_tenant_end_none_of_another() {
        let sessions = Sessions::new(false);
        let begin = |tenant: &str| {
            let principal = Principal::new("Emma", AccessRole::Agent, tenant.into());
            let cookie = sessions.begin(None, principal, None);
            let (_, token) =
                cookie.split(';').next().and_then(|one| one.split_once('=')).expect("one");
            hash_of(token)
        };
        let (other, first) = (begin("quiet"), begin("busy"));
        for _ in 0..SESSIONS_MAX {
            begin("busy");
        }
        assert!(sessions.find(&other).is_some());
        assert!(sessions.find(&first).is_none(), "its own oldest gave way");
    }

    #[test]
    fn a_session_ends_when_nobody_uses_it_and_after_twelve_hours() {
        const MINUTE: Duration = Duration::from_secs(60);
        let sessions = Sessions::new(false);
        let begin = |sessions: &Sessions| {
            let cookie =
                sessions.begin(None, Principal::new("Emma", AccessRole::Agent, "t".into()), None);
            let (_, token) =
                cookie.split(';').next().and_then(|one| one.split_once('=')).expect("one");
            hash_of(token)
        };
        let (begun, used, left) = (Instant::now(), begin(&sessions), begin(&sessions));
        let at =
            |hash: &Hash, minutes: u32| sessions.find_at(hash, begun + minutes * MINUTE).is_some();
        for minutes in (50..12 * 60).step_by(50) {
            assert!(at(&used, minutes), "{minutes}");
        }
        assert!(!at(&used, 12 * 60 + 1), "its time is over, used or not");
        assert!(!at(&left, 61), "nobody used it");
    }
}
