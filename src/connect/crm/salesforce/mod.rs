//! Salesforce over its REST API.
//!
//! Cases, calls, tasks and notes without a case are upserted by an external id, so that the same key twice is one
//! record whatever got lost (`dome_upsert.htm`): a custom text field, "External ID" and "Unique", on Case and on
//! Activity, named by `key_field`. A note in a case is a comment, which can have no fields of ours: its last line is
//! the key's marker, and comments are read from the database, not from an index. An article is a draft whose
//! `UrlName`, which is unique in an org, ends with the key.
//!
//! Shapes: <https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/>, object reference and
//! SOQL/SOSL reference beside it. Not run against the vendor.

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

use query::{id, quoted, spoken, words};

/// Entries of a case that are read with it.
const ENTRIES: usize = 5;
/// Pages of up to 2,000 records; more comments than that are on no case.
const PAGES_MAX: usize = 10;

#[derive(Clone, Debug)]
pub struct Settings {
    /// The address is "My Domain": `https://company.my.salesforce.com`.
    pub access: Access,
    pub credentials: Credentials,
    /// `v67.0` is Summer '26.
    pub api_version: String,
    /// The external id on Case and Activity.
    pub key_field: String,
    /// Seen from Contact.
    pub tier_field: Option<String>,
    pub value_field: Option<String>,
    /// Where new cases come from, in the org's words.
    pub case_origin: String,
    /// What a finished activity and an open task are called in this org.
    pub completed_status: String,
    pub open_status: String,
    /// Articles are refused where it is absent.
    pub articles: Option<Articles>,
}

#[derive(Clone, Debug)]
pub struct Articles {
    /// `Knowledge__kav` with Lightning Knowledge.
    pub object: String,
    /// The rich text field: the standard object has none.
    pub body_field: String,
    pub language: String,
}

impl Settings {
    pub fn new(access: Access, credentials: Credentials) -> Self {
        Self {
            access,
            credentials,
            api_version: "v67.0".to_owned(),
            key_field: "Backchannel_Key__c".to_owned(),
            tier_field: Some("Account.Rating".to_owned()),
            value_field: Some("Account.AnnualRevenue".to_owned()),
            case_origin: "Phone".to_owned(),
            completed_status: "Completed".to_owned(),
            open_status: "Not Started".to_owned(),
            articles: None,
        }
    }
}

/// The client credentials flow of a connected app (`remoteaccess_oauth_client_credentials_flow.htm`).
pub fn client_credentials(id: String, secret: SecretString) -> Credentials {
    Credentials::OAuth(Grant {
        path: "/services/oauth2/token".to_owned(),
        issuer: None,
        kind: GrantKind::ClientCredentials { id, secret, in_form: true },
        fields: Vec::new(),
        life: TOKEN_LIFE,
    })
}

/// The JWT bearer flow (`remoteaccess_oauth_jwt_flow.htm`): `login` is `https://login.salesforce.com`, or
/// `https://test.salesforce.com` for a sandbox.
pub fn jwt_bearer(
    consumer_key: String,
    user: String,
    login: String,
    key: SecretString,
) -> Credentials {
    Credentials::OAuth(Grant {
        path: "/services/oauth2/token".to_owned(),
        issuer: None,
        kind: GrantKind::JwtBearer { issuer: consumer_key, subject: user, audience: login, key },
        fields: Vec::new(),
        life: TOKEN_LIFE,
    })
}

/// A token's answer names no end; it is the org's session time-out, fifteen minutes at the least.
const TOKEN_LIFE: Duration = Duration::from_secs(900);

pub struct Salesforce {
    settings: Settings,
    door: Door,
}

impl Salesforce {
    /// # Errors
    /// A setting that can't be used, by its name.
    pub fn new(settings: Settings) -> Result<Self, String> {
        let version =
            settings.api_version.strip_prefix('v').and_then(|number| number.parse::<f32>().ok());
        if version.is_none_or(|number| number < 46.0) {
            return Err("api_version must be v46.0 or later".to_owned());
        }
        name_of_a_field("key_field", &settings.key_field)?;
        for (setting, field) in
            [("tier_field", &settings.tier_field), ("value_field", &settings.value_field)]
        {
            field.as_ref().map_or(Ok(()), |field| name_of_a_field(setting, field))?;
        }
        if let Some(articles) = &settings.articles {
            name_of_a_field("articles.object", &articles.object)?;
            name_of_a_field("articles.body_field", &articles.body_field)?;
        }
        let Access { url, patience, .. } = &settings.access;
        let door =
            Door::new(url.clone(), &BTreeMap::new(), *patience, settings.credentials.clone())?;
        Ok(Self { settings, door })
    }

    fn path(&self, rest: &str) -> String {
        format!("/services/data/{}/{rest}", self.settings.api_version)
    }

    async fn ask(&self, request: Request<'_>) -> Result<Answered, DeliveryError> {
        wire::success(self.door.send(request).await?)
    }

    /// Records of a SOQL query, all pages.
    async fn records(&self, soql: String) -> Result<Vec<Value>, DeliveryError> {
        let mut answer = self.ask(Request::get(&self.path("query")).query("q", soql)).await?;
        let mut records = answers::list(&answer.body, "/records")?.to_vec();
        for _ in 0..PAGES_MAX {
            let Some(next) = answer.text("/nextRecordsUrl") else { return Ok(records) };
            answer = self.ask(Request::get(&next)).await?;
            records.extend_from_slice(answers::list(&answer.body, "/records")?);
        }
        Err(DeliveryError::Unclear("its answer has too many pages".to_owned()))
    }

