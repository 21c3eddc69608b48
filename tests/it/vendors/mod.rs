//! The media wires of vendors over real sockets, and how each proves who it is.

mod acs;
mod audiohook;
mod eventgrid;
mod twilio;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use backchannel::connect::telephony::auth::MediaAuth;
use backchannel::connect::telephony::{MediaSockets, routes};
use serde_json::Value;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderName;

use crate::media::{Client, Recorder, Service};
use crate::serve::harness::{House, Options};
use crate::wires::peers;

/// Media sockets behind the service's own guard.
struct Door {
    house: House,
    calls: Service,
}

impl Door {
    async fn open(media_auth: MediaAuth) -> Self {
        let recorder = Recorder::default();
        let sockets = Service::sockets(&recorder);
        Self::with(media_auth, recorder, sockets).await
    }

    async fn with(media_auth: MediaAuth, recorder: Recorder, sockets: MediaSockets) -> Self {
        let house = House::open_with(Options {
            media_auth,
            incoming: sockets.incoming.clone(),
            media: Some(routes(sockets.clone())),
            ..Options::default()
        })
        .await;
        let address = house.address.to_string();
        Self { house, calls: Service { address, recorder, sockets } }
    }

    /// A WebSocket, or the status of the refusal.
    async fn knock(&self, path: &str, headers: &[(&'static str, &str)]) -> Result<Client, u16> {
        let url = format!("ws://{}{path}", self.house.address);
        let mut request = url.into_client_request().expect("a URL");
        for (name, value) in headers {
            let name = HeaderName::from_static(name);
            request.headers_mut().insert(name, value.parse().expect("a value"));
        }
        match tokio_tungstenite::connect_async(request).await {
            Ok((client, _)) => Ok(client),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }
}

/// What an official SDK says, through a script in `tests/peers`.
fn sdk(script: &str, question: &Value) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(script);
    let mut node = Command::new("node")
        .arg(&script)
        .arg(peers().join("node"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .expect("node is there: `.ci/need node` installs it");
    let mut to_node = node.stdin.take().expect("it was asked for");
    to_node.write_all(question.to_string().as_bytes()).expect("it reads");
    drop(to_node);
    let ran = node.wait_with_output().expect("it ends");
    assert!(ran.status.success(), "{}", script.display());
    serde_json::from_slice(&ran.stdout).expect("JSON")
}
