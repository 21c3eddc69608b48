//! Drafts with what each contradicts or repeats.

use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::evaluate::dataset::EvaluationError;
use crate::flow::wrapup::compare::DraftText;

/// In a folder.
const FILE: &str = "drafts.jsonl";

#[derive(Debug)]
pub struct Dataset {
    pub drafts: Vec<Draft>,
    pub sha256: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Contradiction,
    Duplicate,
    New,
}

/// Which drafts are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Half {
    /// Even numbers: looked at while the detector was built.
    Dev,
    /// Odd numbers.
    Test,
}

#[derive(Debug, Deserialize)]
pub struct Draft {
    pub id: String,
    pub kind: Kind,
    pub title: String,
    pub answer: Vec<String>,
    #[serde(default)]
    against: Vec<Against>,
    duplicate_of: Option<String>,
    #[serde(default)]
    related: Vec<String>,
}

/// A published sentence that can't be true together with one of the draft's.
#[derive(Debug, Deserialize)]
struct Against {
    draft_sentence: usize,
    article_id: String,
    sentence: String,
}

impl Draft {
    pub fn half(&self) -> Half {
        let last = self.id.bytes().rfind(u8::is_ascii_digit).unwrap_or(b'0');
        if (last - b'0').is_multiple_of(2) { Half::Dev } else { Half::Test }
    }

    pub fn text(&self) -> DraftText {
        DraftText { question: self.title.clone(), answer: self.answer.clone() }
    }

    /// Whether a pair is one of those that were planted.
    pub fn lists(&self, sentence: usize, article: &str, published: &str) -> bool {
        let published = plain(published);
        self.against.iter().any(|one| {
            one.draft_sentence == sentence
                && one.article_id == article
                && plain(&one.sentence) == published
        })
    }

    /// Whether it is right to say that the article says the same, but for a planted contradiction.
    pub fn may_repeat(&self, article: &str) -> bool {
        let related = match self.kind {
            Kind::Duplicate => self.related.iter().any(|id| id == article),
            Kind::Contradiction | Kind::New => false,
        };
        self.duplicate_of.as_deref() == Some(article) || related
    }
}

/// Without line breaks.
pub(super) fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Dataset {
    /// Reads a file with a draft on each line, or a folder with a `drafts.jsonl`.
    ///
    /// # Errors
    /// The file can't be read, or names the line that is no draft.
    pub fn open(path: &Path) -> Result<Self, EvaluationError> {
        let file = if path.is_dir() { path.join(FILE) } else { path.to_owned() };
        let fail = |place: String, reason: String| EvaluationError::Read { path: place, reason };
        let text = std::fs::read_to_string(&file)
            .map_err(|error| fail(file.display().to_string(), error.to_string()))?;
        let line = |(number, line): (usize, &str)| {
            let place = || format!("{}:{}", file.display(), number + 1);
            let draft: Draft =
                serde_json::from_str(line).map_err(|error| fail(place(), error.to_string()))?;
            if draft.answer.is_empty() {
                return Err(fail(place(), "answer: has no sentence".to_owned()));
            }
            Ok(draft)
        };
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let drafts: Vec<Draft> = lines.map(line).collect::<Result<_, _>>()?;
        let hash = Sha256::digest(text.as_bytes());
        Ok(Self { drafts, sha256: hash.iter().map(|byte| format!("{byte:02x}")).collect() })
    }
}
