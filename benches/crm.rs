//! Who is calling, from the first event of a conversation to what the desktop shows: the whole service with the real
//! BottleCRM beside it (`.ci/crm-peers` prepares it).
//!
//! `cargo bench --bench crm [-- --callers 200]`

#[path = "../tests/it/crm/peers.rs"]
#[allow(dead_code, reason = "the tests of the connectors use the rest")]
mod peers;
#[path = "../tests/it/ports.rs"]
mod ports;

use std::time::{Duration, Instant};

use backchannel::app::App;
use backchannel::config::{Config, Secret};
use backchannel::connect::crm::conformance::{Look, Person};
use futures_util::StreamExt;
use serde_json::{Value, json};

const CALLERS: usize = 100;
const BAR_MS: f64 = 500.0;
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip_while(|one| one != "--callers").skip(1);
    let callers = arguments.next().map_or(CALLERS, |text| text.parse().expect("a number"));
    let peer = peers::BottleCrm::start();
    let mut numbers = Vec::new();
    for number in 0..callers {
        let phone = format!("+1555{:07}", 2_000_000 + number);
        let email = Some(format!("caller-{number}@example.test"));
        let name = format!("Caller {number}");
        let contact = peer.add_contact(&Person { name, phone: Some(phone.clone()), email }).await;
        peer.add_case(&contact, &format!("Case of caller {number}")).await;
        numbers.push(phone);
    }
    let data = tempfile::tempdir().expect("a folder");
    let mut config = Config::default();
    config.serve.listen.set_port(0);
    config.store.folder = data.path().to_owned();
    config.crm.system = Some("bottlecrm".to_owned());
    config.crm.url = Some(peer.url().to_string());
    config.crm.token = Some(Secret::new(peer.token.clone()));
    let app = App::build(config, true).await.expect("`make models` has pulled what it needs");
    let (access, stop) = (app.access().clone(), app.stop_token());
    let running = tokio::spawn(app.run(|_| ()));
    let key = access.api_key.clone().expect("the demo makes one up");
    let client = reqwest::Client::new();

    let stream = client.get(format!("{}/v1/events?types=crm.context", access.url));
    let stream = stream.bearer_auth(&key).send().await.expect("answers");
    let mut pieces = stream.bytes_stream();
    let mut heard = String::new();
    let mut waited_ms = Vec::new();
    for (number, phone) in numbers.iter().enumerate() {
        let id = format!("caller-{number}");
        let opening = json!({"id": id, "channel": "chat", "attributes": {"from": phone},
            "parties": [{"role": "customer"}]});
        let begun = Instant::now();
        let opened = client.post(format!("{}/v1/conversations", access.url)).bearer_auth(&key);
        let opened = opened.json(&opening).send().await.expect("answers");
        assert!(opened.status().is_success(), "{}", opened.status());
        let context = loop {
            if let Some((event, rest)) = heard.split_once("\n\n") {
                let data = event.lines().find_map(|line| line.strip_prefix("data: "));
                let data = data.map(|data| serde_json::from_str::<Value>(data).expect("JSON"));
                heard = rest.to_owned();
                match data {
                    Some(event) if event["subject"] == json!(id) => break event,
                    _ => continue,
                }
            }
            let piece = tokio::time::timeout(PATIENCE, pieces.next()).await.expect("in time");
            let piece = piece.expect("the stream goes on").expect("bytes");
            heard.push_str(std::str::from_utf8(&piece).expect("UTF-8"));
        };
        waited_ms.push(begun.elapsed().as_secs_f64() * 1_000.0);
        let data = &context["data"];
        assert_eq!(data["state"], "known", "{data}");
        assert_eq!(data["contact"]["name"], format!("Caller {number}"), "another person");
        assert_eq!(data["open_cases"][0]["subject"], format!("Case of caller {number}"));
    }
    waited_ms.sort_by(f64::total_cmp);
    let at = |share: f64| waited_ms[((waited_ms.len() - 1) as f64 * share).round() as usize];
    println!(
        "{callers} callers, first event to context with open cases and history: p50 {:.0} ms, p95 {:.0} ms (bar {BAR_MS:.0})",
        at(0.5),
        at(0.95)
    );
    let line = json!({"callers": callers, "p50_ms": at(0.5), "p95_ms": at(0.95), "bar_ms": BAR_MS});
    println!("{line}");
    stop.cancel();
    running.await.expect("no panic").expect("an orderly end");
}
