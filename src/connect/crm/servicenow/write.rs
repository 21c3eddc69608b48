//! What is written to ServiceNow, and how it is found again.

use http::Method;
use serde_json::{Value, json};

use super::query::id;
use super::wire::{raw, shown_as};
use super::{Interactions, PAGE, PAGES_MAX, ServiceNow, wire};
use crate::connect::crm::answers::{is_as_wanted, unreadable};
use crate::connect::crm::wording::{self, bears, cut, due_at, html, marked};
use crate::connect::destination::DeliveryError;
use crate::connect::http::Request;
use crate::domain::{
    CallRecord, CaseRef, CaseUpdate, DedupeKey, Effect, NewCase, NewNote, NewTask, PushedArticle,
};

/// `task.short_description`, `task.description` and `kb_knowledge.short_description` as they are made.
const SHORT_MAX: usize = 160;
const DESCRIPTION_MAX: usize = 4_000;
const TITLE_MAX: usize = 100;
/// A journal entry is a text of the database without a length; people read no longer ones.
const NOTE_MAX: usize = 30_000;

const NOT_HERE: DeliveryError =
    DeliveryError::Unsupported("ServiceNow takes no such thing from here");
const NO_NOTE: DeliveryError = DeliveryError::Unsupported("ServiceNow has notes on cases only");
const NO_CALL: DeliveryError =
    DeliveryError::Unsupported("interactions isn't set: no call without a case");
const NO_ARTICLES: DeliveryError = DeliveryError::Unsupported("knowledge_base isn't set");

impl ServiceNow {
    /// Makes it; the `sys_id` of the record that was made, or in whose journal it stands.
    pub(super) async fn write(
        &self,
        effect: &Effect,
        key: &DedupeKey,
    ) -> Result<String, DeliveryError> {
        match effect {
            Effect::CreateCase(one) => {
                let table = &self.settings.case_table;
                self.create(table, self.case(one, key)?, Some(key)).await
            }
            Effect::UpdateCase(one) => self.update(one).await,
            Effect::AddNote(NewNote { case: None, .. }) => Err(NO_NOTE),
            Effect::AddNote(one) => self.note(one.case.as_ref(), &wording::note(one), key).await,
            Effect::LogCall(one) if one.case.is_some() => {
                self.note(one.case.as_ref(), &wording::call(one), key).await
            }
            Effect::LogCall(one) => self.interaction(one, key).await,
            Effect::CreateTask(one) => {
                self.create(&self.settings.task_table, task(one, key)?, Some(key)).await
            }
            Effect::PushArticle(one) => self.article(one, key).await,
            _ => Err(NOT_HERE),
        }
    }

    /// The same of what an earlier try made.
    pub(super) async fn written(
        &self,
        effect: &Effect,
        key: &DedupeKey,
    ) -> Result<Option<String>, DeliveryError> {
        match effect {
            Effect::CreateCase(_) => self.created(&self.settings.case_table, key).await,
            Effect::CreateTask(_) => self.created(&self.settings.task_table, key).await,
            Effect::UpdateCase(one) => self.is_updated(one).await,
            Effect::AddNote(NewNote { case: Some(case), .. })
            | Effect::LogCall(CallRecord { case: Some(case), .. }) => {
                let case = case_id(Some(case))?;
                Ok(self.is_noted(&[case.to_owned()], key).await?)
            }
            Effect::AddNote(_) => Err(NO_NOTE),
            Effect::LogCall(one) => self.interacted(one, key).await,
            Effect::PushArticle(_) => self.pushed(key).await,
            _ => Err(NOT_HERE),
        }
    }

