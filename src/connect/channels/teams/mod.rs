//! Messages of Teams by a bot (Bot Framework): its activities, and replies to the conversation.

mod token;

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::Url;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;

pub use self::token::{BotTokens, Caller};
use super::{Inbound, Unreadable, address, cut, reply};
use crate::connect::destination::{DeliveryError, Destination, RemoteId};
use crate::connect::http::{Request, segment};
use crate::connect::oauth::{Credentials, Door, Grant, GrantKind};
use crate::domain::{Channel, DedupeKey, Effect};
use crate::flow::driver::texts::Route;

const SCOPE: &str = "https://api.botframework.com/.default";
const TOKEN_LIFE: Duration = Duration::from_secs(600);
/// The one channel of the Bot Framework that is taken.
const CHANNEL: &str = "msteams";

/// What is read of an activity.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Activity {
    #[serde(rename = "type")]
    kind: String,
    id: Option<String>,
    timestamp: Option<jiff::Timestamp>,
    #[serde(default)]
    service_url: String,
    #[serde(default)]
    channel_id: String,
    from: Option<Account>,
    recipient: Option<Account>,
    conversation: Option<Account>,
    #[serde(default)]
    text: String,
    #[serde(default)]
    entities: Vec<Entity>,
}

#[derive(Deserialize)]
struct Account {
    #[serde(default)]
    id: String,
    name: Option<String>,
}

#[derive(Deserialize)]
struct Entity {
    #[serde(rename = "type", default)]
    kind: String,
    mentioned: Option<Account>,
    text: Option<String>,
}

impl Activity {
    /// # Errors
    /// It is no activity; quotes nothing of it.
    pub fn read(body: &[u8]) -> Result<Self, Unreadable> {
        serde_json::from_slice(body).map_err(|_| Unreadable("the body is no activity"))
    }

    /// What its token must prove.
    pub fn caller(&self) -> Caller<'_> {
        Caller { service_url: &self.service_url, channel: &self.channel_id }
    }

    /// The message in it; `None` for what isn't one, such as somebody joining.
    ///
    /// # Errors
    /// A message without the fields that it needs.
    pub fn message(&self, connector: &str) -> Result<Option<Inbound>, Unreadable> {
        if self.kind != "message" || self.channel_id != CHANNEL {
            return Ok(None);
        }
        let account = |account: &Option<Account>, fault| {
            let account = account.as_ref().ok_or(Unreadable(fault))?;
            address(&account.id, fault)
        };
        let ours = account(&self.recipient, "recipient is missing")?;
        let conversation = account(&self.conversation, "conversation is missing")?;
        let said = self.without_mentions(&ours);
        if said.trim().is_empty() {
            return Ok(None);
        }
        let service = address(&self.service_url, "serviceUrl is missing")?;
        let id = self.id.as_deref().ok_or(Unreadable("id is missing"))?;
        Ok(Some(Inbound {
            channel: Channel::Chat,
            route: Route {
                connector: connector.to_owned(),
                theirs: account(&self.from, "from is missing")?,
                ours,
                thread: Some(format!("{service} {conversation}")),
            },
            name: self.from.as_ref().and_then(|from| from.name.clone()),
            message_id: address(id, "id is none")?,
            text: cut(said.trim()),
            at: self.timestamp,
        }))
    }

    /// In a channel of a team a bot hears only what names it.
    fn without_mentions(&self, ours: &str) -> String {
        let mut said = self.text.clone();
        for entity in self.entities.iter().filter(|one| one.kind == "mention") {
            let is_us = entity.mentioned.as_ref().is_some_and(|one| one.id == ours);
            if let Some(words) = entity.text.as_deref().filter(|words| is_us && !words.is_empty()) {
                said = said.replace(words, "");
            }
        }
        said
    }
}

#[derive(Clone, Debug)]
pub struct Settings {
    /// The destination's name.
    pub name: String,
    /// The bot's application id.
    pub app_id: String,
    pub app_secret: SecretString,
    /// Entra tenant of the bot; `botframework.com` for one of several tenants.
    pub tenant: String,
    /// `https://login.microsoftonline.com`.
    pub login_url: Url,
    /// Where conversations may be, `https://smba.trafficmanager.net`: whoever could name any would get the bot's token.
    pub service_origins: Vec<Url>,
    pub patience: Duration,
}

/// Sends replies.
pub struct Teams {
    name: String,
    doors: Vec<(Url, Door)>,
}

impl Teams {
    /// # Errors
    /// What is wrong with the settings.
    pub fn new(settings: Settings) -> Result<Self, String> {
        let grant = Grant {
            path: format!("{}/oauth2/v2.0/token", segment(&settings.tenant)),
            issuer: Some(settings.login_url.clone()),
            kind: GrantKind::ClientCredentials {
                id: settings.app_id.clone(),
                secret: settings.app_secret.clone(),
                in_form: true,
            },
            fields: vec![("scope", SCOPE.to_owned())],
            life: TOKEN_LIFE,
        };
        let mut doors = Vec::new();
        for url in settings.service_origins {
            let credentials = Credentials::OAuth(grant.clone());
            let door = Door::new(url.clone(), &BTreeMap::new(), settings.patience, credentials)?;
            doors.push((url, door));
        }
        Ok(Self { name: settings.name, doors })
    }

