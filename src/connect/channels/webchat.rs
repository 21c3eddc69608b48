//! The chat on a company's web page: which pages may ask, and what lets a visitor into one conversation.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::Url;
use sha2::Sha256;

use crate::domain::{ConversationId, TenantId};

/// A guessed one must take too long.
pub const SECRET_MIN_CHARS: usize = 32;
/// What stands before the name of a visitor's conversation, so that a token opens no other.
const PREFIX: &str = "web-";

/// The chat's door.
pub struct WebChat {
    secret: Vec<u8>,
    origins: BTreeSet<String>,
    pub tenant: TenantId,
}

impl WebChat {
    /// # Errors
    /// One of the origins is none.
    pub fn new(secret: &str, origins: &[String], tenant: TenantId) -> Result<Self, String> {
        let origins = origins.iter().map(|one| origin(one)).collect::<Result<_, _>>()?;
        Ok(Self { secret: secret.as_bytes().to_vec(), origins, tenant })
    }

    /// Whether a page of this origin may ask.
    pub fn lets_in(&self, origin: &str) -> bool {
        self.origins.contains(origin)
    }

    /// A new visitor's conversation, and the token for it. Nothing is kept until they write.
    pub fn invite(&self) -> (ConversationId, String) {
        let fresh = ConversationId::fresh();
        let id =
            ConversationId::from(format!("{PREFIX}{}", fresh.as_str().trim_start_matches("c-")));
        let token =
            format!("{id}.{}", URL_SAFE_NO_PAD.encode(self.mac(&id).finalize().into_bytes()));
        (id, token)
    }

    /// The one conversation that a token opens.
    pub fn admit(&self, token: &str) -> Option<ConversationId> {
        let (id, mac) = token.rsplit_once('.')?;
        let given = URL_SAFE_NO_PAD.decode(mac).ok()?;
        if !id.starts_with(PREFIX) || id.len() > 64 {
            return None;
        }
        let id = ConversationId::from(id);
        self.mac(&id).verify_slice(&given).ok().map(|()| id)
    }

    fn mac(&self, id: &ConversationId) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.secret)
            .expect("HMAC takes keys of any length; this is a bug");
        mac.update(b"visitor\0");
        mac.update(self.tenant.as_str().as_bytes());
        mac.update(b"\0");
        mac.update(id.as_str().as_bytes());
        mac
    }
}

/// As a browser writes it: scheme, host, and a port that isn't the scheme's own.
///
/// # Errors
/// A sentence that says what it must be.
pub fn origin(text: &str) -> Result<String, String> {
    let wrong = || "must be an origin such as https://www.example.com".to_owned();
    let url = Url::parse(text).map_err(|_| wrong())?;
    let is_plain = matches!(url.scheme(), "http" | "https")
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    match is_plain {
        true => Ok(url.origin().ascii_serialization()),
        false => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chat(secret: &str, tenant: &str) -> WebChat {
        let origins = ["https://www.example.com".to_owned(), "http://localhost:8000/".to_owned()];
        WebChat::new(secret, &origins, tenant.into()).expect("origins")
    }

    #[test]
    fn a_token_opens_its_own_conversation_and_no_other() {
        let ours = chat("a secret", "demo");
        let (id, token) = ours.invite();
        assert_eq!(ours.admit(&token), Some(id.clone()));
        let (other, _) = ours.invite();
        let mac = token.rsplit_once('.').expect("two parts").1;
        for forged in [
            String::new(),
            "web-1".to_owned(),
            format!("{other}.{mac}"),
            format!("{id}.{}", &mac[1..]),
            format!("{id}."),
            format!("c-1.{mac}"),
        ] {
            assert_eq!(ours.admit(&forged), None, "{forged}");
        }
        assert_eq!(chat("another", "demo").admit(&token), None);
        assert_eq!(chat("a secret", "other").admit(&token), None);
    }

    #[test]
    fn only_pages_of_the_list_may_ask() {
        let chat = chat("s", "demo");
        assert!(chat.lets_in("https://www.example.com") && chat.lets_in("http://localhost:8000"));
        for other in ["https://www.example.com.evil.test", "http://www.example.com", "null", ""] {
            assert!(!chat.lets_in(other), "{other}");
        }
        for none in ["", "*", "www.example.com", "https://a.example/path", "ftp://a.example"] {
            assert!(origin(none).is_err(), "{none}");
        }
    }
}
