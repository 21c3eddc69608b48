//! A server that speaks OpenAI's chat completions, and does what a test says.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::Response;
use axum::serve::ListenerExt;
use futures_util::stream;
use serde_json::{Value, json};
use tokio::sync::watch;

/// One step of a streamed answer.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    Text(&'static str),
    /// Bytes as they are.
    Raw(&'static str),
    Finish(&'static str),
    Usage(u64, u64),
    Done,
    Pause(Duration),
    /// The connection breaks.
    Cut,
}

#[derive(Clone, Debug)]
pub enum Reply {
    Stream(Vec<Step>),
    Status(u16, Vec<(&'static str, String)>, String),
    /// What the function makes of the request, one sentence or so at a time.
    Told(fn(&Value) -> String, Duration),
    /// Answers any request sensibly, with JSON when a schema is asked for.
    Sensible,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    pub uri: String,
    pub headers: HeaderMap,
    pub body: Value,
}

pub struct Fake {
    /// What clients are given as base address.
    pub url: String,
    desk: Arc<Desk>,
    task: tokio::task::JoinHandle<()>,
}

struct Desk {
    replies: Mutex<VecDeque<Reply>>,
    seen: Mutex<Vec<Seen>>,
    /// Streams that are open; how many a client has left before they were over.
    open: watch::Sender<usize>,
}

/// So much of everything that an answer has.
pub fn answer(text: &'static str) -> Reply {
    Reply::Stream(vec![Step::Text(text), Step::Finish("stop"), Step::Usage(11, 4), Step::Done])
}

pub fn status(code: u16) -> Reply {
    Reply::Status(code, Vec::new(), String::new())
}

impl Fake {
    /// The last reply is given again and again.
    pub async fn new(replies: impl Into<VecDeque<Reply>>) -> Self {
        let desk = Arc::new(Desk {
            replies: Mutex::new(replies.into()),
            seen: Mutex::default(),
            open: watch::Sender::new(0),
        });
        let app = Router::new().fallback(respond).with_state(Arc::clone(&desk));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/v1", listener.local_addr().expect("an address"));
        // Or a small piece waits 40 ms for the acknowledgement of the one before.
        let listener = listener.tap_io(|stream| {
            let _ = stream.set_nodelay(true);
        });
        let task = tokio::spawn(async move {
            axum::serve(listener, app).await.expect("it serves");
        });
        Self { url, desk, task }
    }

    /// From now on it answers so.
    pub fn says(&self, replies: impl Into<VecDeque<Reply>>) {
        *self.desk.replies.lock().unwrap() = replies.into();
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.desk.seen.lock().unwrap().clone()
    }

    /// Waits until no stream is open any more.
    pub async fn all_closed(&self) {
        let mut open = self.desk.open.subscribe();
        let closed = open.wait_for(|open| *open == 0);
        tokio::time::timeout(Duration::from_secs(5), closed)
            .await
            .expect("the connection is closed")
            .expect("the desk is there");
    }

    /// Waits until so many streams are open.
    pub async fn are_open(&self, count: usize) {
        let mut open = self.desk.open.subscribe();
        let opened = open.wait_for(|open| *open >= count);
        tokio::time::timeout(Duration::from_secs(5), opened)
            .await
            .expect("the streams are open")
            .expect("the desk is there");
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Dropped with the stream: when it is over, and when the client has gone.
struct Open(Arc<Desk>);

impl Open {
    fn new(desk: Arc<Desk>) -> Self {
        desk.open.send_modify(|open| *open += 1);
        Self(desk)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.send_modify(|open| *open -= 1);
    }
}

async fn respond(
    State(desk): State<Arc<Desk>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    assert_eq!(method, Method::POST);
    let body: Value = serde_json::from_slice(&body).expect("the request is JSON");
    desk.seen.lock().unwrap().push(Seen { uri: uri.to_string(), headers, body: body.clone() });
    let reply = {
        let mut replies = desk.replies.lock().unwrap();
        let reply = replies.pop_front().expect("a reply");
        if replies.is_empty() {
            replies.push_back(reply.clone());
        }
        reply
    };
    let steps = match reply {
        Reply::Status(code, headers, body) => {
            let mut response = Response::builder().status(code);
            for (name, value) in headers {
                response = response.header(name, value);
            }
            return response.body(Body::from(body)).expect("a response");
        }
        Reply::Stream(steps) => steps.into_iter().map(Event::of).collect::<VecDeque<_>>(),
        Reply::Told(tell, pause) => told(&tell(&body), pause),
        Reply::Sensible => sensible(&body),
    };
    let state = (steps, Open::new(desk));
    let events = stream::unfold(state, |(mut steps, open)| async move {
        loop {
            match steps.pop_front()? {
                Event::Bytes(bytes) => {
                    return Some((Ok::<_, std::io::Error>(bytes), (steps, open)));
                }
                Event::Pause(time) => tokio::time::sleep(time).await,
                Event::Cut => {
                    // What was said before has to get through.
                    tokio::time::sleep(Duration::from_millis(30)).await;
                    return Some((Err(std::io::Error::other("cut")), (VecDeque::new(), open)));
                }
            }
        }
    });
    Response::builder()
        .header("content-type", "text/event-stream; charset=utf-8")
        .body(Body::from_stream(events))
        .expect("a response")
}

enum Event {
    Bytes(Bytes),
    Pause(Duration),
    Cut,
}

impl Event {
    fn of(step: Step) -> Self {
        let choice = |delta: Value, reason: Value| {
            Self::json(json!({
                "id": "x", "object": "chat.completion.chunk", "created": 1, "model": "tiny-2026",
                "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]
            }))
        };
        match step {
            Step::Text(text) => choice(json!({"content": text}), Value::Null),
            Step::Finish(reason) => choice(json!({}), json!(reason)),
            Step::Usage(prompt, written) => Self::json(json!({
                "choices": [],
                "usage": {"prompt_tokens": prompt, "completion_tokens": written}
            })),
            Step::Done => Self::Bytes(Bytes::from_static(b"data: [DONE]\n\n")),
            Step::Raw(raw) => Self::Bytes(Bytes::from_static(raw.as_bytes())),
            Step::Pause(time) => Self::Pause(time),
            Step::Cut => Self::Cut,
        }
    }

    fn json(value: Value) -> Self {
        Self::Bytes(Bytes::from(format!("data: {value}\n\n")))
    }
}

/// Pauses after each closing brace.
fn told(text: &str, pause: Duration) -> VecDeque<Event> {
    let pieces = text.split_inclusive('}').flat_map(|piece| {
        let choice = json!({"index": 0, "delta": {"content": piece}, "finish_reason": null});
        [Event::json(json!({"model": "tiny-2026", "choices": [choice]})), Event::Pause(pause)]
    });
    let end = [Step::Finish("stop"), Step::Usage(11, 4), Step::Done].map(Event::of);
    pieces.chain(end).collect()
}

/// Says what was asked, word by word, as far as `max_tokens` lets it; or the smallest JSON there is.
fn sensible(body: &Value) -> VecDeque<Event> {
    let text = if body["response_format"]["type"] == "json_schema" {
        "{\"text\": \"So it is.\", \"cites\": [\"t-1\"]}".to_owned()
    } else {
        let said = body["messages"].as_array().and_then(|messages| messages.last());
        said.and_then(|message| message["content"].as_str()).unwrap_or_default().to_owned()
    };
    let most = body["max_tokens"].as_u64().unwrap_or(u64::MAX) as usize;
    let words: Vec<&str> = text.split_inclusive(' ').collect();
    let piece = |text: &str, reason: Value| {
        Event::json(json!({
            "model": "tiny-2026",
            "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": reason}]
        }))
    };
    let mut events: VecDeque<Event> = VecDeque::new();
    for word in words.iter().take(most) {
        events.push_back(Event::Pause(Duration::from_millis(2)));
        events.push_back(piece(word, Value::Null));
    }
    events.push_back(piece("", json!(if words.len() > most { "length" } else { "stop" })));
    let written = words.len().min(most);
    events.push_back(Event::json(json!({
        "choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": written}
    })));
    events.push_back(Event::Bytes(Bytes::from_static(b"data: [DONE]\n\n")));
    events
}
