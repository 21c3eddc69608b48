//! A person goes to the identity provider and comes back: OpenID Connect's authorization code flow (Core 3.1) with
//! PKCE (RFC 7636) and the issuer in the answer (RFC 9207).

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use rand::RngCore as _;
use reqwest::{Method, Url};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::claims::{ClaimMapping, Identified};
use super::token::{Expected, Refusal};
use crate::connect::egress::Egress;
use crate::connect::jwks::{KeySet, bounded, egress_for, keys_url};

const ANSWER_MAX_BYTES: usize = 256 << 10;
const PATIENCE: Duration = Duration::from_secs(10);
/// What a provider says of itself is asked for again after so long.
const FRESH: Duration = Duration::from_secs(3_600);

#[derive(Clone, Debug)]
pub struct SignInSettings {
    /// The provider's name for itself; below it is its description.
    pub issuer: String,
    pub client_id: String,
    /// None for a public client, which PKCE alone protects.
    pub client_secret: Option<SecretString>,
    /// Besides `openid`.
    pub scopes: Vec<String>,
    /// Where the provider sends people back to.
    pub redirect_url: String,
    pub algorithms: Vec<Algorithm>,
    pub claims: ClaimMapping,
}

pub struct SignIn {
    settings: SignInSettings,
    issuer: Url,
    egress: Egress,
    provider: Mutex<Option<(Instant, Arc<Provider>)>>,
}

/// What a provider says of itself (OpenID Connect Discovery 1.0).
struct Provider {
    authorization: Url,
    token: Url,
    /// It names itself in its answer, so an answer that doesn't is somebody else's.
    names_itself: bool,
    in_form: bool,
    expected: Expected,
}

#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct TokenAnswer {
    id_token: Option<String>,
}

/// One person on the way to the provider. Kept here, beside the browser's cookie; never sent.
#[derive(Clone, Debug)]
pub struct Attempt {
    pub state: String,
    nonce: String,
    verifier: SecretString,
}

/// Why nobody came back signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    #[error("the identity provider can't be asked: {0}")]
    Provider(String),
    #[error("the identity provider refuses the code")]
    Code,
    #[error("the identity provider's token is no proof: {0}")]
    Token(#[from] Refusal),
    #[error("the answer is from another identity provider")]
    Mixed,
}

impl SignIn {
    /// Asks nobody yet, so that a provider that is down keeps no service from starting.
    ///
    /// # Errors
    /// The issuer is no address that may be asked.
    pub fn new(settings: SignInSettings) -> Result<Self, String> {
        let issuer = keys_url(&settings.issuer)?;
        let egress = egress_for(&issuer, &issuer, PATIENCE)?;
        Ok(Self { settings, issuer, egress, provider: Mutex::default() })
    }

