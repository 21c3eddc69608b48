//! BottleCRM (Django-CRM) over its REST API, as version 1.35 speaks it.
//!
//! It keeps no key of ours: what it is given for `external_id` is dropped, and two equal posts make two records. So
//! every text ends with the key's marker, and `delivered` looks for it: among the comments of the case or contact,
//! the contact's tasks, its interactions page by page, and, for cases and articles, by the server's own search,
//! whose answers are compared with the whole marker. All of these read the database: what was committed is found.
//!
//! It answers some mistakes with a success. A case for a contact that doesn't exist is made without one, so the
//! contact is read first; two cases may not have one name; a filter that it doesn't know (`/cases/?contact=`) gives everybody's records, so none is
//! relied on.

mod read;
#[cfg(test)]
mod tests;
mod wire;
mod write;

use std::collections::BTreeMap;

use async_trait::async_trait;
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use uuid::Uuid;

use super::Access;
use crate::connect::destination::{DeliveryError, Destination, RemoteId};
use crate::connect::http::{Api, Request, segment};
use crate::domain::{DedupeKey, Effect};

#[derive(Clone, Debug)]
pub struct Settings {
    /// The address is the API's, without `/api`.
    pub access: Access,
    /// A personal access token (`bcrm_pat_…`) with the scopes read and write of `contacts`, `cases`, `tasks` and
    /// `interactions`, and `accounts:read`, of a user who is an administrator: others see only what they are
    /// assigned to.
    pub token: SecretString,
    /// Where people read records: the web application has an address of its own.
    pub web: Option<Url>,
    /// Custom fields of a contact or, where it has none, of its account.
    pub tier_field: String,
    pub value_field: String,
    /// Cases with another status are finished.
    pub open_statuses: Vec<String>,
    pub new_status: String,
    /// Where an effect names none.
    pub priority: String,
    /// `Question`, `Incident` or `Problem`.
    pub case_type: String,
}

impl Settings {
    pub fn new(access: Access, token: SecretString) -> Self {
        Self {
            access,
            token,
            web: None,
            tier_field: "tier".to_owned(),
            value_field: "annual_value".to_owned(),
            open_statuses: ["New", "Assigned", "Pending"].map(str::to_owned).to_vec(),
            new_status: "New".to_owned(),
            priority: "Normal".to_owned(),
            case_type: "Problem".to_owned(),
        }
    }
}

pub struct BottleCrm {
    settings: Settings,
    api: Api,
}

impl BottleCrm {
    /// # Errors
    /// A setting that can't be used, by its name.
    pub fn new(settings: Settings) -> Result<Self, String> {
        if settings.open_statuses.is_empty() {
            return Err("open_statuses must name a status at least".to_owned());
        }
        let bearer = format!("Bearer {}", settings.token.expose_secret());
        let headers = BTreeMap::from([("authorization".to_owned(), bearer)]);
        let api = Api::new(settings.access.url.clone(), &headers, settings.access.patience)?;
        Ok(Self { settings, api })
    }

    /// An object; whatever else comes is no answer of BottleCRM's.
    async fn ask(&self, request: Request<'_>) -> Result<Value, DeliveryError> {
        object(self.api.ask(request).await?.body)
    }

    /// The contact with all that hangs on it: comments, tasks, its ten newest cases.
    async fn contact(&self, id: &str) -> Result<Value, DeliveryError> {
        let path = format!("api/contacts/{}/", identifier(id)?);
        let body = self.ask(Request::get(&path)).await?;
        match body.pointer("/contact_obj/id").and_then(Value::as_str) {
            Some(found) if found == id => Ok(body),
            _ => Err(super::answers::unreadable()),
        }
    }

    /// The case with all that hangs on it. One that was merged into another answers with that one's identifier and
    /// nothing else, so that one is read.
    async fn case(&self, id: &str) -> Result<Value, DeliveryError> {
        let mut id = id.to_owned();
        for _ in 0..MERGES_MAX {
            let path = format!("api/cases/{}/", identifier(&id)?);
            let body = self.ask(Request::get(&path)).await?;
            if let Some(into) = body.get("redirect_to").and_then(Value::as_str) {
                into.clone_into(&mut id);
                continue;
            }
            return match body.pointer("/cases_obj/id").and_then(Value::as_str) {
                Some(found) if found == id => Ok(body),
                _ => Err(super::answers::unreadable()),
            };
        }
        Err(DeliveryError::NotFound("the case was merged too often".to_owned()))
    }
}

fn object(body: Value) -> Result<Value, DeliveryError> {
    if !body.is_object() {
        return Err(super::answers::unreadable());
    }
    // Some refusals come with status 200.
    if body.get("error") == Some(&Value::Bool(true)) {
        return Err(DeliveryError::Refused("it reports an error".to_owned()));
    }
    Ok(body)
}

/// A case that was merged into one that was merged, and so on.
const MERGES_MAX: usize = 4;

/// Identifiers are UUIDs; anything else would be another path.
fn identifier(id: &str) -> Result<String, DeliveryError> {
    match Uuid::try_parse(id) {
        Ok(_) => Ok(segment(id)),
        Err(_) => Err(DeliveryError::NotFound("its identifiers are UUIDs".to_owned())),
    }
}

#[async_trait]
impl Destination for BottleCrm {
    fn name(&self) -> &str {
        &self.settings.access.name
    }

    async fn deliver(&self, effect: &Effect, key: &DedupeKey) -> Result<RemoteId, DeliveryError> {
        match effect {
            Effect::CreateCase(case) => self.create_case(case, key).await,
            Effect::UpdateCase(update) => self.update_case(update).await,
            Effect::AddNote(note) => self.add_note(note, key).await,
            Effect::LogCall(call) => self.log_call(call, key).await,
            Effect::CreateTask(task) => self.create_task(task, key).await,
            Effect::PushArticle(article) => self.push_article(article, key).await,
            _ => Err(DeliveryError::Unsupported("BottleCRM is a CRM")),
        }
    }

    async fn delivered(
        &self,
        effect: &Effect,
        key: &DedupeKey,
    ) -> Result<Option<RemoteId>, DeliveryError> {
        match effect {
            Effect::CreateCase(_) => self.case_made(key).await,
            Effect::UpdateCase(update) => self.is_updated(update).await,
            Effect::AddNote(note) => self.note_made(note, key).await,
            Effect::LogCall(call) => self.call_made(call, key).await,
            Effect::CreateTask(task) => self.task_made(&task.contact_id, key).await,
            Effect::PushArticle(_) => self.article_made(key).await,
            _ => Err(DeliveryError::Unsupported("BottleCRM is a CRM")),
        }
    }
}
