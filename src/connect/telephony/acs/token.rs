use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use serde::Deserialize;

use crate::connect::jwks::KeySet;

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
    keys: KeySet,
}

/// Only what the validation itself doesn't read.
#[derive(Clone, Deserialize)]
struct Claims {}

impl Tokens {
    /// # Errors
    /// The address of the keys is none that may be asked, or the HTTP client can't be made.
    pub fn new(issuer: Issuer) -> Result<Self, String> {
        let keys = KeySet::new(&issuer.jwks_url, &[Algorithm::RS256])?;
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_issuer(&[&issuer.issuer]);
        validation.set_audience(&[&issuer.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        validation.validate_nbf = true;
        validation.leeway = CLOCK_SKEW_SECONDS;
        Ok(Self { validation, keys })
    }

    /// Whether a token is good at this moment.
    pub async fn accept(&self, token: &str) -> bool {
        let Ok(header) = decode_header(token) else { return false };
        let (Algorithm::RS256, Some(key_id)) = (header.alg, header.kid) else { return false };
        let Some(verifying) = self.keys.key(&key_id).await else { return false };
        decode::<Claims>(token, &verifying.key, &self.validation).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert!(!tokens.keys.was_asked().await);
    }
}
