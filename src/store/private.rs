//! Folders and files that others of the machine may not read: what customers said stands in them.

use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::path::Path;

/// Makes a folder, with those above it, for this user alone. One that is there stays as somebody made it.
///
/// # Errors
/// It can't be made.
pub(super) fn folder(path: &Path) -> io::Result<()> {
    builder().recursive(true).create(path)
}

/// The same, and an error where there is one already.
///
/// # Errors
/// It is there, or can't be made.
pub(super) fn new_folder(path: &Path) -> io::Result<()> {
    builder().create(path)
}

/// Makes an empty file for this user alone, unless there is one; SQLite gives its WAL the same permissions. It has them
/// from the first moment, so that nobody can open it before.
///
/// # Errors
/// It can't be made.
pub(super) fn file(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

fn builder() -> DirBuilder {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}
