//! What is written to Odoo, and how it is found again.

use serde_json::{Value, json};

use super::wire::{self, id, reference};
use super::{Articles, CONTACTS, MESSAGES, Odoo};
use crate::connect::crm::answers::{at, is_as_wanted, unreadable};
use crate::connect::crm::wording::{self, bears, cut, html, marked_html};
use crate::connect::destination::DeliveryError;
use crate::domain::{
    CallRecord, CaseRef, CaseUpdate, DedupeKey, Effect, NewCase, NewNote, NewTask, PushedArticle,
};

/// What a list shows of a name.
const SUBJECT_MAX: usize = 200;
/// A text of the database has no length of its own; nobody reads longer ones.
const TEXT_MAX: usize = 60_000;
const ACTIVITIES: &str = "mail.activity";
const ARTICLES: &str = "knowledge.article";

const NOT_HERE: DeliveryError = DeliveryError::Unsupported("Odoo takes no such thing from here");
const NO_ARTICLES: DeliveryError =
    DeliveryError::Unsupported("articles isn't set: Knowledge is no part of all Odoos");

impl Odoo {
    /// Makes it; the number of the record or the message.
    pub(super) async fn write(
        &self,
        effect: &Effect,
        key: &DedupeKey,
    ) -> Result<String, DeliveryError> {
        match effect {
            Effect::CreateCase(one) => self.case(one, key).await,
            Effect::UpdateCase(one) => self.update(one).await,
            Effect::AddNote(one) => {
                self.post(
                    self.thread(&one.contact_id, one.case.as_ref())?,
                    &wording::note(one),
                    key,
                )
                .await
            }
            Effect::LogCall(one) => {
                self.post(
                    self.thread(&one.contact_id, one.case.as_ref())?,
                    &wording::call(one),
                    key,
                )
                .await
            }
            Effect::CreateTask(one) => self.task(one, key).await,
            Effect::PushArticle(one) => self.article(one, key).await,
            _ => Err(NOT_HERE),
        }
    }

    /// What an earlier try made, by its marker.
    pub(super) async fn written(
        &self,
        effect: &Effect,
        key: &DedupeKey,
    ) -> Result<Option<String>, DeliveryError> {
        match effect {
            Effect::CreateCase(_) => {
                self.marked(&self.settings.case_model, "description", Vec::new(), key).await
            }
            Effect::UpdateCase(one) => self.is_updated(one).await,
            Effect::AddNote(NewNote { contact_id, case, .. })
            | Effect::LogCall(CallRecord { contact_id, case, .. }) => {
                self.posted(self.thread(contact_id, case.as_ref())?, key).await
            }
            Effect::CreateTask(one) => {
                let open = self.marked(ACTIVITIES, "note", Vec::new(), key).await?;
                match open {
                    Some(found) => Ok(Some(found)),
                    // What is done is a message, and may be gone as an activity.
                    None => {
                        self.posted(self.thread(&one.contact_id, one.case.as_ref())?, key).await
                    }
                }
            }
            Effect::PushArticle(_) if self.settings.articles.is_none() => Err(NO_ARTICLES),
            Effect::PushArticle(_) => self.marked(ARTICLES, "body", Vec::new(), key).await,
            _ => Err(NOT_HERE),
        }
    }

    /// Imports one record under an identifier of ours: makes it, or changes the one that is there.
    async fn load(
        &self,
        model: &str,
        key: &DedupeKey,
        fields: &[(&str, String)],
    ) -> Result<String, DeliveryError> {
        let mut names = vec!["id"];
        let mut row = vec![format!("backchannel.{}", key.as_str())];
        for (name, value) in fields {
            names.push(name);
            row.push(value.clone());
        }
        let done =
            self.calls.call(model, "load", &[], json!({"fields": names, "data": [row]})).await?;
        match done.pointer("/ids") {
            Some(Value::Array(ids)) if ids.len() == 1 => {
                ids[0].as_i64().map(|id| id.to_string()).ok_or_else(unreadable)
            }
            // It says why in `messages`, in words that may quote what was sent.
            Some(Value::Bool(false)) => {
                Err(DeliveryError::Refused(format!("the import of a {model}")))
            }
            _ => Err(unreadable()),
        }
    }

