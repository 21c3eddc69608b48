//! In and out, for browsers: a key or the demo's link becomes a session.

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::audit::Circumstances;
use super::super::caller::Caller;
use super::super::error::Problem;
use super::super::extract::Json;
use super::super::{ServeState, guard};
use super::oidc;
use crate::domain::AuditOutcome;

#[derive(Deserialize)]
pub struct Code {
    code: Option<String>,
}

/// The demo's link. A code that isn't known leads to the page where a key can be typed.
#[utoipa::path(get, path = "/sign-in", tag = "session",
    params(("code" = Option<String>, Query, description = "from the link that the demo prints")),
    responses((status = 302, description = "to /desktop with a session cookie, or to / without one")))]
pub async fn follow_link(
    State(state): State<ServeState>,
    headers: HeaderMap,
    Query(Code { code }): Query<Code>,
) -> Response {
    match code.and_then(|code| state.auth.by_code(&code)) {
        Some(principal) => {
            let sessions = &state.auth.sessions;
            let cookie = sessions.begin(sessions.had(&headers), principal, None);
            let headers = [(header::LOCATION, "/desktop".to_owned()), (header::SET_COOKIE, cookie)];
            (StatusCode::FOUND, headers).into_response()
        }
        None => (StatusCode::FOUND, [(header::LOCATION, "/")]).into_response(),
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    api_key: String,
}

/// Gives a browser a session for an API key, instead of one that it has.
#[utoipa::path(post, path = "/sign-in", tag = "session", request_body = SignIn,
    responses((status = 204, description = "the session cookie is set"), super::super::openapi::Refusals))]
pub async fn sign_in(
    State(state): State<ServeState>,
    caller: Caller,
    headers: HeaderMap,
    Json(request): Json<SignIn>,
) -> Result<Response, Problem> {
    guard::check_origin(&headers, false)?;
    let about = Circumstances { from: caller.0, ..Circumstances::default() };
    let Some((principal, proof)) = state.auth.by_key(request.api_key.trim()) else {
        state.audit.refused(None, "sign-in with an unknown key", about, &state.masker).await;
        let detail = "this API key is not known";
        return Err(Problem::new(StatusCode::UNAUTHORIZED, "unauthorised", detail));
    };
    let (who, done) = ((&principal, proof.as_str()), AuditOutcome::Done);
    state.audit.done("session.begun", who, done, about, &state.masker).await;
    let sessions = &state.auth.sessions;
    let cookie = sessions.begin(sessions.had(&headers), principal, Some(proof));
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}

/// Ends the session.
#[utoipa::path(post, path = "/sign-out", tag = "session",
    responses((status = 204, description = "the session is over"), super::super::openapi::Refusals))]
pub async fn sign_out(
    State(state): State<ServeState>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if let Some(token) = state.auth.sessions.token_in(&headers) {
        guard::check_origin(&headers, true)?;
        if let Some(principal) = state.auth.sessions.end(token) {
            let about = Circumstances { from: caller.0, ..Circumstances::default() };
            let (who, done) = ((&principal, "session"), AuditOutcome::Done);
            state.audit.done("session.ended", who, done, about, &state.masker).await;
        }
    }
    let cookie = state.auth.sessions.no_cookie();
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}

#[derive(Serialize, ToSchema)]
pub struct Ways {
    /// An identity provider, if people can sign in at one.
    #[schema(required)]
    provider: Option<ProviderWay>,
}

#[derive(Serialize, ToSchema)]
pub struct ProviderWay {
    /// What it is called on the page.
    name: String,
    /// Where to send the browser.
    address: &'static str,
}

/// How people can sign in; besides an API key, which always does.
#[utoipa::path(get, path = "/sign-in/ways", tag = "session",
    responses((status = 200, body = Ways), super::super::openapi::Refusals))]
pub async fn ways(State(state): State<ServeState>) -> axum::Json<Ways> {
    let provider = state.auth.oidc.as_ref();
    axum::Json(Ways {
        provider: provider.map(|door| ProviderWay { name: door.name.clone(), address: oidc::PATH }),
    })
}
