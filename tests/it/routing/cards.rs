//! A card number that comes with work stays at the door: no file and no line of the log has it.

use std::fs::File;
use std::path::Path;
use std::sync::Mutex;

use reqwest::Method;
use serde_json::{Value, json};
use tracing_subscriber::EnvFilter;

use super::super::serve::harness::{ADAS_KEY, House, Options};
use super::{PLAN, item, presence, routed};

const CARD: &str = "4111111111111111";
const SPACED: &str = "4111 1111 1111 1111";
/// How it may stand in a file; a float is written with all its digits.
const SEEN: [&str; 4] = [CARD, SPACED, "4111%201111", "4.11111111"];

/// All bytes of all files, as far as they are text.
pub fn written(folder: &Path) -> String {
    let mut all = String::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        match entry.path() {
            path if path.is_dir() => all.push_str(&written(&path)),
            path => {
                let bytes = std::fs::read(path).expect("readable");
                all.push_str(&String::from_utf8_lossy(&bytes));
            }
        }
    }
    all
}

async fn refused(house: &House, path: &str, body: Value) {
    let (status, problem) = house.post(path, body).await;
    assert_eq!(status, 422, "{path}: {problem}");
    assert!(SEEN.iter().all(|card| !problem.to_string().contains(card)), "{problem}");
}

#[tokio::test]
async fn no_card_number_gets_into_a_file_or_a_log() {
    let (data, logs) = (tempfile::tempdir(), tempfile::tempdir());
    let (data, logs) = (data.expect("a folder"), logs.expect("a folder"));
    let log = File::create(logs.path().join("log")).expect("a file");
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new("it=trace,backchannel=trace,axum=trace,sqlx=trace"))
        .with_writer(Mutex::new(log))
        .finish();
    // With a second one each callsite asks whoever listens (tracing-core, `callsite::Dispatchers`).
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let guard = tracing::subscriber::set_default(subscriber);
    tracing::info!(target: "it", "the log is read");

    let folder = Some(data.path().to_owned());
    let active = PLAN.replace("shadow", "active");
    let house = House::open_with(Options { folder, ..routed(Some(&active)) }).await;
    presence(&house, "Emma", "available").await;
    let whole = json!({
        "id": "i-1", "workstream": "chats", "external_id": "WT1",
        "attributes": {"note": format!("it is {SPACED}"), "number": 4_111_111_111_111_111_u64, CARD: "mine"},
        "intents": [{"label": format!("pay with {CARD}"), "probability": 0.9}],
    });
    let (status, taken) = house.post("/v1/work-items", whole.clone()).await;
    assert_eq!((status.as_u16(), &taken["agent"]), (201, &json!("Emma")), "{taken}");
    for (field, value) in [
        ("id", json!(CARD)),
        ("external_id", json!(SPACED)),
        ("conversation_id", json!(CARD)),
        ("workstream", json!(CARD)),
        ("preferred", json!([SPACED])),
    ] {
        let mut wrong = whole.clone();
        wrong[field] = value;
        refused(&house, "/v1/work-items", wrong).await;
    }
    for (step, body) in [
        ("assign", json!({"agent": CARD})),
        ("transfer", json!({"agent": CARD})),
        ("transfer", json!({"queue": SPACED})),
    ] {
        refused(&house, &format!("/v1/work-items/i-1/{step}"), body).await;
    }
    // A conversation's name and a message's stand in many places.
    let chat = |id: &str| json!({"id": id, "channel": "chat"});
    refused(&house, "/v1/conversations", chat(CARD)).await;
    assert_eq!(house.post("/v1/conversations", chat("chat-1")).await.0, 201);
    let message = json!({"id": CARD, "role": "customer", "text": "hello"});
    refused(&house, "/v1/conversations/chat-1/turns", message).await;
    // What nobody knows is looked for, and not written down.
    for path in ["/v1/work-items/{}", "/v1/routing/decisions/{}"] {
        assert_eq!(house.get(&path.replace("{}", CARD)).await.0, 404, "{path}");
    }
    for step in ["accept", "decline", "end", "release"] {
        let path = format!("/v1/work-items/{CARD}/{step}");
        assert_eq!(house.post(&path, json!({})).await.0, 404, "{path}");
    }
    assert_eq!(house.get(&format!("/v1/routing/recommendations/{CARD}")).await.1, json!({}));
    let path = format!("/v1/routing/agents/{CARD}/presence");
    assert_eq!(house.post(&path, json!({"presence": "away"})).await.0, 404);
    assert!(house.close().await);
    drop(guard);
    let (data, log) = (written(data.path()), written(logs.path()));
    assert!(data.contains("pay with [card-1]"), "the files can be searched like this");
    assert!(log.contains("the log is read"), "{log}");
    for card in SEEN {
        assert!(!data.contains(card), "{card} is on the disk");
        assert!(!log.contains(card), "{card} is in the log");
    }
}

#[tokio::test]
async fn what_has_gone_to_somebody_else_is_theirs() {
    let house = House::open_with(routed(Some(&PLAN.replace("shadow", "active")))).await;
    presence(&house, "Ada", "available").await;
    let offer = json!({"id": "i-1", "workstream": "chats", "attributes": {"a": 1}});
    assert_eq!(house.post("/v1/work-items", offer.clone()).await.1["agent"], "Ada");
    let ada = |path: &'static str, body: Value| house.call_as(ADAS_KEY, Method::POST, path, body);
    assert_eq!(ada("/v1/work-items/i-1/accept", json!({})).await.0, 200);
    assert_eq!(ada("/v1/work-items", offer.clone()).await.0, 200, "it is hers");
    let path = "/v1/work-items/i-1/assign";
    assert_eq!(house.post(path, json!({"agent": "Emma"})).await.0, 200);
    for step in ["/v1/work-items/i-1/decline", "/v1/work-items/i-1/end"] {
        let (status, problem) = ada(step, json!({})).await;
        assert_eq!(status, 403, "{problem}");
    }
    assert_eq!(ada("/v1/work-items", offer).await.0, 403, "nor does she say what is known of it");
    assert_eq!(item(&house, "i-1").await["agent"], "Emma");
    let decision = item(&house, "i-1").await["decision_id"].as_str().expect("decided").to_owned();
    let event = house.store.event(&"demo".into(), &decision.as_str().into()).await;
    let event = event.expect("read").expect("a decision is found by its name");
    assert_eq!(&*event.kind, "route.recommended");
    assert!(house.close().await);
}
