//! Conversations that are typed: through the public doors, over real sockets.

mod replayed;
mod replies;
mod restart;
mod sending;
mod texts;
mod threads;
mod vault;
mod vendors;
mod webchat;

use backchannel::store::ReadQuery;
use serde_json::{Value, json};

use super::serve::harness::House;

/// A chat with a customer and an agent; its name.
pub async fn chat(house: &House) -> String {
    let body = json!({"channel": "chat", "parties": [{"role": "customer"}, {"role": "agent"}]});
    let (status, opened) = house.post("/v1/conversations", body).await;
    assert_eq!(status, 201, "{opened}");
    opened["id"].as_str().expect("an id").to_owned()
}

pub async fn say(house: &House, id: &str, role: &str, text: &str) -> Value {
    let path = format!("/v1/conversations/{id}/turns");
    let (status, taken) = house.post(&path, json!({"role": role, "text": text})).await;
    assert_eq!(status, 201, "{taken}");
    taken
}

/// Kinds and data of a conversation's events, as they stand in the log.
pub async fn logged(house: &House, id: &str) -> Vec<(String, Value)> {
    let query = ReadQuery::all("demo".into(), 0).of(id.into());
    let events = house.store.read(&query).await.expect("read");
    let pair = |data: &str| serde_json::from_str(data).expect("JSON");
    events.iter().map(|event| (event.kind.to_string(), pair(&event.data))).collect()
}
