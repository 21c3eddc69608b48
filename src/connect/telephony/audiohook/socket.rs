use axum::Router;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::any;

use super::{Protocol, Upgrade};
use crate::connect::telephony::socket::{Tenant, serve};
use crate::connect::telephony::{MediaSockets, auth};

pub fn routes() -> Router<MediaSockets> {
    Router::new().route(auth::AUDIOHOOK_PATH, any(hooked))
}

async fn hooked(
    State(sockets): State<MediaSockets>,
    tenant: Tenant,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let header = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.map(str::trim).filter(|value| !value.is_empty()).map(str::to_owned)
    };
    let said = Upgrade {
        organization_id: header("audiohook-organization-id"),
        session_id: header("audiohook-session-id"),
        correlation_id: header("audiohook-correlation-id"),
    };
    let protocol = Protocol::new(sockets.patience, said, sockets.audiohook.feedback.clone());
    serve(sockets, tenant, upgrade, "audiohook", Box::new(protocol))
}
