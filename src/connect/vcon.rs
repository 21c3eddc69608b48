//! vCon, the container for conversations that systems exchange: JSON of draft-ietf-vcon-vcon-core-01
//! (version 0.4.0), with the roles of draft-ietf-vcon-cc-extension.
//!
//! Each turn is a dialog of type `text`; what only a recogniser knows, its words with times and
//! confidences, stands in one analysis of type `transcript`.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::domain::{Classify, ErrorKind, Party, Turn};

/// The container's own name and date.
#[derive(Clone, Copy, Debug)]
pub enum Identity {
    /// A new one, made now.
    Fresh,
    /// Given by its contents, so that the same contents give the same bytes.
    Of { digest: [u8; 16], made: Timestamp },
}

/// What goes into a container.
#[derive(Clone, Copy, Debug)]
pub struct Conversation<'a> {
    pub identity: Identity,
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
    let (uuid, made) = match conversation.identity {
        Identity::Fresh => (Uuid::new_v4(), Timestamp::now()),
        Identity::Of { digest, made } => {
            (uuid::Builder::from_custom_bytes(digest).into_uuid(), made)
        }
    };
    let mut container = json!({
        "vcon": "0.4.0",
        "uuid": uuid,
        "extensions": ["CC"],
        "created_at": made.to_string(),
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

/// A container's words, not masked yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    pub uuid: Option<String>,
    /// When the first dialog began.
    pub started: Option<Timestamp>,
    /// By their start.
    pub turns: Vec<ImportedTurn>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ImportedTurn {
    /// As the container names it.
    pub role: Option<String>,
    pub name: Option<String>,
    /// From the first dialog's beginning.
    pub start_ms: u64,
    pub end_ms: u64,
    pub text: String,
    pub language: Option<String>,
}

/// What is wrong with a container.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("field \"{field}\" {reason}")]
pub struct ImportError {
    pub field: String,
    pub reason: String,
}

impl Classify for ImportError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }
}

fn wrong(field: impl Into<String>, reason: &str) -> ImportError {
    ImportError { field: field.into(), reason: reason.to_owned() }
}

/// Reads the text dialogs of an unsigned container. Recordings and attachments are left alone.
///
/// # Errors
/// Names the field that is wrong.
pub fn import(container: &Value) -> Result<Imported, ImportError> {
    let empty = Vec::new();
    let list = |field: &'static str| match container.get(field) {
        None | Some(Value::Null) => Ok(&empty),
        Some(Value::Array(list)) => Ok(list),
        Some(_) => Err(wrong(field, "is no list")),
    };
    let (parties, dialogs) = (list("parties")?, list("dialog")?);
    let languages = languages(container, dialogs.len());
    let mut read: Vec<(Timestamp, u64, ImportedTurn)> = Vec::new();
    for (at, dialog) in dialogs.iter().enumerate() {
        if dialog.get("type").and_then(Value::as_str) != Some("text") {
            continue;
        }
        let field = |name: &str| format!("dialog[{at}].{name}");
        let start = dialog.get("start").and_then(Value::as_str).and_then(|time| time.parse().ok());
        let start: Timestamp = start.ok_or_else(|| wrong(field("start"), "is no time"))?;
        let text = dialog.get("body").and_then(Value::as_str);
        let text = text.ok_or_else(|| wrong(field("body"), "is no text"))?;
        if !matches!(dialog.get("encoding").and_then(Value::as_str), None | Some("none")) {
            return Err(wrong(field("encoding"), "is not none, and a text needs no other"));
        }
        let speaker = match dialog.get("originator").or_else(|| dialog.get("parties")) {
            Some(Value::Array(several)) => several.first().and_then(Value::as_u64),
            Some(one) => one.as_u64(),
            None => None,
        };
        let party = speaker.and_then(|index| parties.get(usize::try_from(index).ok()?));
        if speaker.is_some() && party.is_none() {
            return Err(wrong(field("parties"), "names a party that isn't there"));
        }
        let word = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let role = party.and_then(|party| {
            word(party.get("role")).or_else(|| word(party.get("meta")?.get("role")))
        });
        let seconds = dialog.get("duration").and_then(Value::as_f64).unwrap_or(0.0);
        // A float's cast saturates; a negative length is none.
        let length_ms = (seconds * 1_000.0).round() as u64;
        let turn = ImportedTurn {
            role,
            name: party.and_then(|party| word(party.get("name"))),
            start_ms: 0,
            end_ms: 0,
            text: text.to_owned(),
            language: languages.get(at).cloned().flatten(),
        };
        read.push((start, length_ms, turn));
    }
    if read.is_empty() {
        return Err(wrong("dialog", "holds no text"));
    }
    read.sort_by_key(|(start, ..)| *start);
    let first = read[0].0;
    let turns = read.into_iter().map(|(start, length_ms, turn)| {
        let after_ms = start.duration_since(first).as_millis();
        let start_ms = u64::try_from(after_ms).unwrap_or(0);
        ImportedTurn { start_ms, end_ms: start_ms.saturating_add(length_ms), ..turn }
    });
    let uuid = container.get("uuid").and_then(Value::as_str).map(str::to_owned);
    Ok(Imported { uuid, started: Some(first), turns: turns.collect() })
}

/// The languages that our own analysis names, one a dialog; containers of others have none.
fn languages(container: &Value, dialogs: usize) -> Vec<Option<String>> {
    let analyses = container.get("analysis").and_then(Value::as_array).into_iter().flatten();
    let own = analyses
        .filter(|one| one.get("vendor").and_then(Value::as_str) == Some("backchannel"))
        .find(|one| one.get("type").and_then(Value::as_str) == Some("transcript"));
    let body = own.and_then(|one| one.get("body")?.as_str());
    let turns: Vec<Value> =
        body.and_then(|body| serde_json::from_str(body).ok()).unwrap_or_default();
    if turns.len() != dialogs {
        return Vec::new();
    }
    turns.iter().map(|turn| turn.get("language")?.as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{PartyId, Redacted, Role};

    #[test]
    fn what_was_written_is_read_again() {
        let party =
            Party { id: PartyId::from("p-1"), role: Role::Customer, name: Some("Ö".into()) };
        let turn = |number: u64, text: &str| Turn {
            id: format!("t-{number}").into(),
            party: party.clone(),
            start_ms: 1_500 * number,
            end_ms: 1_500 * number + 700,
            text: Redacted::vouched(text),
            display_text: None,
            words: Vec::new(),
            mean_logprob: None,
            language: "fr".into(),
        };
        let turns = [turn(0, "bonjour"), turn(1, "merci")];
        let container = vcon(&Conversation {
            identity: Identity::Fresh,
            subject: None,
            started: Timestamp::UNIX_EPOCH,
            parties: std::slice::from_ref(&party),
            turns: &turns,
        });
        let imported = import(&container).expect("our own");
        assert_eq!(imported.uuid.as_deref(), container["uuid"].as_str());
        let second = &imported.turns[1];
        assert_eq!((second.start_ms, second.end_ms, second.text.as_str()), (1_500, 2_200, "merci"));
        assert_eq!(second.role.as_deref(), Some("customer"));
        assert_eq!((second.name.as_deref(), second.language.as_deref()), (Some("Ö"), Some("fr")));
    }
}
