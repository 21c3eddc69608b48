//! HubSpot over its CRM objects API.
//!
//! Its search lags behind what is written by seconds, so that it finds people only. What is made bears the key in a
//! property with unique values (`key`), and is made together with what it belongs to in one request: a second one
//! with the same key is refused by HubSpot itself, and a record is read by such a property from the store, not from
//! the index (`?idProperty=`; guide to properties, "Create unique identifier properties"). The property is made once
//! for tickets, notes, calls and tasks. An account that can't have one on its activities uses the marker instead:
//! then the records of the contact are listed by their associations, which don't lag either.
//!
//! There is no conditional update: `hs_lastmodifieddate` is compared before, and what happens in between isn't
//! noticed. Knowledge articles can't be written.
//!
//! Shapes: <https://developers.hubspot.com/docs/api-reference/>, objects, search, pipelines and owners. Not run
//! against the vendor.

mod wire;
mod write;

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::try_join_all;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::answers::{self, at, name_of_a_field};
use super::{Access, CANDIDATES_MAX, Crm, numbers};
use crate::connect::destination::{DeliveryError, Destination, RemoteId};
use crate::connect::http::{Answered, Request};
use crate::connect::oauth::{Credentials, Door};
use crate::domain::{AccountFacts, Activity, Case, Contact, ContactKey, DedupeKey, Effect};

use wire::{Kind, Stages, id};

/// A request reads as many at the most.
const BATCH: usize = 100;
const ENTRIES: usize = 5;
/// How long what pipelines there are is believed.
const STAGES_FRESH: Duration = Duration::from_secs(600);

#[derive(Clone, Debug)]
pub struct Settings {
    /// `https://api.hubapi.com`.
    pub access: Access,
    /// The token of a private app, or a service key.
    pub credentials: Credentials,
    /// The dated versions of the API have other ones, such as `/crm/objects/2026-03`.
    pub objects_path: String,
    pub pipelines_path: String,
    pub owners_path: String,
    pub key: Key,
    /// Where new tickets begin.
    pub pipeline: String,
    pub stage: String,
    pub associations: Associations,
    /// Of the contact.
    pub tier_property: Option<String>,
    pub value_property: Option<String>,
    /// Of the account, for links that people follow.
    pub portal_id: Option<u64>,
}

/// How a record bears the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// In a property with unique values.
    Property(String),
    /// At the end of its text.
    Marker,
}

/// HubSpot's own types of association (guide to associations, "Association type IDs"); an account lists them under
/// `/crm/v4/associations/{from}/{to}/labels`.
#[derive(Clone, Debug)]
pub struct Associations {
    pub ticket_to_contact: u32,
    pub note_to_contact: u32,
    pub note_to_ticket: u32,
    pub call_to_contact: u32,
    pub call_to_ticket: u32,
    pub task_to_contact: u32,
    pub task_to_ticket: u32,
}

impl Settings {
    pub fn new(access: Access, credentials: Credentials) -> Self {
        Self {
            access,
            credentials,
            objects_path: "/crm/v3/objects".to_owned(),
            pipelines_path: "/crm/v3/pipelines".to_owned(),
            owners_path: "/crm/v3/owners".to_owned(),
            key: Key::Property("backchannel_key".to_owned()),
            pipeline: "0".to_owned(),
            stage: "1".to_owned(),
            associations: Associations {
                ticket_to_contact: 16,
                note_to_contact: 202,
                note_to_ticket: 228,
                call_to_contact: 194,
                call_to_ticket: 220,
                task_to_contact: 204,
                task_to_ticket: 230,
            },
            tier_property: None,
            value_property: None,
            portal_id: None,
        }
    }
}

pub struct HubSpot {
    settings: Settings,
    door: Door,
    stages: Mutex<Option<(Instant, Arc<Stages>)>>,
}

impl HubSpot {
    /// # Errors
    /// A setting that can't be used, by its name.
    pub fn new(settings: Settings) -> Result<Self, String> {
        if let Key::Property(name) = &settings.key {
            name_of_a_field("key", name)?;
        }
        let named = [
            ("tier_property", &settings.tier_property),
            ("value_property", &settings.value_property),
        ];
        for (setting, name) in named {
            name.as_ref().map_or(Ok(()), |name| name_of_a_field(setting, name))?;
        }
        let Access { url, patience, .. } = &settings.access;
        let door =
            Door::new(url.clone(), &BTreeMap::new(), *patience, settings.credentials.clone())?;
        Ok(Self { settings, door, stages: Mutex::default() })
    }

    fn objects(&self, rest: &str) -> String {
        format!("{}/{rest}", self.settings.objects_path.trim_end_matches('/'))
    }

    async fn ask(&self, request: Request<'_>) -> Result<Answered, DeliveryError> {
        answers::success(self.door.send(request).await?, "/category", &[])
    }

