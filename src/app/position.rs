//! Up to where somebody has read the log, in a file of its own.

use std::path::Path;

use crate::store::{StoreError, private};

/// `None` where nobody has read yet.
///
/// # Errors
/// The file can't be read.
pub(super) async fn read_position(file: &Path) -> Result<Option<u64>, StoreError> {
    match tokio::fs::read_to_string(file).await {
        // A file that a crash has cut short is as good as none.
        Ok(text) => Ok(text.trim().parse().ok()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::Read(error.to_string().into())),
    }
}

/// Whole or not at all. What was done after the last one is done again, which must change nothing.
///
/// # Errors
/// The file can't be written.
pub(super) async fn write_position(file: &Path, position: u64) -> Result<(), StoreError> {
    let failed = |error: std::io::Error| StoreError::Write(error.to_string().into());
    let (file, text) = (file.to_owned(), position.to_string());
    let writing = tokio::task::spawn_blocking(move || private::write(&file, text.as_bytes())).await;
    writing.map_err(std::io::Error::from).and_then(|written| written).map_err(failed)
}
