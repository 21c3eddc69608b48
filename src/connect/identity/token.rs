//! What every token is checked for, whoever brought it (RFC 8725, RFC 9068, OpenID Connect Core 3.1.3.7).

use jiff::{Timestamp, ToSpan as _};
use jsonwebtoken::{Algorithm, Header, Validation, decode, decode_header};
use serde_json::{Map, Value};

use crate::connect::jwks::{ALGORITHMS, KeySet};

/// A token is read before it is known to be good.
const TOKEN_BYTES_MAX: usize = 16 << 10;
const KEY_ID_BYTES_MAX: usize = 256;
const CLOCK_SKEW_SECONDS: u64 = 60;

/// Why somebody's token opens nothing. Told to the log and to administrators, never to who brought it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("it is no signed JSON Web Token of a kind that is taken")]
    Form,
    #[error("its algorithm isn't the one of its key, or isn't allowed")]
    Algorithm,
    #[error("its key is unknown")]
    Key,
    #[error("its signature is wrong")]
    Signature,
    #[error("it is expired, not valid yet, or says no end")]
    Time,
    #[error("it is from another issuer")]
    Issuer,
    #[error("it is for another audience")]
    Audience,
    #[error("it answers another sign-in")]
    Nonce,
    #[error("its claims name nobody")]
    Name,
    #[error("its claims give no role here")]
    Role,
    #[error("its claims name no tenant")]
    Tenant,
}

/// Whose tokens count, and for whom they must be.
#[derive(Clone)]
pub struct Expected {
    pub issuer: String,
    pub audiences: Vec<String>,
    pub keys: KeySet,
}

/// An algorithm by its name in RFC 7518.
///
/// # Errors
/// A sentence that says which there are.
pub fn algorithm(name: &str) -> Result<Algorithm, String> {
    let known = name.parse::<Algorithm>().ok().filter(|one| ALGORITHMS.contains(one));
    known.ok_or_else(|| {
        let all: Vec<String> = ALGORITHMS.iter().map(|one| format!("{one:?}")).collect();
        format!("is of {}, not {name:?}", all.join(", "))
    })
}

impl Expected {
    /// The claims of a token that is good at this moment.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub async fn check(&self, token: &str) -> Result<Map<String, Value>, Refusal> {
        let header = header(token)?;
        let key_id = header.kid.ok_or(Refusal::Key)?;
        let verifying = self.keys.key(&key_id).await.ok_or(Refusal::Key)?;
        if verifying.algorithm != header.alg {
            return Err(Refusal::Algorithm);
        }
        let mut validation = Validation::new(verifying.algorithm);
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&self.audiences);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        validation.validate_nbf = true;
        validation.leeway = CLOCK_SKEW_SECONDS;
        let claims = decode::<Map<String, Value>>(token, &verifying.key, &validation)
            .map_err(|error| refusal(error.kind()))?
            .claims;
        // The library takes a list of issuers, of which one fits.
        match claims.get("iss").and_then(Value::as_str) == Some(self.issuer.as_str()) {
            true => Ok(claims),
            false => Err(Refusal::Issuer),
        }
    }
}

/// A header that may go on to be checked: three parts, signed, and asking for nothing that isn't understood. Keys and
/// addresses of keys in it are not looked at.
fn header(token: &str) -> Result<Header, Refusal> {
    if token.len() > TOKEN_BYTES_MAX || token.split('.').count() != 3 {
        return Err(Refusal::Form);
    }
    let header = decode_header(token).map_err(|_| Refusal::Form)?;
    if !ALGORITHMS.contains(&header.alg) {
        return Err(Refusal::Algorithm);
    }
    // RFC 7515, section 4.1.11: whoever doesn't understand an extension must refuse. RFC 9068 names its own kind.
    let kind = header.typ.as_deref().unwrap_or("JWT").to_ascii_lowercase();
    let is_known = ["jwt", "at+jwt", "application/at+jwt"].contains(&kind.as_str());
    if header.crit.is_some() || header.enc.is_some() || header.zip.is_some() || !is_known {
        return Err(Refusal::Form);
    }
    let fits = header.kid.as_ref().is_none_or(|id| id.len() <= KEY_ID_BYTES_MAX);
    if fits { Ok(header) } else { Err(Refusal::Key) }
}

