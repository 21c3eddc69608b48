//! The replay command against the real media sockets and a scripted event stream.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use backchannel::cli::replay::{Args, Channels, ReplayError, WireProtocol, replay};
use backchannel::connect::telephony::{CallSink, LiveCall, MediaSockets, routes};
use backchannel::domain::{Classify as _, ConversationId, EndReason, ErrorKind};
use backchannel::flow::driver::{CallError, CallOpening, CallSummary, Control, Full, News};
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{broadcast, mpsc};
use tokio_util::sync::CancellationToken;

/// Takes calls, counts their bytes, and tells a fixed story of each on the event stream.
#[derive(Clone)]
struct Storyteller {
    events: broadcast::Sender<String>,
    audio: Arc<Mutex<BTreeMap<String, Vec<usize>>>>,
    full: bool,
}

struct ToldCall {
    id: ConversationId,
    teller: Storyteller,
    legs: Mutex<Vec<usize>>,
}

impl Storyteller {
    fn tell(&self, call: &ConversationId, kind: &str, data: Value) {
        let event = json!({"specversion": "1.0", "type": format!("backchannel.{kind}"),
            "subject": call.as_str(), "data": data});
        // Nobody listens where only the plain wire is tested.
        let _ = self.events.send(event.to_string());
    }
}

#[async_trait]
impl CallSink for Storyteller {
    async fn open(&self, opening: CallOpening) -> Result<Box<dyn LiveCall>, CallError> {
        if self.full {
            return Err(CallError::Busy(Full::Machine(0)));
        }
        let id = ConversationId::fresh();
        self.tell(&id, "conversation.started", json!({"external_id": opening.external_id}));
        let legs = Mutex::new(vec![0; opening.legs.len()]);
        Ok(Box::new(ToldCall { id, teller: self.clone(), legs }))
    }
}

#[async_trait]
impl LiveCall for ToldCall {
    fn id(&self) -> &ConversationId {
        &self.id
    }
    fn audio(&self, leg: usize, _at_ms: Option<u64>, payload: Bytes) {
        self.legs.lock().unwrap()[leg] += payload.len();
    }
    fn control(&mut self, control: Control) -> bool {
        if let Control::Join(_) = control {
            self.legs.lock().unwrap().push(0);
        }
        true
    }
    fn take_news(&mut self) -> Option<mpsc::Receiver<News>> {
        None
    }
    async fn close(self: Box<Self>, _reason: EndReason) -> Result<CallSummary, CallError> {
        self.teller.tell(
            &self.id,
            "turn.final",
            json!({"turn_id": "t-1", "start_ms": 0,
            "end_ms": 400, "party": {"role": "customer"}, "text": "When is my refund?"}),
        );
        self.teller.tell(
            &self.id,
            "suggestion.offered",
            json!({"title": "Refunds",
            "text": "It takes five days.", "trigger_turn": "t-1", "latency_ms": 31,
            "citations": [{"article_id": "billing/refunds", "quote": "It takes five days."}]}),
        );
        self.teller.tell(&self.id, "conversation.ended", json!({"reason": "hangup"}));
        let legs = self.legs.lock().unwrap().clone();
        self.teller.audio.lock().unwrap().insert(self.id.as_str().to_owned(), legs);
        Ok(CallSummary { turns: 1, duration_ms: 500 })
    }
}

