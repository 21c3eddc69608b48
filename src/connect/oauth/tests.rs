use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};

use super::*;
use crate::connect::crm::played::{Asked, Play, Reply, Stage};

/// A server of tokens and of one thing that they open.
struct Server {
    /// How often a token was given.
    given: u32,
    asked: u32,
    life_s: Option<Value>,
    /// A token that isn't taken any more.
    revoked: Option<String>,
    refuses: Option<Reply>,
    assertions: Vec<String>,
}

impl Default for Server {
    fn default() -> Self {
        let life_s = Some(json!(3600));
        Self { given: 0, asked: 0, life_s, revoked: None, refuses: None, assertions: Vec::new() }
    }
}

impl Play for Server {
    fn answer(&mut self, asked: &Asked) -> Reply {
        if asked.path == "/token" {
            self.asked += 1;
            if let Some(refusal) = &self.refuses {
                return refusal.clone();
            }
            let basic = format!("Basic {}", BASE64_STANDARD.encode("id:secret"));
            let is_known = asked.body["client_secret"] == "secret"
                || asked.header("authorization") == Some(&basic);
            let assertion = asked.body["assertion"].as_str();
            self.assertions.extend(assertion.map(str::to_owned));
            assert!(is_known || assertion.is_some(), "{asked:?}");
            self.given += 1;
            let mut body =
                json!({"access_token": format!("t-{}", self.given), "token_type": "Bearer"});
            if let Some(life) = &self.life_s {
                body["expires_in"] = life.clone();
            }
            return Reply::json(200, body);
        }
        let token = asked.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
        match token.filter(|token| Some(*token) != self.revoked.as_deref()) {
            Some(token) => Reply::json(200, json!({"with": token})),
            None => Reply::empty(401),
        }
    }
}

fn secret(in_form: bool) -> GrantKind {
    GrantKind::ClientCredentials { id: "id".to_owned(), secret: "secret".into(), in_form }
}

fn door(stage: &Stage<Server>, kind: GrantKind) -> Result<Door, String> {
    let grant = Grant {
        path: "/token".to_owned(),
        issuer: None,
        kind,
        fields: vec![("scope", "all".to_owned())],
        life: Duration::from_secs(900),
    };
    Door::new(stage.url(), &BTreeMap::new(), Duration::from_secs(5), Credentials::OAuth(grant))
}

async fn with(door: &Door) -> Result<String, DeliveryError> {
    let answer = door.ask(Request::get("/thing")).await?;
    Ok(answer.text("/with").expect("it says with which"))
}

