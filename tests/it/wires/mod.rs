//! The media wires over real sockets, against a recorder in the place of the calls, and with other
//! people's clients against the whole service.

mod asterisk;
mod audiosocket;
mod deepgram;
mod hostile;
mod listeners;
mod recorder;
mod siprec;
mod streams;

use std::path::PathBuf;
use std::time::Duration;

use backchannel::app::{Access, App};
use backchannel::config::Config;
use backchannel::connect::telephony::{MediaSockets, routes};
use backchannel::domain::TenantId;
use futures_util::{SinkExt as _, StreamExt as _};
use recorder::Recorder;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use tokio_util::sync::CancellationToken;

pub const PATIENCE: Duration = Duration::from_secs(20);

pub type Client = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Media sockets whose calls go to a recorder.
pub fn sockets(recorder: &Recorder) -> MediaSockets {
    MediaSockets::new(std::sync::Arc::new(recorder.clone()), CancellationToken::new())
}

/// The WebSocket wires on a free port; without keys, since those are the guard's.
pub async fn wires(recorder: &Recorder) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound").to_string();
    let app = routes(sockets(recorder)).layer(axum::Extension(TenantId::from("demo")));
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

/// Dials; answers the connection and the subprotocol that was agreed on.
pub async fn dial(
    url: &str,
    headers: &[(&'static str, &str)],
) -> Result<(Client, Option<String>), u16> {
    use tokio_tungstenite::tungstenite::Error;
    let mut request = url.into_client_request().expect("a URL");
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().expect("a header"));
    }
    match tokio_tungstenite::connect_async(request).await {
        Ok((client, response)) => {
            let protocol = response.headers().get("sec-websocket-protocol");
            let protocol = protocol.map(|value| value.to_str().expect("text").to_owned());
            Ok((client, protocol))
        }
        Err(Error::Http(response)) => Err(response.status().as_u16()),
        Err(error) => panic!("{url}: {error}"),
    }
}

pub async fn say(client: &mut Client, text: impl ToString) {
    client.send(Message::text(text.to_string())).await.expect("sent");
}

pub async fn send(client: &mut Client, bytes: impl Into<Vec<u8>>) {
    client.send(Message::binary(bytes.into())).await.expect("sent");
}

/// The texts until the connection is closed, and the code of the close.
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
    let (code, reason) = tokio::time::timeout(PATIENCE, all).await.expect("in time");
    (code, reason, texts)
}

/// The whole service with its real models and the demo's key, and how to stop it.
pub struct Service {
    pub access: Access,
    stop: CancellationToken,
    running: tokio::task::JoinHandle<()>,
    _folder: tempfile::TempDir,
}

impl Service {
    pub async fn start(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut config = Config::default();
        config.serve.listen.set_port(0);
        config.store.folder = folder.path().to_owned();
        change(&mut config);
        let app = App::build(config, true).await.expect("`make models` has pulled what it needs");
        let (access, stop) = (app.access().clone(), app.stop_token());
        let (ready, is_ready) = tokio::sync::oneshot::channel();
        let running = tokio::spawn(async move {
            let served = app.run(move |_| ready.send(()).expect("somebody waits")).await;
            served.expect("an orderly end");
        });
        is_ready.await.expect("it gets ready");
        Self { access, stop, running, _folder: folder }
    }

    pub fn key(&self) -> &str {
        self.access.api_key.as_deref().expect("the demo makes one up")
    }

    pub fn socket_url(&self, path: &str) -> String {
        format!("{}{path}", self.access.url.replace("http://", "ws://"))
    }

    pub async fn stop(self) {
        self.stop.cancel();
        tokio::time::timeout(PATIENCE, self.running).await.expect("in time").expect("no panic");
    }
}

/// Where `.ci/peers` has put other people's clients.
pub fn peers() -> PathBuf {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = set("BACKCHANNEL_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|folder| folder.join("backchannel")))
        .or_else(|| set("HOME").map(|folder| folder.join(".cache/backchannel")))
        .expect("a home");
    let peers = cache.join("peers");
    assert!(peers.join("installed").exists(), "run `make peers` first: the test needs them");
    peers
}

/// Waits until something is so.
pub async fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let found = async {
        loop {
            if let Some(found) = look() {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, found).await.unwrap_or_else(|_| panic!("{what} never came"))
}
