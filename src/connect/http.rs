//! Requests to one other system: its origin only, no redirects, bounded, and honest about what is unknown.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::StreamExt;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, Url};
use serde_json::Value;

use super::destination::DeliveryError;
use crate::domain::Progress;

const ANSWER_MAX_BYTES: usize = 8 << 20;
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);

/// The way to one system.
#[derive(Clone, Debug)]
pub struct Api {
    client: Client,
    base: Url,
    patience: Duration,
}

/// What it answered: any status that is no failure of the way itself.
#[derive(Clone, Debug)]
pub struct Answered {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// `Null` where there is no body.
    pub body: Value,
}

/// One request. Paths are below the base address; queries and bodies are encoded here.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    pub method: Method,
    pub path: &'a str,
    pub query: Vec<(&'a str, String)>,
    pub headers: Vec<(&'a str, String)>,
    pub body: Body,
}

#[derive(Clone, Debug, Default)]
pub enum Body {
    #[default]
    None,
    Json(Value),
    Form(Vec<(&'static str, String)>),
    /// With its content type.
    Text(&'static str, String),
}

impl<'a> Request<'a> {
    pub fn new(method: Method, path: &'a str) -> Self {
        Self { method, path, query: Vec::new(), headers: Vec::new(), body: Body::None }
    }
    pub fn get(path: &'a str) -> Self {
        Self::new(Method::GET, path)
    }
    pub fn post(path: &'a str, body: Value) -> Self {
        Self::new(Method::POST, path).json(body)
    }
    #[must_use]
    pub fn json(mut self, body: Value) -> Self {
        self.body = Body::Json(body);
        self
    }
    #[must_use]
    pub fn query(mut self, name: &'a str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }
    #[must_use]
    pub fn header(mut self, name: &'a str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

impl Api {
    /// `headers` go with every request and are never printed.
    ///
    /// # Errors
    /// The address or a header can't be used; in a sentence that begins with the setting's name.
    pub fn new(
        base: Url,
        headers: &BTreeMap<String, String>,
        patience: Duration,
    ) -> Result<Self, String> {
        if !matches!(base.scheme(), "http" | "https") || base.host_str().is_none() {
            return Err("url must be http(s)://host…".to_owned());
        }
        let mut all = HeaderMap::new();
        for (name, value) in headers {
            let (name, value) = (HeaderName::try_from(name.as_str()), HeaderValue::try_from(value));
            let (Ok(name), Ok(mut value)) = (name, value) else {
                return Err("headers must be names and values of HTTP".to_owned());
            };
            value.set_sensitive(true);
            all.insert(name, value);
        }
        let mut builder = Client::builder()
            .redirect(Policy::none())
            .connect_timeout(CONNECT_PATIENCE.min(patience))
            .default_headers(all)
            .https_only(base.scheme() == "https");
        if base.scheme() == "http" {
            // Reading the machine's certificates takes milliseconds, and none is ever asked for.
            builder = builder.no_proxy().tls_certs_only(None);
        }
        let client = builder.build().map_err(|error| format!("url: {error}"))?;
        Ok(Self { client, base, patience })
    }

    /// Sends it and reads the answer, whatever its status says.
    ///
    /// # Errors
    /// `Unreachable` when nothing was sent; `Unclear` when the answer didn't come, or isn't JSON.
    pub async fn send(&self, request: Request<'_>) -> Result<Answered, DeliveryError> {
        let url = self.address(&request)?;
        let mut builder = self.client.request(request.method.clone(), url);
        for (name, value) in &request.headers {
            builder = builder.header(*name, value);
        }
        builder = match &request.body {
            Body::None => builder,
            Body::Json(body) => builder.json(body),
            Body::Form(fields) => builder.form(fields),
            Body::Text(kind, text) => builder.header(CONTENT_TYPE, *kind).body(text.clone()),
        };
        let whole = async {
            let response = builder.send().await.map_err(|error| broken(&error))?;
            read(response).await
        };
        match tokio::time::timeout(self.patience, whole).await {
            Ok(answer) => answer,
            Err(_) => {
                Err(DeliveryError::Unclear(format!("no answer in {} s", self.patience.as_secs())))
            }
        }
    }

    /// Sends it; only a success is one. `404` is `NotFound`, where it isn't a page for people; `409` and
    /// `412` are `Changed`.
    ///
    /// # Errors
    /// As `send`, and by status.
    pub async fn ask(&self, request: Request<'_>) -> Result<Answered, DeliveryError> {
        self.send(request).await?.success()
    }

    fn address(&self, request: &Request) -> Result<Url, DeliveryError> {
        let refused = || DeliveryError::Refused("the request's address is none".to_owned());
        let base = self.base.as_str().trim_end_matches('/');
        let path = request.path.trim_start_matches('/');
        let mut url = Url::parse(&format!("{base}/{path}")).map_err(|_| refused())?;
        if url.origin() != self.base.origin() {
            return Err(refused());
        }
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&request.query);
        }
        Ok(url)
    }
}

impl Answered {
    /// # Errors
    /// Whatever isn't 2xx, by what it means.
    pub fn success(self) -> Result<Self, DeliveryError> {
        let code = self.status.as_u16();
        let told = || format!("status {code}");
        Err(match code {
            200..=299 => return Ok(self),
            401 => DeliveryError::Denied(told()),
            403 => DeliveryError::Forbidden(told()),
            // An interface misses a record in its own words; a page is a server behind which it isn't.
            404 | 405 | 410 if self.is_page() => {
                DeliveryError::Unreachable(format!("{}, with a page for people", told()))
            }
            404 | 410 => DeliveryError::NotFound(told()),
            409 | 412 => DeliveryError::Changed,
            429 => DeliveryError::Limited { retry_after: retry_after(&self.headers) },
            // To a sign-in or a page about maintenance; some do the work before they redirect.
            300..=399 => DeliveryError::Unclear(format!("{}: redirects are not followed", told())),
            // It says itself that it did nothing yet.
            503 if self.headers.contains_key(RETRY_AFTER) => {
                DeliveryError::Limited { retry_after: retry_after(&self.headers) }
            }
            408 | 500..=599 => DeliveryError::Unclear(told()),
            _ => DeliveryError::Refused(told()),
        })
    }

    fn is_page(&self) -> bool {
        let kind = self.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = kind.unwrap_or_default().to_ascii_lowercase();
        self.body.is_null() && ["text/html", "text/plain"].iter().any(|page| kind.starts_with(page))
    }

    /// A text at a JSON pointer; numbers as they are written. `None` where nothing or `null` stands.
    pub fn text(&self, pointer: &str) -> Option<String> {
        text(self.body.pointer(pointer)?)
    }
}

/// A string or number as text.
pub fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A piece of a path: whatever it holds, it stays one piece.
pub fn segment(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

fn broken(error: &reqwest::Error) -> DeliveryError {
    let why = reason(error);
    if error.is_connect() || error.is_builder() {
        DeliveryError::Unreachable(why)
    } else {
        DeliveryError::Unclear(why)
    }
}

/// reqwest's own text names the address, which may bear a key; the last link is the reason.
fn reason(error: &reqwest::Error) -> String {
    let mut last = std::error::Error::source(error);
    while let Some(deeper) = last.and_then(std::error::Error::source) {
        last = Some(deeper);
    }
    last.map_or_else(|| "no answer".to_owned(), ToString::to_string)
}

async fn read(response: Response) -> Result<Answered, DeliveryError> {
    let (status, headers) = (response.status(), response.headers().clone());
    let mut bytes = Vec::new();
    let mut pieces = response.bytes_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|error| DeliveryError::Unclear(reason(&error)))?;
        if bytes.len() + piece.len() > ANSWER_MAX_BYTES {
            return Err(DeliveryError::Unclear("the answer is too long".to_owned()));
        }
        bytes.extend_from_slice(&piece);
    }
    let body = match serde_json::from_slice(&bytes) {
        Ok(body) => body,
        Err(_) if bytes.iter().all(u8::is_ascii_whitespace) || !status.is_success() => Value::Null,
        // Said to be done, in a way that can't be read: a proxy's page, or another program.
        Err(_) if headers_say_json(&headers) => {
            return Err(DeliveryError::Unclear("its answer is broken JSON".to_owned()));
        }
        Err(_) => Value::String(String::from_utf8_lossy(&bytes).into_owned()),
    };
    Ok(Answered { status, headers, body })
}

fn headers_say_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.contains("json"))
}

/// In seconds, or as a date.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().to_owned();
    let seconds = text.parse::<f64>().ok().or_else(|| {
        let then = jiff::fmt::rfc2822::parse(&text).ok()?.timestamp();
        Some(then.duration_since(jiff::Timestamp::now()).as_secs_f64())
    })?;
    Duration::try_from_secs_f64(seconds.max(0.0)).ok().map(|pause| pause.min(Progress::PAUSE_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, kind: &'static str, body: Value) -> DeliveryError {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(RETRY_AFTER, HeaderValue::from_static("86400"));
        let status = StatusCode::from_u16(status).expect("a status");
        Answered { status, headers, body }.success().expect_err("a failure")
    }

    #[test]
    fn a_redirect_or_a_page_in_the_place_of_an_interface_is_an_outage() {
        for (status, kind) in [
            (302, "text/html"),
            (307, "application/json"),
            (404, "text/html; charset=utf-8"),
            (405, "text/html"),
            (404, "text/plain"),
        ] {
            let error = answered(status, kind, Value::Null);
            assert!(error.is_retryable() && error.is_outage(), "{status} {kind}: {error}");
        }
    }

    #[test]
    fn what_an_interface_refuses_in_its_own_words_stays_refused() {
        let own = || serde_json::json!({"detail": "no"});
        for status in [400, 404, 409, 410, 412, 422] {
            let error = answered(status, "application/json", own());
            assert!(!error.is_retryable(), "{status}: {error}");
        }
        for status in [400, 409, 422] {
            assert!(!answered(status, "text/html", Value::Null).is_retryable(), "{status}");
        }
        assert!(!answered(404, "text/plain", own()).is_retryable(), "JSON all the same");
    }

    #[test]
    fn a_key_and_a_permission_are_two_things() {
        let answered = |status| answered(status, "application/json", Value::Null);
        assert_eq!(answered(401), DeliveryError::Denied("status 401".to_owned()));
        assert_eq!(answered(403), DeliveryError::Forbidden("status 403".to_owned()));
    }

    #[test]
    fn no_pause_that_a_system_asks_for_is_longer_than_any_other() {
        let retry_after = Some(Progress::PAUSE_MAX);
        let error = answered(429, "application/json", Value::Null);
        assert_eq!(error, DeliveryError::Limited { retry_after });
    }
}
