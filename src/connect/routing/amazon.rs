//! Amazon Connect: fields among a contact's attributes.
//!
//! `POST /contact/attributes {"Attributes", "InitialContactId", "InstanceId"}` creates and updates those that it names
//! and leaves the others; names hold letters, digits, dashes and underscores, all together have 32 KB
//! (<https://docs.aws.amazon.com/connect/latest/APIReference/API_UpdateContactAttributes.html>). `GET
//! /contact/attributes/{InstanceId}/{InitialContactId}` reads them (`API_GetContactAttributes`). There is no condition
//! on a change, so of two that come at the same time the later stands. A flow reaches the recommended agent with "Set
//! working queue", by agent, from `$.Attributes.backchannel_agent`. Signed with Signature Version 4 for `connect`.
//! Not run against the vendor.

use std::collections::BTreeMap;

use async_trait::async_trait;
use http::Method;
use serde_json::{Value, json};

use super::fields::{self, PREFIX};
pub use super::sigv4::Signer;
use super::{Access, Attributes, Fields, Held};
use crate::connect::destination::DeliveryError;
use crate::connect::http::{Answered, Api, Body, Request};

/// A quarter of what a contact's attributes may have.
const ROOM_BYTES: usize = 8_192;

#[derive(Clone, Debug)]
pub struct Settings {
    /// `https://connect.eu-west-2.amazonaws.com`.
    pub access: Access,
    pub instance_id: String,
    pub signer: Signer,
}

pub struct AmazonConnect {
    settings: Settings,
    api: Api,
    /// As it stands in requests.
    host: String,
}

impl AmazonConnect {
    /// # Errors
    /// A setting that can't be used, by its name.
    pub fn new(settings: Settings) -> Result<Self, String> {
        let Access { url, patience, .. } = &settings.access;
        if !is_plain(&settings.instance_id) {
            return Err("instance_id must be the instance's identifier".to_owned());
        }
        let api = Api::new(url.clone(), &BTreeMap::new(), *patience)?;
        let host = url.host_str().unwrap_or_default();
        let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        Ok(Self { settings, api, host })
    }

    async fn ask(&self, method: Method, path: &str, body: &str) -> Result<Answered, DeliveryError> {
        let signer = &self.settings.signer;
        let now = jiff::Timestamp::now();
        let mut request = Request::new(method.clone(), path);
        for (name, value) in signer.headers(method.as_str(), &self.host, path, body, now) {
            request = request.header(name, value);
        }
        if !body.is_empty() {
            // Signed byte by byte, so that it is written once.
            request.body = Body::Text("application/json", body.to_owned());
        }
        self.api.ask(request).await
    }
}

/// What needs no escape in a path.
fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn plain(contact: &str) -> Result<(), DeliveryError> {
    match is_plain(contact) {
        true => Ok(()),
        false => Err(DeliveryError::Refused("the contact's identifier is none".to_owned())),
    }
}

#[async_trait]
impl Attributes for AmazonConnect {
    fn system(&self) -> &'static str {
        "amazon_connect"
    }

    fn access(&self) -> &Access {
        &self.settings.access
    }

    fn room_bytes(&self) -> usize {
        ROOM_BYTES
    }

    async fn read(&self, external_id: &str) -> Result<Held, DeliveryError> {
        plain(external_id)?;
        let path = format!("/contact/attributes/{}/{external_id}", self.settings.instance_id);
        let answer = self.ask(Method::GET, &path, "").await?;
        Ok(Held { ours: fields::ours(&answer.body["Attributes"]), ..Held::default() })
    }

    async fn write(
        &self,
        external_id: &str,
        fields: &Fields,
        _: &Held,
    ) -> Result<(), DeliveryError> {
        plain(external_id)?;
        let attributes =
            fields.iter().map(|(name, value)| (format!("{PREFIX}{name}"), json!(value)));
        let body = json!({
            "Attributes": attributes.collect::<serde_json::Map<String, Value>>(),
            "InitialContactId": external_id,
            "InstanceId": self.settings.instance_id,
        });
        self.ask(Method::POST, "/contact/attributes", &body.to_string()).await.map(drop)
    }
}
