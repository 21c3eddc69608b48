//! Folders and files that others of the machine may not read: what customers said stands in them.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

/// Makes a folder, with those above it, for this user alone. One that is there stays as somebody made it.
///
/// # Errors
/// It can't be made.
pub(crate) fn folder(path: &Path) -> io::Result<()> {
    builder().recursive(true).create(path)
}

/// The same, and an error where there is one already.
///
/// # Errors
/// It is there, or can't be made.
pub(crate) fn new_folder(path: &Path) -> io::Result<()> {
    builder().create(path)
}

/// Makes an empty file for this user alone, unless there is one; SQLite gives its WAL the same permissions. It has them
/// from the first moment, so that nobody can open it before.
///
/// # Errors
/// It can't be made.
pub(crate) fn file(path: &Path) -> io::Result<()> {
    options().truncate(false).open(path).map(drop)
}

/// The same where it is the service's own and may be older than this care: it is closed then.
///
/// # Errors
/// It can't be made, or is somebody else's.
pub(crate) fn own_file(path: &Path) -> io::Result<()> {
    file(path)?;
    close(path, 0o600)
}

/// A folder of the service's own below the data folder; one that others could look into is closed.
///
/// # Errors
/// It can't be made, or is somebody else's.
pub(crate) fn own_folder(path: &Path) -> io::Result<()> {
    folder(path)?;
    close(path, 0o700)
}

/// Writes a small file whole or not at all, for this user alone.
///
/// # Errors
/// It can't be written; what was there stays.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut file = begin(&beside)?;
    file.write_all(bytes)?;
    drop(file);
    std::fs::rename(&beside, path)
}

/// Begins a file anew, for this user alone.
fn begin(path: &Path) -> io::Result<File> {
    let file = options().truncate(true).open(path)?;
    // One may have been left by a crash.
    close(path, 0o600)?;
    Ok(file)
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(unix)]
fn close(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let found = std::fs::metadata(path)?.permissions();
    match found.mode() & 0o077 {
        0 => Ok(()),
        _ => std::fs::set_permissions(path, PermissionsExt::from_mode(mode)),
    }
}

#[cfg(not(unix))]
fn close(_: &Path, _: u32) -> io::Result<()> {
    Ok(())
}

fn builder() -> DirBuilder {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777
    }

    #[test]
    fn what_is_ours_is_closed_also_where_it_was_open() {
        let scratch = tempfile::tempdir().expect("a folder");
        let (folder, path) = (scratch.path().join("batches"), scratch.path().join("routing.json"));
        std::fs::create_dir(&folder).expect("made");
        for open in [&path, &path.with_extension("new")] {
            std::fs::write(open, "long ago").expect("written");
            std::fs::set_permissions(open, PermissionsExt::from_mode(0o644)).expect("opened");
        }
        std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o755)).expect("opened");
        own_folder(&folder).expect("closed");
        write(&path, b"now").expect("written");
        assert_eq!((mode(&folder), mode(&path)), (0o700, 0o600));
        assert_eq!(std::fs::read(&path).expect("read"), b"now");
        assert!(!path.with_extension("new").exists());
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).expect("opened");
        own_file(&path).expect("closed");
        assert_eq!(mode(&path), 0o600);
        assert_eq!(std::fs::read(&path).expect("read"), b"now", "it keeps what it holds");
    }
}
