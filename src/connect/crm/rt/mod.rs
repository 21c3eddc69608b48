//! Request Tracker 5 over its REST 2.0, as version 5.0.3 speaks it.
//!
//! A contact is a user of RT, named by its `Name`; a case, a task, and a call or note without a case are tickets;
//! a note or call in a case is a comment, never a correspondence, which would be mailed to the customer.
//!
//! Keys. Tickets bear the key in a custom field, which an administrator has to make and apply to the queues: RT
//! drops a field that it doesn't know without a word, and a search by one finds nothing, so nothing is opened in a
//! queue that hasn't it. Comments bear the marker in their subject: that is kept with the transaction in one column
//! of 255 bytes, is written in the same database transaction, and can be searched within a ticket, while contents
//! can't without a full-text index (the search then finds nothing, and doesn't say so). Articles bear it in their
//! summary. All three are read from the database: what was committed is found.
//!
//! The token should be of a user who is no administrator. Whoever has the right AdminUsers can't search by telephone
//! numbers: RT drops the filter and answers with every user. Everybody else can, where `$UserSummaryExtraInfo` names
//! `MobilePhone` and `WorkPhone`, and then can't read them: `numbers` says how a number is compared all the same.
//! Each request is authenticated with bcrypt, which takes RT a third of a second of a processor at its default
//! (`$BcryptCost`), so what can be asked side by side is.
//!
//! The rights it needs: SeeQueue, ShowTicket, ShowTicketComments, CreateTicket, CommentOnTicket, ModifyTicket, and
//! SeeCustomField and ModifyCustomField; for articles SeeClass, ShowArticle and CreateArticle.

mod numbers;
mod read;
mod wire;
mod write;

use std::collections::BTreeMap;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::Access;
use super::answers::{list, name_of_a_field, unreadable};
use crate::connect::destination::{DeliveryError, Destination, RemoteId};
use crate::connect::http::{Api, Body, Request};
use crate::domain::{DedupeKey, Effect};

const BASE: &str = "REST/2.0";

#[derive(Clone, Debug)]
pub struct Settings {
    /// The address is RT's own, without `/REST/2.0`.
    pub access: Access,
    /// An authentication token of the integration's user.
    pub token: SecretString,
    /// Where cases, calls and notes go.
    pub queue: String,
    pub task_queue: String,
    /// What a call or note without a case is at once.
    pub closed_status: String,
    /// Fields of a user with a telephone number, of those that can be searched by.
    pub phone_fields: Vec<String>,
    /// The custom field of tickets that holds the key.
    pub key_field: String,
    /// Custom fields of users.
    pub tier_field: String,
    pub value_field: String,
    /// How priorities are called (`%PriorityAsString`).
    pub priorities: Vec<(String, i64)>,
    /// A class that only colleagues can see: RT's articles have no drafts. Articles are refused where it is absent.
    pub article_class: Option<String>,
    /// The custom field of the class that holds the text.
    pub article_field: String,
    /// Whether RT may answer the customer by itself when a case is opened (its scrip "On Create Autoreply To
    /// Requestors"). Otherwise the customer becomes the requestor of a ticket that is already open.
    pub autoreply: bool,
}

impl Settings {
    pub fn new(access: Access, token: SecretString) -> Self {
        Self {
            access,
            token,
            queue: "General".to_owned(),
            task_queue: "General".to_owned(),
            closed_status: "resolved".to_owned(),
            phone_fields: ["MobilePhone", "WorkPhone"].map(str::to_owned).to_vec(),
            key_field: "BackchannelKey".to_owned(),
            tier_field: "Tier".to_owned(),
            value_field: "AnnualValue".to_owned(),
            priorities: [("Low", 0), ("Medium", 50), ("High", 100)]
                .map(|(name, value)| (name.to_owned(), value))
                .to_vec(),
            article_class: None,
            article_field: "Content".to_owned(),
            autoreply: false,
        }
    }
}

pub struct RequestTracker {
    settings: Settings,
    api: Api,
}

