//! What is written to HubSpot, and how it is found again.

use http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::wire::{self, Kind, property};
use super::{Associations, BATCH, HubSpot, Key};
use crate::connect::crm::answers::{at, is_as_wanted, made, unreadable};
use crate::connect::crm::wording::{self, bears, cut, due_at, html, marked, marked_html, titled};
use crate::connect::destination::DeliveryError;
use crate::connect::http::Request;
use crate::domain::{
    CallRecord, CaseRef, CaseUpdate, DedupeKey, Direction, Effect, NewCase, NewNote, NewTask,
};

/// A text property holds 65,536 characters; markup counts.
const TEXT_MAX: usize = 65_536;
const SUBJECT_MAX: usize = 250;

const NOT_HERE: DeliveryError = DeliveryError::Unsupported("HubSpot takes no such thing from here");
const NO_ARTICLES: DeliveryError =
    DeliveryError::Unsupported("HubSpot's knowledge base can't be written by programs");

/// A record that is to be made: its texts, and what it belongs to.
struct Draft {
    kind: Kind,
    properties: Value,
    /// Plain, until the key is in it.
    text: String,
    is_html: bool,
    associations: Vec<(String, u32)>,
}

impl HubSpot {
    /// Makes it; HubSpot's identifier of the record.
    pub(super) async fn write(
        &self,
        effect: &Effect,
        key: &DedupeKey,
    ) -> Result<String, DeliveryError> {
        let draft = match effect {
            Effect::UpdateCase(one) => return self.update(one).await,
            Effect::CreateCase(one) => self.case(one)?,
            Effect::AddNote(one) => self.note(one)?,
            Effect::LogCall(one) => self.call(one)?,
            Effect::CreateTask(one) => self.task(one)?,
            Effect::PushArticle(_) => return Err(NO_ARTICLES),
            _ => return Err(NOT_HERE),
        };
        self.create(draft, key).await
    }

    /// What an earlier try made: by the property with unique values, or by the marker.
    pub(super) async fn written(
        &self,
        effect: &Effect,
        key: &DedupeKey,
    ) -> Result<Option<String>, DeliveryError> {
        let (kind, contact) = match effect {
            Effect::UpdateCase(one) => return self.is_updated(one).await,
            Effect::CreateCase(one) => (Kind::Ticket, &one.contact_id),
            Effect::AddNote(one) => (Kind::Note, &one.contact_id),
            Effect::LogCall(one) => (Kind::Call, &one.contact_id),
            Effect::CreateTask(one) => (Kind::Task, &one.contact_id),
            Effect::PushArticle(_) => return Err(NO_ARTICLES),
            _ => return Err(NOT_HERE),
        };
        match &self.settings.key {
            Key::Property(name) => self.by_property(kind, name, key).await,
            Key::Marker => self.by_marker(kind, contact, key).await,
        }
    }

    async fn create(&self, draft: Draft, key: &DedupeKey) -> Result<String, DeliveryError> {
        let Draft { kind, mut properties, text, is_html, associations } = draft;
        let body = match (&self.settings.key, is_html) {
            (Key::Marker, true) => marked_html(&text, key, TEXT_MAX),
            (Key::Marker, false) => marked(&text, key, TEXT_MAX),
            (Key::Property(name), _) => {
                properties[name.as_str()] = json!(key.as_str());
                if is_html { html_within(&text, TEXT_MAX) } else { cut(&text, TEXT_MAX) }
            }
        };
        properties[kind.body()] = json!(body);
        let associations: Vec<Value> = associations
            .into_iter()
            .map(|(id, kind)| {
                let types =
                    [json!({"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": kind})];
                json!({"to": {"id": id}, "types": types})
            })
            .collect();
        let path = self.objects(kind.plural());
        let request =
            Request::post(&path, json!({"properties": properties, "associations": associations}));
        let error = match self.ask(request).await {
            Ok(answer) => return made(&answer.body, "/id"),
            Err(error) => error,
        };
        // "Another object already has that value": an earlier request did come through.
        match (&error, &self.settings.key) {
            (DeliveryError::Refused(_) | DeliveryError::Changed, Key::Property(name)) => {
                self.by_property(kind, name, key).await?.ok_or(match error {
                    DeliveryError::Changed => DeliveryError::Unclear("status 409".to_owned()),
                    error => error,
                })
            }
            _ => Err(error),
        }
    }

