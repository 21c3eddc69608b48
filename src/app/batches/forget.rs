//! What batches wrote of conversations that are erased, or too old.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use aho_corasick::AhoCorasick;
use jiff::Timestamp;

use super::record::{self, Record};
use super::{BatchDoor, guard};
use crate::app::erasure::{BatchesGone, ErasureError};
use crate::batch::{BatchError, Format, Paths, on_a_thread};
use crate::domain::{ConversationId, TenantId};

/// A larger output isn't taken apart in memory.
const MAX_BYTES: u64 = 256 << 20;

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
        let rest = match which {
            Which::Naming(names) if is_meant && record.end.is_some() => {
                rest(&entry.path(), &record, names)
            }
            _ => None,
        };
        match (is_meant, record.end.is_some()) {
            (false, _) => {}
            (true, false) => gone.running.push(id),
            (true, true) if rest.is_some() => {
                for (path, text) in rest.iter().flatten().filter(|_| !dry_run) {
                    write_anew(path, text).map_err(BatchError::unwritable(path))?;
                }
                gone.cut.push(id);
            }
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
    let mut files = vec![paths.provenance, paths.errors, paths.output];
    // One that was stopped keeps what was written until then.
    let parts = std::fs::read_dir(paths.work.join("parts"));
    files.extend(parts.into_iter().flatten().flatten().map(|entry| entry.path()));
    files.iter().any(|path| match std::fs::File::open(path) {
        Ok(file) => finder.stream_find_iter(file).next().is_some(),
        Err(error) => error.kind() != std::io::ErrorKind::NotFound,
    })
}

/// The files of a batch that is over without what it says of these conversations; `None` where that can't be told
/// from the rest, or nothing is left.
fn rest(folder: &Path, record: &Record, names: &[String]) -> Option<Vec<(PathBuf, String)>> {
    let paths = Paths::of(&record::output(folder, record.wanted.format));
    let is_small = |path| std::fs::metadata(path).is_ok_and(|found| found.len() <= MAX_BYTES);
    let is_done = record.end.as_ref().is_some_and(|end| end.state == "done");
    if !is_done || record.wanted.format == Format::Parquet || !is_small(&paths.output) {
        return None;
    }
    // Both have a line for each conversation that was written about, in the same order.
    let (output, by) = (read(&paths.output)?, read(&paths.provenance)?);
    if output.lines().count() != by.lines().count() {
        return None;
    }
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    let finder = AhoCorasick::new(&quoted).ok()?;
    let is_others = |line: &&str| !finder.is_match(*line);
    let pairs = output.lines().zip(by.lines());
    let (output, by): (Vec<&str>, Vec<&str>) =
        pairs.filter(|(output, by)| is_others(output) && is_others(by)).unzip();
    let errors = read(&paths.errors)?;
    let errors: Vec<&str> = errors.lines().filter(is_others).collect();
    if output.is_empty() && errors.is_empty() {
        return None;
    }
    let text = |lines: &[&str]| lines.iter().flat_map(|line| [*line, "\n"]).collect::<String>();
    // What names them in any format goes last: after a kill, the next erasure finds the batch by it.
    Some(vec![
        (paths.output, text(&output)),
        (paths.errors, text(&errors)),
        (paths.provenance, text(&by)),
    ])
}

/// Nothing where there is no such file.
fn read(path: &Path) -> Option<String> {
    match std::fs::read_to_string(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Some(String::new()),
        read => read.ok(),
    }
}

fn write_anew(path: &Path, text: &str) -> std::io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".anew");
    let beside = PathBuf::from(name);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(folder: &Path, id: &str, format: &str, output: &[&str], by: &[&str]) {
        let folder = folder.join(id);
        std::fs::create_dir(&folder).expect("a folder");
        let record = serde_json::json!({
            "tenant": "t",
            "created_at": "2026-01-02T03:04:05Z",
            "wanted": {"format": format},
            "ids": null,
            "end": {
                "state": "done", "detail": null, "total": 3, "written": 2, "failed": 1, "tokens": 0
            },
        });
        std::fs::write(folder.join("batch.json"), record.to_string()).expect("written");
        let lines = |all: &[&str]| all.iter().map(|line| format!("{line}\n")).collect::<String>();
        let out = folder.join(format!("out.{format}"));
        std::fs::write(&out, lines(output)).expect("written");
        let paths = Paths::of(&out);
        std::fs::write(paths.provenance, lines(by)).expect("written");
        std::fs::write(paths.errors, lines(&[r#"{"id":"c-1","reason":"x"}"#])).expect("written");
    }

    #[tokio::test]
    async fn others_lines_of_a_batch_stay_where_lines_are_told_apart() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = folder.path();
        let both = [r#"{"id":"c-1"}"#, r#"{"id":"c-2"}"#];
        made(at, "lines", "jsonl", &["one", "two"], &both);
        made(at, "alone", "jsonl", &["one"], &both[..1]);
        made(at, "columns", "parquet", &["one", "two"], &both);
        made(at, "odd", "vcon", &["one"], &both);
        made(at, "others", "jsonl", &["two"], &both[1..]);
        std::fs::write(at.join("others/out.jsonl.errors.jsonl"), "").expect("written");
        let (t, c) = (TenantId::from("t"), [ConversationId::from("c-1")]);
        let would = forget(at, &t, &c, true).await.expect("read");
        assert_eq!(
            std::fs::read_to_string(at.join("lines/out.jsonl")).expect("read"),
            "one\ntwo\n"
        );
        let mut gone = forget(at, &t, &c, false).await.expect("written");
        assert_eq!((would.removed.len(), &would.cut), (gone.removed.len(), &gone.cut));
        gone.removed.sort();
        assert_eq!(gone.cut, ["lines"]);
        assert_eq!(gone.removed, ["alone", "columns", "odd"]);
        let read = |name: &str| std::fs::read_to_string(at.join("lines").join(name)).expect("read");
        assert_eq!(read("out.jsonl"), "two\n");
        assert_eq!(read("out.jsonl.provenance.jsonl"), format!("{}\n", both[1]));
        assert_eq!(read("out.jsonl.errors.jsonl"), "");
        assert_eq!(std::fs::read_to_string(at.join("others/out.jsonl")).expect("read"), "two\n");
        let again = forget(at, &t, &c, false).await.expect("read");
        assert!(again.cut.is_empty() && again.removed.is_empty());
    }
}
