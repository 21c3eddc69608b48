//! Any other router: a signed message for each recommendation.
//!
//! It is the webhook of the CRM connectors, told of recommendations only: `POST {"version", "id", "type":
//! "backchannel.effect.recommend", "data": {"conversation_id", "external_id", "decision", "brief", "link"}}`, where
//! `id` is the effect's key and `decision` what `route.recommended` says.

use std::time::Duration;

use reqwest::Url;
use secrecy::SecretString;

pub use crate::connect::crm::generic::webhook::Webhook;
use crate::connect::crm::generic::webhook::{self, Scheme};
use crate::connect::oauth::Credentials;

/// What a receiver of recommendations needs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The destination's name.
    pub name: String,
    pub url: Url,
    pub patience: Duration,
    pub credentials: Credentials,
    pub scheme: Scheme,
    pub secret: SecretString,
    /// Signs too, while the receiver changes to the new one.
    pub previous_secret: Option<SecretString>,
    /// The receiver does nothing twice under one `id`. A recommendation that comes twice harms nobody who compares
    /// `decision.at_ms`.
    pub deduplicates: bool,
}

/// # Errors
/// A setting that can't be used, by its name.
pub fn webhook(settings: Settings) -> Result<Webhook, String> {
    Webhook::new(webhook::Settings {
        access: crate::connect::crm::Access {
            name: settings.name,
            url: settings.url,
            patience: settings.patience,
            // No number is read here.
            region: String::new(),
        },
        credentials: settings.credentials,
        scheme: settings.scheme,
        secret: settings.secret,
        previous_secret: settings.previous_secret,
        operations: vec!["recommend".to_owned()],
        deduplicates: settings.deduplicates,
    })
}
