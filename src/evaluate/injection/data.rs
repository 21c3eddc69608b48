//! Attacks as they lie in their folders.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::domain::{Classify, ErrorKind};

/// One text that somebody wants a machine to obey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attack {
    pub id: String,
    /// As the data set groups it.
    pub category: String,
    pub text: String,
}

/// Which attacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Half {
    /// Those that were looked at while the rules were written.
    Development,
    Test,
    All,
}

impl Half {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Test => "test",
            Self::All => "all",
        }
    }
}

impl Attack {
    /// By the text alone, so that it is the same in any order.
    pub fn half(&self) -> Half {
        match Sha256::digest(self.text.as_bytes())[0] % 2 {
            0 => Half::Development,
            _ => Half::Test,
        }
    }
}

/// A folder of attacks.
#[derive(Clone, Debug)]
pub struct Dataset {
    pub attacks: Vec<Attack>,
    /// Messages of honest people to hide them in; empty where the set has none.
    pub mails: Vec<String>,
    /// SHA-256 over the files in the order of their names.
    pub sha256: String,
}

#[derive(Debug, thiserror::Error)]
#[error("{place}: {reason}")]
pub struct DatasetError {
    place: String,
    reason: String,
}

impl Classify for DatasetError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }
}

#[derive(Deserialize)]
struct Mail {
    context: String,
}

#[derive(Deserialize)]
struct Prompt {
    id: String,
    text: String,
}

impl Dataset {
    /// Reads a folder in the form of BIPIA (`text_attack_*.json`: category to texts, `email_*.jsonl` with
    /// `context`) or of prompts by line (`*.jsonl` with `id` and `text`).
    ///
    /// # Errors
    /// Names the file, line and field that are wrong.
    pub fn open(folder: &Path) -> Result<Self, DatasetError> {
        let mut hash = Sha256::new();
        let (mut attacks, mut mails) = (Vec::new(), Vec::new());
        for file in files(folder)? {
            let name = file.display().to_string();
            let text = std::fs::read_to_string(&file)
                .map_err(|error| wrong(&name, format!("can't be read: {error}")))?;
            hash.update(&text);
            let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            if file.extension().is_some_and(|found| found == "json") {
                let by_category: BTreeMap<String, Vec<String>> = serde_json::from_str(&text)
                    .map_err(|error| wrong(&name, format!("can't be used: {error}")))?;
                for (category, texts) in by_category {
                    let numbered = (1..).zip(texts);
                    attacks.extend(numbered.map(|(number, text)| {
                        let id = format!("{category}-{number}");
                        Attack { id, category: category.clone(), text }
                    }));
                }
                continue;
            }
            let is_mails = stem.starts_with("email");
            for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.is_empty()) {
                let unusable = |error: serde_json::Error| {
                    wrong(format!("{name}:{number}"), format!("can't be used: {error}"))
                };
                if is_mails {
                    let mail: Mail = serde_json::from_str(line).map_err(unusable)?;
                    mails.push(mail.context);
                } else {
                    let Prompt { id, text } = serde_json::from_str(line).map_err(unusable)?;
                    attacks.push(Attack { id, category: stem.clone(), text });
                }
            }
        }
        if attacks.is_empty() {
            return Err(wrong(
                folder.display(),
                "holds no attacks (text_attack_*.json or *.jsonl)",
            ));
        }
        let sha256 = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { attacks, mails, sha256 })
    }
}

fn wrong(place: impl std::fmt::Display, reason: impl Into<String>) -> DatasetError {
    DatasetError { place: place.to_string(), reason: reason.into() }
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, DatasetError> {
    let unreadable = |error| wrong(folder.display(), format!("can't be read: {error}"));
    let entries = std::fs::read_dir(folder).map_err(unreadable)?;
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|file| file.extension().is_some_and(|end| end == "json" || end == "jsonl"));
    files.sort();
    Ok(files)
}
