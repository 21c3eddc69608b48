//! Effects ⇄ the JSON in the outbox.

use crate::domain::{
    CallRecord, CaseRef, CaseUpdate, ChannelReply, DedupeKey, Direction, DueAt, Effect, MailDraft,
    Mailbox, Meeting, NewCase, NewNote, NewTask, PushedArticle, Recommendation, Redacted,
    TeamMessage,
};
use crate::store::wire;

pub const EFFECT_SCHEMA: &str = "backchannel/effect/1";

pub fn encode_effect(effect: &Effect) -> String {
    let words = |text: &Redacted| text.as_str().to_owned();
    super::json(&match effect {
        Effect::CreateCase(x) => wire::Effect::CreateCase {
            contact_id: x.contact_id.clone(),
            subject: words(&x.subject),
            body: words(&x.body),
            priority: x.priority.clone(),
        },
        Effect::UpdateCase(x) => wire::Effect::UpdateCase {
            contact_id: x.contact_id.clone(),
            case_id: x.case_id.clone(),
            status: x.status.clone(),
            priority: x.priority.clone(),
            expected_version: x.expected_version.clone(),
        },
        Effect::AddNote(x) => wire::Effect::AddNote {
            contact_id: x.contact_id.clone(),
            case: x.case.as_ref().map(case),
            subject: words(&x.subject),
            body: words(&x.body),
        },
        Effect::LogCall(x) => wire::Effect::LogCall {
            contact_id: x.contact_id.clone(),
            case: x.case.as_ref().map(case),
            direction: x.direction.as_str().into(),
            started_at: x.started_at,
            duration_s: x.duration_s,
            subject: words(&x.subject),
            outcome: x.outcome.as_ref().map(words),
            body: words(&x.body),
        },
        Effect::CreateTask(x) => wire::Effect::CreateTask {
            contact_id: x.contact_id.clone(),
            case: x.case.as_ref().map(case),
            subject: words(&x.subject),
            body: words(&x.body),
            due: x.due.as_ref().map(|due| wire::DueAt {
                date: due.date,
                time: due.time,
                time_zone: due.time_zone.clone(),
            }),
        },
        Effect::PushArticle(x) => wire::Effect::PushArticle {
            article_id: x.article.to_string(),
            revision: x.revision,
            title: words(&x.title),
            body: words(&x.body),
        },
        Effect::DraftMail(x) => wire::Effect::DraftMail(mail(x)),
        Effect::SendMail(x) => wire::Effect::SendMail(mail(x)),
        Effect::PutMeeting(x) => wire::Effect::PutMeeting {
            subject: words(&x.subject),
            body: words(&x.body),
            starts: x.starts.clone(),
            minutes: x.minutes,
            organizer: mailbox(&x.organizer),
            attendees: x.attendees.iter().map(mailbox).collect(),
            revision: x.revision,
            cancelled: x.is_cancelled,
        },
        Effect::PostMessage(x) => wire::Effect::PostMessage {
            room: x.room.clone(),
            conversation_id: x.conversation.to_string(),
            title: words(&x.title),
            paragraphs: x.paragraphs.iter().map(words).collect(),
            facts: x.facts.iter().map(|(name, value)| (name.clone(), words(value))).collect(),
            link: x.link.clone(),
        },
        Effect::SendReply(x) => wire::Effect::SendReply {
            conversation_id: x.conversation.to_string(),
            turn_id: x.turn.to_string(),
            from: x.from.clone(),
            to: x.to.clone(),
            text: words(&x.text),
            in_reply_to: x.in_reply_to.clone(),
            answers: x.answers.clone(),
            written_at: x.written_at,
        },
        Effect::Recommend(x) => wire::Effect::Recommend {
            conversation_id: x.conversation.to_string(),
            external_id: x.external_id.clone(),
            decision: Box::new(super::routing::decision(&x.decision)),
            brief: x.brief.as_ref().map(words),
            link: x.link.clone(),
        },
    })
}