    /// `POST table/<table>`: 201 and the record. `key` is to stand in `correlation_id`.
    async fn create(
        &self,
        table: &str,
        fields: Value,
        key: Option<&DedupeKey>,
    ) -> Result<String, DeliveryError> {
        let path = self.path(table);
        let request = Request::post(&path, fields).query("sysparm_fields", "sys_id,correlation_id");
        let answer = self.ask(request).await?;
        let record = answer.body.pointer("/result").ok_or_else(unreadable)?;
        let made = raw(record, "sys_id").ok_or_else(unreadable)?;
        // A field that a table hasn't, or that the user may not write, is left out without a word.
        if key.is_some_and(|key| raw(record, "correlation_id").as_deref() != Some(key.as_str())) {
            return Err(DeliveryError::Untrusted(format!("{table} doesn't keep correlation_id")));
        }
        Ok(made)
    }

    /// By `correlation_id`, from the database.
    async fn created(&self, table: &str, key: &DedupeKey) -> Result<Option<String>, DeliveryError> {
        let query = format!("correlation_id={}", key.as_str());
        let records = self.list(table, query, &["sys_id", "correlation_id"], 2).await?;
        let is_ours =
            |record: &&Value| raw(record, "correlation_id").as_deref() == Some(key.as_str());
        match (records.iter().find(is_ours), records.is_empty()) {
            (Some(record), _) => raw(record, "sys_id").ok_or_else(unreadable).map(Some),
            (None, true) => Ok(None),
            (None, false) => Err(DeliveryError::Untrusted(format!(
                "correlation_id of {table} is not filtered by"
            ))),
        }
    }

    fn case(&self, case: &NewCase, key: &DedupeKey) -> Result<Value, DeliveryError> {
        let mut fields = json!({
            "short_description": cut(case.subject.as_str(), SHORT_MAX),
            "description": cut(case.body.as_str(), DESCRIPTION_MAX),
            "contact_type": "phone",
            "correlation_id": key.as_str(),
            "correlation_display": "backchannel",
        });
        fields[self.settings.case_contact_field.as_str()] = json!(contact(&case.contact_id)?);
        if let Some(priority) = &case.priority {
            // Choices are numbers, with or without their words: `1 - High`.
            let number = priority.split(" - ").next().unwrap_or(priority);
            fields[self.settings.priority_field.as_str()] = json!(number);
        }
        Ok(fields)
    }

    /// A work note: for those who work on it, not for the customer.
    async fn note(
        &self,
        case: Option<&CaseRef>,
        text: &str,
        key: &DedupeKey,
    ) -> Result<String, DeliveryError> {
        let case = case_id(case)?;
        let fields = json!({"work_notes": marked(text, key, NOTE_MAX)});
        self.patch(case, fields, false).await
    }

    /// `in_words` says that choices are given as people see them (`sysparm_input_display_value`).
    async fn patch(
        &self,
        case: &str,
        fields: Value,
        in_words: bool,
    ) -> Result<String, DeliveryError> {
        let path = self.path(&format!("{}/{case}", self.settings.case_table));
        let request = Request::new(Method::PATCH, &path)
            .json(fields)
            .query("sysparm_fields", "sys_id")
            .query("sysparm_input_display_value", in_words.to_string());
        let answer = self.ask(request).await?;
        let record = answer.body.pointer("/result").ok_or_else(unreadable)?;
        raw(record, "sys_id").filter(|id| id == case).ok_or_else(unreadable)
    }

