use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::any;

use super::Protocol;
use crate::connect::telephony::MediaSockets;
use crate::connect::telephony::socket::{Tenant, serve};

pub fn routes() -> Router<MediaSockets> {
    Router::new().route("/v1/media/freeswitch", any(socket))
}

async fn socket(
    State(sockets): State<MediaSockets>,
    tenant: Tenant,
    Query(query): Query<Vec<(String, String)>>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let protocol = Protocol::new(sockets.patience, &query);
    serve(sockets, tenant, upgrade, "freeswitch", Box::new(protocol))
}
