//! What is written to Dataverse, and how it is found again.

use std::collections::BTreeMap;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::query::{Query, guid, identifier};
use super::wire::named;
use super::{Dataverse, wire};
use crate::connect::crm::answers::{self, at, is_as_wanted, unreadable};
use crate::connect::crm::wording::{self, cut, due_at, html};
use crate::connect::destination::DeliveryError;
use crate::connect::http::Request;
use crate::domain::{
    CallRecord, CaseRef, CaseUpdate, DedupeKey, Direction, Effect, NewCase, NewNote, NewTask,
    PushedArticle,
};

/// `incident.title`, and subjects of activities.
const SUBJECT_MAX: usize = 200;
/// `incident.description`, and descriptions of activities, as they are made.
const DESCRIPTION_MAX: usize = 2_000;
/// `annotation.subject` and `annotation.notetext`.
const NOTE_SUBJECT_MAX: usize = 500;
const NOTE_MAX: usize = 100_000;
/// `knowledgearticle.title` and `.content`.
const TITLE_MAX: usize = 155;
const CONTENT_MAX: usize = 1_000_000;

const NOT_HERE: DeliveryError =
    DeliveryError::Unsupported("Dataverse takes no such thing from here");

/// A table, and the field that identifies its rows.
type Table = (&'static str, &'static str);

const CASES: Table = ("incidents", "incidentid");
const NOTES: Table = ("annotations", "annotationid");
const CALLS: Table = ("phonecalls", "activityid");
const TASKS: Table = ("tasks", "activityid");
const ARTICLES: Table = ("knowledgearticles", "knowledgearticleid");

impl Dataverse {
    /// Makes it; the identifier of the row, which is known before.
    pub(super) async fn write(
        &self,
        effect: &Effect,
        key: &DedupeKey,
    ) -> Result<String, DeliveryError> {
        match effect {
            Effect::CreateCase(one) => self.create(CASES, self.case(one)?, key).await,
            Effect::UpdateCase(one) => self.update(one).await,
            Effect::AddNote(one) => self.create(NOTES, note(one)?, key).await,
            Effect::LogCall(one) => {
                let id = self.create(CALLS, call(one)?, key).await?;
                if self.settings.completes_calls {
                    self.complete(one, &id).await?;
                }
                Ok(id)
            }
            Effect::CreateTask(one) => self.create(TASKS, task(one)?, key).await,
            Effect::PushArticle(one) => self.create(ARTICLES, article(one), key).await,
            _ => Err(NOT_HERE),
        }
    }

    /// What an earlier try made: the row at the key's address.
    pub(super) async fn written(
        &self,
        effect: &Effect,
        key: &DedupeKey,
    ) -> Result<Option<String>, DeliveryError> {
        match effect {
            Effect::CreateCase(_) => self.created(CASES, key).await,
            Effect::UpdateCase(one) => self.is_updated(one).await,
            Effect::AddNote(_) => self.created(NOTES, key).await,
            Effect::LogCall(one) => {
                let id = identifier(key);
                let select = Query::new().add("$select", "activityid,statecode");
                let Some(row) = self.row(CALLS.0, &id, select).await? else { return Ok(None) };
                let state =
                    row.pointer("/statecode").and_then(Value::as_i64).ok_or_else(unreadable)?;
                if state == 0 && self.settings.completes_calls {
                    self.complete(one, &id).await?;
                }
                Ok(Some(id))
            }
            Effect::CreateTask(_) => self.created(TASKS, key).await,
            Effect::PushArticle(_) => self.created(ARTICLES, key).await,
            _ => Err(NOT_HERE),
        }
    }

    /// `PATCH <table>(<id>)` with `If-None-Match: *`: 201 made, 412 it is there.
    async fn create(
        &self,
        table: Table,
        fields: Value,
        key: &DedupeKey,
    ) -> Result<String, DeliveryError> {
        let (name, primary) = table;
        let id = identifier(key);
        let path =
            self.path(&format!("{name}({id}){}", Query::new().add("$select", primary).text()));
        let request = Request::new(Method::PATCH, &path)
            .json(fields)
            .header("if-none-match", "*")
            .header("prefer", "return=representation");
        let answer = self.door.send(request).await?;
        // It is there already, and is ours: nobody else makes identifiers of our keys.
        if answer.status == StatusCode::PRECONDITION_FAILED {
            return Ok(id);
        }
        let answer = answers::success(answer, "/error/code", &[])?;
        let made = at(&answer.body, &format!("/{primary}"));
        made.filter(|made| made.eq_ignore_ascii_case(&id)).map(|_| id).ok_or_else(unreadable)
    }

