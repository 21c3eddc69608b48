//! Batches of the service that can't go on now, those in the queue, and what is kept of those that are over.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use backchannel::config::Config;
use backchannel::domain::{
    Channel, ConversationEnded, ConversationStarted, Direction, EndReason, EventBody, NewEvent,
};
use backchannel::store::{SqliteStore, Store as _};
use jiff::Timestamp;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::conversation;
use super::providers::promise;
use super::service::{Service, files};
use crate::llm::fake::{Fake, Reply, Step, status};

/// The tenant of the demo's key.
const TENANT: &str = "demo";

/// Summaries by the provider, all else by nobody.
fn settle(config: &mut Config, fake: &Fake, budget: &str) {
    let text = format!(
        "chain = [\"extractive\"]\nchains = {{ summary = [\"lab\"] }}\nbudget = {{ {budget} }}\n\
         [providers.lab]\nkind = \"openai\"\nurl = \"{}\"\nmodel = \"tiny\"\nretries = 0\n",
        fake.url
    );
    config.generation = toml::from_str(&text).expect("settings");
    config.serve.batch_retry_seconds = 1;
}

async fn begin(service: &Service, wanted: Value) -> String {
    let (status, batch) = service.post("/v1/batches", &wanted).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{batch}");
    batch["id"].as_str().expect("an id").to_owned()
}

async fn cancel(service: &Service, id: &str) {
    let (status, batch) = service.post(&format!("/v1/batches/{id}/cancel"), &json!({})).await;
    assert_eq!((status, &batch["state"]), (StatusCode::OK, &json!("cancelled")), "{batch}");
}