impl RequestTracker {
    /// # Errors
    /// A setting that can't be used, by its name.
    pub fn new(settings: Settings) -> Result<Self, String> {
        for field in &settings.phone_fields {
            name_of_a_field("phone_fields", field)?;
        }
        name_of_a_field("key_field", &settings.key_field)?;
        let headers = BTreeMap::from([
            ("authorization".to_owned(), format!("token {}", settings.token.expose_secret())),
            ("accept".to_owned(), "application/json".to_owned()),
        ]);
        let api = Api::new(settings.access.url.clone(), &headers, settings.access.patience)?;
        Ok(Self { settings, api })
    }

    async fn get(&self, path: &str) -> Result<Value, DeliveryError> {
        object(self.api.ask(Request::get(&format!("{BASE}/{path}"))).await?.body)
    }

    /// One page of a list that is filtered by conditions in JSON. A condition on a field that can't be searched by
    /// is dropped by RT.
    async fn filtered(
        &self,
        kind: &str,
        fields: &str,
        conditions: Value,
    ) -> Result<Vec<Value>, DeliveryError> {
        let path = format!("{BASE}/{kind}");
        let request = Request::post(&path, conditions)
            .query("fields", fields)
            .query("per_page", PAGE.to_string());
        Ok(list(&self.api.ask(request).await?.body, "/items")?.to_vec())
    }

    /// One page of tickets or transactions by a query in RT's own language, in which `quoted` stands for texts.
    async fn queried(
        &self,
        kind: &str,
        query: &str,
        parameters: &[(&'static str, String)],
    ) -> Result<Vec<Value>, DeliveryError> {
        let path = format!("{BASE}/{kind}");
        let mut request = Request::get(&path).query("query", query);
        request.query.extend(parameters.iter().cloned());
        Ok(list(&self.api.ask(request).await?.body, "/items")?.to_vec())
    }

    /// Sends JSON and takes whatever success is answered: RT says "done" and "not allowed" in the same sentence
    /// after a change, in the user's language.
    async fn put(
        &self,
        path: &str,
        body: Value,
        version: Option<&str>,
    ) -> Result<(), DeliveryError> {
        let path = format!("{BASE}/{path}");
        let mut request = Request::new(http::Method::PUT, &path);
        request.body = Body::Json(body);
        if let Some(version) = version {
            request = request.header("if-match", format!("\"{version}\""));
        }
        let answer = self.api.ask(request).await?;
        if answer.body.is_array() { Ok(()) } else { Err(unreadable()) }
    }
}

/// Records in one page, which is the most that RT gives.
const PAGE: usize = 100;

fn object(body: Value) -> Result<Value, DeliveryError> {
    if body.is_object() { Ok(body) } else { Err(unreadable()) }
}

/// A text in RT's query language.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// A ticket's number; anything else would be another path.
fn number(id: &str) -> Result<u64, DeliveryError> {
    id.parse().map_err(|_| DeliveryError::NotFound("tickets have numbers".to_owned()))
}

#[async_trait]
impl Destination for RequestTracker {
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
            _ => Err(DeliveryError::Unsupported("Request Tracker is used as a CRM")),
        }
    }

    async fn delivered(
        &self,
        effect: &Effect,
        key: &DedupeKey,
    ) -> Result<Option<RemoteId>, DeliveryError> {
        match effect {
            Effect::CreateCase(case) => self.ticket_made(Some(&case.contact_id), key).await,
            Effect::UpdateCase(update) => self.is_updated(update).await,
            Effect::AddNote(note) => {
                self.entry_made(&note.contact_id, note.case.as_ref(), key).await
            }
            Effect::LogCall(call) => {
                self.entry_made(&call.contact_id, call.case.as_ref(), key).await
            }
            Effect::CreateTask(_) => self.ticket_made(None, key).await,
            Effect::PushArticle(_) => self.article_made(key).await,
            _ => Err(DeliveryError::Unsupported("Request Tracker is used as a CRM")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_stays_a_text_in_a_query() {
        assert_eq!(quoted("ada"), "'ada'");
        assert_eq!(quoted("x' OR id > 0"), "'x\\' OR id > 0'");
        assert_eq!(quoted("x\\"), "'x\\\\'");
        for none in ["", "1/../2", "-1", "1 or 1", "ticket"] {
            assert!(number(none).is_err(), "{none}");
        }
    }
}
