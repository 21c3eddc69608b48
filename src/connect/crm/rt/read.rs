//! What Request Tracker knows of a contact.

use std::collections::BTreeMap;

use async_trait::async_trait;
use futures_util::future::try_join_all;
use serde_json::{Value, json};

use super::{PAGE, RequestTracker, quoted, wire};
use crate::connect::crm::answers::at;
use crate::connect::crm::{CANDIDATES_MAX, Crm};
use crate::connect::destination::DeliveryError;
use crate::domain::{AccountFacts, Activity, Case, Contact, ContactKey};

/// Transactions of a ticket that are read with it, of which some say nothing to people.
const TRANSACTIONS: usize = 40;
/// Entries of a case that are shown.
const ENTRIES: usize = 10;
/// Tickets whose entries make a contact's history, the latest changed.
const TICKETS: usize = 10;

#[async_trait]
impl Crm for RequestTracker {
    fn system(&self) -> &'static str {
        "rt"
    }

    async fn find_contacts(&self, key: &ContactKey) -> Result<Vec<Contact>, DeliveryError> {
        let mut found = match key {
            ContactKey::Id(name) => self.users_with("Name", name).await?,
            ContactKey::Email(address) => self.users_with("EmailAddress", address).await?,
            ContactKey::Phone(number) => self.who_has(number).await?,
        };
        found.truncate(CANDIDATES_MAX);
        Ok(found)
    }

    async fn open_cases(
        &self,
        contact: &Contact,
        limit: usize,
    ) -> Result<Vec<Case>, DeliveryError> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let query = format!("Requestor.Name = {} AND Status = '__Active__'", quoted(&contact.id));
        let tickets = self.tickets(&query, limit).await?;
        let cases = tickets.iter().map(|ticket| wire::case(ticket, &self.settings));
        let mut cases = cases.collect::<Result<Vec<Case>, _>>()?;
        let each = cases
            .iter()
            .map(|case| self.transactions(format!("TicketId = {}", case.id), TRANSACTIONS));
        let transactions = try_join_all(each).await?;
        let texts = self.texts(transactions.iter().flatten()).await?;
        for (case, transactions) in cases.iter_mut().zip(&transactions) {
            case.version = transactions.first().and_then(|newest| at(newest, "/id"));
            case.history = entries(transactions, &texts, &BTreeMap::new(), ENTRIES);
        }
        Ok(cases)
    }

    /// What was written in the contact's last tickets.
    async fn history(
        &self,
        contact: &Contact,
        limit: usize,
    ) -> Result<Vec<Activity>, DeliveryError> {
        let query = format!("Requestor.Name = {}", quoted(&contact.id));
        let tickets = self.tickets(&query, TICKETS).await?;
        let subject =
            |ticket: &Value| Some((at(ticket, "/id")?, at(ticket, "/Subject").unwrap_or_default()));
        let subjects: BTreeMap<String, String> = tickets.iter().filter_map(subject).collect();
        let ids: Vec<String> = subjects.keys().map(|id| format!("TicketId = {id}")).collect();
        if ids.is_empty() || limit == 0 {
            return Ok(Vec::new());
        }
        let kinds = "Type = 'Create' OR Type = 'Comment' OR Type = 'Correspond'";
        let written =
            self.transactions(format!("({}) AND ({kinds})", ids.join(" OR ")), limit).await?;
        let texts = self.texts(written.iter()).await?;
        Ok(entries(&written, &texts, &subjects, limit))
    }

    /// RT knows no more of a user than its custom fields say.
    async fn account_facts(&self, contact: &Contact) -> Result<AccountFacts, DeliveryError> {
        let about = json!([{"field": "Name", "value": contact.id}]);
        let users = self.users(&about).await?;
        let user = users.iter().find(|user| at(user, "/Name").as_deref() == Some(&contact.id));
        let Some(user) = user else {
            return Err(DeliveryError::NotFound("no such user".to_owned()));
        };
        let value = wire::custom(user, &self.settings.value_field);
        Ok(AccountFacts {
            tier: wire::custom(user, &self.settings.tier_field),
            value: value.and_then(|value| value.parse().ok()),
            ..AccountFacts::default()
        })
    }
}

