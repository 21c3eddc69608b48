//! Effects to any system that listens: a signed `POST` for each.
//!
//! The body is `{"version", "id", "type": "backchannel.effect.<operation>", "data"}`, and `id` is the effect's key: a
//! receiver that remembers it does nothing twice. Whether it does is a setting, since a webhook can't be asked what
//! became of an earlier one: without it, an unclear delivery is left to a person.

use std::collections::BTreeMap;

use async_trait::async_trait;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use http::Method;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use sha2::Sha256;

use super::super::Access;
use super::effects;
use crate::connect::destination::{DeliveryError, Destination, RemoteId};
use crate::connect::http::{Body, Request};
use crate::connect::oauth::{Credentials, Door};
use crate::domain::{DedupeKey, Effect};

/// The shortest secret that is worth the name.
const SECRET_MIN_BYTES: usize = 24;

#[derive(Clone, Debug)]
pub struct Settings {
    /// The address is the receiver's own.
    pub access: Access,
    /// Besides the signature.
    pub credentials: Credentials,
    pub scheme: Scheme,
    pub secret: SecretString,
    /// Signs too, while a receiver changes to the new one.
    pub previous_secret: Option<SecretString>,
    /// Operations that are sent; all where it is empty.
    pub operations: Vec<String>,
    /// The receiver does nothing twice under one `id`.
    pub deduplicates: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `<header>: t=<unix seconds>,v1=<hex>`, HMAC-SHA256 of `<seconds>.<body>`.
    Timestamped { header: String },
    /// Standard Webhooks 1.0.0: `webhook-id`, `webhook-timestamp` and `webhook-signature: v1,<base64>`, HMAC-SHA256
    /// of `<id>.<seconds>.<body>` with a secret written `whsec_<base64>`.
    Standard,
}

impl Scheme {
    pub fn timestamped() -> Self {
        Self::Timestamped { header: "X-Backchannel-Signature".to_owned() }
    }
}

pub struct Webhook {
    settings: Settings,
    door: Door,
    /// The receiver's address below its origin, with its query.
    path: String,
    /// As many as sign, the newest first.
    keys: Vec<Vec<u8>>,
}

impl Webhook {
    /// # Errors
    /// A setting that can't be used, by its name.
    pub fn new(settings: Settings) -> Result<Self, String> {
        let mut keys = Vec::new();
        for (name, secret) in [
            ("secret", Some(&settings.secret)),
            ("previous_secret", settings.previous_secret.as_ref()),
        ] {
            if let Some(secret) = secret {
                keys.push(key(secret, &settings.scheme).map_err(|what| format!("{name} {what}"))?);
            }
        }
        if let Scheme::Timestamped { header } = &settings.scheme
            && http::HeaderName::try_from(header.as_str()).is_err()
        {
            return Err("scheme.header must be a header's name".to_owned());
        }
        let Access { url, patience, .. } = &settings.access;
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let path = format!("{}{query}", url.path());
        let mut origin = url.clone();
        origin.set_path("");
        origin.set_query(None);
        origin.set_fragment(None);
        let door = Door::new(origin, &BTreeMap::new(), *patience, settings.credentials.clone())?;
        Ok(Self { settings, door, path, keys })
    }

    pub fn takes(&self, effect: &Effect) -> bool {
        let operations = &self.settings.operations;
        operations.is_empty() || operations.iter().any(|one| one == effect.operation())
    }

    /// Headers of a body that is sent now.
    fn signed(&self, id: &str, seconds: i64, body: &str) -> Vec<(&str, String)> {
        match &self.settings.scheme {
            Scheme::Timestamped { header } => {
                let signatures = self.keys.iter().map(|key| {
                    let code = code(key, &format!("{seconds}.{body}"));
                    format!(
                        "v1={}",
                        code.iter().map(|byte| format!("{byte:02x}")).collect::<String>()
                    )
                });
                let signatures = signatures.collect::<Vec<String>>().join(",");
                vec![(header, format!("t={seconds},{signatures}"))]
            }
            Scheme::Standard => {
                let signatures = self.keys.iter().map(|key| {
                    format!(
                        "v1,{}",
                        BASE64_STANDARD.encode(code(key, &format!("{id}.{seconds}.{body}")))
                    )
                });
                vec![
                    ("webhook-id", id.to_owned()),
                    ("webhook-timestamp", seconds.to_string()),
                    ("webhook-signature", signatures.collect::<Vec<String>>().join(" ")),
                ]
            }
        }
    }
}

fn code(key: &[u8], text: &str) -> Vec<u8> {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn key(secret: &SecretString, scheme: &Scheme) -> Result<Vec<u8>, String> {
    let text = secret.expose_secret().trim();
    let key = match scheme {
        Scheme::Timestamped { .. } => text.as_bytes().to_vec(),
        Scheme::Standard => {
            let encoded = text.strip_prefix("whsec_").unwrap_or(text);
            BASE64_STANDARD.decode(encoded).map_err(|_| "must be whsec_ and base64".to_owned())?
        }
    };
    match key.len() < SECRET_MIN_BYTES {
        true => Err(format!("must have {SECRET_MIN_BYTES} bytes at the least")),
        false => Ok(key),
    }
}

#[async_trait]
impl Destination for Webhook {
    fn name(&self) -> &str {
        &self.settings.access.name
    }

    async fn deliver(&self, effect: &Effect, key: &DedupeKey) -> Result<RemoteId, DeliveryError> {
        if !self.takes(effect) {
            return Err(DeliveryError::Unsupported("the webhook isn't told of this"));
        }
        let event = json!({
            "version": effects::VERSION,
            "id": key.as_str(),
            "type": format!("backchannel.effect.{}", effect.operation()),
            "data": effects::fields(effect),
        });
        // Signed byte by byte, so that it is written once.
        let body = event.to_string();
        let seconds = jiff::Timestamp::now().as_second();
        let mut request = Request::new(Method::POST, &self.path);
        for (name, value) in self.signed(key.as_str(), seconds, &body) {
            request = request.header(name, value);
        }
        request.body = Body::Text("application/json", body);
        let answer = self.door.ask(request).await?;
        // A page for people is somebody else's answer.
        match answer.body {
            Value::String(text) if text.trim_start().starts_with('<') => {
                Err(DeliveryError::Unclear("it answered with a page".to_owned()))
            }
            _ => Ok(RemoteId(key.as_str().to_owned())),
        }
    }

    async fn delivered(
        &self,
        effect: &Effect,
        _key: &DedupeKey,
    ) -> Result<Option<RemoteId>, DeliveryError> {
        if !self.takes(effect) {
            return Err(DeliveryError::Unsupported("the webhook isn't told of this"));
        }
        match self.settings.deduplicates {
            // Told again, it does nothing again.
            true => Ok(None),
            false => {
                Err(DeliveryError::Undecided("a webhook can't be asked what it did".to_owned()))
            }
        }
    }
}
