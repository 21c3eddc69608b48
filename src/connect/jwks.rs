//! The public keys of somebody who signs tokens (JWK sets, RFC 7517), fetched from one address and kept.
//!
//! A key verifies one algorithm and no other: which one says the key, never the token (RFC 8725, section 3.1). So
//! neither `none` nor an HMAC over a public key is ever tried.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use reqwest::{Client, Url};
use serde::Deserialize;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::egress::{AllowList, Egress, NotPublic};

/// Keys are asked for again after so long, and trusted for so long when that fails.
const FRESH: Duration = Duration::from_secs(3_600);
const TRUSTED: Duration = Duration::from_secs(24 * 3_600);
/// An unknown key id asks for the keys again, but not more often than that: anybody can make one up.
const AFTER_SUCCESS: Duration = Duration::from_secs(60);
const AFTER_FAILURE: Duration = Duration::from_secs(5);
const FETCH_PATIENCE: Duration = Duration::from_secs(5);
const KEYS_MAX_BYTES: usize = 256 << 10;
const KEYS_MAX: usize = 64;

/// The signatures that can be asked for. Those with a shared secret are not among them.
pub const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// Cheap to clone.
#[derive(Clone)]
pub struct KeySet {
    published: Arc<Published>,
    /// One asks at a time. When to ask again at the earliest.
    not_before: Arc<Mutex<Option<Instant>>>,
}

/// A key, and the one algorithm that it is for.
#[derive(Clone)]
pub struct VerifyingKey {
    pub key: DecodingKey,
    pub algorithm: Algorithm,
}

/// The keys as they were published, and where that is.
struct Published {
    url: Url,
    algorithms: Vec<Algorithm>,
    egress: Egress,
    keys: RwLock<Keys>,
}

#[derive(Default)]
struct Keys {
    by_id: HashMap<String, VerifyingKey>,
    fetched: Option<Instant>,
}

/// Each key is read by itself, so that one of a kind that nobody knows hides no other.
#[derive(Deserialize)]
struct Document {
    keys: Vec<serde_json::Value>,
}

/// Why the keys can't be had; for the log, never for who asks.
#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error("the keys can't be fetched: {0}")]
    Http(#[from] reqwest::Error),
    #[error("the keys aren't fetched: {0}")]
    NotPublic(#[from] NotPublic),
    #[error("the key server answers with status {0}")]
    Status(u16),
    #[error("the key set is larger than {} KiB", KEYS_MAX_BYTES >> 10)]
    TooLarge,
    #[error("the key set can't be read (line {}, column {})", .0.line(), .0.column())]
    Unreadable(serde_json::Error),
    #[error("the key set holds no key for the signatures that are allowed")]
    Empty,
}

impl KeySet {
    /// At an address of the settings. `algorithms` are those of `ALGORITHMS` that are allowed here.
    ///
    /// # Errors
    /// The address is none that may be asked, or the HTTP client can't be made.
    pub fn new(url: &str, algorithms: &[Algorithm]) -> Result<Self, String> {
        let url = keys_url(url)?;
        Self::at(url.clone(), &url, algorithms)
    }

    /// At an address that somebody has named who is asked at `operator`, an address of the settings: at the same host,
    /// or at a public one.
    ///
    /// # Errors
    /// As `new`.
    pub fn told_by(operator: &Url, url: &str, algorithms: &[Algorithm]) -> Result<Self, String> {
        Self::at(keys_url(url)?, operator, algorithms)
    }

    fn at(url: Url, operator: &Url, algorithms: &[Algorithm]) -> Result<Self, String> {
        let egress = egress_for(&url, operator, FETCH_PATIENCE)?;
        egress.check(&url).map_err(|error| error.to_string())?;
        let algorithms = algorithms.to_vec();
        let published = Published { url, algorithms, egress, keys: RwLock::default() };
        Ok(Self { published: Arc::new(published), not_before: Arc::default() })
    }

    /// The key with this id, which is asked for if it isn't known.
    pub async fn key(&self, id: &str) -> Option<VerifyingKey> {
        if let Some(key) = self.published.known(id, FRESH) {
            return Some(key);
        }
        // A key that isn't fresh is good for a while: nobody waits for a slow server because of it.
        if let Some(key) = self.published.known(id, TRUSTED) {
            if let Ok(turn) = self.not_before.clone().try_lock_owned() {
                drop(self.renew_if_due(turn));
            }
            return Some(key);
        }
        let turn = self.not_before.clone().lock_owned().await;
        // Whoever waited here may find what another has fetched.
        if let Some(key) = self.published.known(id, FRESH) {
            return Some(key);
        }
        if let Some(asking) = self.renew_if_due(turn) {
            // A panic in there leaves the keys as they were.
            let _ = asking.await;
        }
        self.published.known(id, TRUSTED)
    }

    /// Asks by itself, because who asks may be gone before the answer: then the next would ask again at once, and
    /// nobody would ever get an answer.
    fn renew_if_due(
        &self,
        mut not_before: OwnedMutexGuard<Option<Instant>>,
    ) -> Option<JoinHandle<()>> {
        if not_before.is_some_and(|earliest| Instant::now() < earliest) {
            return None;
        }
        let published = self.published.clone();
        Some(tokio::spawn(async move {
            *not_before = Some(Instant::now() + published.renew().await);
        }))
    }

    /// Whether the keys were ever asked for.
    #[cfg(test)]
    pub async fn was_asked(&self) -> bool {
        self.not_before.lock().await.is_some()
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
                tracing::warn!(url = %self.url, %error, "no keys to check tokens with");
                AFTER_FAILURE
            }
        }
    }

    fn known(&self, id: &str, not_older_than: Duration) -> Option<VerifyingKey> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let young = keys.fetched.is_some_and(|at| at.elapsed() < not_older_than);
        keys.by_id.get(id).filter(|_| young).cloned()
    }

    async fn fetch(&self) -> Result<HashMap<String, VerifyingKey>, FetchError> {
        let response = self.egress.get(self.url.clone())?.send().await?;
        if !response.status().is_success() {
            return Err(FetchError::Status(response.status().as_u16()));
        }
        let body = bounded(response, KEYS_MAX_BYTES).await?.ok_or(FetchError::TooLarge)?;
        let set: Document = serde_json::from_slice(&body).map_err(FetchError::Unreadable)?;
        let keys = set.keys.into_iter().filter_map(|key| verifying_key(key, &self.algorithms));
        let keys: HashMap<_, _> = keys.take(KEYS_MAX).collect();
        if keys.is_empty() { Err(FetchError::Empty) } else { Ok(keys) }
    }
}