impl RequestTracker {
    /// Users by conditions, as much of them as the token may see.
    pub(super) async fn users(&self, conditions: &Value) -> Result<Vec<Value>, DeliveryError> {
        let phones = self.settings.phone_fields.join(",");
        let fields = format!("id,Name,RealName,EmailAddress,Organization,CustomFields,{phones}");
        self.filtered("users", &fields, conditions.clone()).await
    }

    async fn users_with(&self, field: &str, value: &str) -> Result<Vec<Contact>, DeliveryError> {
        let users = self.users(&json!([{"field": field, "value": value}])).await?;
        users.iter().map(|user| wire::contact(user, &self.settings)).collect()
    }

    /// Tickets, the latest changed first.
    async fn tickets(&self, query: &str, limit: usize) -> Result<Vec<Value>, DeliveryError> {
        let parameters = [
            ("fields", "Subject,Status,Created,LastUpdated,Priority,Owner".to_owned()),
            ("fields[Owner]", "Name".to_owned()),
            ("orderby", "LastUpdated".to_owned()),
            ("order", "DESC".to_owned()),
            ("orderby", "id".to_owned()),
            ("order", "DESC".to_owned()),
            ("per_page", limit.clamp(1, PAGE).to_string()),
        ];
        self.queried("tickets", query, &parameters).await
    }

    /// Transactions, newest first.
    async fn transactions(&self, query: String, limit: usize) -> Result<Vec<Value>, DeliveryError> {
        let parameters = [
            ("fields", "Type,Data,Created,Creator,OldValue,NewValue,ObjectId".to_owned()),
            ("fields[Creator]", "Name".to_owned()),
            ("orderby", "id".to_owned()),
            ("order", "DESC".to_owned()),
            ("per_page", limit.clamp(1, PAGE).to_string()),
        ];
        self.queried("transactions", &query, &parameters).await
    }

    /// What was written in transactions, by their number: one question for all of them.
    async fn texts(
        &self,
        transactions: impl Iterator<Item = &Value>,
    ) -> Result<BTreeMap<String, String>, DeliveryError> {
        let is_written = |transaction: &&Value| {
            matches!(at(transaction, "/Type").as_deref(), Some("Create" | "Comment" | "Correspond"))
        };
        let mut conditions: Vec<Value> = transactions
            .filter(is_written)
            .take(PAGE)
            .filter_map(|transaction| at(transaction, "/id"))
            .map(|id| json!({"field": "TransactionId", "value": id, "entry_aggregator": "OR"}))
            .collect();
        let mut texts = BTreeMap::new();
        if conditions.is_empty() {
            return Ok(texts);
        }
        conditions
            .push(json!({"field": "ContentType", "operator": "STARTSWITH", "value": "text/"}));
        let fields = "Content,ContentType,TransactionId";
        let mut attachments =
            self.filtered("attachments", fields, Value::Array(conditions)).await?;
        // A mail says the same twice, as text and as a page: the text is nearer to what was written.
        attachments.sort_by_key(|one| at(one, "/ContentType").as_deref() != Some("text/plain"));
        for attachment in &attachments {
            let of =
                at(attachment, "/TransactionId").or_else(|| at(attachment, "/TransactionId/id"));
            if let (Some(id), Some(text)) = (of, wire::content(attachment)) {
                texts.entry(id).or_insert(text);
            }
        }
        Ok(texts)
    }
}

/// What people read of transactions, newest first. `subjects` are those of tickets whose opening is told with it.
fn entries(
    transactions: &[Value],
    texts: &BTreeMap<String, String>,
    subjects: &BTreeMap<String, String>,
    limit: usize,
) -> Vec<Activity> {
    let entry = |transaction: &Value| {
        let text = at(transaction, "/id").and_then(|id| texts.get(&id));
        let ticket = at(transaction, "/ObjectId").or_else(|| at(transaction, "/ObjectId/id"));
        let opened = ticket.and_then(|id| subjects.get(&id));
        wire::entry(transaction, opened.map_or("", String::as_str), text.map(String::as_str))
    };
    let mut entries: Vec<Activity> = transactions.iter().filter_map(entry).collect();
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.at));
    entries.truncate(limit);
    entries
}
