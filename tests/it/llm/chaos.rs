//! A slow and lying provider: half of its answers are errors, some never come, some are no JSON. It is soon left alone, and
//! what needs no model comes as if there were none.

use std::time::{Duration, Instant};

use backchannel::models::WritingTask;
use rand::Rng as _;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::fake::{Fake, Reply, Step, answer, status};
use super::guarded::{asked, writers};
use super::{live, write};
use crate::seed;
use crate::service::{PATIENCE, key};

const STALL: Duration = Duration::from_secs(30);
/// Conversations of the short form; `BACKCHANNEL_LYING_CALLS=200` is a long one.
const CONVERSATIONS: u32 = 5;
const QUESTION: &str = "My direct debit was taken twice. When do I get the second payment back?";

fn lies(random: &mut StdRng) -> Vec<Reply> {
    let one = |_| match random.random_range(0..8) {
        0..4 => status(500),
        4 => Reply::Stream(vec![Step::Pause(STALL)]),
        5 => Reply::Stream(vec![Step::Text("{\"text\": \"Half"), Step::Pause(STALL)]),
        6 => answer("{\"text\": \"Half"),
        _ => answer("I would rather talk about the weather."),
    };
    (0..200).map(one).collect()
}

#[tokio::test]
async fn a_provider_that_lies_and_stalls_is_left_alone_within_ten_failures() {
    let mut random = seed::random();
    for _ in 0..3 {
        let fake = Fake::new(lies(&mut random)).await;
        let patience = "retries = 0\nfirst_text_ms = 100\nstall_ms = 100\n";
        let writer = writers(&fake, patience).of(WritingTask::Summary).expect("a chain");
        loop {
            let before = fake.seen().len();
            let written = write(&*writer, &asked()).await.0.expect("the next one writes");
            assert_eq!(written.provider, "extractive");
            if fake.seen().len() == before {
                break;
            }
        }
        assert!(fake.seen().len() <= 10, "{} answers until it was left alone", fake.seen().len());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cards_come_while_a_model_stalls_and_lies() {
    let mut random = seed::random();
    let fake = Fake::new(lies(&mut random)).await;
    let data = tempfile::tempdir().expect("a folder");
    let app = live::service(data.path(), &fake).await;
    let (access, stop) = (app.access().clone(), app.stop_token());
    let (ready, is_ready) = tokio::sync::oneshot::channel();
    let running = tokio::spawn(app.run(move |_| ready.send(()).expect("somebody waits")));
    is_ready.await.expect("it gets ready");
    let client = reqwest::Client::new();
    let get = async |path: &str| -> Value {
        let request = client.get(format!("{}{path}", access.url)).bearer_auth(key(&access));
        request.send().await.expect("answers").json().await.expect("JSON")
    };
    let post = async |path: &str, body: Value| {
        let request = client.post(format!("{}{path}", access.url)).bearer_auth(key(&access));
        request.json(&body).send().await.expect("answers").status().as_u16()
    };
    let begun = Instant::now();
    // Before the articles' vectors are there, fewer cards are sure enough.
    while get("/v1/system").await["models"]["embedder"].is_null() {
        assert!(begun.elapsed() < 4 * PATIENCE, "the vectors never come");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let mut slowest_ms = 0;
    for number in 0..seed::count("BACKCHANNEL_LYING_CALLS", CONVERSATIONS) {
        let id = format!("lied-to-{number}");
        assert_eq!(post("/v1/conversations", json!({"id": id, "channel": "chat"})).await, 201);
        let path = format!("/v1/conversations/{id}/turns");
        assert_eq!(post(&path, json!({"role": "customer", "text": QUESTION})).await, 201);
        let asked = Instant::now();
        let card = loop {
            let shown = get(&format!("/v1/conversations/{id}")).await;
            assert_eq!(shown["turns"][0]["text"], QUESTION);
            if let Some(card) = shown["cards"].as_array().and_then(|cards| cards.first()) {
                break card.clone();
            }
            assert!(asked.elapsed() < PATIENCE, "no card: {shown}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        };
        assert!(card["citations"].as_array().is_some_and(|all| !all.is_empty()), "{card}");
        slowest_ms = slowest_ms.max(card["latency_ms"].as_u64().unwrap_or_default());
        assert_eq!(post(&format!("/v1/conversations/{id}/end"), json!({})).await, 200);
    }
    println!(
        "the slowest card took {slowest_ms} ms beside a model that was asked {} times",
        fake.seen().len()
    );
    stop.cancel();
    let ended = timeout(4 * PATIENCE, running).await.expect("a stalling model holds nothing up");
    ended.expect("no panic").expect("an orderly end");
}
