//! What vendors bring, with their proofs: Twilio's signature, Event Grid's secret, the Bot Framework's token.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use axum::routing::get;
use axum::{Json, Router};
use backchannel::connect::channels::teams::BotTokens;
use backchannel::connect::channels::twilio_sms::Webhook;
use backchannel::connect::telephony::auth::{MediaAuth, PublicUrl};
use backchannel::serve::{ChannelDoors, TeamsDoor};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::super::serve::harness::{House, Options};
use super::logged;

pub const PUBLIC: &str = "https://copilot.example.com";

pub fn signed(form: &[(&str, &str)]) -> String {
    let mut pairs = form.to_vec();
    pairs.sort_unstable();
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(b"12345").expect("a key");
    mac.update(format!("{PUBLIC}/v1/channels/twilio").as_bytes());
    for (name, value) in pairs {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    STANDARD.encode(mac.finalize().into_bytes())
}

async fn texted(house: &House, form: &[(&str, &str)], signature: &str) -> u16 {
    let request = house.client.post(house.url("/v1/channels/twilio")).form(form);
    let answer = request.header("x-twilio-signature", signature).send().await.expect("answers");
    answer.status().as_u16()
}

/// The live conversations, oldest first.
async fn live(house: &House) -> Vec<Value> {
    let (_, list) = house.get("/v1/conversations").await;
    let mut items = list["items"].as_array().expect("items").clone();
    items.reverse();
    items
}

#[tokio::test]
async fn twilio_signs_and_the_same_two_numbers_stay_in_one_conversation() {
    let webhook = Webhook {
        connector: "twilio_sms".into(),
        auth_token: "12345".into(),
        public: PublicUrl::parse(PUBLIC).expect("an address"),
    };
    let channels = ChannelDoors { twilio: Some(webhook), ..ChannelDoors::closed("demo".into()) };
    let house = House::open_with(Options { channels, ..Options::default() }).await;
    let form = |sid: &'static str, from: &'static str, body: &'static str| {
        [("MessageSid", sid), ("From", from), ("To", "+15550100"), ("Body", body)]
    };
    let first = form("SM1", "+442079460123", "Where is my refund?");
    assert_eq!(texted(&house, &first, "").await, 401);
    assert_eq!(texted(&house, &first, &signed(&form("SM1", "+442079460123", "Other"))).await, 401);
    assert!(live(&house).await.is_empty(), "nothing of a forged request is kept");
    // Twilio brings a message again when it heard no answer.
    for _ in 0..3 {
        assert_eq!(texted(&house, &first, &signed(&first)).await, 200);
    }
    let second = form("SM2", "+442079460123", "Hello?");
    assert_eq!(texted(&house, &second, &signed(&second)).await, 200);
    let other = form("SM3", "+442079460999", "Hi");
    assert_eq!(texted(&house, &other, &signed(&other)).await, 200);

    let conversations = live(&house).await;
    assert_eq!(conversations.len(), 2, "{conversations:?}");
    let one = &conversations[0];
    assert_eq!((&one["channel"], &one["turn_count"]), (&json!("sms"), &json!(2)));
    assert_eq!(
        one["parties"][0],
        json!({"id": "p-1", "role": "customer", "name": "+442079460123"})
    );
    let attributes = &one["attributes"];
    assert_eq!(
        (&attributes["from"], &attributes["to"], &attributes["connector"]),
        (&json!("+442079460123"), &json!("+15550100"), &json!("twilio_sms"))
    );
    // After the end, the next message begins another conversation.
    let id = one["id"].as_str().expect("an id");
    house.post(&format!("/v1/conversations/{id}/end"), json!({})).await;
    // What Twilio brings once more then is known still.
    assert_eq!(texted(&house, &second, &signed(&second)).await, 200);
    assert!(live(&house).await.iter().all(|one| one["attributes"]["from"] != "+442079460123"));
    let third = form("SM4", "+442079460123", "One more thing");
    assert_eq!(texted(&house, &third, &signed(&third)).await, 200);
    let conversations = live(&house).await;
    assert!(conversations.len() == 2 && conversations.iter().all(|one| one["id"] != id));
    assert!(house.close().await);
}

#[tokio::test]
async fn sms_of_acs_come_by_event_grid_once() {
    let mut media_auth = MediaAuth::default();
    media_auth.add_event_grid("a-long-secret-16", "demo".into());
    let channels =
        ChannelDoors { acs: Some("acs_sms".into()), ..ChannelDoors::closed("demo".into()) };
    let house = House::open_with(Options { channels, media_auth, ..Options::default() }).await;
    let event = json!([{"id": "e-1", "topic": "/subscriptions/x", "subject": "/phonenumber/15550100",
        "eventType": "Microsoft.Communication.SMSReceived", "dataVersion": "1.0",
        "metadataVersion": "1", "eventTime": "2026-09-18T00:27:47Z",
        "data": {"messageId": "Incoming_1", "from": "+442079460123", "to": "+15550100",
            "message": "Where is my refund?", "receivedTimestamp": "2026-09-18T00:27:45.32Z"}}]);
    let deliver = async |secret: &str, body: &Value| {
        let path = format!("/v1/hooks/eventgrid?secret={secret}");
        let answer = house.client.post(house.url(&path)).json(body).send().await.expect("answers");
        house.checked(Method::POST, &path, answer).await
    };
    assert_eq!(deliver("a-wrong-secret-16", &event).await.0, 401);
    assert_eq!(
        deliver("a-long-secret-16", &event).await,
        (reqwest::StatusCode::OK, json!({"taken": 1}))
    );
    assert_eq!(deliver("a-long-secret-16", &event).await.1, json!({"taken": 0}));
    let conversations = live(&house).await;
    assert_eq!(conversations.len(), 1);
    let id = conversations[0]["id"].as_str().expect("an id");
    let log = logged(&house, id).await;
    assert_eq!(log.iter().filter(|(kind, _)| kind == "turn.final").count(), 1);
    // Event Grid brings it under another event's name, after the end.
    house.post(&format!("/v1/conversations/{id}/end"), json!({})).await;
    let mut again = event.clone();
    again[0]["id"] = json!("e-9");
    assert_eq!(deliver("a-long-secret-16", &again).await.0, 200);
    assert!(live(&house).await.is_empty(), "nobody has written again");
    let broken = json!([{"id": "e-2", "eventType": "Microsoft.Communication.SMSReceived",
        "data": {"from": "Jane Doe"}}]);
    let (status, problem) = deliver("a-long-secret-16", &broken).await;
    assert_eq!(status, 400);
    assert!(!problem.to_string().contains("Jane"), "{problem}");
    assert!(house.close().await);
}

