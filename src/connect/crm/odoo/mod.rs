//! Odoo over JSON-2 (from version 19 on) or JSON-RPC (up to 21, where it is announced to end).
//!
//! Cases, activities and articles are made by `load`, the import, under an external identifier that is made of the
//! key: Odoo keeps those unique, so that the same key twice is one record. It isn't asked for by that identifier,
//! which only administrators may read: what is made also bears the marker, and is found by it with a search, which
//! reads the database in a transaction of its own. Notes and calls are internal messages (`mail.mt_note`) in the
//! thread of the case or of the contact, with the marker.
//!
//! There is no conditional update: `write_date` is compared before, and what happens in between isn't noticed.
//!
//! Shapes: <https://www.odoo.com/documentation/>, developer reference, external API (`external_api.rst`,
//! `external_rpc_api.rst`), and the source: `mail_thread_phone.py`, `mail_thread.py`, `models.py` (`load`),
//! `rpc/controllers/json2.py`. Not run against the vendor.

mod call;
mod wire;
mod write;

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use async_trait::async_trait;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::answers::{self, name_of_a_field};
use super::{Access, CANDIDATES_MAX, Crm, numbers};
use crate::connect::destination::{DeliveryError, Destination, RemoteId};
use crate::domain::{AccountFacts, Activity, Case, Contact, ContactKey, DedupeKey, Effect};

use call::Calls;
use wire::id;

const ENTRIES: usize = 5;
/// Cases whose messages make a contact's history.
const CASES_READ: usize = 10;
const CONTACTS: &str = "res.partner";
const MESSAGES: &str = "mail.message";

#[derive(Clone, Debug)]
pub struct Settings {
    pub access: Access,
    pub protocol: Protocol,
    /// The user's API key.
    pub key: SecretString,
    /// `helpdesk.ticket` (Enterprise, and OCA's), `project.task` or `crm.lead`.
    pub case_model: String,
    pub stage_model: String,
    /// Further conditions of an open case, as in a domain.
    pub open_domain: Vec<Value>,
    /// What people call a case by, such as `ticket_ref`.
    pub number_field: Option<String>,
    /// Those of `res.partner`: 19 has no `mobile` any more.
    pub phone_fields: Vec<String>,
    pub phone_search: PhoneSearch,
    /// Of the contact; of a reference, what it is called.
    pub tier_field: Option<String>,
    pub value_field: Option<String>,
    /// Whose activities tasks become; the integration user's where it is absent.
    pub task_user_id: Option<i64>,
    /// Articles are refused where it is absent.
    pub articles: Option<Articles>,
}

