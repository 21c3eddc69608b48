//! Genesys Cloud: fields among the attributes of a conversation's customer ("participant data").
//!
//! `GET /api/v2/conversations/{id}` lists the participants with their `purpose` and `attributes`; `PATCH
//! /api/v2/conversations/{id}/participants/{participant}/attributes {"attributes"}` sets those that it names
//! (<https://developer.genesys.cloud/devapps/api-explorer>, "Update the attributes on a conversation participant"; also
//! `docs/ConversationsApi.md` of the vendor's SDKs). There is no condition on a change, so of two that come at the same
//! time the later stands. An Architect flow reads them with "Get Participant Data" and names the recommended agent as a
//! preferred one in "Transfer to ACD". Tokens by OAuth client credentials at the region's `login` host. Not run against
//! the vendor.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use http::Method;
use reqwest::Url;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::fields::{self, PREFIX};
use super::{Access, Attributes, Fields, Held};
use crate::connect::destination::DeliveryError;
use crate::connect::http::{Request, segment};
use crate::connect::oauth::{Credentials, Door, Grant, GrantKind};

const ROOM_BYTES: usize = 8_192;

#[derive(Clone, Debug)]
pub struct Settings {
    /// `https://api.mypurecloud.de`.
    pub access: Access,
    pub credentials: Credentials,
}

/// At the region's login host, such as `https://login.mypurecloud.de`.
pub fn client_credentials(login: Url, id: String, secret: SecretString) -> Credentials {
    Credentials::OAuth(Grant {
        path: "/oauth/token".to_owned(),
        issuer: Some(login),
        kind: GrantKind::ClientCredentials { id, secret, in_form: false },
        fields: Vec::new(),
        life: Duration::from_secs(3_600),
    })
}

pub struct Genesys {
    settings: Settings,
    door: Door,
}

impl Genesys {
    /// # Errors
    /// A setting that can't be used, by its name.
    pub fn new(settings: Settings) -> Result<Self, String> {
        let Access { url, patience, .. } = &settings.access;
        let credentials = settings.credentials.clone();
        let door = Door::new(url.clone(), &BTreeMap::new(), *patience, credentials)?;
        Ok(Self { settings, door })
    }
}

/// The customer is `customer`, or `external` of a call that came from outside; the one who is still there.
fn customer(conversation: &Value) -> Option<&Value> {
    let of = |purpose: &str| {
        let all = conversation["participants"].as_array().into_iter().flatten();
        let mut theirs: Vec<&Value> = all.filter(|one| one["purpose"] == purpose).collect();
        theirs.sort_by_key(|one| one.get("endTime").is_some_and(Value::is_string));
        theirs.first().copied()
    };
    of("customer").or_else(|| of("external"))
}

#[async_trait]
impl Attributes for Genesys {
    fn system(&self) -> &'static str {
        "genesys"
    }

    fn access(&self) -> &Access {
        &self.settings.access
    }

    fn room_bytes(&self) -> usize {
        ROOM_BYTES
    }

    async fn read(&self, external_id: &str) -> Result<Held, DeliveryError> {
        let path = format!("api/v2/conversations/{}", segment(external_id));
        let answer = self.door.ask(Request::get(&path)).await?;
        if answer.body["id"] != external_id {
            return Err(DeliveryError::Untrusted("another conversation came".to_owned()));
        }
        let customer = customer(&answer.body);
        let place = customer.and_then(|one| crate::connect::http::text(&one["id"]));
        let (Some(customer), Some(place)) = (customer, place) else {
            return Err(DeliveryError::Refused("nobody in it is a customer".to_owned()));
        };
        let ours = fields::ours(&customer["attributes"]);
        Ok(Held { ours, place: Some(place), ..Held::default() })
    }

    async fn write(
        &self,
        external_id: &str,
        fields: &Fields,
        held: &Held,
    ) -> Result<(), DeliveryError> {
        let participant = segment(held.place.as_deref().unwrap_or_default());
        let path = format!(
            "api/v2/conversations/{}/participants/{participant}/attributes",
            segment(external_id)
        );
        let attributes =
            fields.iter().map(|(name, value)| (format!("{PREFIX}{name}"), json!(value)));
        let attributes: serde_json::Map<String, Value> = attributes.collect();
        let request = Request::new(Method::PATCH, &path).json(json!({"attributes": attributes}));
        self.door.ask(request).await.map(drop)
    }
}
