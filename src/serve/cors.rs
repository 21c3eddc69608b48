//! Pages of other origins that may show the copilot. Of the Fetch standard's CORS protocol the part without cookies:
//! such a page brings a token. The web chat has a list of its own, which `chat` keeps.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::ServeState;

const METHODS: HeaderValue = HeaderValue::from_static("GET, POST");
const HEADERS: HeaderValue = HeaderValue::from_static("authorization, content-type, last-event-id");
/// By it a page knows how late it is, whatever its own clock says.
const EXPOSED: HeaderValue = HeaderValue::from_static("date");

/// # Errors
/// What is no origin, in a sentence.
pub fn check(origins: &[String]) -> Result<(), String> {
    let is_origin = |origin: &&String| {
        origin.split_once("://").is_some_and(|(scheme, host)| {
            matches!(scheme, "http" | "https")
                && !host.is_empty()
                && host.is_ascii()
                && !host.contains(['/', '*', '?', '#', '@', ' ', ';', ','])
        })
    };
    match origins.iter().find(|origin| !is_origin(origin)) {
        Some(wrong) => Err(format!("{wrong} is no origin such as https://crm.example.org")),
        None => Ok(()),
    }
}

/// Lets browsers on listed pages read answers.
pub async fn allow(State(state): State<ServeState>, request: Request, next: Next) -> Response {
    if state.embed_origins.is_empty() || request.uri().path().starts_with("/v1/chat") {
        return next.run(request).await;
    }
    let origin = listed(&state.embed_origins, request.headers());
    // Others' questions are left to whoever answers OPTIONS for a reason of their own.
    let asks = *request.method() == Method::OPTIONS
        && origin.is_some()
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = match asks {
        true => StatusCode::NO_CONTENT.into_response(),
        false => next.run(request).await,
    };
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_name(header::ORIGIN));
    let Some(origin) = origin else { return response };
    let mut say = |name: HeaderName, value: HeaderValue| drop(headers.insert(name, value));
    say(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    say(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    if asks {
        say(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        say(header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
    }
    response
}

fn listed(origins: &[String], headers: &HeaderMap) -> Option<HeaderValue> {
    let origin = headers.get(header::ORIGIN)?;
    let is_listed = origins.iter().any(|one| one.as_bytes() == origin.as_bytes());
    is_listed.then(|| origin.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_origins_are_origins() {
        let is_right = |origin: &str| check(&[origin.to_owned()]).is_ok();
        assert!(is_right("https://crm.example.org") && is_right("http://127.0.0.1:9000"));
        for wrong in [
            "*",
            "null",
            "crm.example.org",
            "https://",
            "https://a.example/",
            "https://*.a.example",
        ] {
            assert!(!is_right(wrong), "{wrong}");
        }
    }
}
