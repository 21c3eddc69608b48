//! TaskRouter's assignment callback. Twilio proves itself by its signature; what was wrong with it is never told.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use serde_json::Value;

use super::RoutingDoor;
use crate::connect::routing::callback::Callback;
use crate::serve::channels::form;
use crate::serve::error::Problem;

/// TaskRouter waits for five seconds.
const PATIENCE: Duration = Duration::from_secs(3);

/// Says what TaskRouter is to do with a worker whom it has reserved, and notes whether it is the one we recommended.
#[utoipa::path(post, path = "/v1/routing/taskrouter", tag = "routing",
    params(("X-Twilio-Signature" = String, Header, description = "of `media.public_url`, this path and the form")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded",
        description = "as Twilio sends it: TaskSid, TaskAttributes, WorkerSid, ReservationSid"),
    responses((status = 200, body = Value, description = "an instruction, or an empty object"),
        crate::serve::openapi::Refusals))]
pub async fn callback(
    State(door): State<Arc<dyn RoutingDoor>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<axum::Json<Value>, Problem> {
    let unproven = || Problem::new(StatusCode::UNAUTHORIZED, "unauthorised", "this is not Twilio");
    let (tenant, answer, reserved) = {
        let open = door.taskrouter();
        let open = open.ok_or_else(|| Problem::not_found("no TaskRouter is configured"))?;
        let form = form(&body);
        let given = headers.get("x-twilio-signature").and_then(|value| value.to_str().ok());
        let path = uri.path_and_query().map_or(uri.path(), |both| both.as_str());
        let url = (open.address)(path);
        if !given.is_some_and(|given| open.callback.signs(&url, &form, given)) {
            return Err(unproven());
        }
        let reserved = Callback::read(&form).map_err(Problem::invalid)?;
        (open.tenant.clone(), open.callback.answer(&reserved), reserved)
    };
    // A worker who is rejected doesn't get the task.
    if answer["instruction"] == "reject" {
        return Ok(axum::Json(answer));
    }
    // Nobody can be called back: it is answered in any case.
    match tokio::time::timeout(PATIENCE, door.reserved(&tenant, reserved)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "a reservation of TaskRouter was not noted"),
        Err(_) => tracing::warn!("a reservation of TaskRouter is noted late, if at all"),
    }
    Ok(axum::Json(answer))
}
