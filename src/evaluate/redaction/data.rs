//! Sentences with labelled secrets, and what others found in them.

use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::domain::{Classify, ErrorKind};
use crate::insight::redaction::Secret;

/// A type of secret that both sides can be held to. Streets, towns and postal codes are one, since presidio-analyzer has one
/// name for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Type {
    Person,
    Location,
    Organisation,
    Card,
    Date,
    Phone,
    Title,
    Nationality,
    Url,
    Age,
    Email,
    Iban,
    Ssn,
    DrivingLicence,
    Other,
}

impl Type {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Location => "location",
            Self::Organisation => "organisation",
            Self::Card => "card",
            Self::Date => "date",
            Self::Phone => "phone",
            Self::Title => "title",
            Self::Nationality => "nationality",
            Self::Url => "url",
            Self::Age => "age",
            Self::Email => "email",
            Self::Iban => "iban",
            Self::Ssn => "national_id",
            Self::DrivingLicence => "driving_licence",
            Self::Other => "other",
        }
    }

    /// What a kind of the masker is here.
    pub const fn of(kind: Secret) -> Self {
        match kind {
            Secret::Card => Self::Card,
            Secret::Iban => Self::Iban,
            Secret::NationalId => Self::Ssn,
            Secret::DrivingLicence => Self::DrivingLicence,
            Secret::BirthDate | Secret::Date => Self::Date,
            Secret::Email => Self::Email,
            Secret::Phone => Self::Phone,
            Secret::Url => Self::Url,
            Secret::Person => Self::Person,
            Secret::Organisation => Self::Organisation,
            Secret::Address | Secret::Place => Self::Location,
            Secret::Nationality => Self::Nationality,
            Secret::Age => Self::Age,
            Secret::Title => Self::Title,
            Secret::SecurityCode
            | Secret::BankAccount
            | Secret::Password
            | Secret::OneTimeCode
            | Secret::Credentials
            | Secret::IpAddress => Self::Other,
        }
    }

    /// By the names of presidio-research's data and of presidio-analyzer.
    fn named(name: &str) -> Self {
        match name {
            "PERSON" => Self::Person,
            "STREET_ADDRESS" | "GPE" | "ZIP_CODE" | "LOCATION" | "ADDRESS" => Self::Location,
            "ORGANIZATION" => Self::Organisation,
            "CREDIT_CARD" => Self::Card,
            "DATE_TIME" => Self::Date,
            "PHONE_NUMBER" => Self::Phone,
            "TITLE" => Self::Title,
            "NRP" => Self::Nationality,
            "DOMAIN_NAME" | "URL" => Self::Url,
            "AGE" => Self::Age,
            "EMAIL_ADDRESS" => Self::Email,
            "IBAN_CODE" => Self::Iban,
            "US_SSN" | "US_ITIN" => Self::Ssn,
            "US_DRIVER_LICENSE" => Self::DrivingLicence,
            _ => Self::Other,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    pub bytes: Range<usize>,
    pub kind: Type,
}

/// A sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    pub id: String,
    pub text: String,
    /// Sentences of one template differ in their secrets only.
    pub template: String,
    pub labels: Vec<Label>,
}

impl Item {
    /// Whether its template was left aside while the rules were written: those with an odd SHA-256 are.
    pub fn is_held_out(&self) -> bool {
        Sha256::digest(self.template.as_bytes()).last().is_some_and(|byte| byte % 2 == 1)
    }
}

#[derive(Debug)]
pub struct Dataset {
    pub items: Vec<Item>,
    pub sha256: String,
}

#[derive(Debug, thiserror::Error)]
pub enum RedactionDataError {
    #[error("{path} can't be read: {reason}")]
    Read { path: PathBuf, reason: String },
    #[error("{path}, line {line}: {reason}")]
    Line { path: PathBuf, line: usize, reason: String },
    #[error("{0} holds no sentences")]
    Empty(PathBuf),
}

impl Classify for RedactionDataError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }
}

#[derive(Deserialize)]
struct Line {
    id: String,
    text: String,
    #[serde(default)]
    template_id: serde_json::Value,
    #[serde(default)]
    spans: Vec<SpanOf>,
}

#[derive(Deserialize)]
struct Found {
    id: String,
    spans: Vec<SpanOf>,
}

