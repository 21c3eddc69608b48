//! Files of the data folder that follow the log by its positions: they are worth nothing beside another log, such as
//! one that was restored or that `store.url` names since the last start.

use std::io::ErrorKind;
use std::path::Path;

use super::{StoreError, private};

/// Which log the files follow.
const NAME: &str = "log-id";

/// Each can be made again, or begins anew, when it isn't there.
const FILES: [&str; 7] = [
    "lookups.position",
    "outcomes.position",
    "proposals.position",
    "routing.json",
    "gaps.sqlite",
    "gaps.sqlite-wal",
    "gaps.sqlite-shm",
];

/// Called at each start, before anybody follows: removes what followed another log than this.
///
/// # Errors
/// The folder can't be written.
pub async fn settle(folder: &Path, log: &str) -> Result<(), StoreError> {
    let failed = |error: std::io::Error| StoreError::Folder {
        folder: folder.to_owned(),
        why: error.to_string().into(),
    };
    private::folder(folder).map_err(failed)?;
    let file = folder.join(NAME);
    match tokio::fs::read_to_string(&file).await {
        Ok(followed) if followed.trim() == log => return Ok(()),
        Ok(_) => {
            tracing::info!(
                "the event log is another one than before; what followed it begins anew"
            );
            for name in FILES {
                match tokio::fs::remove_file(folder.join(name)).await {
                    Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
                    _ => {}
                }
            }
        }
        // From before there was such a file.
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    private::own_file(&file).map_err(failed)?;
    tokio::fs::write(&file, format!("{log}\n")).await.map_err(failed)
}

/// Whatever follows the log of this folder begins anew at the next start.
pub(super) async fn part(folder: &Path) -> std::io::Result<()> {
    tokio::fs::write(folder.join(NAME), "none\n").await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_followed_another_log_begins_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let position = folder.path().join("outcomes.position");
        let other = folder.path().join("spent-today");
        let write = || {
            std::fs::write(&position, "9").expect("writes");
            std::fs::write(&other, "1").expect("writes");
        };
        write();
        settle(folder.path(), "a").await.expect("settled");
        assert!(position.exists(), "from before there was a name");
        settle(folder.path(), "a").await.expect("settled");
        assert!(position.exists(), "the same log");
        settle(folder.path(), "b").await.expect("settled");
        assert!(!position.exists() && other.exists(), "another log");
        write();
        part(folder.path()).await.expect("written");
        settle(folder.path(), "b").await.expect("settled");
        assert!(!position.exists(), "a restored log");
    }
}
