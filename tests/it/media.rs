//! Media connections over real sockets, against a recorder in the place of the calls.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use backchannel::connect::telephony::{CallSink, LiveCall, MediaSockets, routes};
use backchannel::domain::{ConversationId, EndReason, Role, TenantId};
use backchannel::flow::driver::{CallError, CallOpening, CallSummary, Control, Full, News};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use tokio_util::sync::CancellationToken;

/// What became of one call.
#[derive(Clone, Debug, Default)]
pub struct Call {
    pub tenant: String,
    pub external_id: Option<String>,
    pub audio: BTreeMap<usize, Vec<u8>>,
    pub ended: Option<EndReason>,
    /// By leg, those that joined later included.
    pub roles: Vec<Role>,
    pub attributes: BTreeMap<String, String>,
    pub controls: Vec<Control>,
}

#[derive(Clone, Default)]
pub struct Recorder {
    pub calls: Arc<Mutex<BTreeMap<String, Call>>>,
    pub opened: Arc<AtomicUsize>,
    pub capacity: Option<usize>,
    /// What each call says to a media side that wants to hear: at once, and when it ends.
    pub news: Vec<News>,
    pub last_news: Vec<News>,
}

struct RecordedCall {
    id: ConversationId,
    calls: Arc<Mutex<BTreeMap<String, Call>>>,
    to_media: mpsc::Sender<News>,
    news: Option<mpsc::Receiver<News>>,
    last_news: Vec<News>,
}

#[async_trait]
impl CallSink for Recorder {
    async fn open(&self, opening: CallOpening) -> Result<Box<dyn LiveCall>, CallError> {
        let number = self.opened.fetch_add(1, Ordering::SeqCst) + 1;
        if let Some(capacity) = self.capacity
            && number > capacity
        {
            return Err(CallError::Busy(Full::Machine(capacity)));
        }
        let id = ConversationId::from(format!("c-{number}"));
        let call = Call {
            tenant: opening.tenant.as_str().to_owned(),
            external_id: opening.external_id,
            roles: opening.legs.iter().map(|leg| leg.role).collect(),
            attributes: opening.attributes,
            ..Call::default()
        };
        self.calls.lock().unwrap().insert(id.as_str().to_owned(), call);
        let (to_media, news) = mpsc::channel(100);
        for news in &self.news {
            to_media.try_send(news.clone()).unwrap();
        }
        Ok(Box::new(RecordedCall {
            id,
            calls: self.calls.clone(),
            to_media,
            news: opening.wants_news.then_some(news),
            last_news: self.last_news.clone(),
        }))
    }
}

#[async_trait]
impl LiveCall for RecordedCall {
    fn id(&self) -> &ConversationId {
        &self.id
    }
    fn audio(&self, leg: usize, _at_ms: Option<u64>, payload: Bytes) {
        let mut calls = self.calls.lock().unwrap();
        let call = calls.get_mut(self.id.as_str()).unwrap();
        call.audio.entry(leg).or_default().extend_from_slice(&payload);
    }
    fn control(&mut self, control: Control) -> bool {
        let mut calls = self.calls.lock().unwrap();
        let call = calls.get_mut(self.id.as_str()).unwrap();
        if let Control::Join(leg) = &control {
            call.roles.push(leg.role);
        }
        call.controls.push(control);
        true
    }
    fn take_news(&mut self) -> Option<mpsc::Receiver<News>> {
        self.news.take()
    }
    async fn close(self: Box<Self>, reason: EndReason) -> Result<CallSummary, CallError> {
        for news in &self.last_news {
            // Nobody may be listening.
            let _ = self.to_media.try_send(news.clone());
        }
        self.calls.lock().unwrap().get_mut(self.id.as_str()).unwrap().ended = Some(reason);
        Ok(CallSummary { turns: 7, duration_ms: 20 })
    }
}

pub struct Service {
    pub address: String,
    pub recorder: Recorder,
    pub sockets: MediaSockets,
}

pub type Client = WebSocketStream<MaybeTlsStream<TcpStream>>;

impl Service {
    pub async fn start(recorder: Recorder) -> Self {
        Self::patient(recorder, MediaSockets::PATIENCE).await
    }

    pub async fn patient(recorder: Recorder, patience: Duration) -> Self {
        let mut sockets = Self::sockets(&recorder);
        sockets.patience = patience;
        Self::with(recorder, sockets).await
    }

    pub fn sockets(recorder: &Recorder) -> MediaSockets {
        MediaSockets::new(Arc::new(recorder.clone()), CancellationToken::new())
    }

