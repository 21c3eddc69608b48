//! The whole service with its real models: who gets a place, and what a pause leaves behind.

use std::path::Path;
use std::time::Duration;

use backchannel::app::{Access, App};
use backchannel::config::Config;
use backchannel::flow::audio::AudioFile;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};

const PATIENCE: Duration = Duration::from_secs(60);

type Socket =
    tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

struct Running {
    access: Access,
    stop: tokio_util::sync::CancellationToken,
    served: tokio::task::JoinHandle<()>,
}

impl Running {
    async fn start(mut config: Config, data: &Path) -> Self {
        config.serve.listen.set_port(0);
        config.store.folder = data.to_owned();
        let app = App::build(config, true).await.expect("`make models` has pulled what it needs");
        let (access, stop) = (app.access().clone(), app.stop_token());
        let (ready, is_ready) = tokio::sync::oneshot::channel();
        let served = tokio::spawn(async move {
            app.run(move |_| ready.send(()).expect("somebody waits")).await.expect("orderly");
        });
        is_ready.await.expect("it gets ready");
        Self { access, stop, served }
    }

    fn key(&self) -> &str {
        self.access.api_key.as_deref().expect("the demo makes one up")
    }

    async fn dial(&self) -> Result<Socket, Error> {
        let url = format!("{}/v1/media/pcm", self.access.url.replace("http://", "ws://"));
        let mut request = url.into_client_request()?;
        let bearer = format!("Bearer {}", self.key()).parse().expect("a header");
        request.headers_mut().insert("authorization", bearer);
        tokio_tungstenite::connect_async(request).await.map(|(socket, _)| socket)
    }

    /// Everything that a subscriber receives until the service ends, as it came.
    fn follow(&self) -> tokio::task::JoinHandle<String> {
        let request = reqwest::Client::new().get(format!("{}/v1/events", self.access.url));
        let request = request.bearer_auth(self.key());
        tokio::spawn(async move {
            let mut bytes = request.send().await.expect("answers").bytes_stream();
            let mut text = Vec::new();
            while let Some(Ok(chunk)) = timeout(PATIENCE, bytes.next()).await.expect("in time") {
                text.extend_from_slice(&chunk);
            }
            String::from_utf8(text).expect("UTF-8")
        })
    }

    async fn end(self) {
        self.stop.cancel();
        timeout(PATIENCE, self.served).await.expect("in time").expect("no panic");
    }
}

