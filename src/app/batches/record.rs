//! What a batch's folder says of it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::batch::{BatchError, Format, Paths, Sums, forget_list, write_whole};
use crate::serve::WantedBatch;
use crate::store::private;

const ITEMS: &str = "items.jsonl";

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Record {
    pub tenant: String,
    pub created_at: String,
    pub wanted: WantedBatch,
    /// Of the log's conversations as they were when it was begun, until it is over.
    pub ids: Option<Vec<String>>,
    /// Once it is over.
    pub end: Option<End>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct End {
    pub state: String,
    pub detail: Option<String>,
    pub total: u64,
    pub written: u64,
    pub failed: u64,
    pub tokens: u64,
}

impl End {
    pub fn new(state: &str, detail: Option<String>, total: u64, sums: Sums) -> Self {
        Self {
            state: state.to_owned(),
            detail,
            total: total.max(sums.written + sums.failed),
            written: sums.written,
            failed: sums.failed,
            tokens: sums.tokens,
        }
    }
}

pub(super) fn items_path(folder: &Path) -> PathBuf {
    folder.join(ITEMS)
}

pub(super) fn output(folder: &Path, format: Format) -> PathBuf {
    folder.join(format!("out.{}", format.as_str()))
}

/// All batches that were begun; of those that are over, nothing stays that came in.
pub(super) fn found(folder: &Path) -> HashMap<String, Arc<Record>> {
    let mut records: HashMap<String, Arc<Record>> = HashMap::new();
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        // Nobody has begun one yet.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return records,
        Err(error) => {
            tracing::error!(%error, "the batches can't be read");
            return records;
        }
    };
    for entry in entries.flatten() {
        let id = entry.file_name().to_string_lossy().into_owned();
        match std::fs::read(entry.path().join("batch.json")) {
            Ok(text) => match serde_json::from_slice::<Record>(&text) {
                Ok(mut record) => {
                    // It may have been cancelled while it waited, and the service stopped then.
                    if record.end.is_some() {
                        if record.forget_input()
                            && let Err(error) = record.save(&entry.path())
                        {
                            tracing::warn!(batch = %id, %error, "a batch can't be written");
                        }
                        take_input_away(&entry.path(), &id, record.wanted.format);
                    }
                    records.insert(id, Arc::new(record));
                }
                Err(error) => tracing::error!(batch = %id, %error, "a batch can't be read"),
            },
            // A folder without it is of a batch whose beginning nobody was told of, or that was
            // being removed.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                if let Err(error) = std::fs::remove_dir_all(entry.path()) {
                    tracing::warn!(batch = %id, %error, "what is left of a batch can't be removed");
                }
            }
            Err(error) => tracing::error!(batch = %id, %error, "a batch can't be read"),
        }
    }
    records
}

impl Record {
    /// Which conversations it was about is no longer needed, and may be a long list.
    pub fn forget_input(&mut self) -> bool {
        let had = self.ids.take().is_some();
        self.wanted.conversations.take().is_some() || had
    }

    /// The record is durable when this ends, and so are the items.
    pub fn begin(&self, folder: &Path, items: Option<&str>) -> Result<(), BatchError> {
        for folder in folder.parent().into_iter().chain([folder]) {
            private::own_folder(folder).map_err(BatchError::unwritable(folder))?;
        }
        if let Some(items) = items {
            write_whole(&items_path(folder), items.as_bytes())?;
        }
        self.save(folder)
    }

    pub fn save(&self, folder: &Path) -> Result<(), BatchError> {
        let text = serde_json::to_vec(self).map_err(|error| BatchError::Bug(error.to_string()))?;
        write_whole(&record_path(folder), &text)
    }
}

fn record_path(folder: &Path) -> PathBuf {
    folder.join("batch.json")
}

pub(super) fn remove(folder: &Path) -> Result<(), BatchError> {
    // The record first: without it, the next start takes away what is left.
    let removed = match std::fs::remove_file(record_path(folder)) {
        // Gone the last time, when what is left couldn't go.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    };
    removed.and_then(|()| std::fs::remove_dir_all(folder)).map_err(BatchError::unwritable(folder))
}

/// What came over the API isn't kept longer than it is needed.
pub(super) fn take_input_away(folder: &Path, id: &str, format: Format) {
    forget_list(&Paths::of(&output(folder, format)));
    match std::fs::remove_file(items_path(folder)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            tracing::error!(batch = %id, %error, "the items of a batch can't be removed");
        }
        _ => {}
    }
}