fn items(data: &Path, id: &str) -> std::path::PathBuf {
    data.join("batches").join(id).join("items.jsonl")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_is_down_is_waited_for_also_over_a_restart() {
    let data = tempfile::tempdir().expect("a folder");
    let fake = Fake::new([status(503)]).await;
    let service = Service::with(data.path(), |config| settle(config, &fake, "")).await;
    let wanted = |what: &str| json!({"items": [conversation(1)], "what": [what]});
    let id = begin(&service, wanted("summary")).await;
    let batch = service.until(&id, |state| !matches!(state, "queued" | "running")).await;
    assert_eq!((&batch["state"], &batch["total"]), (&json!("waiting"), &json!(1)), "{batch}");
    assert!(batch["detail"].as_str().expect("why").contains("provider lab"), "{batch}");
    assert!(items(data.path(), &id).exists(), "it needs them again");

    let other = begin(&service, wanted("email")).await;
    assert_eq!(service.until_over(&other).await["state"], "done", "nobody holds it up");
    assert_ne!(service.until(&id, |_| true).await["state"], "done");

    // It is tried again by itself.
    let asked = fake.seen().len();
    service.until(&id, |_| fake.seen().len() > asked).await;
    service.stop().await;
    let service = Service::with(data.path(), |config| settle(config, &fake, "")).await;
    service.until(&id, |state| state == "waiting").await;
    fake.says([promise(11, 4)]);
    let batch = service.until_over(&id).await;
    assert_eq!((&batch["state"], &batch["written"]), (&json!("done"), &json!(1)), "{batch}");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenants_budget_is_waited_for_and_a_batchs_own_ends_it() {
    let data = tempfile::tempdir().expect("a folder");
    let fake = Fake::new([promise(11, 4)]).await;
    let service =
        Service::with(data.path(), |config| settle(config, &fake, "tokens_per_day = 9")).await;
    let wanted = json!({"items": [conversation(1)], "what": ["summary"], "budget_tokens": 5});
    let id = begin(&service, wanted).await;
    let batch = service.until(&id, |state| !matches!(state, "queued" | "running")).await;
    assert_eq!(batch["state"], "waiting", "{batch}");
    assert_eq!(batch["detail"], "the budget of tenant demo for today is used up", "{batch}");
    assert!(items(data.path(), &id).exists(), "it needs them again");
    service.stop().await;

    let service = Service::with(data.path(), |config| settle(config, &fake, "")).await;
    let batch = service.until_over(&id).await;
    assert_eq!(batch["state"], "stopped", "{batch}");
    assert_eq!(batch["detail"], "its budget is used up", "{batch}");
    assert_eq!(fake.seen().len(), 0);
    service.stop().await;
    assert!(!items(data.path(), &id).exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_queue_has_an_end_and_what_leaves_it_is_forgotten() {
    let data = tempfile::tempdir().expect("a folder");
    let silent = Reply::Stream(vec![Step::Pause(Duration::from_secs(60)), Step::Done]);
    let fake = Fake::new([silent]).await;
    let service = Service::with(data.path(), |config| settle(config, &fake, "")).await;
    let wanted = json!({"items": [conversation(1)], "what": ["summary"]});
    begin(&service, wanted.clone()).await;
    fake.are_open(1).await;
    let waiting = begin(&service, wanted.clone()).await;
    assert!(items(data.path(), &waiting).exists());
    cancel(&service, &waiting).await;
    assert!(!items(data.path(), &waiting).exists(), "the one before it still runs");

    let all = (0..130).map(|_| service.post("/v1/batches", &wanted));
    let answers = futures_util::future::join_all(all).await;
    let taken = answers.iter().filter(|(status, _)| *status == StatusCode::ACCEPTED).count();
    assert_eq!(taken, 99, "and the one that runs");
    for answer in answers.iter().filter(|(status, _)| *status == StatusCode::ACCEPTED).skip(1) {
        cancel(&service, answer.1["id"].as_str().expect("an id")).await;
    }
    service.stop().await;

    // As if the service had been killed before it took them away.
    std::fs::write(items(data.path(), &waiting), "{}\n").expect("written");
    let service = Service::with(data.path(), |config| settle(config, &fake, "")).await;
    assert!(!items(data.path(), &waiting).exists(), "it is over");
    service.stop().await;
}

/// An ended call of which the media side said a card's number for its own name.
async fn called(data: &Path) {
    let store = SqliteStore::open(data, Arc::new(|_: &[_]| ())).await.expect("the store opens");
    let started = EventBody::ConversationStarted(ConversationStarted {
        channel: Channel::Voice,
        direction: Direction::Inbound,
        external_id: Some("[card-1]".into()),
        parties: Vec::new(),
        attributes: Default::default(),
    });
    let ended = EventBody::ConversationEnded(ConversationEnded {
        reason: EndReason::Hangup,
        duration_ms: 9_000,
    });
    let events = [started, ended].map(|body| NewEvent::at(Timestamp::now(), body)).to_vec();
    store.append(&TENANT.into(), &"c-1".into(), events).await.expect("appended");
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_name_brings_a_card_onto_the_disk_and_lists_are_not_kept() {
    let data = tempfile::tempdir().expect("a folder");
    called(data.path()).await;
    let service = Service::with(data.path(), |_| ()).await;
    let card = "4539148803436467";
    let has = |what: &str| -> Vec<_> {
        let texts = files(data.path()).into_iter().map(|file| (std::fs::read(&file), file));
        let has_it = |text: Vec<u8>| String::from_utf8_lossy(&text).contains(what);
        texts.filter_map(|(text, file)| text.is_ok_and(has_it).then_some(file)).collect()
    };
    for (which, failed) in
        [(json!({"external_id": card}), 1), (json!({"ids": [card, "c-none-at-all"]}), 2)]
    {
        let id = begin(&service, json!({"conversations": which, "what": ["summary"]})).await;
        assert_eq!(has(card), [] as [std::path::PathBuf; 0], "{which}");
        let batch = service.until_over(&id).await;
        assert_eq!(
            (&batch["state"], &batch["failed"]),
            (&json!("done"), &json!(failed)),
            "{batch}"
        );
        assert_eq!(has(card), [] as [std::path::PathBuf; 0], "{which}");
    }
    service.stop().await;
    let kept = has("c-none-at-all");
    let names: Vec<_> = kept.iter().filter_map(|file| file.file_name()?.to_str()).collect();
    assert_eq!(names, ["out.jsonl.errors.jsonl"], "which says that there is none");
}

/// A client that hangs up after so long.
async fn hung_up(service: &Service, path: &str, body: &Value, after: Duration) {
    // Whether it was quick enough to be heard is what differs from try to try.
    let _ = tokio::time::timeout(after, service.post(path, body)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_hangs_up_leaves_nothing_half_done() {
    let data = tempfile::tempdir().expect("a folder");
    let service = Service::with(data.path(), |_| ()).await;
    let many: Vec<Value> = (0..300).map(conversation).collect();
    let mut cancelled = 0;
    for tenths_ms in 0..10_u64 {
        let id = begin(&service, json!({ "items": many })).await;
        service.until(&id, |state| state != "queued").await;
        let path = format!("/v1/batches/{id}/cancel");
        hung_up(&service, &path, &json!({}), Duration::from_micros(300 + 200 * tenths_ms)).await;
        // They go one after the other: when the next is over, this one stands still.
        let next = begin(&service, json!({"items": [conversation(1)]})).await;
        service.until_over(&next).await;
        let batch = service.until_over(&id).await;
        if batch["state"] == "cancelled" {
            cancelled += 1;
            let results = data.path().join("batches").join(&id).join("out.jsonl");
            assert!(!results.exists(), "it went on: {batch}");
        }
    }
    assert!(cancelled > 0, "no cancel was heard");

    for tenths_ms in 0..20_u64 {
        let wanted = json!({"items": [conversation(1)]});
        let after = Duration::from_micros(300 + 300 * tenths_ms);
        hung_up(&service, "/v1/batches", &wanted, after).await;
    }
    let last = begin(&service, json!({"items": [conversation(1)]})).await;
    service.until_over(&last).await;
    let all: Value = service.get("/v1/batches").await.json().await.expect("JSON");
    let listed = all["items"].as_array().expect("a list").len();
    let on_disk = std::fs::read_dir(data.path().join("batches")).expect("a folder").count();
    assert_eq!(listed, on_disk, "each that was begun can be seen");
    service.stop().await;
}
