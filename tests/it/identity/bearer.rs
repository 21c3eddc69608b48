//! Tokens that programs bring: those of the provider open what their role may, and no others open anything.

use std::time::{SystemTime, UNIX_EPOCH};

use backchannel::connect::identity::{BearerSettings, Bearers};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::provider::{Provider, claims};
use crate::serve::harness::*;

async fn house(provider: &Provider) -> House {
    let bearers = Bearers::new(BearerSettings {
        issuer: provider.issuer.clone(),
        audiences: vec!["backchannel".to_owned()],
        jwks_url: format!("{}/jwks", provider.issuer),
        algorithms: vec![Algorithm::RS256, Algorithm::ES256],
        claims: claims("sub"),
    });
    let bearers = Some(bearers.expect("an address"));
    House::open_with(Options { bearers, ..Options::default() }).await
}

async fn status(house: &House, path: &str, token: &str) -> u16 {
    let request = house.client.get(house.url(path)).bearer_auth(token);
    request.send().await.expect("answers").status().as_u16()
}

#[tokio::test]
async fn tokens_of_the_provider_open_what_their_role_may() {
    let provider = Provider::start("http://127.0.0.1:9/cb").await;
    let house = house(&provider).await;
    house.append("c-1", vec![started()]).await;
    for (client, role, path) in [
        ("pbx", "service", "/v1/conversations/c-1"),
        ("pbx-ec", "service", "/v1/conversations/c-1"),
        ("reader", "batch", "/v1/batches"),
    ] {
        let token = provider.token(client, "urn:backchannel").await;
        let request = house.client.get(house.url("/v1/me")).bearer_auth(&token);
        let me: Value = request.send().await.expect("answers").json().await.expect("JSON");
        let seen = (&me["name"], &me["role"], &me["tenant"]);
        assert_eq!(seen, (&json!(client), &json!(role), &json!("demo")));
        assert_eq!(status(&house, path, &token).await, 200, "{client}");
        assert_eq!(status(&house, "/v1/audit", &token).await, 403, "{client}");
    }
    let archive = provider.token("reader", "urn:backchannel").await;
    assert_eq!(status(&house, "/v1/conversations/c-1", &archive).await, 403);
    // Good, and for somebody else, or for nobody who is known here.
    for (client, resource) in [("pbx", "urn:elsewhere"), ("nobody", "urn:backchannel")] {
        let token = provider.token(client, resource).await;
        assert_eq!(status(&house, "/v1/me", &token).await, 401, "{client} {resource}");
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}

/// A token that is good, unless one of its claims or a part of its header is changed.
struct Forged<'a> {
    provider: &'a Provider,
    header: Header,
    claims: Value,
}

impl<'a> Forged<'a> {
    fn new(provider: &'a Provider) -> Self {
        let header = Header { kid: Some("rsa-1".to_owned()), ..Header::new(Algorithm::RS256) };
        let claims = json!({"iss": provider.issuer, "aud": "backchannel", "sub": "pbx", "exp": now() + 600,
            "iat": now(), "groups": ["cc-machines"], "org": "demo"});
        Self { provider, header, claims }
    }

    fn claim(mut self, name: &str, value: Value) -> Self {
        let claims = self.claims.as_object_mut().expect("an object");
        match value.is_null() {
            true => drop(claims.remove(name)),
            false => drop(claims.insert(name.to_owned(), value)),
        }
        self
    }

    fn header(mut self, change: impl FnOnce(&mut Header)) -> Self {
        change(&mut self.header);
        self
    }

    fn signed(self) -> String {
        let key = EncodingKey::from_rsa_pem(self.provider.rsa_private.as_bytes());
        encode(&self.header, &self.claims, &key.expect("a key")).expect("signed")
    }

    /// With another header than the library would write, and whatever signature.
    fn raw(self, header: &Value, sign: impl FnOnce(&str) -> Vec<u8>) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(header), part(&self.claims));
        let signature = URL_SAFE_NO_PAD.encode(sign(&message));
        format!("{message}.{signature}")
    }
}

fn hmac(secret: &str, message: &str) -> Vec<u8> {
    let signed = jsonwebtoken::crypto::sign(
        message.as_bytes(),
        &EncodingKey::from_secret(secret.as_bytes()),
        Algorithm::HS256,
    );
    URL_SAFE_NO_PAD.decode(signed.expect("signed")).expect("base64")
}