    /// `GET <kind>/<key>?idProperty=<name>` reads the record itself, not the search's index.
    async fn by_property(
        &self,
        kind: Kind,
        name: &str,
        key: &DedupeKey,
    ) -> Result<Option<String>, DeliveryError> {
        let found = self.record(kind, (key.as_str(), Some(name)), &[name], &[]).await?;
        let Some(record) = found else { return Ok(None) };
        match property(&record, name).as_deref() == Some(key.as_str()) {
            true => made(&record, "/id").map(Some),
            false => {
                Err(DeliveryError::Untrusted(format!("{name} is not what records are read by")))
            }
        }
    }

    /// All records of a kind that are associated with the contact are read.
    async fn by_marker(
        &self,
        kind: Kind,
        contact: &str,
        key: &DedupeKey,
    ) -> Result<Option<String>, DeliveryError> {
        let contact = contact_id(contact)?;
        let record = self
            .record(Kind::Contact, (&contact, None), &["hs_object_id"], &[kind.plural()])
            .await?;
        let record = record.ok_or_else(no_contact)?;
        if record.pointer(&format!("/associations/{}/paging/next", kind.plural())).is_some() {
            return Err(DeliveryError::Unclear(
                "the contact has too many records of this kind".to_owned(),
            ));
        }
        let ids = wire::newest(&record, kind, usize::MAX);
        for some in ids.chunks(BATCH) {
            let records = self.records(kind, some, &[kind.body()]).await?;
            if records.len() < some.len() {
                // Just made, and not yet to be read: it may be ours.
                return Err(DeliveryError::Unclear(
                    "not all of the contact's records can be read".to_owned(),
                ));
            }
            let ours = records
                .iter()
                .find(|one| property(one, kind.body()).is_some_and(|text| bears(&text, key)));
            if let Some(ours) = ours {
                return made(ours, "/id").map(Some);
            }
        }
        Ok(None)
    }

    /// A status is the name of a stage in the ticket's own pipeline, or its identifier.
    async fn update(&self, update: &CaseUpdate) -> Result<String, DeliveryError> {
        let ticket = self.ticket(&update.case_id).await?;
        let version = property(&ticket, "hs_lastmodifieddate");
        if update.expected_version.is_some() && update.expected_version != version {
            return Err(DeliveryError::Changed);
        }
        let mut properties = json!({});
        if let Some(priority) = &update.priority {
            properties["hs_ticket_priority"] = json!(priority);
        }
        if let Some(status) = &update.status {
            let pipeline = property(&ticket, "hs_pipeline").unwrap_or_default();
            let stages = self.stages().await?;
            let missing =
                || DeliveryError::Refused("the ticket's pipeline has no such stage".to_owned());
            properties["hs_pipeline_stage"] =
                json!(stages.find(&pipeline, status).ok_or_else(missing)?);
        }
        let id = made(&ticket, "/id")?;
        let path = self.objects(&format!("tickets/{id}"));
        let request = Request::new(Method::PATCH, &path).json(json!({"properties": properties}));
        let answer = self.ask(request).await?;
        made(&answer.body, "/id")
            .and_then(|made| if made == id { Ok(id) } else { Err(unreadable()) })
    }

    async fn is_updated(&self, update: &CaseUpdate) -> Result<Option<String>, DeliveryError> {
        let ticket = self.ticket(&update.case_id).await?;
        let stage = property(&ticket, "hs_pipeline_stage").unwrap_or_default();
        let status = match &update.status {
            Some(wanted) if *wanted == stage => stage,
            Some(_) => self.stages().await?.label(&stage),
            None => stage,
        };
        let priority = property(&ticket, "hs_ticket_priority");
        match is_as_wanted(update, Some(&status), priority.as_deref()) {
            true => made(&ticket, "/id").map(Some),
            false => Ok(None),
        }
    }

    /// As it is now.
    async fn ticket(&self, id: &str) -> Result<Value, DeliveryError> {
        let id = wire::id(id).ok_or_else(no_ticket)?;
        let found = self.record(Kind::Ticket, (id, None), wire::TICKET_PROPERTIES, &[]).await?;
        found.filter(|ticket| at(ticket, "/id").as_deref() == Some(id)).ok_or_else(no_ticket)
    }

