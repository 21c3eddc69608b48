//! Erasing what is a contact's, through the door.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use backchannel::app::erasure::{BatchesGone, Beside, ErasureDoor, ErasureError};
use backchannel::app::gaps::GapDoor;
use backchannel::app::routing::RoutingDesk;
use backchannel::domain::*;
use backchannel::store::outbox::conformance::note;
use backchannel::store::{EventLog, Place};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::harness::*;

/// Beside the log of a house stand the questions, and what the router has.
struct Made(PathBuf, Arc<GapDoor>, RoutingDesk);

#[async_trait]
impl Beside for Made {
    fn folder(&self) -> &Path {
        &self.0
    }

    async fn forget_made(&self, tenant: &TenantId) -> Result<(), ErasureError> {
        self.1.forget(tenant).await?;
        Ok(self.2.forget(tenant).await?)
    }

    async fn forget_batches(
        &self,
        _: &TenantId,
        _: &[ConversationId],
        _: bool,
    ) -> Result<BatchesGone, ErasureError> {
        Ok(BatchesGone::default())
    }
}

pub fn door(
    log: Arc<EventLog>,
    folder: PathBuf,
    gaps: Arc<GapDoor>,
    routing: RoutingDesk,
) -> ErasureDoor {
    let beside = Made(folder.clone(), gaps, routing);
    ErasureDoor::new(log, Place::Folder(folder), Arc::new(beside), "GB".to_owned())
}

/// Nobody else says it.
const WORD: &str = "zanzibarquagga";
const NUMBER: &str = "+442079460123";

fn began(from: &str) -> EventBody {
    EventBody::ConversationStarted(ConversationStarted {
        channel: Channel::Voice,
        direction: Direction::Inbound,
        external_id: Some(format!("CA-{}", if from == NUMBER { WORD } else { "another" })),
        parties: Vec::new(),
        attributes: [("from".to_owned(), from.to_owned())].into(),
    })
}

/// What the CRM says of a conversation's customer.
fn known(id: &str, candidates: &[&str]) -> EventBody {
    let contact = |id: &str| Contact {
        id: id.to_owned(),
        name: Some(Redacted::vouched(format!("Ada {WORD}"))),
        ..Contact::default()
    };
    let identity = match candidates {
        [] => Identity::Known(Box::new(KnownContact {
            contact: contact(id),
            ..KnownContact::default()
        })),
        all => Identity::Ambiguous(all.iter().map(|id| contact(id)).collect()),
    };
    let connector = "main".to_owned();
    let context = CrmContext { connector, searched: None, identity, latency_ms: 1 };
    EventBody::CrmContext(Box::new(context))
}

fn times_in(folder: &Path) -> usize {
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            count += times_in(&path);
            continue;
        }
        let bytes = std::fs::read(&path).expect("a file");
        for word in [WORD, NUMBER] {
            count += bytes.windows(word.len()).filter(|piece| *piece == word.as_bytes()).count();
        }
    }
    count
}

async fn all_data(house: &House, count: usize) -> Vec<Value> {
    let mut stream = house.follow("/v1/events", Some("0")).await;
    let events = stream.take(count).await;
    events.into_iter().map(|event| event.envelope["data"].clone()).collect()
}

