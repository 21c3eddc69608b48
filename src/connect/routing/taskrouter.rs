//! Twilio TaskRouter: fields among a task's attributes.
//!
//! `GET` and `POST /v1/Workspaces/{ws}/Tasks/{sid}`, `Attributes` a JSON text that is replaced as a whole; the `ETag`
//! of one goes into the `If-Match` of the other, and 412 says that somebody was faster
//! (<https://www.twilio.com/docs/taskrouter/api/task>, "Task version",
//! <https://www.twilio.com/docs/usage/mutation-and-conflict-resolution>). A workflow reaches the recommended worker
//! with a target such as `task.backchannel_agent == worker.sid`. Not run against the vendor.

use std::collections::BTreeMap;

use async_trait::async_trait;
use http::Method;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::fields::{self, PREFIX};
use super::{Access, Attributes, Fields, Held};
use crate::connect::destination::DeliveryError;
use crate::connect::http::{Body, Request, segment};
use crate::connect::oauth::{Credentials, Door};

/// Ours among the attributes of a task, which TaskRouter bounds together
/// (<https://www.twilio.com/docs/taskrouter/limits>): the company's own have the other half.
const ROOM_BYTES: usize = 2_048;

#[derive(Clone, Debug)]
pub struct Settings {
    /// `https://taskrouter.twilio.com`.
    pub access: Access,
    /// The account's, or an API key's.
    pub user: String,
    pub password: SecretString,
    pub workspace_sid: String,
}

pub struct TaskRouter {
    settings: Settings,
    door: Door,
}

impl TaskRouter {
    /// # Errors
    /// A setting that can't be used, by its name.
    pub fn new(settings: Settings) -> Result<Self, String> {
        let Access { url, patience, .. } = &settings.access;
        let credentials =
            Credentials::Basic { user: settings.user.clone(), password: settings.password.clone() };
        let door = Door::new(url.clone(), &BTreeMap::new(), *patience, credentials)?;
        Ok(Self { settings, door })
    }

    fn path(&self, task: &str) -> String {
        format!("v1/Workspaces/{}/Tasks/{}", segment(&self.settings.workspace_sid), segment(task))
    }
}

#[async_trait]
impl Attributes for TaskRouter {
    fn system(&self) -> &'static str {
        "taskrouter"
    }

    fn access(&self) -> &Access {
        &self.settings.access
    }

    fn room_bytes(&self) -> usize {
        ROOM_BYTES
    }

    async fn read(&self, external_id: &str) -> Result<Held, DeliveryError> {
        let path = self.path(external_id);
        let answer = self.door.ask(Request::get(&path)).await?;
        if answer.body["sid"] != external_id {
            return Err(DeliveryError::Untrusted("another task came".to_owned()));
        }
        if matches!(answer.body["assignment_status"].as_str(), Some("completed" | "canceled")) {
            return Err(DeliveryError::Refused("the task is over".to_owned()));
        }
        let text = answer.body["attributes"].as_str().unwrap_or_default();
        let all: Value = match text.trim() {
            "" => json!({}),
            text => serde_json::from_str(text).unwrap_or_default(),
        };
        if !all.is_object() {
            // Whatever it is, writing an object would destroy it.
            return Err(DeliveryError::Refused("the task's attributes are no object".to_owned()));
        }
        let version = answer.headers.get(http::header::ETAG).and_then(|tag| tag.to_str().ok());
        let version = version.map(str::to_owned);
        Ok(Held { ours: fields::ours(&all), all, version, place: None })
    }

    async fn write(
        &self,
        external_id: &str,
        fields: &Fields,
        held: &Held,
    ) -> Result<(), DeliveryError> {
        let mut all = held.all.clone();
        for (name, value) in fields {
            all[format!("{PREFIX}{name}")] = json!(value);
        }
        let path = self.path(external_id);
        let mut request = Request::new(Method::POST, &path);
        if let Some(version) = &held.version {
            request = request.header("if-match", version);
        }
        request.body = Body::Form(vec![("Attributes", all.to_string())]);
        self.door.ask(request).await.map(drop)
    }
}
