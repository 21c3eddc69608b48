//! What every request passes: who it is, whether they may, and the security headers behind.

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::access::{self, Entry};
use super::audit::Watched;
use super::auth::{self, Principal, Proof};
use super::caller::Caller;
use super::error::{self, Problem};
use super::tokens::Scope;
use super::{ServeState, pages};
use crate::connect::telephony::{acs, auth as media};

const CONTENT_POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; \
    connect-src 'self' ws: wss:; media-src 'self' blob:; worker-src 'self' blob:; \
    img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'";
/// A year. Of this host only: what else there is below its name, nobody here knows.
const HTTPS_ONLY: &str = "max-age=31536000";

/// Somebody who came in, and with what.
struct Identified {
    principal: Principal,
    proof: Proof,
    /// All that a token of a page is for.
    scope: Option<Scope>,
}

/// Lets nobody through without a key or a session, but to health, sign-in and the pages; and everybody only to what
/// `access` says. What that table wants to be written down, and whoever is turned away, is in the audit log.
pub async fn guard(State(state): State<ServeState>, mut request: Request, next: Next) -> Response {
    let identified = identify(&state, (request.method(), request.uri(), request.headers())).await;
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let from = Caller::of(request.extensions(), request.headers()).0;
    let who = identified.as_ref().ok().map(|one| (one.principal.clone(), one.proof.clone()));
    let path = request.uri().path().to_owned();
    let watched = Watched::new(request.method(), route.as_deref(), &path, from, who);
    let is_public = match (&watched.rule, &route) {
        (Some(rule), _) => rule.is_public(),
        (None, route) => route.is_none() && pages::is_page(&path),
    };
    match identified {
        Ok(Identified { principal, proof, scope }) => {
            // A page's token has been asked for the address already, and opens what it was given for.
            let refused = match scope {
                None => refusal(&state, &principal, request.method(), route.as_deref()),
                Some(_) => None,
            };
            if let Some(refused) = refused {
                watched.note(&state, refused.status()).await;
                return refused;
            }
            if let Err(problem) = state.limits.take(&principal.tenant) {
                return problem.into_response();
            }
            let extensions = request.extensions_mut();
            // The media sockets know no principals, only whose calls they bring.
            extensions.insert(principal.tenant.clone());
            extensions.insert(principal);
            extensions.insert(proof);
            scope.and_then(|scope| extensions.insert(scope));
        }
        Err(_) if is_public => {}
        Err(problem) => {
            let (uri, headers) = (request.uri(), request.headers());
            let tenant = state.media_auth.tenant_of(uri, headers).await;
            let Some(tenant) = tenant else {
                if presents_something(&request) {
                    let why = "what was presented opens nothing";
                    state.audit.refused(None, why, watched.about, &state.masker).await;
                }
                return refuse(request, problem).await;
            };
            request.extensions_mut().insert(tenant);
        }
    }
    let response = next.run(request).await;
    watched.note(&state, response.status()).await;
    response
}

/// What the table has against somebody who is known.
fn refusal(
    state: &ServeState,
    principal: &Principal,
    method: &Method,
    route: Option<&str>,
) -> Option<Response> {
    // Without a route there is a page or nothing.
    let route = route?;
    match access::entry(method, route) {
        Entry::Found(rule) if rule.lets_in(principal, state.audit.home()) => None,
        Entry::Found(rule) => {
            let role = principal.role;
            let detail = format!("this is for {}; you are here as {role}", rule.roles_text());
            Some(Problem::new(StatusCode::FORBIDDEN, "denied", detail).into_response())
        }
        Entry::OtherMethods => {
            let allow = [(header::ALLOW, access::methods(route))];
            Some((allow, error::not_allowed(method)).into_response())
        }
        Entry::Missing => {
            tracing::error!(route, "a route stands in no table of who may use it, which is a bug");
            let detail = "nobody may use this";
            Some(Problem::new(StatusCode::FORBIDDEN, "denied", detail).into_response())
        }
    }
}

