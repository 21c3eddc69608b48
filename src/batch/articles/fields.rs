//! Named fields → an article. Front matter, rows of tables and JSON objects all are such fields.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde_json::{Map, Value};

use crate::domain::{ArticleId, Audience};
use crate::knowledge::FileArticle;

pub(super) type Fields = Map<String, Value>;

/// The names under which something may stand; the first that is there counts.
const TITLE: &[&str] = &["title", "name"];
const QUESTION: &[&str] = &["question", "q"];
const BODY: &[&str] = &["body", "content", "text", "markdown"];
const ANSWER: &[&str] = &["answer", "a", "response"];
const PRODUCTS: &[&str] = &["products", "product"];
const LANGUAGE: &[&str] = &["language", "lang", "locale"];
const SOURCE: &[&str] = &["source", "source_path", "url"];

/// Makes an article of fields and, if the text doesn't stand in one of them, its body. Fields that
/// mean nothing here are passed over: other programs have their own.
pub(super) fn article(
    id: &ArticleId,
    fields: &Fields,
    body: Option<String>,
) -> Result<FileArticle, String> {
    let question = text(fields, QUESTION)?;
    let title = text(fields, TITLE)?.or_else(|| question.clone());
    let answer = text(fields, ANSWER)?;
    let body = match (body, text(fields, BODY)?, question, answer) {
        (Some(body), ..) => body,
        (None, Some(body), ..) => body,
        (None, None, Some(question), Some(answer)) => format!("## {question}\n\n{answer}\n"),
        (None, None, None, Some(answer)) => answer,
        (None, None, _, None) => return Err("body: there is none, nor an answer".to_owned()),
    };
    let title = title.or_else(|| first_heading(&body)).unwrap_or_else(|| humanised(id.as_str()));
    let valid_from = date(fields, "valid_from")?;
    Ok(FileArticle {
        id: id.clone(),
        title,
        body,
        audience: audience(fields)?,
        products: list(fields, PRODUCTS)?,
        language: text(fields, LANGUAGE)?.unwrap_or_else(|| "en".to_owned()),
        valid_from,
        valid_until: date(fields, "valid_until")?,
        review_by: date(fields, "review_by")?,
        source: text(fields, SOURCE)?,
        verbatim: truth(fields, "verbatim")?,
        asked_as: phrasings(fields)?,
        front_matter: None,
    })
}

/// What a row calls itself.
pub(super) fn id(fields: &Fields) -> Result<Option<String>, String> {
    text(fields, &["id", "slug"])
}

/// A name for a row that has none.
pub(super) fn name(fields: &Fields) -> Option<String> {
    text(fields, TITLE).ok().flatten().or_else(|| text(fields, QUESTION).ok().flatten())
}

fn first<'a>(fields: &'a Fields, names: &[&'static str]) -> Option<(&'static str, &'a Value)> {
    names.iter().find_map(|name| {
        let value = fields.get(*name).filter(|value| !value.is_null())?;
        Some((*name, value))
    })
}

fn text(fields: &Fields, names: &[&'static str]) -> Result<Option<String>, String> {
    match first(fields, names) {
        None => Ok(None),
        Some((_, Value::String(text))) if text.trim().is_empty() => Ok(None),
        Some((name, Value::String(text))) => Ok(Some(match BODY.contains(&name) {
            true => text.clone(),
            false => text.trim().to_owned(),
        })),
        Some((_, Value::Number(number))) => Ok(Some(number.to_string())),
        Some((name, _)) => Err(format!("{name}: is no text")),
    }
}

/// A list, or a text with commas or semicolons.
fn list(fields: &Fields, names: &[&'static str]) -> Result<Vec<String>, String> {
    let wrong = |name: &str| Err(format!("{name}: is no list of texts"));
    match first(fields, names) {
        None => Ok(Vec::new()),
        Some((_, Value::String(text))) => {
            let parts = text.split([',', ';', '|']).map(str::trim);
            Ok(parts.filter(|part| !part.is_empty()).map(str::to_owned).collect())
        }
        Some((name, Value::Array(values))) => {
            let texts = values.iter().map(|value| value.as_str().map(str::to_owned));
            texts.collect::<Option<_>>().map_or_else(|| wrong(name), Ok)
        }
        Some((name, _)) => wrong(name),
    }
}

fn audience(fields: &Fields) -> Result<Vec<Audience>, String> {
    let names = list(fields, &["audience"])?;
    if names.is_empty() {
        return Ok(vec![Audience::Agent]);
    }
    let audience = names.iter().map(|name| {
        Audience::parse(&name.to_lowercase())
            .ok_or_else(|| format!("audience: is agent, customer or both, not {name:?}"))
    });
    audience.collect()
}

fn date(fields: &Fields, name: &'static str) -> Result<Option<Date>, String> {
    // A date of TOML comes as an object with one member.
    let value = match fields.get(name) {
        Some(Value::Object(date)) => date.values().next(),
        other => other,
    };
    let Some(value) = value.filter(|value| !value.is_null()) else { return Ok(None) };
    let text =
        value.as_str().map(str::trim).ok_or_else(|| format!("{name}: {value} is not a date"))?;
    if text.is_empty() {
        return Ok(None);
    }
    let day = text.get(..10).unwrap_or(text);
    day.parse().map(Some).map_err(|_| format!("{name}: {text:?} is not a date such as 2026-12-31"))
}

fn truth(fields: &Fields, name: &'static str) -> Result<bool, String> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(is)) => Ok(*is),
        Some(Value::String(text)) => match text.trim().to_lowercase().as_str() {
            "true" | "yes" | "1" => Ok(true),
            "" | "false" | "no" | "0" => Ok(false),
            other => Err(format!("{name}: {other:?} is neither true nor false")),
        },
        Some(other) => Err(format!("{name}: {other} is neither true nor false")),
    }
}

fn phrasings(fields: &Fields) -> Result<BTreeMap<String, Vec<String>>, String> {
    let Some(value) = fields.get("asked_as").filter(|value| !value.is_null()) else {
        return Ok(BTreeMap::new());
    };
    serde_json::from_value(value.clone())
        .map_err(|_| "asked_as: has a list of phrasings for each heading".to_owned())
}

fn first_heading(body: &str) -> Option<String> {
    let heading = body.lines().find_map(|line| line.trim_start().strip_prefix("# "))?;
    Some(heading.trim().to_owned()).filter(|heading| !heading.is_empty())
}

fn humanised(id: &str) -> String {
    let stem = id.rsplit('/').next().unwrap_or(id).replace(['-', '_'], " ");
    let mut chars = stem.trim().chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
