//! Any system that speaks JSON over HTTP, as the settings describe it.
//!
//! An operation is a request with templates (`description`), by method and path or by its `operationId` in an OpenAPI
//! document, and expressions for what its answer means. What the system hasn't may go to a signed webhook instead.
//!
//! Whether something was done is answered by an operation's `delivered`, which finds it by the key; an operation that
//! is `repeatable` needs none. One that is neither can't tell, and after an unclear delivery a person decides.

mod compile;
mod description;
mod documented;
mod effects;
mod expression;
mod openapi;
mod read;
mod request;
mod template;
pub mod webhook;

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use async_trait::async_trait;
use futures_util::future::try_join_all;
use serde_json::{Value, json};

use super::{Access, CANDIDATES_MAX, Crm, numbers};
use crate::connect::destination::{DeliveryError, Destination, RemoteId};
use crate::connect::oauth::{Credentials, Door};
use crate::domain::{
    AccountFacts, Activity, Case, CaseUpdate, Contact, ContactKey, DedupeKey, Effect,
};

pub use compile::Mistake;
use compile::{Compiled, Finding, Reading, Writing, compile};
pub use description::{Description, Lookup, Operation};
use openapi::Document;
use template::Writer;
use webhook::Webhook;

const NOT_HERE: DeliveryError = DeliveryError::Unsupported("no operation is described for this");

#[derive(Clone, Debug)]
pub struct Settings {
    /// The address may be that of the document's first server.
    pub access: Access,
    pub credentials: Credentials,
    /// Go with every request; they are never printed.
    pub headers: BTreeMap<String, String>,
    pub description: Description,
    /// OpenAPI 3, as JSON or YAML.
    pub openapi: Option<String>,
    /// Takes what no operation is described for.
    pub webhook: Option<webhook::Settings>,
}

pub struct Generic {
    settings: Settings,
    door: Door,
    writer: Writer,
    compiled: Compiled,
    webhook: Option<Webhook>,
}

/// The address that a document's first server has.
///
/// # Errors
/// The document is none, or its server has no address of its own.
pub fn server(openapi: &str) -> Result<reqwest::Url, String> {
    let document = Document::parse(openapi).map_err(|what| format!("openapi {what}"))?;
    document.server().ok_or_else(|| "openapi has no server with a whole address".to_owned())
}

/// All mistakes of a description, each with its place; none where it can be used.
pub fn mistakes(description: &Description, openapi: Option<&str>) -> Vec<Mistake> {
    match document(openapi) {
        Ok(document) => {
            compile(description, document.as_ref(), &Writer::new()).err().unwrap_or_default()
        }
        Err(mistake) => vec![mistake],
    }
}

fn document(openapi: Option<&str>) -> Result<Option<Document>, Mistake> {
    openapi
        .map(Document::parse)
        .transpose()
        .map_err(|what| Mistake { place: "openapi".to_owned(), what })
}

impl Generic {
    /// # Errors
    /// All mistakes, a line each, with their places.
    pub fn new(settings: Settings) -> Result<Self, String> {
        let document =
            document(settings.openapi.as_deref()).map_err(|mistake| mistake.to_string())?;
        let writer = Writer::new();
        let compiled =
            compile(&settings.description, document.as_ref(), &writer).map_err(|all| {
                all.iter().map(Mistake::to_string).collect::<Vec<String>>().join("\n")
            })?;
        let webhook = settings.webhook.clone().map(Webhook::new).transpose();
        let webhook = webhook.map_err(|what| format!("webhook.{what}"))?;
        let Access { url, patience, .. } = &settings.access;
        let door =
            Door::new(url.clone(), &settings.headers, *patience, settings.credentials.clone())?;
        Ok(Self { settings, door, writer, compiled, webhook })
    }

    fn reading(&self, name: &str) -> Option<&Reading> {
        self.compiled.reads.get(name)
    }

    fn webhook(&self, effect: &Effect) -> Result<&Webhook, DeliveryError> {
        self.webhook.as_ref().filter(|webhook| webhook.takes(effect)).ok_or(NOT_HERE)
    }

