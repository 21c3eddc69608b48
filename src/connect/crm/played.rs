//! A system that isn't there: a server on loopback that plays what was recorded, or a model of it that remembers.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::body::{Body, to_bytes};
use axum::response::Response;
use http::{HeaderMap, Request, StatusCode};
use jiff::Timestamp;
use reqwest::Url;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

const BODY_MAX_BYTES: usize = 4 << 20;

/// What was asked for.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    pub path: String,
    /// Decoded, in order.
    pub query: Vec<(String, String)>,
    pub headers: HeaderMap,
    /// JSON, or a form as an object of texts, or a text.
    pub body: Value,
}

impl Asked {
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
    /// The path's pieces, decoded.
    pub fn pieces(&self) -> Vec<String> {
        let decoded = |piece: &str| {
            percent_encoding::percent_decode_str(piece).decode_utf8_lossy().into_owned()
        };
        self.path.split('/').filter(|piece| !piece.is_empty()).map(decoded).collect()
    }
}

/// The answer.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: Option<Value>,
}

impl Reply {
    pub fn json(status: u16, body: Value) -> Self {
        Self { status, headers: BTreeMap::new(), body: Some(body) }
    }
    pub fn empty(status: u16) -> Self {
        Self { status, headers: BTreeMap::new(), body: None }
    }
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.insert(name.to_owned(), value.into());
        self
    }
}

/// Who answers.
pub trait Play: Send + 'static {
    fn answer(&mut self, asked: &Asked) -> Reply;
}

/// Listens until it is dropped.
pub struct Stage<P> {
    url: Url,
    player: Arc<Mutex<P>>,
    listening: JoinHandle<()>,
}

impl<P> Drop for Stage<P> {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl<P: Play> Stage<P> {
    pub async fn new(player: P) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it has one");
        let player = Arc::new(Mutex::new(player));
        let shared = player.clone();
        let router = axum::Router::new().fallback(move |request: Request<Body>| {
            let player = shared.clone();
            async move {
                let asked = read(request).await;
                let reply = player.lock().expect("no player panics").answer(&asked);
                respond(reply)
            }
        });
        let listening = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("it serves");
        });
        let url = Url::parse(&format!("http://{address}")).expect("an address");
        Self { url, player, listening }
    }

    pub fn url(&self) -> Url {
        self.url.clone()
    }

    pub fn player(&self) -> MutexGuard<'_, P> {
        self.player.lock().expect("no player panics")
    }
}

