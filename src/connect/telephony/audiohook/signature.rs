//! The request signature: HTTP Message Signatures in the syntax of its drafts, HMAC-SHA256, with the
//! rules of the verifier in `purecloudlabs/audiohook-reference-implementation`.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::domain::TenantId;

/// What a signature has to cover.
const REQUIRED: [&str; 6] = [
    "@request-target",
    "@authority",
    "audiohook-organization-id",
    "audiohook-session-id",
    "audiohook-correlation-id",
    "x-api-key",
];
const AGE_MAX_SECONDS: u64 = 10;
const CLOCK_SKEW_SECONDS: u64 = 3;
const NONCE_MIN_CHARS: usize = 22;
/// Genesys needs a fifth of that; anybody can send a longer one, and it costs time to read.
const INPUT_MAX_BYTES: usize = 2 << 10;
/// Only accepted requests leave a nonce behind, each for some seconds.
const NONCES_MAX: usize = 100_000;

/// Stands in for the secret of a key that isn't known.
static UNKNOWN: [u8; 32] = [0; 32];

type Hash = [u8; 32];

/// One API key of an AudioHook integration.
#[derive(Clone)]
pub struct ApiKey {
    pub id: String,
    /// Empty: requests with this key aren't signed.
    pub secret: Vec<u8>,
    pub tenant: TenantId,
}

/// Where a request went, as its sender sees it.
pub struct Target<'a> {
    pub path_and_query: &'a str,
    /// Lower case, with the port where it isn't the scheme's own.
    pub authority: &'a str,
}

/// Checks requests, and lets none through twice.
#[derive(Default)]
pub struct Signatures {
    keys: Vec<ApiKey>,
    /// Nonces that have been used, and until when they are remembered.
    nonces: Mutex<HashMap<Hash, u64>>,
}

impl Signatures {
    pub fn new(keys: Vec<ApiKey>) -> Self {
        Self { keys, nonces: Mutex::default() }
    }

    /// Whose request it is. `now`: seconds since 1970.
    pub fn accept(&self, target: &Target<'_>, headers: &HeaderMap, now: u64) -> Option<TenantId> {
        let api_key = only(headers, "x-api-key")?;
        let key = self.find(api_key);
        let signed = (only(headers, "signature-input"), only(headers, "signature"));
        let (Some(input), Some(signature)) = signed else {
            let unsigned =
                !headers.contains_key("signature-input") && !headers.contains_key("signature");
            return key
                .filter(|key| unsigned && key.secret.is_empty())
                .map(|key| key.tenant.clone());
        };
        let input = Input::parse(input)?;
        let known = |name: &str| match name {
            "@request-target" => Some(target.path_and_query.to_owned()),
            "@authority" => Some(target.authority.to_owned()),
            name => only(headers, name).map(|value| value.trim().to_owned()),
        };
        let covers = REQUIRED.iter().all(|name| input.components.contains(name));
        let fresh = input.is_fresh(now);
        let nonce = input.nonce.filter(|nonce| nonce.chars().count() >= NONCE_MIN_CHARS)?;
        let base = input.base(&known)?;
        // An unknown key takes as long as a known one.
        let secret = key.map_or(UNKNOWN.as_slice(), |key| key.secret.as_slice());
        let fits = input.is_signed_by(signature, secret, &base);
        let key = key.filter(|key| !key.secret.is_empty())?;
        let good =
            fits && covers && fresh && input.keyid == Some(api_key) && input.is_hmac_sha256();
        (good && self.is_new(api_key, nonce, now)).then(|| key.tenant.clone())
    }

    /// Compares with every key, each in constant time.
    fn find(&self, id: &str) -> Option<&ApiKey> {
        let hash: Hash = Sha256::digest(id).into();
        let mut found = None;
        for key in &self.keys {
            let known: Hash = Sha256::digest(&key.id).into();
            if bool::from(known.ct_eq(&hash)) {
                found = Some(key);
            }
        }
        found
    }

    fn is_new(&self, api_key: &str, nonce: &str, now: u64) -> bool {
        let hash = Sha256::new().chain_update(api_key).chain_update([0u8]).chain_update(nonce);
        let mut nonces = self.nonces.lock().unwrap_or_else(PoisonError::into_inner);
        nonces.retain(|_, until| *until >= now);
        if nonces.len() >= NONCES_MAX {
            return false;
        }
        let until = now + AGE_MAX_SECONDS + 2 * CLOCK_SKEW_SECONDS;
        nonces.insert(hash.finalize().into(), until).is_none()
    }
}

