//! Alive, ready, and in numbers.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::error::Problem;
use super::{ServeState, meters};

#[derive(Serialize, ToSchema)]
pub struct Health {
    status: &'static str,
}

/// The process runs.
#[utoipa::path(get, path = "/livez", tag = "health", security(()),
    responses((status = 200, body = Health)))]
pub async fn livez() -> axum::Json<Health> {
    axum::Json(Health { status: "alive" })
}

/// Calls and requests can come.
#[utoipa::path(get, path = "/readyz", tag = "health", security(()),
    responses((status = 200, body = Health),
        (status = 503, body = Problem, content_type = "application/problem+json")))]
pub async fn readyz(State(state): State<ServeState>) -> Result<axum::Json<Health>, Problem> {
    let not_yet =
        |detail: String| Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not-ready", detail);
    if state.draining.is_cancelled() {
        return Err(not_yet("the service is shutting down".to_owned()));
    }
    state.system.ready().map_err(not_yet)?;
    if let Some(trouble) = state.store.trouble() {
        return Err(not_yet(format!(
            "nothing can be stored since {}: {}",
            trouble.since, trouble.why
        )));
    }
    state.store.head().await?;
    Ok(axum::Json(Health { status: "ready" }))
}

/// Prometheus text format.
#[utoipa::path(get, path = "/metrics", tag = "health",
    responses((status = 200, body = String, content_type = "text/plain"),
        super::openapi::Refusals))]
pub async fn metrics() -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], meters::render())
        .into_response()
}
