//! ServiceNow over its Table API: incidents of users, or cases of customer service, as the settings say.
//!
//! By default an instance ignores the part of a query that it doesn't know and answers with everybody
//! (`c_TableAPI.md`, `sysparm_query`); an administrator can set `glide.invalid_query.returns_no_rows`, which then
//! holds for all of the instance, and no parameter of a request does. So every record that comes back is compared
//! with what was asked for, here too, and a stranger among them is an error. A caret parts conditions and has no
//! escape, and a value that begins with `javascript:` is run: neither is ever sent.
//!
//! A record that is made bears the key in `correlation_id`, and must be answered with it. Notes are `work_notes`,
//! which no customer sees, with the key's marker, and are read again from `sys_journal_field`. A call without a case
//! is an interaction. There is no conditional update: `sys_mod_count` is compared before, and what happens in
//! between isn't noticed.
//!
//! Shapes: <https://www.servicenow.com/docs/>, API reference, `c_TableAPI` and `retrieving-journal-entries`. Not run
//! against the vendor.

mod query;
mod wire;
mod write;

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;
use serde_json::Value;

use super::answers::{self, name_of_a_field};
use super::{Access, CANDIDATES_MAX, Crm, numbers};
use crate::connect::destination::{DeliveryError, Destination, RemoteId};
use crate::connect::http::{Answered, Request};
use crate::connect::oauth::{Credentials, Door, Grant, GrantKind};
use crate::domain::{AccountFacts, Activity, Case, Contact, ContactKey, DedupeKey, Effect};

use query::{id, value};
use wire::{raw, shown_as};

const ENTRIES: usize = 5;
/// Records of one kind that a history is made of.
const RECORDS_READ: usize = 10;
const PAGE: usize = 100;
const PAGES_MAX: usize = 20;

#[derive(Clone, Debug)]
pub struct Settings {
    /// `https://company.service-now.com`.
    pub access: Access,
    pub credentials: Credentials,
    pub api_path: String,
    /// `sys_user` or a table that extends it.
    pub contact_table: String,
    pub case_table: String,
    /// Where a case says whose it is.
    pub case_contact_field: String,
    /// Of a case. An incident's own priority is worked out from impact and urgency.
    pub priority_field: String,
    pub task_table: String,
    /// Calls without a case are refused where it is absent.
    pub interactions: Option<Interactions>,
    /// Of the contact; a yes or no counts by its name.
    pub tier_field: Option<String>,
    pub value_field: Option<String>,
    /// The `sys_id` of the knowledge base for drafts; articles are refused where it is absent.
    pub knowledge_base: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Interactions {
    pub table: String,
    pub contact_field: String,
}

impl Settings {
    /// Incidents of users.
    pub fn new(access: Access, credentials: Credentials) -> Self {
        Self {
            access,
            credentials,
            api_path: "/api/now".to_owned(),
            contact_table: "sys_user".to_owned(),
            case_table: "incident".to_owned(),
            case_contact_field: "caller_id".to_owned(),
            priority_field: "urgency".to_owned(),
            task_table: "task".to_owned(),
            interactions: Some(Interactions {
                table: "interaction".to_owned(),
                contact_field: "opened_for".to_owned(),
            }),
            tier_field: Some("vip".to_owned()),
            value_field: None,
            knowledge_base: None,
        }
    }