    async fn created(
        &self,
        table: Table,
        key: &DedupeKey,
    ) -> Result<Option<String>, DeliveryError> {
        let (name, primary) = table;
        let id = identifier(key);
        let Some(row) = self.row(name, &id, Query::new().add("$select", primary)).await? else {
            return Ok(None);
        };
        let found =
            at(&row, &format!("/{primary}")).filter(|found| found.eq_ignore_ascii_case(&id));
        found.map(|_| Some(id)).ok_or_else(unreadable)
    }

    /// 2 is "Made", 4 is "Received" (`phonecall.statuscode`).
    async fn complete(&self, call: &CallRecord, id: &str) -> Result<(), DeliveryError> {
        let status = match call.direction {
            Direction::Inbound => 4,
            Direction::Outbound => 2,
        };
        self.change(CALLS, id, json!({"statecode": 1, "statuscode": status}), "*").await
    }

    /// `If-Match` keeps it from making a row that isn't there.
    async fn change(
        &self,
        table: Table,
        id: &str,
        fields: Value,
        version: &str,
    ) -> Result<(), DeliveryError> {
        let path = self.path(&format!("{}({id})", table.0));
        let request = Request::new(Method::PATCH, &path).json(fields).header("if-match", version);
        let answer = self.ask(request).await?;
        if answer.status == StatusCode::NO_CONTENT { Ok(()) } else { Err(unreadable()) }
    }

    /// `incident`; the customer is bound by the name that says that it is a contact.
    fn case(&self, case: &NewCase) -> Result<Value, DeliveryError> {
        let mut fields = json!({
            "title": cut(case.subject.as_str(), SUBJECT_MAX),
            "description": cut(case.body.as_str(), DESCRIPTION_MAX),
            "caseorigincode": self.settings.case_origin,
            "customerid_contact@odata.bind": contact(&case.contact_id)?,
        });
        if let Some(priority) = &case.priority {
            fields["prioritycode"] =
                json!(choice(&self.settings.priorities, priority, "priorities")?);
        }
        Ok(fields)
    }

    /// A status that closes goes through `CloseIncident`; a plain change of it is refused by Dynamics.
    async fn update(&self, update: &CaseUpdate) -> Result<String, DeliveryError> {
        let case = guid(&update.case_id).ok_or_else(no_case)?;
        let version = update.expected_version.as_deref().unwrap_or("*");
        let settings = &self.settings;
        let mut fields = json!({});
        let mut closing = None;
        if let Some(priority) = &update.priority {
            fields["prioritycode"] = json!(choice(&settings.priorities, priority, "priorities")?);
        }
        if let Some(status) = &update.status {
            let number = choice(&settings.statuses, status, "statuses")?;
            match settings.closing_statuses.contains(&number) {
                true => closing = Some(number),
                false => fields["statuscode"] = json!(number),
            }
        }
        let has_fields = fields.as_object().is_some_and(|fields| !fields.is_empty());
        if has_fields {
            self.change(CASES, case, fields, version).await?;
        }
        if let Some(status) = closing {
            // The action takes no condition, so that the version is compared before, unless it was just met.
            let now = self.case_now(case).await?;
            if !has_fields && version != "*" && at(&now, "/@odata.etag").as_deref() != Some(version)
            {
                return Err(DeliveryError::Changed);
            }
            let resolution = json!({
                "@odata.type": "Microsoft.Dynamics.CRM.incidentresolution",
                "subject": "Resolved",
                "incidentid@odata.bind": format!("/incidents({case})"),
            });
            let body = json!({"IncidentResolution": resolution, "Status": status});
            let answer = self.ask(Request::post(&self.path("CloseIncident"), body)).await?;
            if answer.status != StatusCode::NO_CONTENT {
                return Err(unreadable());
            }
        }
        Ok(case.to_owned())
    }

    async fn is_updated(&self, update: &CaseUpdate) -> Result<Option<String>, DeliveryError> {
        let case = guid(&update.case_id).ok_or_else(no_case)?;
        let now = self.case_now(case).await?;
        // Either what people see or its number may be wanted.
        let is = |field: &str, wanted: &Option<String>| match at(&now, &format!("/{field}")) {
            Some(number) if Some(&number) == wanted.as_ref() => Some(number),
            _ => named(&now, field),
        };
        let (status, priority) =
            (is("statuscode", &update.status), is("prioritycode", &update.priority));
        Ok(is_as_wanted(update, status.as_deref(), priority.as_deref()).then(|| case.to_owned()))
    }

