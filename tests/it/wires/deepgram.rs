//! `/v1/listen`: a client of our own against a recorder, and the official SDKs against the service.

use std::path::Path;
use std::process::{Command, Stdio};

use backchannel::domain::{EndReason, Partial, Party, Redacted, Role, Turn, Word};
use backchannel::flow::audio::AudioFile;
use backchannel::flow::driver::{Control, News};
use futures_util::StreamExt as _;
use serde_json::{Value, json};

use super::recorder::Recorder;
use super::{Service, dial, hear_out, peers, say, send, wires};

const QUERY: &str = "encoding=mulaw&sample_rate=8000&interim_results=true&punctuate=true";

fn party() -> Party {
    Party { id: "p-1".into(), role: Role::Mixed, name: None }
}

fn turn(said: &str) -> News {
    let word = Word { text: Redacted::vouched(said), start_ms: 100, end_ms: 400, confidence: 0.9 };
    News::Turn(Turn {
        id: "t-1".into(),
        party: party(),
        start_ms: 100,
        end_ms: 400,
        text: Redacted::vouched(said),
        words: vec![word],
        mean_logprob: None,
        display_text: None,
        language: "en".to_owned(),
    })
}

fn transcript(message: &Value) -> &str {
    message["channel"]["alternatives"][0]["transcript"].as_str().unwrap_or("none")
}

#[tokio::test]
async fn audio_goes_in_and_results_come_back() {
    let recorder = Recorder::default();
    let address = wires(&recorder).await;
    let url = format!("ws://{address}/v1/listen?{QUERY}");
    let (mut client, _) = dial(&url, &[]).await.expect("taken");
    send(&mut client, vec![0xFF; 1_600]).await;
    let call = recorder.call(0, |call| call.audio.contains_key(&0)).await;
    assert_eq!(call.opening.tenant.as_str(), "demo");
    let tell = call.news.expect("it wants news");
    let text = Redacted::vouched("Hel");
    let start_ms = 100;
    let partial =
        Partial { turn_id: "t-1".into(), party: party(), start_ms, text, stable_prefix_chars: 0 };
    tell.send(News::Partial(partial)).await.expect("heard");
    let interim = client.next().await.expect("a message").expect("readable");
    let interim: Value = serde_json::from_str(interim.to_text().expect("text")).expect("JSON");
    assert_eq!((transcript(&interim), &interim["is_final"]), ("Hel", &json!(false)));

    say(&mut client, json!({"type": "Finalize"})).await;
    recorder.call(0, |call| call.controls == [Control::Flush]).await;
    tell.send(News::Flushed { turns: 1 }).await.expect("heard");
    tell.send(turn("Hello.")).await.expect("heard");
    drop(tell);
    // Told while the call is being closed: finals come before the metadata.
    recorder.last_news.lock().expect("no panic").push(turn("Bye."));
    say(&mut client, json!({"type": "CloseStream"})).await;
    let (code, _, texts) = hear_out(&mut client).await;
    assert_eq!(code, 1000);
    let messages: Vec<Value> =
        texts.iter().map(|text| serde_json::from_str(text).expect("JSON")).collect();
    let kinds: Vec<_> = messages
        .iter()
        .map(|message| (message["type"].as_str().expect("a type"), transcript(message)))
        .collect();
    assert_eq!(kinds, [("Results", "Hello."), ("Results", "Bye."), ("Metadata", "none")]);
    assert_eq!(messages[0]["from_finalize"], true);
    assert_eq!(messages[2]["duration"], 0.2);
    assert_eq!(recorder.ended(0).await.ended, Some(EndReason::Hangup));
}

#[tokio::test]
async fn a_wrong_query_is_refused_before_the_upgrade() {
    let recorder = Recorder::default();
    let address = wires(&recorder).await;
    let url = format!("ws://{address}/v1/listen?encoding=opus&sample_rate=8000");
    assert_eq!(dial(&url, &[]).await.map(|_| ()), Err(400));
    let url = format!("ws://{address}/v1/listen?{QUERY}");
    let (mut client, _) = dial(&url, &[]).await.expect("taken");
    say(&mut client, "{").await;
    let (code, _, texts) = hear_out(&mut client).await;
    assert_eq!(code, 1007);
    assert!(texts[0].contains("SchemaError"), "{texts:?}");
    assert_eq!(recorder.count(), 0, "without audio there is no call");
}

/// The first 20 s of a recorded call, both channels, as 16-bit samples.
fn raw_call(folder: &Path) -> std::path::PathBuf {
    let recording =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/calls/billing-double-charge.wav");
    let file = AudioFile::open(&recording).expect("a recording");
    let mut bytes = Vec::new();
    for at in 0..8_000 * 20 {
        for channel in &file.channels {
            let sample = channel.get(at).copied().unwrap_or(0.0);
            bytes.extend(((sample * 32_767.0) as i16).to_le_bytes());
        }
    }
    let path = folder.join("call.raw");
    std::fs::write(&path, bytes).expect("written");
    path
}