    /// Tickets (`crm-tickets-v3`): a stage is needed.
    fn case(&self, case: &NewCase) -> Result<Draft, DeliveryError> {
        let mut properties = json!({
            "subject": cut(case.subject.as_str(), SUBJECT_MAX),
            "hs_pipeline": self.settings.pipeline,
            "hs_pipeline_stage": self.settings.stage,
        });
        if let Some(priority) = &case.priority {
            properties["hs_ticket_priority"] = json!(priority);
        }
        Ok(Draft {
            kind: Kind::Ticket,
            properties,
            text: case.body.as_str().to_owned(),
            is_html: false,
            associations: vec![(
                contact_id(&case.contact_id)?,
                self.settings.associations.ticket_to_contact,
            )],
        })
    }

    /// Notes (`crm-notes-v3`).
    fn note(&self, note: &NewNote) -> Result<Draft, DeliveryError> {
        let Associations { note_to_contact, note_to_ticket, .. } = self.settings.associations;
        Ok(Draft {
            kind: Kind::Note,
            properties: json!({"hs_timestamp": now()}),
            text: wording::note(note),
            is_html: true,
            associations: both(
                &note.contact_id,
                note_to_contact,
                note.case.as_ref(),
                note_to_ticket,
            )?,
        })
    }

    /// Calls (`crm-calls-v3`): a duration is in milliseconds. Outcomes are identifiers of the account's own, so
    /// that ours stands in the text.
    fn call(&self, call: &CallRecord) -> Result<Draft, DeliveryError> {
        let Associations { call_to_contact, call_to_ticket, .. } = self.settings.associations;
        let text = match &call.outcome {
            Some(outcome) => titled(&format!("Outcome: {}", outcome.as_str()), call.body.as_str()),
            None => call.body.as_str().to_owned(),
        };
        Ok(Draft {
            kind: Kind::Call,
            properties: json!({
                "hs_timestamp": call.started_at.strftime("%FT%TZ").to_string(),
                "hs_call_title": cut(call.subject.as_str(), SUBJECT_MAX),
                "hs_call_direction": match call.direction {
                    Direction::Inbound => "INBOUND",
                    Direction::Outbound => "OUTBOUND",
                },
                "hs_call_duration": call.duration_s.saturating_mul(1_000).to_string(),
                "hs_call_status": "COMPLETED",
            }),
            text,
            is_html: true,
            associations: both(
                &call.contact_id,
                call_to_contact,
                call.case.as_ref(),
                call_to_ticket,
            )?,
        })
    }

    /// Tasks (`crm-tasks-v3`).
    fn task(&self, task: &NewTask) -> Result<Draft, DeliveryError> {
        let Associations { task_to_contact, task_to_ticket, .. } = self.settings.associations;
        let due = task.due.as_ref().and_then(due_at).map(|at| at.strftime("%FT%TZ").to_string());
        Ok(Draft {
            kind: Kind::Task,
            properties: json!({
                // When it is due; HubSpot wants a time in any case.
                "hs_timestamp": due.unwrap_or_else(now),
                "hs_task_subject": cut(task.subject.as_str(), SUBJECT_MAX),
                "hs_task_status": "NOT_STARTED",
                "hs_task_type": "TODO",
            }),
            text: task.body.as_str().to_owned(),
            is_html: true,
            associations: both(
                &task.contact_id,
                task_to_contact,
                task.case.as_ref(),
                task_to_ticket,
            )?,
        })
    }
}

fn now() -> String {
    Timestamp::now().strftime("%FT%T%.3fZ").to_string()
}

/// HTML of a text that is cut until its markup has room.
fn html_within(text: &str, max: usize) -> String {
    let mut room = max;
    loop {
        let html = html(&cut(text, room));
        let over = html.chars().count().saturating_sub(max);
        if over == 0 || room == 0 {
            return html;
        }
        room = room.saturating_sub(over);
    }
}

fn no_contact() -> DeliveryError {
    DeliveryError::NotFound("there is no such contact".to_owned())
}

fn no_ticket() -> DeliveryError {
    DeliveryError::NotFound("there is no such ticket".to_owned())
}

fn contact_id(text: &str) -> Result<String, DeliveryError> {
    wire::id(text).map(str::to_owned).ok_or_else(no_contact)
}

/// The contact, and the ticket where there is one.
fn both(
    contact: &str,
    to_contact: u32,
    case: Option<&CaseRef>,
    to_ticket: u32,
) -> Result<Vec<(String, u32)>, DeliveryError> {
    let mut all = vec![(contact_id(contact)?, to_contact)];
    match case {
        Some(CaseRef::Id(id)) => {
            all.push((wire::id(id).ok_or_else(no_ticket)?.to_owned(), to_ticket))
        }
        Some(CaseRef::MadeBy(_)) => return Err(no_ticket()),
        None => (),
    }
    Ok(all)
}
