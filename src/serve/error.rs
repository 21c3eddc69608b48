//! Problem documents (RFC 9457): the one shape in which this service says no.

use std::time::Duration;

use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::sources::Failure;
use crate::domain::{Classify, ErrorKind};
use crate::store::StoreError;

/// `application/problem+json`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// A URN for programs, one per kind of problem.
    #[serde(rename = "type")]
    urn: String,
    title: String,
    status: u16,
    /// A sentence for people.
    detail: String,
    /// With `stale-revision`: the revision that the change was made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    based_on: Option<u32>,
    /// With `stale-revision`: the newest revision; 0 when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    newest: Option<u32>,
    /// What is wrong with which place, where there can be several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Fault>,
    /// For the header `Retry-After`.
    #[serde(skip)]
    retry_after_s: u32,
}

/// In seconds, where nothing more is known.
const RETRY_AFTER_S: u32 = 2;

/// What is wrong at one place of what was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Fault {
    /// Such as `queues[2].overflow.after[0].wait_s`; empty for the whole.
    pub place: String,
    /// From 1, where the text has lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
    pub detail: String,
    /// What to write there.
    pub instead: String,
}

impl Problem {
    pub fn new(status: StatusCode, name: &str, detail: impl Into<String>) -> Self {
        Self {
            urn: format!("urn:backchannel:problem:{name}"),
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            based_on: None,
            newest: None,
            errors: Vec::new(),
            retry_after_s: RETRY_AFTER_S,
        }
    }

    /// To be tried again after so long, in whole seconds.
    #[must_use]
    pub fn retry_after(self, wait: Duration) -> Self {
        Self { retry_after_s: wait.as_secs_f64().ceil().max(1.0) as u32, ..self }
    }

    /// With what is wrong at each place.
    #[must_use]
    pub fn with_errors(self, errors: Vec<Fault>) -> Self {
        Self { errors, ..self }
    }

    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// What went wrong is in the log.
    pub fn internal() -> Self {
        let detail = "something went wrong inside the service; its log says what";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
    }

    pub fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail)
    }

    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", detail)
    }

    pub fn no_conversation(id: &str) -> Self {
        Self::not_found(format!("there is no conversation {}", shown(id)))
    }

    /// The details of our own faults stay in the log.
    fn of(error: &dyn Classify) -> Self {
        let (status, name) = match error.kind() {
            ErrorKind::Invalid => (StatusCode::UNPROCESSABLE_ENTITY, "invalid"),
            ErrorKind::NotFound => (StatusCode::NOT_FOUND, "not-found"),
            ErrorKind::Conflict => (StatusCode::CONFLICT, "conflict"),
            ErrorKind::Denied => (StatusCode::FORBIDDEN, "denied"),
            ErrorKind::Busy => (StatusCode::TOO_MANY_REQUESTS, "busy"),
            ErrorKind::Timeout => (StatusCode::GATEWAY_TIMEOUT, "timeout"),
            ErrorKind::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
            ErrorKind::Internal => {
                tracing::error!(%error, "a request failed");
                return Self::internal();
            }
        };
        Self::new(status, name, error.to_string())
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        if let StoreError::StaleRevision { based_on, newest, .. } = error {
            let problem = Self::new(StatusCode::CONFLICT, "stale-revision", error.to_string());
            return Self { based_on: Some(based_on), newest: Some(newest), ..problem };
        }
        Self::of(&error)
    }
}

impl From<Failure> for Problem {
    fn from(error: Failure) -> Self {
        Self::of(&error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).expect("a problem is plain text; this is a bug");
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        match status {
            StatusCode::UNAUTHORIZED => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(self.retry_after_s));
            }
            _ => {}
        }
        response
    }
}

pub async fn method_not_allowed(request: Request) -> Problem {
    not_allowed(request.method())
}

pub fn not_allowed(method: &Method) -> Problem {
    let detail = format!("{method} is not allowed here; see the Allow header");
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", detail)
}

/// A name from a request, short enough to be shown in an answer.
pub fn shown(name: &str) -> String {
    name.chars().take(64).collect()
}