/// Runs an SDK's script against the service; what the SDK has parsed.
async fn with_sdk(program: &Path, arguments: &[&str]) -> Vec<Value> {
    let service = Service::start(|_| ()).await;
    let folder = tempfile::tempdir().expect("a folder");
    let recording = raw_call(folder.path());
    let query = json!({"model": "nova-3", "encoding": "linear16", "sample_rate": 8000,
        "channels": 2, "multichannel": true, "interim_results": true, "punctuate": true,
        "vad_events": true, "utterance_end_ms": 1000, "extra": "parties:customer,agent"});
    let mut command = Command::new(program);
    command
        .args(arguments)
        .args([service.access.url.as_str(), service.key()])
        .arg(&recording)
        .args(["32000", &query.to_string()])
        .stderr(Stdio::inherit());
    // It gives up by itself when the stream doesn't end.
    let ran = tokio::task::spawn_blocking(move || command.output());
    let ran = ran.await.expect("no panic").expect("it runs");
    let text = String::from_utf8(ran.stdout).expect("UTF-8");
    assert!(ran.status.success(), "{text}");
    service.stop().await;
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn check(messages: &[Value]) {
    assert!(messages.iter().all(|message| message["event"] != "error"), "{messages:?}");
    let of = |kind: &str| -> Vec<&Value> {
        messages.iter().filter(|message| message["type"] == kind).collect()
    };
    let results = of("Results");
    let finals: Vec<&&Value> =
        results.iter().filter(|message| message["is_final"] == true).collect();
    let said = |channel: usize| -> String {
        let of_channel =
            finals.iter().filter(|message| message["channel_index"] == json!([channel, 2]));
        of_channel.map(|message| transcript(message)).collect::<Vec<_>>().join(" ").to_lowercase()
    };
    assert!(said(1).contains("thank you for calling"), "the agent: {}", said(1));
    assert!(said(0).contains("bank"), "the customer: {}", said(0));
    assert!(results.len() > finals.len(), "there are interim results");
    let finalized = finals.iter().filter(|message| message["from_finalize"] == true).count();
    assert_eq!(finalized, 1, "one Finalize, one answer");
    assert!(!of("SpeechStarted").is_empty());
    assert!(!of("UtteranceEnd").is_empty());
    let last = messages.iter().rfind(|message| message["type"].is_string());
    let last = last.expect("messages");
    // JavaScript writes 20.0 as 20.
    assert_eq!((&last["type"], last["duration"].as_f64()), (&json!("Metadata"), Some(20.0)));
    let words = &finals[0]["channel"]["alternatives"][0]["words"];
    assert!(words[0]["punctuated_word"].is_string(), "{words}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_official_python_sdk_drives_the_service() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/deepgram/listen.py");
    let script = script.to_str().expect("a path");
    let messages = with_sdk(&peers().join("python/bin/python"), &[script]).await;
    check(&messages);
    let unread = messages.iter().filter(|message| message["class"] == "dict").count();
    assert_eq!(unread, 0, "the SDK knows every message");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_official_javascript_sdk_drives_the_service() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/deepgram/listen.mjs");
    let script = script.to_str().expect("a path");
    let node = peers().join("node");
    let messages = with_sdk(Path::new("node"), &[script, node.to_str().expect("a path")]).await;
    check(&messages);
    assert_eq!(messages.last().map(|message| &message["code"]), Some(&json!(1000)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_client_brings_the_same_key_in_its_own_form() {
    use base64::Engine as _;
    let service = Service::start(|_| ()).await;
    let listen = service.socket_url(&format!("/v1/listen?{QUERY}"));
    let asterisk = service.socket_url("/v1/media/asterisk");
    let basic =
        |pair: String| format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair));
    let key = service.key();
    for (url, name, value, expected) in [
        (&listen, "authorization", format!("Token {key}"), Ok(None)),
        (&listen, "authorization", format!("Bearer {key}"), Ok(None)),
        (&listen, "sec-websocket-protocol", format!("token, {key}"), Ok(Some("token"))),
        (&asterisk, "authorization", basic(format!("asterisk:{key}")), Ok(None)),
        (&listen, "authorization", "Token wrong".to_owned(), Err(401)),
        (&listen, "sec-websocket-protocol", "token, wrong".to_owned(), Err(401)),
        (&asterisk, "authorization", basic("asterisk:wrong".to_owned()), Err(401)),
        (&asterisk, "sec-websocket-protocol", format!("token, {key}"), Err(401)),
    ] {
        let answer = dial(url, &[(name, &value)]).await;
        let answer = answer.as_ref().map(|(_, protocol)| protocol.as_deref()).map_err(|code| *code);
        assert_eq!(answer, expected, "{url} {name}");
    }
    service.stop().await;
}
