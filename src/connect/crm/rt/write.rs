//! What is written into Request Tracker, and how it is found again.

use serde_json::{Map, Value, json};

use super::wire::{self, CALL};
use super::{BASE, RequestTracker, number, object, quoted};
use crate::connect::crm::answers::{at, list, made, unreadable};
use crate::connect::crm::wording;
use crate::connect::destination::{DeliveryError, RemoteId};
use crate::connect::http::{Request, segment};
use crate::domain::{
    CallRecord, CaseRef, CaseUpdate, DedupeKey, NewCase, NewNote, NewTask, PushedArticle, Redacted,
};

/// Of the columns for subjects (200) and for what a transaction says of itself (255), in bytes, with room for the
/// marker. A longer subject would push the marker out of the column.
const SUBJECT_BYTES: usize = 140;
/// RT takes any length and sends what is long by mail all the same.
const CONTENT: usize = 100_000;
const ARTICLE_NAME_BYTES: usize = 160;

/// A ticket to be opened.
struct Ticket<'a> {
    queue: &'a str,
    subject: String,
    content: String,
    /// Whom it is of, unless it is colleagues' own affair.
    requestor: Option<&'a str>,
    more: Map<String, Value>,
}

impl RequestTracker {
    pub(super) async fn create_case(
        &self,
        case: &NewCase,
        key: &DedupeKey,
    ) -> Result<RemoteId, DeliveryError> {
        let mut more = Map::new();
        if let Some(priority) = &case.priority {
            more.insert("Priority".to_owned(), json!(self.priority(priority)?.to_string()));
        }
        let ticket = Ticket {
            queue: &self.settings.queue,
            subject: cut(case.subject.as_str(), SUBJECT_BYTES),
            content: longer(case.subject.as_str(), case.body.as_str()),
            requestor: Some(&case.contact_id),
            more,
        };
        self.open(ticket, key, self.settings.autoreply).await
    }

    /// A note without a case is a ticket that is finished at once: RT keeps nothing with a user.
    pub(super) async fn add_note(
        &self,
        note: &NewNote,
        key: &DedupeKey,
    ) -> Result<RemoteId, DeliveryError> {
        let subject = note.subject.as_str();
        let content = longer(subject, note.body.as_str());
        match &note.case {
            Some(case) => self.comment(case, subject, content, 0, key).await,
            None => self.file(&note.contact_id, subject, content, 0, key).await,
        }
    }

    pub(super) async fn log_call(
        &self,
        call: &CallRecord,
        key: &DedupeKey,
    ) -> Result<RemoteId, DeliveryError> {
        let subject = format!("{CALL}{}", call.subject.as_str());
        let told = CallRecord { subject: Redacted::default(), ..call.clone() };
        let content = longer(call.subject.as_str(), &wording::call(&told));
        let minutes = call.duration_s.div_ceil(60);
        match &call.case {
            Some(case) => self.comment(case, &subject, content, minutes, key).await,
            None => self.file(&call.contact_id, &subject, content, minutes, key).await,
        }
    }

    /// A ticket of its own, below the case where there is one, with a time when it is due. Nobody is its requestor:
    /// it would be among the customer's open cases, and the customer be told of it.
    pub(super) async fn create_task(
        &self,
        task: &NewTask,
        key: &DedupeKey,
    ) -> Result<RemoteId, DeliveryError> {
        self.has_user(&task.contact_id).await?;
        let mut more = Map::new();
        if let Some(due) = task.due.as_ref().and_then(wording::due_at) {
            more.insert("Due".to_owned(), json!(due.strftime("%F %T").to_string()));
        }
        if let Some(case) = &task.case {
            // RT would open it without its case, and say so to nobody.
            let case = self.ticket(case_id(case)?).await?;
            more.insert("MemberOf".to_owned(), json!([made(&case, "/id")?]));
        }
        let about = format!("{}\n\nContact: {}", task.body.as_str(), task.contact_id);
        let ticket = Ticket {
            queue: &self.settings.task_queue,
            subject: cut(task.subject.as_str(), SUBJECT_BYTES),
            content: longer(task.subject.as_str(), &about),
            requestor: None,
            more,
        };
        self.open(ticket, key, false).await
    }

