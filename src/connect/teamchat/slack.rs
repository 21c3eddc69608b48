//! Slack's Web API. It answers 200 to everything, and says inside whether it did it.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use super::swarm::{Room, RoomRequest, Swarm};
use super::{look_back, message, plain, words};
use crate::connect::destination::{DeliveryError, Destination, RemoteId};
use crate::connect::http::{Answered, Api, Body, Request};
use crate::domain::{DedupeKey, Effect, TeamMessage};

const EVENT_TYPE: &str = "backchannel_message";
const PAGE: usize = 200;
const PAGES_MAX: usize = 15;
/// A header has 150 characters, a section 3,000, a field 2,000, a message 50 blocks. Escaping makes text longer.
const TITLE_MAX_CHARS: usize = 140;
const PARAGRAPH_MAX_CHARS: usize = 2_900;
const ESCAPED_MAX_CHARS: usize = 3_000;
const PARAGRAPHS_MAX: usize = 10;
const FACTS_MAX: usize = 10;

#[derive(Clone, Debug)]
pub struct Settings {
    /// The destination's name.
    pub name: String,
    /// `https://slack.com`; another one for tests.
    pub url: Url,
    /// A bot's, with `chat:write` and `channels:history` (`groups:history` for private channels); for rooms also
    /// `channels:manage` and `channels:read` (`groups:write`, `groups:read`).
    pub token: SecretString,
    pub patience: Duration,
}

#[derive(Debug)]
pub struct Slack {
    name: String,
    api: Api,
}

impl Slack {
    /// # Errors
    /// What is wrong with the settings, in a sentence that begins with the setting's name.
    pub fn new(settings: Settings) -> Result<Self, String> {
        let bearer = format!("Bearer {}", settings.token.expose_secret());
        let headers = BTreeMap::from([("authorization".to_owned(), bearer)]);
        Ok(Self { name: settings.name, api: Api::new(settings.url, &headers, settings.patience)? })
    }

    async fn call(&self, method: &str, body: Value) -> Result<Answered, DeliveryError> {
        checked(self.api.ask(Request::post(&format!("api/{method}"), body)).await?)
    }

    /// Methods that read take a form, and no JSON.
    async fn read(
        &self,
        method: &str,
        fields: Vec<(&'static str, String)>,
    ) -> Result<Answered, DeliveryError> {
        let path = format!("api/{method}");
        let mut request = Request::new(http::Method::POST, &path);
        request.body = Body::Form(fields);
        checked(self.api.ask(request).await?)
    }

    async fn find(&self, channel: &str, key: &str) -> Result<Option<RemoteId>, DeliveryError> {
        let oldest = look_back().as_second().to_string();
        let mut cursor = String::new();
        for _ in 0..PAGES_MAX {
            let fields = vec![
                ("channel", channel.to_owned()),
                ("include_all_metadata", "true".to_owned()),
                ("oldest", oldest.clone()),
                ("limit", PAGE.to_string()),
                ("cursor", cursor.clone()),
            ];
            let answer = self.read("conversations.history", fields).await?;
            let Some(messages) = answer.body.pointer("/messages").and_then(Value::as_array) else {
                return Err(DeliveryError::Unclear("its answer holds no messages".to_owned()));
            };
            for one in messages {
                let text = |pointer: &str| one.pointer(pointer).and_then(Value::as_str);
                let is_it = text("/metadata/event_type") == Some(EVENT_TYPE)
                    && text("/metadata/event_payload/key") == Some(key);
                if let (true, Some(at)) = (is_it, text("/ts")) {
                    return Ok(Some(RemoteId(format!("{channel}/{at}"))));
                }
            }
            cursor = answer.text("/response_metadata/next_cursor").unwrap_or_default();
            if cursor.is_empty() {
                return Ok(None);
            }
        }
        let why = "the channel has too many messages to look through";
        Err(DeliveryError::Undecided(why.to_owned()))
    }
}

#[async_trait]
impl Destination for Slack {
    fn name(&self) -> &str {
        &self.name
    }

    async fn deliver(&self, effect: &Effect, key: &DedupeKey) -> Result<RemoteId, DeliveryError> {
        let message = message(effect)?;
        let channel = channel(&message.room)?;
        let answer = self.call("chat.postMessage", body(message, channel, plain(key)?)).await?;
        let at = answer.text("/ts");
        let at =
            at.ok_or_else(|| DeliveryError::Unclear("its answer names no message".to_owned()))?;
        Ok(RemoteId(format!("{channel}/{at}")))
    }

