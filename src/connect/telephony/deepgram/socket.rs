use axum::Json;
use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Query, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use super::{Listen, Protocol};
use crate::connect::telephony::MediaSockets;
use crate::connect::telephony::socket::{Tenant, serve};

const REQUEST_ID: HeaderName = HeaderName::from_static("dg-request-id");

pub fn routes() -> Router<MediaSockets> {
    Router::new().route("/v1/listen", any(listen))
}

async fn listen(
    State(sockets): State<MediaSockets>,
    tenant: Tenant,
    query: Result<Query<Vec<(String, String)>>, QueryRejection>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let request_id = Uuid::new_v4().to_string();
    let listen = query
        .map_err(|rejection| rejection.body_text())
        .and_then(|Query(query)| Listen::from_query(&query));
    let mut response = match listen {
        Ok(listen) => {
            let created = Timestamp::now().to_string();
            let protocol = Protocol::new(sockets.patience, listen, &request_id, &created);
            // Browsers bring the key as `token, <key>`, and want the first of the two back.
            let upgrade = upgrade.protocols(["token", "bearer"]);
            serve(sockets, tenant, upgrade, "deepgram", Box::new(protocol))
        }
        Err(message) => {
            let refusal = json!({
                "err_code": "Bad Request", "err_msg": message, "request_id": request_id,
            });
            (StatusCode::BAD_REQUEST, Json(refusal)).into_response()
        }
    };
    if let Ok(request_id) = HeaderValue::try_from(request_id) {
        response.headers_mut().insert(REQUEST_ID, request_id);
    }
    response
}
