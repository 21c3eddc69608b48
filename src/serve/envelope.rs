//! An event as it goes over a stream: CloudEvents 1.0 JSON in one line.

use std::fmt::Write;

use jiff::Timestamp;

use crate::bus::PartialSignal;
use crate::domain::Recorded;
use crate::store::codec::time_text;

/// The prefix of `type`.
pub const TYPE_PREFIX: &str = "backchannel.";

pub fn of_event(node: &str, event: &Recorded) -> String {
    envelope(&Fields {
        node,
        id: event.id.as_str(),
        kind: &event.kind,
        schema: &event.schema,
        time: event.time,
        subject: event.conversation.as_str(),
        sequence: Some(event.sequence),
        tenant: event.tenant.as_str(),
        data: &event.data,
    })
}

/// A partial has no place in the log, so neither sequence nor position. Its id is the same for
/// every subscriber.
pub fn of_partial(node: &str, partial: &PartialSignal) -> String {
    envelope(&Fields {
        node,
        id: &format!("{}-{}", partial.conversation, partial.time.as_microsecond()),
        kind: partial.kind,
        schema: &format!("backchannel/{}/1", partial.kind),
        time: partial.time,
        subject: partial.conversation.as_str(),
        sequence: None,
        tenant: partial.tenant.as_str(),
        data: &partial.data,
    })
}

struct Fields<'a> {
    node: &'a str,
    id: &'a str,
    kind: &'a str,
    schema: &'a str,
    time: Timestamp,
    subject: &'a str,
    sequence: Option<u64>,
    tenant: &'a str,
    /// JSON text; it goes through as it is.
    data: &'a str,
}

fn envelope(fields: &Fields<'_>) -> String {
    let mut out = String::with_capacity(fields.data.len() + 320);
    let mut member = |name: &str, value: &str| {
        let value = serde_json::to_string(value).expect("text is JSON; this is a bug");
        let _ = write!(out, "\"{name}\":{value},");
    };
    member("specversion", "1.0");
    member("id", fields.id);
    member("source", &format!("backchannel/{}", fields.node));
    member("type", &format!("{TYPE_PREFIX}{}", fields.kind));
    member("time", &time_text(fields.time));
    member("subject", fields.subject);
    if let Some(sequence) = fields.sequence {
        let _ = write!(out, "\"sequence\":{sequence},");
    }
    let mut member = |name: &str, value: &str| {
        let value = serde_json::to_string(value).expect("text is JSON; this is a bug");
        let _ = write!(out, "\"{name}\":{value},");
    };
    member("tenant", fields.tenant);
    member("dataschema", fields.schema);
    format!("{{{out}\"data\":{}}}", fields.data)
}
