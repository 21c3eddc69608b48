//! Files that are there whole or not at all.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::error::BatchError;

/// The name under which a file is written until it is whole.
pub fn unfinished(path: &Path) -> PathBuf {
    with_suffix(path, ".unfinished")
}

pub fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Gives an unfinished file that was written and flushed its name; it survives a power cut then.
pub fn finish(file: &File, path: &Path) -> Result<(), BatchError> {
    let unwritable = || BatchError::unwritable(path);
    file.sync_all().map_err(unwritable())?;
    std::fs::rename(unfinished(path), path).map_err(unwritable())?;
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(unwritable())
}

pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), BatchError> {
    let unwritable = || BatchError::unwritable(path);
    let mut file = File::create(unfinished(path)).map_err(unwritable())?;
    file.write_all(bytes).map_err(unwritable())?;
    finish(&file, path)
}
