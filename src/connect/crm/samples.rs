//! Effects for tests, the same each time, so that a request can be compared with what was recorded.

use jiff::civil;

use crate::domain::{
    CallRecord, CaseRef, CaseUpdate, DedupeKey, Direction, DueAt, Effect, NewCase, NewNote,
    NewTask, PushedArticle, Redacted,
};
use crate::insight::redaction::typed;

pub fn key() -> DedupeKey {
    DedupeKey::stored("5f2b")
}

/// In English, with what templates and queries could trip over.
fn body() -> Redacted {
    typed("She waits & \"hopes\" <now>.")
}

pub fn case(contact: &str) -> Effect {
    Effect::CreateCase(NewCase {
        contact_id: contact.to_owned(),
        subject: typed("Late router"),
        body: body(),
        priority: Some("high".to_owned()),
    })
}

pub fn update(contact: &str, case: &str, status: Option<&str>, version: Option<&str>) -> Effect {
    Effect::UpdateCase(CaseUpdate {
        contact_id: contact.to_owned(),
        case_id: case.to_owned(),
        status: status.map(str::to_owned),
        priority: None,
        expected_version: version.map(str::to_owned),
    })
}

pub fn note(contact: &str, case: Option<&str>) -> Effect {
    Effect::AddNote(NewNote {
        contact_id: contact.to_owned(),
        case: case.map(|id| CaseRef::Id(id.to_owned())),
        subject: typed("Late router"),
        body: body(),
    })
}

pub fn call(contact: &str, case: Option<&str>) -> Effect {
    Effect::LogCall(CallRecord {
        contact_id: contact.to_owned(),
        case: case.map(|id| CaseRef::Id(id.to_owned())),
        direction: Direction::Inbound,
        started_at: "2026-11-22T10:00:04Z".parse().expect("a time"),
        duration_s: 184,
        subject: typed("Late router"),
        outcome: Some(typed("Promised a call back")),
        body: body(),
    })
}

pub fn task(contact: &str, case: Option<&str>) -> Effect {
    Effect::CreateTask(NewTask {
        contact_id: contact.to_owned(),
        case: case.map(|id| CaseRef::Id(id.to_owned())),
        subject: typed("Call back"),
        body: body(),
        due: Some(DueAt {
            // On the day when the clocks go forward.
            date: civil::date(2030, 3, 31),
            time: Some(civil::time(10, 30, 0, 0)),
            time_zone: "Europe/London".to_owned(),
        }),
    })
}

pub fn article() -> Effect {
    Effect::PushArticle(PushedArticle {
        article: "Billing/Duplicate payments".into(),
        revision: 3,
        title: typed("Duplicate payments"),
        body: body(),
    })
}

pub fn all(contact: &str, in_case: &str) -> Vec<Effect> {
    vec![
        case(contact),
        update(contact, in_case, Some("New"), None),
        note(contact, Some(in_case)),
        call(contact, Some(in_case)),
        call(contact, None),
        task(contact, Some(in_case)),
        article(),
    ]
}
