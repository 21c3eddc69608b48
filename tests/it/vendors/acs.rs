mod streaming;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use axum::response::Redirect;
use axum::routing::get;
use axum::{Json, Router};
use backchannel::connect::telephony::acs::{Issuer, Tokens};
use backchannel::connect::telephony::auth::MediaAuth;
use backchannel::domain::{EndReason, Role};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{Door, eventgrid};
use crate::media::{Client, Recorder, Service, hear_out, say};
use crate::serve::harness::KEY;

const PATH: &str = "/v1/media/acs";
const ISSUER: &str = "https://acscallautomation.communication.azure.com";
const AUDIENCE: &str = "7e3b9a52-0000-4000-8000-000000000001";
const CALLER: &str = "4:+15551230001";
const AGENT: &str = "8:acs:agent";

fn metadata() -> Value {
    json!({"kind": "AudioMetadata", "audioMetadata": {"subscriptionId": "sub-1",
        "encoding": "PCM", "sampleRate": 16000, "channels": 1, "length": 640}})
}

fn audio(who: Option<&str>, at_ms: u64, mark: u8) -> Value {
    let mut data = json!({"silent": false, "data": STANDARD.encode([mark; 640]),
        "timestamp": format!("2024-11-15T19:16:12.{at_ms:03}Z")});
    if let Some(who) = who {
        data["participantRawID"] = who.into();
    }
    json!({"kind": "AudioData", "audioData": data})
}

fn dtmf() -> Value {
    json!({"kind": "DtmfData", "dtmfData": {"data": "3"}})
}

async fn hang_up(client: &mut Client) {
    client.close(None).await.expect("it is open");
}

#[tokio::test]
async fn unmixed_participants_are_handed_over_and_a_close_hangs_up() {
    let service = Service::start(Recorder::default()).await;
    let mut client = service.connect("acs?customer=8:acs:app-user&agent=a1").await;
    say(&mut client, metadata()).await;
    for frame in 0..10 {
        say(&mut client, audio(Some(CALLER), frame * 20, 1)).await;
        if frame >= 5 {
            say(&mut client, audio(Some("8:acs:app-user"), frame * 20, 2)).await;
        }
    }
    hang_up(&mut client).await;
    let call = service.ended("c-1").await;
    assert_eq!(call.ended, Some(EndReason::Hangup));
    assert_eq!(call.roles, [Role::Agent, Role::Customer], "the telephone is the agent's here");
    assert_eq!((call.audio[&0].len(), call.audio[&1].len()), (6_400, 3_200));
    assert_eq!(
        (call.external_id.as_deref(), call.attributes["agent"].as_str()),
        (Some("sub-1"), "a1")
    );
}

#[tokio::test]
async fn mixed_audio_is_one_leg_and_a_cut_is_no_hang_up() {
    let service = Service::start(Recorder::default()).await;
    let mut client = service.connect("acs").await;
    say(&mut client, metadata()).await;
    say(&mut client, audio(None, 0, 1)).await;
    say(&mut client, dtmf()).await;
    drop(client);
    let call = service.ended("c-1").await;
    assert_eq!((call.ended, call.roles), (Some(EndReason::Disconnected), vec![Role::Mixed]));
}

#[tokio::test]
async fn what_is_said_of_a_call_is_kept_in_short() {
    let service = Service::start(Recorder::default()).await;
    let mut client = service.connect(&format!("acs?agent={}&queue=q", "ä".repeat(300))).await;
    let mut about = metadata();
    about["audioMetadata"]["subscriptionId"] = "s".repeat(3_000).into();
    say(&mut client, about).await;
    say(&mut client, audio(None, 0, 1)).await;
    hang_up(&mut client).await;
    let call = service.ended("c-1").await;
    assert_eq!((&*call.attributes["agent"], &*call.attributes["queue"]), (&*"ä".repeat(256), "q"));
    assert_eq!(call.attributes["subscription_id"], "s".repeat(256));
    assert_eq!(call.external_id, Some("s".repeat(256)));
}

