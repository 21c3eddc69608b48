//! A Teams conversation by a bot (Bot Framework, Connector REST v3).

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::Url;
use secrecy::SecretString;
use serde_json::json;

use super::{card, message, plain, undecided};
use crate::connect::destination::{DeliveryError, Destination, RemoteId};
use crate::connect::http::{Request, segment};
use crate::connect::oauth::{Credentials, Door, Grant, GrantKind};
use crate::domain::{DedupeKey, Effect};

const SCOPE: &str = "https://api.botframework.com/.default";
const TOKEN_LIFE: Duration = Duration::from_secs(600);

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
    /// Where conversations may be, the usual one first: `https://smba.trafficmanager.net/teams/`. An inbound activity names
    /// its own, and whoever could name any would get the bot's token.
    pub service_urls: Vec<Url>,
    pub patience: Duration,
}

pub struct Bot {
    name: String,
    services: Vec<(String, Door)>,
}

impl std::fmt::Debug for Bot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bot").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Bot {
    /// # Errors
    /// What is wrong with the settings, in a sentence that begins with the setting's name.
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
        let mut services = Vec::new();
        for url in &settings.service_urls {
            let credentials = Credentials::OAuth(grant.clone());
            let door = Door::new(url.clone(), &BTreeMap::new(), settings.patience, credentials)
                .map_err(|problem| format!("service_urls: {problem}"))?;
            services.push((slashed(url), door));
        }
        match services.is_empty() {
            true => Err("service_urls must name at least one address".to_owned()),
            false => Ok(Self { name: settings.name, services }),
        }
    }

    /// A room is a conversation's id, or its service's address, a space, and the id.
    fn place<'a>(&'a self, room: &'a str) -> Result<(&'a Door, &'a str), DeliveryError> {
        let refused = |why: &str| Err(DeliveryError::Refused(why.to_owned()));
        let (wanted, conversation) = match room.split_once(' ') {
            Some((service, conversation)) => (Url::parse(service).ok(), conversation),
            None => (self.services.first().and_then(|(url, _)| Url::parse(url).ok()), room),
        };
        if conversation.is_empty() || conversation.contains(char::is_whitespace) {
            return refused("a conversation is named by its id");
        }
        let wanted = wanted.map(|url| slashed(&url));
        match self.services.iter().find(|(url, _)| Some(url) == wanted.as_ref()) {
            Some((_, door)) => Ok((door, conversation)),
            None => refused("the conversation is at none of the configured `service_urls`"),
        }
    }
}

#[async_trait]
impl Destination for Bot {
    fn name(&self) -> &str {
        &self.name
    }

    async fn deliver(&self, effect: &Effect, key: &DedupeKey) -> Result<RemoteId, DeliveryError> {
        let message = message(effect)?;
        plain(key)?;
        let (door, conversation) = self.place(&message.room)?;
        // Before the post, so that what goes wrong here is not taken for a post that may have gone out.
        door.token().await?;
        let path = format!("v3/conversations/{}/activities", segment(conversation));
        let body = json!({ "type": "message", "attachments": [card::attachment(message)] });
        let answer = door.ask(Request::post(&path, body)).await?;
        // Some channels answer without an id; it is posted all the same.
        Ok(RemoteId(answer.text("/id").unwrap_or_else(|| "posted".to_owned())))
    }

    /// Teams lets a bot read nothing back.
    async fn delivered(
        &self,
        effect: &Effect,
        _key: &DedupeKey,
    ) -> Result<Option<RemoteId>, DeliveryError> {
        message(effect)?;
        Err(undecided("the conversation"))
    }
}

/// Addresses are the same with and without the last slash.
fn slashed(url: &Url) -> String {
    format!("{}/", url.as_str().trim_end_matches('/'))
}