/// The header's value if there is exactly one.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

/// One member of `Signature-Input`: `label=("name" …);parameter=value…`.
#[derive(Debug, PartialEq, Eq)]
struct Input<'a> {
    label: &'a str,
    /// Everything behind the label, word for word.
    list: &'a str,
    components: Vec<&'a str>,
    keyid: Option<&'a str>,
    nonce: Option<&'a str>,
    alg: Option<&'a str>,
    created: Option<u64>,
    expires: Option<u64>,
}

impl<'a> Input<'a> {
    /// Strict: one member, no escapes, no parameters that aren't known.
    fn parse(text: &'a str) -> Option<Self> {
        if text.len() > INPUT_MAX_BYTES {
            return None;
        }
        let (label, list) = text.trim().split_once('=')?;
        let mut input = Self {
            label,
            list,
            components: Vec::new(),
            keyid: None,
            nonce: None,
            alg: None,
            created: None,
            expires: None,
        };
        let in_label = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-.*".contains(c);
        if label.is_empty() || !label.chars().all(in_label) {
            return None;
        }
        let (components, mut rest) = list.strip_prefix('(')?.split_once(')')?;
        for component in components.split(' ').filter(|component| !component.is_empty()) {
            let (name, behind) = quoted(component)?;
            if !behind.is_empty() || name.is_empty() || input.components.contains(&name) {
                return None;
            }
            input.components.push(name);
        }
        while let Some(parameter) = rest.strip_prefix(';') {
            let (name, value) = parameter.trim_start_matches(' ').split_once('=')?;
            let (text, number);
            (text, number, rest) = match quoted(value) {
                Some((text, behind)) => (Some(text), None, behind),
                None => {
                    let end = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
                    (None, Some(value[..end].parse::<u64>().ok()?), &value[end..])
                }
            };
            match (name, text, number) {
                ("keyid", Some(_), _) if input.keyid.is_none() => input.keyid = text,
                ("nonce", Some(_), _) if input.nonce.is_none() => input.nonce = text,
                ("alg", Some(_), _) if input.alg.is_none() => input.alg = text,
                ("created", _, Some(_)) if input.created.is_none() => input.created = number,
                ("expires", _, Some(_)) if input.expires.is_none() => input.expires = number,
                _ => return None,
            }
        }
        rest.is_empty().then_some(input)
    }

    fn is_fresh(&self, now: u64) -> bool {
        let young = |created: u64| {
            created <= now + CLOCK_SKEW_SECONDS && now.saturating_sub(created) <= AGE_MAX_SECONDS
        };
        self.created.is_some_and(young) && self.expires.is_none_or(|expires| expires >= now)
    }

    fn is_hmac_sha256(&self) -> bool {
        self.alg.is_none_or(|alg| alg == "hmac-sha256")
    }

    /// What is signed; `None` if a component isn't there.
    fn base(&self, value_of: &dyn Fn(&str) -> Option<String>) -> Option<String> {
        let mut base = String::new();
        for name in &self.components {
            base.push_str(&format!("\"{name}\": {}\n", value_of(name)?));
        }
        base.push_str("\"@signature-params\": ");
        base.push_str(self.list);
        Some(base)
    }

    /// `header`: `label=:base64:`.
    fn is_signed_by(&self, header: &str, secret: &[u8], base: &str) -> bool {
        let value = header.trim().strip_prefix(self.label).and_then(|rest| rest.strip_prefix("=:"));
        let given = value.and_then(|value| value.strip_suffix(':'));
        let given = given.and_then(|given| STANDARD.decode(given).ok()).unwrap_or_default();
        let mut mac = Hmac::<Sha256>::new_from_slice(secret)
            .expect("HMAC takes keys of any length; this is a bug");
        mac.update(base.as_bytes());
        mac.verify_slice(&given).is_ok()
    }
}

