//! A conversation's outcome as lines of JSON.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::conversation::{Conversation, ItemError, sha256_hex};
use super::input::Place;
use super::summarizer::NotSummarized;
use super::wanted::Format;
use crate::connect::vcon::{self, Identity};
use crate::domain::{Classify, ErrorKind, EventBody, Turn, WrapUp, WrapUpBody};
use crate::flow::wrapup::{Language, paragraph_text};
use crate::models::TokenCount;
use crate::store::codec;

/// The output's line about a conversation. It holds no time of today.
pub fn written(format: Format, conversation: &Conversation, wrap_ups: &[WrapUp]) -> String {
    match format {
        // Columns are made of the same line when the parts are joined.
        Format::Jsonl | Format::Parquet => jsonl(&conversation.id, wrap_ups),
        Format::Vcon => container(conversation, wrap_ups),
    }
}

fn jsonl(id: &str, wrap_ups: &[WrapUp]) -> String {
    let mut line = format!(r#"{{"id":{}"#, Value::from(id));
    if let Some(summary) = wrap_ups.iter().find_map(summary_text) {
        line.push_str(&format!(r#","summary":{}"#, Value::from(summary)));
    }
    line.push_str(r#","wrapups":["#);
    for (at, wrap_up) in wrap_ups.iter().enumerate() {
        let encoded = codec::encode(&EventBody::WrapUp(Box::new(wrap_up.clone())));
        let comma = if at == 0 { "" } else { "," };
        line.push_str(&format!(r#"{comma}{{"kind":"{}","data":{}}}"#, encoded.kind, encoded.data));
    }
    line.push_str("]}");
    line
}

fn summary_text(wrap_up: &WrapUp) -> Option<String> {
    let WrapUpBody::Summary(summary) = &wrap_up.body else { return None };
    let language = Language::parse(&wrap_up.language).unwrap_or(Language::English);
    Some(paragraph_text(&summary.paragraph, language).as_str().to_owned())
}

fn container(conversation: &Conversation, wrap_ups: &[WrapUp]) -> String {
    let turns = &conversation.material.turns;
    let mut named = conversation.id.clone();
    turns.iter().for_each(|turn| named.push_str(turn.text.as_str()));
    let mut digest = [0; 16];
    let hash = sha256_hex(named.as_bytes());
    for (byte, pair) in digest.iter_mut().zip(hash.as_bytes().chunks(2)) {
        let pair = std::str::from_utf8(pair).unwrap_or_default();
        *byte = u8::from_str_radix(pair, 16).unwrap_or_default();
    }
    let started = conversation.circumstances.began.timestamp();
    let mut container = vcon::vcon(&vcon::Conversation {
        identity: Identity::Of { digest, made: started },
        subject: Some(&conversation.id),
        started,
        parties: &conversation.circumstances.parties,
        turns,
    });
    let analyses = wrap_ups.iter().map(|wrap_up| analysis(wrap_up, turns));
    let mut all = container["analysis"].as_array().cloned().unwrap_or_default();
    all.extend(analyses);
    container["analysis"] = all.into();
    container.to_string()
}

fn analysis(wrap_up: &WrapUp, turns: &[Turn]) -> Value {
    let encoded = codec::encode(&EventBody::WrapUp(Box::new(wrap_up.clone())));
    json!({
        "type": encoded.kind.trim_start_matches("wrapup."),
        "dialog": (0..turns.len()).collect::<Vec<_>>(),
        "vendor": "backchannel",
        "product": concat!("backchannel ", env!("CARGO_PKG_VERSION")),
        "mediatype": "application/json",
        "body": encoded.data,
        "encoding": "json",
    })
}

/// When a conversation was worked on, and what that took.
#[derive(Clone, Copy, Debug)]
pub struct Worked {
    pub started: Timestamp,
    pub finished: Timestamp,
    pub tokens: TokenCount,
    pub cost_micros: u64,
}

/// Who wrote an output, from what, and when.
pub fn provenance(
    place: &Place,
    conversation: &Conversation,
    input_sha256: &str,
    output: &str,
    wrap_ups: &[WrapUp],
    seed: u64,
    worked: Worked,
) -> String {
    let mut authors: Vec<Value> = Vec::new();
    for wrap_up in wrap_ups {
        let by = &wrap_up.authorship;
        let author = json!({
            "provider": by.provider,
            "model": by.model,
            "prompt": by.prompt.as_ref().map(|prompt| json!({
                "id": prompt.id, "version": prompt.version, "sha256": prompt.sha256,
            })),
        });
        if !authors.contains(&author) {
            authors.push(author);
        }
    }
    let struck: usize = wrap_ups.iter().map(|one| one.struck.len()).sum();
    let mut record = json!({
        "id": conversation.id,
        "file": place.file,
        "line": place.line,
        "input_sha256": input_sha256,
        "output_sha256": sha256_hex(output.as_bytes()),
        "authors": authors,
        "program": concat!("backchannel ", env!("CARGO_PKG_VERSION")),
        "seed": seed,
        "prompt_tokens": worked.tokens.prompt,
        "written_tokens": worked.tokens.written,
        "cost": worked.cost_micros as f64 / 1e6,
        "struck": struck,
        "started_at": codec::time_text(worked.started),
        "finished_at": codec::time_text(worked.finished),
    });
    if !conversation.warnings.is_empty() {
        record["warnings"] = conversation.warnings.clone().into();
    }
    record.to_string()
}

/// The line about an item that made the program fail.
pub fn crashed(place: &Place) -> String {
    failure(place, None, None, ErrorKind::Internal, &NotSummarized::Bug.to_string())
}

/// The line about an item that couldn't be read.
pub fn unread(place: &Place, error: &ItemError) -> String {
    failure(place, error.id.as_deref(), error.field.as_deref(), error.kind(), &error.reason)
}

/// The line about a conversation that nothing was written about.
pub fn unwritten(place: &Place, id: &str, error: &NotSummarized) -> String {
    failure(place, Some(id), None, error.kind(), &error.to_string())
}

fn failure(
    place: &Place,
    id: Option<&str>,
    field: Option<&str>,
    kind: ErrorKind,
    reason: &str,
) -> String {
    json!({
        "file": place.file,
        "line": place.line,
        "id": id,
        "field": field,
        "kind": format!("{kind:?}").to_lowercase(),
        "reason": reason,
    })
    .to_string()
}
