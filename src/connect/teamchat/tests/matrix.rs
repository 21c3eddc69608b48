use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::{Matrix, MatrixSettings};
use super::{PATIENCE, key, post};
use crate::connect::crm::played::{Asked, Play, Reply, Stage};
use crate::connect::destination::{DeliveryError, Destination as _};

const ROOM: &str = "!room:example.org";

/// A home server that forgets its transactions when told to, as real ones do after a day.
#[derive(Default)]
struct Home {
    events: Vec<Value>,
    transactions: BTreeMap<String, String>,
    error: Option<(u16, Value)>,
}

impl Play for Home {
    fn answer(&mut self, asked: &Asked) -> Reply {
        assert_eq!(asked.header("authorization"), Some("Bearer syt_secret"));
        if let Some((status, body)) = &self.error {
            return Reply::json(*status, body.clone());
        }
        let pieces = asked.pieces();
        assert_eq!(pieces[4], ROOM);
        if asked.method == "PUT" {
            let events = &mut self.events;
            let id = self.transactions.entry(pieces[7].clone()).or_insert_with(|| {
                let id = format!("$e{}", events.len());
                events.push(json!({
                    "event_id": id,
                    "sender": "@copilot:example.org",
                    "origin_server_ts": jiff::Timestamp::now().as_millisecond(),
                    "content": asked.body,
                }));
                id
            });
            return Reply::json(200, json!({ "event_id": id }));
        }
        let from: usize = asked.parameter("from").and_then(|text| text.parse().ok()).unwrap_or(0);
        let chunk: Vec<&Value> = self.events.iter().rev().skip(from).take(2).collect();
        let mut answer = json!({ "chunk": chunk });
        if from + chunk.len() < self.events.len() {
            answer["end"] = json!((from + chunk.len()).to_string());
        }
        Reply::json(200, answer)
    }
}

async fn home() -> (Stage<Home>, Matrix) {
    let stage = Stage::new(Home::default()).await;
    let settings = MatrixSettings {
        name: "matrix".to_owned(),
        url: stage.url(),
        token: "syt_secret".into(),
        user: "@copilot:example.org".to_owned(),
        patience: PATIENCE,
    };
    let matrix = Matrix::new(settings).expect("settings that can be used");
    (stage, matrix)
}

#[tokio::test]
async fn a_message_is_found_when_the_server_has_forgotten_its_transaction() {
    let (stage, matrix) = home().await;
    assert_eq!(matrix.delivered(&post(ROOM), &key("a")).await, Ok(None));
    let first = matrix.deliver(&post(ROOM), &key("a")).await.expect("posted");
    assert_eq!(matrix.deliver(&post(ROOM), &key("a")).await, Ok(first.clone()));
    for other in ["b", "c", "d"] {
        matrix.deliver(&post(ROOM), &key(other)).await.expect("posted");
    }
    stage.player().transactions.clear();
    assert_eq!(matrix.delivered(&post(ROOM), &key("a")).await, Ok(Some(first)));
    // The same words from somebody else are not ours.
    stage.player().events[0]["sender"] = json!("@eve:example.org");
    assert_eq!(matrix.delivered(&post(ROOM), &key("a")).await, Ok(None));
}

#[tokio::test]
async fn other_peoples_words_have_no_power() {
    let (stage, matrix) = home().await;
    matrix.deliver(&post(ROOM), &key("a")).await.expect("posted");
    let content = stage.player().events[0]["content"].clone();
    assert_eq!(content["m.mentions"], json!({}));
    assert_eq!(content["msgtype"], "m.notice");
    let html = content["formatted_body"].as_str().expect("HTML");
    assert!(!html.contains("<script") && !html.contains("<https"), "{html}");
    assert_eq!(html.matches("<a ").count(), 1, "{html}");
    assert!(html.contains("<a href=\"https://desk.example.org/c/c-1?a=1&amp;b=2\">"), "{html}");
    for text in [html, content["body"].as_str().expect("text")] {
        assert!(!text.contains("@room") && !text.contains("@here"), "{text}");
    }
}

#[tokio::test]
async fn errors_are_told_by_what_they_mean() {
    let (stage, matrix) = home().await;
    let refused = async |status, body| {
        stage.player().error = Some((status, body));
        matrix.deliver(&post(ROOM), &key("a")).await.expect_err("refused")
    };
    let limited =
        refused(429, json!({ "errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 1500 })).await;
    assert_eq!(
        limited,
        DeliveryError::Limited { retry_after: Some(std::time::Duration::from_millis(1500)) }
    );
    let forbidden = refused(403, json!({ "errcode": "M_FORBIDDEN", "error": "Zoe left" })).await;
    assert!(
        matches!(&forbidden, DeliveryError::Denied(why) if !why.contains("Zoe")),
        "{forbidden:?}"
    );
    assert!(matches!(
        refused(401, json!({ "errcode": "M_UNKNOWN_TOKEN" })).await,
        DeliveryError::Denied(_)
    ));
    assert!(matches!(refused(500, json!({})).await, DeliveryError::Unclear(_)));
    let room = matrix.deliver(&post("#alias:example.org"), &key("a")).await;
    assert!(matches!(room, Err(DeliveryError::Refused(_))), "{room:?}");
}