    pub async fn with(recorder: Recorder, sockets: MediaSockets) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let app = routes(sockets.clone()).layer(axum::Extension(TenantId::from("demo")));
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { address, recorder, sockets }
    }

    pub async fn connect(&self, protocol: &str) -> Client {
        let url = format!("ws://{}/v1/media/{protocol}", self.address);
        tokio_tungstenite::connect_async(url).await.unwrap().0
    }

    /// The only call there is, once its connection is done with it.
    pub async fn ended(&self, id: &str) -> Call {
        for _ in 0..500 {
            let call = self.recorder.calls.lock().unwrap().get(id).cloned();
            if let Some(call) = call
                && call.ended.is_some()
            {
                return call;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("call {id} did not end");
    }
}

pub async fn say(client: &mut Client, text: impl ToString) {
    client.send(Message::text(text.to_string())).await.unwrap();
}

/// Code and reason of the close frame, and the texts before it.
pub async fn hear_out(client: &mut Client) -> (u16, String, Vec<String>) {
    let mut texts = Vec::new();
    let all = async {
        loop {
            match client.next().await {
                Some(Ok(Message::Text(text))) => texts.push(text.to_string()),
                Some(Ok(Message::Close(Some(frame)))) => {
                    break (frame.code.into(), frame.reason.to_string());
                }
                Some(Ok(_)) => {}
                other => panic!("no close frame came: {other:?}"),
            }
        }
    };
    let (code, reason) = tokio::time::timeout(Duration::from_secs(10), all).await.unwrap();
    (code, reason, texts)
}

fn twilio_start() -> serde_json::Value {
    json!({"event": "start", "streamSid": "MZ1", "start": {"streamSid": "MZ1", "callSid": "CA1",
        "tracks": ["inbound", "outbound"], "customParameters": {},
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}}})
}

fn twilio_media(track: &str, at_ms: u64, mark: u8) -> serde_json::Value {
    json!({"event": "media", "media": {"track": track, "timestamp": at_ms.to_string(),
        "payload": STANDARD.encode([mark; 160])}})
}

fn pcm_start() -> serde_json::Value {
    json!({"type": "start", "encoding": "mulaw", "sample_rate_hz": 8000, "channels": 2,
        "parties": ["customer", "agent"], "external_id": "x-1"})
}

#[tokio::test]
async fn a_twilio_call_is_handed_over_whole() {
    let service = Service::start(Recorder::default()).await;
    let mut client = service.connect("twilio").await;
    say(&mut client, json!({"event": "connected", "protocol": "Call"})).await;
    say(&mut client, twilio_start()).await;
    for frame in 0..50 {
        say(&mut client, twilio_media("inbound", frame * 20, 1)).await;
        say(&mut client, twilio_media("outbound", frame * 20, 2)).await;
    }
    say(&mut client, json!({"event": "stop", "stop": {"callSid": "CA1"}})).await;
    let (code, _, texts) = hear_out(&mut client).await;
    assert_eq!((code, texts.len()), (1000, 0));
    let call = service.ended("c-1").await;
    assert_eq!((call.tenant.as_str(), call.external_id.as_deref()), ("demo", Some("CA1")));
    assert_eq!(call.ended, Some(EndReason::Hangup));
    assert_eq!(call.audio, BTreeMap::from([(0, vec![1; 8_000]), (1, vec![2; 8_000])]));
}

#[tokio::test]
async fn a_pcm_call_hears_that_it_started_and_that_all_is_kept() {
    let service = Service::start(Recorder::default()).await;
    let mut client = service.connect("pcm").await;
    say(&mut client, pcm_start()).await;
    client.send(Message::binary([1, 2].repeat(400))).await.unwrap();
    say(&mut client, json!({"type": "stop"})).await;
    let (code, _, texts) = hear_out(&mut client).await;
    assert_eq!(code, 1000);
    assert_eq!(
        texts,
        [
            r#"{"conversation_id":"c-1","type":"started"}"#,
            r#"{"conversation_id":"c-1","turns":7,"type":"stopped"}"#
        ]
    );
    assert_eq!(service.ended("c-1").await.audio[&1], vec![2; 400]);
}