    async fn write(
        &self,
        writing: &Writing,
        effect: &Effect,
        key: &DedupeKey,
    ) -> Result<String, DeliveryError> {
        let answer = self.ask(&writing.filling, &effects::context(effect, key)).await?;
        let unreadable = super::answers::unreadable;
        if answer.is_string() {
            // A page for people is no answer of an API.
            return Err(unreadable());
        }
        if let Some(success) = &writing.success {
            match success.of(&answer) {
                Value::Bool(true) => (),
                Value::Bool(false) => {
                    return Err(DeliveryError::Refused("it says that it wasn't done".to_owned()));
                }
                _ => return Err(unreadable()),
            }
        }
        match &writing.id {
            Some(id) => id.text(&answer).ok_or_else(unreadable),
            None => Ok(key.as_str().to_owned()),
        }
    }

    /// The key is the whole of what stands there, or its marker is a part of it.
    async fn find(
        &self,
        finding: &Finding,
        effect: &Effect,
        key: &DedupeKey,
    ) -> Result<Option<String>, DeliveryError> {
        let mut is_strange = false;
        let mut found = None;
        let is_ours = |record: &Value| {
            let texts = finding.key.texts(record);
            texts.iter().any(|text| text == key.as_str() || super::wording::bears(text, key))
        };
        self.pages(&finding.filling, effects::context(effect, key), |records| {
            let ours = records.iter().find(|record| is_ours(record));
            is_strange |= finding.is_filtered && ours.is_none() && !records.is_empty();
            found =
                ours.map(|record| finding.id.text(record).ok_or_else(super::answers::unreadable));
            found.is_some()
        })
        .await?;
        match found {
            Some(found) => found.map(Some),
            None if is_strange => {
                Err(DeliveryError::Untrusted("its look-up isn't filtered by the key".to_owned()))
            }
            None => Ok(None),
        }
    }

    /// What an update leaves is its case as it should be; it is looked for among the contact's open ones, and when
    /// it isn't there it may be closed or gone.
    async fn is_updated(&self, update: &CaseUpdate) -> Result<Option<String>, DeliveryError> {
        let undecided =
            || DeliveryError::Undecided("this system can't tell what an update did".to_owned());
        let reading = self.reading("open_cases").ok_or_else(undecided)?;
        let contact = Contact { id: update.contact_id.clone(), ..Contact::default() };
        let cases = self.cases(reading, &contact, usize::MAX).await?;
        let case = cases.iter().find(|case| case.id == update.case_id).ok_or_else(undecided)?;
        let is_so =
            super::answers::is_as_wanted(update, Some(&case.status), case.priority.as_deref());
        Ok(is_so.then(|| case.id.clone()))
    }

    async fn cases(
        &self,
        reading: &Reading,
        contact: &Contact,
        limit: usize,
    ) -> Result<Vec<Case>, DeliveryError> {
        let context = contact_context(contact, limit);
        let records = self.records(reading, context).await?;
        read::theirs(reading, &records, &contact.id)?;
        let whole = |record| read::case(reading, record).ok_or_else(|| nameless("open_cases"));
        let mut cases = records.iter().map(whole).collect::<Result<Vec<Case>, _>>()?;
        cases.sort_by_key(|one| std::cmp::Reverse(one.updated_at));
        cases.truncate(limit);
        Ok(cases)
    }
}

/// Whoever comes without an identifier isn't nobody: the answer, or what the settings say of it, is wrong.
fn nameless(operation: &str) -> DeliveryError {
    DeliveryError::Unclear(format!(
        "a record in its answer has no identifier; see operations.{operation}, fields.id and items"
    ))
}

fn contact_context(contact: &Contact, limit: usize) -> Value {
    json!({
        "contact_id": contact.id,
        "contact": {"id": contact.id, "phones": contact.phones, "emails": contact.emails},
        "limit": limit.min(1_000),
    })
}

#[async_trait]
impl Destination for Generic {
    fn name(&self) -> &str {
        &self.settings.access.name
    }

