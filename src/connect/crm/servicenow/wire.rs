//! ServiceNow's records with `sysparm_display_value=all`: each field is `{"value", "display_value"}`. Times are UTC in
//! `value` and the integration user's in `display_value`.

use serde_json::Value;

use crate::connect::crm::answers::at;
use crate::connect::crm::wording::{kind, moment, shown};
use crate::domain::{Activity, ActivityKind, Case, Contact, Redacted};
use crate::insight::redaction::typed;

/// Numbers of `sys_user`, which `customer_contact` extends.
pub const PHONE_FIELDS: [&str; 3] = ["phone", "mobile_phone", "home_phone"];
pub const CONTACT_FIELDS: &[&str] =
    &["sys_id", "name", "email", "phone", "mobile_phone", "home_phone", "company"];
/// Of `task`, which incidents and cases extend.
pub const CASE_FIELDS: &[&str] = &[
    "number",
    "short_description",
    "state",
    "active",
    "opened_at",
    "assigned_to",
    "sys_mod_count",
];
pub const JOURNAL_FIELDS: &[&str] =
    &["sys_id", "element_id", "element", "name", "value", "sys_created_on", "sys_created_by"];

/// What stands in the database. A record that was written answers with plain values.
pub fn raw(record: &Value, field: &str) -> Option<String> {
    at(record, &format!("/{field}/value")).or_else(|| at(record, &format!("/{field}")))
}

/// What people see.
pub fn shown_as(record: &Value, field: &str) -> Option<String> {
    at(record, &format!("/{field}/display_value")).or_else(|| raw(record, field))
}

fn words(record: &Value, field: &str) -> Option<Redacted> {
    shown_as(record, field).map(|text| typed(&text))
}

/// A record of the contacts' table.
pub fn contact(record: &Value) -> Option<Contact> {
    Some(Contact {
        id: raw(record, "sys_id")?,
        name: words(record, "name"),
        phones: PHONE_FIELDS.into_iter().filter_map(|field| raw(record, field)).collect(),
        emails: raw(record, "email").into_iter().collect(),
        company: words(record, "company"),
        url: None,
    })
}

/// `sys_mod_count` counts each change, and so is the version.
pub fn case(record: &Value, priority_field: &str) -> Option<Case> {
    Some(Case {
        id: raw(record, "sys_id")?,
        number: raw(record, "number"),
        subject: words(record, "short_description").unwrap_or_default(),
        status: shown_as(record, "state").unwrap_or_default(),
        priority: shown_as(record, priority_field),
        opened_at: raw(record, "opened_at").as_deref().and_then(moment),
        updated_at: raw(record, "sys_updated_on").as_deref().and_then(moment),
        owner: shown_as(record, "assigned_to"),
        version: raw(record, "sys_mod_count"),
        url: None,
        history: Vec::new(),
    })
}

/// An entry of a journal: `work_notes` for colleagues, `comments` for the customer too.
pub fn entry(record: &Value) -> Activity {
    let text = raw(record, "value").unwrap_or_default();
    let is_note = raw(record, "element").as_deref() == Some("work_notes");
    Activity {
        kind: if is_note { kind(&text) } else { ActivityKind::Other },
        at: raw(record, "sys_created_on").as_deref().and_then(moment),
        by: raw(record, "sys_created_by"),
        text: shown(&text),
        conversation: None,
    }
}
