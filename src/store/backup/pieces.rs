//! What of a row belongs to a conversation, and is in a backup under its key only.

use crate::store::chain::{Salt, commitment};
use crate::store::is_own;
use crate::store::sql::Value;
use crate::store::wire::SentenceOrigin;

use super::copy::Table;

/// Tenant and conversation.
pub type Whose = (String, String);
/// The texts of a row that are taken out of it, in the order of their columns.
pub type Pieces = Vec<Option<String>>;

/// Takes out of a row what belongs to conversations, and leaves what an erasure would leave. Articles' revisions may
/// rest on several conversations; all else belongs to one.
pub fn take(table: &Table, row: &mut [Value]) -> Vec<(Whose, Pieces)> {
    match table.name {
        "events" => body(table, row),
        "conversations" if row[table.index("erased_at")] == Value::Int(None) => {
            let columns = ["external_id", "parties", "attributes", "last_turn"];
            let blanks = [None, Some("[]"), Some("{}"), None];
            texts(table, row, "id", &columns, &blanks)
        }
        "outbox" if text(&row[table.index("effect")]).is_some_and(|effect| !effect.is_empty()) => {
            let columns = ["lane", "effect", "remote_id", "problem"];
            let blanks = [Some(""), Some(""), None, None];
            texts(table, row, "conversation", &columns, &blanks)
        }
        "article_revisions" => origins(table, row),
        _ => Vec::new(),
    }
}

/// Puts back what `take` took; says so when it isn't what stood there.
pub fn put(table: &Table, row: &mut [Value], pieces: Pieces) -> Result<(), String> {
    let odd = || format!("a row of {} has pieces that don't fit", table.name);
    match table.name {
        "events" => {
            let [Some(salt), Some(data)] = <[_; 2]>::try_from(pieces).map_err(|_| odd())? else {
                return Err(odd());
            };
            let salt = salt_of(&salt).ok_or_else(odd)?;
            let kept = table.index("commitment");
            if row[kept] != Value::from(commitment(&salt, &data).as_slice()) {
                return Err("an event isn't the one that was written".to_owned());
            }
            row[kept] = Value::Bytes(None);
            row[table.index("salt")] = Value::from(salt.as_slice());
            row[table.index("data")] = Value::from(data);
        }
        "article_revisions" => {
            let at = table.index("provenance");
            let mut all = text(&row[at]).map(numbered).transpose()?.unwrap_or_default();
            for piece in pieces.into_iter().flatten() {
                all.extend(numbered(&piece)?);
            }
            all.sort_by_key(|(number, _)| *number);
            row[at] = Value::from(json(&all));
        }
        name => {
            let columns = match name {
                "conversations" => ["external_id", "parties", "attributes", "last_turn"],
                _ => ["lane", "effect", "remote_id", "problem"],
            };
            if pieces.len() != columns.len() {
                return Err(odd());
            }
            for (column, piece) in columns.into_iter().zip(pieces) {
                row[table.index(column)] = Value::from(piece);
            }
        }
    }
    Ok(())
}

/// When all that there is was put back: a revision's origins are numbered until then.
pub fn finish(table: &Table, row: &mut [Value]) -> Result<(), String> {
    if table.name == "article_revisions" {
        let at = table.index("provenance");
        if let Some(all) = text(&row[at]) {
            let all: Vec<SentenceOrigin> =
                numbered(all)?.into_iter().map(|(_, origin)| origin).collect();
            row[at] = Value::from(json(&all));
        }
    }
    Ok(())
}

/// What an erasure would have done besides, where the key is gone.
pub fn gone(table: &Table, row: &mut [Value], now_ms: i64) {
    match table.name {
        "conversations" => {
            let at = table.index("erased_at");
            // The service goes on writing under its own names.
            let id = text(&row[table.index("id")]).unwrap_or_default();
            if row[at] == Value::Int(None) && !is_own(&id.into()) {
                row[at] = Value::from(now_ms);
            }
        }
        // Nobody could do it any more.
        "outbox" => {
            let at = table.index("state");
            if text(&row[at]) != Some("done") {
                row[at] = Value::from("discarded");
            }
        }
        _ => {}
    }
}

fn body(table: &Table, row: &mut [Value]) -> Vec<(Whose, Pieces)> {
    let (data_at, salt_at) = (table.index("data"), table.index("salt"));
    // Erased already.
    let Value::Bytes(Some(bytes)) = &row[salt_at] else { return Vec::new() };
    let Ok(salt) = Salt::try_from(bytes.as_slice()) else { return Vec::new() };
    let data = text(&row[data_at]).unwrap_or_default().to_owned();
    row[table.index("commitment")] = Value::from(commitment(&salt, &data).as_slice());
    row[salt_at] = Value::Bytes(None);
    row[data_at] = Value::from("");
    let salt: String = salt.iter().map(|byte| format!("{byte:02x}")).collect();
    vec![(whose(table, row, "conversation"), vec![Some(salt), Some(data)])]
}

fn texts(
    table: &Table,
    row: &mut [Value],
    conversation: &str,
    columns: &[&str],
    blanks: &[Option<&str>],
) -> Vec<(Whose, Pieces)> {
    let whose = whose(table, row, conversation);
    let mut pieces = Pieces::new();
    for (column, blank) in columns.iter().zip(blanks) {
        let at = table.index(column);
        pieces.push(text(&row[at]).map(str::to_owned));
        row[at] = Value::from(*blank);
    }
    vec![(whose, pieces)]
}

fn origins(table: &Table, row: &mut [Value]) -> Vec<(Whose, Pieces)> {
    let at = table.index("provenance");
    let Some(all) = text(&row[at]) else { return Vec::new() };
    // What is damaged names nobody that could have a key.
    let all: Vec<SentenceOrigin> = serde_json::from_str(all).unwrap_or_default();
    row[at] = Value::Text(None);
    let tenant = text(&row[table.index("tenant")]).unwrap_or_default().to_owned();
    let mut taken: Vec<(Whose, Pieces)> = Vec::new();
    for (number, origin) in all.into_iter().enumerate() {
        let whose = (tenant.clone(), origin.conversation_id.clone());
        let piece = Some(json(&[(number, origin)]));
        match taken.iter_mut().find(|(known, _)| *known == whose) {
            Some((_, pieces)) => pieces.push(piece),
            None => taken.push((whose, vec![piece])),
        }
    }
    taken
}

fn numbered(text: &str) -> Result<Vec<(usize, SentenceOrigin)>, String> {
    serde_json::from_str(text).map_err(|_| "an article's origins can't be read".to_owned())
}

fn whose(table: &Table, row: &[Value], conversation: &str) -> Whose {
    let of = |column| text(&row[table.index(column)]).unwrap_or_default().to_owned();
    (of("tenant"), of(conversation))
}

pub fn text(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => text.as_deref(),
        Value::Int(_) | Value::Bytes(_) => None,
    }
}

fn salt_of(hex: &str) -> Option<Salt> {
    let digit = |at: usize| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok();
    let bytes: Option<Vec<u8>> = (0..32).step_by(2).map(digit).collect();
    bytes?.try_into().ok().filter(|_| hex.len() == 32)
}

pub fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("texts and numbers are JSON; this is a bug")
}
