//! A conversation as JSON: our own form, its usual aliases, or a vCon.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde_json::Value;

use super::text;
use crate::batch::conversation::{ItemError, RawConversation, RawTurn, role};
use crate::connect::vcon;
use crate::domain::Role;
use crate::insight::redaction;

const IDS: &[&str] = &["id", "conversation_id", "external_id", "fname", "uuid"];
const TURNS: &[&str] = &["turns", "messages", "transcript", "dialogue", "text"];
const ROLES: &[&str] = &["role", "party", "speaker", "from", "author"];
const TEXTS: &[&str] = &["text", "content", "body", "message", "utterance"];
const BEGINNINGS: &[&str] = &["started_at", "started", "start", "began", "created_at"];
const STARTS_MS: &[&str] = &["start_ms", "offset_ms"];

/// Besides those above, at whatever depth.
const OTHERS: &[&str] = &[
    "end_ms",
    "name",
    "language",
    "vcon",
    "parties",
    "dialog",
    "analysis",
    "meta",
    "type",
    "encoding",
    "originator",
    "duration",
    "vendor",
];

/// Whether anything is read from a field of this name.
pub fn is_known_field(name: &str) -> bool {
    [IDS, TURNS, ROLES, TEXTS, BEGINNINGS, STARTS_MS, OTHERS].iter().any(|all| all.contains(&name))
}

fn masked_id(id: &str) -> String {
    redaction::typed(id).as_str().to_owned()
}

/// Reads one object. `fallback` is its name when it has none of its own.
///
/// # Errors
/// Names the field that is wrong.
pub fn conversation(
    value: &Value,
    fallback: &str,
    zone: &TimeZone,
) -> Result<RawConversation, ItemError> {
    if !value.is_object() {
        return Err(ItemError::invalid("is no JSON object"));
    }
    if value.get("vcon").is_some() {
        return of_vcon(value, fallback, zone);
    }
    let id = id(value, fallback)?;
    read(value, &id, zone).map_err(|error| error.named(&id))
}

fn read(value: &Value, id: &str, zone: &TimeZone) -> Result<RawConversation, ItemError> {
    let (field, said) = first(value, TURNS)
        .ok_or_else(|| ItemError::field("turns", "is missing, and so are its other names"))?;
    let turns = match said {
        Value::Array(turns) => turns
            .iter()
            .enumerate()
            .map(|(at, one)| turn(one, &format!("{field}[{at}]")))
            .collect::<Result<Vec<_>, _>>()?,
        Value::String(transcript) => text::turns(transcript)
            .map_err(|error| ItemError { field: Some(field.to_owned()), ..error })?,
        _ => return Err(ItemError::field(field, "is neither a list nor a text")),
    };
    let language = optional_text(value, "language")?;
    let began = match first(value, BEGINNINGS) {
        Some((field, when)) => Some(time(field, when, zone)?),
        None => None,
    };
    Ok(RawConversation { began, language, ..RawConversation::new(id, turns) })
}

fn first<'v>(value: &'v Value, names: &[&'static str]) -> Option<(&'static str, &'v Value)> {
    names.iter().find_map(|name| {
        let found = value.get(*name).filter(|found| !found.is_null())?;
        Some((*name, found))
    })
}

fn id(value: &Value, fallback: &str) -> Result<String, ItemError> {
    match first(value, IDS) {
        Some((_, Value::String(id))) if !id.trim().is_empty() => Ok(id.clone()),
        Some((_, Value::Number(id))) => Ok(id.to_string()),
        Some((field, _)) => Err(ItemError::field(field, "is neither a text nor a number")),
        None => Ok(fallback.to_owned()),
    }
}

fn turn(value: &Value, place: &str) -> Result<RawTurn, ItemError> {
    if !value.is_object() {
        return Err(ItemError::field(place, "is no object"));
    }
    let (role, name) = speaker(value, place)?;
    let text = match first(value, TEXTS) {
        Some((_, Value::String(text))) => text.clone(),
        Some((field, _)) => {
            return Err(ItemError::field(format!("{place}.{field}"), "is no text"));
        }
        None => return Err(ItemError::field(format!("{place}.text"), "is missing")),
    };
    let ms = |names: &[&'static str]| match first(value, names) {
        Some((field, ms)) => ms.as_u64().map(Some).ok_or_else(|| {
            ItemError::field(format!("{place}.{field}"), "is no count of milliseconds")
        }),
        None => Ok(None),
    };
    Ok(RawTurn {
        role,
        name,
        text,
        start_ms: ms(STARTS_MS)?,
        end_ms: ms(&["end_ms"])?,
        language: optional_text(value, "language")?,
    })
}

/// `"role": "agent"`, or `"party": {"role": "agent", "name": "Ann"}`.
fn speaker(value: &Value, place: &str) -> Result<(Role, Option<String>), ItemError> {
    let (field, said) = first(value, ROLES)
        .ok_or_else(|| ItemError::field(format!("{place}.role"), "is missing"))?;
    let field = format!("{place}.{field}");
    let (word, name) = match said {
        Value::String(word) => (word.as_str(), value.get("name").and_then(Value::as_str)),
        Value::Object(party) => (
            party.get("role").and_then(Value::as_str).unwrap_or_default(),
            party.get("name").and_then(Value::as_str),
        ),
        _ => return Err(ItemError::field(field, "is no text")),
    };
    let role = role(word).ok_or_else(|| {
        // A wrong value may hold anything, a card number too: it isn't repeated.
        ItemError::field(field, "is no role: use customer, agent, supervisor, bot, expert or mixed")
    })?;
    Ok((role, name.map(str::to_owned)))
}