    /// A record with the key's marker in a text of it.
    async fn marked(
        &self,
        model: &str,
        field: &str,
        mut domain: Vec<Value>,
        key: &DedupeKey,
    ) -> Result<Option<String>, DeliveryError> {
        domain.push(json!([field, "ilike", key.marker()]));
        let found = self.search(model, domain, &["id", field], "id", 2).await?;
        let is_ours = |record: &&Value| {
            at(record, &format!("/{field}")).is_some_and(|text| bears(&text, key))
        };
        match (found.iter().find(is_ours), found.is_empty()) {
            (Some(record), _) => at(record, "/id").ok_or_else(unreadable).map(Some),
            (None, true) => Ok(None),
            (None, false) => {
                Err(DeliveryError::Untrusted(format!("{field} of {model} is not filtered by")))
            }
        }
    }

    /// A reference is given by the database's number: `partner_id/.id`.
    async fn case(&self, case: &NewCase, key: &DedupeKey) -> Result<String, DeliveryError> {
        let mut fields = vec![
            ("name", one_line(case.subject.as_str())),
            // By the database's own number.
            ("partner_id/.id", contact(&case.contact_id)?.to_string()),
            ("description", marked_html(case.body.as_str(), key, TEXT_MAX)),
        ];
        if let Some(priority) = &case.priority {
            fields.push(("priority", priority.clone()));
        }
        self.load(&self.settings.case_model, key, &fields).await
    }

    /// Where a message goes: the case, or else the contact.
    fn thread(
        &self,
        contact_id: &str,
        case: Option<&CaseRef>,
    ) -> Result<(&str, i64), DeliveryError> {
        match case {
            Some(CaseRef::Id(text)) => {
                Ok((&self.settings.case_model, id(text).ok_or_else(no_case)?))
            }
            Some(CaseRef::MadeBy(_)) => Err(no_case()),
            None => Ok((CONTACTS, contact(contact_id)?)),
        }
    }

    /// `message_post` with the subtype of notes: followers outside the company aren't told.
    async fn post(
        &self,
        thread: (&str, i64),
        text: &str,
        key: &DedupeKey,
    ) -> Result<String, DeliveryError> {
        let (model, record) = thread;
        let mut arguments = json!({
            "body": marked_html(text, key, TEXT_MAX),
            "message_type": "comment",
            "subtype_xmlid": "mail.mt_note",
        });
        if self.calls.escapes_bodies().await? {
            arguments["body_is_html"] = json!(true);
        }
        let made = self.calls.call(model, "message_post", &[record], arguments).await?;
        // JSON-RPC answers with a number, JSON-2 with a list of one.
        let made = made.pointer("/0").unwrap_or(&made).as_i64();
        made.map(|id| id.to_string()).ok_or_else(unreadable)
    }

    /// In one thread.
    async fn posted(
        &self,
        thread: (&str, i64),
        key: &DedupeKey,
    ) -> Result<Option<String>, DeliveryError> {
        let (model, record) = thread;
        let domain = vec![json!(["model", "=", model]), json!(["res_id", "=", record])];
        self.marked(MESSAGES, "body", domain, key).await
    }

    /// `mail.activity`, on the case or the contact.
    async fn task(&self, task: &NewTask, key: &DedupeKey) -> Result<String, DeliveryError> {
        let (model, record) = self.thread(&task.contact_id, task.case.as_ref())?;
        let domain = vec![json!(["model", "=", model])];
        let models = self.search("ir.model", domain, &["id", "model"], "id", 1).await?;
        let known =
            models.iter().find(|one| one["model"] == model).and_then(|one| one["id"].as_i64());
        let known = known.ok_or_else(|| DeliveryError::Refused(format!("it has no {model}")))?;
        // An import doesn't notice what an activity belongs to.
        if !self.is_there(model, record).await? {
            return Err(if task.case.is_some() { no_case() } else { no_contact() });
        }
        let text = match task.due.as_ref().and_then(|due| Some((due.time?, due))) {
            // An activity is due on a day.
            Some((time, due)) => {
                let when = format!("{} {} ({})", due.date, time.strftime("%R"), due.time_zone);
                wording::titled(&when, task.body.as_str())
            }
            None => task.body.as_str().to_owned(),
        };
        let mut fields = vec![
            ("res_model_id/.id", known.to_string()),
            ("res_id", record.to_string()),
            ("activity_type_id/id", "mail.mail_activity_data_todo".to_owned()),
            ("summary", one_line(task.subject.as_str())),
            ("note", marked_html(&text, key, TEXT_MAX)),
        ];
        if let Some(due) = &task.due {
            fields.push(("date_deadline", due.date.to_string()));
        }
        if let Some(user) = self.settings.task_user_id {
            fields.push(("user_id/.id", user.to_string()));
        }
        self.load(ACTIVITIES, key, &fields).await
    }

