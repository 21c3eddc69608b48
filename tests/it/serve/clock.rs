//! The system clock jumps by an hour, to and fro: events keep their order, turns theirs, tokens and limits go by time that
//! passes. A child has the clock (`tests/peers/clock.c`); its Rust is the same as everybody's.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use backchannel::serve::LimitSettings;
use jiff::Timestamp;
use rand::Rng as _;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::harness::*;
use crate::preload::Preload;
use crate::seed;

const OFFSET: &str = "CLOCK_OFFSET";
/// Jumps of the short form; `BACKCHANNEL_CLOCK_JUMPS=500` is a long one.
const JUMPS: u32 = 20;
const HOUR_S: i64 = 3_600;

#[test]
fn an_hour_to_and_fro_changes_no_order_and_no_limit() {
    let folder = tempfile::tempdir().expect("a folder");
    let offset = folder.path().join("offset");
    std::fs::write(&offset, 0_i64.to_ne_bytes()).expect("written");
    let library = Preload::of("clock");
    for child in ["serve::clock::the_child_that_writes", "serve::clock::the_child_that_asks"] {
        let mut command = Command::new(std::env::current_exe().expect("this binary"));
        command.args(["--exact", child, "--nocapture"]).env(OFFSET, &offset);
        library.load_into(&mut command);
        let ended = command.output().expect("it runs");
        let said = String::from_utf8_lossy(&ended.stdout);
        println!("{said}");
        let errors = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success() && said.contains("1 passed"), "{errors}");
    }
}

/// By how many seconds the clock is wrong from now on.
fn set(offset_s: i64) {
    use std::io::Write as _;
    let file = std::env::var_os(OFFSET).expect("a child");
    // Not cut first: the other side has it mapped.
    let mut file = std::fs::OpenOptions::new().write(true).open(Path::new(&file)).expect("there");
    file.write_all(&offset_s.to_ne_bytes()).expect("written");
}

fn is_child() -> bool {
    if std::env::var_os(OFFSET).is_none() {
        return false;
    }
    // As the child before left it.
    set(0);
    let (before, begun) = (Timestamp::now(), Instant::now());
    set(-HOUR_S);
    let jumped = Timestamp::now().duration_since(before).as_secs();
    assert!((-HOUR_S - 5..5 - HOUR_S).contains(&jumped), "the clock jumps: {jumped} s");
    assert!(begun.elapsed() < Duration::from_secs(60), "and time goes on");
    set(0);
    true
}

/// Not a test by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_child_that_writes() {
    if !is_child() {
        return;
    }
    let mut random = seed::random();
    let house = House::open().await;
    let mut live = house.follow("/v1/events?types=turn.final,conversation.*", None).await;
    let (status, _) =
        house.post("/v1/conversations", json!({"id": "c-1", "channel": "chat"})).await;
    assert_eq!(status, 201);
    let (_, page) = house.post("/v1/tokens", json!({"conversation": "c-1"})).await;
    let mut texts = Vec::new();
    for number in 0..seed::count("BACKCHANNEL_CLOCK_JUMPS", JUMPS) {
        set(random.random_range(-HOUR_S..=HOUR_S));
        let text = format!("This is message number {number}.");
        let turn = json!({"role": "customer", "text": text});
        let (status, answer) = house.post("/v1/conversations/c-1/turns", turn).await;
        assert_eq!(status, 201, "{answer}");
        texts.push(text);
    }
    let (_, shown) = house.get("/v1/conversations/c-1").await;
    let turns = shown["turns"].as_array().expect("turns");
    let said: Vec<&str> = turns.iter().map(|turn| turn["text"].as_str().expect("text")).collect();
    assert_eq!(said, texts, "in the order in which they were written");

    set(-HOUR_S);
    assert!(house.post("/v1/conversations/c-1/end", json!({})).await.0.is_success());
    let events = live.take(texts.len() + 2).await;
    let places: Vec<u64> = events
        .iter()
        .map(|event| event.id.as_deref().expect("stored").parse().expect("a position"))
        .collect();
    assert!(places.is_sorted(), "{places:?}");
    let sequences: Vec<u64> =
        events.iter().map(|event| event.envelope["sequence"].as_u64().expect("one")).collect();
    assert!(sequences.is_sorted_by(|one, two| one < two), "{sequences:?}");
    let starts: Vec<u64> = events
        .iter()
        .filter(|event| event.kind() == "turn.final")
        .map(|event| event.envelope["data"]["start_ms"].as_u64().expect("one"))
        .collect();
    assert!(starts.is_sorted() && starts.len() == texts.len(), "{starts:?}");

    // A token holds as long as it holds, whatever the clock says; and one for a stream opens one.
    let page = page["token"].as_str().expect("a token");
    for offset_s in [2 * HOUR_S, -2 * HOUR_S] {
        set(offset_s);
        let request = house.client.get(house.url("/v1/conversations/c-1")).bearer_auth(page);
        assert_eq!(request.send().await.expect("answers").status(), StatusCode::OK);
    }
    let (_, made) = house.post("/v1/tokens", json!({"conversation": "c-1", "use": "stream"})).await;
    let path = format!("/v1/conversations/c-1/events?token={}", text_of(&made["token"]));
    let open = async || house.client.get(house.url(&path)).send().await.expect("answers").status();
    set(HOUR_S);
    assert_eq!(open().await, StatusCode::OK);
    set(-HOUR_S);
    assert_eq!(open().await, StatusCode::UNAUTHORIZED, "once, also an hour before");
}

fn text_of(value: &Value) -> &str {
    value.as_str().expect("text")
}

/// Not a test by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_child_that_asks() {
    const RATE: u32 = 4;
    if !is_child() {
        return;
    }
    let mut random = seed::random();
    let limits = LimitSettings { requests_per_second: RATE, burst: RATE, streams: 0 };
    let house = House::open_with(Options { limits, ..Options::default() }).await;
    let ask = async || {
        let request = house.client.get(house.url("/v1/me")).bearer_auth(KEY);
        request.send().await.expect("answers").status()
    };
    let (begun, mut answered) = (Instant::now(), 0);
    for _ in 0..50 {
        set(random.random_range(-HOUR_S..=HOUR_S));
        answered += u32::from(ask().await == StatusCode::OK);
    }
    // What it may have at most, by the time that has passed.
    let may = f64::from(RATE) * (begun.elapsed().as_secs_f64() + 1.0);
    assert!(f64::from(answered) <= may + 1.0, "{answered} answered, {may:.1} allowed");
    set(-HOUR_S);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(ask().await, StatusCode::OK, "a clock that was set back locks nobody out");
}