#[tokio::test]
async fn bad_input_gets_one_clear_error() {
    let service = Service::start(Recorder::default()).await;
    for (message, expected) in [
        ("{".to_owned(), (1007, "message 1 is not JSON (line 1, column 1)")),
        (audio(None, 0, 1).to_string(), (1008, "audio came before its metadata")),
        ("x".repeat(1 << 20), (1009, "message is larger than 64 KiB")),
    ] {
        let mut client = service.connect("acs").await;
        say(&mut client, message).await;
        let (code, reason, _) = hear_out(&mut client).await;
        assert_eq!((code, reason.as_str()), expected);
    }
}

#[tokio::test]
async fn who_was_announced_as_calling_is_the_customer() {
    let recorder = Recorder::default();
    let sockets = Service::sockets(&recorder);
    let door = Door::with(eventgrid::auth(), recorder, sockets).await;
    let event = eventgrid::incoming_call("e-1", "corr-1", "8:acs:app-user");
    assert_eq!(eventgrid::deliver(&door.house, "application/json", &event).await.0, 200);
    let bearer = format!("Bearer {KEY}");
    let headers = [
        ("authorization", bearer.as_str()),
        ("x-ms-call-correlation-id", "corr-1"),
        ("x-ms-call-connection-id", "conn-1"),
    ];
    let mut client = door.knock(PATH, &headers).await.expect("let in");
    say(&mut client, metadata()).await;
    say(&mut client, audio(Some("8:acs:app-user"), 0, 1)).await;
    say(&mut client, audio(Some(AGENT), 0, 2)).await;
    hang_up(&mut client).await;
    let call = door.calls.ended("c-1").await;
    assert_eq!(call.roles, [Role::Customer, Role::Agent]);
    assert_eq!(call.external_id.as_deref(), Some("conn-1"));
    assert_eq!(
        (&*call.attributes["customer"], &*call.attributes["called"]),
        ("8:acs:app-user", "8:acs:r")
    );
}

/// Who signs tokens, and a server that publishes the keys.
struct Azure {
    key: RsaKeyPair,
    url: String,
    asked: Arc<AtomicUsize>,
}

impl Azure {
    async fn start() -> Self {
        let key = RsaKeyPair::generate(KeySize::Rsa2048).expect("a key");
        let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let public = key.public_key();
        let jwk = json!({"kty": "RSA", "use": "sig", "kid": "k-1", "x5t": "k-1", "e": number(
            public.exponent().big_endian_without_leading_zero()),
            "n": number(public.modulus().big_endian_without_leading_zero())});
        let keys =
            json!({"keys": [{"kty": "EC", "kid": "k-0", "crv": "P-256", "x": "x", "y": "y"}, jwk]});
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = asked.clone();
        let huge = "x".repeat(300 << 10);
        let app = Router::new()
            .route(
                "/keys",
                get(move || {
                    counter.fetch_add(1, Ordering::SeqCst);
                    std::future::ready(Json(keys.clone()))
                }),
            )
            .route("/moved", get(|| async { Redirect::temporary("/keys") }))
            .route("/huge", get(move || std::future::ready(huge.clone())))
            .route("/broken", get(|| async { "{" }));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        tokio::spawn(async move { axum::serve(listener, app).await.expect("serves") });
        Self { key, url, asked }
    }

    fn token(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .expect("it signs");
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    async fn door(&self, keys: &str) -> Door {
        let issuer = Issuer {
            jwks_url: format!("{}{keys}", self.url),
            issuer: ISSUER.to_owned(),
            audience: AUDIENCE.to_owned(),
        };
        let mut auth = MediaAuth::default();
        auth.add_acs(Tokens::new(issuer).expect("an address"), "azure".into());
        Door::open(auth).await
    }
}

fn header() -> Value {
    json!({"alg": "RS256", "kid": "k-1", "typ": "JWT"})
}

fn claims(expires_in: i64) -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs() as i64;
    json!({"iss": ISSUER, "aud": AUDIENCE, "exp": now + expires_in, "nbf": now - 1, "iat": now - 1})
}