/// What a refused connection is told: status, `Retry-After`, the problem.
fn refusal(dialled: Result<Socket, Error>) -> (u16, u64, Value) {
    let Err(Error::Http(answer)) = dialled else { panic!("{dialled:?}") };
    let header = |name: &str| answer.headers()[name].to_str().expect("text").to_owned();
    assert_eq!(header("content-type"), "application/problem+json");
    let seconds = header("retry-after").parse().expect("seconds");
    let body = answer.body().as_deref().expect("a body");
    (answer.status().as_u16(), seconds, serde_json::from_slice(body).expect("JSON"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_place_there_is_no_connection_and_places_come_back() {
    for (max, per_tenant, why) in [(1, 0, "this machine"), (9, 1, "this tenant")] {
        let data = tempfile::tempdir().expect("a folder");
        let mut config = Config::default();
        config.calls.max = max;
        config.calls.per_tenant = per_tenant;
        let service = Running::start(config, data.path()).await;
        // A connection holds its place before it says what call it brings.
        let held = service.dial().await.expect("the first is taken");
        let (status, seconds, problem) = refusal(service.dial().await);
        assert_eq!((status, problem["status"].as_u64()), (429, Some(429)));
        assert!(seconds > 0);
        let detail = problem["detail"].as_str().expect("a sentence");
        assert!(detail.contains(why), "{detail}");

        drop(held);
        let again = async {
            loop {
                match service.dial().await {
                    Ok(socket) => return socket,
                    Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
                }
            }
        };
        let mut again = timeout(PATIENCE, again).await.expect("its place comes back");
        again.send(Message::text(START)).await.expect("sent");
        let started = timeout(PATIENCE, again.next()).await.expect("in time");
        assert!(matches!(started, Some(Ok(Message::Text(_)))), "{started:?}");
        assert_eq!(refusal(service.dial().await).0, 429);
        drop(again);
        service.end().await;
    }
}

const START: &str = r#"{"type": "start", "encoding": "pcm_s16le", "sample_rate_hz": 8000,
    "channels": 1, "parties": ["customer"]}"#;

async fn say(call: &mut Socket, audio: &[f32], from_ms: usize, to_ms: usize) {
    for frame in audio[8 * from_ms..8 * to_ms].chunks(160) {
        let bytes: Vec<u8> =
            frame.iter().flat_map(|s| ((s * 32_767.0) as i16).to_le_bytes()).collect();
        call.send(Message::binary(bytes)).await.expect("sent");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn tell(call: &mut Socket, kind: &str) {
    call.send(Message::text(json!({"type": kind}).to_string())).await.expect("sent");
}

/// Words and digits of what was planted in the pause.
const PLANTED: [&str; 7] =
    ["forty", "pounds", "two times", "six one four", "zero seven", "614", "229"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_leaves_nothing_of_what_is_said_in_it() {
    let (data, nothing) =
        (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let mut config = Config::default();
    // The sample's articles say some of it, too.
    config.knowledge.folder = Some(nothing.path().to_owned());
    let service = Running::start(config, data.path()).await;
    let following = service.follow();
    let mut call = service.dial().await.expect("taken");
    call.send(Message::text(START)).await.expect("sent");
    let recording =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/calls/billing-double-charge.wav");
    let customer = AudioFile::open(&recording).expect("a recording").channels.remove(0);
    // "… I've just looked at my bank account and" │ "you've charged me twice this month. Forty two
    // pounds, two times." The pause begins in mid-sentence, with a partial on its way.
    say(&mut call, &customer, 5_000, 9_600).await;
    tell(&mut call, "pause").await;
    say(&mut call, &customer, 9_600, 14_400).await;
    // "Yeah, it's six one four, two two nine, zero seven."
    say(&mut call, &customer, 19_500, 24_300).await;
    tell(&mut call, "resume").await;
    // "Right, but nobody told me that. So when do I get my money back?"
    say(&mut call, &customer, 38_000, 43_300).await;
    tell(&mut call, "stop").await;
    let stopped = async {
        while let Some(Ok(message)) = call.next().await {
            if matches!(&message, Message::Text(text) if text.contains("stopped")) {
                return;
            }
        }
        panic!("it never stopped");
    };
    timeout(PATIENCE, stopped).await.expect("in time");
    service.end().await;

    let stream = following.await.expect("no panic");
    let mut said = String::new();
    let mut kinds = Vec::new();
    for data in stream.lines().filter_map(|line| line.strip_prefix("data: ")) {
        let event: Value = serde_json::from_str(data).expect("JSON");
        let kind = event["type"].as_str().expect("a type").trim_start_matches("backchannel.");
        kinds.push(kind.to_owned());
        if kind.starts_with("turn.") {
            said.push_str(&event["data"]["text"].as_str().unwrap_or_default().to_lowercase());
            said.push('\n');
        }
    }
    for kind in ["audio.paused", "audio.resumed"] {
        assert!(kinds.iter().any(|seen| seen == kind), "{kind} in {kinds:?}");
    }
    assert!(said.contains("bank account"), "what was said before stands: {said}");
    assert!(said.contains("money back"), "and what was said after it: {said}");
    for planted in PLANTED {
        assert!(!said.contains(planted), "{planted} in {said}");
    }
    assert!(!said.contains("42"), "{said}");

    // The files, as bytes: the log and whatever lies beside it. Ids and times have digits, so only
    // words are looked for here.
    let mut written = String::new();
    for file in std::fs::read_dir(data.path()).expect("a folder") {
        let bytes = std::fs::read(file.expect("a file").path()).expect("readable");
        written.push_str(&String::from_utf8_lossy(&bytes).to_lowercase());
    }
    assert!(written.contains("bank account"), "the log can be searched like this");
    for planted in PLANTED.iter().filter(|planted| planted.contains(' ')) {
        assert!(!written.contains(planted), "{planted} is on the disk");
    }
}
