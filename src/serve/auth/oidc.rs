//! To the identity provider and back. What a person is on the way with stays here, under the hash of its `state`, and
//! counts only together with a cookie of the browser that set out: nobody can be led into somebody else's session.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use subtle::ConstantTimeEq as _;

use super::super::ServeState;
use super::super::audit::Circumstances;
use super::super::caller::Caller;
use super::super::error::Problem;
use super::super::extract::Query;
use super::sessions::cookie_of;
use super::{Hash, Principal, fresh_secret, hash_of};
use crate::connect::identity::{Attempt, SignIn, SignInError};
use crate::domain::AuditOutcome;

pub const PATH: &str = "/sign-in/oidc";
const COOKIE: &str = "backchannel_sign_in";
/// It has a path, which `__Host-` doesn't allow.
const SECURE_COOKIE: &str = "__Secure-backchannel_sign_in";
/// A person has so long to sign in at the provider.
const PATIENCE: Duration = Duration::from_secs(600);
/// Beyond that one gives way: nobody who asks for many can push others out.
const ATTEMPTS_MAX: usize = 10_000;
const NEXT_BYTES_MAX: usize = 512;

/// Where people are sent to, and how that is called.
pub struct SignInDoor {
    pub name: String,
    sign_in: SignIn,
    waiting: Mutex<HashMap<Hash, Waiting>>,
}

struct Waiting {
    attempt: Attempt,
    browser: Hash,
    /// Whose browser asked.
    from: Option<IpAddr>,
    /// The session that it has; the provider's answer comes without its cookie.
    earlier: Option<Hash>,
    next: String,
    begun: Instant,
}

impl SignInDoor {
    pub fn new(name: impl Into<String>, sign_in: SignIn) -> Self {
        Self { name: name.into(), sign_in, waiting: Mutex::default() }
    }

    fn keep(&self, new: Waiting) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|_, one| one.begun.elapsed() < PATIENCE);
        if waiting.len() >= ATTEMPTS_MAX {
            let all = waiting.iter().map(|(state, one)| (*state, one.from, one.begun));
            if let Some(state) = gives_way(&all.collect::<Vec<_>>()) {
                waiting.remove(&state);
            }
        }
        waiting.insert(hash_of(&new.attempt.state), new);
    }

    /// Once: a state that was used is gone, also when what follows fails.
    fn take(&self, state: &str, browser: Option<&str>) -> Option<Waiting> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let found = waiting.remove(&hash_of(state))?;
        let is_same = browser.is_some_and(|one| bool::from(found.browser.ct_eq(&hash_of(one))));
        (is_same && found.begun.elapsed() < PATIENCE).then_some(found)
    }
}

/// Which attempt gives way: the oldest of whoever has most of them, each with whose it is and when it was begun.
fn gives_way(attempts: &[(Hash, Option<IpAddr>, Instant)]) -> Option<Hash> {
    let mut counts: HashMap<Option<IpAddr>, usize> = HashMap::new();
    for (_, from, _) in attempts {
        *counts.entry(*from).or_default() += 1;
    }
    let (most, _) = counts.into_iter().max_by_key(|(_, count)| *count)?;
    let theirs = attempts.iter().filter(|(_, from, _)| *from == most);
    theirs.min_by_key(|(_, _, begun)| *begun).map(|(state, ..)| *state)
}

#[derive(Deserialize)]
pub struct Wanted {
    next: Option<String>,
}

/// Sends the browser to the identity provider.
#[utoipa::path(get, path = "/sign-in/oidc", tag = "session",
    params(("next" = Option<String>, Query, description = "the page to come back to")),
    responses((status = 302, description = "to the identity provider, or back to / with `problem`"),
        super::super::openapi::Refusals))]
pub async fn begin(
    State(state): State<ServeState>,
    caller: Caller,
    headers: HeaderMap,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let door = door(&state)?;
    let (address, attempt) = match door.sign_in.begin().await {
        Ok(begun) => begun,
        Err(error) => return Ok(back(&error)),
    };
    // Several tabs of one browser may be on their way.
    let browser = cookie_of(&headers, cookie_name(&state)).filter(|known| known.len() == 43);
    let browser = browser.map_or_else(|| fresh_secret(""), str::to_owned);
    door.keep(Waiting {
        attempt,
        browser: hash_of(&browser),
        from: caller.subscriber(),
        earlier: state.auth.sessions.had(&headers),
        next: page(wanted.next),
        begun: Instant::now(),
    });
    // Lax: the way back begins on the provider's page.
    let name = cookie_name(&state);
    let cookie = state.auth.sessions.cookie(name, &browser, PATH, "Lax", PATIENCE);
    Ok((StatusCode::FOUND, [(header::LOCATION, address), (header::SET_COOKIE, cookie)])
        .into_response())
}

#[derive(Deserialize)]
pub struct Answer {
    code: Option<String>,
    state: Option<String>,
    iss: Option<String>,
    error: Option<String>,
}