    /// `If-Match` makes the change conditional on the ticket's last transaction. Transactions of our own user since
    /// the version that was seen are no reason to refuse: a note of the same conversation is one.
    pub(super) async fn update_case(&self, update: &CaseUpdate) -> Result<RemoteId, DeliveryError> {
        let ticket = self.ticket(&update.case_id).await?;
        let id = made(&ticket, "/id")?;
        let mut version = None;
        if let Some(expected) = &update.expected_version {
            let since = number(expected).map_err(|_| DeliveryError::Changed)?;
            // The newest transaction is read before it is asked whose the others were, so that whatever comes
            // after it fails the condition.
            version = self.last_transaction(&id, "id > 0").await?;
            let others = format!("id > {since} AND Creator != '__CurrentUser__'");
            if self.last_transaction(&id, &others).await?.is_some() {
                return Err(DeliveryError::Changed);
            }
        }
        let mut changes = Map::new();
        if let Some(status) = &update.status {
            changes.insert("Status".to_owned(), json!(status));
        }
        if let Some(priority) = &update.priority {
            changes.insert("Priority".to_owned(), json!(self.priority(priority)?.to_string()));
        }
        if !changes.is_empty() {
            self.put(&format!("ticket/{id}"), Value::Object(changes), version.as_deref()).await?;
            if self.is_updated(update).await?.is_none() {
                let why = "the ticket doesn't take this status or priority";
                return Err(DeliveryError::Refused(why.to_owned()));
            }
        }
        Ok(RemoteId(id))
    }

    pub(super) async fn is_updated(
        &self,
        update: &CaseUpdate,
    ) -> Result<Option<RemoteId>, DeliveryError> {
        let ticket = self.ticket(&update.case_id).await?;
        let status = at(&ticket, "/Status").unwrap_or_default();
        let is_status =
            update.status.as_ref().is_none_or(|wanted| status.eq_ignore_ascii_case(wanted));
        let is_priority = match &update.priority {
            Some(wanted) => {
                let is = at(&ticket, "/Priority").and_then(|value| value.parse::<i64>().ok());
                is == Some(self.priority(wanted)?)
            }
            None => true,
        };
        Ok((is_status && is_priority).then(|| at(&ticket, "/id").map(RemoteId)).flatten())
    }

