//! Batches over the API of the whole service, also when it is stopped in between.

use std::path::Path;
use std::time::{Duration, Instant};

use backchannel::app::{Access, App};
use backchannel::config::Config;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::conversation;

const PATIENCE: Duration = Duration::from_secs(60);

pub(super) struct Service {
    access: Access,
    stop: tokio_util::sync::CancellationToken,
    running: tokio::task::JoinHandle<()>,
    client: reqwest::Client,
}

impl Service {
    async fn start(data: &Path) -> Self {
        Self::with(data, |_| ()).await
    }

    pub(super) async fn with(data: &Path, settle: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        settle(&mut config);
        config.serve.listen.set_port(0);
        config.store.folder = data.to_owned();
        let app = App::build(config, true).await.expect("`make models` has pulled what it needs");
        let (mut access, stop) = (app.access().clone(), app.stop_token());
        access.api_key.get_or_insert_default();
        let running = tokio::spawn(async move { app.run(|_| ()).await.expect("an orderly end") });
        Self { access, stop, running, client: reqwest::Client::new() }
    }

    pub(super) async fn stop(self) {
        self.stop.cancel();
        self.running.await.expect("no panic");
    }

    pub(super) async fn get(&self, path: &str) -> reqwest::Response {
        let request = self.client.get(format!("{}{path}", self.access.url));
        let key = self.access.api_key.as_deref().unwrap_or_default();
        request.bearer_auth(key).send().await.expect("answers")
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        let request = self.client.post(format!("{}{path}", self.access.url)).json(body);
        let key = self.access.api_key.as_deref().unwrap_or_default();
        let answer = request.bearer_auth(key).send().await.expect("answers");
        (answer.status(), answer.json().await.unwrap_or(Value::Null))
    }

    async fn delete(&self, path: &str) -> StatusCode {
        let request = self.client.delete(format!("{}{path}", self.access.url));
        let key = self.access.api_key.as_deref().unwrap_or_default();
        request.bearer_auth(key).send().await.expect("answers").status()
    }

    pub(super) async fn until_over(&self, id: &str) -> Value {
        self.until(id, |state| !matches!(state, "queued" | "running" | "waiting")).await
    }

