//! Tokens with which the Bot Framework proves itself: RS256, by keys that its OpenID metadata names.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use reqwest::Url;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::connect::egress::Egress;
use crate::connect::jwks::{egress_for, keys_url};

const ISSUER: &str = "https://api.botframework.com";
/// The keys change; the documentation asks to look once a day at least.
const FRESH: Duration = Duration::from_secs(3_600);
/// Anybody can make a key's name up.
const BETWEEN: Duration = Duration::from_secs(30);
const PATIENCE: Duration = Duration::from_secs(5);
const ANSWER_MAX_BYTES: usize = 512 << 10;
const KEYS_MAX: usize = 256;
const CLOCK_SKEW_SECONDS: u64 = 300;

/// What the token of an activity must be for.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    pub service_url: &'a str,
    pub channel: &'a str,
}

/// Checks tokens for one bot.
pub struct BotTokens {
    metadata_url: Url,
    egress: Egress,
    validation: Validation,
    keys: Arc<Mutex<Keys>>,
}

#[derive(Default)]
struct Keys {
    by_id: HashMap<String, Published>,
    asked: Option<Instant>,
    fetched: Option<Instant>,
}

#[derive(Clone)]
struct Published {
    key: DecodingKey,
    endorsements: Vec<String>,
}

#[derive(Deserialize)]
struct Metadata {
    jwks_uri: String,
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Key>,
}

#[derive(Deserialize)]
struct Key {
    kid: Option<String>,
    n: Option<String>,
    e: Option<String>,
    #[serde(default)]
    endorsements: Vec<String>,
}

#[derive(Clone, Deserialize)]
struct Claims {
    serviceurl: Option<String>,
}

impl BotTokens {
    /// # Errors
    /// The address is none that may be asked.
    pub fn new(metadata_url: &str, app_id: &str) -> Result<Self, String> {
        let metadata_url = keys_url(metadata_url)?;
        let egress = egress_for(&metadata_url, &metadata_url, PATIENCE)?;
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[app_id]);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        validation.validate_nbf = true;
        validation.leeway = CLOCK_SKEW_SECONDS;
        Ok(Self { metadata_url, egress, validation, keys: Arc::default() })
    }

    /// Whether a token is good at this moment, for an activity of this service and channel.
    pub async fn accept(&self, token: &str, caller: Caller<'_>) -> bool {
        let Ok(header) = decode_header(token) else { return false };
        let (Algorithm::RS256, Some(id)) = (header.alg, header.kid) else { return false };
        let Some(published) = self.key(&id).await else { return false };
        let Ok(found) = decode::<Claims>(token, &published.key, &self.validation) else {
            return false;
        };
        let is_endorsed = published.endorsements.iter().any(|one| one == caller.channel);
        // Whoever holds a token for one service must not make us answer to another.
        let same = |claimed: &str| {
            claimed.trim_end_matches('/') == caller.service_url.trim_end_matches('/')
        };
        is_endorsed && found.claims.serviceurl.as_deref().is_some_and(same)
    }

    async fn key(&self, id: &str) -> Option<Published> {
        let mut keys = self.keys.clone().lock_owned().await;
        let is_fresh = keys.fetched.is_some_and(|at| at.elapsed() < FRESH);
        let was_asked = keys.asked.is_some_and(|at| at.elapsed() < BETWEEN);
        if let Some(known) = keys.by_id.get(id).filter(|_| is_fresh || was_asked) {
            return Some(known.clone());
        }
        if was_asked {
            return None;
        }
        let (egress, url, id) = (self.egress.clone(), self.metadata_url.clone(), id.to_owned());
        // By itself, because who asks may be gone before the answer, and the next would ask again at once.
        let asking = tokio::spawn(async move {
            keys.asked = Some(Instant::now());
            match fetch(&egress, url).await {
                Ok(by_id) => {
                    keys.by_id = by_id;
                    keys.fetched = Some(Instant::now());
                }
                Err(why) => tracing::warn!(why, "no keys for tokens of the Bot Framework"),
            }
            keys.by_id.get(&id).cloned()
        });
        asking.await.ok().flatten()
    }
}

async fn fetch(egress: &Egress, url: Url) -> Result<HashMap<String, Published>, &'static str> {
    let metadata: Metadata = read(egress, url).await?;
    let keys = keys_url(&metadata.jwks_uri).map_err(|_| "the metadata names no usable address")?;
    let set: KeySet = read(egress, keys).await?;
    let published = |key: Key| {
        let decoding = DecodingKey::from_rsa_components(&key.n?, &key.e?).ok()?;
        Some((key.kid?, Published { key: decoding, endorsements: key.endorsements }))
    };
    let by_id: HashMap<_, _> = set.keys.into_iter().filter_map(published).take(KEYS_MAX).collect();
    if by_id.is_empty() { Err("the key set holds no RSA key") } else { Ok(by_id) }
}

async fn read<T: DeserializeOwned>(egress: &Egress, url: Url) -> Result<T, &'static str> {
    let request = egress.get(url).map_err(|_| "the metadata names an address inside")?;
    let answer = request.send().await.map_err(|_| "no answer")?;
    let mut answer = answer.error_for_status().map_err(|_| "the answer is an error")?;
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|_| "the answer broke off")? {
        if body.len() + chunk.len() > ANSWER_MAX_BYTES {
            return Err("the answer is too long");
        }
        body.extend_from_slice(&chunk);
    }
    serde_json::from_slice(&body).map_err(|_| "the answer can't be read")
}
