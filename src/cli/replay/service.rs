//! The service as `replay` sees it over HTTP: the media socket, the event stream, articles.

use std::time::Duration;

use futures_util::StreamExt as _;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONNECTION, HeaderValue, UPGRADE};
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::error::ReplayError;
use super::sse::{SseEvent, SseParser};
use crate::cli::client::client_of;

/// How often, and how far apart, a broken event stream is taken up again.
const RECONNECTS: u32 = 20;
const RECONNECT_AFTER: Duration = Duration::from_millis(500);

pub type MediaSocket = WebSocketStream<reqwest::Upgraded>;

pub type StreamItem = Result<(Instant, SseEvent), ReplayError>;

#[derive(Clone)]
pub struct Service {
    url: Url,
    key: Option<String>,
    client: Client,
}

impl Service {
    pub fn new(url: &str, key: Option<String>) -> Result<Self, ReplayError> {
        let wrong = |why: String| ReplayError::Arguments(format!("--url {url}: {why}"));
        let (parsed, builder) = client_of(url).map_err(wrong)?;
        // HTTP/1.1, because only there a connection can become a WebSocket.
        let client = builder.http1_only().build();
        let client = client.map_err(|error| ReplayError::Bug(error.to_string()))?;
        Ok(Self { url: parsed, key, client })
    }

    pub fn url(&self) -> String {
        self.url.as_str().trim_end_matches('/').to_owned()
    }

    fn get(&self, path: &str) -> RequestBuilder {
        let request = self.client.get(format!("{}{path}", self.url()));
        match &self.key {
            Some(key) => request.header(AUTHORIZATION, format!("Bearer {key}")),
            None => request,
        }
    }

    async fn answer(&self, request: RequestBuilder) -> Result<Response, ReplayError> {
        let url = self.url();
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => return Err(ReplayError::Unreachable { url, why: root_cause(&error) }),
        };
        match response.status() {
            status if status.is_success() => Ok(response),
            StatusCode::SWITCHING_PROTOCOLS => Ok(response),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(ReplayError::Denied { url }),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                let why = format!("it answers {}", response.status());
                Err(ReplayError::Busy { url, why })
            }
            status => Err(ReplayError::NotAService { url, status: status.as_u16() }),
        }
    }

    /// Opens a media WebSocket. By way of the HTTP client, so that TLS and proxies work as there.
    pub async fn media(&self, path: &str) -> Result<MediaSocket, ReplayError> {
        let key = generate_key();
        let request = self
            .get(path)
            .header(CONNECTION, HeaderValue::from_static("Upgrade"))
            .header(UPGRADE, HeaderValue::from_static("websocket"))
            .header("Sec-WebSocket-Version", "13")
            .header("Sec-WebSocket-Key", &key);
        let response = self.answer(request).await?;
        let status = response.status();
        let accepted = response.headers().get("Sec-WebSocket-Accept");
        if status != StatusCode::SWITCHING_PROTOCOLS
            || accepted.is_none_or(|accept| accept != derive_accept_key(key.as_bytes()).as_str())
        {
            return Err(ReplayError::NotAService { url: self.url(), status: status.as_u16() });
        }
        let upgraded = response.upgrade().await.map_err(|error| ReplayError::Unreachable {
            url: self.url(),
            why: root_cause(&error),
        })?;
        Ok(WebSocketStream::from_raw_socket(upgraded, Role::Client, None).await)
    }

    /// Subscribes to all events from now on. When this returns, none will be missed; a broken
    /// stream is resumed where it broke. The last message is an error if it doesn't come back.
    pub async fn events(&self) -> Result<mpsc::Receiver<StreamItem>, ReplayError> {
        let response = self.stream(None).await?;
        // Big enough for a burst; when it is full, reading waits, and the service's queue with it.
        let (sender, receiver) = mpsc::channel(1_024);
        let service = self.clone();
        tokio::spawn(async move { service.pump(response, sender).await });
        Ok(receiver)
    }

    /// Runs until nobody listens any more, or the stream is lost for good.
    async fn pump(&self, mut response: Response, sender: mpsc::Sender<StreamItem>) {
        let mut parser = SseParser::default();
        let mut attempts = 0;
        loop {
            let mut chunks = response.bytes_stream();
            loop {
                let chunk = tokio::select! {
                    chunk = chunks.next() => chunk,
                    () = sender.closed() => return,
                };
                let Some(Ok(chunk)) = chunk else { break };
                attempts = 0;
                let now = Instant::now();
                for event in parser.push(&chunk) {
                    if sender.send(Ok((now, event))).await.is_err() {
                        return;
                    }
                }
            }
            parser.reconnect();
            response = loop {
                attempts += 1;
                tokio::time::sleep(RECONNECT_AFTER).await;
                match self.stream(parser.last_id()).await {
                    Ok(response) => break response,
                    Err(error) if attempts >= RECONNECTS => {
                        let (url, why) = (self.url(), error.to_string());
                        let _ = sender.send(Err(ReplayError::StreamLost { url, why })).await;
                        return;
                    }
                    Err(_) => {}
                }
            };
        }
    }

    async fn stream(&self, last_id: Option<&str>) -> Result<Response, ReplayError> {
        let mut request = self.get("/v1/events").header(ACCEPT, "text/event-stream");
        if let Some(id) = last_id {
            request = request.header("Last-Event-ID", id);
        }
        self.answer(request).await
    }

    /// The body of an article, if there is one by that id.
    pub async fn article(&self, id: &str) -> Option<String> {
        let mut url = Url::parse(&self.url()).ok()?;
        // A path segment of its own, so that the slash in the id is escaped.
        url.path_segments_mut().ok()?.pop_if_empty().extend(["v1", "articles", id]);
        let mut request = self.get("").build().ok()?;
        *request.url_mut() = url;
        let response = self.client.execute(request).await.ok()?;
        let article: serde_json::Value = response.json().await.ok()?;
        Some(article["body"].as_str()?.to_owned())
    }
}

/// The innermost reason is the one that people understand: "connection refused".
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
