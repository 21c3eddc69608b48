//! What is written to Salesforce, and how it is found again.

use jiff::fmt::rfc2822::DateTimePrinter;
use serde_json::{Value, json};

use super::query::{id, quoted};
use super::{Articles, Salesforce, wire};
use crate::connect::crm::answers::{at, is_as_wanted, made, unreadable};
use crate::connect::crm::wording::{self, bears, cut, due_at, html, marked_in_bytes, moment};
use crate::connect::destination::DeliveryError;
use crate::connect::http::Request;
use crate::domain::{
    CallRecord, CaseRef, CaseUpdate, DedupeKey, Direction, Effect, NewCase, NewNote, NewTask,
    PushedArticle,
};

/// Case.Subject, Task.Subject, Task.CallDisposition, Knowledge Title and UrlName.
const SHORT_MAX: usize = 255;
/// Case.Description and Task.Description.
const LONG_MAX: usize = 32_000;
/// CaseComment.CommentBody, in bytes.
const COMMENT_MAX_BYTES: usize = 4_000;
/// A rich text field holds 131,072 characters at the most; as it is made, 32,768.
const ARTICLE_MAX: usize = 32_000;

impl Salesforce {
    /// Makes it; the identifier of the record that was made or changed.
    pub(super) async fn write(
        &self,
        effect: &Effect,
        key: &DedupeKey,
    ) -> Result<String, DeliveryError> {
        match effect {
            Effect::CreateCase(one) => self.upsert("Case", key, self.case(one)?).await,
            Effect::UpdateCase(one) => self.update(one).await,
            Effect::AddNote(one) => match &one.case {
                Some(case) => self.comment(case, one, key).await,
                None => self.upsert("Task", key, self.note(one)?).await,
            },
            Effect::LogCall(one) => self.upsert("Task", key, self.call(one)?).await,
            Effect::CreateTask(one) => self.upsert("Task", key, self.task(one)?).await,
            Effect::PushArticle(one) => self.article(one, key).await,
            _ => Err(DeliveryError::Unsupported("Salesforce takes no such thing from here")),
        }
    }

    /// The record that an earlier try made. A query, not a search: SOQL reads the database, SOSL its index.
    pub(super) async fn written(
        &self,
        effect: &Effect,
        key: &DedupeKey,
    ) -> Result<Option<String>, DeliveryError> {
        let object = match effect {
            Effect::CreateCase(_) => "Case",
            Effect::UpdateCase(one) => return self.is_updated(one).await,
            Effect::AddNote(NewNote { case: Some(case), .. }) => {
                return self.commented(case, key).await;
            }
            Effect::AddNote(_) | Effect::LogCall(_) | Effect::CreateTask(_) => "Task",
            Effect::PushArticle(one) => return self.pushed(one, key).await,
            _ => {
                return Err(DeliveryError::Unsupported("Salesforce takes no such thing from here"));
            }
        };
        let field = &self.settings.key_field;
        // Not by the external id's address: a missing field is a 404 there, like a missing record.
        let soql = format!(
            "SELECT Id, {field} FROM {object} WHERE {field} = {} ORDER BY CreatedDate LIMIT 2",
            quoted(key.as_str())
        );
        let records = self.records(soql).await?;
        let right = records
            .iter()
            .find(|record| at(record, &format!("/{field}")).as_deref() == Some(key.as_str()));
        match (right, records.is_empty()) {
            (Some(record), _) => made(record, "/Id").map(Some),
            (None, true) => Ok(None),
            (None, false) => {
                Err(DeliveryError::Untrusted("the key's field is not filtered by".to_owned()))
            }
        }
    }

    /// `PATCH sobjects/<object>/<field>/<key>`: 201 made, 200 changed, 300 several (`dome_upsert.htm`).
    async fn upsert(
        &self,
        object: &str,
        key: &DedupeKey,
        fields: Value,
    ) -> Result<String, DeliveryError> {
        let path =
            self.path(&format!("sobjects/{object}/{}/{}", self.settings.key_field, key.as_str()));
        let request = Request::new(http::Method::PATCH, &path).json(fields);
        let answer = self.door.send(request).await?;
        if answer.status.as_u16() == 300 {
            return Err(DeliveryError::Refused(
                "several records bear this key: its field must be unique".to_owned(),
            ));
        }
        created(&wire::success(answer)?.body)
    }