    /// Cases of Customer Service Management.
    pub fn customer_service(access: Access, credentials: Credentials) -> Self {
        Self {
            contact_table: "customer_contact".to_owned(),
            case_table: "sn_customerservice_case".to_owned(),
            case_contact_field: "contact".to_owned(),
            priority_field: "priority".to_owned(),
            task_table: "sn_customerservice_task".to_owned(),
            ..Self::new(access, credentials)
        }
    }
}

/// The client credentials grant of an application in the instance's registry.
pub fn client_credentials(id: String, secret: SecretString) -> Credentials {
    Credentials::OAuth(Grant {
        path: "/oauth_token.do".to_owned(),
        issuer: None,
        kind: GrantKind::ClientCredentials { id, secret, in_form: true },
        fields: Vec::new(),
        life: Duration::from_secs(1_800),
    })
}

/// A key of inbound authentication profiles.
pub fn api_key(key: SecretString) -> Credentials {
    Credentials::Header("x-sn-apikey", key)
}

pub struct ServiceNow {
    settings: Settings,
    door: Door,
}

impl ServiceNow {
    /// # Errors
    /// A setting that can't be used, by its name.
    pub fn new(settings: Settings) -> Result<Self, String> {
        let named = [
            ("contact_table", Some(&settings.contact_table)),
            ("case_table", Some(&settings.case_table)),
            ("case_contact_field", Some(&settings.case_contact_field)),
            ("priority_field", Some(&settings.priority_field)),
            ("task_table", Some(&settings.task_table)),
            ("interactions.table", settings.interactions.as_ref().map(|one| &one.table)),
            (
                "interactions.contact_field",
                settings.interactions.as_ref().map(|one| &one.contact_field),
            ),
            ("tier_field", settings.tier_field.as_ref()),
            ("value_field", settings.value_field.as_ref()),
        ];
        for (setting, name) in named {
            name.map_or(Ok(()), |name| name_of_a_field(setting, name))?;
        }
        if settings.knowledge_base.as_ref().is_some_and(|base| id(base).is_none()) {
            return Err("knowledge_base must be a sys_id: 32 hexadecimal digits".to_owned());
        }
        let Access { url, patience, .. } = &settings.access;
        let door =
            Door::new(url.clone(), &BTreeMap::new(), *patience, settings.credentials.clone())?;
        Ok(Self { settings, door })
    }

    fn path(&self, rest: &str) -> String {
        format!("{}/table/{rest}", self.settings.api_path.trim_end_matches('/'))
    }

    async fn ask(&self, request: Request<'_>) -> Result<Answered, DeliveryError> {
        self.door.ask(request).await
    }

    /// Records with values and what they are displayed as.
    async fn list(
        &self,
        table: &str,
        query: String,
        fields: &[&str],
        limit: usize,
    ) -> Result<Vec<Value>, DeliveryError> {
        Ok(self.page(table, query, fields, limit, 0).await?.0)
    }

    /// The same, and how many there are in all: the limit counts before access rights, so that a short page may not
    /// be the last one.
    async fn page(
        &self,
        table: &str,
        query: String,
        fields: &[&str],
        limit: usize,
        offset: usize,
    ) -> Result<(Vec<Value>, Option<usize>), DeliveryError> {
        let path = self.path(table);
        let request = Request::get(&path)
            .query("sysparm_query", query)
            .query("sysparm_fields", fields.join(","))
            .query("sysparm_display_value", "all")
            .query("sysparm_exclude_reference_link", "true")
            .query("sysparm_limit", limit.to_string())
            .query("sysparm_offset", offset.to_string());
        let answer = self.ask(request).await?;
        let total =
            answer.headers.get("x-total-count").and_then(|text| text.to_str().ok()?.parse().ok());
        Ok((answers::list(&answer.body, "/result")?.to_vec(), total))
    }

    fn url_of(&self, table: &str, id: &str) -> Option<String> {
        self.settings.access.url.join(&format!("/{table}.do?sys_id={id}")).ok().map(Into::into)
    }

    /// Records of a contact, the latest changed first; every one must say that it is theirs.
    async fn of_contact(
        &self,
        table: &str,
        field: &str,
        contact: &str,
        condition: &str,
        fields: &[&str],
        limit: usize,
    ) -> Result<Vec<Value>, DeliveryError> {
        let query = format!("{field}={contact}{condition}^ORDERBYDESCsys_updated_on");
        let mut all = vec!["sys_id", "sys_updated_on", field];
        all.extend_from_slice(fields);
        let records = self.list(table, query, &all, limit).await?;
        if records.iter().any(|record| raw(record, field).as_deref() != Some(contact)) {
            return Err(DeliveryError::Untrusted(format!("{field} of {table} is not filtered by")));
        }
        Ok(records)
    }

    /// Entries in the journals of records, newest first.
    async fn journal(&self, ids: &[String], limit: usize) -> Result<Vec<Value>, DeliveryError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let query = format!(
            "element_idIN{}^elementINwork_notes,comments^ORDERBYDESCsys_created_on",
            ids.join(",")
        );
        let entries = self.list("sys_journal_field", query, wire::JOURNAL_FIELDS, limit).await?;
        let is_asked = |entry: &Value| raw(entry, "element_id").is_some_and(|id| ids.contains(&id));
        if !entries.iter().all(is_asked) {
            return Err(DeliveryError::Untrusted(
                "element_id of the journal is not filtered by".to_owned(),
            ));
        }
        Ok(entries)
    }
}

