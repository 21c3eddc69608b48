//! Who may come in: API keys, tokens of an identity provider, and the sessions that browsers get.
//!
//! Secrets are kept as hashes only: whoever reads our memory or our files can't come in with them. What each may do
//! when it is in stands in `access`.

mod keys;
pub mod oidc;
mod sessions;
pub(super) mod sign_in;

use std::collections::HashMap;
use std::time::Instant;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use rand::RngCore;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::sync::watch;

use self::oidc::SignInDoor;
use self::sessions::Sessions;
use super::error::Problem;
use super::tokens::Tokens;
use crate::connect::identity::{Bearers, Identified};
use crate::domain::{AccessRole, TenantId};

pub use self::keys::{KeyRing, MadeKey};

/// Somebody who came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    pub name: String,
    pub role: AccessRole,
    /// Has the key of the settings, and so decides what they say; or is an administrator.
    pub is_operator: bool,
    pub tenant: TenantId,
}

impl Principal {
    pub fn new(name: impl Into<String>, role: AccessRole, tenant: TenantId) -> Self {
        Self { name: name.into(), role, is_operator: role == AccessRole::Admin, tenant }
    }
}

impl From<Identified> for Principal {
    fn from(found: Identified) -> Self {
        Self::new(found.name, found.role, found.tenant)
    }
}

/// Whatever one tenant has too many of takes the oldest away from that tenant and from nobody else.
pub(in crate::serve) fn make_room<T>(
    all: &mut HashMap<Hash, T>,
    most: usize,
    tenant: &TenantId,
    whose_and_since: impl Fn(&T) -> (&TenantId, Instant),
) {
    let own = all.iter().filter_map(|(hash, one)| {
        let (whose, since) = whose_and_since(one);
        (whose == tenant).then_some((since, *hash))
    });
    let own: Vec<(Instant, Hash)> = own.collect();
    if own.len() >= most
        && let Some((_, oldest)) = own.iter().min_by_key(|(since, _)| *since)
    {
        all.remove(oldest);
    }
}

/// What somebody came in with; in the request's extensions. A stream asks from time to time whether it still holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// A key of the settings.
    Settings,
    /// By its id.
    Key(String),
    Session(Hash),
    /// One of our own tokens for a page.
    Token(Hash),
    /// An identity provider's token, which is checked with each request and good until then.
    Bearer(Timestamp),
}

impl Proof {
    /// As the audit log says it.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Settings => "settings_key",
            Self::Key(_) => "api_key",
            Self::Session(_) => "session",
            Self::Token(_) => "page_token",
            Self::Bearer(_) => "jwt",
        }
    }
}

pub type Hash = [u8; 32];

pub struct Auth {
    keys: Vec<(Hash, Principal)>,
    codes: Vec<(Hash, Principal)>,
    ring: KeyRing,
    bearers: Option<Bearers>,
    pub(super) oidc: Option<SignInDoor>,
    pub(super) sessions: Sessions,
    pub(super) tokens: Tokens,
}

/// A fresh secret of 256 bits.
pub fn fresh_secret(prefix: &str) -> String {
    let mut bytes = [0; 32];
    rand::rng().fill_bytes(&mut bytes);
    format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// The form in which secrets are kept. They have 256 random bits, so no slow hash is needed: nobody can try them all.
pub fn hash_of(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

impl Auth {
    pub fn new(secure_cookies: bool) -> Self {
        Self {
            keys: Vec::new(),
            codes: Vec::new(),
            ring: KeyRing::default(),
            bearers: None,
            oidc: None,
            sessions: Sessions::new(secure_cookies),
            tokens: Tokens::default(),
        }
    }

    /// Whether browsers come by https alone.
    pub(super) fn is_https_only(&self) -> bool {
        self.sessions.is_secure()
    }

    pub fn add_key(&mut self, hash: [u8; 32], principal: Principal) {
        self.keys.push((hash, principal));
    }

    /// The keys that come and go while the service runs.
    pub fn ring(&self) -> KeyRing {
        self.ring.clone()
    }

    /// Tells that keys came or went, so that what they opened is looked at again.
    pub(super) fn key_changes(&self) -> watch::Receiver<()> {
        self.ring.changes()
    }

    /// Lets in who brings a token of this issuer.
    pub fn set_bearers(&mut self, bearers: Bearers) {
        self.bearers = Some(bearers);
    }

    /// Lets people sign in at an identity provider.
    pub fn set_sign_in(&mut self, door: SignInDoor) {
        self.oidc = Some(door);
    }

    /// Makes a code for `/sign-in?code=…`. It works as long as this process lives, so that the
    /// demo's link can be opened twice; nothing but the demo should make one.
    pub fn add_sign_in_code(&mut self, principal: Principal) -> String {
        let code = fresh_secret("");
        self.codes.push((hash_of(&code), principal));
        code
    }

    fn by_code(&self, code: &str) -> Option<Principal> {
        look(&self.codes, code)
    }

    /// Who has an API key.
    pub(super) fn by_key(&self, key: &str) -> Option<(Principal, Proof)> {
        if let Some((id, principal)) = self.ring.find(key) {
            return Some((principal, Proof::Key(id)));
        }
        look(&self.keys, key).map(|principal| (principal, Proof::Settings))
    }

    /// Who an identity provider's token is about. Why a token opens nothing is for the log only.
    pub(super) async fn by_bearer(&self, token: &str) -> Option<(Principal, Proof)> {
        let bearers = self.bearers.as_ref().filter(|_| Bearers::may_be(token))?;
        match bearers.identify(token).await {
            Ok((found, end)) => Some((found.into(), Proof::Bearer(end))),
            Err(refusal) => {
                tracing::info!(%refusal, "a token was refused");
                None
            }
        }
    }

    pub(super) fn by_session(&self, token: &str) -> Option<(Principal, Proof)> {
        let hash = hash_of(token);
        let principal = self.session(&hash)?;
        Some((principal, Proof::Session(hash)))
    }

    /// A session ends with the key that it was given for.
    fn session(&self, hash: &Hash) -> Option<Principal> {
        let (principal, by) = self.sessions.find(hash)?;
        by.is_none_or(|by| self.still_holds(&by)).then_some(principal)
    }

    /// Whether what somebody came in with is still good.
    pub(super) fn still_holds(&self, proof: &Proof) -> bool {
        match proof {
            Proof::Settings => true,
            Proof::Bearer(end) => Timestamp::now() < *end,
            Proof::Key(id) => self.ring.holds(id),
            Proof::Session(hash) => self.session(hash).is_some(),
            Proof::Token(hash) => {
                self.tokens.issued_for(hash).is_some_and(|by| self.still_holds(&by))
            }
        }
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

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;

    use super::*;

    #[test]
    fn what_was_opened_with_a_providers_token_ends_with_it() {
        let auth = Auth::new(false);
        let now = Timestamp::now();
        assert!(auth.still_holds(&Proof::Bearer(now + 5.minutes())));
        assert!(!auth.still_holds(&Proof::Bearer(now - 1.second())));
    }
}
