//! A contact is erased, and the router has nothing of them any more.

use std::collections::BTreeMap;
use std::time::Duration;

use backchannel::domain::{Channel, ConversationStarted, Direction, EventBody};
use serde_json::json;

use super::super::serve::harness::{House, Options, ended};
use super::cards::written;
use super::{PLAN, item, offer, presence, routed};

/// Nobody else says it.
const WORD: &str = "zanzibarquagga";
const NUMBER: &str = "+442079460123";

fn chat() -> EventBody {
    EventBody::ConversationStarted(ConversationStarted {
        channel: Channel::Chat,
        direction: Direction::Inbound,
        external_id: None,
        parties: Vec::new(),
        attributes: BTreeMap::from([("from".to_owned(), NUMBER.to_owned())]),
    })
}

#[tokio::test]
async fn erasing_a_contact_reaches_their_work_in_memory_and_in_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = || Options { folder: Some(folder.path().to_owned()), ..routed(Some(PLAN)) };
    let house = House::open_with(options()).await;
    house.append("c-1", vec![chat()]).await;
    let work = json!({
        "id": "w-1", "workstream": "chats", "conversation_id": "c-1", "external_id": format!("case-{WORD}"),
        "attributes": {"note": WORD}
    });
    let (status, theirs) = house.post("/v1/work-items", work).await;
    assert!(status.is_success(), "{theirs}");
    let theirs = theirs["id"].as_str().expect("a name").to_owned();
    // Of no conversation, and it says whose it is.
    offer(&house, "w-2", json!({"phone": NUMBER, "note": WORD})).await;
    offer(&house, "w-3", json!({"note": "another"})).await;
    presence(&house, "Emma", "available").await;
    house.append("c-1", vec![ended()]).await;
    while item(&house, &theirs).await["state"] != "ended" {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let (_, decisions) = house.get("/v1/routing/decisions?limit=100").await;
    assert!(decisions.to_string().contains(WORD), "{decisions}");

    let (status, done) = house.post("/v1/erasures", json!({"contacts": [NUMBER]})).await;
    assert_eq!((status.as_u16(), &done["conversations"]), (200, &json!(["c-1"])), "{done}");
    for gone in [theirs.as_str(), "w-2"] {
        let (status, shown) = house.get(&format!("/v1/work-items/{gone}")).await;
        assert_eq!(status, 404, "{gone}: {shown}");
    }
    let (_, decisions) = house.get("/v1/routing/decisions?limit=100").await;
    assert!(!decisions.to_string().contains(WORD), "{decisions}");
    assert_eq!(item(&house, "w-3").await["state"], "waiting");
    assert!(!written(folder.path()).contains(WORD), "it stands in a file");
    assert!(house.close().await);
    assert!(!written(folder.path()).contains(WORD), "it stands in a file after the end");

    let house = House::open_with(options()).await;
    let (status, shown) = house.get("/v1/work-items/w-2").await;
    assert_eq!(status, 404, "{shown}");
    assert_eq!(item(&house, "w-3").await["state"], "waiting");
    assert!(house.close().await);
}
