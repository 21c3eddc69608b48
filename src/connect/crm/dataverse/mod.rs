//! Dynamics 365 Customer Service over Dataverse's Web API.
//!
//! Every record that is made has an identifier of ours, made of the key, and is sent with `If-None-Match: *`: the
//! same key twice is one record, and what is there is never overwritten. So it is found again by its address
//! (`perform-conditional-operations-using-web-api`). A change is sent with `If-Match`.
//!
//! A call is made open and then completed, since an activity's state can't be given when it is made; if that is
//! lost, it is done when the call is looked for.
//!
//! Shapes: <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/overview> and the table reference
//! beside it (contact, incident, annotation, phonecall, task, knowledgearticle). Not run against the vendor.

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
use reqwest::Url;
use secrecy::SecretString;
use serde_json::Value;

use super::answers::{self, at, name_of_a_field};
use super::{Access, CANDIDATES_MAX, Crm, numbers};
use crate::connect::destination::{DeliveryError, Destination, RemoteId};
use crate::connect::http::{Answered, Request};
use crate::connect::oauth::{Credentials, Door, Grant, GrantKind};
use crate::domain::{AccountFacts, Activity, Case, Contact, ContactKey, DedupeKey, Effect};

use query::{Query, any, guid, quoted};

const ENTRIES: usize = 5;
/// Cases whose entries make a contact's history.
const CASES_READ: usize = 10;
/// What choices and references are called, beside their numbers.
const WORDS: &str = "odata.include-annotations=\"OData.Community.Display.V1.FormattedValue\"";
/// ObjectDoesNotExist (`web-service-error-codes`): the row, and not the table, is missing.
const NO_ROW: &str = "0x80040217";

#[derive(Clone, Debug)]
pub struct Settings {
    /// `https://company.crm4.dynamics.com`.
    pub access: Access,
    pub credentials: Credentials,
    pub api_path: String,
    /// The choices of `incident.statuscode` and `incident.prioritycode`, by the words that people see.
    pub statuses: BTreeMap<String, i64>,
    pub priorities: BTreeMap<String, i64>,
    /// Statuses that close a case, which takes an action of its own.
    pub closing_statuses: Vec<i64>,
    /// `incident.caseorigincode`: 1 is the telephone.
    pub case_origin: i64,
    pub completes_calls: bool,
    /// Of the contact's account.
    pub tier_field: Option<String>,
    pub value_field: Option<String>,
}

impl Settings {
    /// With the choices that the tables have at first.
    pub fn new(access: Access, credentials: Credentials) -> Self {
        let choices = |pairs: &[(&str, i64)]| -> BTreeMap<String, i64> {
            pairs.iter().map(|(name, number)| ((*name).to_owned(), *number)).collect()
        };
        Self {
            access,
            credentials,
            api_path: "/api/data/v9.2".to_owned(),
            statuses: choices(&[
                ("In Progress", 1),
                ("On Hold", 2),
                ("Waiting for Details", 3),
                ("Researching", 4),
                ("Problem Solved", 5),
                ("Information Provided", 1_000),
                ("Canceled", 6),
                ("Merged", 2_000),
            ]),
            priorities: choices(&[("High", 1), ("Normal", 2), ("Low", 3)]),
            closing_statuses: vec![5, 1_000],
            case_origin: 1,
            completes_calls: true,
            tier_field: Some("accountcategorycode".to_owned()),
            value_field: Some("revenue".to_owned()),
        }
    }
}

/// An application user of Microsoft Entra (`authenticate-oauth`, server to server); `login` is
/// `https://login.microsoftonline.com`.
pub fn client_credentials(
    login: Url,
    tenant: &str,
    id: String,
    secret: SecretString,
    organization: &Url,
) -> Credentials {
    let scope = format!("{}/.default", organization.origin().ascii_serialization());
    Credentials::OAuth(Grant {
        path: format!("/{}/oauth2/v2.0/token", crate::connect::http::segment(tenant)),
        issuer: Some(login),
        kind: GrantKind::ClientCredentials { id, secret, in_form: true },
        fields: vec![("scope", scope)],
        life: Duration::from_secs(3_600),
    })
}

pub struct Dataverse {
    settings: Settings,
    door: Door,
}

