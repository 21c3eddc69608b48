//! What axum does by itself: what is posted goes to everybody who listens, by its own SSE.

use std::convert::Infallible;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::Context as _;
use axum::Router;
use axum::extract::State;
use axum::response::Sse;
use axum::response::sse::Event;
use axum::routing::{get, post};
use futures_util::{Stream, stream};
use tokio::sync::broadcast;

type Sender = broadcast::Sender<String>;

/// More than is ever on its way.
const ON_ITS_WAY: usize = 256;

/// Serves until it is killed; the first line of its output is its address.
pub fn serve() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let (sender, _) = broadcast::channel(ON_ITS_WAY);
        let app = Router::new()
            .route("/events", get(events))
            .route("/publish", post(publish))
            .with_state(sender);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        axum::serve(listener, app).await?;
        anyhow::Ok(())
    })
}

async fn events(
    State(sender): State<Sender>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let greeting = stream::iter([Ok(Event::default().comment("connected"))]);
    let events = stream::unfold(sender.subscribe(), |mut receiver| async move {
        let text = receiver.recv().await.ok()?;
        Some((Ok(Event::default().data(text)), receiver))
    });
    Sse::new(futures_util::StreamExt::chain(greeting, events))
}

async fn publish(State(sender): State<Sender>, text: String) {
    // Nobody listens yet: then nobody misses it.
    let _ = sender.send(text);
}

/// The process.
pub struct Bare {
    child: Child,
    pub address: String,
}

impl Bare {
    pub fn start() -> anyhow::Result<Self> {
        let mut child =
            Command::new(std::env::current_exe()?).arg("--bare").stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("piped")?).read_line(&mut line)?;
        Ok(Self { child, address: line.trim().to_owned() })
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
