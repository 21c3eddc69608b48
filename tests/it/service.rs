//! The whole service with its real models: what becomes of a live call when the service stops.

use std::path::Path;
use std::time::Duration;

use backchannel::app::{Access, App};
use backchannel::config::Config;
use backchannel::flow::audio::AudioFile;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

pub const PATIENCE: Duration = Duration::from_secs(30);

pub async fn service(data: &Path) -> App {
    let mut config = Config::default();
    config.serve.listen.set_port(0);
    config.store.folder = data.to_owned();
    App::build(config, true).await.expect("`make models` has pulled what it needs")
}

pub fn key(access: &Access) -> &str {
    access.api_key.as_deref().expect("the demo makes one up")
}

/// Every event of the stream until the service ends it.
pub async fn follow(access: Access) -> Vec<Value> {
    let request = reqwest::Client::new().get(format!("{}/v1/events", access.url));
    let answer = request.bearer_auth(key(&access)).send().await.expect("answers");
    let mut bytes = answer.bytes_stream();
    let mut text = Vec::new();
    while let Some(Ok(chunk)) = timeout(PATIENCE, bytes.next()).await.expect("in time") {
        text.extend_from_slice(&chunk);
    }
    let text = String::from_utf8(text).expect("UTF-8");
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    data.map(|data| serde_json::from_str(data).expect("JSON")).collect()
}

pub type Call = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Begins a call over the plain wire, a channel for each party, at 8 kHz.
pub async fn begin_call(access: &Access, parties: &[&str]) -> Call {
    let url = format!("{}/v1/media/pcm", access.url.replace("http://", "ws://"));
    let mut request = url.into_client_request().expect("a URL");
    let bearer = format!("Bearer {}", key(access)).parse().expect("a header");
    request.headers_mut().insert("authorization", bearer);
    let (mut call, _) = tokio_tungstenite::connect_async(request).await.expect("taken");
    let start = json!({"type": "start", "encoding": "pcm_s16le", "sample_rate_hz": 8000,
        "channels": parties.len(), "parties": parties});
    call.send(Message::text(start.to_string())).await.expect("sent");
    call
}

/// Says so many samples, all channels in turn, in frames of 20 ms, four times faster than life.
pub async fn say(call: &mut Call, samples: &[f32], channels: usize) {
    for frame in samples.chunks(channels * 160) {
        let bytes: Vec<u8> =
            frame.iter().flat_map(|s| ((s * 32_767.0) as i16).to_le_bytes()).collect();
        call.send(Message::binary(bytes)).await.expect("sent");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The channels of the recorded call about a double charge: the customer's, the agent's.
pub fn double_charge() -> Vec<Vec<f32>> {
    let recording =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/calls/billing-double-charge.wav");
    AudioFile::open(&recording).expect("a recording").channels
}

pub fn kind(event: &Value) -> &str {
    event["type"].as_str().expect("a type").trim_start_matches("backchannel.")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_in_mid_sentence_keeps_what_was_said() {
    let data = tempfile::tempdir().expect("a folder");
    let app = service(data.path()).await;
    let (access, stop) = (app.access().clone(), app.stop_token());
    let (ready, is_ready) = tokio::sync::oneshot::channel();
    let running = tokio::spawn(app.run(move |_| ready.send(()).expect("somebody waits")));
    is_ready.await.expect("it gets ready");
    let following = tokio::spawn(follow(access.clone()));

    let mut call = begin_call(&access, &["agent"]).await;
    let agent = double_charge().remove(1);
    // "Thank you for calling Larkfield Broadband, you're speak…": the sentence goes on to 4.7 s.
    say(&mut call, &agent[..8 * 3_500], 1).await;
    stop.cancel();

    let mut close = None;
    while let Ok(Some(Ok(message))) = timeout(PATIENCE, call.next()).await {
        if let Message::Close(frame) = message {
            close = frame.map(|frame| u16::from(frame.code));
        }
    }
    assert_eq!(close, Some(1001), "the caller's side hears that the service goes away");
    timeout(PATIENCE, running).await.expect("in time").expect("no panic").expect("an orderly end");

    let events = following.await.expect("no panic");
    let said: Vec<&Value> = events.iter().filter(|event| kind(event) == "turn.final").collect();
    assert!(!said.is_empty(), "{events:?}");
    let text = said[0]["data"]["text"].as_str().expect("text").to_lowercase();
    assert!(text.contains("thank you for calling"), "{text}");
    let last = events.last().expect("some");
    assert_eq!(
        (kind(last), last["data"]["reason"].as_str()),
        ("conversation.ended", Some("shutdown"))
    );

    // What the subscriber saw is what a new start finds.
    let app = service(data.path()).await;
    let (access, stop) = (app.access().clone(), app.stop_token());
    let running = tokio::spawn(app.run(|_| ()));
    let conversation = last["subject"].as_str().expect("a subject");
    let request =
        reqwest::Client::new().get(format!("{}/v1/conversations/{conversation}", access.url));
    let answer = request.bearer_auth(key(&access)).send().await.expect("answers");
    let stored: Value = answer.json().await.expect("JSON");
    let stored: Vec<&str> = stored["turns"]
        .as_array()
        .expect("turns")
        .iter()
        .map(|turn| turn["text"].as_str().expect("text"))
        .collect();
    let seen: Vec<&str> =
        said.iter().map(|event| event["data"]["text"].as_str().expect("text")).collect();
    assert_eq!(stored, seen);
    stop.cancel();
    running.await.expect("no panic").expect("an orderly end");
}
