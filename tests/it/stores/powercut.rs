//! A power cut for a folder: what was written and not synced is gone. `tests/peers/powercut.c`, loaded into the process that
//! writes, keeps each file as it was when it was last synced; after a kill the folder is put back to that.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::preload::Preload;

/// What the child leaves in the folder by itself, so that the cut itself is tried: synced, and not.
pub const SYNCED: &str = "synced";
pub const UNSYNCED: &str = "unsynced";

pub struct PowerCut {
    folder: PathBuf,
    kept: tempfile::TempDir,
    library: Preload,
}

impl PowerCut {
    pub fn of(folder: &Path) -> Self {
        // As the kernel names it: the library compares names.
        let folder = folder.canonicalize().expect("a folder");
        let kept = tempfile::tempdir().expect("a folder");
        Self { folder, kept, library: Preload::of("powercut") }
    }

    pub fn watch(&self, child: &mut Command) {
        self.library.load_into(child);
        child.env("POWERCUT_FOLDER", &self.folder).env("POWERCUT_KEPT", self.kept.path());
    }

    /// Nobody may have the folder open. How many bytes were written and are gone.
    pub fn happen(&self) -> u64 {
        let size = |folder: &Path| -> u64 { files(folder).map(|(_, file)| len(&file)).sum() };
        let before = size(&self.folder);
        for (_, file) in files(&self.folder) {
            std::fs::remove_file(file).expect("mine");
        }
        for (name, file) in files(self.kept.path()) {
            std::fs::copy(file, self.folder.join(name)).expect("copied");
        }
        assert!(!self.folder.join(UNSYNCED).exists(), "what isn't synced is gone");
        before.saturating_sub(size(&self.folder))
    }
}

fn files(folder: &Path) -> impl Iterator<Item = (String, PathBuf)> {
    let entries = std::fs::read_dir(folder).expect("a folder").flatten();
    let files = entries.filter(|entry| entry.path().is_file());
    files.map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()))
}

fn len(file: &Path) -> u64 {
    file.metadata().map_or(0, |file| file.len())
}

/// In the child: two files, of which a power cut leaves one.
pub fn leave_marks(folder: &Path) {
    std::fs::write(folder.join(UNSYNCED), "never synced").expect("written");
    // To be read, too: the library reads by the same descriptor.
    let mut options = std::fs::OpenOptions::new();
    let synced = options.read(true).write(true).create(true).truncate(false);
    let synced = synced.open(folder.join(SYNCED)).expect("made");
    synced.sync_all().expect("synced");
}
