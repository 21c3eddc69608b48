//! A Teams channel by a Workflows webhook, the successor of the retired connectors. Its address is its secret, its answer
//! names nothing, and it can be asked nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use super::{card, message, plain, undecided};
use crate::connect::destination::{DeliveryError, Destination, RemoteId};
use crate::connect::http::{Api, Request};
use crate::domain::{DedupeKey, Effect};

#[derive(Clone, Debug)]
pub struct Settings {
    /// The destination's name.
    pub name: String,
    /// A webhook's whole address for each room; a message names the room.
    pub rooms: BTreeMap<String, SecretString>,
    pub patience: Duration,
}

#[derive(Debug)]
pub struct Workflows {
    name: String,
    rooms: BTreeMap<String, Webhook>,
}

struct Webhook {
    api: Api,
    /// Path and query, which hold the secret.
    path: String,
}

impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Webhook")
    }
}

impl Workflows {
    /// # Errors
    /// What is wrong with the settings, in a sentence that begins with the setting's name.
    pub fn new(settings: Settings) -> Result<Self, String> {
        let mut rooms = BTreeMap::new();
        for (room, address) in settings.rooms {
            let wrong = || format!("rooms.{room} must be https://host/…, as Teams gave it");
            let url = Url::parse(address.expose_secret()).map_err(|_| wrong())?;
            let mut base = url.clone();
            base.set_path("");
            base.set_query(None);
            base.set_fragment(None);
            let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
            let path = format!("{}{query}", url.path());
            // `Api` tells what is wrong by "url", which there is none of here.
            let api = Api::new(base, &BTreeMap::new(), settings.patience).map_err(|_| wrong())?;
            rooms.insert(room, Webhook { api, path });
        }
        match rooms.is_empty() {
            true => Err("rooms must name at least one webhook".to_owned()),
            false => Ok(Self { name: settings.name, rooms }),
        }
    }
}

#[async_trait]
impl Destination for Workflows {
    fn name(&self) -> &str {
        &self.name
    }

    async fn deliver(&self, effect: &Effect, key: &DedupeKey) -> Result<RemoteId, DeliveryError> {
        let message = message(effect)?;
        let key = plain(key)?;
        let Some(webhook) = self.rooms.get(&message.room) else {
            return Err(DeliveryError::NotFound("`rooms` has no webhook for that room".to_owned()));
        };
        let body = json!({ "type": "message", "attachments": [card::attachment(message)] });
        webhook.api.ask(Request::post(&webhook.path, body)).await?;
        Ok(RemoteId(format!("accepted:{key}")))
    }

    /// It is asked for only when a post may have gone out, and nobody but a person can see whether it did.
    async fn delivered(
        &self,
        effect: &Effect,
        _key: &DedupeKey,
    ) -> Result<Option<RemoteId>, DeliveryError> {
        message(effect)?;
        Err(undecided("the channel"))
    }
}