#[tokio::test]
async fn every_other_token_is_refused() {
    let provider = Provider::start("http://127.0.0.1:9/cb").await;
    let house = house(&provider).await;
    let forged = || Forged::new(&provider);
    assert_eq!(status(&house, "/v1/me", &forged().signed()).await, 200, "unchanged it is good");
    let inside_skew = forged().claim("exp", json!(now() - 5)).signed();
    assert_eq!(status(&house, "/v1/me", &inside_skew).await, 200, "clocks differ a little");

    let foreign = Provider::start("http://127.0.0.1:9/cb").await;
    let ec = EncodingKey::from_ec_pem(provider.ec_private.as_bytes()).expect("a key");
    let es256 = |kid: &str| {
        let header = Header { kid: Some(kid.to_owned()), ..Header::new(Algorithm::ES256) };
        encode(&header, &forged().claims, &ec).expect("signed")
    };
    assert_eq!(status(&house, "/v1/me", &es256("ec-1")).await, 200);
    let head = |alg: &str| json!({"alg": alg, "typ": "JWT", "kid": "rsa-1"});
    let good = forged().signed();
    let (message, signature) = good.rsplit_once('.').expect("three parts");
    let (first, _) = message.split_once('.').expect("two parts");
    let admin =
        URL_SAFE_NO_PAD.encode(forged().claim("groups", json!(["cc-leads"])).claims.to_string());
    let refused: Vec<(&str, String)> = vec![
        ("no algorithm", forged().raw(&head("none"), |_| Vec::new())),
        ("no algorithm, in capitals", forged().raw(&head("NONE"), |_| Vec::new())),
        ("no algorithm, signed", forged().raw(&head("none"), |_| vec![7; 256])),
        (
            "an HMAC with the public key",
            forged().raw(&head("HS256"), |m| hmac(&provider.rsa_public, m)),
        ),
        ("an HMAC with nothing", forged().raw(&head("HS256"), |m| hmac("", m))),
        (
            "another algorithm of the same kind",
            forged().header(|h| h.alg = Algorithm::RS384).signed(),
        ),
        ("PSS with a key for PKCS #1", forged().header(|h| h.alg = Algorithm::PS256).signed()),
        ("the other key's id", forged().header(|h| h.kid = Some("ec-1".into())).signed()),
        ("a curve's signature under the RSA key's id", es256("rsa-1")),
        ("an unknown key", forged().header(|h| h.kid = Some("rsa-2".into())).signed()),
        ("no key id", forged().header(|h| h.kid = None).signed()),
        ("somebody else's key", Forged { provider: &foreign, ..forged() }.signed()),
        ("a key of its own", {
            let own = jsonwebtoken::jwk::Jwk::from_encoding_key(
                &EncodingKey::from_rsa_pem(foreign.rsa_private.as_bytes()).expect("a key"),
                Algorithm::RS256,
            );
            let forged = Forged { provider: &foreign, ..forged() };
            forged.header(|h| h.jwk = Some(own.expect("a key"))).signed()
        }),
        ("an address of its own keys", {
            let forged = Forged { provider: &foreign, ..forged() };
            forged.header(|h| h.jku = Some(format!("{}/jwks", foreign.issuer))).signed()
        }),
        ("an extension", forged().header(|h| h.crit = Some(vec!["exp".into()])).signed()),
        ("another kind of token", forged().header(|h| h.typ = Some("logout+jwt".into())).signed()),
        ("another audience", forged().claim("aud", json!("elsewhere")).signed()),
        ("other audiences", forged().claim("aud", json!(["a", "b"])).signed()),
        ("no audience", forged().claim("aud", Value::Null).signed()),
        ("an empty audience", forged().claim("aud", json!([])).signed()),
        ("another issuer", forged().claim("iss", json!(foreign.issuer)).signed()),
        ("a longer issuer", forged().claim("iss", json!(format!("{}/", provider.issuer))).signed()),
        ("several issuers", forged().claim("iss", json!([provider.issuer, "x"])).signed()),
        ("no issuer", forged().claim("iss", Value::Null).signed()),
        ("expired", forged().claim("exp", json!(now() - 120)).signed()),
        ("no end", forged().claim("exp", Value::Null).signed()),
        ("an end in words", forged().claim("exp", json!("never")).signed()),
        ("not valid yet", forged().claim("nbf", json!(now() + 120)).signed()),
        ("a beginning in words", forged().claim("nbf", json!("then")).signed()),
        ("no role", forged().claim("groups", Value::Null).signed()),
        ("a role that means nothing", forged().claim("groups", json!(["admin"])).signed()),
        ("no name", forged().claim("sub", Value::Null).signed()),
        ("no tenant", forged().claim("org", Value::Null).signed()),
        ("other claims under its signature", format!("{first}.{admin}.{signature}")),
        ("half of its signature", format!("{message}.{}", &signature[..signature.len() / 2])),
        ("no signature", format!("{message}.")),
        ("two parts", message.to_owned()),
        ("four parts", format!("{good}.{signature}")),
        ("a letter too many", format!("{good}A")),
    ];
    let count = refused.len();
    for (what, token) in refused {
        assert_eq!(status(&house, "/v1/me", &token).await, 401, "{what}");
        let stream = house.client.get(house.url(&format!("/v1/events?token={token}")));
        assert_eq!(stream.send().await.expect("answers").status(), 401, "{what}, in the address");
    }
    assert!(count >= 35, "{count} were tried");
    assert_eq!(status(&house, "/v1/me", &forged().signed()).await, 200, "and it still is");
    println!("tokens: {count} kinds of bad ones, all refused");
}

#[tokio::test]
async fn a_token_shows_nothing_of_another_tenant() {
    let provider = Provider::start("http://127.0.0.1:9/cb").await;
    let house = house(&provider).await;
    house.append("c-1", vec![started(), card("k-1")]).await;
    let theirs = Forged::new(&provider).claim("org", json!("other")).signed();
    assert_eq!(status(&house, "/v1/me", &theirs).await, 200);
    for path in ["/v1/conversations/c-1", "/v1/conversations/c-1/events"] {
        assert_eq!(status(&house, path, &theirs).await, 404, "{path}");
    }
    let request = house.client.post(house.url("/v1/tokens")).bearer_auth(&theirs);
    let answer = request.json(&json!({"conversation": "c-1"})).send().await.expect("answers");
    assert_eq!(answer.status(), 404);
}