    fn case(&self, case: &NewCase) -> Result<Value, DeliveryError> {
        let mut fields = json!({
            "ContactId": contact(&case.contact_id)?,
            "Subject": cut(case.subject.as_str(), SHORT_MAX),
            "Description": cut(case.body.as_str(), LONG_MAX),
            "Origin": self.settings.case_origin,
        });
        if let Some(priority) = &case.priority {
            fields["Priority"] = json!(priority);
        }
        Ok(fields)
    }

    /// A note without a case is a task that is done already.
    fn note(&self, note: &NewNote) -> Result<Value, DeliveryError> {
        Ok(json!({
            "WhoId": contact(&note.contact_id)?,
            "Subject": cut(note.subject.as_str(), SHORT_MAX),
            "Description": cut(note.body.as_str(), LONG_MAX),
            "Status": self.settings.completed_status,
        }))
    }

    /// The call fields of Task are there for whoever has Salesforce CRM Call Center.
    fn call(&self, call: &CallRecord) -> Result<Value, DeliveryError> {
        let mut fields = json!({
            "WhoId": contact(&call.contact_id)?,
            "Subject": cut(call.subject.as_str(), SHORT_MAX),
            "Description": cut(call.body.as_str(), LONG_MAX),
            "Status": self.settings.completed_status,
            "TaskSubtype": "Call",
            "CallType": match call.direction {
                Direction::Inbound => "Inbound",
                Direction::Outbound => "Outbound",
            },
            "CallDurationInSeconds": call.duration_s,
            "ActivityDate": call.started_at.strftime("%F").to_string(),
        });
        if let Some(outcome) = &call.outcome {
            fields["CallDisposition"] = json!(cut(outcome.as_str(), SHORT_MAX));
        }
        about(&mut fields, call.case.as_ref())?;
        Ok(fields)
    }

    fn task(&self, task: &NewTask) -> Result<Value, DeliveryError> {
        let mut fields = json!({
            "WhoId": contact(&task.contact_id)?,
            "Subject": cut(task.subject.as_str(), SHORT_MAX),
            "Description": cut(task.body.as_str(), LONG_MAX),
            "Status": self.settings.open_status,
        });
        if let Some(due) = &task.due {
            // A task is due on a day; the moment goes into its reminder.
            fields["ActivityDate"] = json!(due.date.to_string());
            if let Some(moment) = due.time.and_then(|_| due_at(due)) {
                fields["IsReminderSet"] = json!(true);
                fields["ReminderDateTime"] = json!(moment.to_string());
            }
        }
        about(&mut fields, task.case.as_ref())?;
        Ok(fields)
    }

    /// Unpublished, a comment is shown to no customer.
    async fn comment(
        &self,
        case: &CaseRef,
        note: &NewNote,
        key: &DedupeKey,
    ) -> Result<String, DeliveryError> {
        let fields = json!({
            "ParentId": case_id(case)?,
            "CommentBody": marked_in_bytes(&wording::note(note), key, COMMENT_MAX_BYTES),
            "IsPublished": false,
        });
        let answer = self.ask(Request::post(&self.path("sobjects/CaseComment"), fields)).await?;
        created(&answer.body)
    }

    async fn commented(
        &self,
        case: &CaseRef,
        key: &DedupeKey,
    ) -> Result<Option<String>, DeliveryError> {
        // Its text is no field that can be filtered by, so that all comments are read.
        let soql = format!(
            "SELECT Id, CommentBody FROM CaseComment WHERE ParentId = {} ORDER BY CreatedDate DESC",
            quoted(case_id(case)?)
        );
        let records = self.records(soql).await?;
        let ours =
            |record: &&Value| at(record, "/CommentBody").is_some_and(|text| bears(&text, key));
        records.iter().find(ours).map(|record| made(record, "/Id")).transpose()
    }

    /// `If-Unmodified-Since` counts in seconds, so that the exact time is compared before, and the header closes
    /// the gap between.
    async fn update(&self, update: &CaseUpdate) -> Result<String, DeliveryError> {
        let case = id(&update.case_id).ok_or_else(no_case)?;
        let mut fields = json!({});
        for (field, wanted) in [("Status", &update.status), ("Priority", &update.priority)] {
            if let Some(wanted) = wanted {
                fields[field] = json!(wanted);
            }
        }
        let path = self.path(&format!("sobjects/Case/{case}"));
        let mut request = Request::new(http::Method::PATCH, &path).json(fields);
        if let Some(expected) = &update.expected_version {
            let known = self.case_now(case).await?;
            if at(&known, "/LastModifiedDate").as_ref() != Some(expected) {
                return Err(DeliveryError::Changed);
            }
            let second = moment(expected)
                .and_then(|at| jiff::Timestamp::from_second(at.as_second() + 1).ok());
            let date =
                second.and_then(|at| DateTimePrinter::new().timestamp_to_rfc9110_string(&at).ok());
            request = request.header("if-unmodified-since", date.ok_or(DeliveryError::Changed)?);
        }
        let answer = self.ask(request).await?;
        match answer.status.as_u16() {
            204 => Ok(case.to_owned()),
            _ => Err(unreadable()),
        }
    }

