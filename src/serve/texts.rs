//! Text channels: conversations that a client opens, writes into and ends.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ServeState;
use super::auth::Principal;
use super::error::{Problem, shown};
use super::extract::{Json, Path};
use super::kept::kept;
use super::sources::Failure;
use crate::domain::{Channel, ConversationId, Direction, EndReason, PartyId, Role};
use crate::flow::driver::texts::{NewTurn, RESERVED, Speaker, TakenTurn, TextError, TextOpening};
use crate::insight::redaction;
use crate::store::wire::PartyRef;
use crate::store::{codec, is_own};

const ID_MAX_CHARS: usize = 64;
const NAME_MAX_CHARS: usize = 200;
const PARTIES_MAX: usize = 32;
const ATTRIBUTES_MAX: usize = 32;
const ATTRIBUTE_MAX_CHARS: usize = 256;
pub(super) const TEXT_MAX_CHARS: usize = 20_000;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewConversation {
    /// The client's own name for it, 1 to 64 letters, digits, `.`, `_`, `~` or `-`: the same again is the same
    /// conversation. One is made up without it.
    id: Option<String>,
    /// chat, sms or mail
    channel: String,
    /// inbound (default) or outbound
    direction: Option<String>,
    /// What another system calls it, such as a number or an address that is written to; nothing that is secret.
    external_id: Option<String>,
    /// A customer and an agent unless told; their ids are `p-1`, `p-2` and so on, in this order.
    #[serde(default)]
    parties: Vec<NewParty>,
    /// 32 at most. `connector`, `thread` and `cites` are the channels' own.
    #[serde(default)]
    attributes: BTreeMap<String, String>,
    /// ISO 639-1; `en` unless told. Cards are offered in English.
    language: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewParty {
    /// customer, agent, supervisor, bot, expert or mixed
    role: String,
    name: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct OpenedConversation {
    id: String,
}

/// Opens a text conversation; 200 where it is there already.
#[utoipa::path(post, path = "/v1/conversations", tag = "text channels", request_body = NewConversation,
    responses((status = 201, body = OpenedConversation), (status = 200, body = OpenedConversation),
        super::openapi::Refusals))]
pub async fn open(
    State(state): State<ServeState>,
    principal: Principal,
    Json(new): Json<NewConversation>,
) -> Result<(StatusCode, axum::Json<OpenedConversation>), Problem> {
    let opening = opening(principal, new).map_err(Problem::invalid)?;
    let (id, is_new) = kept(&state, state.texts.open(opening)).await?;
    let opened = OpenedConversation { id: id.to_string() };
    Ok((status(is_new), axum::Json(opened)))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// The client's own name for it, unique in the conversation: the same again is the same turn.
    id: Option<String>,
    /// Such as `p-1`. Either this or `role`.
    party: Option<String>,
    /// The first party of this role, or one more.
    role: Option<String>,
    text: String,
    /// When it was written; now unless told, and no later.
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
}

/// A turn that is durable.
#[derive(Serialize, ToSchema)]
pub struct Taken {
    conversation_id: String,
    turn_id: String,
    party: PartyRef,
    start_ms: u64,
    /// With secrets masked.
    text: String,
}

/// Takes a message; 200 where it was taken already.
#[utoipa::path(post, path = "/v1/conversations/{id}/turns", tag = "text channels",
    params(("id" = String, Path)), request_body = Message,
    responses((status = 201, body = Taken), (status = 200, body = Taken), super::openapi::Refusals))]
pub async fn turn(
    State(state): State<ServeState>,
    principal: Principal,
    Path(id): Path<String>,
    Json(message): Json<Message>,
) -> Result<(StatusCode, axum::Json<Taken>), Problem> {
    let id = ConversationId::from(id);
    let turn = new_turn(message).map_err(Problem::invalid)?;
    let taken = kept(&state, state.texts.turn(&principal.tenant, &id, turn)).await?;
    Ok((status(taken.is_new), axum::Json(Taken::of(&id, taken))))
}

/// How it ended.
#[derive(Serialize, ToSchema)]
pub struct EndedConversation {
    id: String,
    /// Always `ended`.
    state: &'static str,
}

/// Ends a text conversation; one that has ended stays so. Its wrap-up is written then.
#[utoipa::path(post, path = "/v1/conversations/{id}/end", tag = "text channels",
    params(("id" = String, Path)),
    responses((status = 200, body = EndedConversation), super::openapi::Refusals))]