    /// The record in whose journal the key's marker stands.
    async fn is_noted(
        &self,
        ids: &[String],
        key: &DedupeKey,
    ) -> Result<Option<String>, DeliveryError> {
        if ids.is_empty() {
            return Ok(None);
        }
        let query =
            format!("element_idIN{}^element=work_notes^ORDERBYDESCsys_created_on", ids.join(","));
        let mut read = 0;
        for page in 0..PAGES_MAX {
            let (entries, total) = self
                .page("sys_journal_field", query.clone(), wire::JOURNAL_FIELDS, PAGE, page * PAGE)
                .await?;
            for entry in &entries {
                let element =
                    raw(entry, "element_id").filter(|id| ids.contains(id)).ok_or_else(|| {
                        DeliveryError::Untrusted(
                            "element_id of the journal is not filtered by".to_owned(),
                        )
                    })?;
                if raw(entry, "value").is_some_and(|text| bears(&text, key)) {
                    return Ok(Some(element));
                }
            }
            read += entries.len();
            let is_last = match total {
                Some(total) => (page + 1) * PAGE >= total,
                None => entries.len() < PAGE,
            };
            match (is_last, total) {
                (true, Some(total)) if read == 0 && total > 0 => {
                    return Err(DeliveryError::Denied("the journal can't be read".to_owned()));
                }
                (true, _) => return Ok(None),
                (false, _) => (),
            }
        }
        Err(DeliveryError::Unclear("the journal has too many entries".to_owned()))
    }

    /// Choices may be given by number or in words, both in the same way.
    async fn update(&self, update: &CaseUpdate) -> Result<String, DeliveryError> {
        let case = id(&update.case_id).ok_or_else(no_case)?;
        if let Some(expected) = &update.expected_version
            && raw(&self.case_now(case).await?, "sys_mod_count").as_ref() != Some(expected)
        {
            return Err(DeliveryError::Changed);
        }
        let mut fields = json!({});
        let mut in_words = false;
        let named =
            [("state", &update.status), (self.settings.priority_field.as_str(), &update.priority)];
        for (field, wanted) in named {
            if let Some(wanted) = wanted {
                fields[field] = json!(wanted);
                in_words |= wanted.parse::<i64>().is_err();
            }
        }
        self.patch(case, fields, in_words).await
    }

    async fn is_updated(&self, update: &CaseUpdate) -> Result<Option<String>, DeliveryError> {
        let case = id(&update.case_id).ok_or_else(no_case)?;
        let now = self.case_now(case).await?;
        let is = |field: &str, wanted: &Option<String>| match raw(&now, field) {
            Some(number) if Some(&number) == wanted.as_ref() => Some(number),
            _ => shown_as(&now, field),
        };
        let status = is("state", &update.status);
        let priority = is(&self.settings.priority_field, &update.priority);
        Ok(is_as_wanted(update, status.as_deref(), priority.as_deref()).then(|| case.to_owned()))
    }

    /// What an update changes, and the count of changes.
    async fn case_now(&self, case: &str) -> Result<Value, DeliveryError> {
        let fields = ["sys_id", "state", "sys_mod_count", self.settings.priority_field.as_str()];
        let records =
            self.list(&self.settings.case_table, format!("sys_id={case}"), &fields, 1).await?;
        let found = records.into_iter().next().ok_or_else(no_case)?;
        match raw(&found, "sys_id").as_deref() == Some(case) {
            true => Ok(found),
            false => Err(DeliveryError::Untrusted("sys_id is not filtered by".to_owned())),
        }
    }

    /// A call that belongs to no case: `interaction` with its text as a work note.
    async fn interaction(
        &self,
        call: &CallRecord,
        key: &DedupeKey,
    ) -> Result<String, DeliveryError> {
        let Interactions { table, contact_field } =
            self.settings.interactions.as_ref().ok_or(NO_CALL)?;
        let mut fields = json!({
            "type": "phone",
            "state": "closed_complete",
            "short_description": cut(call.subject.as_str(), SHORT_MAX),
            "work_notes": marked(&wording::call(call), key, NOTE_MAX),
        });
        fields[contact_field.as_str()] = json!(contact(&call.contact_id)?);
        self.create(table, fields, None).await
    }

