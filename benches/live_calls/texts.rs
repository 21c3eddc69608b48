//! Conversations that are typed, many at once: from a final turn on the stream to its card, and to the alert of a
//! category rule that holds after it.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use futures_util::StreamExt as _;
use hdrhistogram::Histogram;
use reqwest::Client;
use serde_json::{Value, json};

use super::service::Service;

/// What customers write, one after the other, each from another place of the list.
const MESSAGES: [&str; 10] = [
    "Hi, is anybody there?",
    "My direct debit was taken twice this month. When do I get the second payment back?",
    "Thanks. And what about the fee that my bank charged me for it?",
    "My router shows a red light and nothing works.",
    "Can I keep my number when I move house next month?",
    "How much do I pay if I leave before the end of the contract?",
    "The engineer never came. Do I get anything for that?",
    "ok",
    "What does error code E521 on the hub mean?",
    "Will my price go up next year?",
];
/// Phrases of a made rule.
const PHRASES: usize = 8;
/// Somebody writes so often.
const EVERY: Duration = Duration::from_secs(5);

pub struct Plan {
    pub conversations: usize,
    pub length: Duration,
}

/// A folder with so many category rules, each with an alert: one for each of the messages, and others whose phrases
/// begin as messages do.
pub fn rules(many: usize) -> anyhow::Result<tempfile::TempDir> {
    let words: Vec<Vec<String>> = MESSAGES.iter().map(|message| words(message)).collect();
    let mut text = String::new();
    for n in 0..many {
        let of = &words[n % MESSAGES.len()];
        let phrases: Vec<String> = match n / MESSAGES.len() {
            0 => vec![of[..of.len().min(4)].join(" ")],
            _ => (0..PHRASES)
                .map(|at| format!("{} not {n}", of[..1 + at % of.len().min(4)].join(" ")))
                .collect(),
        };
        write!(
            text,
            "[[rule]]\nid = \"made_{n}\"\ntitle = \"Made {n}\"\nby = \"customer\"\nwhen = {{ said = {phrases:?} }}\n\
             [rule.alert]\nseverity = \"info\"\nto = [\"agent\"]\n"
        )?;
    }
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("made.toml"), text)?;
    Ok(folder)
}

fn words(message: &str) -> Vec<String> {
    let parts = message.split(|c: char| !c.is_alphanumeric());
    parts.filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

/// Arrivals at the subscriber.
#[derive(Default)]
struct Seen {
    finals: HashMap<(String, String), Instant>,
    cards: Vec<Duration>,
    alerts: Vec<Duration>,
}

pub fn run(service: &Arc<Service>, plan: &Plan) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let cpu_before = service.cpu()?;
    let (seen, posts) = runtime.block_on(play(service, plan))?;
    let cpu = service.cpu()?.saturating_sub(cpu_before);
    let table = [
        ("text conversations at once", plan.conversations.to_string()),
        ("messages", posts.len().to_string()),
        ("finals on the stream", seen.finals.len().to_string()),
        ("cards", seen.cards.len().to_string()),
        ("message → 201, durable", percentiles(&posts)?),
        ("final → card on the stream", percentiles(&seen.cards)?),
        ("alerts", seen.alerts.len().to_string()),
        ("final → alert on the stream", percentiles(&seen.alerts)?),
        ("memory of the service", format!("{} MB", service.resident_kb()? / 1_024)),
        ("processor time of the service", format!("{:.1} s", cpu.as_secs_f64())),
    ];
    for (name, value) in table {
        println!("{name:32} {value}");
    }
    Ok(())
}