    async fn is_updated(&self, update: &CaseUpdate) -> Result<Option<String>, DeliveryError> {
        let case = id(&update.case_id).ok_or_else(no_case)?;
        let known = self.case_now(case).await?;
        let (status, priority) = (at(&known, "/Status"), at(&known, "/Priority"));
        let is_so = is_as_wanted(update, status.as_deref(), priority.as_deref());
        Ok(is_so.then(|| case.to_owned()))
    }

    /// What an update changes, and when it was last changed, to the millisecond.
    async fn case_now(&self, case: &str) -> Result<Value, DeliveryError> {
        let soql = format!(
            "SELECT Id, Status, Priority, LastModifiedDate FROM Case WHERE Id = {}",
            quoted(case)
        );
        self.records(soql).await?.pop().ok_or_else(no_case)
    }

    fn articles(&self) -> Result<&Articles, DeliveryError> {
        let missing =
            DeliveryError::Unsupported("no article object is set for this Salesforce org");
        self.settings.articles.as_ref().ok_or(missing)
    }

    /// A version of an article is a draft until it is published by an action of its own.
    async fn article(
        &self,
        article: &PushedArticle,
        key: &DedupeKey,
    ) -> Result<String, DeliveryError> {
        let Articles { object, body_field, language } = self.articles()?;
        let mut fields = json!({
            "Title": cut(article.title.as_str(), SHORT_MAX),
            "UrlName": url_name(article, key),
            "Language": language,
        });
        fields[body_field.as_str()] = json!(html(&cut(article.body.as_str(), ARTICLE_MAX)));
        let answer =
            self.ask(Request::post(&self.path(&format!("sobjects/{object}")), fields)).await?;
        created(&answer.body)
    }

    /// A person may have published or archived it since; one query sees one state only.
    async fn pushed(
        &self,
        article: &PushedArticle,
        key: &DedupeKey,
    ) -> Result<Option<String>, DeliveryError> {
        let Articles { object, language, .. } = self.articles()?;
        let name = url_name(article, key);
        for state in ["Draft", "Online", "Archived"] {
            let soql = format!(
                "SELECT Id, UrlName FROM {object} WHERE UrlName = {} AND PublishStatus = '{state}' AND Language = {}",
                quoted(&name),
                quoted(language)
            );
            let records = self.records(soql).await?;
            let right =
                records.iter().find(|record| at(record, "/UrlName").as_ref() == Some(&name));
            if let Some(record) = right {
                return made(record, "/Id").map(Some);
            }
        }
        Ok(None)
    }
}

/// `{"id", "success", "errors"}` of a create or an upsert.
fn created(body: &Value) -> Result<String, DeliveryError> {
    if body.pointer("/success") != Some(&Value::Bool(true)) {
        return Err(unreadable());
    }
    made(body, "/id")
}

fn contact(text: &str) -> Result<&str, DeliveryError> {
    id(text).ok_or_else(|| {
        DeliveryError::NotFound("the contact's identifier is none of Salesforce's".to_owned())
    })
}

fn no_case() -> DeliveryError {
    DeliveryError::NotFound("there is no such case".to_owned())
}

fn case_id(case: &CaseRef) -> Result<&str, DeliveryError> {
    match case {
        CaseRef::Id(text) => id(text).ok_or_else(no_case),
        CaseRef::MadeBy(_) => Err(no_case()),
    }
}

/// What a task is related to.
fn about(fields: &mut Value, case: Option<&CaseRef>) -> Result<(), DeliveryError> {
    if let Some(case) = case {
        fields["WhatId"] = json!(case_id(case)?);
    }
    Ok(())
}

/// Letters, digits and single hyphens. The key at its end makes it ours, and unique.
fn url_name(article: &PushedArticle, key: &DedupeKey) -> String {
    let mut slug = String::new();
    for character in article.article.as_str().chars().take(120) {
        match character.is_ascii_alphanumeric() {
            true => slug.push(character.to_ascii_lowercase()),
            false if !slug.ends_with('-') && !slug.is_empty() => slug.push('-'),
            false => (),
        }
    }
    format!("{}-{}", slug.trim_end_matches('-'), key.as_str()).trim_start_matches('-').to_owned()
}