/// Until when a token is taken, by its `exp` (RFC 7519, section 4.1.4) and what clocks may differ by.
pub(super) fn end_of(claims: &Map<String, Value>) -> Option<Timestamp> {
    let end = Timestamp::from_second(claims.get("exp")?.as_f64()? as i64).ok()?;
    Some(end.saturating_add((CLOCK_SKEW_SECONDS as i64).seconds()).unwrap_or(Timestamp::MAX))
}

fn refusal(kind: &jsonwebtoken::errors::ErrorKind) -> Refusal {
    use jsonwebtoken::errors::ErrorKind;
    match kind {
        ErrorKind::InvalidSignature => Refusal::Signature,
        ErrorKind::InvalidAlgorithm | ErrorKind::InvalidAlgorithmName => Refusal::Algorithm,
        ErrorKind::ExpiredSignature | ErrorKind::ImmatureSignature => Refusal::Time,
        ErrorKind::InvalidIssuer => Refusal::Issuer,
        ErrorKind::InvalidAudience => Refusal::Audience,
        ErrorKind::MissingRequiredClaim(claim) | ErrorKind::InvalidClaimFormat(claim) => {
            match claim.as_str() {
                "iss" => Refusal::Issuer,
                "aud" => Refusal::Audience,
                _ => Refusal::Time,
            }
        }
        _ => Refusal::Form,
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn token_with(header: &Value) -> String {
        format!("{}.e30.AAAA", URL_SAFE_NO_PAD.encode(header.to_string()))
    }

    #[test]
    fn only_plain_signed_tokens_go_on() {
        let check = |header_text: Value, expected: Result<Algorithm, Refusal>| {
            let found = header(&token_with(&header_text)).map(|header| header.alg);
            assert_eq!(found, expected, "{header_text}");
        };
        check(json!({"alg": "RS256", "kid": "k"}), Ok(Algorithm::RS256));
        check(json!({"alg": "ES256", "typ": "at+JWT", "kid": "k"}), Ok(Algorithm::ES256));
        check(json!({"alg": "RS256", "jwk": {"kty": "oct", "k": "AAAA"}}), Ok(Algorithm::RS256));
        check(json!({"alg": "none"}), Err(Refusal::Form));
        check(json!({"alg": "None"}), Err(Refusal::Form));
        check(json!({"kid": "k"}), Err(Refusal::Form));
        check(json!({"alg": "HS256", "kid": "k"}), Err(Refusal::Algorithm));
        check(json!({"alg": "RS256", "crit": ["exp"]}), Err(Refusal::Form));
        check(json!({"alg": "RS256", "typ": "logout+jwt"}), Err(Refusal::Form));
        check(json!({"alg": "RS256", "zip": "DEF"}), Err(Refusal::Form));
        check(json!({"alg": "RS256", "kid": "k".repeat(300)}), Err(Refusal::Key));
        check(json!(["RS256"]), Err(Refusal::Form));
        for token in ["", ".", "..", "a.b.c.d", "e30.e30.", &"x".repeat(20_000)] {
            assert!(header(token).is_err(), "{token:.20}");
        }
    }

    #[tokio::test]
    async fn what_is_no_token_asks_nobody() {
        let keys = KeySet::new("http://127.0.0.1:9/keys", &ALGORITHMS).expect("an address");
        let expected = Expected { issuer: "i".into(), audiences: vec!["a".into()], keys };
        for alg in ["none", "HS256", "HS512", "RS1", "rs256"] {
            let token = token_with(&json!({"alg": alg, "kid": "k"}));
            assert!(expected.check(&token).await.is_err(), "{alg}");
        }
        assert!(expected.check(&token_with(&json!({"alg": "RS256"}))).await.is_err());
        assert!(!expected.keys.was_asked().await);
    }

    proptest! {
        #[test]
        fn no_text_panics(token in "\\PC{0,200}") {
            let _ = header(&token);
        }

        #[test]
        fn nothing_but_an_allowed_signature_goes_on(alg in "[A-Za-z0-9]{0,8}", kid in "\\PC{0,20}") {
            if let Ok(found) = header(&token_with(&json!({"alg": alg, "kid": kid}))) {
                prop_assert!(ALGORITHMS.contains(&found.alg));
            }
        }

        #[test]
        fn broken_headers_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            let token = format!("{}.e30.AAAA", URL_SAFE_NO_PAD.encode(&bytes));
            if let Ok(found) = header(&token) {
                prop_assert!(ALGORITHMS.contains(&found.alg));
            }
        }
    }
}
