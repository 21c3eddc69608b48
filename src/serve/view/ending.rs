//! What a conversation came to, for whoever writes it into other systems.

use jiff::Timestamp;

use super::Projection;
use crate::domain::{
    Channel, ConversationId, Direction, Due, FollowUpKind, Redacted, ReviewVerdict, Role, WrapUpId,
};
use crate::flow::feedback::outcome::{Ending, Letter, Promise};
use crate::insight::redaction;
use crate::store::ConversationRow;
use crate::store::wire::{self, WrapUpEmail, WrapUpFollowUp, WrapUpHead, WrapUpSummary};

/// The attribute that names a conversation's thread.
const THREAD: &str = "thread";
/// In which section the matter stands, the likeliest first.
const MATTERS: [&str; 2] = ["issue", "root_cause"];

impl Projection {
    /// What came of the conversation, from the drafts that stand and what was made of them. What was discarded
    /// isn't in it.
    pub fn ending(&self, row: &ConversationRow, now: Timestamp) -> Ending {
        let wrapup = self.wrapup.as_ref();
        let summary = wrapup.and_then(|view| view.summary.as_ref());
        let email = wrapup.and_then(|view| view.email.as_ref());
        let promises = wrapup.map(|view| view.follow_ups.as_slice()).unwrap_or_default();
        let so_far = now.duration_since(row.started_at).as_millis().max(0) as u64;
        let outbound = self.direction.as_deref() == Some(Direction::Outbound.as_str());
        Ending {
            conversation: ConversationId::from(row.id.as_str()),
            channel: row.channel.clone(),
            direction: if outbound { Direction::Outbound } else { Direction::Inbound },
            started_at: row.started_at,
            duration_ms: row.duration_ms.unwrap_or(so_far),
            summary: summary.and_then(|summary| {
                let text = self.standing(&summary.head, || told(summary))?;
                (!text.as_str().is_empty()).then(|| (id(&summary.head), text))
            }),
            matter: summary.and_then(matter),
            disposition: self.chosen(),
            promises: promises.iter().filter_map(|one| self.promise(one)).collect(),
            email: email.and_then(|email| {
                let body = self.standing(&email.head, || letter(email))?;
                let subject = answers(row).unwrap_or_else(|| email.subject.clone());
                let subject = redaction::typed(&subject);
                Some(Letter { id: id(&email.head), subject, body })
            }),
            references: self.references(row),
        }
    }

    /// The chain of a thread of mails; the customer's last one is the last of it.
    fn references(&self, row: &ConversationRow) -> Vec<String> {
        let mut chain: Vec<String> = Vec::new();
        let root = thread(row).map(|(root, _)| root.to_owned()).filter(|root| root.contains('@'));
        for one in root.iter().chain(&self.mails) {
            if !chain.contains(one) {
                chain.push(one.clone());
            }
        }
        chain
    }

    /// A draft's text as it stands; `None` when it was thrown away.
    fn standing(&self, head: &WrapUpHead, drafted: impl FnOnce() -> String) -> Option<Redacted> {
        let verdict = self.wrapup.as_ref()?.verdicts.get(&head.wrapup_id);
        match verdict {
            Some(judged) if judged.verdict == ReviewVerdict::Discarded.as_str() => None,
            Some(judged) => Some(
                judged
                    .text
                    .as_deref()
                    .map_or_else(|| redaction::typed(&drafted()), redaction::typed),
            ),
            None => Some(redaction::typed(&drafted())),
        }
    }

    /// The disposition that the agent chose, by its label.
    fn chosen(&self) -> Option<Redacted> {
        let view = self.wrapup.as_ref()?;
        let proposal = view.disposition.as_ref()?;
        let verdict = view.verdicts.get(&proposal.head.wrapup_id)?;
        if verdict.verdict == ReviewVerdict::Discarded.as_str() {
            return None;
        }
        let first = proposal.choices.first().map(|choice| choice.code.as_str());
        let code = verdict.text.as_deref().or(first)?;
        let label = proposal.choices.iter().find(|choice| choice.code == code);
        Some(redaction::typed(label.map_or(code, |choice| &choice.label)))
    }

    fn promise(&self, one: &WrapUpFollowUp) -> Option<Promise> {
        Some(Promise {
            id: id(&one.head),
            kind: FollowUpKind::parse(&one.kind)?,
            promised_by: Role::parse(&one.promised_by)?,
            sentence: self.standing(&one.head, || one.sentence.text.clone())?,
            due: one.due.as_ref().map(due),
        })
    }
}

