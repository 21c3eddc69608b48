//! Labelled sentences, as they lie in their folders.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::domain::{Classify, ErrorKind};
use crate::insight::intent::{Example, IntentError, Kind, read};
use crate::models::embedder::EmbedderError;

/// Labels of sentences that belong to no intent.
const OUT_OF_SCOPE: [&str; 2] = ["oos", "out_of_scope"];

/// Where a row belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Train,
    Test,
    /// Not said: it is asked about by models that are trained without it.
    Either,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Without a label it is out of scope.
    pub example: Example,
    pub part: Part,
}

#[derive(Debug)]
pub struct Dataset {
    pub rows: Vec<Row>,
    /// SHA-256 over all files.
    pub sha256: String,
}

#[derive(Debug, thiserror::Error)]
pub enum IntentDataError {
    #[error("{path} can't be read: {reason}")]
    Read { path: String, reason: String },
    #[error(
        "{0} holds neither intents.jsonl, nor other files .jsonl with labelled sentences, nor .toml with intents"
    )]
    UnknownForm(String),
    #[error("{0}")]
    Files(String),
    #[error(
        "there are rows to test and none to train on; name a folder or a file that has some with --train"
    )]
    NothingToTrainOn,
    #[error("there is nothing to ask about: no row has an intent")]
    NothingToAsk,
    #[error(transparent)]
    Model(#[from] EmbedderError),
    #[error(transparent)]
    Training(#[from] IntentError),
}

impl Classify for IntentDataError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Model(error) => error.kind(),
            Self::Training(error) => error.kind(),
            _ => ErrorKind::Invalid,
        }
    }
}

#[derive(Deserialize)]
struct Line {
    #[serde(alias = "utterance")]
    text: String,
    intent: String,
    split: Option<String>,
}

impl Dataset {
    /// Reads a file of JSON lines with `text` or `utterance`, `intent` and perhaps `split`; or a folder with
    /// `intents.jsonl`, with other such files, or with the `.toml` of a company's intents. Of each of `training`, which
    /// are read alike, all rows but those to be tested are trained on too.
    ///
    /// # Errors
    /// Names the file and the line that are wrong.
    pub fn open(path: &Path, training: &[PathBuf]) -> Result<Self, IntentDataError> {
        let mut hash = Sha256::new();
        let mut rows = rows_of(path, &mut hash)?;
        for path in training {
            let more = rows_of(path, &mut hash)?.into_iter().filter(|row| row.part != Part::Test);
            rows.extend(more.map(|row| Row { part: Part::Train, ..row }));
        }
        let has = |part| rows.iter().any(|row| row.part == part && row.example.label.is_some());
        if has(Part::Test) && !has(Part::Train) && !has(Part::Either) {
            return Err(IntentDataError::NothingToTrainOn);
        }
        if !has(Part::Test) && !has(Part::Either) {
            // Somebody shares a part that was meant for training: it is asked about as a set without parts.
            rows.iter_mut().for_each(|row| row.part = Part::Either);
        }
        if rows.iter().all(|row| row.example.label.is_none()) {
            return Err(IntentDataError::NothingToAsk);
        }
        let sha256 = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { rows, sha256 })
    }
}

fn rows_of(path: &Path, hash: &mut Sha256) -> Result<Vec<Row>, IntentDataError> {
    let wrong = |path: &Path, reason: String| IntentDataError::Read {
        path: path.display().to_string(),
        reason,
    };
    if path.is_file() {
        return lines_of(path, hash);
    }
    let usual = path.join("intents.jsonl");
    if usual.is_file() {
        return lines_of(&usual, hash);
    }
    let entries = std::fs::read_dir(path).map_err(|error| wrong(path, error.to_string()))?;
    let mut files = Vec::new();
    for entry in entries {
        files.push(entry.map_err(|error| wrong(path, error.to_string()))?.path());
    }
    files.sort();
    let of_kind = |kind: &str| -> Vec<&PathBuf> {
        files.iter().filter(|file| file.extension().is_some_and(|end| end == kind)).collect()
    };
    let (lines, tables) = (of_kind("jsonl"), of_kind("toml"));
    if !lines.is_empty() {
        let mut rows = Vec::new();
        for file in lines {
            rows.extend(lines_of(file, hash)?);
        }
        return Ok(rows);
    }
    if tables.is_empty() {
        return Err(IntentDataError::UnknownForm(path.display().to_string()));
    }
    for file in tables {
        hash.update(std::fs::read(file).map_err(|error| wrong(file, error.to_string()))?);
    }
    let files = read(path).map_err(|mistakes| {
        let told: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        IntentDataError::Files(told.join("\n"))
    })?;
    let part = |example: &Example| match example.kind {
        Kind::Said => Part::Either,
        Kind::About => Part::Train,
    };
    let rows = files.examples().into_iter();
    Ok(rows.map(|example| Row { part: part(&example), example }).collect())
}

fn lines_of(path: &Path, hash: &mut Sha256) -> Result<Vec<Row>, IntentDataError> {
    let wrong = |reason: String, line: Option<usize>| IntentDataError::Read {
        path: match line {
            Some(line) => format!("{}:{line}", path.display()),
            None => path.display().to_string(),
        },
        reason,
    };
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string(), None))?;
    hash.update(&text);
    let mut rows = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let line: Line = serde_json::from_str(line)
            .map_err(|error| wrong(error.to_string(), Some(number + 1)))?;
        let part = match line.split.as_deref() {
            None => Part::Either,
            Some(split) if split.contains("train") => Part::Train,
            Some(_) => Part::Test,
        };
        let is_outside = OUT_OF_SCOPE.iter().any(|none| line.intent.eq_ignore_ascii_case(none));
        let example = match is_outside {
            true => Example::out_of_scope(line.text),
            false => Example::said(line.text, line.intent),
        };
        rows.push(Row { example, part });
    }
    Ok(rows)
}
