//! Matrix (client-server API v3): a message once by its transaction's name, and by the key that it bears.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use http::Method;
use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use super::swarm::{Room, RoomRequest, Swarm};
use super::{look_back, message, plain, words};
use crate::connect::destination::{DeliveryError, Destination, RemoteId};
use crate::connect::http::{Answered, Api, Request, segment};
use crate::domain::{DedupeKey, Effect, TeamMessage};

const ROOT: &str = "_matrix/client/v3";
/// Where the key stands in an event.
const KEY_FIELD: &str = "backchannel.key";
const PAGE: usize = 100;
const PAGES_MAX: usize = 30;
/// An event has 64 KiB, in which both forms of the text have to fit.
const PARAGRAPH_MAX_CHARS: usize = 3_000;
const PARAGRAPHS_MAX: usize = 6;
const FACTS_MAX: usize = 20;

#[derive(Clone, Debug)]
pub struct Settings {
    /// The destination's name.
    pub name: String,
    /// The home server.
    pub url: Url,
    /// Of one device. Another token makes other transactions, so that then only the key in the event counts.
    pub token: SecretString,
    /// Who posts: `@copilot:example.org`.
    pub user: String,
    pub patience: Duration,
}

#[derive(Debug)]
pub struct Matrix {
    name: String,
    api: Api,
    user: String,
}

impl Matrix {
    /// # Errors
    /// What is wrong with the settings, in a sentence that begins with the setting's name.
    pub fn new(settings: Settings) -> Result<Self, String> {
        let is_user = settings.user.starts_with('@')
            && settings.user.contains(':')
            && !settings.user.contains(char::is_whitespace);
        if !is_user {
            return Err("user must be of the form @name:server".to_owned());
        }
        let bearer = format!("Bearer {}", settings.token.expose_secret());
        let headers = BTreeMap::from([("authorization".to_owned(), bearer)]);
        let api = Api::new(settings.url, &headers, settings.patience)?;
        Ok(Self { name: settings.name, api, user: settings.user })
    }

    fn server(&self) -> &str {
        self.user.split_once(':').map_or("", |(_, server)| server)
    }

    /// The room's events of ours, newest first, until one bears the key.
    async fn find(&self, room: &str, key: &str) -> Result<Option<RemoteId>, DeliveryError> {
        let filter = json!({ "types": ["m.room.message"], "senders": [self.user] }).to_string();
        let path = format!("{ROOT}/rooms/{}/messages", segment(room));
        let since = look_back();
        let mut from: Option<String> = None;
        for _ in 0..PAGES_MAX {
            let mut request = Request::get(&path)
                .query("dir", "b")
                .query("limit", PAGE.to_string())
                .query("filter", &filter);
            if let Some(from) = &from {
                request = request.query("from", from);
            }
            let answer = checked(self.api.send(request).await?)?;
            let Some(events) = answer.body.pointer("/chunk").and_then(Value::as_array) else {
                return Err(DeliveryError::Unclear("its answer holds no messages".to_owned()));
            };
            for event in events {
                let id = event.pointer("/event_id").and_then(Value::as_str);
                let found = event.pointer("/content").and_then(|content| content.get(KEY_FIELD));
                if let (Some(id), true) = (id, found.and_then(Value::as_str) == Some(key))
                    && event.pointer("/sender").and_then(Value::as_str) == Some(&self.user)
                {
                    return Ok(Some(RemoteId(id.to_owned())));
                }
            }
            let oldest = events.last().and_then(|event| event.pointer("/origin_server_ts"));
            let is_old =
                oldest.and_then(Value::as_i64).is_some_and(|at| at < since.as_millisecond());
            let end = answer.text("/end").filter(|end| Some(end) != from.as_ref());
            match end {
                Some(end) if !is_old => from = Some(end),
                _ => return Ok(None),
            }
        }
        Err(DeliveryError::Undecided("the room has too many messages to look through".to_owned()))
    }
}

#[async_trait]
impl Destination for Matrix {
    fn name(&self) -> &str {
        &self.name
    }

    async fn deliver(&self, effect: &Effect, key: &DedupeKey) -> Result<RemoteId, DeliveryError> {
        let message = message(effect)?;
        let key = plain(key)?;
        let room = segment(room(&message.room)?);
        let path = format!("{ROOT}/rooms/{room}/send/m.room.message/bc-{key}");
        let request = Request::new(Method::PUT, &path).json(content(message, key));
        let answer = checked(self.api.send(request).await?)?;
        let id = answer.text("/event_id").filter(|id| id.starts_with('$'));
        id.map(RemoteId)
            .ok_or_else(|| DeliveryError::Unclear("its answer names no event".to_owned()))
    }