#[tokio::test]
async fn bad_input_gets_one_clear_error_and_other_calls_do_not_notice() {
    let service = Service::start(Recorder::default()).await;
    let mut good = service.connect("twilio").await;
    say(&mut good, twilio_start()).await;
    say(&mut good, twilio_media("inbound", 0, 1)).await;

    let megabyte = "x".repeat(1 << 20);
    let begun = twilio_start().to_string();
    let bad_audio = r#"{"event":"media","media":{"track":"inbound","payload":"?"}}"#.to_owned();
    let early = twilio_media("inbound", 0, 1).to_string();
    for (path, messages, expected) in [
        ("twilio", vec!["{".to_owned()], (1007, "message 1 is not JSON (line 1, column 1)")),
        (
            "twilio",
            vec![begun.clone(), bad_audio],
            (1007, "message 2 has a payload that is not base64"),
        ),
        ("twilio", vec![early], (1008, "media came before start")),
        ("twilio", vec![begun, megabyte.clone()], (1009, "message is larger than 64 KiB")),
        ("pcm", vec![megabyte], (1009, "message is larger than 64 KiB")),
        (
            "pcm",
            vec!["hello".to_owned()],
            (1007, "the text message is not JSON (line 1, column 1)"),
        ),
    ] {
        let mut client = service.connect(path).await;
        for message in messages {
            say(&mut client, message).await;
        }
        let (code, reason, _) = hear_out(&mut client).await;
        assert_eq!((code, reason.as_str()), expected);
    }
    say(&mut good, twilio_media("inbound", 20, 1)).await;
    say(&mut good, json!({"event": "stop"})).await;
    assert_eq!(hear_out(&mut good).await.0, 1000);
    assert_eq!(service.ended("c-1").await.audio[&0], vec![1; 320]);
    for id in ["c-2", "c-3"] {
        assert_eq!(service.ended(id).await.ended, Some(EndReason::ProtocolError));
    }
}

#[tokio::test]
async fn a_frame_that_never_fits_is_refused_before_it_is_read() {
    let service = Service::start(Recorder::default()).await;
    let mut client = service.connect("pcm").await;
    say(&mut client, pcm_start()).await;
    // The connection may be reset while the rest is still on its way.
    let _ = client.send(Message::binary(vec![0; 8 << 20])).await;
    assert_eq!(service.ended("c-1").await.ended, Some(EndReason::ProtocolError));
}

#[tokio::test]
async fn a_silent_call_is_closed_as_timed_out() {
    let service = Service::patient(Recorder::default(), Duration::from_millis(300)).await;
    let mut client = service.connect("twilio").await;
    say(&mut client, twilio_start()).await;
    say(&mut client, twilio_media("inbound", 0, 1)).await;
    let (code, reason, _) = hear_out(&mut client).await;
    assert_eq!((code, reason.as_str()), (1008, "no media for 0.3 s"));
    let call = service.ended("c-1").await;
    assert_eq!((call.ended, call.audio[&0].len()), (Some(EndReason::Timeout), 160));

    let mut mute = service.connect("pcm").await;
    assert_eq!(hear_out(&mut mute).await.0, 1008, "one that never starts, too");
}

#[tokio::test]
async fn a_cut_connection_ends_its_call_as_disconnected() {
    let service = Service::start(Recorder::default()).await;
    let mut client = service.connect("twilio").await;
    say(&mut client, twilio_start()).await;
    say(&mut client, twilio_media("inbound", 0, 1)).await;
    say(&mut client, twilio_media("inbound", 100, 1)).await;
    drop(client);
    let call = service.ended("c-1").await;
    assert_eq!((call.ended, call.audio[&0].len()), (Some(EndReason::Disconnected), 320));
}

#[tokio::test]
async fn a_full_house_says_so() {
    let service = Service::start(Recorder { capacity: Some(1), ..Recorder::default() }).await;
    let mut first = service.connect("pcm").await;
    say(&mut first, pcm_start()).await;
    first.next().await.unwrap().unwrap();
    let mut second = service.connect("twilio").await;
    say(&mut second, twilio_start()).await;
    let (code, reason, _) = hear_out(&mut second).await;
    assert_eq!(code, 1013);
    assert!(reason.contains("as many calls are live as this machine can hold"), "{reason}");
}

#[tokio::test]
async fn shutting_down_closes_every_call_in_order() {
    let service = Service::start(Recorder::default()).await;
    let mut client = service.connect("pcm").await;
    say(&mut client, pcm_start()).await;
    client.next().await.unwrap().unwrap();
    service.sockets.shutdown.cancel();
    let (code, reason, _) = hear_out(&mut client).await;
    assert_eq!((code, reason.as_str()), (1001, "the service is shutting down"));
    drop(client);
    service.sockets.connections.close();
    tokio::time::timeout(Duration::from_secs(5), service.sockets.connections.wait()).await.unwrap();
    assert_eq!(service.ended("c-1").await.ended, Some(EndReason::Shutdown));
}