/// Where the identity provider sends the browser back to.
#[utoipa::path(get, path = "/sign-in/oidc/callback", tag = "session",
    params(("code" = Option<String>, Query), ("state" = Option<String>, Query),
        ("iss" = Option<String>, Query), ("error" = Option<String>, Query)),
    responses((status = 302, description = "to the page that was wanted with a session cookie, or to / with `problem`"),
        super::super::openapi::Refusals))]
pub async fn callback(
    State(state): State<ServeState>,
    caller: Caller,
    headers: HeaderMap,
    Query(answer): Query<Answer>,
) -> Result<Response, Problem> {
    let door = door(&state)?;
    let browser = cookie_of(&headers, cookie_name(&state));
    let waiting = answer.state.and_then(|state| door.take(&state, browser));
    let about = Circumstances { from: caller.0, ..Circumstances::default() };
    let Some(waiting) = waiting else {
        refused(&state, "an answer to no sign-in that this browser began", about).await;
        return Ok(to("/?problem=sign-in-expired", None));
    };
    let (Some(code), None) = (&answer.code, &answer.error) else {
        refused(&state, "the identity provider signed nobody in", about).await;
        return Ok(to("/?problem=sign-in-refused", None));
    };
    match door.sign_in.finish(&waiting.attempt, code, answer.iss.as_deref()).await {
        Ok(found) => {
            let principal = Principal::from(found);
            let (who, done) = ((&principal, "oidc"), AuditOutcome::Done);
            state.audit.done("session.begun", who, done, about, &state.masker).await;
            let cookie = state.auth.sessions.begin(waiting.earlier, principal, None);
            Ok(to(&waiting.next, Some(cookie)))
        }
        Err(error) => {
            refused(&state, &format!("sign-in: {error}"), about).await;
            Ok(back(&error))
        }
    }
}

fn cookie_name(state: &ServeState) -> &'static str {
    if state.auth.is_https_only() { SECURE_COOKIE } else { COOKIE }
}

async fn refused(state: &ServeState, why: &str, about: Circumstances) {
    state.audit.refused(None, why, about, &state.masker).await;
}

fn door(state: &ServeState) -> Result<&SignInDoor, Problem> {
    let door = state.auth.oidc.as_ref();
    door.ok_or_else(|| Problem::not_found("nobody signs in at an identity provider here"))
}

fn back(error: &SignInError) -> Response {
    tracing::warn!(%error, "a sign-in failed");
    to(
        match error {
            SignInError::Provider(_) => "/?problem=sign-in-unavailable",
            SignInError::Code | SignInError::Token(_) | SignInError::Mixed => {
                "/?problem=sign-in-refused"
            }
        },
        None,
    )
}

fn to(address: &str, cookie: Option<String>) -> Response {
    let mut response = (StatusCode::FOUND, [(header::LOCATION, address)]).into_response();
    if let Some(cookie) = cookie.and_then(|cookie| cookie.parse().ok()) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// A page of ours: a path, and nothing that a browser would take for another place.
fn page(next: Option<String>) -> String {
    let is_ours = |next: &String| {
        next.len() <= NEXT_BYTES_MAX
            && next.starts_with('/')
            && !next.starts_with("//")
            && next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
    };
    next.filter(is_ours).unwrap_or_else(|| "/".to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_way_back_leads_to_pages_of_ours() {
        for good in ["/desktop", "/knowledge?x=1#a", "/"] {
            assert_eq!(page(Some(good.to_owned())), good);
        }
        for bad in [
            "",
            "desktop",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/a\r\nb",
            "/é",
        ] {
            assert_eq!(page(Some(bad.to_owned())), "/", "{bad}");
        }
    }

    #[test]
    fn who_asks_for_many_pushes_out_their_own() {
        let begun = Instant::now();
        let one = |name: &str, from: &str, second: u64| {
            let from = Some(from.parse().expect("an address"));
            (hash_of(name), from, begun + Duration::from_secs(second))
        };
        let mut waiting = vec![one("first", "198.51.100.7", 0), one("other", "2001:db8:0:2::", 1)];
        for many in 0..20 {
            waiting.push(one(&format!("many-{many}"), "2001:db8:0:1::", 2 + many));
        }
        for many in 0..19 {
            let gone = gives_way(&waiting).expect("there are some");
            assert_eq!(gone, hash_of(&format!("many-{many}")), "the oldest of theirs");
            waiting.retain(|(state, ..)| *state != gone);
        }
        assert_eq!(waiting.len(), 3);
        assert_eq!(gives_way(&[]), None);
    }

    proptest! {
        #[test]
        fn nothing_leads_elsewhere(next in "\\PC{0,40}") {
            let base = reqwest::Url::parse("https://ours.example/").expect("an address");
            let led = base.join(&page(Some(next))).expect("an address");
            prop_assert_eq!(led.origin(), base.origin());
        }
    }
}