/// `start` and `end` count code points.
#[derive(Deserialize)]
struct SpanOf {
    #[serde(rename = "type")]
    kind: String,
    start: usize,
    end: usize,
}

impl Dataset {
    /// Reads a folder's `labelled.jsonl`, or one such file: `id`, `text`, `spans` with `type`, `start` and `end` in code
    /// points, and perhaps `template_id`.
    ///
    /// # Errors
    /// Names the file, and the line that is wrong.
    pub fn open(path: &Path) -> Result<Self, RedactionDataError> {
        let path = if path.is_dir() { path.join("labelled.jsonl") } else { path.to_owned() };
        let text = read(&path)?;
        let mut items = Vec::new();
        for (number, line) in lines(&text) {
            let wrong = |reason: String| RedactionDataError::Line {
                path: path.clone(),
                line: number,
                reason,
            };
            let line: Line =
                serde_json::from_str(line).map_err(|error| wrong(error.to_string()))?;
            let labels = labels(&line.text, &line.spans).map_err(wrong)?;
            let template = match &line.template_id {
                serde_json::Value::String(name) => name.clone(),
                other => other.to_string(),
            };
            items.push(Item { id: line.id, text: line.text, template, labels });
        }
        if items.is_empty() {
            return Err(RedactionDataError::Empty(path));
        }
        let sha256 =
            Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { items, sha256 })
    }
}

/// Reads what another program found: a line for each item, with `id` and `spans`. An item without a line has none.
///
/// # Errors
/// Names the file and the line that are wrong.
pub fn predictions(path: &Path, items: &[Item]) -> Result<Vec<Vec<Label>>, RedactionDataError> {
    let text = read(path)?;
    let mut found = vec![Vec::new(); items.len()];
    for (number, line) in lines(&text) {
        let wrong = |reason: String| RedactionDataError::Line {
            path: path.to_owned(),
            line: number,
            reason,
        };
        let line: Found = serde_json::from_str(line).map_err(|error| wrong(error.to_string()))?;
        let place = items.iter().position(|item| item.id == line.id);
        let place = place.ok_or_else(|| wrong(format!("no item is called {}", line.id)))?;
        found[place] = labels(&items[place].text, &line.spans).map_err(wrong)?;
    }
    Ok(found)
}

fn read(path: &Path) -> Result<String, RedactionDataError> {
    std::fs::read_to_string(path).map_err(|error| RedactionDataError::Read {
        path: path.to_owned(),
        reason: error.to_string(),
    })
}

fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(at, line)| (at + 1, line))
}

fn labels(text: &str, spans: &[SpanOf]) -> Result<Vec<Label>, String> {
    let mut places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    places.push(text.len());
    let label = |span: &SpanOf| {
        let bytes =
            places.get(span.start).zip(places.get(span.end)).filter(|(start, end)| start < end);
        let (start, end) = bytes.ok_or_else(|| {
            format!(
                "{}..{} is no part of a text of {} characters",
                span.start,
                span.end,
                places.len() - 1
            )
        })?;
        Ok(Label { bytes: *start..*end, kind: Type::named(&span.kind) })
    };
    spans.iter().map(label).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(text: &str) -> Result<Dataset, String> {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("labelled.jsonl"), text).expect("written");
        Dataset::open(folder.path()).map_err(|error| error.to_string())
    }

    #[test]
    fn labels_count_code_points_and_mistakes_name_their_line() {
        let line = r#"{"id":"a","text":"Zoë of Köln","template_id":7,"spans":[{"type":"GPE","start":7,"end":11}]}"#;
        let data = open(&format!("{line}\n\n")).expect("it is right");
        let item = &data.items[0];
        assert_eq!((&*item.template, &item.text[item.labels[0].bytes.clone()]), ("7", "Köln"));
        let outside = line.replace("11}", "12}");
        for (text, part) in [
            (format!("{line}\n{{"), "labelled.jsonl, line 2"),
            (format!("{line}\n\n{outside}"), "line 3: 7..12 is no part of a text of 11 characters"),
            (String::new(), "holds no sentences"),
        ] {
            let error = open(&text).expect_err("it is wrong");
            assert!(error.contains(part), "{error}");
        }
        let found = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(found.path(), r#"{"id":"b","spans":[]}"#).expect("written");
        let error = predictions(found.path(), &data.items).expect_err("it is wrong").to_string();
        assert!(error.contains("line 1: no item is called b"), "{error}");
    }
}
