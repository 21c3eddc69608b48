//! An item that came over the API, as it may stand on a disk.

use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use super::json;
use crate::batch::conversation::ItemError;
use crate::domain::Turn;
use crate::insight::redaction;

/// The item in our own form, masked: reading it gives what reading the item gives. What can't be
/// read keeps its form, so that the same is wrong with it, and loses its digits.
pub fn masked_item(item: &Value, zone: &TimeZone) -> Value {
    in_our_form(item, zone).unwrap_or_else(|_| without_digits(item, None))
}

fn in_our_form(item: &Value, zone: &TimeZone) -> Result<Value, ItemError> {
    let raw = json::conversation(item, "", zone)?;
    let began = raw.began.clone();
    let conversation = raw.masked(zone)?;
    let mut own = Map::new();
    if !conversation.id.is_empty() {
        own.insert("id".to_owned(), conversation.id.as_str().into());
    }
    if let Some(began) = began {
        own.insert("started_at".to_owned(), began.to_string().into());
    }
    let turns: Vec<Value> = conversation.material.turns.iter().map(turn).collect();
    own.insert("turns".to_owned(), turns.into());
    Ok(own.into())
}

fn turn(turn: &Turn) -> Value {
    json!({
        "role": turn.party.role.as_str(),
        "name": turn.party.name,
        "text": turn.text.as_str(),
        "start_ms": turn.start_ms,
        "end_ms": turn.end_ms,
        "language": turn.language,
    })
}

/// No card number has fewer digits.
const HARMLESS_MAX: u64 = 999_999_999_999;

fn without_digits(value: &Value, field: Option<&str>) -> Value {
    let is_id = field.is_some_and(|field| matches!(field, "id" | "conversation_id" | "uuid"));
    match value {
        Value::String(text) if is_id => redaction::typed(text).as_str().into(),
        Value::String(text) => {
            let plain = |c: char| if c.is_numeric() { '0' } else { c };
            text.chars().map(plain).collect::<String>().into()
        }
        Value::Number(number) => {
            let size = number.as_i64().map(i64::unsigned_abs).or_else(|| number.as_u64());
            if size.is_some_and(|size| size <= HARMLESS_MAX) { value.clone() } else { 0.into() }
        }
        Value::Array(all) => all.iter().map(|one| without_digits(one, field)).collect(),
        Value::Object(fields) => fields
            .iter()
            .filter(|(name, _)| json::is_known_field(name))
            .map(|(name, value)| (name.clone(), without_digits(value, Some(name))))
            .collect::<Map<_, _>>()
            .into(),
        Value::Null | Value::Bool(_) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CARD: &str = "4539 1488 0343 6467";

    fn read(item: &Value) -> Result<String, ItemError> {
        let zone = TimeZone::get("Europe/London").expect("a zone");
        let raw = json::conversation(item, "items.jsonl:1", &zone)?;
        raw.masked(&zone).map(|conversation| format!("{conversation:?}"))
    }

    #[test]
    fn what_is_on_the_disk_reads_as_what_came() {
        let zone = TimeZone::get("Europe/London").expect("a zone");
        for item in [
            json!({"id": "a", "turns": [{"role": "user", "content": format!("It is {CARD}.")}]}),
            json!({"started_at": "2026-07-02T10:00:00Z", "language": "fr", "x": CARD, "messages": [
                {"party": {"role": "agent", "name": "Ann"}, "text": "4539 1488", "start_ms": 4},
                {"role": "agent", "name": "Ann", "text": "0343 6467", "end_ms": 90}]}),
            json!({"started_at": "2026-07-02T10:00:00[Asia/Tokyo]", "turns": []}),
            json!({"id": 4539148803436467_u64, "text": format!("Customer: {CARD}\nAgent: so")}),
            json!({"vcon": "0.4.0", "uuid": "u", "parties": [{"role": "customer"}], "dialog": [
                {"type": "text", "start": "2026-01-01T00:00:00Z", "parties": 0, "body": CARD}]}),
            json!({"id": "b", "turns": [{"role": "parrot", "text": CARD}], "x": CARD}),
            json!({"id": CARD, "turns": [{"role": "agent", "text": 4539148803436467_u64}]}),
            json!({"id": "c", "turns": [], "start": CARD}),
            json!({"turns": [{"role": "agent", "text": CARD, "start_ms": -4}]}),
            json!([CARD]),
        ] {
            let stored = masked_item(&item, &zone);
            let text = stored.to_string();
            assert!(!text.contains("0343") && !text.contains("148803"), "{text}");
            assert_eq!(read(&stored), read(&item), "{item} as {stored}");
        }
    }
}
