//! One inbound message (RFC 5322, MIME) taken apart, however broken it is.

use jiff::Timestamp;
use mail_parser::decoders::html::html_to_text;
use mail_parser::{Address, HeaderValue, Message, MessageParser, MimeHeaders as _, PartType};

use super::address::{line, message_id};
use super::quoted;
use crate::domain::{Mailbox, Redacted};
use crate::insight::redaction;

/// Larger ones aren't read at all.
pub const MESSAGE_MAX_BYTES: usize = 25 << 20;
/// Nobody reads more in one turn; the rest is cut.
const TEXT_MAX_CHARS: usize = 20_000;
/// What a text may have before quotations are taken out of it.
const WHOLE_MAX_BYTES: usize = 1 << 20;
const NAME_MAX_CHARS: usize = 120;
const SUBJECT_MAX_CHARS: usize = 250;
const REFERENCES_MAX: usize = 100;
const RECIPIENTS_MAX: usize = 50;
const ATTACHMENTS_MAX: usize = 50;

/// What one message says. Card numbers are masked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inbound {
    /// Without brackets; the sender's program may have given none.
    pub message_id: Option<String>,
    /// As the message claims; nothing here proves it.
    pub from: Mailbox,
    /// Addresses that it went to.
    pub to: Vec<String>,
    /// Of the thread, oldest first, without brackets: what it answers is the last.
    pub references: Vec<String>,
    pub subject: Redacted,
    /// What was written newly: without quoted history and signature.
    pub text: Redacted,
    pub is_cut: bool,
    pub sent_at: Option<Timestamp>,
    pub attachments: Vec<Attachment>,
    /// A program's: a vacation notice, a bounce, a newsletter. Answering it may start a loop.
    pub is_automatic: bool,
}

/// Named and not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    pub name: Option<Redacted>,
    /// `application/pdf`.
    pub media_type: String,
    pub bytes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    #[error("the message is longer than {} MB", MESSAGE_MAX_BYTES >> 20)]
    TooLong,
    #[error("it is no message")]
    NoMessage,
    #[error("it has no sender's address")]
    NoSender,
}

/// # Errors
/// Why no conversation can be made of it.
pub fn read(raw: &[u8]) -> Result<Inbound, ReadError> {
    if raw.len() > MESSAGE_MAX_BYTES {
        return Err(ReadError::TooLong);
    }
    let message = MessageParser::default().parse(raw).ok_or(ReadError::NoMessage)?;
    let from = message.from().and_then(mailbox).ok_or(ReadError::NoSender)?;
    let whole = text(&message);
    let fresh = quoted::without_history(&whole);
    let mut chars = fresh.chars();
    let kept: String = chars.by_ref().take(TEXT_MAX_CHARS).collect();
    Ok(Inbound {
        message_id: message.message_id().and_then(message_id).map(str::to_owned),
        from,
        to: recipients(&message),
        references: references(&message),
        subject: redaction::typed(&line(message.subject().unwrap_or_default(), SUBJECT_MAX_CHARS)),
        text: redaction::typed(&kept),
        is_cut: chars.next().is_some() || whole.len() > WHOLE_MAX_BYTES,
        sent_at: message.date().and_then(|date| Timestamp::from_second(date.to_timestamp()).ok()),
        attachments: message.attachments().take(ATTACHMENTS_MAX).map(attachment).collect(),
        is_automatic: is_automatic(&message),
    })
}

fn mailbox(address: &Address<'_>) -> Option<Mailbox> {
    let first = address.first()?;
    let plain = crate::connect::crm::same::email(first.address.as_deref()?)?;
    let name = first.name.as_deref().map(|name| line(name, NAME_MAX_CHARS));
    Some(Mailbox { name: name.filter(|name| !name.is_empty()), address: plain })
}

fn recipients(message: &Message<'_>) -> Vec<String> {
    let all = message.to().into_iter().chain(message.cc());
    all.flat_map(Address::iter)
        .filter_map(|one| crate::connect::crm::same::email(one.address.as_deref()?))
        .take(RECIPIENTS_MAX)
        .collect()
}

/// Both headers together: some programs write but one of them.
fn references(message: &Message<'_>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for header in [message.references(), message.in_reply_to()] {
        let ids: Vec<&str> = match header {
            HeaderValue::Text(one) => vec![one],
            HeaderValue::TextList(many) => many.iter().map(AsRef::as_ref).collect(),
            _ => Vec::new(),
        };
        for id in ids.into_iter().filter_map(message_id) {
            if !all.iter().any(|known| known == id) {
                all.push(id.to_owned());
            }
        }
    }
    // The newest say what is answered.
    all.split_off(all.len().saturating_sub(REFERENCES_MAX))
}

/// The plain text, or what can be read of the HTML.
fn text(message: &Message<'_>) -> String {
    let mut all = String::new();
    for part in message.text_bodies() {
        let piece = match &part.body {
            PartType::Text(text) => bounded(text).to_owned(),
            PartType::Html(html) => quoted::html(bounded(html), html_to_text),
            _ => continue,
        };
        if all.len() + piece.len() > WHOLE_MAX_BYTES {
            break;
        }
        if !all.is_empty() {
            all.push('\n');
        }
        all.push_str(&piece);
    }
    // A NUL or an escape sequence is nobody's word.
    all.replace("\r\n", "\n")
        .chars()
        .filter(|c| matches!(c, '\n' | '\t') || !c.is_control())
        .collect()
}

fn bounded(text: &str) -> &str {
    let mut end = text.len().min(WHOLE_MAX_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn attachment(part: &mail_parser::MessagePart<'_>) -> Attachment {
    let name = part.attachment_name().map(|name| redaction::typed(&line(name, NAME_MAX_CHARS)));
    let media_type = part.content_type().map_or_else(
        || "application/octet-stream".to_owned(),
        |kind| line(&format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or("*")), NAME_MAX_CHARS),
    );
    Attachment { name, media_type, bytes: part.len() }
}

/// RFC 3834, and what programs did before it.
fn is_automatic(message: &Message<'_>) -> bool {
    let says =
        |name: &'static str| message.header_raw(name).map(|value| value.trim().to_lowercase());
    let submitted = says("Auto-Submitted").is_some_and(|value| !value.starts_with("no"));
    let precedence = says("Precedence")
        .is_some_and(|value| ["bulk", "list", "junk", "auto_reply"].contains(&value.as_str()));
    let suppresses = says("X-Auto-Response-Suppress").is_some_and(|value| value != "none");
    let bounced = says("Return-Path").is_some_and(|value| value == "<>")
        || message.content_type().is_some_and(|kind| {
            kind.ctype().eq_ignore_ascii_case("multipart")
                && kind.subtype().is_some_and(|kind| kind.eq_ignore_ascii_case("report"))
        });
    let listed = ["List-Id", "List-Unsubscribe"].into_iter().any(|name| says(name).is_some());
    submitted || precedence || suppresses || bounced || listed
}
