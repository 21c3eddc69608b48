//! What a batch consists of, decided once: its sources as they were, and its jobs.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::BatchError;
use super::files;
use super::input::Kind;

/// So many conversations are a job: few enough to lose little, enough to be worth a transaction.
pub const CONVERSATIONS_PER_JOB: u32 = 64;
/// A job of long conversations has fewer, so that what is in memory stays bounded.
pub const BYTES_PER_JOB: u64 = 8 << 20;

/// Another form of the plan or the parts is another number.
const VERSION: u32 = 2;

/// A file of the input as it was when the plan was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Where it is in this run: the same command may be given in another folder, and a name that is
    /// no UTF-8 can't be written down.
    #[serde(skip)]
    pub path: PathBuf,
    /// As it stands in the records: without the folders above what was named.
    pub name: String,
    pub kind: Kind,
    pub bytes: u64,
    pub modified_ns: i64,
    pub sha256: String,
}

/// A job's share of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    pub source: u32,
    /// The byte where it begins; in Parquet, the row, from 0.
    pub at: u64,
    /// The number of its first line or row, from 1.
    pub first: u64,
    /// Conversations; of files that are one each, so many sources.
    pub items: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    version: u32,
    /// Everything besides the input that decides the output's bytes.
    pub order: String,
    pub sources: Vec<Source>,
    pub spans: Vec<Span>,
}

impl Plan {
    pub fn new(order: String, sources: Vec<Source>, spans: Vec<Span>) -> Self {
        Self { version: VERSION, order, sources, spans }
    }

    pub fn conversations(&self) -> u64 {
        self.spans.iter().map(|span| u64::from(span.items)).sum()
    }

    /// Says where the sources are now.
    pub fn move_to(&mut self, paths: impl Iterator<Item = PathBuf>) {
        for (source, path) in self.sources.iter_mut().zip(paths) {
            source.path = path;
        }
    }

    /// `None` when none was made yet.
    ///
    /// # Errors
    /// It can't be read, or isn't of this program's version.
    pub fn load(path: &Path) -> Result<Option<Self>, BatchError> {
        let text = match std::fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(BatchError::unreadable(path)(error)),
        };
        let damaged = |reason: String| BatchError::Damaged { path: path.to_owned(), reason };
        let plan: Self = serde_json::from_slice(&text)
            .map_err(|error| damaged(format!("is no plan of a batch: {error}")))?;
        if plan.version != VERSION {
            return Err(damaged(format!("is a plan of version {}", plan.version)));
        }
        Ok(Some(plan))
    }

    /// # Errors
    /// It can't be written.
    pub fn save(&self, path: &Path) -> Result<(), BatchError> {
        let text = serde_json::to_vec(self).map_err(|error| BatchError::Bug(error.to_string()))?;
        files::write_whole(path, &text)
    }
}
