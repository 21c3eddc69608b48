//! Records as the expressions of the settings see them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::compile::Reading;
use super::expression::Expression;
use crate::connect::crm::wording::{kind, moment, plain, shown};
use crate::connect::destination::DeliveryError;
use crate::domain::{AccountFacts, Activity, ActivityKind, Case, Contact, Redacted};
use crate::insight::redaction::typed;

/// Entries of a case that are read with it.
pub const ENTRIES: usize = 5;

/// Numbers from here on are milliseconds.
const MILLISECONDS_FROM: i64 = 100_000_000_000;

struct Fields<'a>(&'a BTreeMap<String, Expression>, &'a Value);

impl Fields<'_> {
    fn text(&self, name: &str) -> Option<String> {
        self.0.get(name)?.text(self.1)
    }
    fn texts(&self, name: &str) -> Vec<String> {
        self.0.get(name).map(|expression| expression.texts(self.1)).unwrap_or_default()
    }
    fn words(&self, name: &str) -> Option<Redacted> {
        self.text(name).map(|text| typed(&text))
    }
    /// A text, or seconds or milliseconds since 1970.
    fn at(&self, name: &str) -> Option<Timestamp> {
        let text = self.text(name)?;
        match text.parse::<i64>() {
            Ok(number) if number >= MILLISECONDS_FROM => Timestamp::from_millisecond(number).ok(),
            Ok(number) => Timestamp::from_second(number).ok(),
            Err(_) => moment(&text),
        }
    }
}

/// Where the description says whose a record is, it must be the contact's.
///
/// # Errors
/// `Untrusted`.
pub fn theirs(reading: &Reading, records: &[Value], contact: &str) -> Result<(), DeliveryError> {
    let Some(expression) = reading.fields.get("contact_id") else { return Ok(()) };
    let is_theirs = |record: &Value| expression.texts(record).iter().any(|id| id == contact);
    match records.iter().all(is_theirs) {
        true => Ok(()),
        false => {
            Err(DeliveryError::Untrusted("its answer isn't filtered by the contact".to_owned()))
        }
    }
}

pub fn contact(reading: &Reading, record: &Value) -> Option<Contact> {
    let fields = Fields(&reading.fields, record);
    Some(Contact {
        id: fields.text("id")?,
        name: fields.words("name"),
        phones: fields.texts("phones"),
        emails: fields.texts("emails"),
        company: fields.words("company"),
        url: fields.text("url"),
    })
}

pub fn case(reading: &Reading, record: &Value) -> Option<Case> {
    let fields = Fields(&reading.fields, record);
    let history = reading.entries.as_ref().map(|(list, fields)| {
        let records = match list.of(record) {
            Value::Array(all) => all,
            _ => Vec::new(),
        };
        entries(fields, &records, ENTRIES)
    });
    Some(Case {
        id: fields.text("id")?,
        number: fields.text("number"),
        subject: fields.words("subject").unwrap_or_default(),
        status: fields.text("status").unwrap_or_default(),
        priority: fields.text("priority"),
        opened_at: fields.at("opened_at"),
        updated_at: fields.at("updated_at"),
        owner: fields.text("owner"),
        version: fields.text("version"),
        url: fields.text("url"),
        history: history.unwrap_or_default(),
    })
}

/// Newest first.
pub fn entries(
    fields: &BTreeMap<String, Expression>,
    records: &[Value],
    limit: usize,
) -> Vec<Activity> {
    let entry = |record: &Value| {
        let fields = Fields(fields, record);
        let text = fields.text("text").unwrap_or_default();
        let text = if text.trim_start().starts_with('<') { plain(&text) } else { text };
        let known = fields.text("kind").and_then(|kind| ActivityKind::parse(&kind.to_lowercase()));
        Activity {
            kind: known.unwrap_or_else(|| kind(&text)),
            at: fields.at("at"),
            by: fields.text("by"),
            text: shown(&text),
            conversation: None,
        }
    };
    let mut all: Vec<Activity> = records.iter().map(entry).collect();
    all.sort_by_key(|one| std::cmp::Reverse(one.at));
    all.truncate(limit);
    all
}

pub fn facts(reading: &Reading, record: &Value) -> AccountFacts {
    let fields = Fields(&reading.fields, record);
    AccountFacts {
        tier: fields.text("tier"),
        value: fields.text("value").and_then(|value| value.parse().ok()),
        since: fields.text("since").and_then(|text| text.get(..10)?.parse().ok()),
        owner: fields.text("owner"),
        products: fields.texts("products").iter().map(|text| typed(text)).collect(),
    }
}