#[tokio::test]
async fn what_a_contact_said_is_gone_from_answers_streams_and_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = Options { folder: Some(folder.path().to_owned()), ..Options::default() };
    let house = House::open_with(options).await;
    let said = turn_saying("t-1", &format!("It is about {WORD}."));
    let question = abstained("t-1", &format!("What is {WORD}?"));
    house.append("c-1", vec![began(NUMBER), said, card("k-1"), question, ended()]).await;
    let (demo, one): (TenantId, ConversationId) = ("demo".into(), "c-1".into());
    let effect = vec![note("crm", WORD, "00ff")];
    house.outbox.post(&demo, &one, Vec::new(), effect).await.expect("posted");
    // The same person as the CRM knows them; one of several; and somebody else.
    house.append("c-2", vec![started(), known("7", &[]), ended()]).await;
    house.append("c-3", vec![started(), known("", &["8", "7"]), turn("t-2"), ended()]).await;
    house.append("c-4", vec![began("+442079460999"), turn("t-3"), ended()]).await;
    house.append_for("other", "c-5", vec![began(NUMBER), ended()]).await;
    let contacts = json!({"contacts": ["020 7946 0123", "id:7"]});

    let (status, would) = house
        .post("/v1/erasures", json!({"contacts": ["020 7946 0123", "id:7"], "dry_run": true}))
        .await;
    assert_eq!(status, 200, "{would}");
    assert_eq!(would["conversations"], json!(["c-1", "c-2"]));
    assert_eq!(would["audit_event"], Value::Null);
    assert_eq!(would["events"].as_array().map(Vec::len), Some(1), "the list of several: {would}");
    assert_eq!(all_data(&house, 15).await.iter().filter(|data| data["erased"] == true).count(), 0);

    let (status, done) = house.post("/v1/erasures", contacts.clone()).await;
    assert_eq!(status, 200, "{done}");
    assert_eq!(done["erased"]["events"], would["erased"]["events"]);
    assert_eq!(done["erased"]["conversations"], 2);
    assert_eq!(done["erased"]["deliveries"], 1);
    assert_eq!(done["by"], "Emma");
    let mut content = done.clone();
    let hash = content.as_object_mut().expect("an object").remove("sha256").expect("a hash");
    assert_eq!(hash.as_str().map(str::len), Some(64));

    // The answers tell that there was something, and not what.
    let (status, shown) = house.get("/v1/conversations/c-1").await;
    assert_eq!(status, 200, "{shown}");
    assert!(shown["erased_at"].is_string() && shown["turns"] == json!([]), "{shown}");
    assert_eq!((&shown["parties"], &shown["turn_count"]), (&json!([]), &json!(1)));
    let (_, other) = house.get("/v1/conversations/c-3").await;
    assert_eq!(other["turns"].as_array().map(Vec::len), Some(1), "it is somebody else's");
    assert!(other.get("erased_at").is_none() && other["crm"].is_null(), "{other}");
    let (_, outbox) = house.get("/v1/outbox").await;
    assert_eq!(outbox["items"], json!([]));
    let data = all_data(&house, 15).await;
    assert_eq!(data.iter().filter(|data| **data == json!({"erased": true})).count(), 9);
    let (_, gaps) = house.get("/v1/gaps").await;
    assert!(!gaps.to_string().contains(WORD), "{gaps}");

    // The audit log has it, and not who it was.
    let (_, log) = house.get("/v1/audit?limit=500").await;
    let entries = log["items"].as_array().expect("a list");
    let entry = entries.iter().find(|entry| entry["action"] == "contact.erased");
    let entry = entry.unwrap_or_else(|| panic!("{log}"));
    assert_eq!(entry["id"], done["audit_event"]);
    assert!(!log.to_string().contains("0123"), "{log}");

    // Again, nothing is left to go.
    let (status, again) = house.post("/v1/erasures", contacts).await;
    assert_eq!((status.as_u16(), &again["conversations"]), (200, &json!([])));
    // Another tenant's conversation with the same number stands.
    let (_, theirs) = house
        .call_as(
            OTHER_KEY,
            Method::POST,
            "/v1/erasures",
            json!({"contacts": [NUMBER], "dry_run": true}),
        )
        .await;
    assert_eq!(theirs["conversations"], json!(["c-5"]));
    let (status, _) =
        house.call_as(OTHER_KEY, Method::POST, "/v1/erasures", json!({"contacts": [NUMBER]})).await;
    assert_eq!(status, 200);
    assert_eq!(times_in(folder.path()), 0, "it stands in a file");
    assert!(house.close().await);
    assert_eq!(times_in(folder.path()), 0, "it stands in a file after the end");
}

