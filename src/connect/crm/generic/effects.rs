//! Effects as JSON: what templates are filled from, and what webhooks send. Version 1; names stay, more may come.

use serde_json::{Value, json};

use crate::connect::crm::wording::due_at;
use crate::domain::{CaseRef, DedupeKey, Direction, Effect, MailDraft, Mailbox, Redacted};
use crate::store::codec;

/// The version of what `fields` answers.
pub const VERSION: u32 = 1;

/// The names that an operation's templates may use, besides `key`, `marker` and `page`.
pub fn names(operation: &str) -> &'static [&'static str] {
    match operation {
        "create_case" => &["contact_id", "subject", "body", "priority"],
        "update_case" => &["contact_id", "case_id", "status", "priority", "expected_version"],
        "add_note" => &["contact_id", "case_id", "subject", "body"],
        "log_call" => &[
            "contact_id",
            "case_id",
            "subject",
            "body",
            "direction",
            "started_at",
            "ended_at",
            "duration_s",
            "outcome",
        ],
        "create_task" => &[
            "contact_id",
            "case_id",
            "subject",
            "body",
            "due_date",
            "due_time",
            "due_at",
            "time_zone",
        ],
        "push_article" => &["article_id", "revision", "title", "body"],
        _ => &[],
    }
}

/// An effect's fields; what is absent is `null`.
pub fn fields(effect: &Effect) -> Value {
    match effect {
        Effect::CreateCase(one) => json!({
            "contact_id": one.contact_id,
            "subject": one.subject.as_str(),
            "body": one.body.as_str(),
            "priority": one.priority,
        }),
        Effect::UpdateCase(one) => json!({
            "contact_id": one.contact_id,
            "case_id": one.case_id,
            "status": one.status,
            "priority": one.priority,
            "expected_version": one.expected_version,
        }),
        Effect::AddNote(one) => json!({
            "contact_id": one.contact_id,
            "case_id": case(one.case.as_ref()),
            "subject": one.subject.as_str(),
            "body": one.body.as_str(),
        }),
        Effect::LogCall(one) => {
            let duration = i64::try_from(one.duration_s).unwrap_or(0);
            let ended = one.started_at + jiff::SignedDuration::from_secs(duration);
            json!({
                "contact_id": one.contact_id,
                "case_id": case(one.case.as_ref()),
                "subject": one.subject.as_str(),
                "body": one.body.as_str(),
                "direction": match one.direction {
                    Direction::Inbound => "inbound",
                    Direction::Outbound => "outbound",
                },
                "started_at": seconds(one.started_at),
                "ended_at": seconds(ended),
                "duration_s": one.duration_s,
                "outcome": one.outcome.as_ref().map(Redacted::as_str),
            })
        }
        Effect::CreateTask(one) => json!({
            "contact_id": one.contact_id,
            "case_id": case(one.case.as_ref()),
            "subject": one.subject.as_str(),
            "body": one.body.as_str(),
            "due_date": one.due.as_ref().map(|due| due.date.to_string()),
            "due_time": one.due.as_ref().and_then(|due| Some(due.time?.strftime("%R").to_string())),
            "due_at": one.due.as_ref().and_then(due_at).map(seconds),
            "time_zone": one.due.as_ref().map(|due| due.time_zone.clone()),
        }),
        Effect::PushArticle(one) => json!({
            "article_id": one.article.as_str(),
            "revision": one.revision,
            "title": one.title.as_str(),
            "body": one.body.as_str(),
        }),
        Effect::DraftMail(one) | Effect::SendMail(one) => mail(one),
        Effect::PutMeeting(one) => json!({
            "subject": one.subject.as_str(),
            "body": one.body.as_str(),
            // With its zone (RFC 9557).
            "starts": one.starts.to_string(),
            "minutes": one.minutes,
            "organizer": mailbox(&one.organizer),
            "attendees": one.attendees.iter().map(mailbox).collect::<Vec<Value>>(),
            "revision": one.revision,
            "is_cancelled": one.is_cancelled,
        }),
        Effect::PostMessage(one) => json!({
            "room": one.room,
            "conversation_id": one.conversation.as_str(),
            "title": one.title.as_str(),
            "paragraphs": one.paragraphs.iter().map(Redacted::as_str).collect::<Vec<&str>>(),
            "facts": one.facts.iter().map(|(name, value)| json!([name, value.as_str()])).collect::<Vec<Value>>(),
            "link": one.link,
        }),
        Effect::SendReply(one) => json!({
            "conversation_id": one.conversation.as_str(),
            "turn_id": one.turn.as_str(),
            "from": one.from,
            "to": one.to,
            "text": one.text.as_str(),
            "in_reply_to": one.in_reply_to,
            "written_at": seconds(one.written_at),
        }),
        Effect::Recommend(one) => json!({
            "conversation_id": one.conversation.as_str(),
            "external_id": one.external_id,
            // As it stands in the log and on the stream.
            "decision": serde_json::to_value(codec::decision(&one.decision)).unwrap_or_default(),
            "brief": one.brief.as_ref().map(Redacted::as_str),
            "link": one.link,
        }),
    }
}

/// `fields`, and the key with its marker.
pub fn context(effect: &Effect, key: &DedupeKey) -> Value {
    let mut context = fields(effect);
    context["key"] = json!(key.as_str());
    context["marker"] = json!(key.marker());
    context
}

fn mail(mail: &MailDraft) -> Value {
    json!({
        "to": mail.to.iter().map(mailbox).collect::<Vec<Value>>(),
        "subject": mail.subject.as_str(),
        "body": mail.body.as_str(),
        "references": mail.references,
    })
}

fn mailbox(mailbox: &Mailbox) -> Value {
    json!({"name": mailbox.name, "address": mailbox.address})
}

fn case(case: Option<&CaseRef>) -> Option<&str> {
    match case {
        Some(CaseRef::Id(id)) => Some(id),
        _ => None,
    }
}

fn seconds(at: jiff::Timestamp) -> String {
    at.strftime("%FT%TZ").to_string()
}
