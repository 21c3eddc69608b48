//! Settings `[channels]`: conversations that are typed, and the ways on which they come.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Url;
use serde::{Deserialize, Serialize};

use super::Secret;
use crate::connect::channels::webchat::{SECRET_MIN_CHARS, origin};
use crate::connect::jwks::keys_url;

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Channels {
    /// A conversation without a message for so long is over; who writes later begins another one.
    pub idle_minutes: u64,
    /// So many conversations may be written in at once; more are refused with `429`.
    pub max: usize,
    pub twilio: TwilioSms,
    pub acs: AcsSms,
    pub teams: Teams,
    pub webchat: WebChat,
}

/// SMS over Twilio. Its webhook is `/v1/channels/twilio` at `media.public_url`.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct TwilioSms {
    pub account_sid: Option<String>,
    /// With which Twilio signs, and we send.
    pub auth_token: Option<Secret>,
    pub url: String,
}

/// SMS over Azure Communication Services. Its events come to `/v1/hooks/eventgrid`, with
/// `media.acs.webhook_secret`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct AcsSms {
    /// Such as `https://contoso.communication.azure.com`.
    pub endpoint: Option<String>,
    /// One of the resource's access keys, base64 as Azure shows it.
    pub access_key: Option<Secret>,
}

/// Messages to a bot in Teams. Its messaging endpoint is `/v1/channels/teams`.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Teams {
    pub app_id: Option<String>,
    pub app_secret: Option<Secret>,
    /// Entra tenant of the bot; `botframework.com` for one of several tenants.
    pub tenant: String,
    pub metadata_url: String,
    pub login_url: String,
    /// Where replies may be sent.
    pub service_urls: Vec<String>,
}

/// A chat on the company's own pages.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct WebChat {
    /// Pages that may show it: `["https://www.example.com"]`. Without any there is no chat, but in the demo.
    pub origins: Vec<String>,
    /// Signs what lets a visitor into their conversation; 32 characters at least.
    pub secret: Option<Secret>,
}

impl Default for Channels {
    fn default() -> Self {
        Self {
            idle_minutes: 60,
            max: 1_000,
            twilio: TwilioSms::default(),
            acs: AcsSms::default(),
            teams: Teams::default(),
            webchat: WebChat::default(),
        }
    }
}

impl Default for TwilioSms {
    fn default() -> Self {
        let url = "https://api.twilio.com".to_owned();
        Self { account_sid: None, auth_token: None, url }
    }
}

impl Default for Teams {
    fn default() -> Self {
        Self {
            app_id: None,
            app_secret: None,
            tenant: "botframework.com".to_owned(),
            metadata_url: "https://login.botframework.com/v1/.well-known/openidconfiguration"
                .to_owned(),
            login_url: "https://login.microsoftonline.com".to_owned(),
            service_urls: vec!["https://smba.trafficmanager.net".to_owned()],
        }
    }
}

impl AcsSms {
    /// The bytes of the key.
    ///
    /// # Errors
    /// It is no base64.
    pub fn key_bytes(&self) -> Result<Vec<u8>, String> {
        let key = self.access_key.as_ref().map(Secret::expose).unwrap_or_default();
        STANDARD.decode(key.trim()).map_err(|_| "must be base64, as Azure shows it".to_owned())
    }
}

impl Channels {
    /// Each mistake with its place. `has_public_url`: vendors know where they reach us.
    pub fn mistakes(&self, has_public_url: bool) -> Vec<String> {
        let mut mistakes = Vec::new();
        let mut wrong = |place: &str, what: &str| mistakes.push(format!("channels.{place} {what}"));
        if !(1..=43_200).contains(&self.idle_minutes) {
            wrong("idle_minutes", "must be from 1 to 43200");
        }
        if self.max == 0 {
            wrong("max", "must be at least 1");
        }
        let twilio = &self.twilio;
        if twilio.account_sid.is_some() != twilio.auth_token.is_some() {
            wrong("twilio", "needs both account_sid and auth_token");
        }
        if twilio.auth_token.is_some() && !has_public_url {
            wrong("twilio", "needs media.public_url: Twilio signs the address");
        }
        let acs = &self.acs;
        if acs.endpoint.is_some() != acs.access_key.is_some() {
            wrong("acs", "needs both endpoint and access_key");
        }
        if let Err(what) = acs.key_bytes() {
            wrong("acs.access_key", &what);
        }
        let teams = &self.teams;
        if teams.app_id.is_some() != teams.app_secret.is_some() {
            wrong("teams", "needs both app_id and app_secret");
        }
        let mut addresses = vec![
            ("twilio.url", twilio.url.as_str()),
            ("teams.login_url", &teams.login_url),
            ("teams.metadata_url", &teams.metadata_url),
        ];
        addresses.extend(acs.endpoint.as_deref().map(|url| ("acs.endpoint", url)));
        addresses.extend(teams.service_urls.iter().map(|url| ("teams.service_urls", url.as_str())));
        for (place, url) in addresses {
            if let Err(what) = keys_url(url) {
                wrong(place, &what);
            }
        }
        for one in &self.webchat.origins {
            if let Err(what) = origin(one) {
                wrong("webchat.origins", &what);
            }
        }
        let secret = self.webchat.secret.as_ref().map(Secret::expose);
        match secret.map(|secret| secret.chars().count()) {
            None if !self.webchat.origins.is_empty() => {
                wrong("webchat.secret", "must be set where there are origins");
            }
            Some(chars) if chars < SECRET_MIN_CHARS => {
                let what = format!("must have at least {SECRET_MIN_CHARS} characters");
                wrong("webchat.secret", &what);
            }
            _ => {}
        }
        mistakes
    }
}

/// An address that `mistakes` has looked at.
///
/// # Errors
/// It is none.
pub fn address(place: &str, text: &str) -> Result<Url, String> {
    keys_url(text).map_err(|what| format!("channels.{place} {what}"))
}