    fn url_of(&self, object: &str, id: &str) -> Option<String> {
        let path = format!("/lightning/r/{object}/{id}/view");
        self.settings.access.url.join(&path).ok().map(Into::into)
    }

    fn contact(&self, record: &Value) -> Option<Contact> {
        let mut contact = wire::contact(record)?;
        contact.url = self.url_of("Contact", &contact.id);
        Some(contact)
    }
}

#[async_trait]
impl Destination for Salesforce {
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
impl Crm for Salesforce {
    fn system(&self) -> &'static str {
        "salesforce"
    }

    async fn find_contacts(&self, key: &ContactKey) -> Result<Vec<Contact>, DeliveryError> {
        let fields = wire::CONTACT_FIELDS;
        let select = |condition: String| {
            format!("SELECT {fields} FROM Contact WHERE {condition} LIMIT {CANDIDATES_MAX}")
        };
        let records = match key {
            ContactKey::Phone(number) => {
                // Marks part words in the index, so that spellings which differ in them are one phrase.
                let spellings = numbers::spellings(number, &self.settings.access.region);
                let mut terms: Vec<String> = Vec::new();
                for term in spellings.iter().map(|text| spoken(&words(text))) {
                    if !terms.contains(&term) {
                        terms.push(term);
                    }
                }
                let sosl = format!(
                    "FIND {{{}}} IN PHONE FIELDS RETURNING Contact({fields} LIMIT {CANDIDATES_MAX})",
                    terms.join(" OR ")
                );
                let answer = self.ask(Request::get(&self.path("search")).query("q", sosl)).await?;
                answers::list(&answer.body, "/searchRecords")?.to_vec()
            }
            ContactKey::Email(address) => {
                self.records(select(format!("Email = {}", quoted(address)))).await?
            }
            ContactKey::Id(text) => match id(text) {
                Some(id) => self.records(select(format!("Id = {}", quoted(id)))).await?,
                None => return Ok(Vec::new()),
            },
        };
        Ok(records.iter().filter_map(|record| self.contact(record)).collect())
    }

    async fn open_cases(
        &self,
        contact: &Contact,
        limit: usize,
    ) -> Result<Vec<Case>, DeliveryError> {
        let Some(contact) = id(&contact.id).filter(|_| limit > 0) else { return Ok(Vec::new()) };
        let soql = format!(
            "SELECT {}, (SELECT CommentBody, CreatedDate, CreatedBy.Name FROM CaseComments \
             ORDER BY CreatedDate DESC LIMIT {ENTRIES}), (SELECT {} FROM Tasks ORDER BY CreatedDate DESC \
             LIMIT {ENTRIES}) FROM Case WHERE ContactId = {} AND IsClosed = false \
             ORDER BY LastModifiedDate DESC LIMIT {limit}",
            wire::CASE_FIELDS,
            wire::TASK_FIELDS,
            quoted(contact),
        );
        let mut cases: Vec<Case> = self
            .records(soql)
            .await?
            .iter()
            .filter_map(|record| wire::case(record, &self.settings.completed_status))
            .collect();
        for case in &mut cases {
            case.url = self.url_of("Case", &case.id);
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
        let tasks = format!(
            "SELECT {} FROM Task WHERE WhoId = {} ORDER BY CreatedDate DESC LIMIT {limit}",
            wire::TASK_FIELDS,
            quoted(contact)
        );
        let comments = format!(
            "SELECT CommentBody, CreatedDate, CreatedBy.Name FROM CaseComment WHERE Parent.ContactId = {} \
             ORDER BY CreatedDate DESC LIMIT {limit}",
            quoted(contact)
        );
        let (tasks, comments) =
            futures_util::try_join!(self.records(tasks), self.records(comments))?;
        let done = &self.settings.completed_status;
        let mut all: Vec<Activity> = tasks.iter().map(|record| wire::task(record, done)).collect();
        all.extend(comments.iter().map(wire::comment));
        all.sort_by_key(|one| std::cmp::Reverse(one.at));
        all.truncate(limit);
        Ok(all)
    }

    async fn account_facts(&self, contact: &Contact) -> Result<AccountFacts, DeliveryError> {
        let Some(contact) = id(&contact.id) else { return Ok(AccountFacts::default()) };
        let Settings { tier_field, value_field, .. } = &self.settings;
        let mut fields = vec![
            "AccountId",
            "CreatedDate",
            "Owner.Name",
            "Account.CreatedDate",
            "Account.Owner.Name",
        ];
        fields.extend(tier_field.iter().chain(value_field).map(String::as_str));
        fields.sort_unstable();
        fields.dedup();
        let soql = format!(
            "SELECT {} FROM Contact WHERE Id = {} LIMIT 1",
            fields.join(", "),
            quoted(contact)
        );
        let assets = format!(
            "SELECT Name, Product2.Name FROM Asset WHERE ContactId = {} ORDER BY CreatedDate DESC LIMIT 20",
            quoted(contact)
        );
        let records = self.records(soql).await?;
        let Some(record) = records.first() else { return Ok(AccountFacts::default()) };
        // Assets are a feature that an org may be without; the rest of the facts stands.
        let assets = match self.records(assets).await {
            Err(
                DeliveryError::Refused(_)
                | DeliveryError::Denied(_)
                | DeliveryError::Forbidden(_)
                | DeliveryError::NotFound(_),
            ) => Vec::new(),
            other => other?,
        };
        Ok(wire::facts(record, &assets, tier_field.as_deref(), value_field.as_deref()))
    }
}