fn optional_text(value: &Value, field: &'static str) -> Result<Option<String>, ItemError> {
    match value.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(ItemError::field(field, "is no text")),
    }
}

/// RFC 3339, with or without the name of a time zone.
fn time(field: &str, value: &Value, zone: &TimeZone) -> Result<Zoned, ItemError> {
    let wrong = || {
        ItemError::field(
            field,
            "is no time: write 2026-03-02T10:00:00Z or 2026-03-02T10:00:00[Europe/London]",
        )
    };
    let text = value.as_str().ok_or_else(wrong)?;
    if let Ok(zoned) = text.parse::<Zoned>() {
        return Ok(zoned);
    }
    text.parse::<Timestamp>().map(|time| time.to_zoned(zone.clone())).map_err(|_| wrong())
}

fn of_vcon(value: &Value, fallback: &str, zone: &TimeZone) -> Result<RawConversation, ItemError> {
    let imported = vcon::import(value).map_err(|error| ItemError {
        id: value.get("uuid").and_then(Value::as_str).map(masked_id),
        ..ItemError::field(error.field, error.reason)
    })?;
    let turns = imported.turns.into_iter().map(|turn| RawTurn {
        role: turn.role.as_deref().and_then(role).unwrap_or(Role::Mixed),
        name: turn.name,
        text: turn.text,
        start_ms: Some(turn.start_ms),
        end_ms: Some(turn.end_ms),
        language: turn.language,
    });
    Ok(RawConversation {
        id: imported.uuid.unwrap_or_else(|| fallback.to_owned()),
        began: imported.started.map(|started| started.to_zoned(zone.clone())),
        ..RawConversation::new("", turns.collect())
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(value: &Value) -> Result<RawConversation, ItemError> {
        conversation(value, "x:1", &TimeZone::UTC)
    }

    #[test]
    fn the_usual_forms_are_read() {
        let own = read(&json!({"id": "ä-1", "started_at": "2026-03-02T10:00:00Z", "turns": [
            {"role": "customer", "text": "hi", "start_ms": 3},
            {"party": {"role": "agent", "name": "Ann"}, "text": "hello"}]}))
        .expect("own");
        assert_eq!((own.id.as_str(), own.turns.len()), ("ä-1", 2));
        assert_eq!(own.turns[1].name.as_deref(), Some("Ann"));
        let chat = read(&json!({"conversation_id": 7, "messages": [
            {"role": "user", "content": "hi"}, {"role": "assistant", "content": "yes"}]}))
        .expect("chat");
        assert_eq!((chat.id.as_str(), chat.turns[1].role), ("7", Role::Agent));
        let text = read(&json!({"transcript": "Customer: hi\nAgent: yes"})).expect("text");
        assert_eq!((text.id.as_str(), text.turns.len()), ("x:1", 2));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (value, field) in [
            (json!([]), None),
            (json!({"id": "a"}), Some("turns")),
            (json!({"id": {}, "turns": []}), Some("id")),
            (json!({"turns": 3}), Some("turns")),
            (json!({"turns": ["x"]}), Some("turns[0]")),
            (json!({"turns": [{"role": "parrot", "text": "x"}]}), Some("turns[0].role")),
            (json!({"turns": [{"role": "agent"}]}), Some("turns[0].text")),
            (json!({"turns": [{"role": "agent", "text": 4}]}), Some("turns[0].text")),
            (
                json!({"turns": [{"role": "agent", "text": "", "start_ms": -4}]}),
                Some("turns[0].start_ms"),
            ),
            (json!({"turns": [], "start": "tea time"}), Some("start")),
            (json!({"turns": [], "language": 5}), Some("language")),
            (json!({"vcon": "0.4.0", "dialog": {}}), Some("dialog")),
        ] {
            let error = read(&value).expect_err("it is wrong");
            assert_eq!(error.field.as_deref(), field, "{value}: {error}");
        }
    }

    proptest! {
        #[test]
        fn no_line_makes_it_panic(line in "\\PC{0,200}") {
            if let Ok(value) = serde_json::from_str::<Value>(&line) {
                let _ = read(&value).and_then(|raw| raw.masked(&TimeZone::UTC));
            }
            let _ = text::turns(&line);
        }

        #[test]
        fn no_object_makes_it_panic(
            key in prop::sample::select(vec!["turns", "messages", "text", "vcon", "id", "start"]),
            inner in prop::sample::select(vec!["role", "party", "text", "start_ms", "language"]),
            word in "\\PC{0,20}", number in any::<i64>(), kind in 0..5_u8,
        ) {
            let leaf = match kind {
                0 => json!(word), 1 => json!(number), 2 => json!([word]),
                3 => json!({ word: number }), _ => Value::Null,
            };
            let value = json!({
                key: [{ inner: leaf.clone(), "role": "agent", "text": "4539 1488 0343 6467" }, leaf],
            });
            let _ = read(&value).and_then(|raw| raw.masked(&TimeZone::UTC));
        }
    }
}
