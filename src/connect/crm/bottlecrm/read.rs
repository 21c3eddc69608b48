//! What BottleCRM knows of a contact.

use async_trait::async_trait;
use futures_util::future::try_join_all;
use http::StatusCode;
use serde_json::{Value, json};

use super::{BottleCrm, wire};
use crate::connect::crm::answers::{at, list, optional};
use crate::connect::crm::{About, CANDIDATES_MAX, Crm, checked, numbers};
use crate::connect::destination::DeliveryError;
use crate::connect::http::Request;
use crate::domain::{AccountFacts, Activity, ActivityKind, Case, Contact, ContactKey};
use crate::insight::redaction::typed;

/// Entries of a case that are read with it.
const ENTRIES: usize = 10;
/// A contact's record names that many of its cases, the newest.
const NAMED_CASES: usize = 10;
/// Open cases of all contacts that are looked through for older ones.
const OTHER_CASES_PAGE: usize = 100;
const OTHER_CASES_PAGES: usize = 5;

#[async_trait]
impl Crm for BottleCrm {
    fn system(&self) -> &'static str {
        "bottlecrm"
    }

    /// Numbers and addresses are looked for where the CRM looks for duplicates: that compares digits, whatever
    /// stands between them, and whole addresses, while its list compares parts of texts; and what is asked for is in
    /// no server's log. Contacts that are switched off are left out.
    async fn find_contacts(&self, key: &ContactKey) -> Result<Vec<Contact>, DeliveryError> {
        let asked = match key {
            ContactKey::Id(id) => {
                let Some(one) = optional(self.contact(id).await)? else { return Ok(Vec::new()) };
                return Ok(vec![wire::contact(&one["contact_obj"], self.settings.web.as_ref())?]);
            }
            ContactKey::Phone(number) => json!({"phone": number}),
            ContactKey::Email(address) => json!({"email": address}),
        };
        let answer = self.api.send(Request::post("api/contacts/duplicates/", asked)).await?;
        if answer.status == StatusCode::BAD_REQUEST {
            // Too long for any that it holds.
            return Ok(Vec::new());
        }
        match answer.success() {
            Ok(answer) => self.whole_contacts(key, list(&answer.body, "/duplicates")?).await,
            Err(limit @ DeliveryError::Limited { .. }) => self.find_in_list(key, limit).await,
            Err(error) => Err(error),
        }
    }

    async fn open_cases(
        &self,
        contact: &Contact,
        limit: usize,
    ) -> Result<Vec<Case>, DeliveryError> {
        let record = self.contact(&contact.id).await?;
        self.open_cases_of(contact, &record, limit).await
    }

    async fn history(
        &self,
        contact: &Contact,
        limit: usize,
    ) -> Result<Vec<Activity>, DeliveryError> {
        let record = self.contact(&contact.id).await?;
        self.history_of(contact, &record, limit).await
    }

    async fn account_facts(&self, contact: &Contact) -> Result<AccountFacts, DeliveryError> {
        let record = self.contact(&contact.id).await?;
        self.facts_of(&record).await
    }

    /// Its processes answer one request after the other, so that each that isn't made is waited for by nobody.
    async fn about(&self, contact: &Contact, cases: usize, history: usize) -> About {
        let record = match self.contact(&contact.id).await {
            Ok(record) => record,
            Err(error) => {
                return About {
                    history: Err(error.clone()),
                    facts: Err(error.clone()),
                    cases: Err(error),
                };
            }
        };
        let (cases, history, facts) = tokio::join!(
            self.open_cases_of(contact, &record, cases),
            self.history_of(contact, &record, history),
            self.facts_of(&record),
        );
        About { cases, history, facts }
    }
}

impl BottleCrm {
    fn contacts(&self, found: &[Value]) -> Result<Vec<Contact>, DeliveryError> {
        let web = self.settings.web.as_ref();
        found.iter().map(|value| wire::contact(value, web)).collect()
    }

