//! Who am I, and how is the service.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::ServeState;
use super::auth::Principal;
use crate::store::codec::time_text;
use crate::store::wire;

#[derive(Serialize, ToSchema)]
pub struct Me {
    name: String,
    /// batch, service, agent, knowledge_manager, supervisor or admin
    role: &'static str,
    /// Whether everything is open, as with the service's own key.
    operator: bool,
    tenant: String,
    demo: bool,
    version: &'static str,
}

/// Who the key or the session belongs to.
#[utoipa::path(get, path = "/v1/me", tag = "session",
    responses((status = 200, body = Me), super::openapi::Refusals))]
pub async fn me(State(state): State<ServeState>, principal: Principal) -> axum::Json<Me> {
    axum::Json(Me {
        name: principal.name,
        role: principal.role.as_str(),
        operator: principal.is_operator,
        tenant: principal.tenant.to_string(),
        demo: state.demo,
        version: env!("CARGO_PKG_VERSION"),
    })
}

/// The neural networks in use; `null` where there is none.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct Models {
    #[schema(required)]
    pub finals: Option<String>,
    #[schema(required)]
    pub partials: Option<String>,
    #[schema(required)]
    pub embedder: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct System {
    /// What works less well than it should, at the moment.
    degraded: Vec<wire::SystemDegraded>,
    models: Models,
}

/// What is degraded, and which models are in use.
#[utoipa::path(get, path = "/v1/system", tag = "system",
    responses((status = 200, body = System), super::openapi::Refusals))]
pub async fn system(State(state): State<ServeState>, _: Principal) -> axum::Json<System> {
    let degraded = state
        .system
        .degraded()
        .into_iter()
        .map(|notice| wire::SystemDegraded {
            what: notice.what,
            detail: notice.detail,
            since: time_text(notice.since),
        })
        .collect();
    axum::Json(System { degraded, models: state.system.models() })
}