    async fn deliver(&self, effect: &Effect, key: &DedupeKey) -> Result<RemoteId, DeliveryError> {
        match self.compiled.writes.get(effect.operation()) {
            Some(writing) => self.write(writing, effect, key).await.map(RemoteId),
            None => self.webhook(effect)?.deliver(effect, key).await,
        }
    }

    async fn delivered(
        &self,
        effect: &Effect,
        key: &DedupeKey,
    ) -> Result<Option<RemoteId>, DeliveryError> {
        let Some(writing) = self.compiled.writes.get(effect.operation()) else {
            return self.webhook(effect)?.delivered(effect, key).await;
        };
        match (&writing.delivered, effect) {
            (Some(finding), _) => Ok(self.find(finding, effect, key).await?.map(RemoteId)),
            (None, _) if writing.repeatable => Ok(None),
            (None, Effect::UpdateCase(update)) => Ok(self.is_updated(update).await?.map(RemoteId)),
            (None, _) => {
                Err(DeliveryError::Undecided("this system can't be asked what it did".to_owned()))
            }
        }
    }
}

#[async_trait]
impl Crm for Generic {
    fn system(&self) -> &'static str {
        "generic"
    }

    async fn find_contacts(&self, key: &ContactKey) -> Result<Vec<Contact>, DeliveryError> {
        let (name, context) = match key {
            ContactKey::Phone(number) => {
                let context = json!({
                    "phone": number,
                    "digits": number.trim_start_matches('+'),
                    "national": numbers::national_digits(number),
                    "spellings": numbers::spellings(number, &self.settings.access.region),
                });
                ("find_by_phone", context)
            }
            ContactKey::Email(address) => ("find_by_email", json!({"email": address})),
            // What an address would understand otherwise is nobody's identifier.
            ContactKey::Id(id) if template::piece(id).is_none() => return Ok(Vec::new()),
            ContactKey::Id(id) => ("find_by_id", json!({"id": id})),
        };
        let reading = self.reading(name).ok_or(NOT_HERE)?;
        let records = self.records(reading, context).await?;
        let whole = |record| read::contact(reading, record).ok_or_else(|| nameless(name));
        let mut contacts = records.iter().map(whole).collect::<Result<Vec<Contact>, _>>()?;
        contacts.truncate(CANDIDATES_MAX);
        Ok(contacts)
    }

    async fn open_cases(
        &self,
        contact: &Contact,
        limit: usize,
    ) -> Result<Vec<Case>, DeliveryError> {
        let Some(reading) = self.reading("open_cases").filter(|_| limit > 0) else {
            return Ok(Vec::new());
        };
        let mut cases = self.cases(reading, contact, limit).await?;
        if let Some(entries) = self.reading("case_history") {
            let histories = cases.iter().map(|case| {
                let context =
                    json!({"case_id": case.id, "contact_id": contact.id, "limit": read::ENTRIES});
                self.records(entries, context)
            });
            let histories = try_join_all(histories).await?;
            for (case, records) in cases.iter_mut().zip(histories) {
                case.history = read::entries(&entries.fields, &records, read::ENTRIES);
            }
        }
        for case in &mut cases {
            case.updated_at = case.updated_at.max(case.history.first().and_then(|entry| entry.at));
        }
        cases.sort_by_key(|one| std::cmp::Reverse(one.updated_at));
        Ok(cases)
    }

    async fn history(
        &self,
        contact: &Contact,
        limit: usize,
    ) -> Result<Vec<Activity>, DeliveryError> {
        let Some(reading) = self.reading("history").filter(|_| limit > 0) else {
            return Ok(Vec::new());
        };
        let records = self.records(reading, contact_context(contact, limit)).await?;
        read::theirs(reading, &records, &contact.id)?;
        Ok(read::entries(&reading.fields, &records, limit))
    }

    async fn account_facts(&self, contact: &Contact) -> Result<AccountFacts, DeliveryError> {
        let Some(reading) = self.reading("account_facts") else {
            return Ok(AccountFacts::default());
        };
        let records = self.records(reading, contact_context(contact, 1)).await?;
        Ok(records.first().map(|record| read::facts(reading, record)).unwrap_or_default())
    }
}
