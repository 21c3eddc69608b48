//! What is written to Zendesk, and how it is found again.

use serde_json::{Value, json};

use super::{Articles, CallTickets, PAGE, PAGES_MAX, Zendesk, wire};
use crate::connect::crm::answers::{self, at, is_as_wanted, made, unreadable};
use crate::connect::crm::wording::{self, bears, cut, due_at, html, marked_in_bytes, titled};
use crate::connect::destination::DeliveryError;
use crate::connect::http::Request;
use crate::domain::{
    CallRecord, CaseRef, CaseUpdate, DedupeKey, Effect, NewCase, NewNote, NewTask, PushedArticle,
};

/// A comment's text (`ticket_comments`).
const COMMENT_MAX_BYTES: usize = 65_000;
/// What lists of tickets can show.
const SUBJECT_MAX: usize = 150;

/// What isn't there at all.
const NOT_HERE: DeliveryError = DeliveryError::Unsupported("Zendesk takes no such thing from here");
const NO_NOTE: DeliveryError = DeliveryError::Unsupported("Zendesk has notes in tickets only");
const NO_CALL: DeliveryError =
    DeliveryError::Unsupported("call_tickets isn't set: no call without a ticket");
const NO_ARTICLES: DeliveryError = DeliveryError::Unsupported("no section for articles is set");

impl Zendesk {
    /// Makes it; the identifier of the ticket, the comment or the article.
    pub(super) async fn write(
        &self,
        effect: &Effect,
        key: &DedupeKey,
    ) -> Result<String, DeliveryError> {
        match effect {
            Effect::CreateCase(one) => self.create(case(one, key)?, key).await,
            Effect::UpdateCase(one) => self.update(one).await,
            Effect::AddNote(NewNote { case: None, .. }) => Err(NO_NOTE),
            Effect::AddNote(one) => self.comment(one.case.as_ref(), &wording::note(one), key).await,
            Effect::LogCall(one) if one.case.is_some() => {
                self.comment(one.case.as_ref(), &wording::call(one), key).await
            }
            Effect::LogCall(one) => self.create(self.call(one, key).await?, key).await,
            Effect::CreateTask(one) => self.create(task(one, key)?, key).await,
            Effect::PushArticle(one) => self.article(one, key).await,
            _ => Err(NOT_HERE),
        }
    }

    /// What an earlier try made.
    pub(super) async fn written(
        &self,
        effect: &Effect,
        key: &DedupeKey,
    ) -> Result<Option<String>, DeliveryError> {
        match effect {
            Effect::CreateCase(_) | Effect::CreateTask(_) => self.created(key).await,
            Effect::UpdateCase(one) => self.is_updated(one).await,
            Effect::AddNote(NewNote { case: Some(case), .. })
            | Effect::LogCall(CallRecord { case: Some(case), .. }) => {
                self.commented(case, key).await
            }
            Effect::AddNote(_) => Err(NO_NOTE),
            Effect::LogCall(_) if self.settings.call_tickets.is_none() => Err(NO_CALL),
            Effect::LogCall(_) => self.created(key).await,
            Effect::PushArticle(_) => self.pushed(key).await,
            _ => Err(NOT_HERE),
        }
    }

    /// `POST tickets` answers 201; the same key again within two hours, the same ticket.
    async fn create(&self, ticket: Value, key: &DedupeKey) -> Result<String, DeliveryError> {
        let path = self.path("tickets");
        let request =
            Request::post(&path, json!({"ticket": ticket})).header("idempotency-key", key.as_str());
        match self.ask(request).await {
            Ok(answer) => made(&answer.body, "/ticket/id"),
            // The same request is under way.
            Err(DeliveryError::Changed) => Err(DeliveryError::Unclear("status 409".to_owned())),
            Err(error) => Err(error),
        }
    }

    /// From the database, unlike a search; several tickets may bear one external id.
    async fn created(&self, key: &DedupeKey) -> Result<Option<String>, DeliveryError> {
        let path = self.path("tickets");
        let answer = self.ask(Request::get(&path).query("external_id", key.as_str())).await?;
        let tickets = answers::list(&answer.body, "/tickets")?;
        let ours =
            tickets.iter().find(|one| at(one, "/external_id").as_deref() == Some(key.as_str()));
        match (ours, tickets.is_empty()) {
            (Some(ticket), _) => made(ticket, "/id").map(Some),
            (None, true) => Ok(None),
            (None, false) => {
                Err(DeliveryError::Untrusted("external_id is not filtered by".to_owned()))
            }
        }
    }

