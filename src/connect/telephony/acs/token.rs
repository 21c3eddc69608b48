use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// Keys are asked for again after so long, and trusted for so long when that fails.
const FRESH: Duration = Duration::from_secs(3_600);
const TRUSTED: Duration = Duration::from_secs(24 * 3_600);
/// An unknown key id asks for the keys again, but not more often than that: anybody can make one up.
const AFTER_SUCCESS: Duration = Duration::from_secs(60);
const AFTER_FAILURE: Duration = Duration::from_secs(5);
const FETCH_PATIENCE: Duration = Duration::from_secs(5);
const KEYS_MAX_BYTES: usize = 256 << 10;
const KEYS_MAX: usize = 64;
const CLOCK_SKEW_SECONDS: u64 = 60;

/// Whose tokens count. `secure-webhook-endpoint.md` names the values for the public cloud.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    /// Where the issuer's keys are; nothing else is ever asked.
    pub jwks_url: String,
    pub issuer: String,
    /// The immutable id of the ACS resource.
    pub audience: String,
}

/// Checks the RS256 tokens that ACS brings, by keys which it publishes.
pub struct Tokens {
    validation: Validation,
    published: Arc<Published>,
    /// One asks at a time. When to ask again at the earliest.
    not_before: Arc<Mutex<Option<Instant>>>,
}

/// The keys as they were published, and where that is.
struct Published {
    jwks_url: String,
    client: Client,
    keys: RwLock<Keys>,
}

#[derive(Default)]
struct Keys {
    by_id: HashMap<String, DecodingKey>,
    fetched: Option<Instant>,
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Key>,
}

/// Keys of other kinds have no modulus.
#[derive(Deserialize)]
struct Key {
    kid: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    n: Option<String>,
    e: Option<String>,
}

/// Only what the validation itself doesn't read.
#[derive(Clone, Deserialize)]
struct Claims {}

/// Why the keys can't be had; for the log, never for who asks.
#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error("the keys can't be fetched: {0}")]
    Http(#[from] reqwest::Error),
    #[error("the key server answers with status {0}")]
    Status(u16),
    #[error("the key set is larger than {} KiB", KEYS_MAX_BYTES >> 10)]
    TooLarge,
    #[error("the key set can't be read (line {}, column {})", .0.line(), .0.column())]
    Unreadable(serde_json::Error),
    #[error("the key set holds no RSA key for signatures")]
    Empty,
}