    /// A record by an identifier, HubSpot's or ours; `None` where HubSpot says that there is none.
    async fn record(
        &self,
        kind: Kind,
        key: (&str, Option<&str>),
        properties: &[&str],
        associations: &[&str],
    ) -> Result<Option<Value>, DeliveryError> {
        let path =
            self.objects(&format!("{}/{}", kind.plural(), crate::connect::http::segment(key.0)));
        let mut request = Request::get(&path).query("properties", properties.join(","));
        if !associations.is_empty() {
            request = request.query("associations", associations.join(","));
        }
        if let Some(property) = key.1 {
            request = request.query("idProperty", property);
        }
        let answer = self.door.send(request).await?;
        if wire::is_missing(&answer) {
            return Ok(None);
        }
        let answer = answers::success(answer, "/category", &[])?;
        answers::made(&answer.body, "/id")?;
        Ok(Some(answer.body))
    }

    /// Records by HubSpot's identifiers, of which some may be gone.
    async fn records(
        &self,
        kind: Kind,
        ids: &[String],
        properties: &[&str],
    ) -> Result<Vec<Value>, DeliveryError> {
        let path = self.objects(&format!("{}/batch/read", kind.plural()));
        let batch = |some: &[String]| {
            let inputs: Vec<Value> = some.iter().map(|id| json!({"id": id})).collect();
            Request::post(&path, json!({"properties": properties, "inputs": inputs}))
        };
        let all = ids.chunks(BATCH).map(|some| self.ask(batch(some)));
        let mut records = Vec::new();
        for answer in try_join_all(all).await? {
            records.extend_from_slice(answers::list(&answer.body, "/results")?);
        }
        Ok(records)
    }

    async fn stages(&self) -> Result<Arc<Stages>, DeliveryError> {
        let mut held = self.stages.lock().await;
        if let Some((at, stages)) = held.as_ref()
            && at.elapsed() < STAGES_FRESH
        {
            return Ok(stages.clone());
        }
        let path = format!("{}/tickets", self.settings.pipelines_path.trim_end_matches('/'));
        let stages = Arc::new(Stages::read(&self.ask(Request::get(&path)).await?.body)?);
        *held = Some((Instant::now(), stages.clone()));
        Ok(stages)
    }

    /// What happened with records, by kind and identifier.
    async fn activities(
        &self,
        ids: &BTreeMap<Kind, Vec<String>>,
    ) -> Result<Vec<(String, Activity)>, DeliveryError> {
        let kinds = ids.iter().map(|(kind, ids)| self.records(*kind, ids, kind.texts()));
        let found = try_join_all(kinds).await?;
        let mut all = Vec::new();
        for (kind, records) in ids.keys().zip(found) {
            all.extend(
                records
                    .iter()
                    .filter_map(|record| Some((at(record, "/id")?, wire::activity(*kind, record)))),
            );
        }
        all.sort_by_key(|(_, one)| std::cmp::Reverse(one.at));
        Ok(all)
    }

    fn url_of(&self, kind: Kind, id: &str) -> Option<String> {
        let portal = self.settings.portal_id?;
        Some(format!("https://app.hubspot.com/contacts/{portal}/record/{}/{id}", kind.type_id()))
    }

    fn contact(&self, record: &Value) -> Option<Contact> {
        let mut contact = wire::contact(record)?;
        contact.url = self.url_of(Kind::Contact, &contact.id);
        Some(contact)
    }
}

#[async_trait]
impl Destination for HubSpot {
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
impl Crm for HubSpot {
    fn system(&self) -> &'static str {
        "hubspot"
    }

    async fn find_contacts(&self, key: &ContactKey) -> Result<Vec<Contact>, DeliveryError> {
        let filter = |property: &str, operator: &str, value: String| json!({"filters": [{"propertyName": property, "operator": operator, "value": value}]});
        let groups = match key {
            ContactKey::Phone(number) => {
                let Some(digits) = numbers::national_digits(number) else { return Ok(Vec::new()) };
                // HubSpot keeps numbers for its search without their country's code, and some with it.
                let ends =
                    |property: &str| filter(property, "CONTAINS_TOKEN", format!("*{digits}"));
                vec![
                    filter("phone", "EQ", number.clone()),
                    filter("mobilephone", "EQ", number.clone()),
                    ends("hs_searchable_calculated_phone_number"),
                    ends("hs_searchable_calculated_mobile_number"),
                    ends("hs_searchable_calculated_international_phone_number"),
                ]
            }
            ContactKey::Email(address) => {
                let mut groups = vec![filter("email", "EQ", address.clone())];
                // In a token a star stands for anything.
                if !address.contains('*') {
                    groups.push(filter("hs_additional_emails", "CONTAINS_TOKEN", address.clone()));
                }
                groups
            }
            ContactKey::Id(text) => {
                let Some(id) = id(text) else { return Ok(Vec::new()) };
                let found =
                    self.record(Kind::Contact, (id, None), wire::CONTACT_PROPERTIES, &[]).await?;
                return Ok(found.iter().filter_map(|record| self.contact(record)).collect());
            }
        };
        let body = json!({
            "filterGroups": groups, "properties": wire::CONTACT_PROPERTIES, "limit": CANDIDATES_MAX,
        });
        let answer = self.ask(Request::post(&self.objects("contacts/search"), body)).await?;
        let found = answers::list(&answer.body, "/results")?;
        Ok(found.iter().filter_map(|record| self.contact(record)).collect())
    }