/// The first mail's identifier, and the subject without what answers put before it.
fn thread(row: &ConversationRow) -> Option<(&str, &str)> {
    let thread = row.attributes.get(THREAD).filter(|_| row.channel == Channel::Mail.as_str())?;
    Some(thread.split_once(' ').unwrap_or((thread, "")))
}

/// The subject of an answer to the customer's mails.
fn answers(row: &ConversationRow) -> Option<String> {
    let (_, subject) = thread(row)?;
    (!subject.is_empty()).then(|| format!("Re: {subject}"))
}

fn id(head: &WrapUpHead) -> WrapUpId {
    head.wrapup_id.as_str().into()
}

fn due(wire: &wire::Due) -> Due {
    Due {
        phrase: redaction::typed(&wire.phrase),
        date: wire.date.as_ref().and_then(|date| date.parse().ok()),
        time: wire.time.as_ref().and_then(|time| time.parse().ok()),
        until: wire.until.as_ref().and_then(|time| time.parse().ok()),
        is_limit: wire.is_limit,
        time_zone: wire.time_zone.clone(),
    }
}

/// `Issue: …`, a line for each section.
fn told(summary: &WrapUpSummary) -> String {
    let line = |section: &wire::SummarySection| {
        let sentences: Vec<&str> = section.sentences.iter().map(|one| one.text.as_str()).collect();
        format!("{}: {}", heading(&section.key), sentences.join(" "))
    };
    summary.sections.iter().map(line).collect::<Vec<_>>().join("\n")
}

pub(super) fn heading(key: &str) -> String {
    let words = key.replace('_', " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn matter(summary: &WrapUpSummary) -> Option<Redacted> {
    let of = |key: &&str| summary.sections.iter().find(|section| section.key == **key);
    let section = MATTERS.iter().find_map(of)?;
    section.sentences.first().map(|sentence| redaction::typed(&sentence.text))
}

/// Paragraphs with an empty line between.
fn letter(email: &WrapUpEmail) -> String {
    let mut body = String::new();
    let mut last = None;
    for part in &email.parts {
        let goes_on = part.paragraph.is_some() && last == Some(part.paragraph);
        if !body.is_empty() {
            body.push_str(if goes_on { " " } else { "\n\n" });
        }
        body.push_str(&part.text);
        last = Some(part.paragraph);
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{CrmWrite, DedupeKey, DeliveryState, EventBody, NewEvent};
    use crate::serve::view::tests::project;
    use crate::store::ConversationState;
    use crate::store::conformance::{now, started, turn};

    fn row(channel: &str, thread: &str) -> ConversationRow {
        ConversationRow {
            id: "c-1".into(),
            state: ConversationState::Ended,
            channel: channel.to_owned(),
            external_id: None,
            started_at: Timestamp::UNIX_EPOCH,
            ended_at: None,
            duration_ms: None,
            parties: Vec::new(),
            attributes: [(THREAD.to_owned(), thread.to_owned())].into(),
            turn_count: 0,
            card_count: 0,
            last_turn: None,
            last_sequence: 0,
            last_position: 0,
            erased_at: None,
        }
    }

    fn mail(id: &str, name: &str) -> NewEvent {
        NewEvent { id: format!("message-00ff:{name}").into(), ..turn(id) }
    }

    fn reply(id: &str, remote_id: &str) -> NewEvent {
        let write = CrmWrite {
            operation: "send_reply".to_owned(),
            key: DedupeKey::stored(id),
            state: DeliveryState::Done,
            destination: "mail_replies".into(),
            contact_id: None,
            attempts: 1,
            remote_id: Some(remote_id.into()),
            problem: None,
            from: None,
            turn: Some(id.into()),
            by: None,
        };
        now(EventBody::CrmWrite(Box::new(write)))
    }

    #[test]
    fn a_draft_answers_the_customers_last_mail() {
        let seen = project(vec![
            started(None),
            mail("t-1", "a@customer"),
            reply("t-2", "bc-1@ours"),
            mail("t-3", "b@customer"),
            reply("t-4", "bc-2@ours"),
        ]);
        let of = row("mail", "a@customer My refund");
        let ending = seen.ending(&of, Timestamp::UNIX_EPOCH);
        assert_eq!(ending.references, ["a@customer", "bc-1@ours", "b@customer"]);
        assert_eq!(answers(&of).as_deref(), Some("Re: My refund"));
        assert_eq!(answers(&row("mail", "a@customer")), None);
        assert_eq!(answers(&row("chat", "x y")), None, "only mails have a subject");
    }
}
