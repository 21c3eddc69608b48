//! What every request passes: the key check in front, the security headers behind.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::auth::{self, Principal};
use super::error::Problem;
use super::tokens::Scope;
use super::{ServeState, pages};
use crate::connect::telephony::{acs, auth as media};

const CONTENT_POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; \
    connect-src 'self' ws: wss:; media-src 'self' blob:; worker-src 'self' blob:; \
    img-src 'self' data:; base-uri 'none'; frame-ancestors 'self'";

/// Lets nobody through without a key or a session, but to health, sign-in and the pages.
pub async fn guard(State(state): State<ServeState>, mut request: Request, next: Next) -> Response {
    match identify(&state, &request) {
        Ok((principal, scope)) => {
            // The media sockets know no principals, only whose calls they bring.
            request.extensions_mut().insert(principal.tenant.clone());
            request.extensions_mut().insert(principal);
            if let Some(scope) = scope {
                request.extensions_mut().insert(scope);
            }
        }
        Err(_) if is_public(request.uri()) => {}
        Err(problem) => {
            let (uri, headers) = (request.uri(), request.headers());
            let tenant = state.media_auth.tenant_of(uri, headers).await;
            let Some(tenant) = tenant else { return refuse(request, problem).await };
            request.extensions_mut().insert(tenant);
        }
    }
    next.run(request).await
}

/// 401; but ACS hears of a wrong token by a close code.
async fn refuse(request: Request, problem: Problem) -> Response {
    if request.uri().path() == media::ACS_PATH
        && let Some(closed) = acs::refuse(request).await
    {
        return closed;
    }
    problem.into_response()
}

fn identify(state: &ServeState, request: &Request) -> Result<(Principal, Option<Scope>), Problem> {
    let headers = request.headers();
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let (scheme, key) =
            value.to_str().ok().and_then(|value| value.split_once(' ')).unwrap_or_default();
        let bearer = scheme.eq_ignore_ascii_case("bearer");
        let key = key.trim();
        let by_key = bearer.then(|| state.auth.by_key(key)).flatten().map(|one| (one, None));
        let found = by_key.or_else(|| by_token(state, request, key).filter(|_| bearer));
        return found.ok_or_else(auth::unauthorised);
    }
    // A browser's event source can't set a header.
    let query = request.uri().query().unwrap_or_default();
    if let Some(token) = query.split('&').find_map(|pair| pair.strip_prefix("token="))
        && *request.method() == Method::GET
        && request.uri().path().ends_with("/events")
    {
        return by_token(state, request, token).ok_or_else(auth::unauthorised);
    }
    let token = auth::session_token(headers).ok_or_else(auth::unauthorised)?;
    let principal = state.auth.by_session(token).ok_or_else(auth::unauthorised)?;
    // A browser sends the cookie whoever made it ask; reading is harmless, the rest is not.
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if !safe || headers.contains_key(header::UPGRADE) {
        check_origin(headers, true)?;
    }
    Ok((principal, None))
}

fn by_token(
    state: &ServeState,
    request: &Request,
    token: &str,
) -> Option<(Principal, Option<Scope>)> {
    let found = state.auth.tokens.admit(token, request.method(), request.uri().path())?;
    Some((found.0, Some(found.1)))
}

fn is_public(uri: &Uri) -> bool {
    matches!(
        uri.path(),
        "/livez" | "/readyz" | "/sign-in" | "/sign-out"
            // Who writes there proves it to the handler: by the body, or by a visitor's token.
            | "/v1/channels/twilio" | "/v1/channels/teams" | "/v1/routing/taskrouter"
            | "/v1/chat" | "/v1/chat/turns" | "/v1/chat/events"
    ) || pages::is_page(uri.path())
}

/// The page that asks must be one of ours. Without an `Origin` no browser asked, which a cookie
/// never excuses.
pub fn check_origin(headers: &HeaderMap, required: bool) -> Result<(), Problem> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let origin = match text(header::ORIGIN) {
        None if !required => return Ok(()),
        None => None,
        Some(origin) => origin.split_once("://").map(|(_, host)| host),
    };
    match (origin, text(header::HOST)) {
        (Some(origin), Some(host)) if origin.eq_ignore_ascii_case(host) => Ok(()),
        _ => Err(Problem::new(
            StatusCode::FORBIDDEN,
            "denied",
            "the Origin of a request with a session cookie must be this service",
        )),
    }
}

/// Headers that every answer carries.
pub async fn headers(State(state): State<ServeState>, request: Request, next: Next) -> Response {
    // What is made for other people's pages may stand in a frame of theirs.
    let is_framed = request.uri().path().starts_with("/embed/");
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if is_framed
        && !state.embed_origins.is_empty()
        && let Ok(policy) =
            HeaderValue::try_from(format!("{CONTENT_POLICY} {}", state.embed_origins.join(" ")))
    {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    for (name, value) in
        [(header::X_CONTENT_TYPE_OPTIONS, "nosniff"), (header::REFERRER_POLICY, "no-referrer")]
    {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static(CONTENT_POLICY));
    // What customers said stays in no cache; pages say otherwise for themselves.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
