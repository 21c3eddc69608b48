//! Erasure in a service that runs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{BatchesGone, Beside, ErasureError, OldBatches, Sweep, Wanted, erase, owed, parse};
use crate::app::batches::BatchDoor;
use crate::app::gaps::GapDoor;
use crate::app::routing::RoutingDesk;
use crate::config::Config;
use crate::domain::{ConversationId, ErrorKind, TenantId};
use crate::serve::{Certificate, Erasures, Failure, WantedErasure};
use crate::store::{EventLog, Place};

/// What stands beside the log while the service runs.
pub(in crate::app) struct Running {
    pub folder: PathBuf,
    pub gaps: Arc<GapDoor>,
    pub batches: Arc<BatchDoor>,
    pub router: RoutingDesk,
}

#[async_trait]
impl Beside for Running {
    fn folder(&self) -> &Path {
        &self.folder
    }

    async fn forget_made(&self, tenant: &TenantId) -> Result<(), ErasureError> {
        self.gaps.forget(tenant).await?;
        Ok(self.router.forget(tenant).await?)
    }

    async fn forget_batches(
        &self,
        tenant: &TenantId,
        conversations: &[ConversationId],
        dry_run: bool,
    ) -> Result<BatchesGone, ErasureError> {
        self.batches.forget(tenant, conversations, dry_run).await
    }
}

#[async_trait]
impl OldBatches for Running {
    async fn expire(
        &self,
        tenant: &TenantId,
        before: Timestamp,
        dry_run: bool,
    ) -> Result<BatchesGone, ErasureError> {
        self.batches.expire(tenant, before, dry_run).await
    }
}

/// What `POST /v1/erasures` opens onto.
pub struct ErasureDoor {
    log: Arc<EventLog>,
    place: Place,
    beside: Arc<dyn Beside>,
    region: String,
    /// One at a time: each writes the whole file anew.
    turn: Arc<Mutex<()>>,
}

impl ErasureDoor {
    /// `region` is where numbers without a country code are, as ISO 3166-1.
    pub fn new(log: Arc<EventLog>, place: Place, beside: Arc<dyn Beside>, region: String) -> Self {
        Self { log, place, beside, region, turn: Arc::default() }
    }

    /// Does what an erasure of a process that was killed left to do; new ones wait for it.
    pub async fn settle(&self) {
        let _turn = self.turn.lock().await;
        if let Err(error) = owed::settle(&self.log, &*self.beside).await {
            tracing::error!(%error, "what was erased still stands in files; the next erasure, or start, tries again");
        }
    }
}

/// The door, and the task that finishes what was left undone and erases what is too old.
pub(in crate::app) fn start(
    config: &Config,
    log: Arc<EventLog>,
    place: Place,
    beside: Running,
    stop: &CancellationToken,
) -> (Arc<ErasureDoor>, JoinHandle<()>) {
    let beside = Arc::new(beside);
    let sweep = Sweep::new(Arc::clone(&log), beside.clone(), config.retention.clone());
    let door = Arc::new(ErasureDoor::new(log, place, beside, config.crm.region.clone()));
    let (first, stop) = (Arc::clone(&door), stop.child_token());
    let task = tokio::spawn(async move {
        tokio::select! {
            () = first.settle() => {}
            () = stop.cancelled() => return,
        }
        sweep.keep_up(stop).await;
    });
    (door, task)
}

#[async_trait]
impl Erasures for ErasureDoor {
    async fn erase(&self, wanted: WantedErasure) -> Result<Certificate, Failure> {
        let mut contacts = Vec::new();
        for (at, text) in wanted.contacts.iter().enumerate() {
            let keys = parse(text, &self.region);
            if keys.is_empty() {
                let message = format!(
                    "contacts[{at}]: is no telephone number with its country's code or of {}, and no address; write \
                     id: before what is the CRM's identifier",
                    self.region
                );
                return Err(Failure { kind: ErrorKind::Invalid, message });
            }
            contacts.extend(keys);
        }
        let wanted = Wanted {
            tenant: wanted.tenant,
            contacts,
            conversations: wanted.conversations,
            region: self.region.clone(),
            by: wanted.by,
            dry_run: wanted.is_dry_run,
        };
        let (log, place) = (Arc::clone(&self.log), self.place.clone());
        let (beside, turn) = (Arc::clone(&self.beside), Arc::clone(&self.turn));
        // It goes on when whoever asked has hung up: half an erasure helps nobody.
        let erasing = tokio::spawn(async move {
            let _turn = turn.lock().await;
            erase(&log, &place, &*beside, wanted).await
        });
        match erasing.await {
            Ok(done) => done.map_err(|error| Failure::of(&error)),
            Err(_) => Err(Failure {
                kind: ErrorKind::Internal,
                message: "erasing failed, which is a bug".to_owned(),
            }),
        }
    }
}