impl Tokens {
    /// # Errors
    /// The address of the keys is none that may be asked, or the HTTP client can't be made.
    pub fn new(issuer: Issuer) -> Result<Self, String> {
        let url = keys_url(&issuer.jwks_url)?;
        let mut builder = Client::builder()
            .redirect(Policy::none())
            .timeout(FETCH_PATIENCE)
            .https_only(url.scheme() == "https");
        if url.scheme() == "http" {
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|error| error.to_string())?;
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_issuer(&[&issuer.issuer]);
        validation.set_audience(&[&issuer.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        validation.validate_nbf = true;
        validation.leeway = CLOCK_SKEW_SECONDS;
        let published = Published { jwks_url: issuer.jwks_url, client, keys: RwLock::default() };
        Ok(Self { validation, published: Arc::new(published), not_before: Arc::default() })
    }

    /// Whether a token is good at this moment.
    pub async fn accept(&self, token: &str) -> bool {
        let Ok(header) = decode_header(token) else { return false };
        let (Algorithm::RS256, Some(key_id)) = (header.alg, header.kid) else { return false };
        let Some(key) = self.key(&key_id).await else { return false };
        decode::<Claims>(token, &key, &self.validation).is_ok()
    }

    async fn key(&self, id: &str) -> Option<DecodingKey> {
        if let Some(key) = self.published.known(id, FRESH) {
            return Some(key);
        }
        let mut not_before = self.not_before.clone().lock_owned().await;
        // Whoever waited here may find what another has fetched.
        if let Some(key) = self.published.known(id, FRESH) {
            return Some(key);
        }
        if not_before.is_none_or(|earliest| Instant::now() >= earliest) {
            let published = self.published.clone();
            // By itself, because who asks may be gone before the answer: then the next would ask
            // again at once, and nobody would ever get an answer.
            let asking = tokio::spawn(async move {
                *not_before = Some(Instant::now() + published.renew().await);
            });
            // A panic in there leaves the keys as they were.
            let _ = asking.await;
        }
        self.published.known(id, TRUSTED)
    }
}

impl Published {
    /// Asks for the keys; how long to wait before the next time.
    async fn renew(&self) -> Duration {
        match self.fetch().await {
            Ok(by_id) => {
                let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
                *keys = Keys { by_id, fetched: Some(Instant::now()) };
                AFTER_SUCCESS
            }
            Err(error) => {
                tracing::warn!(url = %self.jwks_url, %error, "no keys for ACS tokens");
                AFTER_FAILURE
            }
        }
    }

    fn known(&self, id: &str, not_older_than: Duration) -> Option<DecodingKey> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let young = keys.fetched.is_some_and(|at| at.elapsed() < not_older_than);
        keys.by_id.get(id).filter(|_| young).cloned()
    }

    async fn fetch(&self) -> Result<HashMap<String, DecodingKey>, FetchError> {
        let mut response = self.client.get(&self.jwks_url).send().await?;
        if !response.status().is_success() {
            return Err(FetchError::Status(response.status().as_u16()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > KEYS_MAX_BYTES {
                return Err(FetchError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        let set: KeySet = serde_json::from_slice(&body).map_err(FetchError::Unreadable)?;
        let keys: HashMap<_, _> =
            set.keys.into_iter().filter_map(signing_key).take(KEYS_MAX).collect();
        if keys.is_empty() { Err(FetchError::Empty) } else { Ok(keys) }
    }
}

fn signing_key(key: Key) -> Option<(String, DecodingKey)> {
    if key.usage.is_some_and(|usage| usage != "sig") {
        return None;
    }
    let decoding = DecodingKey::from_rsa_components(&key.n?, &key.e?).ok()?;
    Some((key.kid?, decoding))
}

/// `https`, or `http` on this machine, where nobody listens in.
///
/// # Errors
/// A sentence that says what it must be.
pub fn keys_url(text: &str) -> Result<Url, String> {
    let wrong = "must be an https address, or an http address of this machine".to_owned();
    let url = Url::parse(text).map_err(|_| wrong.clone())?;
    let local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    let named = url.host_str().is_some_and(|host| !host.is_empty());
    match url.scheme() {
        "https" if named => Ok(url),
        "http" if local => Ok(url),
        _ => Err(wrong),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_by_https_or_from_this_machine() {
        for good in ["https://keys.example/calling/keys", "http://127.0.0.1:9/k", "http://[::1]/k"]
        {
            assert!(keys_url(good).is_ok(), "{good}");
        }
        for bad in ["http://keys.example/k", "file:///etc/passwd", "keys", "", "https://"] {
            assert!(keys_url(bad).is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn what_is_no_rs256_token_asks_nobody() {
        let issuer = Issuer {
            // Nothing listens there: asking would take its time and leave a mark.
            jwks_url: "http://127.0.0.1:9/keys".to_owned(),
            issuer: "i".to_owned(),
            audience: "a".to_owned(),
        };
        let tokens = Tokens::new(issuer).expect("an address");
        // {"alg":"none"}, {"alg":"HS256","kid":"k"}, {"alg":"RS256"}
        for token in [
            "",
            "a.b.c",
            "eyJhbGciOiJub25lIn0.e30.",
            "eyJhbGciOiJIUzI1NiIsImtpZCI6ImsifQ.e30.AAAA",
            "eyJhbGciOiJSUzI1NiJ9.e30.AAAA",
        ] {
            assert!(!tokens.accept(token).await, "{token}");
        }
        assert!(tokens.not_before.lock().await.is_none());
    }

    #[tokio::test]
    async fn who_leaves_before_the_keys_come_does_not_make_us_ask_again() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let issuer = Issuer {
            jwks_url: format!("http://{}/keys", listener.local_addr().expect("bound")),
            issuer: "i".to_owned(),
            audience: "a".to_owned(),
        };
        let tokens = Tokens::new(issuer).expect("an address");
        for _ in 0..5 {
            // {"alg":"RS256","kid":"k"}
            let asked = tokens.accept("eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ.e30.AAAA");
            let answer = tokio::time::timeout(Duration::from_millis(50), asked).await;
            assert!(answer.is_err(), "the server takes its time");
        }
        let _held = listener.accept().await.expect("one asks");
        let second = tokio::time::timeout(Duration::from_millis(100), listener.accept()).await;
        assert!(second.is_err(), "and no more");
    }
}
