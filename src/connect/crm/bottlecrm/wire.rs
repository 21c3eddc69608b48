//! BottleCRM's JSON as the house's nouns.

use jiff::Timestamp;
use reqwest::Url;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::connect::crm::answers::{at, list, unreadable, words};
use crate::connect::crm::wording::{bears, moment, shown};
use crate::connect::destination::{DeliveryError, RemoteId};
use crate::domain::{Activity, ActivityKind, Case, Contact, DedupeKey};
use crate::insight::redaction::typed;

/// Of `/contacts/<id>/`, `/contacts/` and `/contacts/duplicates/`, which name a person differently.
pub(super) fn contact(value: &Value, web: Option<&Url>) -> Result<Contact, DeliveryError> {
    let id = at(value, "/id").ok_or_else(unreadable)?;
    let name = at(value, "/name").or_else(|| {
        let (first, last) = (at(value, "/first_name"), at(value, "/last_name"));
        Some([first, last].into_iter().flatten().collect::<Vec<_>>().join(" "))
    });
    Ok(Contact {
        name: name.filter(|name| !name.is_empty()).map(|name| typed(&name)),
        phones: at(value, "/phone").into_iter().collect(),
        emails: at(value, "/email").into_iter().collect(),
        company: words(value, "/account_detail/name").or_else(|| words(value, "/organization")),
        url: link(web, "contacts", &id),
        id,
    })
}

fn link(web: Option<&Url>, kind: &str, id: &str) -> Option<String> {
    Some(format!("{}/{kind}/{id}", web?.as_str().trim_end_matches('/')))
}

/// A case, and what happened in it: `detail` is `/cases/<id>/`, and `calls` what was logged on it.
pub(super) fn case(
    detail: &Value,
    calls: &[Value],
    entries: usize,
    web: Option<&Url>,
) -> Result<Case, DeliveryError> {
    let body = detail.pointer("/cases_obj").ok_or_else(unreadable)?;
    let id = at(body, "/id").ok_or_else(unreadable)?;
    let mut history = Vec::new();
    for pointer in ["/comments", "/internal_notes"] {
        history.extend(list(detail, pointer)?.iter().map(comment));
    }
    for mail in list(detail, "/email_messages")? {
        history.push(mail_of(mail));
    }
    history.extend(calls.iter().map(interaction));
    let audit = list(detail, "/activities")?;
    history.extend(audit.iter().filter_map(change));
    latest_first(&mut history, entries);
    let opened_at = at(body, "/created_at").and_then(|text| moment(&text));
    // The record bears no time of change; its log does.
    let changes = audit.iter().filter_map(|entry| moment(&at(entry, "/created_at")?));
    Ok(Case {
        number: None,
        subject: words(body, "/name").unwrap_or_default(),
        status: at(body, "/status").unwrap_or_default(),
        priority: at(body, "/priority"),
        updated_at: changes
            .chain(opened_at)
            .chain(history.iter().filter_map(|entry| entry.at))
            .max(),
        opened_at,
        owner: first_name(body, "/assigned_to"),
        version: Some(version(body)),
        url: link(web, "tickets", &id),
        history,
        id,
    })
}

/// A digest of what people change in a case: it has neither an ETag nor a time of change. A comment, ours among
/// them, is no change.
pub(super) fn version(body: &Value) -> String {
    const FIELDS: [&str; 9] = [
        "name",
        "status",
        "priority",
        "case_type",
        "closed_on",
        "description",
        "account",
        "custom_fields",
        "is_active",
    ];
    let mut hash = Sha256::new();
    for field in FIELDS {
        hash.update(body.get(field).unwrap_or(&Value::Null).to_string());
        hash.update([0]);
    }
    for person in body.get("assigned_to").and_then(Value::as_array).into_iter().flatten() {
        hash.update(at(person, "/id").unwrap_or_default());
        hash.update([0]);
    }
    hash.finalize().iter().take(12).map(|byte| format!("{byte:02x}")).collect()
}

/// The newest of a history, newest first; what has no time is oldest.
pub(super) fn latest_first(history: &mut Vec<Activity>, limit: usize) {
    history.sort_by_key(|entry| std::cmp::Reverse(entry.at));
    history.truncate(limit);
}

pub(super) fn comment(value: &Value) -> Activity {
    let by = at(value, "/commented_by/user_details/email")
        .or_else(|| at(value, "/commented_by_contact/name"));
    entry(
        ActivityKind::Note,
        at_time(value, "/commented_on"),
        by,
        &at(value, "/comment").unwrap_or_default(),
    )
}

/// Something logged on a record: a call, a meeting, a message.
pub(super) fn interaction(value: &Value) -> Activity {
    let kind = match at(value, "/kind").as_deref() {
        Some("call") => ActivityKind::Call,
        Some("email" | "sms" | "whatsapp") => ActivityKind::Mail,
        _ => ActivityKind::Other,
    };
    let text = [at(value, "/subject"), at(value, "/body")];
    let text = text.into_iter().flatten().collect::<Vec<_>>().join("\n\n");
    entry(kind, at_time(value, "/occurred_at"), at(value, "/logged_by_details/name"), &text)
}

fn mail_of(value: &Value) -> Activity {
    let text = [at(value, "/subject"), at(value, "/body_text")];
    let text = text.into_iter().flatten().collect::<Vec<_>>().join("\n\n");
    entry(ActivityKind::Mail, at_time(value, "/received_at"), at(value, "/from_address"), &text)
}

/// A change of status or owner out of a case's log; the rest of it repeats what the history has.
fn change(value: &Value) -> Option<Activity> {
    let action = at(value, "/action")?;
    if !action.starts_with("STATUS") {
        return None;
    }
    let (before, after) = (at(value, "/metadata/before"), at(value, "/metadata/after"));
    let text = format!("{} → {}", before.unwrap_or_default(), after?);
    let by = at(value, "/user/user_details/email");
    Some(entry(ActivityKind::Status, at_time(value, "/created_at"), by, &text))
}

pub(super) fn entry(
    kind: ActivityKind,
    at: Option<Timestamp>,
    by: Option<String>,
    text: &str,
) -> Activity {
    Activity { kind, at, by, text: shown(text), conversation: None }
}

pub(super) fn at_time(value: &Value, pointer: &str) -> Option<Timestamp> {
    moment(&at(value, pointer)?)
}

/// Who looks after it: the first of those it is assigned to, by name.
pub(super) fn first_name(value: &Value, pointer: &str) -> Option<String> {
    let person = value.pointer(pointer)?.as_array()?.first()?;
    ["/user_details/name", "/user_details/email", "/user/name", "/user/email", "/email"]
        .into_iter()
        .find_map(|pointer| at(person, pointer))
}

/// The first of a list in one of whose texts the whole marker stands.
pub(super) fn marked(records: &[Value], text: &str, key: &DedupeKey) -> Option<RemoteId> {
    let bears = |record: &&Value| at(record, text).is_some_and(|text| bears(&text, key));
    at(records.iter().find(bears)?, "/id").map(RemoteId)
}