    /// The address to send the browser to, and what is kept until it comes back.
    ///
    /// # Errors
    /// The provider doesn't say where that is.
    pub async fn begin(&self) -> Result<(String, Attempt), SignInError> {
        let provider = self.provider().await?;
        let attempt =
            Attempt { state: random(), nonce: random(), verifier: SecretString::from(random()) };
        let challenge = Sha256::digest(attempt.verifier.expose_secret().as_bytes());
        let settings = &self.settings;
        let scopes = std::iter::once("openid").chain(settings.scopes.iter().map(String::as_str));
        let scopes: Vec<&str> = scopes.collect();
        let mut address = provider.authorization.clone();
        address
            .query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &settings.client_id)
            .append_pair("redirect_uri", &settings.redirect_url)
            .append_pair("scope", &scopes.join(" "))
            .append_pair("state", &attempt.state)
            .append_pair("nonce", &attempt.nonce)
            .append_pair("code_challenge", &URL_SAFE_NO_PAD.encode(challenge))
            .append_pair("code_challenge_method", "S256");
        Ok((address.into(), attempt))
    }

    /// Who came back with a code. `issuer` is the answer's `iss`, if it has one.
    ///
    /// # Errors
    /// The provider refuses it, can't be asked, or its token proves nothing.
    pub async fn finish(
        &self,
        attempt: &Attempt,
        code: &str,
        issuer: Option<&str>,
    ) -> Result<Identified, SignInError> {
        let provider = self.provider().await?;
        let is_same = issuer.map_or(!provider.names_itself, |name| name == self.settings.issuer);
        if !is_same {
            return Err(SignInError::Mixed);
        }
        let token = self.redeem(&provider, attempt, code).await?;
        let claims = provider.expected.check(&token).await?;
        self.is_for_us(&claims, attempt)?;
        Ok(self.settings.claims.identify(&claims)?)
    }

    /// Core 3.1.3.7, steps 4, 5 and 11.
    fn is_for_us(&self, claims: &Map<String, Value>, attempt: &Attempt) -> Result<(), Refusal> {
        let text = |claim: &str| claims.get(claim).and_then(Value::as_str);
        let audiences = claims.get("aud").and_then(Value::as_array).map_or(1, Vec::len);
        let party = text("azp");
        if party.is_some_and(|party| party != self.settings.client_id)
            || (audiences > 1 && party.is_none())
        {
            return Err(Refusal::Audience);
        }
        match text("nonce") == Some(attempt.nonce.as_str()) {
            true => Ok(()),
            false => Err(Refusal::Nonce),
        }
    }

    async fn redeem(
        &self,
        provider: &Provider,
        attempt: &Attempt,
        code: &str,
    ) -> Result<String, SignInError> {
        let settings = &self.settings;
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &settings.redirect_url),
            ("code_verifier", attempt.verifier.expose_secret()),
        ];
        let mut request = self.request(Method::POST, provider.token.clone())?;
        match &settings.client_secret {
            Some(secret) if !provider.in_form => {
                // RFC 6749, section 2.3.1: both are form-encoded first.
                let encoded = |text: &str| form_encoded(text);
                let (id, secret) = (encoded(&settings.client_id), encoded(secret.expose_secret()));
                request = request.basic_auth(id, Some(secret));
            }
            secret => {
                form.push(("client_id", &settings.client_id));
                form.extend(
                    secret.as_ref().map(|secret| ("client_secret", secret.expose_secret())),
                );
            }
        }
        let answer = request.form(&form).send().await.map_err(|error| unasked(&error))?;
        if answer.status().is_client_error() {
            // What it says may quote the code or the secret.
            tracing::warn!(status = answer.status().as_u16(), "a code for sign-in was refused");
            return Err(SignInError::Code);
        }
        let answer: TokenAnswer = read(answer).await?;
        answer.id_token.ok_or(SignInError::Token(Refusal::Form))
    }

    /// To the issuer's host, or to a public one: the provider names its addresses itself.
    fn request(&self, method: Method, url: Url) -> Result<reqwest::RequestBuilder, SignInError> {
        self.egress.request(method, url).map_err(|why| SignInError::Provider(why.to_string()))
    }

    async fn provider(&self) -> Result<Arc<Provider>, SignInError> {
        let mut known = self.provider.lock().await;
        if let Some((at, provider)) = &*known
            && at.elapsed() < FRESH
        {
            return Ok(Arc::clone(provider));
        }
        match self.discover().await {
            Ok(provider) => {
                let provider = Arc::new(provider);
                *known = Some((Instant::now(), Arc::clone(&provider)));
                Ok(provider)
            }
            // What it said before is better than nothing.
            Err(error) => match &*known {
                Some((_, provider)) => Ok(Arc::clone(provider)),
                None => Err(error),
            },
        }
    }

    async fn discover(&self) -> Result<Provider, SignInError> {
        let issuer = &self.settings.issuer;
        let address = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let wrong = |what: &str| SignInError::Provider(format!("its description {what}"));
        let address = Url::parse(&address).map_err(|_| wrong("has no address"))?;
        let request = self.request(Method::GET, address)?;
        let answer = request.send().await.map_err(|error| unasked(&error))?;
        let metadata: Metadata = read(answer).await?;
        // Discovery 4.3: who says that it is somebody else is not believed.
        if metadata.issuer != *issuer {
            return Err(wrong("names another issuer"));
        }
        let endpoint = |name: &str, text: &str| {
            keys_url(text).map_err(|what| wrong(&format!("is unusable: {name} {what}")))
        };
        let keys = KeySet::told_by(&self.issuer, &metadata.jwks_uri, &self.settings.algorithms)
            .map_err(|what| wrong(&format!("is unusable: jwks_uri {what}")))?;
        let methods = metadata.token_endpoint_auth_methods_supported.unwrap_or_default();
        let takes = |method: &str| methods.iter().any(|one| one == method);
        Ok(Provider {
            authorization: endpoint("authorization_endpoint", &metadata.authorization_endpoint)?,
            token: endpoint("token_endpoint", &metadata.token_endpoint)?,
            names_itself: metadata.authorization_response_iss_parameter_supported,
            in_form: takes("client_secret_post") && !takes("client_secret_basic"),
            expected: Expected {
                issuer: issuer.clone(),
                audiences: vec![self.settings.client_id.clone()],
                keys,
            },
        })
    }
}

async fn read<T: DeserializeOwned>(answer: reqwest::Response) -> Result<T, SignInError> {
    let status = answer.status();
    if !status.is_success() {
        return Err(SignInError::Provider(format!("status {}", status.as_u16())));
    }
    let body = bounded(answer, ANSWER_MAX_BYTES).await.map_err(|error| unasked(&error))?;
    let body = body.ok_or_else(|| SignInError::Provider("its answer is too long".to_owned()))?;
    serde_json::from_slice(&body).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        SignInError::Provider(format!("its answer can't be read (line {line}, column {column})"))
    })
}

/// Without the address, whose query may bear what nobody should read.
fn unasked(error: &reqwest::Error) -> SignInError {
    let what = match (error.is_timeout(), error.is_connect()) {
        (true, _) => "no answer in time",
        (_, true) => "no connection",
        _ => "the answer broke off",
    };
    SignInError::Provider(what.to_owned())
}

fn form_encoded(text: &str) -> String {
    let pairs = [("", text)];
    let mut url = Url::parse("http://localhost/").expect("an address; this is a bug");
    url.query_pairs_mut().extend_pairs(pairs);
    url.query().unwrap_or_default().trim_start_matches('=').to_owned()
}

/// 256 bits; also a verifier of PKCE, which has 43 letters at least.
fn random() -> String {
    let mut bytes = [0; 32];
    rand::rng().fill_bytes(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_encoded_before_basic_authentication() {
        assert_eq!(form_encoded("a b+c:d=é"), "a+b%2Bc%3Ad%3D%C3%A9");
        assert_eq!(form_encoded("="), "%3D");
    }

    #[test]
    fn nothing_of_an_attempt_is_printed_that_redeems_a_code() {
        let attempt = Attempt { state: random(), nonce: random(), verifier: "secret".into() };
        assert!(!format!("{attempt:?}").contains("secret"));
    }
}