    pub(super) async fn until(&self, id: &str, is_so: impl Fn(&str) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let batch: Value =
                self.get(&format!("/v1/batches/{id}")).await.json().await.expect("JSON");
            if is_so(batch["state"].as_str().expect("a state")) {
                return batch;
            }
            assert!(begun.elapsed() < PATIENCE, "{batch}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_is_done_over_a_restart() {
    let data = tempfile::tempdir().expect("a folder");
    let service = Service::start(data.path()).await;
    let mut items: Vec<Value> = (0..300).map(conversation).collect();
    items.push(json!({"id": "bad", "turns": "x".repeat(3)}));
    items.push(json!({"id": "worse", "turns": [{"role": "parrot", "text": "x"}]}));
    let mut ids = Vec::new();
    for _ in 0..6 {
        let wanted = json!({"items": items, "what": ["summary", "followups"]});
        let (status, batch) = service.post("/v1/batches", &wanted).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{batch}");
        ids.push(batch["id"].as_str().expect("an id").to_owned());
    }
    let (_, cancelled) = service.post(&format!("/v1/batches/{}/cancel", ids[5]), &json!({})).await;
    assert!(cancelled["id"] == ids[5].as_str(), "{cancelled}");
    // Somewhere in the middle of them.
    service.stop().await;
    let service = Service::start(data.path()).await;
    let mut first = None;
    for id in &ids[..5] {
        let batch = service.until_over(id).await;
        assert_eq!(batch["state"], "done", "{batch}");
        assert_eq!((batch["written"].as_u64(), batch["failed"].as_u64()), (Some(300), Some(2)));
        let results = service.get(batch["results"].as_str().expect("a link")).await;
        assert_eq!(results.headers()["content-type"], "application/x-ndjson");
        let results = results.text().await.expect("text");
        assert_eq!(results.lines().count(), 300);
        assert_eq!(*first.get_or_insert_with(|| results.clone()), results);
        let errors = service.get(batch["errors"].as_str().expect("a link")).await;
        let errors = errors.text().await.expect("text");
        assert!(errors.contains("turns[0].role") && errors.lines().count() == 2, "{errors}");
    }
    assert_eq!(service.until_over(&ids[5]).await["state"], "cancelled");
    let all: Value = service.get("/v1/batches").await.json().await.expect("JSON");
    assert_eq!(all["items"].as_array().map(Vec::len), Some(6));
    assert_eq!(all["items"][0]["id"], ids[5].as_str());

    let (status, refused) = service.post("/v1/batches", &json!({"conversations": {}})).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{refused}");
    let unknown = json!({"conversations": {"ids": ["c-none"]}, "what": ["summary"]});
    let (_, batch) = service.post("/v1/batches", &unknown).await;
    let batch = service.until_over(batch["id"].as_str().expect("an id")).await;
    assert_eq!((batch["state"].as_str(), batch["failed"].as_u64()), (Some("done"), Some(1)));
    service.stop().await;
}

pub(super) fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    // One may be renamed or removed while we look.
    let entries = walkdir::WalkDir::new(folder).into_iter().flatten();
    entries.filter(|entry| entry.file_type().is_file()).map(|entry| entry.into_path()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_raw_is_kept_and_a_batch_can_be_removed() {
    let data = tempfile::tempdir().expect("a folder");
    let service = Service::start(data.path()).await;
    let mut items: Vec<Value> = (0..300).map(conversation).collect();
    items.push(json!({"id": "4539148803436467", "turns": [
        {"role": "customer", "name": "4539 1488 0343 6467", "text": "My lamp broke, card 4539148803436467."},
        {"role": "agent", "text": "I will send you a new lamp tomorrow."}]}));
    items.push(json!({"id": "odd", "turns": [{"role": "4539148803436467", "text": "x"}]}));
    let (_, batch) = service.post("/v1/batches", &json!({"items": items})).await;
    let id = batch["id"].as_str().expect("an id").to_owned();
    let (_, waiting) = service.post("/v1/batches", &json!({"items": items})).await;
    let waiting = waiting["id"].as_str().expect("an id").to_owned();
    let no_card = || {
        for file in files(data.path()) {
            let Ok(bytes) = std::fs::read(&file) else { continue };
            let text = String::from_utf8_lossy(&bytes);
            let has_card = text.contains("4539148803436467") || text.contains("0343 6467");
            assert!(!has_card, "{}", file.display());
        }
    };
    no_card();
    let path = format!("/v1/batches/{waiting}");
    assert_eq!(service.delete(&path).await, StatusCode::CONFLICT, "it isn't over");
    service.post(&format!("{path}/cancel"), &json!({})).await;
    let batch = service.until_over(&id).await;
    assert_eq!((batch["written"].as_u64(), batch["failed"].as_u64()), (Some(301), Some(1)));
    no_card();
    let begun = Instant::now();
    while files(data.path()).iter().any(|file| file.ends_with("items.jsonl")) {
        assert!(begun.elapsed() < PATIENCE, "what came in is kept");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for id in [&id, &waiting] {
        let path = format!("/v1/batches/{id}");
        assert_eq!(service.delete(&path).await, StatusCode::NO_CONTENT);
        assert_eq!(service.delete(&path).await, StatusCode::NOT_FOUND);
        assert!(
            files(data.path()).iter().all(|file| !file.to_string_lossy().contains(id.as_str()))
        );
    }
    service.stop().await;
    let service = Service::start(data.path()).await;
    assert_eq!(service.get(&format!("/v1/batches/{id}")).await.status(), StatusCode::NOT_FOUND);
    service.stop().await;
}