#[async_trait]
impl Destination for ServiceNow {
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
impl Crm for ServiceNow {
    fn system(&self) -> &'static str {
        "servicenow"
    }

    async fn find_contacts(&self, key: &ContactKey) -> Result<Vec<Contact>, DeliveryError> {
        let query = match key {
            ContactKey::Phone(number) => {
                let mut spellings = numbers::spellings(number, &self.settings.access.region);
                // A comma parts the values of a list.
                spellings.retain(|text| value(text).is_ok() && !text.contains(','));
                let any = spellings.join(",");
                wire::PHONE_FIELDS.map(|field| format!("{field}IN{any}")).join("^OR")
            }
            ContactKey::Email(address) => format!("email={}", value(address)?),
            ContactKey::Id(text) => match id(text) {
                Some(id) => format!("sys_id={id}"),
                None => return Ok(Vec::new()),
            },
        };
        let table = &self.settings.contact_table;
        let records = self.list(table, query, wire::CONTACT_FIELDS, CANDIDATES_MAX).await?;
        let mut contacts: Vec<Contact> = records.iter().filter_map(wire::contact).collect();
        for contact in &mut contacts {
            contact.url = self.url_of(table, &contact.id);
        }
        Ok(contacts)
    }

    async fn open_cases(
        &self,
        contact: &Contact,
        limit: usize,
    ) -> Result<Vec<Case>, DeliveryError> {
        let Some(contact) = id(&contact.id).filter(|_| limit > 0) else { return Ok(Vec::new()) };
        let Settings { case_table, case_contact_field, priority_field, .. } = &self.settings;
        let mut fields = wire::CASE_FIELDS.to_vec();
        fields.push(priority_field);
        let records = self
            .of_contact(case_table, case_contact_field, contact, "^active=true", &fields, limit)
            .await?;
        let is_open = |record: &&Value| raw(record, "active").as_deref() == Some("true");
        let mut cases: Vec<Case> = records
            .iter()
            .filter(is_open)
            .filter_map(|record| wire::case(record, priority_field))
            .collect();
        let ids: Vec<String> = cases.iter().map(|case| case.id.clone()).collect();
        let journal = self.journal(&ids, ENTRIES * ids.len()).await?;
        for case in &mut cases {
            let own =
                journal.iter().filter(|entry| raw(entry, "element_id").as_ref() == Some(&case.id));
            case.history = own.map(wire::entry).collect();
            case.url = self.url_of(case_table, &case.id);
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
        let Settings { case_table, case_contact_field, .. } = &self.settings;
        let mut records =
            self.of_contact(case_table, case_contact_field, contact, "", &[], RECORDS_READ).await?;
        if let Some(Interactions { table, contact_field }) = &self.settings.interactions {
            records.extend(
                self.of_contact(table, contact_field, contact, "", &[], RECORDS_READ).await?,
            );
        }
        let ids: Vec<String> = records.iter().filter_map(|record| raw(record, "sys_id")).collect();
        let journal = self.journal(&ids, limit).await?;
        let mut all: Vec<Activity> = journal.iter().map(wire::entry).collect();
        all.sort_by_key(|one| std::cmp::Reverse(one.at));
        all.truncate(limit);
        Ok(all)
    }

    async fn account_facts(&self, contact: &Contact) -> Result<AccountFacts, DeliveryError> {
        let Some(contact) = id(&contact.id) else { return Ok(AccountFacts::default()) };
        let Settings { contact_table, tier_field, value_field, .. } = &self.settings;
        let mut fields = vec!["sys_id", "sys_created_on", "manager"];
        fields.extend(tier_field.iter().chain(value_field).map(String::as_str));
        let records = self.list(contact_table, format!("sys_id={contact}"), &fields, 1).await?;
        let Some(record) =
            records.iter().find(|one| raw(one, "sys_id").as_deref() == Some(contact))
        else {
            return Ok(AccountFacts::default());
        };
        let tier = tier_field.as_ref().and_then(|field| match raw(record, field)?.as_str() {
            "true" => Some(field.to_uppercase()),
            "false" => None,
            _ => shown_as(record, field),
        });
        let since = raw(record, "sys_created_on").and_then(|text| text.get(..10)?.parse().ok());
        let value = value_field.as_ref().and_then(|field| raw(record, field)?.parse().ok());
        Ok(AccountFacts { tier, value, since, owner: None, products: Vec::new() })
    }
}
