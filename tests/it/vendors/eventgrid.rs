use backchannel::connect::telephony::auth::MediaAuth;
use reqwest::Method;
use serde_json::{Value, json};

use super::Door;
use crate::serve::harness::House;

pub const SECRET: &str = "a-long-secret+1";
const PATH: &str = "/v1/hooks/eventgrid?secret=a-long-secret%2B1";

pub fn auth() -> MediaAuth {
    let mut auth = MediaAuth::default();
    auth.add_event_grid(SECRET, "demo".into());
    auth
}

/// Delivers to the webhook; the answer is checked against the description.
pub async fn deliver(house: &House, kind: &str, body: &Value) -> (u16, Value) {
    let request = house.client.post(house.url(PATH)).header("content-type", kind);
    let answer = request.body(body.to_string()).send().await.expect("answers");
    let (status, body) = house.checked(Method::POST, PATH, answer).await;
    (status.as_u16(), body)
}

pub fn incoming_call(id: &str, correlation_id: &str, caller: &str) -> Value {
    json!([{"id": id, "topic": "/subscriptions/x", "subject": format!("/caller/{caller}/recipient/8:acs:r"),
        "data": {"to": {"kind": "unknown", "rawId": "8:acs:r"}, "from": {"kind": "unknown", "rawId": caller},
            "serverCallId": "s", "callerDisplayName": "", "incomingCallContext": "opaque",
            "correlationId": correlation_id},
        "eventType": "Microsoft.Communication.IncomingCall", "dataVersion": "1.0",
        "metadataVersion": "1", "eventTime": "2026-01-01T00:00:00Z"}])
}

#[tokio::test]
async fn a_subscription_is_validated_in_both_schemas() {
    let door = Door::open(auth()).await;
    let validation = json!([{"id": "v-1", "topic": "/subscriptions/x", "subject": "",
        "data": {"validationCode": "512d38b6-c7b8-40c8-89fe-f46f9e9622b6",
            "validationUrl": "https://rp.example/validate"},
        "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
        "eventTime": "2026-01-01T00:00:00Z", "metadataVersion": "1", "dataVersion": "1"}]);
    let code = "512d38b6-c7b8-40c8-89fe-f46f9e9622b6";
    // Whoever doesn't hear the answer asks again.
    for _ in 0..2 {
        let answer = deliver(&door.house, "application/json", &validation).await;
        assert_eq!(answer, (200, json!({"validationResponse": code})));
    }

    let request = door.house.client.request(Method::OPTIONS, door.house.url(PATH));
    let request = request.header("WebHook-Request-Origin", "eventgrid.azure.net");
    let answer = request.header("WebHook-Request-Rate", "120").send().await.expect("answers");
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["webhook-allowed-origin"], "eventgrid.azure.net");
    assert_eq!(answer.headers()["webhook-allowed-rate"], "*");
    assert_eq!(answer.headers()["allow"], "POST");
    let bare = door.house.client.request(Method::OPTIONS, door.house.url(PATH));
    let answer = bare.send().await.expect("answers");
    assert_eq!(door.house.checked(Method::OPTIONS, PATH, answer).await.0, 400);
}

#[tokio::test]
async fn events_count_once_and_others_do_no_harm() {
    let door = Door::open(auth()).await;
    let call = incoming_call("e-1", "corr-1", "4:+15551230001");
    for taken in [1, 0] {
        let answer = deliver(&door.house, "application/json", &call).await;
        assert_eq!(answer, (200, json!({"taken": taken})));
    }
    let cloud =
        json!({"specversion": "1.0", "id": "e-2", "source": "/x", "type": "x.y", "data": {}});
    let kind = "application/cloudevents+json; charset=utf-8";
    assert_eq!(deliver(&door.house, kind, &cloud).await, (200, json!({"taken": 1})));
    let (status, problem) = deliver(&door.house, "application/json", &json!("hello")).await;
    assert_eq!((status, &problem["type"]), (400, &json!("urn:backchannel:problem:malformed")));
    let known = door.calls.sockets.incoming.of(&"demo".into(), "corr-1").expect("remembered");
    assert_eq!(known.from, "4:+15551230001");
}

#[tokio::test]
async fn the_webhook_wants_its_secret() {
    let door = Door::open(auth()).await;
    for path in [
        "/v1/hooks/eventgrid",
        "/v1/hooks/eventgrid?secret=",
        "/v1/hooks/eventgrid?secret=a-long-secret%2B2",
        "/v1/hooks/eventgrid?code=a-long-secret%2B1",
    ] {
        for method in [Method::POST, Method::OPTIONS] {
            let request = door.house.client.request(method.clone(), door.house.url(path));
            let request = request.header("WebHook-Request-Origin", "eventgrid.azure.net");
            let answer = request.body("[]").send().await.expect("answers");
            assert_eq!(door.house.checked(method, path, answer).await.0, 401, "{path}");
        }
    }
}