    async fn open_cases(
        &self,
        contact: &Contact,
        limit: usize,
    ) -> Result<Vec<Case>, DeliveryError> {
        let Some(contact) = id(&contact.id).filter(|_| limit > 0) else { return Ok(Vec::new()) };
        let record =
            self.record(Kind::Contact, (contact, None), &["hs_object_id"], &["tickets"]).await?;
        let tickets =
            record.map(|record| wire::associated(&record, Kind::Ticket)).unwrap_or_default();
        if tickets.is_empty() {
            return Ok(Vec::new());
        }
        let stages = self.stages().await?;
        let records = self.records(Kind::Ticket, &tickets, wire::TICKET_PROPERTIES).await?;
        let mut cases: Vec<Case> =
            records.iter().filter_map(|record| wire::open_case(record, &stages)).collect();
        cases.sort_by_key(|one| std::cmp::Reverse(one.updated_at));
        cases.truncate(limit);
        let kinds = [Kind::Note, Kind::Call];
        let names = kinds.map(Kind::plural);
        let with_entries = cases
            .iter()
            .map(|case| self.record(Kind::Ticket, (&case.id, None), &["hs_object_id"], &names));
        let mut ids: BTreeMap<Kind, Vec<String>> = BTreeMap::new();
        let mut owners: Vec<Vec<String>> = Vec::new();
        for record in try_join_all(with_entries).await? {
            let mut own = Vec::new();
            for kind in kinds {
                let some = record
                    .as_ref()
                    .map(|record| wire::newest(record, kind, ENTRIES))
                    .unwrap_or_default();
                own.extend(some.clone());
                ids.entry(kind).or_default().extend(some);
            }
            owners.push(own);
        }
        let entries = self.activities(&ids).await?;
        for (case, own) in cases.iter_mut().zip(owners) {
            let theirs = entries.iter().filter(|(id, _)| own.contains(id));
            case.history = theirs.map(|(_, entry)| entry.clone()).take(ENTRIES).collect();
            // A note isn't a change of its ticket.
            case.updated_at = case.updated_at.max(case.history.first().and_then(|entry| entry.at));
            case.url = self.url_of(Kind::Ticket, &case.id);
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
        let kinds = [Kind::Note, Kind::Call, Kind::Task];
        let names = kinds.map(Kind::plural);
        let record = self.record(Kind::Contact, (contact, None), &["hs_object_id"], &names).await?;
        let Some(record) = record else { return Ok(Vec::new()) };
        let newest = |kind: Kind| (kind, wire::newest(&record, kind, BATCH));
        let entries = self.activities(&kinds.map(newest).into()).await?;
        Ok(entries.into_iter().map(|(_, entry)| entry).take(limit).collect())
    }

    async fn account_facts(&self, contact: &Contact) -> Result<AccountFacts, DeliveryError> {
        let Some(contact) = id(&contact.id) else { return Ok(AccountFacts::default()) };
        let Settings { tier_property, value_property, .. } = &self.settings;
        let mut properties = vec!["createdate", "hubspot_owner_id"];
        properties.extend(tier_property.iter().chain(value_property).map(String::as_str));
        let Some(record) = self.record(Kind::Contact, (contact, None), &properties, &[]).await?
        else {
            return Ok(AccountFacts::default());
        };
        let mut facts = wire::facts(&record, tier_property.as_deref(), value_property.as_deref());
        if let Some(owner) =
            wire::property(&record, "hubspot_owner_id").filter(|owner| id(owner).is_some())
        {
            let path = format!("{}/{owner}", self.settings.owners_path.trim_end_matches('/'));
            // The owners are a right of their own, and may be gone; the rest of the facts stands.
            facts.owner = match self.ask(Request::get(&path)).await {
                Err(
                    DeliveryError::NotFound(_)
                    | DeliveryError::Denied(_)
                    | DeliveryError::Forbidden(_),
                ) => None,
                other => wire::person(&other?.body),
            };
        }
        Ok(facts)
    }
}