    async fn delivered(
        &self,
        effect: &Effect,
        key: &DedupeKey,
    ) -> Result<Option<RemoteId>, DeliveryError> {
        self.find(channel(&message(effect)?.room)?, plain(key)?).await
    }
}

#[async_trait]
impl Swarm for Slack {
    /// A channel's name belongs to one channel for ever, so the key in it makes the room once.
    async fn open_room(
        &self,
        request: &RoomRequest,
        key: &DedupeKey,
    ) -> Result<Room, DeliveryError> {
        let name = format!("bc-{}", plain(key)?);
        let created = self.api.ask(Request::post(
            "api/conversations.create",
            json!({ "name": name, "is_private": true }),
        ));
        let created = created.await?;
        let id = match created.text("/error").as_deref() {
            Some("name_taken") => self.room_named(&name).await?,
            _ => checked(created)?.text("/channel/id"),
        };
        let id =
            id.ok_or_else(|| DeliveryError::Unclear("its answer names no channel".to_owned()))?;
        let topic = words::slack(&words::line(request.topic.as_str(), 200));
        self.call("conversations.setTopic", json!({ "channel": id, "topic": topic })).await?;
        let mut missing = Vec::new();
        for person in &request.people {
            let body = json!({ "channel": id, "users": person });
            let invited = self.api.ask(Request::post("api/conversations.invite", body)).await?;
            let is_there = matches!(
                invited.text("/error").as_deref(),
                Some("already_in_channel" | "cant_invite_self")
            );
            if !is_there && !is_ok(&invited) {
                missing.push(person.clone());
            }
        }
        Ok(Room { id, missing })
    }
}

impl Slack {
    async fn room_named(&self, name: &str) -> Result<Option<String>, DeliveryError> {
        let mut cursor = String::new();
        for _ in 0..PAGES_MAX {
            let fields = vec![
                ("types", "private_channel".to_owned()),
                ("limit", "1000".to_owned()),
                ("cursor", cursor.clone()),
            ];
            let answer = self.read("conversations.list", fields).await?;
            let channels = answer.body.pointer("/channels").and_then(Value::as_array);
            for channel in channels.into_iter().flatten() {
                let text = |pointer: &str| channel.pointer(pointer).and_then(Value::as_str);
                if text("/name") == Some(name) {
                    return Ok(text("/id").map(str::to_owned));
                }
            }
            cursor = answer.text("/response_metadata/next_cursor").unwrap_or_default();
            if cursor.is_empty() {
                break;
            }
        }
        Err(DeliveryError::NotFound("the room's name is taken and the bot isn't in it".to_owned()))
    }
}

/// The history can be read by id only, and a name may be given to another channel.
fn channel(room: &str) -> Result<&str, DeliveryError> {
    let is_id = room.len() >= 9
        && room.starts_with(['C', 'G', 'D'])
        && room.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    match is_id {
        true => Ok(room),
        false => {
            Err(DeliveryError::Refused("a channel is named by its id, such as C024BE91L".into()))
        }
    }
}

fn body(message: &TeamMessage, channel: &str, key: &str) -> Value {
    let title = words::line(message.title.as_str(), TITLE_MAX_CHARS);
    // A header knows no marks and shows what it is given.
    let mut blocks = vec![
        json!({ "type": "header", "text": { "type": "plain_text", "text": title, "emoji": false } }),
    ];
    // `verbatim`: names and addresses in it become no links and call nobody.
    let marked = |text: String| json!({ "type": "mrkdwn", "text": text, "verbatim": true });
    let fields: Vec<Value> = message
        .facts
        .iter()
        .take(FACTS_MAX)
        .map(|(name, value)| {
            let name = words::slack(&words::line(name, 80));
            marked(format!("*{name}*\n{}", words::slack(&words::line(value.as_str(), 350))))
        })
        .collect();
    if !fields.is_empty() {
        blocks.push(json!({ "type": "section", "fields": fields }));
    }
    for paragraph in message.paragraphs.iter().take(PARAGRAPHS_MAX) {
        let text = escaped(paragraph.as_str());
        if !text.is_empty() {
            blocks.push(json!({ "type": "section", "text": marked(text) }));
        }
    }
    if let Some(link) = message.link.as_deref().and_then(words::link) {
        let link = words::slack(link.as_str()).replace('|', "%7C");
        blocks.push(json!({ "type": "section", "text": marked(format!("<{link}|Open it>")) }));
    }
    json!({
        "channel": channel,
        "text": words::slack(&title),
        "blocks": blocks,
        "parse": "none",
        "link_names": false,
        "unfurl_links": false,
        "unfurl_media": false,
        "metadata": { "event_type": EVENT_TYPE, "event_payload": { "key": key } },
    })
}

/// Whole characters and whole escapes, within Slack's limit.
fn escaped(text: &str) -> String {
    let mut max = PARAGRAPH_MAX_CHARS;
    loop {
        let text = words::slack(&words::calm(text, max));
        if text.chars().count() <= ESCAPED_MAX_CHARS {
            return text;
        }
        max = max * 3 / 4;
    }
}

fn is_ok(answer: &Answered) -> bool {
    answer.body.pointer("/ok") == Some(&Value::Bool(true))
}

/// Success, or what an error's name means. The name is Slack's own word; nothing else of the answer is repeated.
fn checked(answer: Answered) -> Result<Answered, DeliveryError> {
    if is_ok(&answer) {
        return Ok(answer);
    }
    let Some(code) = answer.text("/error") else {
        return Err(DeliveryError::Unclear("its answer is none of Slack's".to_owned()));
    };
    let is_name =
        code.len() <= 60 && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let told = if is_name { code.clone() } else { "an error without a name".to_owned() };
    Err(match code.as_str() {
        "ratelimited" | "rate_limited" | "message_limit_exceeded" => {
            DeliveryError::Limited { retry_after: None }
        }
        "invalid_auth"
        | "not_authed"
        | "account_inactive"
        | "token_revoked"
        | "token_expired"
        | "missing_scope"
        | "no_permission"
        | "not_in_channel"
        | "access_denied"
        | "ekm_access_denied"
        | "org_login_required"
        | "team_access_not_granted" => DeliveryError::Denied(told),
        "channel_not_found" | "thread_not_found" => DeliveryError::NotFound(told),
        "internal_error" | "fatal_error" | "service_unavailable" | "request_timeout" => {
            DeliveryError::Unclear(told)
        }
        _ => DeliveryError::Refused(told),
    })
}
