//! Keys to other systems: fixed ones, and OAuth 2 access tokens, which are fetched, kept and renewed here.
//!
//! Grants: client credentials (RFC 6749, section 4.4), and a signed assertion (RFC 7523, section 2.1) for systems
//! that give no secret to a program. No person is asked for anything, so nothing here refreshes a person's token.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::{Method, StatusCode};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::destination::DeliveryError;
use super::http::{Answered, Api, Body, Request};

/// A token is renewed so long before its end, or in the last fifth of a short life.
const AHEAD: Duration = Duration::from_secs(60);
/// After a failure nobody asks again for so long: what waits would ask one after the other.
const AFTER_FAILURE: Duration = Duration::from_secs(1);
/// Longer lives aren't believed; a revoked token is noticed by a 401 in any case.
const LIFE_MAX: Duration = Duration::from_secs(24 * 3600);
/// RFC 7523 lets the server bound it; Salesforce takes no more than three minutes.
const ASSERTION_LIFE_S: i64 = 150;

/// What opens a system. Printed, it says nothing that is secret.
#[derive(Clone, Debug)]
pub enum Credentials {
    Basic {
        user: String,
        password: SecretString,
    },
    Bearer(SecretString),
    /// A header of the vendor's own, such as `x-sn-apikey`.
    Header(&'static str, SecretString),
    OAuth(Grant),
    /// The way itself is trusted, or a fixed header of the settings opens it.
    None,
}

/// How an access token is got.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Below the API's address, or at `issuer` where that is another server.
    pub path: String,
    /// Another server than the API's: `https://login.microsoftonline.com`.
    pub issuer: Option<Url>,
    pub kind: GrantKind,
    /// Added to the form: `scope`, `resource`, as the system wants them.
    pub fields: Vec<(&'static str, String)>,
    /// How long a token holds whose answer doesn't say it.
    pub life: Duration,
}

#[derive(Clone, Debug)]
pub enum GrantKind {
    ClientCredentials {
        id: String,
        secret: SecretString,
        /// In the form, or else as basic authentication.
        in_form: bool,
    },
    /// Signed with RS256.
    JwtBearer {
        issuer: String,
        subject: String,
        audience: String,
        /// PEM, PKCS #1 or #8.
        key: SecretString,
    },
}

/// The way to a system, with what opens it.
pub struct Door {
    api: Api,
    key: Key,
}

enum Key {
    Fixed(Option<(&'static str, SecretString)>),
    Token(Box<Tokens>),
}

/// One system's token. Who finds it old renews it while the others wait: one request, not one each.
struct Tokens {
    api: Api,
    grant: Grant,
    signing: Option<EncodingKey>,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    token: Option<Token>,
    failed: Option<(Instant, DeliveryError)>,
}

struct Token {
    value: SecretString,
    renew_at: Instant,
    ends_at: Instant,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
    jti: String,
}

impl Door {
    /// `headers` go with every request.
    ///
    /// # Errors
    /// An address or a key that can't be used, in a sentence that begins with the setting's name.
    pub fn new(
        url: Url,
        headers: &BTreeMap<String, String>,
        patience: Duration,
        credentials: Credentials,
    ) -> Result<Self, String> {
        let api = Api::new(url, headers, patience)?;
        let key = match credentials {
            Credentials::None => Key::Fixed(None),
            Credentials::Basic { user, password } => {
                if user.contains(':') {
                    return Err("user must not hold a colon".to_owned());
                }
                let both = format!("{user}:{}", password.expose_secret());
                let value = format!("Basic {}", BASE64_STANDARD.encode(both));
                Key::Fixed(Some(("authorization", value.into())))
            }
            Credentials::Bearer(token) => {
                let value = format!("Bearer {}", token.expose_secret().trim());
                Key::Fixed(Some(("authorization", value.into())))
            }
            Credentials::Header(name, value) => Key::Fixed(Some((name, value))),
            Credentials::OAuth(grant) => {
                let api = match &grant.issuer {
                    Some(url) => Api::new(url.clone(), &BTreeMap::new(), patience)?,
                    None => api.clone(),
                };
                Key::Token(Box::new(Tokens::new(api, grant)?))
            }
        };
        let is_text = |secret: &SecretString| {
            http::HeaderValue::try_from(secret.expose_secret()).is_ok_and(|value| !value.is_empty())
        };
        match &key {
            Key::Fixed(Some((_, value))) if !is_text(value) => {
                Err("key must be one line".to_owned())
            }
            _ => Ok(Self { api, key }),
        }
    }

    /// Sends it, with the key. A refused token is renewed and the request sent once more: nothing was done.
    ///
    /// # Errors
    /// As `Api::send`; `Denied` when no token can be had.
    pub async fn send(&self, request: Request<'_>) -> Result<Answered, DeliveryError> {
        let tokens = match &self.key {
            Key::Fixed(None) => return self.api.send(request).await,
            Key::Fixed(Some((name, value))) => {
                return self.api.send(request.header(name, value.expose_secret())).await;
            }
            Key::Token(tokens) => tokens,
        };
        let token = tokens.token().await?;
        let answer = self.api.send(request.clone().header("authorization", bearer(&token))).await?;
        if answer.status != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        tokens.forget(&token).await;
        let token = tokens.token().await?;
        self.api.send(request.header("authorization", bearer(&token))).await
    }

    /// The access token itself: for mailboxes, and before what can't be asked for afterwards.
    ///
    /// # Errors
    /// `Denied` when none is given, or the key is of another kind. Never `Unclear`: asking for one does nothing.
    pub async fn token(&self) -> Result<SecretString, DeliveryError> {
        let Key::Token(tokens) = &self.key else {
            return Err(DeliveryError::Denied("its key is no access token".to_owned()));
        };
        tokens.token().await.map_err(|error| match error {
            DeliveryError::Unclear(why) => DeliveryError::Unreachable(why),
            other => other,
        })
    }

    /// # Errors
    /// As `send`, and by status.
    pub async fn ask(&self, request: Request<'_>) -> Result<Answered, DeliveryError> {
        self.send(request).await?.success()
    }
}

fn bearer(token: &SecretString) -> String {
    format!("Bearer {}", token.expose_secret())
}

impl Tokens {
    fn new(api: Api, grant: Grant) -> Result<Self, String> {
        let signing = match &grant.kind {
            GrantKind::ClientCredentials { .. } => None,
            GrantKind::JwtBearer { key, .. } => {
                let key = EncodingKey::from_rsa_pem(key.expose_secret().as_bytes());
                Some(key.map_err(|_| "key must be an RSA key in PEM".to_owned())?)
            }
        };
        Ok(Self { api, grant, signing, held: Mutex::default() })
    }

    async fn token(&self) -> Result<SecretString, DeliveryError> {
        let mut held = self.held.lock().await;
        let now = Instant::now();
        if let Some(token) = held.token.as_ref().filter(|token| now < token.renew_at) {
            return Ok(token.value.clone());
        }
        let failed = held.failed.take().filter(|(at, _)| now < *at + AFTER_FAILURE);
        let fetched = match failed {
            Some((at, error)) => {
                held.failed = Some((at, error.clone()));
                Err(error)
            }
            None => self.fetch().await.inspect_err(|error| {
                held.failed = Some((Instant::now(), error.clone()));
            }),
        };
        match fetched {
            Ok(token) => {
                let value = token.value.clone();
                held.token = Some(token);
                Ok(value)
            }
            // The old one still opens for a minute.
            Err(error) => held
                .token
                .as_ref()
                .filter(|token| now < token.ends_at)
                .map(|token| token.value.clone())
                .ok_or(error),
        }
    }

    /// What was refused isn't used again, unless somebody has renewed it meanwhile.
    async fn forget(&self, refused: &SecretString) {
        let mut held = self.held.lock().await;
        if held
            .token
            .as_ref()
            .is_some_and(|token| token.value.expose_secret() == refused.expose_secret())
        {
            held.token = None;
        }
    }

    async fn fetch(&self) -> Result<Token, DeliveryError> {
        let asked_at = Instant::now();
        let answer = self.api.send(self.request()?).await?;
        let code = answer.status.as_u16();
        if matches!(code, 400 | 401 | 403) {
            return Err(DeliveryError::Denied(format!("no token: {}", reason(&answer))));
        }
        let answer = answer.success()?;
        let token = answer.text("/access_token").filter(|token| !token.is_empty());
        let Some(value) = token else {
            return Err(DeliveryError::Unclear("the token's answer holds none".to_owned()));
        };
        let said = answer.text("/expires_in").and_then(|seconds| seconds.parse().ok());
        let life = said.map_or(self.grant.life, Duration::from_secs).min(LIFE_MAX);
        Ok(Token {
            value: value.into(),
            renew_at: asked_at + life - AHEAD.min(life / 5),
            ends_at: asked_at + life,
        })
    }

    fn request(&self) -> Result<Request<'_>, DeliveryError> {
        let mut request = Request::new(Method::POST, &self.grant.path);
        let mut form = self.grant.fields.clone();
        match &self.grant.kind {
            GrantKind::ClientCredentials { id, secret, in_form } => {
                form.push(("grant_type", "client_credentials".to_owned()));
                if *in_form {
                    form.push(("client_id", id.clone()));
                    form.push(("client_secret", secret.expose_secret().to_owned()));
                } else {
                    let both = format!("{id}:{}", secret.expose_secret());
                    let value = format!("Basic {}", BASE64_STANDARD.encode(both));
                    request = request.header("authorization", value);
                }
            }
            GrantKind::JwtBearer { issuer, subject, audience, .. } => {
                let kind = "urn:ietf:params:oauth:grant-type:jwt-bearer";
                form.push(("grant_type", kind.to_owned()));
                form.push(("assertion", self.assertion(issuer, subject, audience)?));
            }
        }
        request.body = Body::Form(form);
        Ok(request)
    }

    fn assertion(
        &self,
        issuer: &str,
        subject: &str,
        audience: &str,
    ) -> Result<String, DeliveryError> {
        let now = jiff::Timestamp::now().as_second();
        let claims = Claims {
            iss: issuer,
            sub: subject,
            aud: audience,
            iat: now,
            exp: now + ASSERTION_LIFE_S,
            jti: ulid::Ulid::generate().to_string(),
        };
        let denied = || DeliveryError::Denied("the assertion can't be signed".to_owned());
        let key = self.signing.as_ref().ok_or_else(denied)?;
        jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, key).map_err(|_| denied())
    }
}

/// The error's code where it is one of the standards' (RFC 6749, section 5.2); its words are never repeated.
fn reason(answer: &Answered) -> String {
    const KNOWN: [&str; 6] = [
        "invalid_request",
        "invalid_client",
        "invalid_grant",
        "unauthorized_client",
        "unsupported_grant_type",
        "invalid_scope",
    ];
    let code = answer.text("/error");
    match KNOWN.into_iter().find(|known| code.as_deref() == Some(*known)) {
        Some(code) => code.to_owned(),
        None => format!("status {}", answer.status.as_u16()),
    }
}

#[cfg(test)]
mod tests;