async fn play(service: &Arc<Service>, plan: &Plan) -> anyhow::Result<(Seen, Vec<Duration>)> {
    let http = Client::builder().no_proxy().build()?;
    let address = format!("http://{}", service.address);
    let key = service.key.clone();
    let events = http
        .get(format!("{address}/v1/events?types=turn.final,suggestion.offered,insight.alert"))
        .bearer_auth(&key)
        .send()
        .await?
        .error_for_status()?;
    let watching = tokio::spawn(watch(events));
    let begun = Instant::now();
    let mut writers = tokio::task::JoinSet::new();
    for number in 0..plan.conversations {
        let (http, address, key) = (http.clone(), address.clone(), key.clone());
        let ends = begun + plan.length;
        // Spread evenly, as people are.
        let first = EVERY.mul_f64(number as f64 / plan.conversations as f64);
        writers.spawn(async move {
            let id = format!("bench-{number}");
            let opening = json!({"id": id, "channel": "chat"});
            post(&http, &key, &format!("{address}/v1/conversations"), &opening).await?;
            let url = format!("{address}/v1/conversations/{id}/turns");
            let mut took = Vec::new();
            let mut next = tokio::time::Instant::now() + first;
            for message in MESSAGES.iter().cycle().skip(number % MESSAGES.len()) {
                tokio::time::sleep_until(next).await;
                if Instant::now() >= ends {
                    break;
                }
                let sent = Instant::now();
                let turn = json!({"role": "customer", "text": message});
                post(&http, &key, &url, &turn).await?;
                took.push(sent.elapsed());
                next += EVERY;
            }
            anyhow::Ok(took)
        });
    }
    let mut posts = Vec::new();
    while let Some(took) = writers.join_next().await {
        posts.extend(took??);
    }
    // The last cards are on their way.
    tokio::time::sleep(Duration::from_secs(1)).await;
    watching.abort();
    let seen = SEEN.lock().map_err(|_| anyhow::anyhow!("the subscriber panicked"))?.take();
    Ok((seen.context("nothing was seen")?, posts))
}

/// Kept apart from the task, which is cut off in the end.
static SEEN: std::sync::Mutex<Option<Seen>> = std::sync::Mutex::new(None);

async fn watch(events: reqwest::Response) {
    let mut chunks = events.bytes_stream();
    let mut line = Vec::new();
    while let Some(Ok(chunk)) = chunks.next().await {
        let at = Instant::now();
        for byte in chunk {
            if byte != b'\n' {
                line.push(byte);
                continue;
            }
            if let Some(event) = line.strip_prefix(b"data: ").and_then(read) {
                take(&event, at);
            }
            line.clear();
        }
    }
}

fn read(data: &[u8]) -> Option<Value> {
    serde_json::from_slice(data).ok()
}

fn take(event: &Value, at: Instant) {
    let Ok(mut seen) = SEEN.lock() else { return };
    let seen = seen.get_or_insert_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (subject, data) = (text(&event["subject"]), &event["data"]);
    if event["type"] == "backchannel.turn.final" {
        seen.finals.insert((subject, text(&data["turn_id"])), at);
        return;
    }
    let is_alert = event["type"] == "backchannel.insight.alert";
    let turn = text(&data[if is_alert { "turn_id" } else { "trigger_turn" }]);
    if let Some(since) = seen.finals.get(&(subject, turn)) {
        let passed = at - *since;
        if is_alert { &mut seen.alerts } else { &mut seen.cards }.push(passed);
    }
}

async fn post(http: &Client, key: &str, url: &str, body: &Value) -> anyhow::Result<()> {
    http.post(url).bearer_auth(key).json(body).send().await?.error_for_status()?;
    Ok(())
}

fn percentiles(times: &[Duration]) -> anyhow::Result<String> {
    let mut histogram = Histogram::<u64>::new(3)?;
    for time in times {
        histogram.record(time.as_micros() as u64)?;
    }
    let ms = |quantile: f64| histogram.value_at_quantile(quantile) as f64 / 1_000.0;
    Ok(format!("p50 {:.0} ms, p95 {:.0} ms, max {:.0} ms", ms(0.5), ms(0.95), ms(1.0)))
}
