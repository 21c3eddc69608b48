//! The way to one server. `async-openai`'s own would retry by itself and log what it can't read.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use async_openai::middleware::HttpRequestFactory;
use futures_util::StreamExt;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, StatusCode};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, Url};

use super::failure::{Failure, reason};
use super::key::Key;
use super::{Server, ServerError, wire};

/// A text of 100,000 tokens with its wrapping; nobody who is right answers more.
const ANSWER_MAX_BYTES: usize = 64 << 20;
const ERROR_MAX_BYTES: usize = 64 << 10;
const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 3600);

#[derive(Clone)]
pub(super) struct Transport(Arc<Inner>);

struct Inner {
    client: Client,
    origin: url_parts::Origin,
    key: Option<Key>,
}

/// Scheme, host and port of the configured address.
mod url_parts {
    #[derive(PartialEq, Eq)]
    pub struct Origin(String, Option<String>, Option<u16>);

    impl Origin {
        pub fn of(url: &reqwest::Url) -> Self {
            let host = url.host_str().map(str::to_owned);
            Self(url.scheme().to_owned(), host, url.port_or_known_default())
        }
    }
}

impl Transport {
    pub fn new(server: &Server) -> Result<Self, ServerError> {
        let wrong = |problem: &str| ServerError::Settings {
            name: server.name.clone(),
            problem: problem.to_owned(),
        };
        if !matches!(server.url.scheme(), "http" | "https") || server.url.host_str().is_none() {
            return Err(wrong("url must be http(s)://host…"));
        }
        let mut headers = HeaderMap::new();
        for (name, value) in &server.headers {
            let name = http::HeaderName::try_from(name.as_str());
            let value = http::HeaderValue::try_from(value.as_str());
            let (Ok(name), Ok(mut value)) = (name, value) else {
                return Err(wrong("headers must be names and values of HTTP"));
            };
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        let mut builder = Client::builder()
            .redirect(Policy::none())
            .connect_timeout(server.connect_patience)
            .default_headers(headers)
            // Pieces are small and must not wait for each other.
            .tcp_nodelay(true)
            .https_only(server.url.scheme() == "https");
        if server.url.scheme() == "http" {
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|error| wrong(&error.to_string()))?;
        Ok(Self(Arc::new(Inner {
            client,
            origin: url_parts::Origin::of(&server.url),
            key: server.key.clone(),
        })))
    }
}

type Answer = Pin<Box<dyn Future<Output = Result<Response, Failure>> + Send>>;

impl tower_service::Service<HttpRequestFactory> for Transport {
    type Response = Response;
    type Error = Failure;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, factory: HttpRequestFactory) -> Answer {
        let inner = Arc::clone(&self.0);
        Box::pin(async move {
            let unmade = || Failure::Unavailable("the request could not be made".to_owned());
            let mut request = factory.build().await.map_err(|_| unmade())?;
            if url_parts::Origin::of(request.url()) != inner.origin {
                return Err(Failure::Unavailable("that is another host".to_owned()));
            }
            if let Some(key) = &inner.key {
                let (name, value) = key.header().await.map_err(|error| {
                    Failure::Unavailable(format!("the key's file can't be read: {error}"))
                })?;
                request.headers_mut().insert(name, value);
            }
            let response = inner.client.execute(request).await.map_err(|error| {
                if error.is_timeout() {
                    Failure::ConnectTimeout
                } else {
                    Failure::Unavailable(reason(&error))
                }
            })?;
            accept(response).await
        })
    }
}

/// Lets only a stream of events pass, bounded.
async fn accept(response: Response) -> Result<Response, Failure> {
    let status = response.status();
    let retry_after = retry_after(response.headers());
    match status.as_u16() {
        200..=299 => {}
        401 | 403 => return Err(Failure::Denied),
        429 => return Err(Failure::Limited { retry_after }),
        300..=399 => {
            let detail = format!("status {}: redirects are not followed", status.as_u16());
            return Err(Failure::Unavailable(detail));
        }
        408 | 500..=599 => {
            return Err(Failure::Unavailable(format!("status {}", status.as_u16())));
        }
        _ => return Err(refused(Some(status), response).await),
    }
    let kind = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    match kind.map(|kind| kind.split(';').next().unwrap_or(kind).trim().to_owned()) {
        Some(kind) if kind == "text/event-stream" => Ok(bounded(response)),
        Some(kind) if kind == "application/json" => Err(refused(None, response).await),
        kind => Err(Failure::Unavailable(format!(
            "it answers with {}, not with a stream of events",
            kind.unwrap_or_else(|| "no content type".to_owned())
        ))),
    }
}

async fn refused(status: Option<StatusCode>, response: Response) -> Failure {
    let code = status.map(|status| status.as_u16());
    let mut body = Vec::new();
    let mut pieces = response.bytes_stream();
    while let Some(Ok(piece)) = pieces.next().await {
        if body.len() + piece.len() > ERROR_MAX_BYTES {
            break;
        }
        body.extend_from_slice(&piece);
    }
    match serde_json::from_slice::<serde_json::Value>(&body) {
        Ok(value) if code.is_none() && value.get("error").is_none() => {
            Failure::Unavailable("it doesn't stream: it answered with one JSON object".to_owned())
        }
        Ok(value) => wire::refusal(code, &value),
        Err(_) => Failure::Refused(
            code.map_or_else(|| "an unreadable answer".to_owned(), |code| format!("status {code}")),
        ),
    }
}

fn bounded(response: Response) -> Response {
    let status = response.status();
    let mut room = ANSWER_MAX_BYTES;
    let pieces = response.bytes_stream().map(move |piece| {
        let piece = piece.map_err(std::io::Error::other)?;
        room = room
            .checked_sub(piece.len())
            .ok_or_else(|| std::io::Error::other("the answer is too long"))?;
        Ok::<_, std::io::Error>(piece)
    });
    let mut bounded = http::Response::new(reqwest::Body::wrap_stream(pieces));
    *bounded.status_mut() = status;
    bounded.into()
}

/// Seconds, or milliseconds in the header that Azure and OpenAI add.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<f64>().ok();
    let seconds = number("retry-after-ms").map(|ms| ms / 1000.0).or_else(|| {
        let value = number(RETRY_AFTER.as_str());
        value.or_else(|| until(headers.get(RETRY_AFTER)?.to_str().ok()?))
    })?;
    Duration::try_from_secs_f64(seconds.max(0.0)).ok().map(|pause| pause.min(RETRY_AFTER_MAX))
}

fn until(date: &str) -> Option<f64> {
    let then = jiff::fmt::rfc2822::parse(date).ok()?.timestamp();
    Some(then.duration_since(jiff::Timestamp::now()).as_secs_f64())
}

/// The address of the chat completions below which `async-openai` puts its path.
pub(super) fn base(url: &Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}
