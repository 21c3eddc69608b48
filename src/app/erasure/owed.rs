//! What an erasure leaves to do once it is committed, remembered from before the commit until it is done.
//!
//! Whoever is killed in between leaves the words in files, and says so in one of his own: the next start does it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use tokio::fs::File;
use tokio::io::AsyncWriteExt as _;

use super::{Beside, ErasureError};
use crate::domain::TenantId;
use crate::store::EventLog;

/// Names of tenants.
const FILE: &str = "erasing.json";

/// Remembers that something of a tenant is about to be erased; durable when this ends.
///
/// # Errors
/// The data folder can't be written.
pub async fn owe(folder: &Path, tenant: &TenantId) -> Result<(), ErasureError> {
    let mut all = tenants(folder).await?;
    all.insert(tenant.to_string());
    let (path, beside) = (folder.join(FILE), folder.join("erasing.new"));
    let text = serde_json::to_vec(&all).expect("texts are JSON; this is a bug");
    let write = async {
        // Where the log is in a database, nobody may have made one here.
        let mut builder = std::fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.recursive(true).create(folder)?;
        let mut file = File::create(&beside).await?;
        file.write_all(&text).await?;
        file.sync_all().await?;
        tokio::fs::rename(&beside, &path).await?;
        synced(folder).await
    };
    write.await.map_err(failed(&path))
}

/// Does what is owed, if anything is.
///
/// # Errors
/// A file can't be written. It is owed still.
pub async fn settle(log: &EventLog, beside: &dyn Beside) -> Result<(), ErasureError> {
    let folder = beside.folder();
    let owed = tenants(folder).await?;
    if owed.is_empty() {
        return Ok(());
    }
    for tenant in owed {
        beside.forget_made(&tenant.as_str().into()).await?;
    }
    log.scrub().await?;
    let path = folder.join(FILE);
    tokio::fs::remove_file(&path).await.map_err(failed(&path))?;
    synced(folder).await.map_err(failed(&path))
}

async fn tenants(folder: &Path) -> Result<BTreeSet<String>, ErasureError> {
    let path = folder.join(FILE);
    match tokio::fs::read(&path).await {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(BTreeSet::new()),
        Err(error) => Err(failed(&path)(error)),
        Ok(text) => serde_json::from_slice(&text).map_err(|error| failed(&path)(error.into())),
    }
}

async fn synced(folder: &Path) -> std::io::Result<()> {
    File::open(folder).await?.sync_all().await
}

fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> ErasureError + use<> {
    let path: PathBuf = path.to_owned();
    move |source| ErasureError::Io { path, source }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use async_trait::async_trait;

    use super::*;
    use crate::app::erasure::BatchesGone;
    use crate::domain::ConversationId;
    use crate::store::conformance::{ended, started};
    use crate::store::erasure::{Erasure, Reach};
    use crate::store::{Place, Store as _};

    struct Asked {
        folder: PathBuf,
        forgotten: Mutex<Vec<String>>,
    }

    #[async_trait]
    impl Beside for Asked {
        fn folder(&self) -> &Path {
            &self.folder
        }

        async fn forget_made(&self, tenant: &TenantId) -> Result<(), ErasureError> {
            self.forgotten.lock().expect("no panic").push(tenant.to_string());
            Ok(())
        }

        async fn forget_batches(
            &self,
            _: &TenantId,
            _: &[ConversationId],
            _: bool,
        ) -> Result<BatchesGone, ErasureError> {
            Ok(BatchesGone::default())
        }
    }

    const WORD: &str = "zanzibarquagga";

    fn stands_in(folder: &Path) -> bool {
        std::fs::read_dir(folder).expect("a folder").any(|entry| {
            let bytes = std::fs::read(entry.expect("an entry").path()).expect("a file");
            bytes.windows(WORD.len()).any(|piece| piece == WORD.as_bytes())
        })
    }

    #[tokio::test]
    async fn what_is_owed_outlives_the_process_and_is_done_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = Place::Folder(folder.path().to_owned());
        let log = place.open(Arc::new(|_| ())).await.expect("opens");
        let asked = Asked { folder: folder.path().to_owned(), forgotten: Mutex::default() };
        let (t, c): (TenantId, ConversationId) = ("a".into(), "c-1".into());
        let said = vec![started(Some(WORD)), ended()];
        log.append(&t, &c, said).await.expect("appended");
        let erasure = Erasure {
            tenant: t,
            conversations: vec![c],
            reach: Reach::Whole,
            events: Vec::new(),
            at: jiff::Timestamp::now(),
        };
        log.erase(erasure, Vec::new()).await.expect("erased");
        assert!(stands_in(folder.path()), "the write-ahead log has it still");
        settle(&log, &asked).await.expect("nothing is owed");
        assert!(asked.forgotten.lock().expect("no panic").is_empty());
        for tenant in ["a", "b", "a"] {
            owe(folder.path(), &tenant.into()).await.expect("written");
        }
        settle(&log, &asked).await.expect("done");
        assert_eq!(*asked.forgotten.lock().expect("no panic"), ["a", "b"]);
        assert!(!folder.path().join(FILE).exists());
        assert!(!stands_in(folder.path()));
        settle(&log, &asked).await.expect("nothing is owed any more");
        assert_eq!(asked.forgotten.lock().expect("no panic").len(), 2);
        log.close().await;
    }
}
