//! Tables of questions and answers: CSV, JSON, JSON Lines. Each row is an article.

use serde_json::Value;

use super::fields::{self, Fields};
use super::{Found, Origin, finished, id_of};

/// Reads a table with a line of names at the top.
pub(super) fn csv(bytes: &[u8], origin: &Origin<'_>, on_found: &mut dyn FnMut(Found)) {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let first = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
    // Where a comma writes decimals, tables are separated by semicolons.
    let semicolons = first.iter().filter(|&&byte| byte == b';').count();
    let commas = first.iter().filter(|&&byte| byte == b',').count();
    let delimiter = if semicolons > commas { b';' } else { b',' };
    let mut reader =
        csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(bytes);
    let names: Vec<String> = match reader.headers() {
        Ok(names) => names.iter().map(|name| name.trim().to_lowercase()).collect(),
        Err(error) => return on_found(Found::wrong(&origin.place, error.to_string())),
    };
    for record in reader.records() {
        match record {
            Ok(record) => {
                let line = record.position().map_or(0, |position| position.line());
                let named = names.iter().cloned().zip(record.iter().map(Value::from));
                let place = format!("{}:{line}", origin.place);
                on_found(row(&place, named.collect(), origin));
            }
            Err(error) => on_found(Found::wrong(&origin.place, error.to_string())),
        }
    }
}

/// Reads a list of objects, which may stand under `articles`, `items`, `faqs` or `data`.
pub(super) fn json(bytes: &[u8], origin: &Origin<'_>, on_found: &mut dyn FnMut(Found)) {
    let value: Value = match serde_json::from_slice(bytes) {
        Ok(value) => value,
        Err(error) => return on_found(Found::wrong(&origin.place, error.to_string())),
    };
    let rows = match value {
        Value::Array(rows) => rows,
        Value::Object(mut object) => {
            let list = ["articles", "items", "faqs", "data"].iter().find_map(|name| {
                object.get(*name).is_some_and(Value::is_array).then(|| object.remove(*name))
            });
            match list {
                Some(Some(Value::Array(rows))) => rows,
                _ => vec![Value::Object(object)],
            }
        }
        _ => return on_found(Found::wrong(&origin.place, "is no list of articles")),
    };
    for (at, value) in rows.into_iter().enumerate() {
        let place = format!("{}#{}", origin.place, at + 1);
        on_found(match value {
            Value::Object(fields) => row(&place, fields, origin),
            _ => Found::wrong(place, "is no object"),
        });
    }
}

/// Reads an object a line.
pub(super) fn json_lines(bytes: &[u8], origin: &Origin<'_>, on_found: &mut dyn FnMut(Found)) {
    for (at, line) in bytes.split(|&byte| byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let place = format!("{}:{}", origin.place, at + 1);
        on_found(match serde_json::from_slice(line) {
            Ok(Value::Object(fields)) => row(&place, fields, origin),
            Ok(_) => Found::wrong(place, "is no object"),
            Err(error) => Found::wrong(place, error.to_string()),
        });
    }
}

fn row(place: &str, fields: Fields, origin: &Origin<'_>) -> Found {
    let named = match fields::id(&fields) {
        Ok(named) => named,
        Err(why) => return Found::wrong(place, why),
    };
    let id = match named {
        Some(id) => id_of(&format!("{}{id}", origin.prefix)),
        None => match fields::name(&fields) {
            Some(name) => {
                let words = name.split(|c: char| !c.is_alphanumeric());
                let words: Vec<String> =
                    words.filter(|word| !word.is_empty()).take(12).map(str::to_lowercase).collect();
                id_of(&format!("{}/{}", origin.id(), words.join("-")))
            }
            None => return Found::wrong(place, "title: there is none, nor a question or an id"),
        },
    };
    finished(place, fields::article(&id, &fields, None))
}