    /// Interactions have no field for a key: those of the contact are looked through.
    async fn interacted(
        &self,
        call: &CallRecord,
        key: &DedupeKey,
    ) -> Result<Option<String>, DeliveryError> {
        let Interactions { table, contact_field } =
            self.settings.interactions.as_ref().ok_or(NO_CALL)?;
        let contact = contact(&call.contact_id)?;
        let query = format!("{contact_field}={contact}^ORDERBYDESCsys_created_on");
        for page in 0..PAGES_MAX {
            let fields = ["sys_id", contact_field.as_str()];
            let (records, total) =
                self.page(table, query.clone(), &fields, PAGE, page * PAGE).await?;
            if records.iter().any(|record| raw(record, contact_field).as_deref() != Some(contact)) {
                return Err(DeliveryError::Untrusted(format!(
                    "{contact_field} of {table} is not filtered by"
                )));
            }
            let ids: Vec<String> =
                records.iter().filter_map(|record| raw(record, "sys_id")).collect();
            if let Some(found) = self.is_noted(&ids, key).await? {
                return Ok(Some(found));
            }
            let is_last = total.map_or(records.len() < PAGE, |total| (page + 1) * PAGE >= total);
            if is_last {
                return Ok(None);
            }
        }
        Err(DeliveryError::Unclear("the contact has too many interactions".to_owned()))
    }

    /// `kb_knowledge` in the state `draft`; a person publishes it.
    async fn article(
        &self,
        article: &PushedArticle,
        key: &DedupeKey,
    ) -> Result<String, DeliveryError> {
        let base = self.settings.knowledge_base.as_ref().ok_or(NO_ARTICLES)?;
        let text = format!("{}\n\n{}", article.body.as_str(), key.marker());
        let fields = json!({
            "short_description": cut(article.title.as_str(), TITLE_MAX),
            "text": html(&text),
            "kb_knowledge_base": base,
            "workflow_state": "draft",
        });
        self.create("kb_knowledge", fields, None).await
    }

    /// By a condition on its text, in one knowledge base.
    async fn pushed(&self, key: &DedupeKey) -> Result<Option<String>, DeliveryError> {
        let base = self.settings.knowledge_base.as_ref().ok_or(NO_ARTICLES)?;
        let query = format!("kb_knowledge_base={base}^textLIKEbackchannel:{}]", key.as_str());
        let records = self.list("kb_knowledge", query, &["sys_id", "text"], 2).await?;
        let is_ours = |record: &&Value| raw(record, "text").is_some_and(|text| bears(&text, key));
        match (records.iter().find(is_ours), records.is_empty()) {
            (Some(record), _) => raw(record, "sys_id").ok_or_else(unreadable).map(Some),
            (None, true) => Ok(None),
            (None, false) => {
                Err(DeliveryError::Untrusted("text of kb_knowledge is not filtered by".to_owned()))
            }
        }
    }
}

/// A task of the settings' table, below its case.
fn task(task: &NewTask, key: &DedupeKey) -> Result<Value, DeliveryError> {
    contact(&task.contact_id)?;
    let mut fields = json!({
        "short_description": cut(task.subject.as_str(), SHORT_MAX),
        "description": cut(task.body.as_str(), DESCRIPTION_MAX),
        "correlation_id": key.as_str(),
        "correlation_display": "backchannel",
    });
    if let Some(case) = &task.case {
        fields["parent"] = json!(case_id(Some(case))?);
    }
    if let Some(at) = task.due.as_ref().and_then(due_at) {
        fields["due_date"] = json!(at.strftime("%F %T").to_string());
    }
    Ok(fields)
}

/// ServiceNow keeps a reference to nobody without a word, so that at least its form is checked.
fn contact(text: &str) -> Result<&str, DeliveryError> {
    id(text).ok_or_else(|| DeliveryError::NotFound("there is no such contact".to_owned()))
}

fn no_case() -> DeliveryError {
    DeliveryError::NotFound("there is no such case".to_owned())
}

fn case_id(case: Option<&CaseRef>) -> Result<&str, DeliveryError> {
    match case {
        Some(CaseRef::Id(text)) => id(text).ok_or_else(no_case),
        _ => Err(no_case()),
    }
}