/// Whether somebody tried something; a page that only looks whether it is signed in did not.
fn presents_something(request: &Request) -> bool {
    let query = request.uri().query().unwrap_or_default();
    let has_token = query.split('&').any(|pair| pair.starts_with("token="));
    request.headers().contains_key(header::AUTHORIZATION) || has_token
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

/// By a request's head: its body can't be lent over an await.
async fn identify(
    state: &ServeState,
    (method, uri, headers): (&Method, &Uri, &HeaderMap),
) -> Result<Identified, Problem> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let (scheme, key) =
            value.to_str().ok().and_then(|value| value.split_once(' ')).unwrap_or_default();
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(auth::unauthorised());
        }
        let key = key.trim();
        let by_token = state.auth.tokens.admit(key, method, uri.path());
        if let Some(found) = scoped(state, by_token) {
            return Ok(found);
        }
        let found = match state.auth.by_key(key) {
            Some(found) => Some(found),
            None => state.auth.by_bearer(key).await,
        };
        let (principal, proof) = found.ok_or_else(auth::unauthorised)?;
        return Ok(Identified { principal, proof, scope: None });
    }
    // A browser's event source can't set a header.
    let query = uri.query().unwrap_or_default();
    if let Some(token) = query.split('&').find_map(|pair| pair.strip_prefix("token="))
        && *method == Method::GET
        && uri.path().ends_with("/events")
    {
        let admitted = state.auth.tokens.admit_stream(token, uri.path());
        return scoped(state, admitted).ok_or_else(auth::unauthorised);
    }
    let token = state.auth.sessions.token_in(headers).ok_or_else(auth::unauthorised)?;
    let (principal, proof) = state.auth.by_session(token).ok_or_else(auth::unauthorised)?;
    // A browser sends the cookie whoever made it ask; reading is harmless, the rest is not.
    let safe = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    if !safe || headers.contains_key(header::UPGRADE) {
        check_origin(headers, true)?;
    }
    Ok(Identified { principal, proof, scope: None })
}

/// A token ends with what it was issued for.
fn scoped(state: &ServeState, found: Option<(Principal, Proof, Scope)>) -> Option<Identified> {
    let (principal, proof, scope) = found?;
    let holds = state.auth.still_holds(&proof);
    holds.then_some(Identified { principal, proof, scope: Some(scope) })
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

/// Nothing here has a control character in its address, and not every database can be asked for one.
pub async fn plain_path(request: Request, next: Next) -> Response {
    match has_control(request.uri().path()) {
        true => Problem::not_found("nothing here has a control character in its address")
            .into_response(),
        false => next.run(request).await,
    }
}

/// `%00` to `%1F`, and `%7F`.
fn has_control(path: &str) -> bool {
    let is_control = |two: &[u8]| match *two {
        [b'0' | b'1', second] => second.is_ascii_hexdigit(),
        [b'7', second] => second.eq_ignore_ascii_case(&b'f'),
        _ => false,
    };
    path.as_bytes().windows(3).any(|three| three[0] == b'%' && is_control(&three[1..]))
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
    // A browser heeds it where it came over https, and nowhere else (RFC 6797, section 8.1).
    if state.auth.is_https_only() {
        let only = HeaderValue::from_static(HTTPS_ONLY);
        headers.insert(header::STRICT_TRANSPORT_SECURITY, only);
    }
    // What customers said stays in no cache; pages say otherwise for themselves.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::has_control;

    #[test]
    fn control_characters_are_found_however_they_are_written() {
        for bad in ["/v1/articles/%00", "/a%0ab", "/a/%1F/b", "/%7f", "/%7F", "/%2500%00"] {
            assert!(has_control(bad), "{bad}");
        }
        for good in
            ["/", "/v1/articles/billing%2Frefunds", "/%2500", "/%20", "/%70", "/%", "/%0", "/%0g"]
        {
            assert!(!has_control(good), "{good}");
        }
    }
}