impl Dataverse {
    /// # Errors
    /// A setting that can't be used, by its name.
    pub fn new(settings: Settings) -> Result<Self, String> {
        for (setting, field) in
            [("tier_field", &settings.tier_field), ("value_field", &settings.value_field)]
        {
            field.as_ref().map_or(Ok(()), |field| name_of_a_field(setting, field))?;
        }
        let Access { url, patience, .. } = &settings.access;
        let headers =
            [("OData-MaxVersion", "4.0"), ("OData-Version", "4.0"), ("Accept", "application/json")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let door = Door::new(url.clone(), &headers, *patience, settings.credentials.clone())?;
        Ok(Self { settings, door })
    }

    fn path(&self, rest: &str) -> String {
        format!("{}/{rest}", self.settings.api_path.trim_end_matches('/'))
    }

    async fn ask(&self, request: Request<'_>) -> Result<Answered, DeliveryError> {
        answers::success(self.door.send(request).await?, "/error/code", &[])
    }

    async fn rows(&self, table: &str, query: Query) -> Result<Vec<Value>, DeliveryError> {
        let path = self.path(&format!("{table}{}", query.text()));
        let answer = self.ask(Request::get(&path).header("prefer", WORDS)).await?;
        Ok(answers::list(&answer.body, "/value")?.to_vec())
    }

    /// One row by its identifier.
    async fn row(
        &self,
        table: &str,
        id: &str,
        query: Query,
    ) -> Result<Option<Value>, DeliveryError> {
        let path = self.path(&format!("{table}({id}){}", query.text()));
        let answer = self.door.send(Request::get(&path).header("prefer", WORDS)).await?;
        let is_missing = answer.status == http::StatusCode::NOT_FOUND
            && answer.text("/error/code").is_some_and(|code| code.eq_ignore_ascii_case(NO_ROW));
        if is_missing {
            return Ok(None);
        }
        let answer = answers::success(answer, "/error/code", &[])?;
        if !answer.body.is_object() {
            return Err(answers::unreadable());
        }
        Ok(Some(answer.body))
    }

    /// Rows of a contact: each must say that it is theirs.
    async fn cases(
        &self,
        contact: &str,
        condition: &str,
        limit: usize,
    ) -> Result<Vec<Value>, DeliveryError> {
        let filter = format!(
            "{}{condition}",
            any(&["_customerid_value", "_primarycontactid_value"], &[contact])
        );
        let query = Query::new()
            .add("$select", wire::CASE_FIELDS)
            .add("$filter", &filter)
            .add("$orderby", "modifiedon desc")
            .add("$top", &limit.to_string());
        let rows = self.rows("incidents", query).await?;
        let is_theirs = |row: &Value| {
            ["/_customerid_value", "/_primarycontactid_value"]
                .iter()
                .any(|field| at(row, field).is_some_and(|id| id.eq_ignore_ascii_case(contact)))
        };
        match rows.iter().all(is_theirs) {
            true => Ok(rows),
            false => Err(DeliveryError::Untrusted(
                "incidents are not filtered by their customer".to_owned(),
            )),
        }
    }

    /// Notes and activities of rows, with the row that each belongs to, newest first.
    async fn entries(
        &self,
        ids: &[&str],
        limit: usize,
    ) -> Result<Vec<(String, Activity)>, DeliveryError> {
        if ids.is_empty() || limit == 0 {
            return Ok(Vec::new());
        }
        let query = |select: &str, field: &str| {
            Query::new()
                .add("$select", select)
                .add("$filter", &any(&[field], ids))
                .add("$orderby", "createdon desc")
                .add("$top", &limit.to_string())
        };
        let (notes, activities) = futures_util::try_join!(
            self.rows("annotations", query(wire::NOTE_FIELDS, "_objectid_value")),
            self.rows("activitypointers", query(wire::ACTIVITY_FIELDS, "_regardingobjectid_value")),
        )?;
        let mut all: Vec<(String, Activity)> = notes
            .iter()
            .map(|row| (at(row, "/_objectid_value"), wire::note(row)))
            .chain(
                activities
                    .iter()
                    .map(|row| (at(row, "/_regardingobjectid_value"), wire::activity(row))),
            )
            .map(|(of, entry)| (of.unwrap_or_default(), entry))
            .collect();
        if !all.iter().all(|(of, _)| ids.iter().any(|id| id.eq_ignore_ascii_case(of))) {
            return Err(DeliveryError::Untrusted(
                "entries are not filtered by what they are about".to_owned(),
            ));
        }
        all.sort_by_key(|(_, one)| std::cmp::Reverse(one.at));
        Ok(all)
    }

    fn url_of(&self, table: &str, id: &str) -> Option<String> {
        let path = format!("/main.aspx?pagetype=entityrecord&etn={table}&id={id}");
        self.settings.access.url.join(&path).ok().map(Into::into)
    }
}

#[async_trait]
impl Destination for Dataverse {
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
impl Crm for Dataverse {
    fn system(&self) -> &'static str {
        "dataverse"
    }

