//! A subscriber of the event stream, on a thread of its own.

use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Instant;

use futures_util::StreamExt as _;
use serde_json::Value;

use super::service::Service;

/// What a subscriber receives, as far as it is measured. `leg`: 0 is the customer.
#[derive(Debug)]
pub enum Heard {
    Started { subject: String, external_id: String },
    Ended { subject: String },
    Final { subject: String, leg: usize, start_ms: u64, end_ms: u64 },
    Partial { subject: String, leg: usize, start_ms: u64 },
    Gap,
    Notice { detail: String },
}

/// Returns when the stream has greeted: nothing is missed from then on.
pub fn listen(
    service: &Service,
    to: mpsc::Sender<(Instant, Heard)>,
) -> anyhow::Result<JoinHandle<()>> {
    let request = reqwest::Client::builder()
        .no_proxy()
        .build()?
        .get(format!("http://{}/v1/events", service.address))
        .bearer_auth(&service.key);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut chunks =
        runtime.block_on(async { request.send().await?.error_for_status() })?.bytes_stream();
    Ok(std::thread::spawn(move || {
        runtime.block_on(async move {
            let mut line = Vec::new();
            while let Some(Ok(chunk)) = chunks.next().await {
                let at = Instant::now();
                for byte in chunk {
                    if byte != b'\n' {
                        line.push(byte);
                        continue;
                    }
                    let heard = line.strip_prefix(b"data: ").and_then(heard);
                    line.clear();
                    if let Some(heard) = heard
                        && to.send((at, heard)).is_err()
                    {
                        return;
                    }
                }
            }
        });
    }))
}

fn heard(data: &[u8]) -> Option<Heard> {
    let event: Value = serde_json::from_slice(data).ok()?;
    let subject = event["subject"].as_str().unwrap_or_default().to_owned();
    let data = &event["data"];
    let leg = usize::from(data["party"]["role"] == "agent");
    let ms = |name: &str| data[name].as_u64().unwrap_or(0);
    Some(match event["type"].as_str()?.strip_prefix("backchannel.")? {
        "conversation.started" => {
            Heard::Started { subject, external_id: data["external_id"].as_str()?.to_owned() }
        }
        "conversation.ended" => Heard::Ended { subject },
        "turn.final" => {
            Heard::Final { subject, leg, start_ms: ms("start_ms"), end_ms: ms("end_ms") }
        }
        "turn.partial" => Heard::Partial { subject, leg, start_ms: ms("start_ms") },
        "audio.gap" => Heard::Gap,
        "system.degraded" => {
            Heard::Notice { detail: data["detail"].as_str().unwrap_or_default().to_owned() }
        }
        "system.recovered" => Heard::Notice { detail: "as before".to_owned() },
        _ => return None,
    })
}
