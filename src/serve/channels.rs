//! Where vendors bring what customers write. Each proves itself in its own way; what was wrong with a proof is never
//! told.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use reqwest::Url;
use serde::Serialize;
use utoipa::ToSchema;

use super::ServeState;
use super::crm::SystemState;
use super::error::Problem;
use super::sources::Failure;
use crate::connect::channels::teams::{Activity, BotTokens};
use crate::connect::channels::twilio_sms::Webhook;
use crate::connect::channels::webchat::WebChat;
use crate::connect::channels::{Inbound, Inbox, InboxError, Unreadable, acs_sms};
use crate::domain::{Classify, ErrorKind, TenantId};

/// Fields of a form that are looked at.
const FIELDS_MAX: usize = 200;
const EMPTY_TWIML: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response/>";

/// The channels that are open.
pub struct ChannelDoors {
    pub tenant: TenantId,
    pub twilio: Option<Webhook>,
    /// The connector's name, where SMS of ACS are taken.
    pub acs: Option<String>,
    pub teams: Option<TeamsDoor>,
    pub webchat: Option<WebChat>,
    /// What carries replies, and how it is.
    pub carriers: Arc<dyn Fn() -> Vec<SystemState> + Send + Sync>,
}

/// A bot of Teams.
pub struct TeamsDoor {
    pub connector: String,
    pub tokens: BotTokens,
}

impl ChannelDoors {
    /// None is open.
    pub fn closed(tenant: TenantId) -> Self {
        let carriers = Arc::new(Vec::new);
        Self { tenant, twilio: None, acs: None, teams: None, webchat: None, carriers }
    }
}

/// Twilio's webhook for incoming messages, signed with `X-Twilio-Signature`. The answer says nothing to the customer.
#[utoipa::path(post, path = "/v1/channels/twilio", tag = "text channels",
    params(("X-Twilio-Signature" = String, Header, description = "of `media.public_url`, this path and the form")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded",
        description = "as Twilio sends it: MessageSid, From, To, Body"),
    responses((status = 200, description = "taken, or taken before", body = String, content_type = "text/xml"),
        super::openapi::Refusals))]
pub async fn twilio(
    State(state): State<ServeState>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let webhook = state.channels.twilio.as_ref().ok_or_else(closed)?;
    let form = form(&body);
    let given = headers.get("x-twilio-signature").and_then(|value| value.to_str().ok());
    let path = uri.path_and_query().map_or(uri.path(), |both| both.as_str());
    if !given.is_some_and(|given| webhook.signs(path, &form, given)) {
        return Err(unproven());
    }
    let inbound = webhook.read(&form)?;
    take(&state, &state.channels.tenant, inbound).await?;
    Ok(([(header::CONTENT_TYPE, "text/xml")], EMPTY_TWIML).into_response())
}

/// Nothing more is said.
#[derive(Serialize, ToSchema)]
pub struct Accepted {}

/// The messaging endpoint of a bot in Teams: an activity of the Bot Framework, with its token.
#[utoipa::path(post, path = "/v1/channels/teams", tag = "text channels",
    request_body(content = serde_json::Value, content_type = "application/json", description = "an activity"),
    responses((status = 200, description = "taken, or nothing to take", body = Accepted),
        super::openapi::Refusals))]
pub async fn teams(
    State(state): State<ServeState>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<axum::Json<Accepted>, Problem> {
    let door = state.channels.teams.as_ref().ok_or_else(closed)?;
    let token = bearer(&headers).ok_or_else(unproven)?;
    let activity = Activity::read(&body)?;
    if !door.tokens.accept(token, activity.caller()).await {
        return Err(unproven());
    }
    if let Some(inbound) = activity.message(&door.connector)? {
        take(&state, &state.channels.tenant, inbound).await?;
    }
    Ok(axum::Json(Accepted {}))
}

/// The SMS in a delivery of Event Grid.
pub(super) async fn take_sms(
    state: &ServeState,
    tenant: &TenantId,
    body: &[u8],
) -> Result<(), Problem> {
    let Some(connector) = &state.channels.acs else { return Ok(()) };
    for inbound in acs_sms::read(body, connector)? {
        take(state, tenant, inbound).await?;
    }
    Ok(())
}

async fn take(state: &ServeState, tenant: &TenantId, inbound: Inbound) -> Result<(), Problem> {
    let inbox = Inbox::new(state.texts.clone());
    match inbox.take(tenant, inbound).await {
        Ok(_) => Ok(()),
        // The conversation is as long as one may be: bringing the message again changes nothing.
        Err(error) if error.kind() == ErrorKind::Conflict => {
            tracing::warn!(%error, "a message was left out");
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

impl From<InboxError> for Problem {
    fn from(error: InboxError) -> Self {
        Failure::of(&error).into()
    }
}

impl From<Unreadable> for Problem {
    fn from(error: Unreadable) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed", error.to_string())
    }
}

pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

pub(super) fn closed() -> Problem {
    Problem::not_found("this channel is not set up; see `channels` in the settings")
}

fn unproven() -> Problem {
    let detail = "who sends this must prove it in the vendor's own way";
    Problem::new(StatusCode::UNAUTHORIZED, "unauthorised", detail)
}

pub(super) fn form(body: &[u8]) -> Vec<(String, String)> {
    // Url decodes the form; where it is doesn't matter.
    let Ok(mut url) = Url::parse("http://localhost/") else { return Vec::new() };
    url.set_query(std::str::from_utf8(body).ok());
    url.query_pairs().into_owned().take(FIELDS_MAX).collect()
}