/// Who signs activities, with a server that publishes keys as the Bot Framework does.
pub struct BotService {
    key: RsaKeyPair,
    pub url: String,
}

impl BotService {
    pub async fn start() -> Self {
        let key = RsaKeyPair::generate(KeySize::Rsa2048).expect("a key");
        let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let public = key.public_key();
        let jwk = json!({"kty": "RSA", "use": "sig", "kid": "k-1", "endorsements": ["msteams"],
            "e": number(public.exponent().big_endian_without_leading_zero()),
            "n": number(public.modulus().big_endian_without_leading_zero())});
        let mut plain = jwk.clone();
        plain["kid"] = json!("k-2");
        plain["endorsements"] = json!(["webchat"]);
        let keys = json!({"keys": [jwk, plain]});
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let metadata =
            json!({"issuer": "https://api.botframework.com", "jwks_uri": format!("{url}/keys")});
        let app = Router::new()
            .route("/metadata", get(move || std::future::ready(Json(metadata.clone()))))
            .route("/keys", get(move || std::future::ready(Json(keys.clone()))));
        tokio::spawn(async move { axum::serve(listener, app).await.expect("serves") });
        Self { key, url }
    }

    pub fn token(&self, key_id: &str, changes: &[(&str, Value)]) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        let mut claims = json!({"iss": "https://api.botframework.com", "aud": "bot-app",
            "exp": now + 3_600, "nbf": now - 1, "serviceurl": "https://smba.trafficmanager.net/emea/"});
        for (name, value) in changes {
            claims[*name] = value.clone();
        }
        let header = json!({"alg": "RS256", "kid": key_id, "typ": "JWT"});
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", part(&header), part(&claims));
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)
            .expect("it signs");
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

pub fn activity(id: &str, text: &str) -> Value {
    json!({"type": "message", "id": id, "channelId": "msteams",
        "serviceUrl": "https://smba.trafficmanager.net/emea/", "timestamp": "2026-11-01T23:10:08.519Z",
        "from": {"id": "29:ada", "name": "Ada Lovelace"}, "recipient": {"id": "28:bot", "name": "Help"},
        "conversation": {"id": "a:17I0kl8"}, "text": text})
}

#[tokio::test]
async fn a_message_in_teams_needs_the_frameworks_token() {
    let framework = BotService::start().await;
    let stranger = BotService::start().await;
    let tokens =
        BotTokens::new(&format!("{}/metadata", framework.url), "bot-app").expect("an address");
    let teams = TeamsDoor { connector: "teams_chat".into(), tokens };
    let channels = ChannelDoors { teams: Some(teams), ..ChannelDoors::closed("demo".into()) };
    let house = House::open_with(Options { channels, ..Options::default() }).await;
    let send = async |token: &str, body: &Value| {
        let request = house.client.post(house.url("/v1/channels/teams")).bearer_auth(token);
        let answer = request.json(body).send().await.expect("answers");
        house.checked(Method::POST, "/v1/channels/teams", answer).await.0.as_u16()
    };
    let good = framework.token("k-1", &[]);
    let message = activity("m-1", "My router is red");
    for forged in [
        framework.token("k-2", &[]),
        framework.token("k-3", &[]),
        framework.token("k-1", &[("aud", json!("another"))]),
        framework.token("k-1", &[("iss", json!("https://evil.example"))]),
        framework.token("k-1", &[("exp", json!(1_700_000_000))]),
        framework.token("k-1", &[("serviceurl", json!("https://evil.example/"))]),
        framework.token("k-1", &[("serviceurl", Value::Null)]),
        stranger.token("k-1", &[]),
        "nonsense".to_owned(),
    ] {
        assert_eq!(send(&forged, &message).await, 401);
    }
    assert!(live(&house).await.is_empty());
    for _ in 0..2 {
        assert_eq!(send(&good, &message).await, 200);
    }
    assert_eq!(send(&good, &activity("m-2", "And it blinks")).await, 200);
    let mut joined = activity("m-3", "");
    joined["type"] = json!("conversationUpdate");
    assert_eq!(send(&good, &joined).await, 200, "what is no message is left alone");
    assert_eq!(send(&good, &json!([1])).await, 400);

    let conversations = live(&house).await;
    assert_eq!(conversations.len(), 1);
    let one = &conversations[0];
    assert_eq!(
        (&one["turn_count"], &one["parties"][0]["name"]),
        (&json!(2), &json!("Ada Lovelace"))
    );
    assert_eq!(one["attributes"]["thread"], "https://smba.trafficmanager.net/emea/ a:17I0kl8");
    assert!(house.close().await);
}
