//! API keys that are made and revoked beside the running service.

use std::path::Path;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::domain::{AuditActor, AuditEntry, AuditOutcome, EventBody, EventId, NewEvent};
use crate::insight::redaction;
use crate::serve::audit::Audit;
use crate::serve::auth::KeyRing;
use crate::store::StoreError;
use crate::store::access::{AccessFile, KeyAction};

/// A revoked key opens nothing any more after so long, and then what it opened is closed: both within a second.
const EVERY: Duration = Duration::from_millis(500);
/// How often it is noted which keys were used, in looks.
const NOTED_EVERY: u32 = 120;

/// The file of keys, of which the ring has taken what is there.
///
/// # Errors
/// The file can't be read or made.
pub(super) async fn open(folder: &Path, ring: &KeyRing) -> Result<(AccessFile, usize), StoreError> {
    let file = AccessFile::open(folder).await?;
    let keys = file.keys().await?;
    let count = keys.len();
    ring.replace(keys);
    Ok((file, count))
}

/// Takes over what `backchannel keys` writes, until `stop`.
pub(super) fn follow(
    file: AccessFile,
    ring: KeyRing,
    audit: Audit,
    stop: CancellationToken,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        let (mut seen, mut looks) = (None, 0);
        loop {
            if let Err(error) = look(&file, &ring, &audit, &mut seen).await {
                tracing::warn!(%error, "the file of keys can't be read; those that were read stay");
            }
            let is_last = stop.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_none();
            looks += 1;
            if is_last || looks % NOTED_EVERY == 0 {
                let used = ring.take_used();
                if !used.is_empty()
                    && let Err(error) = file.used(&used).await
                {
                    tracing::warn!(%error, "when keys were used could not be noted");
                }
            }
            if is_last {
                return file.close().await;
            }
        }
    })
}

async fn look(
    file: &AccessFile,
    ring: &KeyRing,
    audit: &Audit,
    seen: &mut Option<i64>,
) -> Result<(), StoreError> {
    let version = file.version().await?;
    if *seen == Some(version) {
        return Ok(());
    }
    ring.replace(file.keys().await?);
    for (change, key) in file.changes().await? {
        let action = match change.action {
            KeyAction::Added => "key.added",
            KeyAction::Revoked => "key.revoked",
        };
        let entry = AuditEntry {
            action: action.to_owned(),
            outcome: AuditOutcome::Done,
            by: Some(AuditActor { name: change.by, role: None, proof: "shell" }),
            from: None,
            route: None,
            target: Some(redaction::typed(&format!("{} {}", key.id, key.name))),
            detail: Some(format!("role {}", key.role)),
            more: 0,
        };
        // A key is added once and revoked once: what is told again after a crash is the same event.
        let id = EventId::from(format!("{action}-{}", key.id));
        let event =
            NewEvent { id, ..NewEvent::at(change.time, EventBody::Audited(Box::new(entry))) };
        audit.append(&key.tenant, event).await?;
        file.logged(change.number).await?;
    }
    *seen = Some(version);
    Ok(())
}