async fn event_stream(State(teller): State<Storyteller>, headers: HeaderMap) -> Response {
    if headers.get("authorization").is_none_or(|key| key != "Bearer the-key") {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let events = futures_util::stream::unfold(teller.events.subscribe(), async |mut events| {
        let text = events.recv().await.ok()?;
        Some((Ok::<_, Infallible>(Event::default().id("1").data(text)), events))
    });
    Sse::new(events).into_response()
}

async fn serve(full: bool) -> (Storyteller, String) {
    let teller = Storyteller { events: broadcast::channel(1_000).0, audio: Arc::default(), full };
    let sockets = MediaSockets::new(Arc::new(teller.clone()), CancellationToken::new());
    let article = || async { Json(json!({"body": "Refunds. It takes five days."})) };
    let app = Router::new()
        .route("/v1/events", get(event_stream))
        .route("/v1/articles/billing%2Frefunds", get(article))
        .with_state(teller.clone())
        .merge(routes(sockets));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (teller, url)
}

/// Half a second of a tone.
fn recording(folder: &Path, name: &str, channels: u16, sample_rate: u32) -> PathBuf {
    let path = folder.join(name);
    let spec = hound::WavSpec {
        channels,
        sample_rate,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(&path, spec).unwrap();
    for sample in 0..sample_rate / 2 * u32::from(channels) {
        writer.write_sample((sample % 64 * 100) as i16).unwrap();
    }
    writer.finalize().unwrap();
    path
}

fn args(url: &str, files: Vec<PathBuf>, protocol: WireProtocol) -> Args {
    Args {
        files,
        url: url.to_owned(),
        protocol,
        speed: 10.0,
        channels: None,
        follow: false,
        json: false,
        report: false,
        api_key: Some("the-key".to_owned()),
    }
}

#[tokio::test]
async fn a_call_is_played_followed_and_reported() {
    let (teller, url) = serve(false).await;
    let folder = tempfile::tempdir().unwrap();
    let file = recording(folder.path(), "a.wav", 2, 44_100);
    let reference = json!({"turns": [{"speaker": "customer", "start_ms": 0, "end_ms": 500,
        "text": "When is my refund"}], "questions": [{"turn": 0, "any_of": ["days"]}]});
    std::fs::write(folder.path().join("a.json"), reference.to_string()).unwrap();

    for (protocol, bytes) in [
        (WireProtocol::Twilio, 4_000),
        (WireProtocol::Pcm, 16_000),
        (WireProtocol::Acs, 16_000),
        (WireProtocol::AudioHook, 4_000),
    ] {
        let mut out = Vec::new();
        let args = Args { follow: true, report: true, ..args(&url, vec![file.clone()], protocol) };
        let report = replay(args, &mut out).await.unwrap();
        let out = String::from_utf8(out).unwrap();
        assert!(out.starts_with("00:00  customer  When is my refund?\n"), "{out}");
        assert!(out.contains("card      Refunds. It takes five days. [billing/refunds · 31 ms]"));
        assert!(out.contains("quotes that stand in their article  1 of 1"), "{out}");
        let measured = report.measured.unwrap();
        assert_eq!((measured.words.errors, measured.lost_turns), (0, 0));
        assert_eq!((measured.questions.good, report.audio_seconds), (1, 0.5));
        let heard = std::mem::take(&mut *teller.audio.lock().unwrap());
        assert_eq!(heard.into_values().collect::<Vec<_>>(), [[bytes, bytes]], "{protocol:?}");
    }
}

#[tokio::test]
async fn several_files_play_at_once_and_print_raw_events() {
    let (teller, url) = serve(false).await;
    let folder = tempfile::tempdir().unwrap();
    let files = vec![
        recording(folder.path(), "a.wav", 2, 8_000),
        recording(folder.path(), "b.wav", 2, 16_000),
    ];
    let mut out = Vec::new();
    let args = Args {
        json: true,
        channels: Some(Channels::AgentCustomer),
        ..args(&url, files, WireProtocol::Pcm)
    };
    replay(args, &mut out).await.unwrap();
    let events: Vec<Value> = std::str::from_utf8(&out)
        .unwrap()
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    assert_eq!(events.len(), 8);
    assert_eq!(teller.audio.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_mono_file_is_one_leg_and_needs_no_event_stream() {
    let (teller, url) = serve(false).await;
    let folder = tempfile::tempdir().unwrap();
    let file = recording(folder.path(), "a.wav", 1, 8_000);
    let args = Args { api_key: None, ..args(&url, vec![file], WireProtocol::Pcm) };
    replay(args, &mut Vec::new()).await.unwrap();
    assert_eq!(teller.audio.lock().unwrap().values().next(), Some(&vec![8_000]));
}

#[tokio::test]
async fn each_failure_says_what_to_do() {
    let (_, url) = serve(false).await;
    let (_, full) = serve(true).await;
    let folder = tempfile::tempdir().unwrap();
    let file = recording(folder.path(), "a.wav", 2, 8_000);
    let letter = folder.path().join("letter.wav");
    std::fs::write(&letter, "Dear Sir or Madam").unwrap();
    // A port that was free a moment ago.
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let nobody = format!("http://{closed}");

    let check = async |args: Args, kind: ErrorKind, says: &[&str]| {
        let error: ReplayError = replay(args, &mut Vec::new()).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        for words in says {
            assert!(error.to_string().contains(words), "{error}");
        }
    };
    let plain = |url: &str| args(url, vec![file.clone()], WireProtocol::Twilio);
    check(plain(&nobody), ErrorKind::Unavailable, &[&nobody, "backchannel serve"]).await;
    check(Args { api_key: None, ..plain(&url) }, ErrorKind::Denied, &["set BACKCHANNEL_API_KEY"])
        .await;
    check(plain("ftp://x"), ErrorKind::Invalid, &["--url ftp://x"]).await;
    check(plain(&format!("{url}/elsewhere")), ErrorKind::Invalid, &["status 404"]).await;
    check(plain(&full), ErrorKind::Unavailable, &["a.wav", "code 1013"]).await;
    let unreadable = args(&url, vec![letter.clone()], WireProtocol::Twilio);
    check(unreadable, ErrorKind::Invalid, &["letter.wav is no audio file"]).await;
    let missing = args(&url, vec![folder.path().join("gone.wav")], WireProtocol::Twilio);
    check(missing, ErrorKind::NotFound, &["gone.wav can't be read"]).await;
    let mismatch = Args { channels: Some(Channels::Customer), ..plain(&url) };
    check(mismatch, ErrorKind::Invalid, &["--channels names 1 but"]).await;
}
