//! vCon, the container for conversations that systems exchange: JSON of draft-ietf-vcon-vcon-core-01
//! (version 0.4.0), with the roles of draft-ietf-vcon-cc-extension.
//!
//! Each turn is a dialog of type `text`; what only a recogniser knows, its words with times and
//! confidences, stands in one analysis of type `transcript`.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::domain::{Party, Turn};

/// What goes into a container.
#[derive(Clone, Copy, Debug)]
pub struct Conversation<'a> {
    pub subject: Option<&'a str>,
    /// When the audio's first sample was heard.
    pub started: Timestamp,
    pub parties: &'a [Party],
    /// In the order of their start.
    pub turns: &'a [Turn],
}

/// Writes a conversation as an unsigned vCon.
pub fn vcon(conversation: &Conversation<'_>) -> Value {
    let index = |party: &Party| conversation.parties.iter().position(|known| known.id == party.id);
    let at = |ms: u64| {
        let after = SignedDuration::from_millis(i64::try_from(ms).unwrap_or(i64::MAX));
        conversation.started.checked_add(after).unwrap_or(conversation.started).to_string()
    };
    let dialog: Vec<Value> = conversation
        .turns
        .iter()
        .map(|turn| {
            json!({
                "type": "text",
                "start": at(turn.start_ms),
                "duration": turn.end_ms.saturating_sub(turn.start_ms) as f64 / 1_000.0,
                "parties": index(&turn.party).into_iter().collect::<Vec<_>>(),
                "mediatype": "text/plain",
                "body": turn.text.as_str(),
                "encoding": "none",
            })
        })
        .collect();
    let mut container = json!({
        "vcon": "0.4.0",
        "uuid": Uuid::new_v4(),
        "extensions": ["CC"],
        "created_at": Timestamp::now().to_string(),
        "parties": conversation.parties.iter().map(party).collect::<Vec<_>>(),
    });
    if let Some(subject) = conversation.subject {
        container["subject"] = subject.into();
    }
    if !dialog.is_empty() {
        let words: Vec<Value> = conversation.turns.iter().map(recognised).collect();
        container["analysis"] = json!([{
            "type": "transcript",
            "dialog": (0..dialog.len()).collect::<Vec<_>>(),
            "vendor": "backchannel",
            "product": concat!("backchannel ", env!("CARGO_PKG_VERSION")),
            "mediatype": "application/json",
            "body": Value::from(words).to_string(),
            "encoding": "json",
        }]);
    }
    container["dialog"] = dialog.into();
    container
}

fn party(party: &Party) -> Value {
    let mut value = json!({ "role": party.role.as_str() });
    if let Some(name) = &party.name {
        value["name"] = name.as_str().into();
    }
    value
}

fn recognised(turn: &Turn) -> Value {
    let words: Vec<Value> = turn
        .words
        .iter()
        .map(|word| {
            json!({
                "text": word.text.as_str(),
                "start_ms": word.start_ms,
                "end_ms": word.end_ms,
                "confidence": word.confidence,
            })
        })
        .collect();
    json!({
        "start_ms": turn.start_ms,
        "end_ms": turn.end_ms,
        "language": turn.language,
        "mean_logprob": turn.mean_logprob,
        "words": words,
    })
}