/// # Errors
/// The text is no effect of this version; in words without the text itself.
pub fn decode_effect(text: &str) -> Result<Effect, String> {
    // serde's message would quote what was said.
    let wire: wire::Effect = serde_json::from_str(text)
        .map_err(|error| format!("line {}, column {}", error.line(), error.column()))?;
    let words = |text: String| Redacted::vouched(text);
    Ok(match wire {
        wire::Effect::CreateCase { contact_id, subject, body, priority } => {
            let (subject, body) = (words(subject), words(body));
            Effect::CreateCase(NewCase { contact_id, subject, body, priority })
        }
        wire::Effect::UpdateCase { contact_id, case_id, status, priority, expected_version } => {
            let update = CaseUpdate { contact_id, case_id, status, priority, expected_version };
            Effect::UpdateCase(update)
        }
        wire::Effect::AddNote { contact_id, case, subject, body } => Effect::AddNote(NewNote {
            contact_id,
            case: case.map(case_of),
            subject: words(subject),
            body: words(body),
        }),
        wire::Effect::LogCall {
            contact_id,
            case,
            direction,
            started_at,
            duration_s,
            subject,
            outcome,
            body,
        } => Effect::LogCall(CallRecord {
            contact_id,
            case: case.map(case_of),
            direction: match direction.as_str() {
                "inbound" => Direction::Inbound,
                "outbound" => Direction::Outbound,
                _ => return Err("an unknown direction".to_owned()),
            },
            started_at,
            duration_s,
            subject: words(subject),
            outcome: outcome.map(words),
            body: words(body),
        }),
        wire::Effect::CreateTask { contact_id, case, subject, body, due } => {
            Effect::CreateTask(NewTask {
                contact_id,
                case: case.map(case_of),
                subject: words(subject),
                body: words(body),
                due: due.map(|due| DueAt {
                    date: due.date,
                    time: due.time,
                    time_zone: due.time_zone,
                }),
            })
        }
        wire::Effect::PushArticle { article_id, revision, title, body } => {
            Effect::PushArticle(PushedArticle {
                article: article_id.into(),
                revision,
                title: words(title),
                body: words(body),
            })
        }
        wire::Effect::DraftMail(mail) => Effect::DraftMail(mail_of(mail)),
        wire::Effect::SendMail(mail) => Effect::SendMail(mail_of(mail)),
        wire::Effect::PutMeeting {
            subject,
            body,
            starts,
            minutes,
            organizer,
            attendees,
            revision,
            cancelled,
        } => Effect::PutMeeting(Meeting {
            subject: words(subject),
            body: words(body),
            starts,
            minutes,
            organizer: mailbox_of(organizer),
            attendees: attendees.into_iter().map(mailbox_of).collect(),
            revision,
            is_cancelled: cancelled,
        }),
        wire::Effect::PostMessage { room, conversation_id, title, paragraphs, facts, link } => {
            Effect::PostMessage(TeamMessage {
                room,
                conversation: conversation_id.into(),
                title: words(title),
                paragraphs: paragraphs.into_iter().map(words).collect(),
                facts: facts.into_iter().map(|(name, value)| (name, words(value))).collect(),
                link,
            })
        }
        wire::Effect::SendReply {
            conversation_id,
            turn_id,
            from,
            to,
            text,
            in_reply_to,
            answers,
            written_at,
        } => Effect::SendReply(ChannelReply {
            conversation: conversation_id.into(),
            turn: turn_id.into(),
            from,
            to,
            text: words(text),
            in_reply_to,
            answers,
            written_at,
        }),
        wire::Effect::Recommend { conversation_id, external_id, decision, brief, link } => {
            let decision = super::routing::decision_of(*decision)
                .ok_or_else(|| "an unknown mode".to_owned())?;
            Effect::Recommend(Box::new(Recommendation {
                conversation: conversation_id.into(),
                external_id,
                decision,
                brief: brief.map(words),
                link,
            }))
        }
    })
}

fn case(case: &CaseRef) -> wire::CaseRef {
    match case {
        CaseRef::Id(id) => wire::CaseRef::Id(id.clone()),
        CaseRef::MadeBy(key) => wire::CaseRef::MadeBy(key.as_str().into()),
    }
}

fn case_of(wire: wire::CaseRef) -> CaseRef {
    match wire {
        wire::CaseRef::Id(id) => CaseRef::Id(id),
        wire::CaseRef::MadeBy(key) => CaseRef::MadeBy(DedupeKey::stored(key)),
    }
}

fn mail(x: &MailDraft) -> wire::Mail {
    wire::Mail {
        to: x.to.iter().map(mailbox).collect(),
        subject: x.subject.as_str().into(),
        body: x.body.as_str().into(),
        references: x.references.clone(),
        wrapup_id: x.about.as_ref().map(ToString::to_string),
    }
}

fn mail_of(wire: wire::Mail) -> MailDraft {
    MailDraft {
        to: wire.to.into_iter().map(mailbox_of).collect(),
        subject: Redacted::vouched(wire.subject),
        body: Redacted::vouched(wire.body),
        references: wire.references,
        about: wire.wrapup_id.map(Into::into),
    }
}

fn mailbox(x: &Mailbox) -> wire::Mailbox {
    wire::Mailbox { name: x.name.clone(), address: x.address.clone() }
}

fn mailbox_of(wire: wire::Mailbox) -> Mailbox {
    Mailbox { name: wire.name, address: wire.address }
}