#[tokio::test]
async fn a_call_that_goes_on_is_in_the_way_and_mistakes_are_told() {
    let house = House::open().await;
    house.append("c-1", vec![began(NUMBER), turn("t-1"), ended()]).await;
    house.append("c-2", vec![began(NUMBER), turn("t-2")]).await;
    let contacts = json!({"contacts": [NUMBER]});
    let (status, refused) = house.post("/v1/erasures", contacts.clone()).await;
    assert_eq!(status, 409, "{refused}");
    assert!(refused["detail"].as_str().is_some_and(|detail| detail.contains("c-2")), "{refused}");
    let (_, first) = house.get("/v1/conversations/c-1").await;
    assert_eq!(first["turns"].as_array().map(Vec::len), Some(1), "nothing went");
    house.append("c-2", vec![ended()]).await;
    let (status, done) = house.post("/v1/erasures", contacts).await;
    assert_eq!((status.as_u16(), &done["conversations"]), (200, &json!(["c-1", "c-2"])));

    for (body, status) in [
        (json!({}), 422),
        (json!({"contacts": [" "]}), 422),
        (json!({"contacts": ["phone:nobody"]}), 422),
        (json!({"conversations": ["c-none"]}), 404),
        (json!({"contact": NUMBER}), 422),
    ] {
        let (found, problem) = house.post("/v1/erasures", body).await;
        assert_eq!(found, status, "{problem}");
    }
    // The first one is whole.
    for wrong in ["+44 20 79", "email:ada", "ada@", "phone:nobody", "tel:1"] {
        let (status, problem) =
            house.post("/v1/erasures", json!({"contacts": [NUMBER, wrong], "dry_run": true})).await;
        assert_eq!(status, 422, "{wrong}: {problem}");
        let detail = problem["detail"].as_str().unwrap_or_default();
        assert!(detail.starts_with("contacts[1]: "), "{wrong}: {problem}");
    }
    let (status, _) =
        house.call_as(ADAS_KEY, Method::POST, "/v1/erasures", json!({"contacts": [NUMBER]})).await;
    assert_eq!(status, 403, "a knowledge manager erases nobody");
    assert!(house.close().await);
}

#[tokio::test]
async fn a_contact_is_found_however_they_are_written() {
    let house = House::open().await;
    let spellings = [
        "+44 (0)20 7946 0123",
        "sip:+442079460123@pbx.example.test",
        "Ada <sip:+442079460123@pbx.example.test>;tag=1",
        "tel:+44-20-7946-0123",
        "Ada <ada@example.test>",
    ];
    for (at, from) in spellings.iter().enumerate() {
        house.append(&format!("c-{at}"), vec![began(from), turn("t-1"), ended()]).await;
    }
    house.append("c-x", vec![began("Bo <bo@example.test>"), turn("t-1"), ended()]).await;
    house.append("c-y", vec![began("+44 (0)20 7946 0124"), turn("t-1"), ended()]).await;
    let contacts = json!({"contacts": ["+44 (0)20 7946 0123", "Ada@example.test"]});
    let (status, done) = house.post("/v1/erasures", contacts).await;
    assert_eq!(status, 200, "{done}");
    assert_eq!(done["contacts"][0]["value"], NUMBER, "{done}");
    assert_eq!(done["conversations"], json!(["c-0", "c-1", "c-2", "c-3", "c-4"]));
    assert!(house.close().await);
}

#[tokio::test]
async fn a_certificate_bears_the_hash_of_what_it_says() {
    let house = House::open().await;
    house.append("c-1", vec![began(NUMBER), turn("t-1"), ended()]).await;
    let body = json!({"conversations": ["c-1"]});
    let request = house.client.post(house.url("/v1/erasures")).bearer_auth(KEY).json(&body);
    let text = request.send().await.expect("answers").text().await.expect("text");
    let (content, rest) = text.split_once(r#","sha256":""#).expect("a hash at the end");
    let digest = Sha256::digest(format!("{content}}}").as_bytes());
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(rest, format!("{digest}\"}}"));
    assert!(house.close().await);
}

#[tokio::test]
async fn a_log_that_was_replaced_is_named_until_it_is_removed() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = Options { folder: Some(folder.path().to_owned()), ..Options::default() };
    let house = House::open_with(options).await;
    let old = folder.path().join("replaced-20260102T030405Z");
    std::fs::create_dir(&old).expect("a folder");
    house.append("c-1", vec![began(NUMBER), turn("t-1"), ended()]).await;
    let body = json!({"conversations": ["c-1"]});
    let names_it = |done: &Value| {
        let remains = done["remains"].as_array().expect("a list");
        let old = old.display().to_string();
        remains.iter().any(|one| one.as_str().is_some_and(|one| one.starts_with(&old)))
    };
    let (status, done) = house.post("/v1/erasures", body.clone()).await;
    assert!(status == 200 && names_it(&done), "{done}");
    std::fs::remove_dir(&old).expect("removed");
    let (status, done) = house.post("/v1/erasures", body).await;
    assert!(status == 200 && !names_it(&done), "{done}");
    assert!(house.close().await);
}
