//! Replies over the vendors' APIs, with vendors of our own: once, also when an answer is lost.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::IntoResponse;
use axum::{Json, Router};
use backchannel::connect::channels::{acs_sms, teams, twilio_sms};
use backchannel::connect::destination::{DeliveryError, Destination, RemoteId};
use backchannel::domain::{
    ChannelReply, DedupeKey, Delivery, DeliveryMove, DeliveryState, Effect, NewDelivery, NewEvent,
    Progress, Redacted,
};
use backchannel::store::DeliveryQuery;
use jiff::Timestamp;
use reqwest::Url;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::super::serve::harness::{House, started};

/// What a vendor was asked, and what it answers next.
#[derive(Default)]
struct Vendor {
    asked: Vec<(String, HeaderMap, String)>,
    messages: Vec<Value>,
    /// Does it, and breaks the answer off.
    loses_answers: bool,
    answer: Value,
}

type Shared = Arc<Mutex<Vendor>>;

async fn vendor() -> (Shared, Url) {
    let shared = Shared::default();
    let app = Router::new().fallback(answer).with_state(shared.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    tokio::spawn(async move { axum::serve(listener, app).await.expect("serves") });
    (shared, Url::parse(&url).expect("an address"))
}

async fn answer(
    State(shared): State<Shared>,
    method: axum::http::Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> axum::response::Response {
    let mut vendor = shared.lock().expect("no panic");
    let body = String::from_utf8_lossy(&body).into_owned();
    vendor.asked.push((format!("{method} {uri}"), headers, body.clone()));
    if uri.path().ends_with("/token") {
        return Json(json!({"access_token": "t", "expires_in": 3_600})).into_response();
    }
    if !uri.path().ends_with("Messages.json") {
        return (StatusCode::ACCEPTED, Json(vendor.answer.clone())).into_response();
    }
    if method == axum::http::Method::GET {
        return Json(json!({"messages": vendor.messages})).into_response();
    }
    let field = |name: &str| {
        let url = Url::parse(&format!("http://localhost/?{body}")).expect("a form");
        url.query_pairs().find(|(one, _)| one == name).map(|(_, value)| value.into_owned())
    };
    let sid = format!("SM{}", vendor.messages.len() + 1);
    let message = sms(&sid, &field("Body").unwrap_or_default());
    vendor.messages.push(message.clone());
    match vendor.loses_answers {
        true => StatusCode::BAD_GATEWAY.into_response(),
        false => (StatusCode::CREATED, Json(message)).into_response(),
    }
}

fn sms(sid: &str, body: &str) -> Value {
    let now = jiff::fmt::rfc2822::to_string(&Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC));
    json!({"sid": sid, "to": "+442079460123", "from": "+15550100", "body": body,
        "direction": "outbound-api", "date_created": now.expect("a date"), "status": "queued"})
}

fn reply(turn: &str, text: &str) -> Effect {
    Effect::SendReply(ChannelReply {
        conversation: "c-1".into(),
        turn: turn.into(),
        from: "+15550100".into(),
        to: "+442079460123".into(),
        text: Redacted::vouched(text),
        in_reply_to: None,
        answers: Vec::new(),
        written_at: Timestamp::now(),
    })
}

fn key(turn: &str) -> DedupeKey {
    DedupeKey::of(&["reply", "c-1", turn])
}

async fn twilio(house: &House, url: &Url) -> twilio_sms::TwilioSms {
    let settings = twilio_sms::Settings {
        name: "twilio_sms".into(),
        url: url.clone(),
        account_sid: "AC1".into(),
        auth_token: "secret".into(),
        patience: Duration::from_secs(5),
    };
    twilio_sms::TwilioSms::new(settings, house.outbox.clone(), "demo".into()).expect("settings")
}

#[tokio::test]
async fn twilio_is_asked_for_a_message_whose_answer_was_lost() {
    let house = House::open().await;
    let (vendor, url) = vendor().await;
    let sms_of = twilio(&house, &url).await;
    let first = reply("t-1", "Ok.");
    assert_eq!(sms_of.delivered(&first, &key("t-1")).await, Ok(None), "nothing was sent yet");
    vendor.lock().expect("no panic").loses_answers = true;
    let lost = sms_of.deliver(&first, &key("t-1")).await;
    assert!(matches!(lost, Err(DeliveryError::Unclear(_))), "{lost:?}");
    let found = sms_of.delivered(&first, &key("t-1")).await;
    assert_eq!(found, Ok(Some(RemoteId("SM1".into()))));

    // The same words again: the first message is known to be the first reply, so it isn't this one.
    let new = NewDelivery {
        destination: "twilio_sms".into(),
        key: key("t-1"),
        lane: "c-1".into(),
        effect: first,
        from: None,
        by: None,
        created_at: Timestamp::now(),
    };
    let opened = NewEvent::at(Timestamp::now(), started());
    let outbox = &house.outbox;
    outbox.post(&"demo".into(), &"c-1".into(), vec![opened], vec![new]).await.expect("posted");
    let page = outbox.deliveries(&DeliveryQuery::all("demo".into())).await.expect("read");
    done(&house, &page.items[0], "SM1").await;
    let second = reply("t-2", "Ok.");
    assert_eq!(sms_of.delivered(&second, &key("t-2")).await, Ok(None));

    // Other words that nobody knows of may be these, as Twilio changed them: a person has to look.
    vendor.lock().expect("no panic").messages.push(sms("SM9", "Ok?"));
    let unsure = sms_of.delivered(&second, &key("t-2")).await;
    assert!(matches!(unsure, Err(DeliveryError::Undecided(_))), "{unsure:?}");
    // A list of somebody else's messages is no list of ours.
    vendor.lock().expect("no panic").messages[0]["to"] = json!("+442079460999");
    let ignored = sms_of.delivered(&second, &key("t-2")).await;
    assert!(matches!(ignored, Err(DeliveryError::Untrusted(_))), "{ignored:?}");

    let long = sms_of.deliver(&reply("t-3", &"x".repeat(1_601)), &key("t-3")).await;
    assert!(matches!(long, Err(DeliveryError::Refused(_))));
    let asked = &vendor.lock().expect("no panic").asked;
    assert!(
        asked.iter().all(|(_, headers, _)| headers["authorization"] == "Basic QUMxOnNlY3JldA==")
    );
    drop(house);
}

async fn done(house: &House, delivery: &Delivery, sid: &str) {
    let mut from = DeliveryState::Waiting;
    for state in [DeliveryState::Sending, DeliveryState::Done] {
        let to = Progress { state, remote_id: Some(sid.to_owned()), ..delivery.progress.clone() };
        let step = DeliveryMove {
            tenant: delivery.tenant.clone(),
            conversation: delivery.conversation.clone(),
            position: delivery.position,
            from,
            to,
        };
        house.outbox.advance(step, Vec::<NewEvent>::new()).await.expect("moved");
        from = state;
    }
}

#[tokio::test]
async fn acs_gets_the_same_repeatable_request_each_time() {
    let (vendor, endpoint) = vendor().await;
    let settings = acs_sms::Settings {
        name: "acs_sms".into(),
        endpoint,
        access_key: b"a key".to_vec(),
        patience: Duration::from_secs(5),
    };
    let acs = acs_sms::AcsSms::new(settings).expect("settings");
    vendor.lock().expect("no panic").answer = json!({"value": [{"to": "+442079460123",
        "messageId": "Outgoing_1", "httpStatusCode": 202, "successful": true}]});
    let effect = reply("t-1", "It was paid on Monday.");
    for _ in 0..2 {
        let sent = acs.deliver(&effect, &key("t-1")).await;
        assert_eq!(sent, Ok(RemoteId("Outgoing_1".into())));
    }
    assert_eq!(acs.delivered(&effect, &key("t-1")).await, Ok(None), "repeating it is safe");
    let vendor = vendor.lock().expect("no panic");
    let [(line, headers, body), (_, _, again)] = &vendor.asked[..] else { panic!("two requests") };
    assert_eq!(line, "POST /sms?api-version=2021-03-07");
    assert!(headers["authorization"].to_str().is_ok_and(|value| {
        value.starts_with("HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=")
    }));
    let (body, again): (Value, Value) =
        (serde_json::from_str(body).expect("JSON"), serde_json::from_str(again).expect("JSON"));
    assert_eq!(body, again, "the same id, and the same first time");
    assert_eq!(
        (&body["message"], &body["from"]),
        (&json!("It was paid on Monday."), &json!("+15550100"))
    );
}

#[tokio::test]
async fn teams_gets_plain_text_in_its_own_conversation() {
    let (vendor, url) = vendor().await;
    let settings = teams::Settings {
        name: "teams_chat".into(),
        app_id: "bot-app".into(),
        app_secret: "secret".into(),
        tenant: "botframework.com".into(),
        login_url: url.clone(),
        service_origins: vec![url.clone()],
        patience: Duration::from_secs(5),
    };
    let bot = teams::Teams::new(settings).expect("settings");
    vendor.lock().expect("no panic").answer = json!({"id": "1485983408511"});
    let Effect::SendReply(plain) = reply("t-1", "<b>Hello</b>") else { panic!("a reply") };
    let effect =
        Effect::SendReply(ChannelReply { in_reply_to: Some(format!("{url}emea/ a:1")), ..plain });
    let sent = bot.deliver(&effect, &key("t-1")).await;
    assert_eq!(sent, Ok(RemoteId("1485983408511".into())));
    let lost = bot.delivered(&effect, &key("t-1")).await;
    assert!(matches!(lost, Err(DeliveryError::Undecided(_))), "nobody can ask Teams");
    let nowhere = bot.deliver(&reply("t-2", "x"), &key("t-2")).await;
    assert!(matches!(nowhere, Err(DeliveryError::Refused(_))), "{nowhere:?}");
    let vendor = vendor.lock().expect("no panic");
    let (line, headers, body) = vendor.asked.last().expect("asked");
    assert_eq!(line, "POST /emea/v3/conversations/a%3A1/activities");
    assert_eq!(headers["authorization"], "Bearer t");
    let body: Value = serde_json::from_str(body).expect("JSON");
    assert_eq!((&body["textFormat"], &body["text"]), (&json!("plain"), &json!("<b>Hello</b>")));
}