/// The close code that a connection with this token gets; none if it may stay.
async fn refused(door: &Door, token: &str) -> Option<u16> {
    let bearer = format!("Bearer {token}");
    let mut client = door.knock(PATH, &[("authorization", &bearer)]).await.expect("upgraded");
    let hearing = hear_out(&mut client);
    let (code, reason, _) = tokio::time::timeout(Duration::from_millis(300), hearing).await.ok()?;
    assert_eq!(reason, "unauthorised", "no hint");
    Some(code)
}

#[tokio::test]
async fn a_token_of_the_issuer_opens_and_its_keys_are_asked_for_once() {
    let azure = Azure::start().await;
    let door = azure.door("/keys").await;
    for _ in 0..3 {
        assert_eq!(refused(&door, &azure.token(&header(), &claims(3_600))).await, None);
    }
    assert_eq!(azure.asked.load(Ordering::SeqCst), 1);

    let bearer = format!("Bearer {}", azure.token(&header(), &claims(3_600)));
    let mut client = door.knock(PATH, &[("authorization", &bearer)]).await.expect("let in");
    say(&mut client, metadata()).await;
    say(&mut client, audio(Some(CALLER), 0, 1)).await;
    hang_up(&mut client).await;
    assert_eq!(door.calls.ended("c-1").await.tenant, "azure");
}

#[tokio::test]
async fn every_other_token_is_closed_with_1008() {
    let azure = Azure::start().await;
    let door = azure.door("/keys").await;
    let with = |name: &str, value: Value| {
        let mut claims = claims(3_600);
        claims[name] = value;
        claims
    };
    let mut without_expiry = claims(3_600);
    without_expiry.as_object_mut().expect("claims").remove("exp");
    let stranger = Azure::start().await;
    let good = azure.token(&header(), &claims(3_600));
    let tokens = [
        azure.token(&header(), &claims(-3_600)),
        azure.token(&header(), &with("iss", "https://evil.example".into())),
        azure.token(&header(), &with("aud", "another".into())),
        azure.token(&header(), &with("nbf", (claims(3_600)["exp"].as_i64()).into())),
        azure.token(&header(), &without_expiry),
        azure.token(&json!({"alg": "RS256", "kid": "k-2"}), &claims(3_600)),
        azure.token(&json!({"alg": "RS256"}), &claims(3_600)),
        azure.token(&json!({"alg": "RS384", "kid": "k-1"}), &claims(3_600)),
        azure.token(&json!({"alg": "none", "kid": "k-1"}), &claims(3_600)),
        stranger.token(&header(), &claims(3_600)),
        good[..good.len() - 8].to_owned(),
        "nonsense".to_owned(),
    ];
    for token in &tokens {
        assert_eq!(refused(&door, token).await, Some(1008), "{token}");
    }
    assert!(azure.asked.load(Ordering::SeqCst) <= 1, "made-up key ids don't ask again and again");
    assert_eq!(refused(&door, &good).await, None);
    // Without an upgrade there is nothing to close.
    let answer = door.house.client.get(door.house.url(PATH)).bearer_auth("x").send().await;
    assert_eq!(answer.expect("answers").status(), 401);
    assert!(
        door.knock("/v1/media/pcm", &[("authorization", &format!("Bearer {good}"))]).await.is_err()
    );
}

#[tokio::test]
async fn keys_that_can_not_be_had_let_nobody_in() {
    let azure = Azure::start().await;
    let good = azure.token(&header(), &claims(3_600));
    for keys in ["/moved", "/huge", "/broken", "/missing"] {
        let door = azure.door(keys).await;
        assert_eq!(refused(&door, &good).await, Some(1008), "{keys}");
    }
    assert_eq!(azure.asked.load(Ordering::SeqCst), 0, "a redirect is not followed");
}
