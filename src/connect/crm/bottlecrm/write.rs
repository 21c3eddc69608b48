//! What is written into BottleCRM, and how it is found again.

use http::StatusCode;
use serde_json::{Value, json};

use super::wire::{marked, version};
use super::{BottleCrm, identifier, object};
use crate::connect::crm::answers::{at, is_as_wanted, list, made, unreadable};
use crate::connect::crm::wording;
use crate::connect::destination::{DeliveryError, RemoteId};
use crate::connect::http::Request;
use crate::domain::{
    CallRecord, CaseRef, CaseUpdate, DedupeKey, Direction, DueAt, NewCase, NewNote, NewTask,
    PushedArticle,
};

/// Lengths of its columns, in characters.
const CASE_NAME: usize = 64;
const TASK_TITLE: usize = 200;
const SOLUTION_TITLE: usize = 255;
const INTERACTION_SUBJECT: usize = 200;
/// Of comments and interactions. Descriptions have no limit; this one is ours.
const COMMENT: usize = 10_000;
const DESCRIPTION: usize = 100_000;

/// Of a list; the server gives at most 200 interactions.
const PAGE: usize = 200;
/// More than that are on no contact; then a person must look.
const PAGES_MAX: usize = 50;

/// Where a note or a call stands.
enum Place<'a> {
    Contact(&'a str),
    Case(&'a str),
}

impl<'a> Place<'a> {
    fn of(contact: &'a str, case: Option<&'a CaseRef>) -> Result<Self, DeliveryError> {
        match case {
            None => Ok(Self::Contact(contact)),
            Some(CaseRef::Id(id)) => Ok(Self::Case(id)),
            // Whoever carries effects puts the identifier in its place.
            Some(CaseRef::MadeBy(_)) => {
                Err(DeliveryError::Refused("its case isn't made yet".to_owned()))
            }
        }
    }
}

impl BottleCrm {
    /// Names of cases are told apart, whatever their capitals, so one that is taken gets a part of the key. First
    /// it is looked whether the one that has it is ours: a request that nobody waited for may have arrived since.
    pub(super) async fn create_case(
        &self,
        case: &NewCase,
        key: &DedupeKey,
    ) -> Result<RemoteId, DeliveryError> {
        // A contact that doesn't exist is left out without a word.
        self.contact(&case.contact_id).await?;
        let subject = one_line(case.subject.as_str());
        let name = wording::cut(if subject.is_empty() { "Call" } else { &subject }, CASE_NAME);
        let whole = if name == subject { "" } else { &subject };
        let mut body = json!({
            "name": name,
            "status": self.settings.new_status,
            "priority": case.priority.as_deref().unwrap_or(&self.settings.priority),
            "case_type": self.settings.case_type,
            "description":
                wording::marked(&wording::titled(whole, case.body.as_str()), key, DESCRIPTION),
            "contacts": [case.contact_id],
        });
        let answer = self.api.send(Request::post("api/cases/", body.clone())).await?;
        if answer.status != StatusCode::BAD_REQUEST || answer.body.pointer("/errors/name").is_none()
        {
            return self.new_case(&object(answer.success()?.body)?).await;
        }
        if let Some(made) = self.case_made(key).await? {
            return Ok(made);
        }
        let suffix = format!(" ({})", key.as_str().get(..8).unwrap_or(key.as_str()));
        body["name"] = json!(format!("{}{suffix}", wording::cut(&name, CASE_NAME - suffix.len())));
        self.new_case(&self.ask(Request::post("api/cases/", body)).await?).await
    }

    async fn new_case(&self, answer: &Value) -> Result<RemoteId, DeliveryError> {
        let id = made(answer, "/id")?;
        let contacts = match answer.pointer("/cases_obj/contacts") {
            Some(contacts) => contacts.clone(),
            // It was made, and whatever goes wrong from here on must not hide that.
            None => self.contacts_of(&id).await.map_err(|_| unreadable())?,
        };
        of_somebody(id, &contacts)
    }

    async fn contacts_of(&self, case_id: &str) -> Result<Value, DeliveryError> {
        let case = self.case(case_id).await?;
        case.pointer("/cases_obj/contacts").cloned().ok_or_else(unreadable)
    }

    /// The search looks for the key in names and descriptions. Merged, duplicate and, to administrators, deleted
    /// cases count: made is made.
    pub(super) async fn case_made(
        &self,
        key: &DedupeKey,
    ) -> Result<Option<RemoteId>, DeliveryError> {
        let request = Request::get("api/cases/")
            .query("search", key.as_str())
            .query("slim", "true")
            .query("show_merged", "true")
            .query("include_deleted", "true")
            .query("limit", PAGE.to_string());
        let answer = self.ask(request).await?;
        let cases = list(&answer, "/cases")?;
        let Some(RemoteId(id)) = marked(cases, "/description", key) else { return Ok(None) };
        let case = cases.iter().find(|case| at(case, "/id").as_deref() == Some(&id));
        let contacts = match case.and_then(|case| case.get("contacts")) {
            Some(contacts) => contacts.clone(),
            None => self.contacts_of(&id).await?,
        };
        of_somebody(id, &contacts).map(Some)
    }

    /// There is no conditional write: between reading and writing lie some hundredths of a second in which
    /// somebody else's change is not noticed.
    pub(super) async fn update_case(&self, update: &CaseUpdate) -> Result<RemoteId, DeliveryError> {
        let case = self.case(&update.case_id).await?;
        let body = case.pointer("/cases_obj").ok_or_else(unreadable)?;
        if update.expected_version.as_ref().is_some_and(|expected| *expected != version(body)) {
            return Err(DeliveryError::Changed);
        }
        let id = made(body, "/id")?;
        let mut changes = serde_json::Map::new();
        for (field, value) in [("status", &update.status), ("priority", &update.priority)] {
            if let Some(value) = value {
                changes.insert(field.to_owned(), Value::String(value.clone()));
            }
        }
        if !changes.is_empty() {
            let path = format!("api/cases/{}/", identifier(&id)?);
            let request = Request::new(http::Method::PATCH, &path).json(Value::Object(changes));
            self.ask(request).await?;
        }
        Ok(RemoteId(id))
    }

    pub(super) async fn is_updated(
        &self,
        update: &CaseUpdate,
    ) -> Result<Option<RemoteId>, DeliveryError> {
        let case = self.case(&update.case_id).await?;
        let body = case.pointer("/cases_obj").ok_or_else(unreadable)?;
        let (status, priority) = (at(body, "/status"), at(body, "/priority"));
        let is_done = is_as_wanted(update, status.as_deref(), priority.as_deref());
        Ok(is_done.then(|| at(body, "/id").map(RemoteId)).flatten())
    }

    /// A comment: in a case it is marked as internal, or the customer would read it in the portal; those of a
    /// contact nobody but colleagues can see.
    pub(super) async fn add_note(
        &self,
        note: &NewNote,
        key: &DedupeKey,
    ) -> Result<RemoteId, DeliveryError> {
        let text = wording::marked(&wording::note(note), key, COMMENT);
        let place = Place::of(&note.contact_id, note.case.as_ref())?;
        let answer = match place {
            Place::Contact(id) => {
                let path = format!("api/contacts/{}/", identifier(id)?);
                self.ask(Request::post(&path, json!({"comment": text}))).await?
            }
            Place::Case(id) => {
                let id = made(&self.case(id).await?, "/cases_obj/id")?;
                let path = format!("api/cases/{}/", identifier(&id)?);
                let body = json!({"comment": text, "is_internal": true});
                self.ask(Request::post(&path, body)).await?
            }
        };
        comments(&answer, key)?.ok_or_else(unreadable)
    }

    /// Comments of a case that was merged move with it; those of one that was unmerged move back, so that both are
    /// looked at where there are two.
    pub(super) async fn note_made(
        &self,
        note: &NewNote,
        key: &DedupeKey,
    ) -> Result<Option<RemoteId>, DeliveryError> {
        match Place::of(&note.contact_id, note.case.as_ref())? {
            Place::Contact(id) => comments(&self.contact(id).await?, key),
            Place::Case(id) => {
                let case = self.case(id).await?;
                let found = comments(&case, key)?;
                if found.is_some() || at(&case, "/cases_obj/id").as_deref() == Some(id) {
                    return Ok(found);
                }
                let path = format!("api/cases/{}/", identifier(id)?);
                let merged = self.ask(Request::get(&path).query("show_merged", "true")).await?;
                comments(&merged, key)
            }
        }
    }

    /// An interaction has one home: the case where there is one.
    pub(super) async fn log_call(
        &self,
        call: &CallRecord,
        key: &DedupeKey,
    ) -> Result<RemoteId, DeliveryError> {
        let (home, id) = self.home(call).await?;
        let mut told = call.clone();
        told.subject = crate::domain::Redacted::default();
        let body = json!({
            "kind": "call",
            home: id,
            "direction": match call.direction {
                Direction::Inbound => "inbound",
                Direction::Outbound => "outbound",
            },
            "occurred_at": call.started_at.to_string(),
            "duration_seconds": call.duration_s,
            // Its own outcomes say whether somebody picked up; the disposition stands in the text.
            "outcome": "connected",
            "subject": wording::cut(&one_line(call.subject.as_str()), INTERACTION_SUBJECT),
            "body": wording::marked(&wording::call(&told), key, COMMENT),
        });
        let answer = self.ask(Request::post("api/interactions/", body)).await?;
        made(&answer, "/id").map(RemoteId)
    }

    async fn home(&self, call: &CallRecord) -> Result<(&'static str, String), DeliveryError> {
        match Place::of(&call.contact_id, call.case.as_ref())? {
            Place::Contact(id) => identifier(id).map(|_| ("contact", id.to_owned())),
            Place::Case(id) => Ok(("case", made(&self.case(id).await?, "/cases_obj/id")?)),
        }
    }

    pub(super) async fn call_made(
        &self,
        call: &CallRecord,
        key: &DedupeKey,
    ) -> Result<Option<RemoteId>, DeliveryError> {
        let (home, id) = self.home(call).await?;
        for page in 0..PAGES_MAX {
            let calls = self.interactions(home, &id, PAGE, page * PAGE).await?;
            if let Some(found) = marked(&calls, "/body", key) {
                return Ok(Some(found));
            }
            // New ones come first and push others to a later page, where they are seen twice, not missed.
            if calls.len() < PAGE {
                return Ok(None);
            }
        }
        Err(DeliveryError::Undecided("there are too many calls to look through".to_owned()))
    }

    pub(super) async fn interactions(
        &self,
        home: &str,
        id: &str,
        limit: usize,
        offset: usize,
    ) -> Result<Vec<Value>, DeliveryError> {
        let request = Request::get("api/interactions/")
            .query(home, id)
            .query("limit", limit.to_string())
            .query("offset", offset.to_string());
        let answer = self.ask(request).await?;
        list(&answer, "/interactions").map(<[Value]>::to_vec)
    }

    /// A task is due on a day; the time of it stands in the text. The answer has no identifier, so the contact's
    /// tasks are read, as they are to find it again.
    pub(super) async fn create_task(
        &self,
        task: &NewTask,
        key: &DedupeKey,
    ) -> Result<RemoteId, DeliveryError> {
        self.contact(&task.contact_id).await?;
        let title = wording::cut(&one_line(task.subject.as_str()), TASK_TITLE);
        let when = task.due.as_ref().and_then(time_of_day).unwrap_or_default();
        let text = wording::titled(&when, task.body.as_str());
        let mut body = json!({
            "title": if title.is_empty() { "Follow-up" } else { &title },
            "status": "New",
            "priority": "Medium",
            "due_date": task.due.as_ref().map(|due| due.date.to_string()),
            "description": wording::marked(&text, key, DESCRIPTION),
            "contacts": [task.contact_id],
        });
        if let Place::Case(id) = Place::of(&task.contact_id, task.case.as_ref())? {
            body["case"] = json!(made(&self.case(id).await?, "/cases_obj/id")?);
        }
        self.ask(Request::post("api/tasks/", body)).await?;
        match self.task_made(&task.contact_id, key).await {
            Ok(Some(made)) => Ok(made),
            // It was made, and whatever goes wrong from here on must not hide that.
            Ok(None) | Err(_) => Err(unreadable()),
        }
    }

    pub(super) async fn task_made(
        &self,
        contact_id: &str,
        key: &DedupeKey,
    ) -> Result<Option<RemoteId>, DeliveryError> {
        let contact = self.contact(contact_id).await?;
        Ok(marked(list(&contact, "/tasks")?, "/description", key))
    }

    /// A solution that nobody has approved.
    pub(super) async fn push_article(
        &self,
        article: &PushedArticle,
        key: &DedupeKey,
    ) -> Result<RemoteId, DeliveryError> {
        let body = json!({
            "title": wording::cut(&one_line(article.title.as_str()), SOLUTION_TITLE),
            "description": wording::marked(article.body.as_str(), key, DESCRIPTION),
            "status": "draft",
            "is_published": false,
        });
        let answer = self.ask(Request::post("api/cases/solutions/", body)).await?;
        made(&answer, "/id").map(RemoteId)
    }

    pub(super) async fn article_made(
        &self,
        key: &DedupeKey,
    ) -> Result<Option<RemoteId>, DeliveryError> {
        let request = Request::get("api/cases/solutions/")
            .query("search", key.as_str())
            .query("limit", PAGE.to_string());
        let answer = self.ask(request).await?;
        Ok(marked(list(&answer, "/results")?, "/description", key))
    }
}

/// A contact that went while the case was made is left out without a word: the case stands, and is nobody's.
fn of_somebody(id: String, contacts: &Value) -> Result<RemoteId, DeliveryError> {
    match contacts.as_array() {
        None => Err(unreadable()),
        Some(all) if all.is_empty() => {
            let what = "the case was made without a contact; give it one there and try again";
            Err(DeliveryError::Undecided(format!("{what}: case {id}")))
        }
        Some(_) => Ok(RemoteId(id)),
    }
}

fn comments(answer: &Value, key: &DedupeKey) -> Result<Option<RemoteId>, DeliveryError> {
    let mut found = marked(list(answer, "/comments")?, "/comment", key);
    if found.is_none() && answer.get("internal_notes").is_some() {
        found = marked(list(answer, "/internal_notes")?, "/comment", key);
    }
    Ok(found)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn time_of_day(due: &DueAt) -> Option<String> {
    Some(format!("Due {} {} ({})", due.date, due.time?.strftime("%H:%M"), due.time_zone))
}
