//! The whole service with its real models: cards for what is typed, a hundred conversations at once, and what
//! becomes of them when the service stops.

use std::time::Duration;

use backchannel::app::Access;
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::super::service::{PATIENCE, key, kind, service};

struct Client {
    access: Access,
    http: reqwest::Client,
}

impl Client {
    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        let request = self.http.post(format!("{}{path}", self.access.url));
        let answer =
            request.bearer_auth(key(&self.access)).json(&body).send().await.expect("answers");
        (answer.status().as_u16(), answer.json().await.expect("JSON"))
    }

    async fn get(&self, path: &str) -> Value {
        let request = self.http.get(format!("{}{path}", self.access.url));
        let answer = request.bearer_auth(key(&self.access)).send().await.expect("answers");
        answer.json().await.expect("JSON")
    }

    async fn open(&self, id: &str) {
        let (status, _) =
            self.post("/v1/conversations", json!({"id": id, "channel": "chat"})).await;
        assert!(matches!(status, 200 | 201));
    }

    /// The conversation's events from its beginning until one of this kind.
    async fn until(&self, id: &str, wanted: &str) -> Vec<Value> {
        timeout(PATIENCE, self.found(id, wanted))
            .await
            .unwrap_or_else(|_| panic!("no {wanted} in {id}"))
    }

    /// Until the articles' vectors are there: before, fewer cards are sure enough.
    async fn rested(&self) {
        let begun = std::time::Instant::now();
        while self.get("/v1/system").await["degraded"].to_string().contains("knowledge_vectors") {
            assert!(begun.elapsed() < 4 * PATIENCE, "the vectors never come");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn found(&self, id: &str, wanted: &str) -> Vec<Value> {
        let request = self.http.get(format!("{}/v1/conversations/{id}/events", self.access.url));
        let request = request.bearer_auth(key(&self.access)).header("Last-Event-ID", "0");
        let mut bytes = request.send().await.expect("answers").bytes_stream();
        let mut read = Vec::new();
        loop {
            let text = String::from_utf8_lossy(&read).into_owned();
            let lines = text.lines().filter_map(|line| line.strip_prefix("data: "));
            let events: Vec<Value> =
                lines.filter_map(|line| serde_json::from_str(line).ok()).collect();
            if events.iter().any(|event| kind(event) == wanted) {
                return events;
            }
            let chunk = timeout(PATIENCE, bytes.next()).await.expect("in time");
            read.extend_from_slice(&chunk.expect("the stream goes on").expect("bytes"));
        }
    }
}

const QUESTION: &str = "My direct debit was taken twice. When do I get the second payment back?";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_chats_get_their_cards_and_live_through_a_restart() {
    let data = tempfile::tempdir().expect("a folder");
    let start = async || {
        let app = service(data.path()).await;
        let (access, stop) = (app.access().clone(), app.stop_token());
        let running = tokio::spawn(app.run(|_| ()));
        (Client { access, http: reqwest::Client::new() }, stop, running)
    };
    let (client, stop, running) = start().await;
    client.rested().await;
    // The articles' vectors come a moment after the start; until then such a question gets no card.
    for attempt in 0..30 {
        let id = format!("first-{attempt}");
        client.open(&id).await;
        let message = json!({"id": "m1", "role": "customer", "text": QUESTION});
        client.post(&format!("/v1/conversations/{id}/turns"), message).await;
        let card = client.found(&id, "suggestion.offered");
        if timeout(Duration::from_secs(2), card).await.is_ok() {
            break;
        }
    }
    let names: Vec<String> = (0..100).map(|number| format!("chat-{number}")).collect();
    let chats = names.iter().enumerate().map(|(number, id)| {
        let client = &client;
        async move {
            // A hundred at once don't all write in the same moment.
            tokio::time::sleep(Duration::from_millis(50 * number as u64)).await;
            client.open(id).await;
            let message = json!({"id": "m1", "role": "customer", "text": QUESTION});
            let (status, _) = client.post(&format!("/v1/conversations/{id}/turns"), message).await;
            assert_eq!(status, 201);
            let events = client.until(id, "suggestion.offered").await;
            let card = events.into_iter().find(|one| kind(one) == "suggestion.offered");
            let cited = card.expect("there is one")["data"]["citations"][0]["article_id"].clone();
            assert!(cited.as_str().is_some_and(|id| id.starts_with("billing/")), "{cited}");
        }
    });
    futures_util::future::join_all(chats).await;
    // Half a card number is said when the service goes.
    let path = "/v1/conversations/chat-0/turns";
    client.post(path, json!({"id": "m2", "role": "customer", "text": "It is 4539 1488"})).await;
    stop.cancel();
    timeout(PATIENCE, running).await.expect("in time").expect("no panic").expect("an orderly end");

    let (client, stop, running) = start().await;
    let live = client.get("/v1/conversations?limit=500").await;
    let is_chat = |one: &&Value| one["id"].as_str().is_some_and(|id| id.starts_with("chat-"));
    let chats = live["items"].as_array().expect("items").iter().filter(is_chat).count();
    assert_eq!(chats, 100, "none has ended");
    let (status, _) =
        client.post(path, json!({"id": "m1", "role": "customer", "text": QUESTION})).await;
    assert_eq!(status, 200, "what was taken before is known");
    let (status, third) =
        client.post(path, json!({"id": "m3", "role": "customer", "text": "0343 6467"})).await;
    assert_eq!((status, &third["turn_id"]), (201, &json!("t-3")));
    let (status, _) = client.post("/v1/conversations/chat-0/end", json!({})).await;
    assert_eq!(status, 200);
    let events = client.until("chat-0", "conversation.ended").await;
    let kinds: Vec<&str> = events.iter().map(kind).collect();
    assert!(kinds.contains(&"wrapup.summary"), "{kinds:?}");
    let all = Value::from_iter(events).to_string();
    assert!(!all.contains("4539 1488") && !all.contains("0343 6467"), "the number stays masked");
    stop.cancel();
    timeout(PATIENCE + Duration::from_secs(10), running)
        .await
        .expect("in time")
        .expect("no panic")
        .expect("an orderly end");
}
