//! Threads of mail: what comes into a folder becomes conversations, and replies go out by the same mailbox.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Inbound, Inbox, InboxError, cut, reply};
use crate::connect::destination::{DeliveryError, Destination, RemoteId};
use crate::connect::mail;
use crate::domain::{
    Channel, ChannelReply, Classify, DedupeKey, Effect, ErrorKind, MailDraft, Mailbox, Redacted,
    TenantId,
};
use crate::flow::driver::texts::Route;
use crate::insight::redaction;

const SUBJECT_MAX_CHARS: usize = 200;
/// Nobody can cite what stands behind it.
const UNNAMED: &str = "unnamed-";
/// What other programs put before the subject of an answer.
const ANSWERS: [&str; 4] = ["re:", "aw:", "sv:", "antw:"];

/// Whose mail is taken in.
#[derive(Clone, Debug)]
pub struct Thread {
    /// The destination's name, which carries the replies.
    pub connector: String,
    /// The mailbox's own address.
    pub ours: String,
    pub tenant: TenantId,
}

/// Why a look into the folder came to nothing; the same cursor goes on.
#[derive(Debug, thiserror::Error)]
pub enum PollError {
    #[error(transparent)]
    Mailbox(#[from] DeliveryError),
    #[error(transparent)]
    Inbox(#[from] InboxError),
}

/// Takes in what came since the cursor; the next one is to be kept. A message that comes again is taken once.
///
/// # Errors
/// The folder can't be read, or a message can't be kept now.
pub async fn poll(
    folder: &mail::Inbox,
    inbox: &Inbox,
    whose: &Thread,
    cursor: Option<mail::Cursor>,
) -> Result<mail::Cursor, PollError> {
    let (received, next) = folder.since(cursor).await?;
    for one in received {
        let message = match one.message {
            Ok(message) => message,
            Err(why) => {
                tracing::warn!(uid = one.uid, %why, "a mail was left out");
                continue;
            }
        };
        let Some(inbound) = inbound(message, whose) else { continue };
        match inbox.take(&whose.tenant, inbound).await {
            Ok(_) => {}
            // It can't be taken however often it comes.
            Err(error) if matches!(error.kind(), ErrorKind::Conflict | ErrorKind::Invalid) => {
                tracing::warn!(uid = one.uid, %error, "a mail was left out");
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(next)
}

/// `None` for what is nobody's question: a program's message, our own, an empty one.
fn inbound(message: mail::Inbound, whose: &Thread) -> Option<Inbound> {
    let is_own = message.from.address.eq_ignore_ascii_case(&whose.ours);
    if message.is_automatic || is_own {
        return None;
    }
    let mut text = cut(message.text.as_str().trim());
    if !message.attachments.is_empty() {
        let note = match message.attachments.len() {
            1 => "[1 attachment]",
            _ => "[several attachments]",
        };
        text = format!("{text}\n{note}").trim().to_owned();
    }
    if text.is_empty() {
        return None;
    }
    let id = message.message_id.clone().unwrap_or_else(|| unnamed(&message));
    let root = message.references.first().cloned().unwrap_or_else(|| id.clone());
    Some(Inbound {
        channel: Channel::Mail,
        route: Route {
            connector: whose.connector.clone(),
            ours: whose.ours.clone(),
            theirs: message.from.address,
            thread: Some(thread(&root, &message.subject)),
        },
        name: message.from.name,
        message_id: id,
        text,
        at: message.sent_at,
    })
}

/// A name for a mail whose sender's program gave none: the same for the same words, whatever number the folder
/// has for it.
fn unnamed(message: &mail::Inbound) -> String {
    let at = message.sent_at.map_or_else(String::new, |at| at.to_string());
    let words = [message.subject.as_str(), message.text.as_str()];
    let key = DedupeKey::of(&[&message.from.address, &at, words[0], words[1]]);
    format!("{UNNAMED}{}", key.as_str())
}

/// The first message's name, a space, and the subject without what answers put before it.
fn thread(root: &str, subject: &Redacted) -> String {
    let mut bare = subject.as_str().trim();
    while let Some(prefix) = ANSWERS.iter().find(|prefix| {
        bare.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    }) {
        bare = bare[prefix.len()..].trim_start();
    }
    let bare: String = bare.chars().take(SUBJECT_MAX_CHARS).collect();
    let root: String = root.chars().filter(|c| !c.is_whitespace()).collect();
    format!("{root} {bare}").trim_end().to_owned()
}

/// Sends replies by a mailbox, as mails of the thread.
pub struct Replies {
    name: String,
    mailbox: Arc<dyn Destination>,
}

impl Replies {
    pub fn new(name: impl Into<String>, mailbox: Arc<dyn Destination>) -> Self {
        Self { name: name.into(), mailbox }
    }
}

#[async_trait]
impl Destination for Replies {
    fn name(&self) -> &str {
        &self.name
    }

    async fn deliver(&self, effect: &Effect, key: &DedupeKey) -> Result<RemoteId, DeliveryError> {
        self.mailbox.deliver(&letter(reply(effect)?), key).await
    }

    async fn delivered(
        &self,
        effect: &Effect,
        key: &DedupeKey,
    ) -> Result<Option<RemoteId>, DeliveryError> {
        self.mailbox.delivered(&letter(reply(effect)?), key).await
    }
}

fn letter(reply: &ChannelReply) -> Effect {
    let thread = reply.in_reply_to.as_deref().unwrap_or_default();
    let (root, subject) = thread.split_once(' ').unwrap_or((thread, ""));
    let subject = if subject.is_empty() { "your message" } else { subject };
    let mut references: Vec<String> = Vec::new();
    for one in std::iter::once(root).chain(reply.answers.iter().map(String::as_str)) {
        if !one.is_empty() && !one.starts_with(UNNAMED) && references.iter().all(|old| old != one) {
            references.push(one.to_owned());
        }
    }
    Effect::SendMail(MailDraft {
        to: vec![Mailbox { name: None, address: reply.to.clone() }],
        subject: redaction::typed(&format!("Re: {subject}")),
        body: reply.text.clone(),
        references,
        about: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whose() -> Thread {
        Thread { connector: "mail".into(), ours: "help@example.org".into(), tenant: "demo".into() }
    }

    fn mail(from: &str, subject: &str, text: &str) -> mail::Inbound {
        mail::Inbound {
            message_id: Some("b@customer".into()),
            from: Mailbox { name: Some("Ada".into()), address: from.into() },
            to: vec!["help@example.org".into()],
            references: vec!["a@customer".into(), "x@ours".into()],
            subject: Redacted::vouched(subject),
            text: Redacted::vouched(text),
            is_cut: false,
            sent_at: None,
            attachments: Vec::new(),
            is_automatic: false,
        }
    }

    #[test]
    fn an_answer_belongs_to_the_mail_that_began_it_and_is_answered_there() {
        let message = mail("ada@example.test", "RE: Aw: My refund", "When?");
        let inbound = inbound(message, &whose()).expect("a message");
        let thread = inbound.route.thread.clone();
        assert_eq!(thread.as_deref(), Some("a@customer My refund"));
        assert_eq!((inbound.message_id.as_str(), inbound.text.as_str()), ("b@customer", "When?"));
        let reply = ChannelReply {
            conversation: "c-1".into(),
            turn: "t-2".into(),
            from: inbound.route.ours,
            to: inbound.route.theirs,
            text: Redacted::vouched("On Monday."),
            in_reply_to: thread,
            answers: vec!["a@customer".into(), "b@customer".into()],
            written_at: jiff::Timestamp::UNIX_EPOCH,
        };
        let Effect::SendMail(letter) = letter(&reply) else { panic!("a mail") };
        assert_eq!(
            (letter.subject.as_str(), letter.to[0].address.as_str()),
            ("Re: My refund", "ada@example.test")
        );
        assert_eq!(letter.references, ["a@customer", "b@customer"], "the last is answered");
    }

    #[test]
    fn programs_and_ourselves_begin_nothing() {
        let automatic =
            mail::Inbound { is_automatic: true, ..mail("ada@example.test", "s", "away") };
        assert_eq!(inbound(automatic, &whose()), None);
        assert_eq!(inbound(mail("Help@Example.org", "s", "copy"), &whose()), None);
        assert_eq!(inbound(mail("ada@example.test", "s", " \n"), &whose()), None);
        let nameless = mail::Inbound {
            message_id: None,
            references: Vec::new(),
            ..mail("ada@example.test", "", "Hello")
        };
        let taken = inbound(nameless.clone(), &whose()).expect("a message");
        assert!(taken.message_id.starts_with(UNNAMED));
        assert_eq!(taken.route.thread.as_ref(), Some(&taken.message_id));
        assert_eq!(inbound(nameless.clone(), &whose()), Some(taken.clone()), "the same again");
        let other = mail::Inbound { text: Redacted::vouched("Hello?"), ..nameless };
        assert_ne!(inbound(other, &whose()).expect("another").message_id, taken.message_id);
    }
}
