//! RFC 5322 messages. Lines end in CRLF, words beyond ASCII are encoded, and every value has become one line before.

use lettre::Message;
use lettre::address::Envelope;
use lettre::message::header::ContentType;
use lettre::message::{Mailbox as Written, MessageBuilder, MultiPart, SinglePart};

use super::address::{Sender, message_id, subject, written};
use crate::connect::calendar::Invitation;
use crate::connect::destination::DeliveryError;
use crate::domain::{MailDraft, Mailbox, Meeting};

const RECIPIENTS_MAX: usize = 20;
const BODY_MAX_BYTES: usize = 256 << 10;
/// A thread's first messages say where it belongs, its last what is answered; servers cut longer headers.
const REFERENCES_FIRST: usize = 1;
const REFERENCES_LAST: usize = 20;

/// A message as it goes over the wire.
#[derive(Clone, Debug)]
pub(super) struct Composed {
    /// Without brackets.
    pub id: String,
    pub bytes: Vec<u8>,
    pub envelope: Envelope,
}

pub(super) fn letter(
    sender: &Sender,
    id: &str,
    mail: &MailDraft,
) -> Result<Composed, DeliveryError> {
    let builder = headers(sender, id, &mail.to, mail.subject.as_str())?;
    let references = thread(&mail.references);
    let builder = match references.last() {
        Some(answered) => builder.in_reply_to(answered.clone()).references(references.join(" ")),
        None => builder,
    };
    let body = body(mail.body.as_str())?;
    finish(id, builder.singlepart(SinglePart::plain(body)))
}

/// An invitation, or its withdrawal: the text for people, the event for their calendars.
pub(super) fn invitation(
    sender: &Sender,
    id: &str,
    meeting: &Meeting,
    invitation: &Invitation,
) -> Result<Composed, DeliveryError> {
    let title = match meeting.is_cancelled {
        true => format!("Cancelled: {}", meeting.subject.as_str()),
        false => meeting.subject.as_str().to_owned(),
    };
    let builder = headers(sender, id, &meeting.attendees, &title)?;
    let kind = format!("text/calendar; method={}; charset=utf-8", invitation.method());
    let kind = ContentType::parse(&kind).map_err(|_| unbuildable())?;
    let event = SinglePart::builder().header(kind).body(invitation.as_mail());
    let text = body(meeting.body.as_str())?;
    let parts = MultiPart::alternative().singlepart(SinglePart::plain(text)).singlepart(event);
    finish(id, builder.multipart(parts))
}

fn headers(
    sender: &Sender,
    id: &str,
    to: &[Mailbox],
    title: &str,
) -> Result<MessageBuilder, DeliveryError> {
    if to.is_empty() || to.len() > RECIPIENTS_MAX {
        let why = format!("a mail goes to 1 to {RECIPIENTS_MAX} people");
        return Err(DeliveryError::Refused(why));
    }
    let mut builder = Message::builder().from(sender.written());
    for one in to {
        let one: Written = written(one).map_err(DeliveryError::Refused)?;
        builder = builder.to(one);
    }
    Ok(builder.message_id(Some(format!("<{id}>"))).subject(subject(title)).date_now())
}

/// In brackets, oldest first. What can't be an identifier is left out: threading is a comfort.
fn thread(references: &[String]) -> Vec<String> {
    let mut all: Vec<String> =
        references.iter().filter_map(|id| message_id(id)).map(|id| format!("<{id}>")).collect();
    if all.len() > REFERENCES_FIRST + REFERENCES_LAST {
        all.drain(REFERENCES_FIRST..all.len() - REFERENCES_LAST);
    }
    all
}

/// Lines end in CRLF; nothing is left that a terminal or a mail program would act on.
fn body(text: &str) -> Result<String, DeliveryError> {
    if text.len() > BODY_MAX_BYTES {
        let why = format!("the text is longer than {} kB", BODY_MAX_BYTES >> 10);
        return Err(DeliveryError::Refused(why));
    }
    let lines: Vec<String> = text
        .replace("\r\n", "\n")
        .split(['\n', '\r'])
        .map(|line| line.chars().filter(|c| *c == '\t' || !c.is_control()).collect())
        .collect();
    Ok(format!("{}\r\n", lines.join("\r\n").trim_end()))
}

fn finish(
    id: &str,
    message: Result<Message, lettre::error::Error>,
) -> Result<Composed, DeliveryError> {
    let message = message.map_err(|_| unbuildable())?;
    let (bytes, envelope) = (message.formatted(), message.envelope().clone());
    Ok(Composed { id: id.to_owned(), bytes, envelope })
}

fn unbuildable() -> DeliveryError {
    DeliveryError::Refused("no message can be made of it".to_owned())
}
