//! HubSpot's records: `{"id", "properties": {name: text}, "associations": {kind: {"results": [{"id", "type"}]}}}`.

use std::collections::BTreeMap;

use http::StatusCode;
use serde_json::Value;

use crate::connect::crm::answers::{self, at};
use crate::connect::crm::wording::{moment, plain, shown, titled};
use crate::connect::destination::DeliveryError;
use crate::connect::http::Answered;
use crate::domain::{AccountFacts, Activity, ActivityKind, Case, Contact};
use crate::insight::redaction::typed;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Contact,
    Ticket,
    Note,
    Call,
    Task,
}

impl Kind {
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Contact => "contacts",
            Self::Ticket => "tickets",
            Self::Note => "notes",
            Self::Call => "calls",
            Self::Task => "tasks",
        }
    }

    pub const fn type_id(self) -> &'static str {
        match self {
            Self::Contact => "0-1",
            Self::Ticket => "0-5",
            Self::Note => "0-46",
            Self::Call => "0-48",
            Self::Task => "0-27",
        }
    }

    /// The property that holds its text.
    pub const fn body(self) -> &'static str {
        match self {
            Self::Ticket | Self::Contact => "content",
            Self::Note => "hs_note_body",
            Self::Call => "hs_call_body",
            Self::Task => "hs_task_body",
        }
    }

    /// What is read of an activity.
    pub const fn texts(self) -> &'static [&'static str] {
        match self {
            Self::Contact | Self::Ticket => TICKET_PROPERTIES,
            Self::Note => &["hs_timestamp", "hs_note_body"],
            Self::Call => &["hs_timestamp", "hs_call_title", "hs_call_body"],
            Self::Task => &["hs_timestamp", "hs_createdate", "hs_task_subject", "hs_task_body"],
        }
    }
}

pub const CONTACT_PROPERTIES: &[&str] =
    &["firstname", "lastname", "email", "hs_additional_emails", "phone", "mobilephone", "company"];
pub const TICKET_PROPERTIES: &[&str] = &[
    "subject",
    "hs_pipeline",
    "hs_pipeline_stage",
    "hs_ticket_priority",
    "createdate",
    "hs_lastmodifieddate",
];

/// Identifiers are numbers.
pub fn id(text: &str) -> Option<&str> {
    let is_one = (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_one.then_some(text)
}

/// Properties are texts, or `null`.
pub fn property(record: &Value, name: &str) -> Option<String> {
    at(record, &format!("/properties/{name}"))
}

/// HubSpot itself says that there is no such record; a page of somebody before it doesn't.
pub fn is_missing(answer: &Answered) -> bool {
    let category = answer.text("/category");
    answer.status == StatusCode::NOT_FOUND
        && answer.text("/correlationId").is_some()
        && category.is_none_or(|category| category == "OBJECT_NOT_FOUND")
}

/// A contact may have further addresses, with semicolons between.
pub fn contact(record: &Value) -> Option<Contact> {
    let names = ["firstname", "lastname"].into_iter().filter_map(|name| property(record, name));
    let name = names.collect::<Vec<String>>().join(" ");
    let mut emails: Vec<String> = property(record, "email").into_iter().collect();
    let additional = property(record, "hs_additional_emails").unwrap_or_default();
    emails.extend(
        additional.split(';').map(str::trim).filter(|one| !one.is_empty()).map(str::to_owned),
    );
    Some(Contact {
        id: at(record, "/id")?,
        name: (!name.is_empty()).then(|| typed(&name)),
        phones: ["phone", "mobilephone"]
            .into_iter()
            .filter_map(|name| property(record, name))
            .collect(),
        emails,
        company: property(record, "company").map(|name| typed(&name)),
        url: None,
    })
}

/// Each once: a record can be associated in several ways.
pub fn associated(record: &Value, kind: Kind) -> Vec<String> {
    let results = record.pointer(&format!("/associations/{}/results", kind.plural()));
    let mut ids: Vec<String> = results
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|one| at(one, "/id"))
        .collect();
    ids.sort();
    ids.dedup();
    ids
}

/// The last made ones, as far as their numbers tell.
pub fn newest(record: &Value, kind: Kind, most: usize) -> Vec<String> {
    let mut ids = associated(record, kind);
    ids.sort_by_key(|id| std::cmp::Reverse(id.parse::<u64>().unwrap_or(0)));
    ids.truncate(most);
    ids
}