    /// What an update changes, with its ETag.
    async fn case_now(&self, case: &str) -> Result<Value, DeliveryError> {
        let select = Query::new().add("$select", wire::CASE_FIELDS);
        self.row(CASES.0, case, select).await?.ok_or_else(no_case)
    }
}

/// A choice by the words that people see, or by its number.
fn choice(known: &BTreeMap<String, i64>, text: &str, setting: &str) -> Result<i64, DeliveryError> {
    let named =
        known.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, number)| *number);
    let missing = || DeliveryError::Refused(format!("{setting} has no such choice"));
    named.or_else(|| text.parse().ok()).ok_or_else(missing)
}

fn contact(text: &str) -> Result<String, DeliveryError> {
    let id =
        guid(text).ok_or_else(|| DeliveryError::NotFound("there is no such contact".to_owned()))?;
    Ok(format!("/contacts({id})"))
}

fn no_case() -> DeliveryError {
    DeliveryError::NotFound("there is no such case".to_owned())
}

/// What an entry is about: the case, or else the contact. The name of the reference has the kind of both ends.
fn about(
    fields: &mut Value,
    stem: &str,
    suffix: &str,
    contact_id: &str,
    case: Option<&CaseRef>,
) -> Result<(), DeliveryError> {
    let (kind, address) = match case {
        Some(CaseRef::Id(id)) => {
            ("incident", format!("/incidents({})", guid(id).ok_or_else(no_case)?))
        }
        Some(CaseRef::MadeBy(_)) => return Err(no_case()),
        None => ("contact", contact(contact_id)?),
    };
    fields[format!("{stem}_{kind}{suffix}@odata.bind")] = json!(address);
    Ok(())
}

/// `annotation`.
fn note(note: &NewNote) -> Result<Value, DeliveryError> {
    // A portal shows a note to the customer when this word stands in it.
    let text = note.body.as_str().replace("*WEB*", "* WEB *");
    let mut fields = json!({
        "subject": cut(note.subject.as_str(), NOTE_SUBJECT_MAX),
        "notetext": cut(&text, NOTE_MAX),
    });
    about(&mut fields, "objectid", "", &note.contact_id, note.case.as_ref())?;
    Ok(fields)
}

/// `phonecall`, with the person as the one who called or was called.
fn call(call: &CallRecord) -> Result<Value, DeliveryError> {
    let person = contact(&call.contact_id)?;
    let ended = call.started_at
        + jiff::SignedDuration::from_secs(i64::try_from(call.duration_s).unwrap_or(0));
    // 1 is who called, 2 is who was called.
    let (is_outgoing, role) = match call.direction {
        Direction::Inbound => (false, 1),
        Direction::Outbound => (true, 2),
    };
    let text = match &call.outcome {
        Some(outcome) => {
            wording::titled(&format!("Outcome: {}", outcome.as_str()), call.body.as_str())
        }
        None => call.body.as_str().to_owned(),
    };
    let mut fields = json!({
        "subject": cut(call.subject.as_str(), SUBJECT_MAX),
        "description": cut(&text, DESCRIPTION_MAX),
        "directioncode": is_outgoing,
        "actualstart": call.started_at.strftime("%FT%TZ").to_string(),
        "actualend": ended.strftime("%FT%TZ").to_string(),
        "actualdurationminutes": call.duration_s.div_ceil(60),
        "phonecall_activity_parties": [{"partyid_contact@odata.bind": person, "participationtypemask": role}],
    });
    about(&mut fields, "regardingobjectid", "_phonecall", &call.contact_id, call.case.as_ref())?;
    Ok(fields)
}

/// `task`.
fn task(task: &NewTask) -> Result<Value, DeliveryError> {
    let mut fields = json!({
        "subject": cut(task.subject.as_str(), SUBJECT_MAX),
        "description": cut(task.body.as_str(), DESCRIPTION_MAX),
    });
    if let Some(at) = task.due.as_ref().and_then(due_at) {
        fields["scheduledend"] = json!(at.to_string());
    }
    contact(&task.contact_id)?;
    about(&mut fields, "regardingobjectid", "_task", &task.contact_id, task.case.as_ref())?;
    Ok(fields)
}

/// A new article is a draft.
fn article(article: &PushedArticle) -> Value {
    json!({
        "title": cut(article.title.as_str(), TITLE_MAX),
        "content": html(&cut(article.body.as_str(), CONTENT_MAX)),
    })
}