async fn read(request: Request<Body>) -> Asked {
    let (head, body) = request.into_parts();
    let bytes = to_bytes(body, BODY_MAX_BYTES).await.unwrap_or_default();
    let pairs = |text: &str| -> Vec<(String, String)> {
        let url = Url::parse(&format!("http://x/?{text}")).expect("a query");
        url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
    };
    let kind = head.headers.get(http::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let body = match kind {
        _ if text.is_empty() => Value::Null,
        Some(kind) if kind.contains("urlencoded") => {
            pairs(&text).into_iter().map(|(name, value)| (name, Value::String(value))).collect()
        }
        _ => serde_json::from_str(&text).unwrap_or(Value::String(text)),
    };
    Asked {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: pairs(head.uri.query().unwrap_or_default()),
        headers: head.headers,
        body,
    }
}

fn respond(reply: Reply) -> Response {
    let mut response = match reply.body {
        Some(body) => {
            let mut response = Response::new(Body::from(body.to_string()));
            let json = http::HeaderValue::from_static("application/json;charset=UTF-8");
            response.headers_mut().insert(http::header::CONTENT_TYPE, json);
            response
        }
        None => Response::new(Body::empty()),
    };
    *response.status_mut() = StatusCode::from_u16(reply.status).expect("a status");
    for (name, value) in reply.headers {
        let name = http::HeaderName::try_from(name).expect("a name");
        response.headers_mut().insert(name, value.parse().expect("a value"));
    }
    response
}

/// A clock that goes on with each change, so that the order of changes is their order in time.
pub struct Clock(Timestamp);

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock {
    pub fn new() -> Self {
        Self("2026-11-22T10:00:00Z".parse().expect("a time"))
    }
    pub fn tick(&mut self, ms: i64) -> Timestamp {
        self.0 += jiff::SignedDuration::from_millis(ms);
        self.0
    }
}

/// Plays a cassette: a file `{"version": 1, "about", "sources", "exchanges": [{"request", "answer"}]}`, where a
/// request has a method, a path, and of query, headers and body what must be in them. Each exchange is played once,
/// in any order; whatever else is asked fails the test when the cassette is dropped, as does what nobody asked for.
pub struct Cassette {
    name: String,
    waiting: Vec<Exchange>,
    /// What nothing was recorded for.
    strangers: Vec<String>,
}

struct Exchange {
    request: Value,
    answer: Value,
}

impl Cassette {
    /// From `tests/cassettes/crm/<name>.json`.
    pub fn load(name: &str) -> Self {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/cassettes/crm/{name}.json"));
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let tape: Value =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(tape["version"], 1, "{name}: another version");
        let sources = tape["sources"].as_array().is_some_and(|sources| !sources.is_empty());
        assert!(sources, "{name} must say where its shapes are from");
        let exchanges = tape["exchanges"].as_array().expect("exchanges");
        let waiting = exchanges
            .iter()
            .map(|one| Exchange { request: one["request"].clone(), answer: one["answer"].clone() })
            .collect();
        Self { name: name.to_owned(), waiting, strangers: Vec::new() }
    }
}

impl Play for Cassette {
    fn answer(&mut self, asked: &Asked) -> Reply {
        let faults: Vec<Vec<String>> =
            self.waiting.iter().map(|one| differences(&one.request, asked)).collect();
        if let Some(at) = faults.iter().position(Vec::is_empty) {
            let answer = self.waiting.remove(at).answer;
            let headers = answer["headers"].as_object().cloned().unwrap_or_default();
            let headers = headers
                .into_iter()
                .filter_map(|(name, value)| Some((name, value.as_str()?.to_owned())));
            let body = answer.get("body").filter(|body| !body.is_null()).cloned();
            let status = answer["status"].as_u64().and_then(|status| u16::try_from(status).ok());
            return Reply { status: status.expect("a status"), headers: headers.collect(), body };
        }
        let nearest = faults.iter().min_by_key(|faults| faults.len());
        let nearest =
            nearest.map_or_else(|| "nothing is left".to_owned(), |faults| faults.join("\n    "));
        self.strangers.push(format!("{} {}\n    {nearest}", asked.method, asked.path));
        Reply::empty(418)
    }
}

impl Drop for Cassette {
    fn drop(&mut self) {
        let mut faults = String::new();
        for stranger in &self.strangers {
            faults.push_str(&format!("\n  not recorded: {stranger}"));
        }
        for one in &self.waiting {
            let (method, path) = (&one.request["method"], &one.request["path"]);
            faults.push_str(&format!("\n  not asked for: {method} {path}"));
        }
        match (faults.is_empty(), std::thread::panicking()) {
            (true, _) => (),
            (false, true) => eprintln!("cassette {}:{faults}", self.name),
            (false, false) => panic!("cassette {}:{faults}", self.name),
        }
    }
}

/// What the request has that isn't as it was recorded.
fn differences(recorded: &Value, asked: &Asked) -> Vec<String> {
    let mut faults = Vec::new();
    let mut compare = |what: &str, recorded: &Value, asked: &str| {
        if recorded.as_str() != Some(asked) {
            faults.push(format!("{what}: recorded {recorded}, asked {asked:?}"));
        }
    };
    compare("method", &recorded["method"], &asked.method);
    compare("path", &recorded["path"], &asked.path);
    for (name, value) in recorded["query"].as_object().into_iter().flatten() {
        compare(&format!("query {name}"), value, asked.parameter(name).unwrap_or("(none)"));
    }
    for (name, value) in recorded["headers"].as_object().into_iter().flatten() {
        compare(&format!("header {name}"), value, asked.header(name).unwrap_or("(none)"));
    }
    if let Some(body) = recorded.get("body") {
        within("body", body, &asked.body, &mut faults);
    }
    faults
}

/// Objects may have more fields than were recorded, lists not more entries.
fn within(place: &str, recorded: &Value, asked: &Value, faults: &mut Vec<String>) {
    match (recorded, asked) {
        (Value::Object(recorded), Value::Object(asked)) => {
            for (name, value) in recorded {
                let place = format!("{place}.{name}");
                within(&place, value, asked.get(name).unwrap_or(&Value::Null), faults);
            }
        }
        (Value::Array(recorded), Value::Array(asked)) if recorded.len() == asked.len() => {
            for (at, (recorded, asked)) in recorded.iter().zip(asked).enumerate() {
                within(&format!("{place}[{at}]"), recorded, asked, faults);
            }
        }
        _ if recorded == asked => (),
        _ => faults.push(format!("{place}: recorded {recorded}, asked {asked}")),
    }
}