    /// A duplicate is also who has the last ten digits in common. That is no mistake of the CRM's, so it is left out
    /// here; whoever comes without its saying why is left to `checked`.
    async fn whole_contacts(
        &self,
        key: &ContactKey,
        hits: &[Value],
    ) -> Result<Vec<Contact>, DeliveryError> {
        let mut found = Vec::new();
        let mut right = Vec::new();
        for (hit, contact) in hits.iter().zip(self.contacts(hits)?) {
            let reasons = hit.pointer("/matched_on").and_then(Value::as_array);
            let is_like = reasons.is_some_and(|all| all.iter().any(|one| one == key.kind()));
            match checked::bears(&contact, key, &self.settings.access.region) {
                true => right.push(contact.id),
                false if is_like => (),
                false => found.push(contact),
            }
        }
        // A hit has no more than name, number and address.
        let records =
            try_join_all(right.iter().map(|id| async { optional(self.contact(id).await) }));
        for record in records.await?.into_iter().flatten() {
            found.push(wire::contact(&record["contact_obj"], self.settings.web.as_ref())?);
        }
        Ok(found)
    }

    /// The search for duplicates may be used 120 times a minute; the list has no such limit, and misses what is
    /// written in a way that nobody thought of. So it can find somebody, and can't say that there is nobody.
    async fn find_in_list(
        &self,
        key: &ContactKey,
        limit: DeliveryError,
    ) -> Result<Vec<Contact>, DeliveryError> {
        let region = &self.settings.access.region;
        let (field, texts) = match key {
            ContactKey::Phone(number) => ("phone", numbers::spellings(number, region)),
            _ => ("email", vec![key.value().to_owned()]),
        };
        let ask = |text: String| async move {
            let request = Request::get("api/contacts/").query(field, text).query("limit", "100");
            let answer = self.ask(request).await?;
            let found = self.contacts(list(&answer, "/results")?)?;
            Ok::<_, DeliveryError>(found)
        };
        let mut right: Vec<Contact> = Vec::new();
        for contact in try_join_all(texts.into_iter().map(ask)).await?.into_iter().flatten() {
            let is_new = right.iter().all(|other| other.id != contact.id);
            if is_new && checked::bears(&contact, key, region) {
                right.push(contact);
            }
        }
        right.truncate(CANDIDATES_MAX);
        if right.is_empty() { Err(limit) } else { Ok(right) }
    }

    /// A contact's record names its ten newest cases. Only where that many came may an open one be older than
    /// they are; cases can't be asked for by contact, so open ones of everybody are looked through then, those of
    /// the contact's account where it has one.
    async fn open_cases_of(
        &self,
        contact: &Contact,
        record: &Value,
        limit: usize,
    ) -> Result<Vec<Case>, DeliveryError> {
        let named = list(record, "/cases")?;
        let is_open = |case: &&Value| {
            at(case, "/status").is_some_and(|status| self.settings.open_statuses.contains(&status))
        };
        let mut ids: Vec<String> =
            named.iter().filter(is_open).filter_map(|case| at(case, "/id")).collect();
        if named.len() >= NAMED_CASES {
            let account = at(record, "/contact_obj/account");
            for id in self.older_cases(&contact.id, account).await? {
                if !ids.contains(&id) {
                    ids.push(id);
                }
            }
        }
        let mut cases = try_join_all(ids.iter().map(|id| self.whole_case(id))).await?;
        cases.sort_by_key(|case| std::cmp::Reverse(case.updated_at));
        cases.truncate(limit);
        Ok(cases)
    }

