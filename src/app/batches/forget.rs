//! What batches wrote of conversations that are erased, or too old.

use std::path::Path;

use aho_corasick::AhoCorasick;
use jiff::Timestamp;

use super::record::{self, Record};
use super::{BatchDoor, guard};
use crate::app::erasure::{BatchesGone, ErasureError};
use crate::batch::{BatchError, Paths, on_a_thread};
use crate::domain::{ConversationId, TenantId};

/// Which of a tenant's batches go.
enum Which {
    /// Those that name one of these conversations.
    Naming(Vec<String>),
    /// Those that were begun before this time.
    Before(Timestamp),
}

/// Removes a tenant's batches that are over and whose files name one of these conversations, where no service runs.
pub(in crate::app) async fn forget(
    folder: &Path,
    tenant: &TenantId,
    conversations: &[ConversationId],
    dry_run: bool,
) -> Result<BatchesGone, ErasureError> {
    let names = conversations.iter().map(ToString::to_string).collect();
    sweep(folder, tenant, Which::Naming(names), dry_run).await
}

/// The same for those that were begun before a time.
pub(in crate::app) async fn expire(
    folder: &Path,
    tenant: &TenantId,
    before: Timestamp,
    dry_run: bool,
) -> Result<BatchesGone, ErasureError> {
    sweep(folder, tenant, Which::Before(before), dry_run).await
}

impl BatchDoor {
    pub async fn forget(
        &self,
        tenant: &TenantId,
        conversations: &[ConversationId],
        dry_run: bool,
    ) -> Result<BatchesGone, ErasureError> {
        let _disk = self.disk.lock().await;
        let gone = forget(&self.folder, tenant, conversations, dry_run).await?;
        self.let_go(&gone, dry_run);
        Ok(gone)
    }

    pub async fn expire(
        &self,
        tenant: &TenantId,
        before: Timestamp,
        dry_run: bool,
    ) -> Result<BatchesGone, ErasureError> {
        let _disk = self.disk.lock().await;
        let gone = expire(&self.folder, tenant, before, dry_run).await?;
        self.let_go(&gone, dry_run);
        Ok(gone)
    }

    fn let_go(&self, gone: &BatchesGone, dry_run: bool) {
        if !dry_run {
            let mut records = guard(&self.records);
            gone.removed.iter().for_each(|id| drop(records.remove(id)));
        }
    }
}

async fn sweep(
    folder: &Path,
    tenant: &TenantId,
    which: Which,
    dry_run: bool,
) -> Result<BatchesGone, ErasureError> {
    let (folder, tenant) = (folder.to_owned(), tenant.to_string());
    let at = folder.clone();
    let swept = on_a_thread(move || all(&folder, &tenant, &which, dry_run)).await;
    swept.map_err(|error| ErasureError::Io {
        path: at,
        source: std::io::Error::other(error.to_string()),
    })
}

fn all(
    folder: &Path,
    tenant: &str,
    which: &Which,
    dry_run: bool,
) -> Result<BatchesGone, BatchError> {
    let mut gone = BatchesGone::default();
    let entries = match std::fs::read_dir(folder) {
        // Nobody has begun one yet.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(gone),
        entries => entries.map_err(BatchError::unwritable(folder))?,
    };
    for entry in entries.flatten() {
        let id = entry.file_name().to_string_lossy().into_owned();
        // A folder without a record is none of a batch any more; the next start takes it away.
        let Ok(text) = std::fs::read(entry.path().join("batch.json")) else { continue };
        let Ok(record) = serde_json::from_slice::<Record>(&text) else { continue };
        if record.tenant != tenant {
            continue;
        }
        let is_meant = match which {
            Which::Naming(names) => names_one(&entry.path(), &record, names),
            Which::Before(time) => {
                record.created_at.parse().is_ok_and(|begun: Timestamp| begun < *time)
            }
        };
        match (is_meant, record.end.is_some()) {
            (false, _) => {}
            (true, false) => gone.running.push(id),
            (true, true) => {
                if !dry_run {
                    record::remove(&entry.path())?;
                }
                gone.removed.push(id);
            }
        }
    }
    Ok(gone)
}

/// What can't be read may name anybody.
fn names_one(folder: &Path, record: &Record, names: &[String]) -> bool {
    if names.is_empty() {
        return false;
    }
    if record.end.is_none() {
        // One whose list isn't made yet takes in all that have ended.
        return record.wanted.conversations.is_some()
            && record.ids.as_ref().is_none_or(|ids| ids.iter().any(|id| names.contains(id)));
    }
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    let Ok(finder) = AhoCorasick::new(&quoted) else { return true };
    let paths = Paths::of(&record::output(folder, record.wanted.format));
    // Every conversation that was written about has its record of provenance, whatever form the output has.
    [paths.provenance, paths.errors, paths.output].iter().any(|path| {
        match std::fs::File::open(path) {
            Ok(file) => finder.stream_find_iter(file).next().is_some(),
            Err(error) => error.kind() != std::io::ErrorKind::NotFound,
        }
    })
}
