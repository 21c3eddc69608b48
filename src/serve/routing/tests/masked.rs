//! Card numbers don't get further than the door.

use super::*;

const CARD: &str = "4111 1111 1111 1111";

#[tokio::test]
async fn what_is_said_of_an_item_is_masked() {
    let served = Served::new().await;
    let offer = json!({
        "workstream": "records", "external_id": "550e8400-e29b-41d4-a716-446655440000",
        "attributes": {
            "note": format!("my card is {CARD}"), "number": 4_111_111_111_111_111_u64, CARD: true,
            "due_ms": 1_764_357_621_000_u64, "mobil": "+4915112345678", "from": "+8613812345678",
        },
        "intents": [{"label": format!("pay {CARD}"), "probability": 0.9}],
    });
    let (status, _) = served.ask("POST", "/v1/work-items", "agent", Some(offer)).await;
    assert_eq!(status, 201);
    let offers = served.house.told.offers.lock().unwrap();
    let text = |text: &str| FeatureValue::Text(text.to_owned());
    let kept: BTreeMap<&str, FeatureValue> =
        offers[0].attributes.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    let expected = BTreeMap::from([
        ("[card-1]", FeatureValue::Flag(true)),
        ("due_ms", FeatureValue::Number(1_764_357_621_000.0)),
        ("from", text("+8613812345678")),
        ("mobil", text("+4915112345678")),
        ("note", text("my card is [card-1]")),
        ("number", text("[card-1]")),
    ]);
    assert_eq!(kept, expected);
    assert_eq!(offers[0].intents[0].label, "pay [card-1]");
}

#[tokio::test]
async fn nothing_is_called_like_a_card() {
    let served = Served::new().await;
    let whole = json!({"id": "i-1", "workstream": "x"});
    for field in ["id", "conversation_id", "external_id", "workstream"] {
        let mut item = whole.clone();
        item[field] = json!(CARD);
        refused(&served, "/v1/work-items", item, field).await;
    }
    let mut item = whole.clone();
    item["preferred"] = json!([CARD]);
    refused(&served, "/v1/work-items", item, "preferred").await;
    assert!(served.house.told.offers.lock().unwrap().is_empty());
    served.ask("POST", "/v1/work-items", "admin", Some(whole)).await;
    for (step, field) in [("assign", "agent"), ("transfer", "agent"), ("transfer", "queue")] {
        refused(&served, &format!("/v1/work-items/i-1/{step}"), json!({field: CARD}), field).await;
    }
    assert!(served.house.told.steps.lock().unwrap().is_empty());
}

async fn refused(served: &Served, path: &str, body: Value, field: &str) {
    let (status, problem) = served.ask("POST", path, "admin", Some(body)).await;
    let detail = problem["detail"].as_str().unwrap_or_default();
    assert!(status == 422 && detail.starts_with(field), "{field}: {status} {problem}");
    assert!(!detail.contains("1111"), "it is not quoted: {problem}");
}