    /// A ticket of its own, finished, and with its only comment inside the company.
    async fn call(&self, call: &CallRecord, key: &DedupeKey) -> Result<Value, DeliveryError> {
        let CallTickets { status, assignee_id } =
            self.settings.call_tickets.as_ref().ok_or(NO_CALL)?;
        let mut ticket =
            ticket(&call.contact_id, call.subject.as_str(), &wording::call(call), key)?;
        ticket["status"] = json!(status);
        if status == "solved" {
            ticket["assignee_id"] = json!(match assignee_id {
                Some(id) => *id,
                None => self.me().await?,
            });
        }
        Ok(ticket)
    }

    /// `GET users/me`.
    async fn me(&self) -> Result<u64, DeliveryError> {
        let ask = || async {
            let answer = self.ask(Request::get(&self.path("users/me"))).await?;
            // Without a good key it is the anonymous user, who has no identifier.
            answer.body.pointer("/user/id").and_then(Value::as_u64).ok_or_else(unreadable)
        };
        self.me.get_or_try_init(ask).await.copied()
    }

    /// A change that only adds a comment. Its number is told in the audit, as an event of type `Comment`.
    async fn comment(
        &self,
        case: Option<&CaseRef>,
        text: &str,
        key: &DedupeKey,
    ) -> Result<String, DeliveryError> {
        let path = self.path(&format!("tickets/{}", case_id(case)?));
        let comment =
            json!({"body": marked_in_bytes(text, key, COMMENT_MAX_BYTES), "public": false});
        let request =
            Request::new(http::Method::PUT, &path).json(json!({"ticket": {"comment": comment}}));
        let answer = self.ask(request).await?;
        let events = answers::list(&answer.body, "/audit/events")?;
        let comment = events.iter().find(|event| at(event, "/type").as_deref() == Some("Comment"));
        made(comment.unwrap_or(&Value::Null), "/id")
    }

    /// Newest first: what is looked for was made lately.
    async fn commented(
        &self,
        case: &CaseRef,
        key: &DedupeKey,
    ) -> Result<Option<String>, DeliveryError> {
        let ticket = case_id(Some(case))?;
        for page in 1..=PAGES_MAX {
            let answer = self.comments(ticket, page, PAGE).await?;
            let comments = answers::list(&answer.body, "/comments")?;
            let text = |one: &Value| {
                at(one, "/body").or_else(|| at(one, "/plain_body")).unwrap_or_default()
            };
            if let Some(ours) = comments.iter().find(|one| bears(&text(one), key)) {
                return made(ours, "/id").map(Some);
            }
            if comments.len() < PAGE {
                return Ok(None);
            }
        }
        Err(DeliveryError::Unclear("the ticket has too many comments".to_owned()))
    }

    /// `safe_update` refuses with 409 when `updated_at` isn't `updated_stamp` any more.
    async fn update(&self, update: &CaseUpdate) -> Result<String, DeliveryError> {
        let id = wire::id(&update.case_id).ok_or_else(no_case)?;
        let mut ticket = json!({});
        if let Some(status) = &update.status {
            // A status of the company's own is named by its number.
            let field = if wire::id(status).is_some() { "custom_status_id" } else { "status" };
            ticket[field] = json!(status);
        }
        if let Some(priority) = &update.priority {
            ticket["priority"] = json!(priority);
        }
        if let Some(expected) = &update.expected_version {
            ticket["safe_update"] = json!(true);
            ticket["updated_stamp"] = json!(expected);
        }
        let path = self.path(&format!("tickets/{id}"));
        let answer = self
            .ask(Request::new(http::Method::PUT, &path).json(json!({"ticket": ticket})))
            .await?;
        made(&answer.body, "/ticket/id")
    }

    async fn is_updated(&self, update: &CaseUpdate) -> Result<Option<String>, DeliveryError> {
        let id = wire::id(&update.case_id).ok_or_else(no_case)?;
        let answer = self.ask(Request::get(&self.path(&format!("tickets/{id}")))).await?;
        made(&answer.body, "/ticket/id")?;
        let status = at(&answer.body, "/ticket/status");
        let custom = at(&answer.body, "/ticket/custom_status_id");
        let status = if update.status == custom { custom } else { status };
        let priority = at(&answer.body, "/ticket/priority");
        Ok(is_as_wanted(update, status.as_deref(), priority.as_deref()).then(|| id.to_owned()))
    }