/// A string without escapes, and what is behind it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let (inner, behind) = text.strip_prefix('"')?.split_once('"')?;
    (!inner.contains('\\')).then_some((inner, behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "SGVsbG8sIEkgYW0gdGhlIEFQSSBrZXkh";
    const SECRET: &str = "TXlTdXBlclNlY3JldEtleVRlbGxOby0xITJAMyM0JDU=";

    const CREATED: u64 = 1_795_374_456;
    const INPUT: &str = concat!(
        r#"sig1=("@request-target" "@authority" "audiohook-organization-id" "audiohook-session-id" "#,
        r#""audiohook-correlation-id" "x-api-key");keyid="SGVsbG8sIEkgYW0gdGhlIEFQSSBrZXkh";"#,
        r#"nonce="9Zqo5/E6X60NP8X8GRYB2IXn";alg="hmac-sha256";created=1795374456;expires=1795374486"#
    );
    const SIGNATURE: &str = "sig1=:Pk8doWVyWCKwCAfWwTuxE81GKswF52T9op+hCrwTwJ4=:";
    const TARGET: Target<'static> =
        Target { path_and_query: "/api/v1/audiohook/ws", authority: "127.0.0.1:13000" };

    fn headers() -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("audiohook-organization-id", "009af48c-3893-45e1-bd8c-6d520bea6597"),
            ("audiohook-session-id", "f5136eb9-467d-474c-8931-4820dda7804a"),
            ("audiohook-correlation-id", "885ac7d6-be4a-4038-b338-b1bf6d4f8fa8"),
            ("x-api-key", KEY),
            ("signature-input", INPUT),
            ("signature", SIGNATURE),
        ] {
            headers.insert(name, value.parse().expect("a value"));
        }
        headers
    }

    fn signatures(secret: &str) -> Signatures {
        let key = |id: &str, secret: &str, tenant: &str| ApiKey {
            id: id.to_owned(),
            secret: STANDARD.decode(secret).expect("base64"),
            tenant: tenant.into(),
        };
        Signatures::new(vec![key("other", SECRET, "other"), key(KEY, secret, "demo")])
    }

    /// The reference's own test vector: it signs `host` where requests sign `@authority`.
    #[test]
    fn the_references_vector_is_rebuilt() {
        let list = concat!(
            r#"("@request-target" "host" "audiohook-organization-id" "audiohook-session-id" "#,
            r#""audiohook-correlation-id" "x-api-key");keyid="SGVsbG8sIEkgYW0gdGhlIEFQSSBrZXkh";"#,
            r#"nonce="VGhpc0lzQVVuaXF1ZU5vbmNl";alg="hmac-sha256";created=1641013200;"#,
            "expires=3282026430"
        );
        let text = format!("sig1={list}");
        let input = Input::parse(&text).expect("it parses");
        assert_eq!((input.label, input.list), ("sig1", list));
        assert_eq!(input.components.len(), 6);
        assert_eq!((input.created, input.expires), (Some(1_641_013_200), Some(3_282_026_430)));
        let base = input.base(&|name| {
            let value = match name {
                "@request-target" => "/api/v1/voicebiometrics/ws",
                "host" => "audiohook.example.com",
                "audiohook-organization-id" => "d7934305-0972-4844-938e-9060eef73d05",
                "audiohook-session-id" => "30b0e395-84d3-4570-ac13-9a62d8f514c0",
                "audiohook-correlation-id" => "e160e428-53e2-487c-977d-96989bf5c99d",
                "x-api-key" => KEY,
                _ => return None,
            };
            Some(value.to_owned())
        });
        let secret = STANDARD.decode(SECRET).expect("base64");
        let signature = "sig1=:zupMJUMfd/kMuvKc5zhRyfJPE3jTROuz1S1hn8SCTpE=:";
        assert!(input.is_signed_by(signature, &secret, &base.expect("all is there")));
    }

    #[test]
    fn a_captured_request_is_accepted_and_not_twice() {
        let signatures = signatures(SECRET);
        let accept = |now| signatures.accept(&TARGET, &headers(), now);
        assert_eq!(accept(CREATED + 1), Some("demo".into()));
        assert_eq!(accept(CREATED + 2), None, "the nonce was used");
    }

    #[test]
    fn each_rule_counts() {
        let check = |what: &str, now: u64, change: &dyn Fn(&mut HeaderMap)| {
            let mut headers = headers();
            change(&mut headers);
            assert_eq!(signatures(SECRET).accept(&TARGET, &headers, now), None, "{what}");
        };
        let set = |name: &'static str, value: String| {
            move |headers: &mut HeaderMap| {
                headers.insert(name, value.parse().expect("a value"));
            }
        };
        check("too old", CREATED + 11, &|_| ());
        check("from the future", CREATED - 4, &|_| ());
        check("another key", CREATED, &set("x-api-key", "other".to_owned()));
        check("an unknown key", CREATED, &set("x-api-key", "nobody".to_owned()));
        check("another session", CREATED, &set("audiohook-session-id", "x".to_owned()));
        check("no signature", CREATED, &|headers| {
            headers.remove("signature");
        });
        check("nothing signed", CREATED, &|headers| {
            headers.remove("signature");
            headers.remove("signature-input");
        });
        check("two signatures", CREATED, &|headers| {
            headers.append("signature", SIGNATURE.parse().expect("a value"));
        });
        for (from, to) in [
            ("\"@authority\" ", ""),
            ("nonce=\"9Zqo5/E6X60NP8X8GRYB2IXn\";", ""),
            ("9Zqo5/E6X60NP8X8GRYB2IXn", "short"),
            ("created=1795374456;", ""),
            ("expires=1795374486", "expires=1795374450"),
            ("hmac-sha256", "hmac-sha512"),
            ("sig1=", "sig2="),
            (";alg", ";tag=\"x\";alg"),
        ] {
            let changed = INPUT.replacen(from, to, 1);
            assert_ne!(changed, INPUT);
            check(from, CREATED, &set("signature-input", changed));
        }
        let mut elsewhere = TARGET;
        elsewhere.authority = "copilot.example.com";
        assert_eq!(signatures(SECRET).accept(&elsewhere, &headers(), CREATED), None);
        // Within the rules, early and late.
        for now in [CREATED - 3, CREATED, CREATED + 10] {
            assert!(signatures(SECRET).accept(&TARGET, &headers(), now).is_some(), "{now}");
        }
    }

    #[test]
    fn unsigned_requests_need_a_key_without_a_secret() {
        let mut unsigned = headers();
        unsigned.remove("signature");
        unsigned.remove("signature-input");
        let accept = |secret: &str, headers: &HeaderMap| {
            signatures(secret).accept(&TARGET, headers, CREATED)
        };
        assert_eq!(accept("", &unsigned), Some("demo".into()));
        assert_eq!(accept(SECRET, &unsigned), None);
        assert_eq!(accept("", &headers()), None, "signed with a secret that we don't have");
        unsigned.insert("signature", SIGNATURE.parse().expect("a value"));
        assert_eq!(accept("", &unsigned), None, "half a signature");
        unsigned.remove("signature");
        unsigned.remove("x-api-key");
        assert_eq!(accept("", &unsigned), None);
    }

    #[test]
    fn what_is_no_signature_input_is_refused() {
        for text in [
            "",
            "sig1",
            "sig1=",
            "=(\"a\")",
            "sig1=(\"a\"",
            "sig1=(a)",
            "sig1=(\"a\" \"a\")",
            "sig1=(\"a\"\"b\")",
            "sig1=(\"a\");created=",
            "sig1=(\"a\");created=1;created=1",
            "sig1=(\"a\");created=\"1\"",
            "sig1=(\"a\");keyid=1",
            "sig1=(\"a\");keyid=\"b\\\"c\"",
            "sig1=(\"a\");created=99999999999999999999",
            "sig1=(\"a\");created=1, sig2=(\"a\");created=1",
            "Sig1=(\"a\")",
        ] {
            assert_eq!(Input::parse(text), None, "{text}");
        }
    }

    #[test]
    fn an_endless_list_of_components_costs_nothing() {
        let names = |count: u32| (0..count).map(|it| format!("\"{it}\"")).collect::<Vec<_>>();
        let input = |count| format!("sig1=({})", names(count).join(" "));
        assert_eq!(Input::parse(&input(300)).map(|input| input.components.len()), Some(300));
        let begun = std::time::Instant::now();
        assert_eq!(Input::parse(&input(50_000)), None);
        assert!(begun.elapsed() < std::time::Duration::from_millis(100), "{:?}", begun.elapsed());
    }

    proptest::proptest! {
        #[test]
        fn no_header_breaks_it(input in "\\PC{0,80}", signature in "[ -~]{0,40}") {
            let mut headers = headers();
            if let (Ok(input), Ok(signature)) = (input.parse(), signature.parse()) {
                headers.insert("signature-input", input);
                headers.insert("signature", signature);
                proptest::prop_assert_eq!(signatures(SECRET).accept(&TARGET, &headers, CREATED), None);
            }
        }
    }
}
