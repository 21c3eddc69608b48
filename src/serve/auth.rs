//! Who may come in: API keys, and the sessions that browsers get for one.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use axum::extract::{FromRequestParts, Query, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::RngCore;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use utoipa::ToSchema;

use super::error::Problem;
use super::extract::Json;
use super::tokens::Tokens;
use super::{ServeState, guard};
use crate::domain::TenantId;

const COOKIE: &str = "backchannel_session";
const SESSION: Duration = Duration::from_secs(12 * 3600);
/// The oldest session gives way to a new one beyond that.
const MAX_SESSIONS: usize = 10_000;

/// Somebody who came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    pub name: String,
    pub role: String,
    /// Has the key of the settings, and so decides what they say.
    pub is_operator: bool,
    pub tenant: TenantId,
}

/// Secrets are kept as hashes only: whoever reads our memory or our files can't come in with them.
type Hash = [u8; 32];

pub struct Auth {
    keys: Vec<(Hash, Principal)>,
    codes: Vec<(Hash, Principal)>,
    sessions: Mutex<HashMap<Hash, Session>>,
    pub(super) tokens: Tokens,
    secure_cookies: bool,
}

struct Session {
    principal: Principal,
    begun: Instant,
}

/// A fresh secret of 256 bits.
pub fn fresh_secret(prefix: &str) -> String {
    let mut bytes = [0; 32];
    rand::rng().fill_bytes(&mut bytes);
    format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// The form in which a settings file names an API key.
pub fn hash_of(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

impl Auth {
    pub fn new(secure_cookies: bool) -> Self {
        Self {
            keys: Vec::new(),
            codes: Vec::new(),
            sessions: Mutex::new(HashMap::new()),
            tokens: Tokens::default(),
            secure_cookies,
        }
    }

    pub fn add_key(&mut self, hash: [u8; 32], principal: Principal) {
        self.keys.push((hash, principal));
    }

    /// Makes a code for `/sign-in?code=…`. It works as long as this process lives, so that the
    /// demo's link can be opened twice; nothing but the demo should make one.
    pub fn add_sign_in_code(&mut self, principal: Principal) -> String {
        let code = fresh_secret("");
        self.codes.push((hash_of(&code), principal));
        code
    }

    pub(super) fn by_key(&self, key: &str) -> Option<Principal> {
        look(&self.keys, key)
    }

    pub(super) fn by_session(&self, token: &str) -> Option<Principal> {
        let sessions = self.sessions.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let session = sessions.get(&hash_of(token))?;
        (session.begun.elapsed() < SESSION).then(|| session.principal.clone())
    }

    fn begin_session(&self, principal: Principal) -> String {
        let token = fresh_secret("");
        let mut sessions = self.sessions.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        sessions.retain(|_, session| session.begun.elapsed() < SESSION);
        if sessions.len() >= MAX_SESSIONS
            && let Some(oldest) =
                sessions.iter().min_by_key(|(_, session)| session.begun).map(|(hash, _)| *hash)
        {
            sessions.remove(&oldest);
        }
        sessions.insert(hash_of(&token), Session { principal, begun: Instant::now() });
        token
    }

    fn end_session(&self, token: &str) {
        let mut sessions = self.sessions.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        sessions.remove(&hash_of(token));
    }

    fn cookie(&self, token: &str, seconds: u64) -> String {
        let secure = if self.secure_cookies { "; Secure" } else { "" };
        format!("{COOKIE}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
    }
}

/// Compares with every entry, each in constant time, so that the time tells nothing.
fn look(entries: &[(Hash, Principal)], secret: &str) -> Option<Principal> {
    let hash = hash_of(secret);
    let mut found = None;
    for (known, principal) in entries {
        if bool::from(known.ct_eq(&hash)) {
            found = Some(principal.clone());
        }
    }
    found
}

/// The session's token in a request, if it carries one.
pub(super) fn session_token(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| (name == COOKIE).then_some(value))
}

impl<S: Send + Sync> FromRequestParts<S> for Principal {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(unauthorised)
    }
}

pub(super) fn unauthorised() -> Problem {
    let detail = "send a valid API key as `Authorization: Bearer …`, or sign in";
    Problem::new(StatusCode::UNAUTHORIZED, "unauthorised", detail)
}

#[derive(Deserialize)]
pub(super) struct Code {
    code: Option<String>,
}

/// The demo's link. A code that isn't known leads to the page where a key can be typed.
#[utoipa::path(get, path = "/sign-in", tag = "session",
    params(("code" = Option<String>, Query, description = "from the link that the demo prints")),
    responses((status = 302, description = "to /desktop with a session cookie, or to / without one")))]
pub(super) async fn follow_link(
    State(state): State<ServeState>,
    Query(Code { code }): Query<Code>,
) -> Response {
    match code.and_then(|code| look(&state.auth.codes, &code)) {
        Some(principal) => {
            let cookie = state.auth.cookie(&state.auth.begin_session(principal), SESSION.as_secs());
            let headers = [(header::LOCATION, "/desktop".to_owned()), (header::SET_COOKIE, cookie)];
            (StatusCode::FOUND, headers).into_response()
        }
        None => (StatusCode::FOUND, [(header::LOCATION, "/")]).into_response(),
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SignIn {
    api_key: String,
}

/// Gives a browser a session for an API key.
#[utoipa::path(post, path = "/sign-in", tag = "session", request_body = SignIn,
    responses((status = 204, description = "the session cookie is set"), super::openapi::Refusals))]
pub(super) async fn sign_in(
    State(state): State<ServeState>,
    headers: HeaderMap,
    Json(request): Json<SignIn>,
) -> Result<Response, Problem> {
    guard::check_origin(&headers, false)?;
    let principal = state.auth.by_key(request.api_key.trim()).ok_or_else(|| {
        Problem::new(StatusCode::UNAUTHORIZED, "unauthorised", "this API key is not known")
    })?;
    let cookie = state.auth.cookie(&state.auth.begin_session(principal), SESSION.as_secs());
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}

/// Ends the session.
#[utoipa::path(post, path = "/sign-out", tag = "session",
    responses((status = 204, description = "the session is over"), super::openapi::Refusals))]
pub(super) async fn sign_out(
    State(state): State<ServeState>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if let Some(token) = session_token(&headers) {
        guard::check_origin(&headers, true)?;
        state.auth.end_session(token);
    }
    let cookie = state.auth.cookie("", 0);
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}