    /// Names of articles are told apart within a class, so a second one of a name bears a part of its key.
    pub(super) async fn push_article(
        &self,
        article: &PushedArticle,
        key: &DedupeKey,
    ) -> Result<RemoteId, DeliveryError> {
        let Some(class) = &self.settings.article_class else {
            return Err(DeliveryError::Unsupported("no class of articles is set"));
        };
        let title = cut(article.title.as_str(), ARTICLE_NAME_BYTES);
        let body = wording::cut(article.body.as_str(), CONTENT);
        let again = format!("{title} ({})", key.as_str().get(..8).unwrap_or(key.as_str()));
        let mut refusal = None;
        for name in [title, again] {
            let body = json!({
                "Name": name,
                "Class": class,
                "Summary": key.marker(),
                "CustomFields": {self.settings.article_field.as_str(): body},
            });
            let path = format!("{BASE}/article");
            match self.api.ask(Request::post(&path, body)).await {
                Ok(answer) => return made(&answer.body, "/id").map(RemoteId),
                Err(error @ DeliveryError::Refused(_)) => refusal = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(refusal.unwrap_or_else(unreadable))
    }

    pub(super) async fn article_made(
        &self,
        key: &DedupeKey,
    ) -> Result<Option<RemoteId>, DeliveryError> {
        if self.settings.article_class.is_none() {
            return Err(DeliveryError::Unsupported("no class of articles is set"));
        }
        let about = json!([{"field": "Summary", "operator": "LIKE", "value": key.as_str()}]);
        let articles = self.filtered("articles", "Summary", about).await?;
        Ok(bearing(&articles, "/Summary", key))
    }

    /// A note or call: in a case among its transactions, whose subjects bear the marker.
    pub(super) async fn entry_made(
        &self,
        contact_id: &str,
        case: Option<&CaseRef>,
        key: &DedupeKey,
    ) -> Result<Option<RemoteId>, DeliveryError> {
        let Some(case) = case else { return self.ticket_made(Some(contact_id), key).await };
        let given = number(case_id(case)?)?;
        // Transactions of a ticket that was merged are those of the other one.
        let now = number(&made(&self.ticket(case_id(case)?).await?, "/id")?)?;
        // A query in which a bracket stands is taken for JSON, and fails.
        let of = format!("(TicketId = {given} OR TicketId = {now})");
        let query = format!("{of} AND Data LIKE {}", quoted(key.as_str()));
        let found = self.queried("transactions", &query, &[("fields", "Data".to_owned())]).await?;
        Ok(bearing(&found, "/Data", key))
    }

    /// A ticket by the field that holds its key. If the customer didn't become its requestor before something
    /// broke, that is made good. One that was merged into another meanwhile is not found: RT hides those.
    pub(super) async fn ticket_made(
        &self,
        requestor: Option<&str>,
        key: &DedupeKey,
    ) -> Result<Option<RemoteId>, DeliveryError> {
        let field = &self.settings.key_field;
        let query = format!("CF.{{{field}}} = {}", quoted(key.as_str()));
        let fields = [("fields", "CustomFields".to_owned())];
        let found = self.queried("tickets", &query, &fields).await?;
        let is_it = |ticket: &&Value| wire::custom(ticket, field).as_deref() == Some(key.as_str());
        let Some(id) = found.iter().find(is_it).and_then(|ticket| at(ticket, "/id")) else {
            return Ok(None);
        };
        if let Some(name) = requestor
            && !is_requestor(&self.ticket(&id).await?, name)
        {
            self.add_requestor(&id, name).await?;
        }
        Ok(Some(RemoteId(id)))
    }

    async fn ticket(&self, id: &str) -> Result<Value, DeliveryError> {
        self.get(&format!("ticket/{}", number(id)?)).await
    }

    async fn last_transaction(
        &self,
        ticket: &str,
        which: &str,
    ) -> Result<Option<String>, DeliveryError> {
        let parameters = [
            ("orderby", "id".to_owned()),
            ("order", "DESC".to_owned()),
            ("per_page", "1".to_owned()),
        ];
        let query = format!("TicketId = {} AND {which}", number(ticket)?);
        let found = self.queried("transactions", &query, &parameters).await?;
        found.first().map(|newest| made(newest, "/id")).transpose()
    }

    fn priority(&self, name: &str) -> Result<i64, DeliveryError> {
        let unknown = || DeliveryError::Refused("the settings name no such priority".to_owned());
        wire::priority_number(name, &self.settings).ok_or_else(unknown)
    }

    /// A finished ticket of the contact's.
    async fn file(
        &self,
        contact_id: &str,
        subject: &str,
        content: String,
        minutes: u64,
        key: &DedupeKey,
    ) -> Result<RemoteId, DeliveryError> {
        let mut more = Map::new();
        more.insert("Status".to_owned(), json!(self.settings.closed_status));
        more.insert("TimeWorked".to_owned(), json!(minutes.to_string()));
        let ticket = Ticket {
            queue: &self.settings.queue,
            subject: cut(subject, SUBJECT_BYTES),
            content,
            requestor: Some(contact_id),
            more,
        };
        self.open(ticket, key, false).await
    }

    async fn comment(
        &self,
        case: &CaseRef,
        subject: &str,
        content: String,
        minutes: u64,
        key: &DedupeKey,
    ) -> Result<RemoteId, DeliveryError> {
        let path = format!("{BASE}/ticket/{}/comment", number(case_id(case)?)?);
        let body = json!({
            "Subject": format!("{} {}", cut(subject, SUBJECT_BYTES), key.marker()).trim_start(),
            "Content": content,
            "ContentType": "text/plain",
            "TimeTaken": minutes.to_string(),
        });
        // A ticket that isn't there is a bad request to RT, as one that may not be commented on.
        let answer = self.api.ask(Request::post(&path, body)).await?;
        if !answer.body.is_array() {
            return Err(unreadable());
        }
        let location =
            answer.headers.get(http::header::LOCATION).and_then(|value| value.to_str().ok());
        let id = location.and_then(|path| path.rsplit('/').next()).filter(|id| number(id).is_ok());
        id.map(|id| RemoteId(id.to_owned())).ok_or_else(unreadable)
    }

    /// Opens a ticket. Unless RT may answer them, its requestor is added when it is open: RT answers whoever is one
    /// at that moment, and can be told otherwise only for the ticket's whole life.
    async fn open(
        &self,
        ticket: Ticket<'_>,
        key: &DedupeKey,
        autoreply: bool,
    ) -> Result<RemoteId, DeliveryError> {
        self.takes_keys(ticket.queue).await?;
        if let Some(name) = ticket.requestor {
            self.has_user(name).await?;
        }
        let mut body = ticket.more;
        body.insert("Queue".to_owned(), json!(ticket.queue));
        body.insert("Subject".to_owned(), json!(ticket.subject));
        body.insert("Content".to_owned(), json!(ticket.content));
        body.insert("ContentType".to_owned(), json!("text/plain"));
        body.insert(
            "CustomFields".to_owned(),
            json!({self.settings.key_field.as_str(): key.as_str()}),
        );
        if let Some(name) = ticket.requestor.filter(|_| autoreply) {
            body.insert("Requestor".to_owned(), json!(name));
        }
        let path = format!("{BASE}/ticket");
        let answer = self.api.ask(Request::post(&path, Value::Object(body))).await?;
        let id = made(&answer.body, "/id")?;
        if let Some(name) = ticket.requestor.filter(|_| !autoreply) {
            // It is open, and whatever goes wrong from here on must not hide that.
            self.add_requestor(&id, name).await.map_err(|error| match error {
                DeliveryError::Undecided(_) => error,
                _ => DeliveryError::Unclear("the ticket has no requestor yet".to_owned()),
            })?;
        }
        Ok(RemoteId(id))
    }

    async fn add_requestor(&self, id: &str, name: &str) -> Result<(), DeliveryError> {
        self.put(&format!("ticket/{}", number(id)?), json!({"Requestor": [name]}), None).await?;
        if is_requestor(&self.ticket(id).await?, name) {
            return Ok(());
        }
        Err(DeliveryError::Undecided(format!("ticket {id} is open without its requestor")))
    }

    async fn has_user(&self, name: &str) -> Result<(), DeliveryError> {
        let users = self.users(&json!([{"field": "Name", "value": name}])).await?;
        if users.iter().any(|user| at(user, "/Name").as_deref() == Some(name)) {
            return Ok(());
        }
        Err(DeliveryError::NotFound("no such user".to_owned()))
    }

    /// Whether tickets of a queue keep their key.
    async fn takes_keys(&self, queue: &str) -> Result<(), DeliveryError> {
        let path = format!("{BASE}/queue/{}", segment(queue));
        let queue = object(self.api.ask(Request::get(&path)).await?.body)?;
        let fields = list(&queue, "/TicketCustomFields")?;
        let field = &self.settings.key_field;
        if fields.iter().any(|one| at(one, "/name").as_ref() == Some(field)) {
            return Ok(());
        }
        Err(DeliveryError::Refused(format!(
            "its queue has no custom field {field} that the token's user can see"
        )))
    }
}

fn case_id(case: &CaseRef) -> Result<&str, DeliveryError> {
    match case {
        CaseRef::Id(id) => Ok(id),
        // Whoever carries effects puts the identifier in its place.
        CaseRef::MadeBy(_) => Err(DeliveryError::Refused("its case isn't made yet".to_owned())),
    }
}

fn is_requestor(ticket: &Value, name: &str) -> bool {
    let all = ticket.pointer("/Requestor").and_then(Value::as_array);
    all.is_some_and(|all| all.iter().any(|one| at(one, "/id").as_deref() == Some(name)))
}

fn bearing(records: &[Value], pointer: &str, key: &DedupeKey) -> Option<RemoteId> {
    // RT folds a long subject as mail does, between words: a marker has none.
    let bears =
        |record: &&Value| at(record, pointer).is_some_and(|text| wording::bears(&text, key));
    at(records.iter().find(bears)?, "/id").map(RemoteId)
}

/// One line of at most so many bytes.
fn cut(text: &str, bytes: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.len() <= bytes {
        return line;
    }
    let end = (0..=bytes.saturating_sub(4)).rev().find(|end| line.is_char_boundary(*end));
    format!("{}…", line[..end.unwrap_or(0)].trim_end())
}

/// The text, after the whole of a subject that had to be cut.
fn longer(subject: &str, body: &str) -> String {
    let whole = if subject.len() > SUBJECT_BYTES { subject } else { "" };
    wording::cut(&wording::titled(whole, body), CONTENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_leaves_room_for_the_marker() {
        for text in ["Router", "", "漢".repeat(200).as_str(), "a b\n\nc ".repeat(90).as_str()] {
            let line = cut(text, SUBJECT_BYTES);
            assert!(line.len() <= SUBJECT_BYTES && !line.contains('\n'), "{line}");
        }
        assert_eq!(cut("a \n b", 20), "a b");
        let marker = DedupeKey::of(&["x"]).marker();
        assert!(SUBJECT_BYTES + 1 + marker.len() <= 200);
    }
}