    /// Of a thread, which is the service's address, a space, and the conversation's id.
    fn place<'a>(&'a self, thread: &str) -> Result<(&'a Door, String), DeliveryError> {
        let refused = |why: &str| DeliveryError::Refused(why.to_owned());
        let (service, conversation) =
            thread.split_once(' ').ok_or_else(|| refused("the conversation has no service"))?;
        let service = Url::parse(service).map_err(|_| refused("the service is no address"))?;
        let door = self.doors.iter().find(|(url, _)| url.origin() == service.origin());
        let (_, door) =
            door.ok_or_else(|| refused("the conversation is at none of `service_urls`"))?;
        let base = service.path().trim_matches('/');
        let slash = if base.is_empty() { "" } else { "/" };
        let id = segment(conversation);
        Ok((door, format!("{base}{slash}v3/conversations/{id}/activities")))
    }
}

#[async_trait]
impl Destination for Teams {
    fn name(&self) -> &str {
        &self.name
    }

    async fn deliver(&self, effect: &Effect, _: &DedupeKey) -> Result<RemoteId, DeliveryError> {
        let reply = reply(effect)?;
        let (door, path) = self.place(reply.in_reply_to.as_deref().unwrap_or_default())?;
        // Before the post, so that what goes wrong here is not taken for a post that may have gone out.
        door.token().await?;
        let body = json!({
            "type": "message",
            // Nothing that is written calls anybody or makes a link.
            "textFormat": "plain",
            "text": reply.text.as_str(),
            "from": {"id": reply.from},
            "recipient": {"id": reply.to},
        });
        let answer = door.ask(Request::post(&path, body)).await?;
        // Some channels answer without an id; it is posted all the same.
        Ok(RemoteId(answer.text("/id").unwrap_or_else(|| "posted".to_owned())))
    }

    /// Teams lets a bot read nothing back.
    async fn delivered(
        &self,
        effect: &Effect,
        _: &DedupeKey,
    ) -> Result<Option<RemoteId>, DeliveryError> {
        reply(effect)?;
        let why = "look in the chat whether the message is there, and send it again if it isn't";
        Err(DeliveryError::Undecided(why.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: serde_json::Value) -> Result<Option<Inbound>, Unreadable> {
        Activity::read(body.to_string().as_bytes()).and_then(|one| one.message("teams"))
    }

    #[test]
    fn a_message_is_read_without_the_bots_own_name() {
        let body = json!({"type": "message", "id": "1485983408511", "channelId": "msteams",
            "serviceUrl": "https://smba.trafficmanager.net/emea/", "timestamp": "2026-11-01T23:10:08.519Z",
            "from": {"id": "29:1XJKJMvc5GBtc2JwZq0oj", "name": "Ada Lovelace"},
            "recipient": {"id": "28:c9e8c047-2a34", "name": "Help"},
            "conversation": {"id": "a:17I0kl8EkpE1O9PH5"},
            "text": "<at>Help</at> My router is red",
            "entities": [{"type": "mention", "text": "<at>Help</at>", "mentioned": {"id": "28:c9e8c047-2a34"}},
                {"type": "clientInfo", "locale": "en-GB"}]});
        let message = read(body.clone()).expect("read").expect("a message");
        assert_eq!(message.text, "My router is red");
        assert_eq!(message.name.as_deref(), Some("Ada Lovelace"));
        let thread = message.route.thread.as_deref();
        assert_eq!(thread, Some("https://smba.trafficmanager.net/emea/ a:17I0kl8EkpE1O9PH5"));
        let mut other = body.clone();
        other["type"] = json!("conversationUpdate");
        assert_eq!(read(other), Ok(None));
        let mut broken = body;
        broken["conversation"] = json!({"id": "with space"});
        assert!(read(broken).is_err());
    }

    #[test]
    fn a_reply_goes_to_configured_services_only() {
        let url = |text: &str| Url::parse(text).expect("an address");
        let teams = Teams::new(Settings {
            name: "teams".into(),
            app_id: "app".into(),
            app_secret: "secret".into(),
            tenant: "botframework.com".into(),
            login_url: url("https://login.example"),
            service_origins: vec![url("https://smba.trafficmanager.net")],
            patience: Duration::from_secs(5),
        })
        .expect("settings");
        let path = |thread: &str| teams.place(thread).map(|(_, path)| path);
        assert_eq!(
            path("https://smba.trafficmanager.net/emea/ a:1/2").as_deref(),
            Ok("emea/v3/conversations/a%3A1%2F2/activities")
        );
        for elsewhere in
            ["https://evil.example/ a:1", "http://smba.trafficmanager.net/ a:1", "a:1", ""]
        {
            assert!(matches!(path(elsewhere), Err(DeliveryError::Refused(_))), "{elsewhere}");
        }
    }
}