    async fn history_of(
        &self,
        contact: &Contact,
        record: &Value,
        limit: usize,
    ) -> Result<Vec<Activity>, DeliveryError> {
        let calls = self.interactions("contact", &contact.id, limit.clamp(1, 200), 0).await?;
        let mut history: Vec<Activity> = calls.iter().map(wire::interaction).collect();
        history.extend(list(record, "/comments")?.iter().map(wire::comment));
        for case in list(record, "/cases")? {
            let text = format!(
                "{} ({})",
                at(case, "/name").unwrap_or_default(),
                at(case, "/status").unwrap_or_default()
            );
            history.push(wire::entry(
                ActivityKind::Other,
                wire::at_time(case, "/created_at"),
                None,
                &text,
            ));
        }
        wire::latest_first(&mut history, limit);
        Ok(history)
    }

    /// Tier and value are custom fields, of the contact or else of its account; what they bought are the deals that
    /// were won.
    async fn facts_of(&self, record: &Value) -> Result<AccountFacts, DeliveryError> {
        let person = &record["contact_obj"];
        let account = match at(person, "/account") {
            Some(id) => self.account(&id).await?,
            None => Value::Null,
        };
        let custom = |field: &str| {
            let of = |value: &Value| at(value, &format!("/custom_fields/{}", escaped(field)));
            of(person).or_else(|| of(&account))
        };
        let won = list(record, "/opportunities")?
            .iter()
            .filter(|deal| at(deal, "/stage_kind").as_deref() == Some("won"))
            .filter_map(|deal| at(deal, "/name"));
        let since = at(&account, "/created_at").or_else(|| at(person, "/created_at"));
        let value = custom(&self.settings.value_field).or_else(|| at(&account, "/annual_revenue"));
        Ok(AccountFacts {
            tier: custom(&self.settings.tier_field),
            value: value.and_then(|value| value.parse().ok()),
            since: since.and_then(|text| text.get(..10)?.parse().ok()),
            owner: wire::first_name(person, "/assigned_to")
                .or_else(|| wire::first_name(&account, "/assigned_to")),
            products: won.map(|name| typed(&name)).collect(),
        })
    }

    async fn whole_case(&self, id: &str) -> Result<Case, DeliveryError> {
        let (detail, calls) =
            tokio::try_join!(self.case(id), self.interactions("case", id, ENTRIES, 0))?;
        wire::case(&detail, &calls, ENTRIES, self.settings.web.as_ref())
    }

    async fn older_cases(
        &self,
        contact_id: &str,
        account: Option<String>,
    ) -> Result<Vec<String>, DeliveryError> {
        let mut ids = Vec::new();
        for page in 0..OTHER_CASES_PAGES {
            let mut request = Request::get("api/cases/")
                .query("slim", "true")
                .query("limit", OTHER_CASES_PAGE.to_string())
                .query("offset", (page * OTHER_CASES_PAGE).to_string());
            for status in &self.settings.open_statuses {
                request = request.query("status", status);
            }
            if let Some(account) = &account {
                request = request.query("account", account);
            }
            let answer = self.ask(request).await?;
            let cases = list(&answer, "/cases")?;
            for case in cases {
                let contacts = case.pointer("/contacts").and_then(Value::as_array);
                let is_theirs = contacts.is_some_and(|all| {
                    all.iter().any(|one| at(one, "/id").as_deref() == Some(contact_id))
                });
                if is_theirs {
                    ids.extend(at(case, "/id"));
                }
            }
            if cases.len() < OTHER_CASES_PAGE {
                break;
            }
        }
        Ok(ids)
    }

    /// An account that the token may not read tells nothing.
    async fn account(&self, id: &str) -> Result<Value, DeliveryError> {
        let path = format!("api/accounts/{}/", super::identifier(id)?);
        match self.ask(Request::get(&path)).await {
            Ok(answer) => Ok(answer.get("account_obj").cloned().unwrap_or_default()),
            Err(
                DeliveryError::NotFound(_) | DeliveryError::Denied(_) | DeliveryError::Forbidden(_),
            ) => Ok(Value::Null),
            Err(error) => Err(error),
        }
    }
}

/// A name as a piece of a JSON pointer (RFC 6901).
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
