//! What other systems tell us of their own accord.

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Serialize;
use utoipa::ToSchema;

use super::error::Problem;
use super::{ServeState, body, channels};
use crate::connect::telephony::acs::read_events;
use crate::domain::TenantId;

const REQUEST_ORIGIN: HeaderName = HeaderName::from_static("webhook-request-origin");
const ALLOWED_ORIGIN: HeaderName = HeaderName::from_static("webhook-allowed-origin");
const ALLOWED_RATE: HeaderName = HeaderName::from_static("webhook-allowed-rate");

/// What became of a delivery.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Receipt {
    /// The code of a subscription that wants to be validated.
    #[serde(skip_serializing_if = "Option::is_none")]
    validation_response: Option<String>,
    /// Events that hadn't come before. The answer to a validation says nothing else, for it is
    /// compared with what Event Grid expects.
    #[serde(skip_serializing_if = "Option::is_none")]
    taken: Option<usize>,
}

/// Takes events of Azure Event Grid: announcements of calls (`IncomingCall`), SMS (`SMSReceived`), and the
/// validation of a subscription. Other kinds are accepted and left alone; an event that comes twice counts once.
#[utoipa::path(post, path = "/v1/hooks/eventgrid", tag = "hooks",
    params(("secret" = String, Query, description = "`media.acs.webhook_secret` of the settings")),
    request_body(content = serde_json::Value, content_type = "application/json",
        description = "one event or a list of them, in the Event Grid schema or as CloudEvents 1.0"),
    responses((status = 200, body = Receipt), super::openapi::Refusals))]
pub(super) async fn eventgrid(
    State(state): State<ServeState>,
    Extension(tenant): Extension<TenantId>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Receipt>, Problem> {
    let body = body.map_err(|rejection| {
        let detail = format!("a body may have {} bytes at most", body::MAX_BYTES);
        Problem::new(rejection.status(), "too-large", detail)
    })?;
    let events = read_events(&body)
        .map_err(|error| Problem::new(StatusCode::BAD_REQUEST, "malformed", error.to_string()))?;
    // Before an event counts as known: what couldn't be kept must come again.
    channels::take_sms(&state, &tenant, &body).await?;
    let (mut validation_response, mut taken) = (None, 0);
    for event in events {
        if event.validation_code.is_some() {
            validation_response.clone_from(&event.validation_code);
        }
        taken += usize::from(state.incoming.take(&tenant, event));
    }
    let taken = validation_response.is_none().then_some(taken);
    Ok(Json(Receipt { validation_response, taken }))
}

/// Answers the handshake of CloudEvents 1.0: this origin may deliver here.
#[utoipa::path(options, path = "/v1/hooks/eventgrid", tag = "hooks",
    params(
        ("secret" = String, Query, description = "`media.acs.webhook_secret` of the settings"),
        ("WebHook-Request-Origin" = String, Header, description = "who wants to deliver"),
    ),
    responses((status = 200, description = "WebHook-Allowed-Origin and WebHook-Allowed-Rate say yes"),
        super::openapi::Refusals))]
pub(super) async fn eventgrid_handshake(headers: HeaderMap) -> Result<Response, Problem> {
    let origin = headers.get(REQUEST_ORIGIN).cloned().ok_or_else(|| {
        let detail = "the header WebHook-Request-Origin must name who wants to deliver";
        Problem::new(StatusCode::BAD_REQUEST, "malformed", detail)
    })?;
    let allowed = [
        (ALLOWED_ORIGIN, origin),
        (ALLOWED_RATE, HeaderValue::from_static("*")),
        (header::ALLOW, HeaderValue::from_static("POST")),
    ];
    Ok((StatusCode::OK, allowed).into_response())
}
