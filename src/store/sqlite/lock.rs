//! One process per data folder.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

use crate::store::{StoreError, private};

/// Held as long as it lives; the kernel lets go of it when the process dies, however it dies.
pub struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Makes the folder, if it isn't there, and takes it.
    ///
    /// # Errors
    /// Another process has it, or it can't be made.
    pub fn make(folder: &Path) -> Result<Self, StoreError> {
        private::folder(folder).map_err(|error| StoreError::Folder {
            folder: folder.to_owned(),
            why: error.to_string().into(),
        })?;
        Self::take(folder)
    }

    /// # Errors
    /// Another process has it, or it can't be written.
    pub fn take(folder: &Path) -> Result<Self, StoreError> {
        let unusable = |error: std::io::Error| StoreError::Folder {
            folder: folder.to_owned(),
            why: error.to_string().into(),
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(folder.join("lock"))
            .map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                let _ = file.read_to_string(&mut pid);
                let holder = match pid.trim() {
                    "" => "another process".to_owned(),
                    pid => format!("process {pid}"),
                };
                return Err(StoreError::Locked { folder: folder.to_owned(), holder });
            }
            Err(TryLockError::Error(error)) => return Err(unusable(error)),
        }
        // The number is for the people who read the message above; the lock itself is the kernel's.
        file.set_len(0).map_err(unusable)?;
        file.rewind().map_err(unusable)?;
        write!(file, "{}", std::process::id()).map_err(unusable)?;
        Ok(Self { _file: file })
    }
}