#[tokio::test]
async fn a_token_is_kept_and_renewed_by_one_of_many() {
    let stage = Stage::new(Server::default()).await;
    for in_form in [true, false] {
        let door = door(&stage, secret(in_form)).expect("right settings");
        let before = stage.player().given;
        for found in futures_util::future::join_all((0..50).map(|_| with(&door))).await {
            assert_eq!(found, Ok(format!("t-{}", before + 1)));
        }
        assert_eq!(stage.player().given, before + 1);
    }
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends() {
    let stage = Stage::new(Server::default()).await;
    // Some servers write numbers as texts.
    for (life_s, after_s, renewed) in [
        (Some(json!(3600)), 3500, false),
        (Some(json!("3600")), 3550, true),
        (None, 850, true),
        (Some(json!(10)), 9, true),
    ] {
        stage.player().life_s = life_s;
        let door = door(&stage, secret(true)).expect("right settings");
        let first = with(&door).await;
        let Key::Token(tokens) = &door.key else { panic!("it has tokens") };
        // The clock is put forward by putting the token back.
        if let Some(token) = &mut tokens.held.lock().await.token {
            token.renew_at -= Duration::from_secs(after_s);
            token.ends_at -= Duration::from_secs(after_s);
        }
        assert_eq!(with(&door).await != first, renewed, "{after_s} s");
    }
}

#[tokio::test]
async fn a_refused_token_is_renewed_once() {
    let stage = Stage::new(Server::default()).await;
    let door = door(&stage, secret(true)).expect("right settings");
    assert_eq!(with(&door).await.as_deref(), Ok("t-1"));
    stage.player().revoked = Some("t-1".to_owned());
    for found in futures_util::future::join_all((0..10).map(|_| with(&door))).await {
        assert_eq!(found.as_deref(), Ok("t-2"));
    }
    assert_eq!(stage.player().given, 2);
    // What isn't taken although it is new is no matter of age.
    stage.player().revoked = Some("t-3".to_owned());
    let Key::Token(tokens) = &door.key else { panic!("it has tokens") };
    tokens.forget(&"t-2".to_owned().into()).await;
    let answer = with(&door).await;
    assert_eq!(answer.as_deref(), Ok("t-4"));
}

#[tokio::test]
async fn while_the_tokens_server_is_down_the_old_one_serves() {
    let stage = Stage::new(Server::default()).await;
    let door = door(&stage, secret(true)).expect("right settings");
    with(&door).await.expect("it opens");
    stage.player().refuses = Some(Reply::empty(503));
    let Key::Token(tokens) = &door.key else { panic!("it has tokens") };
    let past = |token: &mut Token, seconds: u64| {
        token.renew_at -= Duration::from_secs(seconds);
        token.ends_at -= Duration::from_secs(seconds);
    };
    past(tokens.held.lock().await.token.as_mut().expect("it is held"), 3_590);
    assert_eq!(with(&door).await.as_deref(), Ok("t-1"));
    past(tokens.held.lock().await.token.as_mut().expect("it is held"), 20);
    let all = futures_util::future::join_all((0..10).map(|_| with(&door))).await;
    assert!(all.iter().all(|one| matches!(one, Err(DeliveryError::Unclear(_)))), "{all:?}");
    assert!(stage.player().asked <= 3, "a failure is told to all who wait");
}

#[tokio::test]
async fn why_there_is_none_is_told_without_its_words() {
    let stage = Stage::new(Server::default()).await;
    for (status, body, told) in [
        (
            401,
            json!({"error": "invalid_client", "error_description": "secret of ada"}),
            "no token: invalid_client",
        ),
        (400, json!({"error": "secret of ada"}), "no token: status 400"),
        (403, json!("secret of ada"), "no token: status 403"),
    ] {
        stage.player().refuses = Some(Reply::json(status, body));
        let door = door(&stage, secret(true)).expect("right settings");
        assert_eq!(with(&door).await, Err(DeliveryError::Denied(told.to_owned())));
    }
    stage.player().refuses = Some(Reply::json(200, json!({"access_token": ""})));
    let door = door(&stage, secret(true)).expect("right settings");
    assert!(matches!(with(&door).await, Err(DeliveryError::Unclear(_))));
}

#[tokio::test]
async fn an_assertion_says_who_for_whom_and_for_how_long() {
    let pair = aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).expect("a key");
    let der = aws_lc_rs::encoding::AsDer::<aws_lc_rs::encoding::Pkcs8V1Der>::as_der(&pair)
        .expect("PKCS #8");
    let lines = BASE64_STANDARD.encode(der.as_ref());
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{lines}\n-----END PRIVATE KEY-----\n");
    let kind = |key: &str| GrantKind::JwtBearer {
        issuer: "consumer".to_owned(),
        subject: "integration@example.test".to_owned(),
        audience: "https://login.example.test".to_owned(),
        key: key.to_owned().into(),
    };
    let stage = Stage::new(Server::default()).await;
    assert!(door(&stage, kind("no key")).err().expect("it is none").starts_with("key must be"));
    let door = door(&stage, kind(&pem)).expect("right settings");
    with(&door).await.expect("it opens");
    let assertion = stage.player().assertions[0].clone();
    let public = aws_lc_rs::signature::KeyPair::public_key(&pair).as_ref().to_vec();
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_audience(&["https://login.example.test"]);
    validation.set_issuer(&["consumer"]);
    let token =
        jsonwebtoken::decode::<Value>(assertion, &DecodingKey::from_rsa_der(&public), &validation);
    let claims = token.expect("it is signed").claims;
    assert_eq!(claims["sub"], "integration@example.test");
    let life_s = claims["exp"].as_i64().expect("a time") - claims["iat"].as_i64().expect("a time");
    assert!((60..180).contains(&life_s), "{life_s} s");
}

#[tokio::test]
async fn fixed_keys_go_with_every_request() {
    let stage = Stage::new(Server::default()).await;
    let opens = |credentials: Credentials| {
        Door::new(stage.url(), &BTreeMap::new(), Duration::from_secs(5), credentials)
    };
    let bearer = opens(Credentials::Bearer("fixed\n".into())).expect("a line ending is cut off");
    assert_eq!(with(&bearer).await.as_deref(), Ok("fixed"));
    let none = opens(Credentials::None).expect("nothing is needed");
    assert!(matches!(with(&none).await, Err(DeliveryError::Denied(_))));
    let user = "a:b".to_owned();
    for wrong in [
        Credentials::Basic { user, password: "x".into() },
        Credentials::Bearer("two\nlines".into()),
        Credentials::Header("x-key", "".into()),
    ] {
        assert!(opens(wrong).is_err());
    }
}