    async fn delivered(
        &self,
        effect: &Effect,
        key: &DedupeKey,
    ) -> Result<Option<RemoteId>, DeliveryError> {
        self.find(room(&message(effect)?.room)?, plain(key)?).await
    }
}

#[async_trait]
impl Swarm for Matrix {
    /// The key becomes the room's alias, so that a second request finds the first one's room.
    async fn open_room(
        &self,
        request: &RoomRequest,
        key: &DedupeKey,
    ) -> Result<Room, DeliveryError> {
        let alias = format!("bc-{}", plain(key)?);
        let body = json!({
            "preset": "private_chat",
            "visibility": "private",
            "room_alias_name": alias,
            "name": words::line(request.title.as_str(), 200),
            "topic": words::line(request.topic.as_str(), 500),
        });
        let answer = self.api.send(Request::post(&format!("{ROOT}/createRoom"), body)).await?;
        let answer = match answer.text("/errcode").as_deref() {
            Some("M_ROOM_IN_USE") => {
                let alias = segment(&format!("#{alias}:{}", self.server()));
                let path = format!("{ROOT}/directory/room/{alias}");
                checked(self.api.send(Request::get(&path)).await?)?
            }
            _ => checked(answer)?,
        };
        let id = answer.text("/room_id").filter(|id| id.starts_with('!'));
        let id = id.ok_or_else(|| DeliveryError::Unclear("its answer names no room".to_owned()))?;
        let mut missing = Vec::new();
        let path = format!("{ROOT}/rooms/{}/invite", segment(&id));
        for person in &request.people {
            let answer = self.api.send(Request::post(&path, json!({ "user_id": person }))).await?;
            // Who is there already is refused.
            if !answer.status.is_success() && !self.is_member(&id, person).await? {
                missing.push(person.clone());
            }
        }
        Ok(Room { id, missing })
    }
}

impl Matrix {
    async fn is_member(&self, room: &str, person: &str) -> Result<bool, DeliveryError> {
        let (room, person) = (segment(room), segment(person));
        let path = format!("{ROOT}/rooms/{room}/state/m.room.member/{person}");
        let answer = self.api.send(Request::get(&path)).await?;
        Ok(matches!(answer.text("/membership").as_deref(), Some("join" | "invite")))
    }
}

fn room(room: &str) -> Result<&str, DeliveryError> {
    match room.starts_with('!') && !room.contains(char::is_whitespace) {
        true => Ok(room),
        false => Err(DeliveryError::Refused("a room is named by its id, !…".to_owned())),
    }
}

fn content(message: &TeamMessage, key: &str) -> Value {
    let title = words::line(message.title.as_str(), 200);
    let (mut text, mut html) =
        (vec![title.clone()], format!("<strong>{}</strong>", words::html(&title)));
    for (name, value) in message.facts.iter().take(FACTS_MAX) {
        let (name, value) = (words::line(name, 80), words::line(value.as_str(), 500));
        html += &format!("<br><b>{}:</b> {}", words::html(&name), words::html(&value));
        text.push(format!("{name}: {value}"));
    }
    for paragraph in message.paragraphs.iter().take(PARAGRAPHS_MAX) {
        let paragraph = words::calm(paragraph.as_str(), PARAGRAPH_MAX_CHARS);
        html += &format!("<p>{}</p>", words::html(&paragraph));
        text.push(paragraph);
    }
    if let Some(link) = message.link.as_deref().and_then(words::link) {
        html += &format!("<p><a href=\"{}\">Open it</a></p>", words::html(link.as_str()));
        text.push(link.to_string());
    }
    json!({
        // A notice is a program's: other programs don't answer it.
        "msgtype": "m.notice",
        "body": text.join("\n"),
        "format": "org.matrix.custom.html",
        "formatted_body": html,
        // Nobody is meant by name, whatever the words say (specification 1.7).
        "m.mentions": {},
        KEY_FIELD: key,
    })
}

/// Success, or what an error of Matrix means.
fn checked(answer: Answered) -> Result<Answered, DeliveryError> {
    if answer.status.is_success() {
        return Ok(answer);
    }
    match answer.text("/errcode").as_deref() {
        Some("M_LIMIT_EXCEEDED") => {
            let pause = answer.body.pointer("/retry_after_ms").and_then(Value::as_u64);
            let retry_after = pause.map(Duration::from_millis);
            Err(DeliveryError::Limited { retry_after })
        }
        Some("M_TOO_LARGE") => Err(DeliveryError::Refused("the message is too long".to_owned())),
        Some("M_FORBIDDEN") => {
            Err(DeliveryError::Denied("the user may not do that in this room".to_owned()))
        }
        _ => answer.success(),
    }
}