    async fn find_contacts(&self, key: &ContactKey) -> Result<Vec<Contact>, DeliveryError> {
        let select = Query::new().add("$select", wire::CONTACT_FIELDS);
        let any_of = |fields: &[&str], values: &[String]| {
            let values: Vec<String> = values.iter().map(|value| quoted(value)).collect();
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            format!("statecode eq 0 and {}", any(fields, &values))
        };
        let filter = match key {
            ContactKey::Phone(number) => any_of(
                &wire::PHONE_FIELDS,
                &numbers::spellings(number, &self.settings.access.region),
            ),
            ContactKey::Email(address) => {
                any_of(&wire::EMAIL_FIELDS, std::slice::from_ref(address))
            }
            ContactKey::Id(text) => {
                let Some(id) = guid(text) else { return Ok(Vec::new()) };
                let row = self.row("contacts", id, select).await?;
                return Ok(row.iter().filter_map(|row| self.contact(row)).collect());
            }
        };
        let query = select.add("$filter", &filter).add("$top", &CANDIDATES_MAX.to_string());
        Ok(self.rows("contacts", query).await?.iter().filter_map(|row| self.contact(row)).collect())
    }

    async fn open_cases(
        &self,
        contact: &Contact,
        limit: usize,
    ) -> Result<Vec<Case>, DeliveryError> {
        let Some(contact) = guid(&contact.id).filter(|_| limit > 0) else { return Ok(Vec::new()) };
        let rows = self.cases(contact, " and statecode eq 0", limit).await?;
        let mut cases: Vec<Case> = rows.iter().filter_map(wire::case).collect();
        let ids: Vec<&str> = cases.iter().map(|case| case.id.as_str()).collect();
        let entries = self.entries(&ids, ENTRIES * ids.len()).await?;
        for case in &mut cases {
            let own = entries.iter().filter(|(of, _)| of.eq_ignore_ascii_case(&case.id));
            case.history = own.map(|(_, entry)| entry.clone()).take(ENTRIES).collect();
            // A note or a call doesn't write into the case.
            case.updated_at = case.updated_at.max(case.history.first().and_then(|entry| entry.at));
            case.url = self.url_of("incident", &case.id);
        }
        cases.sort_by_key(|one| std::cmp::Reverse(one.updated_at));
        Ok(cases)
    }

    async fn history(
        &self,
        contact: &Contact,
        limit: usize,
    ) -> Result<Vec<Activity>, DeliveryError> {
        let Some(contact) = guid(&contact.id).filter(|_| limit > 0) else { return Ok(Vec::new()) };
        let rows = self.cases(contact, "", CASES_READ).await?;
        let cases: Vec<String> = rows.iter().filter_map(|row| at(row, "/incidentid")).collect();
        let mut ids: Vec<&str> = cases.iter().map(String::as_str).collect();
        ids.push(contact);
        let entries = self.entries(&ids, limit).await?;
        Ok(entries.into_iter().map(|(_, entry)| entry).take(limit).collect())
    }

    async fn account_facts(&self, contact: &Contact) -> Result<AccountFacts, DeliveryError> {
        let Some(contact) = guid(&contact.id) else { return Ok(AccountFacts::default()) };
        let Settings { tier_field, value_field, .. } = &self.settings;
        let mut fields = vec!["createdon", "_ownerid_value"];
        fields.extend(tier_field.iter().chain(value_field).map(String::as_str));
        let query = Query::new()
            .add("$select", "createdon,_ownerid_value")
            .add("$expand", &format!("parentcustomerid_account($select={})", fields.join(",")));
        let row = self.row("contacts", contact, query).await?;
        Ok(row
            .map(|row| wire::facts(&row, tier_field.as_deref(), value_field.as_deref()))
            .unwrap_or_default())
    }
}

impl Dataverse {
    fn contact(&self, row: &Value) -> Option<Contact> {
        let mut contact = wire::contact(row)?;
        contact.url = self.url_of("contact", &contact.id);
        Some(contact)
    }
}
