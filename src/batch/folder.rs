//! What a batch keeps beside its output, and whose the files there are.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::conversation::sha256_hex;
use super::error::BatchError;
use super::files;
use super::input::Kind;
use super::input::find::Found;
use super::join::Paths;
use super::part::{Parts, Sums};
use super::plan::Plan;

/// What stands at the end in place of the plan.
#[derive(Serialize, Deserialize)]
pub struct Done {
    pub plan: Plan,
    written: u64,
    failed: u64,
    tokens: u64,
    cost_micros: u64,
}

impl Done {
    pub const fn sums(&self) -> Sums {
        Sums {
            written: self.written,
            failed: self.failed,
            tokens: self.tokens,
            cost_micros: self.cost_micros,
        }
    }

    fn load(work: &Path) -> Result<Option<Self>, BatchError> {
        let path = done_path(work);
        match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| {
                BatchError::Damaged { path, reason: format!("is no record of a batch: {error}") }
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(BatchError::unreadable(&path)(error)),
        }
    }

    /// # Errors
    /// It can't be written.
    pub fn save(plan: &Plan, sums: Sums, work: &Path) -> Result<(), BatchError> {
        let Sums { written, failed, tokens, cost_micros } = sums;
        let plan = Plan::new(plan.order.clone(), plan.sources.clone(), Vec::new());
        let done = Self { plan, written, failed, tokens, cost_micros };
        let text = serde_json::to_vec(&done).map_err(|error| BatchError::Bug(error.to_string()))?;
        files::write_whole(&done_path(work), &text)
    }
}

fn done_path(work: &Path) -> PathBuf {
    work.join("done.json")
}

pub fn plan_path(work: &Path) -> PathBuf {
    work.join("plan.json")
}

pub fn parts_path(work: &Path) -> PathBuf {
    work.join("parts")
}

/// The folder of a batch, held by this process.
pub struct Held {
    work: PathBuf,
    _lock: File,
    /// Nothing is in it yet that anybody could miss.
    is_new: bool,
}

impl Held {
    /// Makes the folder and locks it.
    ///
    /// # Errors
    /// It can't be made, or another process has it.
    pub fn take(paths: &Paths) -> Result<Self, BatchError> {
        let work = paths.work.clone();
        let is_new = !work.exists();
        std::fs::create_dir_all(&work).map_err(BatchError::unwritable(&work))?;
        let path = work.join("lock");
        let unwritable = || BatchError::unwritable(&path);
        let mut options = OpenOptions::new();
        let lock =
            options.write(true).create(true).truncate(false).open(&path).map_err(unwritable())?;
        // The kernel lets go of it when the process dies, however it dies.
        match lock.try_lock() {
            Ok(()) => Ok(Self { work, _lock: lock, is_new }),
            Err(TryLockError::WouldBlock) => Err(BatchError::Locked(paths.output.clone())),
            Err(TryLockError::Error(error)) => Err(unwritable()(error)),
        }
    }

    /// There is a plan: from now on the folder is worth something.
    pub fn keep(&mut self) {
        self.is_new = false;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.is_new {
            let _ = std::fs::remove_dir_all(&self.work);
        }
    }
}

/// What was begun here before.
#[derive(Default)]
pub struct Begun {
    pub done: Option<Done>,
    pub plan: Option<Plan>,
}

impl Begun {
    /// # Errors
    /// It can't be read, or something stands in the output's place that no batch has put there.
    pub fn find(paths: &Paths) -> Result<Self, BatchError> {
        let done = Done::load(&paths.work)?;
        let plan = match done {
            Some(_) => None,
            None => Plan::load(&plan_path(&paths.work))?,
        };
        let is_ours = done.is_some() || plan.as_ref().is_some_and(|plan| is_joining(plan, paths));
        let there = [&paths.output, &paths.provenance, &paths.errors]
            .into_iter()
            .find(|path| path.symlink_metadata().is_ok());
        match there {
            Some(path) if !is_ours => Err(BatchError::Occupied(path.clone())),
            _ => Ok(Self { done, plan }),
        }
    }
}

/// A batch that was killed between the first of its files and the record that it is done.
fn is_joining(plan: &Plan, paths: &Paths) -> bool {
    let parts = Parts::at(parts_path(&paths.work));
    let is_there = |job| parts.sums(job).is_ok_and(|sums| sums.is_some());
    (0..plan.spans.len() as u64).all(is_there)
}

fn list_path(work: &Path) -> PathBuf {
    work.join("conversations.txt")
}

fn list(ids: &[String]) -> String {
    ids.iter().map(|id| format!("{id}\n")).collect()
}

/// The identifiers as a source. A list that stands already is the one the batch was begun with.
///
/// # Errors
/// It can't be written.
pub fn list_of(ids: &[String], work: &Path) -> Result<Found, BatchError> {
    let path = list_path(work);
    if !path.exists() {
        files::write_whole(&path, list(ids).as_bytes())?;
    }
    Ok(Found { path, name: "store".to_owned(), kind: Kind::Stored })
}

/// Whether these are the conversations that a finished batch was about.
pub fn is_list_of(ids: &[String], done: &Done) -> bool {
    let hash = sha256_hex(list(ids).as_bytes());
    done.plan.sources.first().is_some_and(|source| source.sha256 == hash)
}

/// For whoever never goes on with it: which conversations it was about.
pub fn forget_list(paths: &Paths) {
    let _ = std::fs::remove_file(list_path(&paths.work));
}

/// Takes away all that is needed only while a batch isn't done.
pub fn tidy(work: &Path) {
    let _ = std::fs::remove_dir_all(parts_path(work));
    let Ok(entries) = std::fs::read_dir(work) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        // Versions before this one wrote rows of Parquet there.
        if name.starts_with("jobs.sqlite") || name.starts_with("rows-") || name == "plan.json" {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// The output is wanted anew, from the input as it is now.
pub fn forget(paths: &Paths) {
    tidy(&paths.work);
    let work = &paths.work;
    let own = [list_path(work), paths.provenance.clone(), paths.errors.clone(), done_path(work)];
    // The record last: it says that the others are ours.
    own.iter().for_each(|path| drop(std::fs::remove_file(path)));
}
