//! Announces AudioSocket calls: that wire knows no secrets, so somebody with a key has to.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::ServeState;
use super::auth::Principal;
use super::error::{Problem, shown};
use super::extract::Json;
use super::sources::Failure;
use crate::connect::telephony::Notes;
use crate::connect::telephony::audiosocket::ExpectedCall;

const PATIENCE_SECONDS: u64 = 60;
const PATIENCE_MAX_SECONDS: u64 = 3_600;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnnouncedCall {
    /// As the dial plan passes it to `AudioSocket()`; one is made up without it.
    uuid: Option<String>,
    /// Whose audio it is: customer, agent, supervisor, bot, expert or mixed.
    party: Option<String>,
    external_id: Option<String>,
    /// inbound or outbound
    direction: Option<String>,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
    /// The connection must come within so many seconds: 60 unless said otherwise, 3600 at most.
    expires_in_seconds: Option<u64>,
}

#[derive(Serialize, ToSchema)]
pub struct AwaitedCall {
    uuid: String,
    expires_in_seconds: u64,
}

/// Lets one AudioSocket connection with this UUID in.
#[utoipa::path(post, path = "/v1/media/audiosocket/calls", tag = "media",
    request_body = AnnouncedCall,
    responses((status = 201, body = AwaitedCall), super::openapi::Refusals))]
pub async fn announce(
    State(state): State<ServeState>,
    principal: Principal,
    Json(call): Json<AnnouncedCall>,
) -> Result<(StatusCode, axum::Json<AwaitedCall>), Problem> {
    let registry = state.audiosocket.as_ref().ok_or_else(|| {
        let detail = "no AudioSocket calls are taken: set media.audiosocket.listen";
        Problem::new(StatusCode::CONFLICT, "not-listening", detail)
    })?;
    let id = match &call.uuid {
        Some(text) => Uuid::parse_str(text)
            .map_err(|_| Problem::invalid(format!("uuid is none: `{}`", shown(text))))?,
        None => Uuid::new_v4(),
    };
    let seconds = call.expires_in_seconds.unwrap_or(PATIENCE_SECONDS);
    if !(1..=PATIENCE_MAX_SECONDS).contains(&seconds) {
        let detail = format!("expires_in_seconds must be from 1 to {PATIENCE_MAX_SECONDS}");
        return Err(Problem::invalid(detail));
    }
    let notes = notes(&call).map_err(Problem::invalid)?;
    let expected = ExpectedCall { tenant: principal.tenant, notes };
    registry
        .announce(id, expected, Duration::from_secs(seconds))
        .map_err(|error| Problem::from(Failure::of(&error)))?;
    let awaited = AwaitedCall { uuid: id.to_string(), expires_in_seconds: seconds };
    Ok((StatusCode::CREATED, axum::Json(awaited)))
}

fn notes(call: &AnnouncedCall) -> Result<Notes, String> {
    let mut notes = Notes::default();
    for (name, value) in &call.attributes {
        notes.attribute(name, value);
    }
    for (name, value) in
        [("party", &call.party), ("external_id", &call.external_id), ("direction", &call.direction)]
    {
        if let Some(value) = value {
            notes.take(name, value)?;
        }
    }
    // One connection is one leg.
    notes.roles(1, &[])?;
    Ok(notes)
}