    async fn is_there(&self, model: &str, record: i64) -> Result<bool, DeliveryError> {
        let found = self.search(model, vec![json!(["id", "=", record])], &["id"], "id", 1).await?;
        Ok(found.iter().any(|one| one["id"] == record))
    }

    /// `knowledge.article`.
    async fn article(
        &self,
        article: &PushedArticle,
        key: &DedupeKey,
    ) -> Result<String, DeliveryError> {
        let Articles { parent_id } = self.settings.articles.as_ref().ok_or(NO_ARTICLES)?;
        let title = one_line(article.title.as_str());
        let text = format!("{}\n\n{}", article.body.as_str(), key.marker());
        let heading = html(&title).replace("<p>", "<h1>").replace("</p>", "</h1>");
        let mut fields = vec![("name", title), ("body", format!("{heading}{}", html(&text)))];
        match parent_id {
            Some(parent) => fields.push(("parent_id/.id", parent.to_string())),
            // An article at the top has its own permissions.
            None => fields.push(("internal_permission", "write".to_owned())),
        }
        self.load(ARTICLES, key, &fields).await
    }

    /// `write` answers `true`.
    async fn update(&self, update: &CaseUpdate) -> Result<String, DeliveryError> {
        let case = id(&update.case_id).ok_or_else(no_case)?;
        let now = self.case_now(case).await?;
        if update.expected_version.is_some() && update.expected_version != at(&now, "/write_date") {
            return Err(DeliveryError::Changed);
        }
        let mut values = json!({});
        if let Some(priority) = &update.priority {
            values["priority"] = json!(priority);
        }
        if let Some(status) = &update.status {
            values["stage_id"] = json!(self.stage(status).await?);
        }
        let done = self
            .calls
            .call(&self.settings.case_model, "write", &[case], json!({"vals": values}))
            .await?;
        if done == json!(true) { Ok(case.to_string()) } else { Err(unreadable()) }
    }

    /// By its number, or by what it is called.
    async fn stage(&self, status: &str) -> Result<i64, DeliveryError> {
        if let Some(id) = id(status) {
            return Ok(id);
        }
        let model = &self.settings.stage_model;
        // In any case; what would stand for other characters is written as itself.
        let exact = status.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        let domain = vec![json!(["name", "=ilike", exact])];
        let found = self.search(model, domain, &["id", "name"], "id", 2).await?;
        let right = found
            .iter()
            .find(|one| at(one, "/name").is_some_and(|name| name.eq_ignore_ascii_case(status)));
        let missing = || DeliveryError::Refused(format!("{model} has no such stage"));
        right.and_then(|one| one["id"].as_i64()).ok_or_else(missing)
    }

    async fn is_updated(&self, update: &CaseUpdate) -> Result<Option<String>, DeliveryError> {
        let case = id(&update.case_id).ok_or_else(no_case)?;
        let now = self.case_now(case).await?;
        let number = reference(&now, "stage_id").map(|id| id.to_string());
        let status = if number == update.status { number } else { at(&now, "/stage_id/1") };
        let priority = at(&now, "/priority");
        Ok(is_as_wanted(update, status.as_deref(), priority.as_deref()).then(|| case.to_string()))
    }

    async fn case_now(&self, case: i64) -> Result<Value, DeliveryError> {
        let fields = wire::CASE_FIELDS;
        let found = self
            .search(&self.settings.case_model, vec![json!(["id", "=", case])], fields, "id", 1)
            .await?;
        found.into_iter().find(|one| one["id"] == case).ok_or_else(no_case)
    }
}

fn one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<&str>>().join(" ");
    // An import takes an empty name for none.
    if line.is_empty() { "-".to_owned() } else { cut(&line, SUBJECT_MAX) }
}

fn no_case() -> DeliveryError {
    DeliveryError::NotFound("there is no such case".to_owned())
}

fn no_contact() -> DeliveryError {
    DeliveryError::NotFound("there is no such contact".to_owned())
}

fn contact(text: &str) -> Result<i64, DeliveryError> {
    id(text).ok_or_else(no_contact)
}