/// An answer's body; `None` for a longer one.
pub(super) async fn bounded(
    mut response: reqwest::Response,
    bytes_max: usize,
) -> Result<Option<Vec<u8>>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > bytes_max {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

/// The way to `url`, and to what is named there; `operator` is the address that the settings hold. Follows no redirect,
/// and speaks in the clear with this machine only.
pub(super) fn egress_for(url: &Url, operator: &Url, patience: Duration) -> Result<Egress, String> {
    let mut builder = Client::builder().timeout(patience).https_only(url.scheme() == "https");
    if url.scheme() == "http" {
        builder = builder.no_proxy();
    }
    Egress::new(AllowList::host_of(operator), builder)
}

fn verifying_key(key: serde_json::Value, allowed: &[Algorithm]) -> Option<(String, VerifyingKey)> {
    let key: Jwk = serde_json::from_value(key).ok()?;
    if key.common.public_key_use.as_ref().is_some_and(|usage| *usage != PublicKeyUse::Signature) {
        return None;
    }
    let algorithm = algorithm_of(&key)?;
    if !allowed.contains(&algorithm) {
        return None;
    }
    let decoding = DecodingKey::from_jwk(&key).ok()?;
    Some((key.common.key_id?, VerifyingKey { key: decoding, algorithm }))
}

/// The algorithm that a key names, if its kind can do it, and else the usual one of its kind.
fn algorithm_of(key: &Jwk) -> Option<Algorithm> {
    let (usual, others): (_, &[Algorithm]) = match &key.algorithm {
        AlgorithmParameters::RSA(_) => (
            Algorithm::RS256,
            &[
                Algorithm::RS384,
                Algorithm::RS512,
                Algorithm::PS256,
                Algorithm::PS384,
                Algorithm::PS512,
            ],
        ),
        AlgorithmParameters::EllipticCurve(curve) => match curve.curve {
            EllipticCurve::P256 => (Algorithm::ES256, &[]),
            EllipticCurve::P384 => (Algorithm::ES384, &[]),
            _ => return None,
        },
        AlgorithmParameters::OctetKeyPair(_) => (Algorithm::EdDSA, &[]),
        _ => return None,
    };
    let Some(named) = &key.common.key_algorithm else { return Some(usual) };
    let named: Algorithm = named.to_string().parse().ok()?;
    (named == usual || others.contains(&named)).then_some(named)
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
    use std::sync::atomic::{AtomicUsize, Ordering};

    use serde_json::json;

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

    #[test]
    fn a_key_is_for_one_algorithm() {
        let rsa = |more: serde_json::Value| {
            let mut key =
                json!({"kty": "RSA", "kid": "k", "e": "AQAB", "n": "u1SU1LfVLPHCozMxH2Mo"});
            key.as_object_mut().expect("an object").extend(more.as_object().expect("one").clone());
            verifying_key(key, &ALGORITHMS).map(|(_, key)| key.algorithm)
        };
        assert_eq!(rsa(json!({})), Some(Algorithm::RS256));
        assert_eq!(rsa(json!({"use": "sig", "alg": "PS256"})), Some(Algorithm::PS256));
        for none in [
            json!({"use": "enc"}),
            json!({"alg": "HS256"}),
            json!({"alg": "ES256"}),
            json!({"alg": "none"}),
            json!({"alg": "RSA-OAEP"}),
            json!({"kid": null}),
        ] {
            assert_eq!(rsa(none.clone()), None, "{none}");
        }
        let only = [Algorithm::ES256];
        let key = json!({"kty": "RSA", "kid": "k", "e": "AQAB", "n": "u1SU1LfVLPHCozMxH2Mo"});
        assert!(verifying_key(key, &only).is_none(), "not allowed here");
        // A shared secret has no place in a published set.
        let secret = json!({"kty": "oct", "kid": "k", "k": "c2VjcmV0", "alg": "HS256"});
        assert!(verifying_key(secret, &ALGORITHMS).is_none());
    }

    #[tokio::test]
    async fn who_leaves_before_the_keys_come_does_not_make_us_ask_again() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/keys", listener.local_addr().expect("bound"));
        let keys = KeySet::new(&url, &ALGORITHMS).expect("an address");
        for _ in 0..5 {
            let answer = tokio::time::timeout(Duration::from_millis(50), keys.key("k")).await;
            assert!(answer.is_err(), "the server takes its time");
        }
        let _held = listener.accept().await.expect("one asks");
        let second = tokio::time::timeout(Duration::from_millis(100), listener.accept()).await;
        assert!(second.is_err(), "and no more");
    }

    /// Answers with the keys whose ids are in `ids` at that moment; counts how often it was asked.
    async fn published(ids: Arc<Mutex<Vec<&'static str>>>) -> (String, Arc<AtomicUsize>) {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/keys", listener.local_addr().expect("bound"));
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let _ = socket.read(&mut [0; 4096]).await;
                let key = |id: &&str| json!({"kty": "RSA", "kid": id, "e": "AQAB", "n": "u1SU1LfVLPHCozMxH2Mo"});
                let keys: Vec<_> = ids.lock().await.iter().map(key).collect();
                let body = json!({"keys": keys}).to_string();
                let head = format!(
                    "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                    body.len()
                );
                let _ = socket.write_all(format!("{head}{body}").as_bytes()).await;
            }
        });
        (url, asked)
    }

    #[tokio::test]
    async fn made_up_key_ids_ask_once() {
        let (url, asked) = published(Arc::new(Mutex::new(vec!["a"]))).await;
        let keys = KeySet::new(&url, &ALGORITHMS).expect("an address");
        for number in 0..200 {
            assert!(keys.key(&format!("made-up-{number}")).await.is_none());
        }
        assert!(keys.key("a").await.is_some());
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_new_key_is_found_and_an_old_one_forgotten_when_it_is_time() {
        let ids = Arc::new(Mutex::new(vec!["a"]));
        let (url, asked) = published(ids.clone()).await;
        let keys = KeySet::new(&url, &ALGORITHMS).expect("an address");
        assert!(keys.key("a").await.is_some());
        *ids.lock().await = vec!["b"];
        assert!(keys.key("b").await.is_none(), "it was asked a moment ago");
        // As if the minute were over.
        *keys.not_before.lock().await = Some(Instant::now());
        assert!(keys.key("b").await.is_some());
        assert!(keys.key("a").await.is_none(), "what isn't published any more opens nothing");
        assert_eq!(asked.load(Ordering::SeqCst), 2);
    }
}