#[derive(Clone, Debug)]
pub enum Protocol {
    Json2 {
        /// Needed where one server has several.
        database: Option<String>,
    },
    JsonRpc {
        database: String,
        login: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhoneSearch {
    /// `phone_mobile_search`, which the SMS module brings: however a number is written.
    Searchable,
    /// The usual spellings of a number.
    Spellings,
}

/// Knowledge (Enterprise) knows no drafts: an article is inside the company until somebody publishes it.
#[derive(Clone, Debug)]
pub struct Articles {
    /// Under which it is put.
    pub parent_id: Option<i64>,
}

impl Settings {
    /// With the Helpdesk application.
    pub fn new(access: Access, protocol: Protocol, key: SecretString) -> Self {
        let phone_fields: &[&str] = match &protocol {
            Protocol::Json2 { .. } => &["phone"],
            Protocol::JsonRpc { .. } => &["phone", "mobile"],
        };
        Self {
            access,
            protocol,
            key,
            case_model: "helpdesk.ticket".to_owned(),
            stage_model: "helpdesk.stage".to_owned(),
            open_domain: vec![json!(["stage_id.fold", "=", false])],
            number_field: None,
            phone_fields: phone_fields.iter().map(|field| (*field).to_owned()).collect(),
            phone_search: PhoneSearch::Searchable,
            tier_field: None,
            value_field: None,
            task_user_id: None,
            articles: None,
        }
    }
}

pub struct Odoo {
    settings: Settings,
    calls: Calls,
}

impl Odoo {
    /// # Errors
    /// A setting that can't be used, by its name.
    pub fn new(settings: Settings) -> Result<Self, String> {
        name_of_a_field("case_model", &settings.case_model)?;
        name_of_a_field("stage_model", &settings.stage_model)?;
        let Settings { number_field, tier_field, value_field, .. } = &settings;
        let named = [
            ("number_field", number_field),
            ("tier_field", tier_field),
            ("value_field", value_field),
        ];
        for (setting, name) in named {
            name.as_ref().map_or(Ok(()), |name| name_of_a_field(setting, name))?;
        }
        if settings.phone_fields.is_empty() {
            return Err("phone_fields must name a field".to_owned());
        }
        for field in &settings.phone_fields {
            name_of_a_field("phone_fields", field)?;
        }
        if !settings.open_domain.iter().all(is_condition) {
            return Err("open_domain must hold conditions: [field, operator, value], or operators"
                .to_owned());
        }
        let calls = Calls::new(&settings.access, &settings.protocol, settings.key.clone())?;
        Ok(Self { settings, calls })
    }

    async fn search(
        &self,
        model: &str,
        domain: Vec<Value>,
        fields: &[&str],
        order: &str,
        limit: usize,
    ) -> Result<Vec<Value>, DeliveryError> {
        let arguments = json!({
            "domain": domain,
            "fields": fields,
            "order": order,
            "limit": limit,
            // Archived records are records too.
            "context": {"active_test": false},
        });
        let found = self.calls.call(model, "search_read", &[], arguments).await?;
        Ok(answers::list(&found, "")?.to_vec())
    }

    fn case_fields(&self) -> Vec<&str> {
        let mut fields = wire::CASE_FIELDS.to_vec();
        fields.extend(self.settings.number_field.as_deref());
        fields
    }

    /// A contact's cases: each must say that it is theirs.
    async fn cases(
        &self,
        contact: i64,
        open: bool,
        limit: usize,
    ) -> Result<Vec<Value>, DeliveryError> {
        let mut domain = vec![json!(["partner_id", "=", contact])];
        if open {
            domain.push(json!(["active", "=", true]));
            domain.extend(self.settings.open_domain.iter().cloned());
        }
        let model = &self.settings.case_model;
        let found =
            self.search(model, domain, &self.case_fields(), "write_date desc", limit).await?;
        match found.iter().all(|case| wire::reference(case, "partner_id") == Some(contact)) {
            true => Ok(found),
            false => {
                Err(DeliveryError::Untrusted(format!("partner_id of {model} is not filtered by")))
            }
        }
    }

    /// Messages in threads, with the record that each is in, newest first.
    async fn messages(
        &self,
        threads: &[(&str, Vec<i64>)],
        limit: usize,
    ) -> Result<Vec<(i64, Activity)>, DeliveryError> {
        let mut domain = vec![json!("|"); threads.len().saturating_sub(1)];
        for (model, ids) in threads {
            domain.extend([json!("&"), json!(["model", "=", model]), json!(["res_id", "in", ids])]);
        }
        // What the system says of changes has no body.
        domain.insert(0, json!(["body", "!=", ""]));
        let fields = wire::MESSAGE_FIELDS;
        let found = self.search(MESSAGES, domain, fields, "date desc, id desc", limit).await?;
        let is_asked = |message: &&Value| {
            threads.iter().any(|(model, ids)| {
                message["model"] == *model
                    && message["res_id"].as_i64().is_some_and(|id| ids.contains(&id))
            })
        };
        if found.iter().filter(is_asked).count() < found.len() {
            return Err(DeliveryError::Untrusted(
                "messages are not filtered by their thread".to_owned(),
            ));
        }
        let said = found.iter().filter_map(wire::message);
        Ok(said.filter(|(_, entry)| !entry.text.as_str().is_empty()).collect())
    }

    fn url_of(&self, model: &str, id: &str) -> Option<String> {
        let path = format!("/web#id={id}&model={model}&view_type=form");
        self.settings.access.url.join(&path).ok().map(Into::into)
    }
}

/// `["a", "=", 1]`, or an operator between conditions.
fn is_condition(value: &Value) -> bool {
    match value {
        Value::Array(parts) => parts.len() == 3 && parts[..2].iter().all(Value::is_string),
        other => other.as_str().is_some_and(|operator| matches!(operator, "|" | "&" | "!")),
    }
}

#[async_trait]
impl Destination for Odoo {
    fn name(&self) -> &str {
        &self.settings.access.name
    }

    async fn deliver(&self, effect: &Effect, key: &DedupeKey) -> Result<RemoteId, DeliveryError> {
        self.write(effect, key).await.map(RemoteId)
    }

    async fn delivered(
        &self,
        effect: &Effect,
        key: &DedupeKey,
    ) -> Result<Option<RemoteId>, DeliveryError> {
        Ok(self.written(effect, key).await?.map(RemoteId))
    }
}

#[async_trait]
impl Crm for Odoo {
    fn system(&self) -> &'static str {
        "odoo"
    }

    async fn find_contacts(&self, key: &ContactKey) -> Result<Vec<Contact>, DeliveryError> {
        let region = &self.settings.access.region;
        let phone_fields: Vec<&str> =
            self.settings.phone_fields.iter().map(String::as_str).collect();
        // Archived people are none to be served.
        let mut domain = vec![json!(["active", "=", true])];
        match key {
            ContactKey::Phone(number) => {
                let any: Vec<Value> = match self.settings.phone_search {
                    // It leaves out what stands between digits, but takes a number's beginning as it is written.
                    PhoneSearch::Searchable => {
                        let mut beginnings: Vec<String> = numbers::spellings(number, region)
                            .iter()
                            .map(|text| wire::bare(text))
                            .collect();
                        beginnings.sort();
                        beginnings.dedup();
                        beginnings
                            .iter()
                            .map(|text| json!(["phone_mobile_search", "=", text]))
                            .collect()
                    }
                    PhoneSearch::Spellings => {
                        let spellings = numbers::spellings(number, region);
                        phone_fields.iter().map(|field| json!([field, "in", spellings])).collect()
                    }
                };
                domain.extend(vec![json!("|"); any.len().saturating_sub(1)]);
                domain.extend(any);
            }
            ContactKey::Email(address) => domain.push(json!(["email_normalized", "=", address])),
            ContactKey::Id(text) => match id(text) {
                Some(id) => domain.push(json!(["id", "=", id])),
                None => return Ok(Vec::new()),
            },
        }
        let mut fields = wire::CONTACT_FIELDS.to_vec();
        fields.extend(&phone_fields);
        let found = self.search(CONTACTS, domain, &fields, "id", CANDIDATES_MAX).await?;
        let mut contacts: Vec<Contact> =
            found.iter().filter_map(|record| wire::contact(record, &phone_fields)).collect();
        for contact in &mut contacts {
            contact.url = self.url_of(CONTACTS, &contact.id);
        }
        Ok(contacts)
    }

    async fn open_cases(
        &self,
        contact: &Contact,
        limit: usize,
    ) -> Result<Vec<Case>, DeliveryError> {
        let Some(contact) = id(&contact.id).filter(|_| limit > 0) else { return Ok(Vec::new()) };
        let found = self.cases(contact, true, limit).await?;
        let number = self.settings.number_field.as_deref();
        let mut cases: Vec<Case> =
            found.iter().filter_map(|record| wire::case(record, number)).collect();
        if cases.is_empty() {
            return Ok(cases);
        }
        let model = self.settings.case_model.as_str();
        let ids: Vec<i64> = cases.iter().filter_map(|case| id(&case.id)).collect();
        let messages = self.messages(&[(model, ids.clone())], ENTRIES * ids.len()).await?;
        for case in &mut cases {
            let own = messages.iter().filter(|(of, _)| Some(*of) == id(&case.id));
            case.history = own.map(|(_, entry)| entry.clone()).take(ENTRIES).collect();
            // A message isn't a change of its record.
            case.updated_at = case.updated_at.max(case.history.first().and_then(|entry| entry.at));
            case.url = self.url_of(model, &case.id);
        }
        cases.sort_by_key(|one| std::cmp::Reverse(one.updated_at));
        Ok(cases)
    }

    async fn history(
        &self,
        contact: &Contact,
        limit: usize,
    ) -> Result<Vec<Activity>, DeliveryError> {
        let Some(contact) = id(&contact.id).filter(|_| limit > 0) else { return Ok(Vec::new()) };
        let cases = self.cases(contact, false, CASES_READ).await?;
        let ids: Vec<i64> = cases.iter().filter_map(|case| case["id"].as_i64()).collect();
        let mut threads = vec![(CONTACTS, vec![contact])];
        if !ids.is_empty() {
            threads.push((self.settings.case_model.as_str(), ids));
        }
        let messages = self.messages(&threads, limit).await?;
        Ok(messages.into_iter().map(|(_, entry)| entry).collect())
    }

    async fn account_facts(&self, contact: &Contact) -> Result<AccountFacts, DeliveryError> {
        let Some(contact) = id(&contact.id) else { return Ok(AccountFacts::default()) };
        let Settings { tier_field, value_field, .. } = &self.settings;
        let mut fields = vec!["create_date", "user_id"];
        fields.extend(tier_field.iter().chain(value_field).map(String::as_str));
        let found =
            self.search(CONTACTS, vec![json!(["id", "=", contact])], &fields, "id", 1).await?;
        let Some(record) = found.iter().find(|record| record["id"] == contact) else {
            return Ok(AccountFacts::default());
        };
        Ok(wire::facts(record, tier_field.as_deref(), value_field.as_deref()))
    }
}

/// Headers that both protocols want.
fn headers(protocol: &Protocol) -> BTreeMap<String, String> {
    match protocol {
        Protocol::Json2 { database: Some(database) } => {
            [("X-Odoo-Database".to_owned(), database.clone())].into()
        }
        _ => BTreeMap::new(),
    }
}