    /// `POST help_center/{locale}/sections/{id}/articles`; a draft tells no subscribers.
    async fn article(
        &self,
        article: &PushedArticle,
        key: &DedupeKey,
    ) -> Result<String, DeliveryError> {
        let Articles { locale, section_id, permission_group_id, user_segment_id } =
            self.settings.articles.as_ref().ok_or(NO_ARTICLES)?;
        let body = html(&format!("{}\n\n{}", article.body.as_str(), key.marker()));
        let fields = json!({
            "title": cut(article.title.as_str(), SUBJECT_MAX),
            "body": body,
            "locale": locale,
            "draft": true,
            "permission_group_id": permission_group_id,
            "user_segment_id": user_segment_id,
        });
        let path = self.path(&format!("help_center/{locale}/sections/{section_id}/articles"));
        let body = json!({"article": fields, "notify_subscribers": false});
        made(&self.ask(Request::post(&path, body)).await?.body, "/article/id")
    }

    /// Articles of the section, drafts among them for an agent, newest first.
    async fn pushed(&self, key: &DedupeKey) -> Result<Option<String>, DeliveryError> {
        let Articles { locale, section_id, .. } =
            self.settings.articles.as_ref().ok_or(NO_ARTICLES)?;
        let path = self.path(&format!("help_center/{locale}/sections/{section_id}/articles"));
        for page in 1..=PAGES_MAX {
            let request = Request::get(&path)
                .query("sort_by", "created_at")
                .query("sort_order", "desc")
                .query("per_page", PAGE.to_string())
                .query("page", page.to_string());
            let answer = self.ask(request).await?;
            let articles = answers::list(&answer.body, "/articles")?;
            let ours = |one: &&Value| at(one, "/body").is_some_and(|body| bears(&body, key));
            if let Some(ours) = articles.iter().find(ours) {
                return made(ours, "/id").map(Some);
            }
            if articles.len() < PAGE {
                return Ok(None);
            }
        }
        Err(DeliveryError::Unclear("the section has too many articles".to_owned()))
    }
}

/// The first comment of a ticket is its description; an internal one is shown and sent to no customer.
fn ticket(
    contact: &str,
    subject: &str,
    body: &str,
    key: &DedupeKey,
) -> Result<Value, DeliveryError> {
    let no_contact = || DeliveryError::NotFound("there is no such person".to_owned());
    let requester: u64 = wire::id(contact).and_then(|id| id.parse().ok()).ok_or_else(no_contact)?;
    Ok(json!({
        "requester_id": requester,
        "subject": cut(subject, SUBJECT_MAX),
        "comment": {"body": marked_in_bytes(body, key, COMMENT_MAX_BYTES), "public": false},
        "external_id": key.as_str(),
    }))
}

fn case(case: &NewCase, key: &DedupeKey) -> Result<Value, DeliveryError> {
    let body = titled(case.subject.as_str(), case.body.as_str());
    let mut ticket = ticket(&case.contact_id, case.subject.as_str(), &body, key)?;
    if let Some(priority) = &case.priority {
        ticket["priority"] = json!(priority);
    }
    Ok(ticket)
}

/// A ticket of type `task` has a due date. It can't hang below another one, so that it names it.
fn task(task: &NewTask, key: &DedupeKey) -> Result<Value, DeliveryError> {
    let body = match &task.case {
        Some(case) => {
            titled(&format!("About ticket #{}", case_id(Some(case))?), task.body.as_str())
        }
        None => task.body.as_str().to_owned(),
    };
    let mut ticket = ticket(
        &task.contact_id,
        task.subject.as_str(),
        &titled(task.subject.as_str(), &body),
        key,
    )?;
    ticket["type"] = json!("task");
    if let Some(at) = task.due.as_ref().and_then(due_at) {
        ticket["due_at"] = json!(at.to_string());
    }
    Ok(ticket)
}

fn no_case() -> DeliveryError {
    DeliveryError::NotFound("there is no such ticket".to_owned())
}

fn case_id(case: Option<&CaseRef>) -> Result<&str, DeliveryError> {
    match case {
        Some(CaseRef::Id(text)) => wire::id(text).ok_or_else(no_case),
        _ => Err(no_case()),
    }
}