pub async fn end(
    State(state): State<ServeState>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<axum::Json<EndedConversation>, Problem> {
    let id = ConversationId::from(id);
    kept(&state, state.texts.end(&principal.tenant, &id, EndReason::Hangup)).await?;
    Ok(axum::Json(EndedConversation { id: id.to_string(), state: "ended" }))
}

impl Taken {
    pub(super) fn of(conversation: &ConversationId, taken: TakenTurn) -> Self {
        let party = codec::party(&taken.party);
        Self {
            conversation_id: conversation.to_string(),
            turn_id: taken.id.to_string(),
            party: PartyRef { id: party.id, role: party.role },
            start_ms: taken.start_ms,
            text: taken.text.as_str().to_owned(),
        }
    }
}

impl From<TextError> for Problem {
    fn from(error: TextError) -> Self {
        Failure::of(&error).into()
    }
}

pub(super) const fn status(is_new: bool) -> StatusCode {
    if is_new { StatusCode::CREATED } else { StatusCode::OK }
}

fn opening(principal: Principal, new: NewConversation) -> Result<TextOpening, String> {
    let id = new.id.map(|id| checked_id("id", id).map(ConversationId::from)).transpose()?;
    if let Some(own) = id.as_ref().filter(|id| is_own(id)) {
        return Err(format!("id must not be `{own}`, which is the service's own"));
    }
    let channel = [Channel::Chat, Channel::Sms, Channel::Mail]
        .into_iter()
        .find(|channel| channel.as_str() == new.channel)
        .ok_or_else(|| format!("channel is chat, sms or mail, not `{}`", shown(&new.channel)))?;
    let direction = match new.direction.as_deref() {
        None | Some("inbound") => Direction::Inbound,
        Some("outbound") => Direction::Outbound,
        Some(other) => {
            return Err(format!("direction is inbound or outbound, not `{}`", shown(other)));
        }
    };
    if let Some(id) = &new.external_id {
        not_too_long("external_id", id, ATTRIBUTE_MAX_CHARS)?;
        if id.chars().any(char::is_control) {
            return Err("external_id must have no control characters".to_owned());
        }
        // Masked, it would be another conversation's too.
        if !redaction::is_harmless_thread(id) {
            return Err("external_id looks like a secret: use another name".to_owned());
        }
    }
    if new.parties.len() > PARTIES_MAX {
        return Err(format!("parties has {PARTIES_MAX} entries at most"));
    }
    let mut parties = Vec::new();
    for (at, party) in new.parties.into_iter().enumerate() {
        let role = role_of(&format!("parties[{at}].role"), &party.role)?;
        if let Some(name) = &party.name {
            not_too_long(&format!("parties[{at}].name"), name, NAME_MAX_CHARS)?;
        }
        parties.push((role, party.name));
    }
    if parties.is_empty() {
        parties = vec![(Role::Customer, None), (Role::Agent, None)];
    }
    if new.attributes.len() > ATTRIBUTES_MAX {
        return Err(format!("attributes has {ATTRIBUTES_MAX} entries at most"));
    }
    for (name, value) in &new.attributes {
        not_too_long("the name of an attribute", name, ATTRIBUTE_MAX_CHARS)?;
        not_too_long(&format!("attributes.{}", shown(name)), value, ATTRIBUTE_MAX_CHARS)?;
        if RESERVED.contains(&name.as_str()) {
            return Err(format!("attributes.{name} is the channels' own; leave it out"));
        }
    }
    let language = new.language.unwrap_or_else(|| "en".to_owned());
    if language.len() != 2 || !language.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return Err("language is two letters of ISO 639-1, such as en".to_owned());
    }
    Ok(TextOpening {
        tenant: principal.tenant,
        id,
        channel,
        direction,
        external_id: new.external_id,
        parties,
        attributes: new.attributes,
        route: None,
        language,
    })
}

fn new_turn(message: Message) -> Result<NewTurn, String> {
    let speaker = match (message.party, message.role) {
        (Some(party), None) => Speaker::Party(PartyId::from(party)),
        (None, Some(role)) => Speaker::Role(role_of("role", &role)?, None),
        _ => return Err("give party or role, and not both".to_owned()),
    };
    Ok(NewTurn {
        client_id: message.id.map(|id| checked_id("id", id)).transpose()?,
        speaker,
        text: checked_text(message.text)?,
        at: message.at,
        sends: false,
    })
}

pub(super) fn checked_text(text: String) -> Result<String, String> {
    not_too_long("text", &text, TEXT_MAX_CHARS)?;
    match text.trim().is_empty() {
        true => Err("text must not be empty".to_owned()),
        false => Ok(text),
    }
}

pub(super) fn checked_id(field: &str, id: String) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '~' | '-');
    if !(1..=ID_MAX_CHARS).contains(&id.len()) || !id.chars().all(plain) {
        return Err(format!(
            "{field} is 1 to {ID_MAX_CHARS} letters, digits, `.`, `_`, `~` or `-`"
        ));
    }
    match redaction::is_harmless_id(&id) {
        true => Ok(id),
        false => Err(format!("{field} looks like a card's number: use another name")),
    }
}

fn role_of(field: &str, role: &str) -> Result<Role, String> {
    let roles = "customer, agent, supervisor, bot, expert or mixed";
    Role::parse(role).ok_or_else(|| format!("{field} is {roles}, not `{}`", shown(role)))
}

fn not_too_long(field: &str, text: &str, most: usize) -> Result<(), String> {
    match text.chars().nth(most) {
        Some(_) => Err(format!("{field} has {most} characters at most")),
        None => Ok(()),
    }
}