/// The stages of tickets' pipelines.
#[derive(Clone, Debug, Default)]
pub struct Stages(BTreeMap<String, Stage>);

#[derive(Clone, Debug)]
struct Stage {
    pipeline: String,
    label: String,
    is_closed: bool,
}

impl Stages {
    pub fn read(body: &Value) -> Result<Self, DeliveryError> {
        let mut stages = BTreeMap::new();
        for pipeline in answers::list(body, "/results")? {
            let id = at(pipeline, "/id").unwrap_or_default();
            for stage in answers::list(pipeline, "/stages")? {
                // `ticketState` is `OPEN` or `CLOSED`; `isClosed` is a text.
                let state = at(stage, "/metadata/ticketState").unwrap_or_default();
                let closed = at(stage, "/metadata/isClosed").unwrap_or_default();
                let one = Stage {
                    pipeline: id.clone(),
                    label: at(stage, "/label").unwrap_or_default(),
                    is_closed: state == "CLOSED" || closed == "true",
                };
                if let Some(id) = at(stage, "/id") {
                    stages.insert(id, one);
                }
            }
        }
        Ok(Self(stages))
    }

    pub fn label(&self, stage: &str) -> String {
        self.0.get(stage).map_or_else(|| stage.to_owned(), |stage| stage.label.clone())
    }

    /// A stage of a pipeline, by what people call it or by its identifier.
    pub fn find(&self, pipeline: &str, wanted: &str) -> Option<&str> {
        let is_it = |id: &str, stage: &Stage| {
            stage.pipeline == pipeline && (id == wanted || stage.label.eq_ignore_ascii_case(wanted))
        };
        self.0.iter().find(|(id, stage)| is_it(id, stage)).map(|(id, _)| id.as_str())
    }
}

/// `None` for a ticket in a stage that is closed. A stage that isn't known may be open.
pub fn open_case(record: &Value, stages: &Stages) -> Option<Case> {
    let stage = property(record, "hs_pipeline_stage").unwrap_or_default();
    if stages.0.get(&stage).is_some_and(|stage| stage.is_closed) {
        return None;
    }
    let version = property(record, "hs_lastmodifieddate");
    Some(Case {
        id: at(record, "/id")?,
        number: None,
        subject: property(record, "subject").map(|text| typed(&text)).unwrap_or_default(),
        status: stages.label(&stage),
        priority: property(record, "hs_ticket_priority"),
        opened_at: property(record, "createdate").as_deref().and_then(moment),
        updated_at: version.as_deref().and_then(moment),
        owner: None,
        version,
        url: None,
        history: Vec::new(),
    })
}

/// Their bodies are HTML.
pub fn activity(kind: Kind, record: &Value) -> Activity {
    let title = match kind {
        Kind::Call => "hs_call_title",
        Kind::Task => "hs_task_subject",
        _ => "",
    };
    let body = plain(&property(record, kind.body()).unwrap_or_default());
    // A task's time is when it is due.
    let time = if kind == Kind::Task { "hs_createdate" } else { "hs_timestamp" };
    Activity {
        kind: match kind {
            Kind::Note => ActivityKind::Note,
            Kind::Call => ActivityKind::Call,
            Kind::Task => ActivityKind::Task,
            Kind::Contact | Kind::Ticket => ActivityKind::Other,
        },
        at: property(record, time).as_deref().and_then(moment),
        by: None,
        text: shown(&titled(&property(record, title).unwrap_or_default(), &body)),
        conversation: None,
    }
}

pub fn facts(record: &Value, tier: Option<&str>, value: Option<&str>) -> AccountFacts {
    let of = |name: &str| property(record, name);
    AccountFacts {
        tier: tier.and_then(of),
        value: value.and_then(of).and_then(|value| value.parse().ok()),
        since: of("createdate").and_then(|text| text.get(..10)?.parse().ok()),
        owner: None,
        products: Vec::new(),
    }
}

/// `{"firstName", "lastName", "email"}`.
pub fn person(owner: &Value) -> Option<String> {
    let names = ["/firstName", "/lastName"].into_iter().filter_map(|name| at(owner, name));
    let name = names.collect::<Vec<String>>().join(" ");
    if name.is_empty() { at(owner, "/email") } else { Some(name) }
}
