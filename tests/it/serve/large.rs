//! Bodies that no honest client sends, at every door that takes one: deep, long, cut off, of the wrong kind, noise. Each gets
//! an answer that blames the sender, soon, and the house stands.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng, RngCore as _};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::harness::*;
use crate::seed;

/// Bodies made by chance for each door; `BACKCHANNEL_BODIES=500` is a long form.
const BODIES: u32 = 4;
const PATIENCE: Duration = Duration::from_secs(20);
/// Names that bodies have here, so that chance gets past the first check.
const NAMES: [&str; 20] = [
    "id",
    "text",
    "role",
    "channel",
    "parties",
    "attributes",
    "title",
    "body",
    "question",
    "verdict",
    "conversation",
    "use",
    "action",
    "comment",
    "based_on",
    "language",
    "audience",
    "at",
    "agent",
    "state",
];

/// The same for every door.
fn made() -> Vec<Vec<u8>> {
    let deep = |open: &str, close: &str, times: usize| {
        format!("{}1{}", open.repeat(times), close.repeat(times)).into_bytes()
    };
    vec![
        deep("[", "]", 100_000),
        deep("[", "", 200_000),
        deep("{\"id\":", "}", 30_000),
        deep("[", "]", 120),
        json!({"text": "x".repeat(200_000), "role": "customer"}).to_string().into_bytes(),
        json!({"id": "x".repeat(200_000)}).to_string().into_bytes(),
        b"{\"text\":\"\\ud800\",\"role\":\"customer\"}".to_vec(),
        b"{\"text\":\"a\\u0000b\",\"id\":\"\\u0000\",\"role\":\"customer\"}".to_vec(),
        b"{\"based_on\":1e400}".to_vec(),
        b"{\"based_on\":-99999999999999999999999999}".to_vec(),
        b"{\"id\":\"a\",\"id\":\"b\"}".to_vec(),
        [&b"{\"text\":\""[..], &[0xff; 64], b"\"}"].concat(),
        Vec::new(),
        b"null".to_vec(),
        b"\xef\xbb\xbf{}".to_vec(),
    ]
}

fn value(random: &mut StdRng, depth: u32) -> Value {
    let kinds = if depth > 0 { 9 } else { 7 };
    match random.random_range(0..kinds) {
        0 => Value::Null,
        1 => json!(random.random::<bool>()),
        2 => json!(random.random::<i64>()),
        3 => json!(random.random::<f64>() * 1e300),
        4 => json!("x".repeat(random.random_range(0..3_000))),
        5 => json!(
            ["\u{0}", "\u{202e}txt", "../../etc/passwd", "c-1", "customer", "accepted", "-"]
                .choose(random)
        ),
        6 => json!(NAMES.choose(random)),
        7 => (0..random.random_range(0..5)).map(|_| value(random, depth - 1)).collect(),
        _ => object(random, depth - 1),
    }
}

fn object(random: &mut StdRng, depth: u32) -> Value {
    let mut fields = serde_json::Map::new();
    for _ in 0..random.random_range(0..6) {
        let name = NAMES.choose(random).expect("some");
        fields.insert((*name).to_owned(), value(random, depth));
    }
    Value::Object(fields)
}

fn by_chance(random: &mut StdRng) -> Vec<u8> {
    let mut bytes = object(random, 4).to_string().into_bytes();
    match random.random_range(0..4) {
        // Cut off, or with a byte that is another.
        0 => bytes.truncate(random.random_range(0..=bytes.len())),
        1 => {
            let at = random.random_range(0..bytes.len());
            bytes[at] = random.random();
        }
        2 => {
            bytes = vec![0; random.random_range(1..4_096)];
            random.fill_bytes(&mut bytes);
        }
        _ => {}
    }
    bytes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_body_breaks_a_door() {
    let bodies = seed::count("BACKCHANNEL_BODIES", BODIES);
    let mut random = seed::random();
    let house = House::open().await;
    house.append("c-1", vec![started(), turn("t-1"), card("k-1")]).await;
    let mut doors = Vec::new();
    for (path, item) in house.openapi["paths"].as_object().expect("paths") {
        for method in [Method::POST, Method::PUT, Method::PATCH] {
            if item.get(method.as_str().to_lowercase()).is_some() {
                doors.push((method, path.clone()));
            }
        }
    }
    assert!(doors.len() > 20, "{doors:?}");
    let mut sent = 0;
    for (method, path) in &doors {
        let mut place = path.clone();
        while let Some((before, rest)) = place.split_once('{') {
            let (name, after) = rest.split_once('}').expect("a template");
            let filled = if name.contains("card") { "k-1" } else { "c-1" };
            place = format!("{before}{filled}{after}");
        }
        let mut all = made();
        all.extend((0..bodies).map(|_| by_chance(&mut random)));
        for body in all {
            let shown = String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned();
            let request = house.client.request(method.clone(), house.url(&place)).bearer_auth(KEY);
            let request = request.header("content-type", "application/json").body(body);
            let answer = tokio::time::timeout(PATIENCE, request.send()).await;
            let answer = answer.unwrap_or_else(|_| panic!("{method} {place} hangs at {shown}"));
            let status =
                answer.unwrap_or_else(|error| panic!("{method} {place}: {error}")).status();
            // What isn't set up here says so.
            let is_fine = !status.is_server_error() || status == StatusCode::SERVICE_UNAVAILABLE;
            assert!(is_fine, "{method} {place} {status} at {shown}");
            sent += 1;
        }
    }
    println!("{sent} bodies at {} doors", doors.len());
    assert_eq!(house.get("/readyz").await.0, 200);
    let opened = house.post("/v1/conversations", json!({"id": "after", "channel": "chat"})).await;
    assert_eq!(opened.0, 201);
    let turn = json!({"role": "customer", "text": "Is anybody there?"});
    assert_eq!(house.post("/v1/conversations/after/turns", turn).await.0, 201);
}
