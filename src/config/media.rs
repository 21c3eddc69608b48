//! Settings `[media]`: how the vendors of media sockets prove themselves.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::{AudioSocket, Secret, Siprec};
use crate::connect::jwks;
use crate::connect::telephony::auth::PublicUrl;

/// A guessed one must take too long.
const WEBHOOK_SECRET_MIN_CHARS: usize = 16;

#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Media {
    /// The address under which vendors reach this service, such as `https://copilot.example.com`.
    pub public_url: Option<String>,
    pub twilio: Twilio,
    pub audiohook: AudioHook,
    pub acs: Acs,
    pub audiosocket: AudioSocket,
    pub siprec: Siprec,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Twilio {
    /// The account's auth token, with which Twilio signs its requests.
    pub auth_token: Option<Secret>,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct AudioHook {
    /// Send transcripts back. An AudioHook Monitor ignores them.
    pub transcripts: bool,
    /// Send cards back as suggested articles.
    pub cards: bool,
    pub keys: Vec<AudioHookKey>,
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct AudioHookKey {
    /// The integration's API key.
    pub id: String,
    /// Its client secret, base64 as Genesys shows it. Without one requests aren't signed.
    pub secret: Option<Secret>,
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Acs {
    pub jwks_url: String,
    pub issuer: String,
    /// The immutable id of the ACS resource; without it ACS can't come in by its tokens.
    pub audience: Option<String>,
    /// The `secret` in the query of the Event Grid webhook's address.
    pub webhook_secret: Option<Secret>,
}

impl Default for Acs {
    fn default() -> Self {
        Self {
            jwks_url: "https://acscallautomation.communication.azure.com/calling/keys".to_owned(),
            issuer: "https://acscallautomation.communication.azure.com".to_owned(),
            audience: None,
            webhook_secret: None,
        }
    }
}

impl AudioHookKey {
    /// The bytes of the secret; none for requests that aren't signed.
    ///
    /// # Errors
    /// It is no base64.
    pub fn secret_bytes(&self) -> Result<Vec<u8>, String> {
        let secret = self.secret.as_ref().map(Secret::expose).unwrap_or_default();
        STANDARD.decode(secret.trim()).map_err(|_| "must be base64, as Genesys shows it".to_owned())
    }
}

impl Media {
    /// Each mistake with its place.
    pub fn mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        let mut wrong = |place: &str, what: &str| mistakes.push(format!("media.{place} {what}"));
        if let Some(Err(what)) = self.public_url.as_deref().map(PublicUrl::parse) {
            wrong("public_url", &what);
        }
        if let Some(token) = &self.twilio.auth_token {
            if token.expose().trim().is_empty() {
                wrong("twilio.auth_token", "must not be empty");
            }
            if self.public_url.is_none() {
                wrong("public_url", "must be set: Twilio signs the address, see media.twilio");
            }
        }
        let keys = &self.audiohook.keys;
        for (index, key) in keys.iter().enumerate() {
            let place = format!("audiohook.keys[{index}]");
            if key.id.trim().is_empty() {
                wrong(&format!("{place}.id"), "must not be empty");
            }
            if keys[..index].iter().any(|other| other.id == key.id) {
                wrong(&format!("{place}.id"), "is there twice");
            }
            if let Err(what) = key.secret_bytes() {
                wrong(&format!("{place}.secret"), &what);
            }
        }
        if !keys.is_empty() && self.public_url.is_none() {
            wrong("public_url", "must be set: Genesys signs the address, see media.audiohook");
        }
        if let Err(what) = self.siprec.networks() {
            wrong("siprec.peers", &what);
        }
        if self.siprec.rtp_ports.is_some_and(|(first, last)| first == 0 || last <= first) {
            wrong("siprec.rtp_ports", "must be the first and the last port");
        }
        if let Err(what) = jwks::keys_url(&self.acs.jwks_url) {
            wrong("acs.jwks_url", &what);
        }
        if self.acs.issuer.trim().is_empty() {
            wrong("acs.issuer", "must not be empty");
        }
        if self.acs.audience.as_ref().is_some_and(|audience| audience.trim().is_empty()) {
            wrong("acs.audience", "must not be empty");
        }
        let short = |secret: &Secret| secret.expose().chars().count() < WEBHOOK_SECRET_MIN_CHARS;
        if self.acs.webhook_secret.as_ref().is_some_and(short) {
            let what = format!("must have at least {WEBHOOK_SECRET_MIN_CHARS} characters");
            wrong("acs.webhook_secret", &what);
        }
        mistakes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Media {
        toml::from_str(text).expect("it reads")
    }

    #[test]
    fn nothing_is_set_and_nothing_is_wrong() {
        assert_eq!(read("").mistakes(), [""; 0]);
        assert_eq!(read(""), Media::default());
    }

    #[test]
    fn everything_that_can_be_set_is_right_and_hidden() {
        let media = read(
            r#"
            public_url = "https://copilot.example.com"
            [twilio]
            auth_token = "hush-twilio"
            [audiohook]
            transcripts = true
            cards = true
            keys = [{ id = "key-1", secret = "aHVzaC1nZW5lc3lz" }, { id = "key-2" }]
            [acs]
            jwks_url = "http://127.0.0.1:9/keys"
            issuer = "https://issuer.example"
            audience = "7e3b"
            webhook_secret = "hush-event-grid-x"
            "#,
        );
        assert_eq!(media.mistakes(), [""; 0]);
        let keys = &media.audiohook.keys;
        assert_eq!(keys[0].secret_bytes().expect("base64"), b"hush-genesys");
        assert!(keys[1].secret_bytes().expect("none").is_empty());
        let printed = toml::to_string_pretty(&media).expect("it prints");
        for secret in ["hush", "aHVz"] {
            assert!(!printed.contains(secret) && !format!("{media:?}").contains(secret));
        }
    }

    #[test]
    fn each_mistake_names_its_place() {
        let url = "public_url = \"https://a.example\"\n";
        let check = |text: &str, expected: &[&str]| assert_eq!(read(text).mistakes(), expected);
        check(
            "public_url = \"a.example\"",
            &["media.public_url must be an http or https address without query"],
        );
        check(
            "[twilio]\nauth_token = \"\"",
            &[
                "media.twilio.auth_token must not be empty",
                "media.public_url must be set: Twilio signs the address, see media.twilio",
            ],
        );
        check(
            "[audiohook]\nkeys = [{ id = \"a\" }]",
            &["media.public_url must be set: Genesys signs the address, see media.audiohook"],
        );
        check(
            &format!(
                "{url}[audiohook]\nkeys = [{{ id = \"a\" }}, {{ id = \"a\", secret = \"?\" }}, {{ id = \"\" }}]"
            ),
            &[
                "media.audiohook.keys[1].id is there twice",
                "media.audiohook.keys[1].secret must be base64, as Genesys shows it",
                "media.audiohook.keys[2].id must not be empty",
            ],
        );
        check(
            "[acs]\njwks_url = \"http://keys.example\"\nissuer = \"\"\naudience = \" \"\nwebhook_secret = \"short\"",
            &[
                "media.acs.jwks_url must be an https address, or an http address of this machine",
                "media.acs.issuer must not be empty",
                "media.acs.audience must not be empty",
                "media.acs.webhook_secret must have at least 16 characters",
            ],
        );
    }
}
