//! What may be asked of the batches over the API.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use ulid::Ulid;

use super::record::{self, End, Record};
use super::{BatchDoor, guard};
use crate::batch::{BatchError, Paths, Sums, masked_item, on_a_thread, stored};
use crate::domain::{Classify as _, ErrorKind, TenantId};
use crate::insight::redaction;
use crate::serve::{BatchFile, BatchView, Batches, Failure, WantedBatch};
use crate::store::codec;

/// Batches that a tenant may have waiting.
const QUEUED_MAX: usize = 100;

/// One of the batches that a tenant may have, from before it is on the disk.
struct Place<'a> {
    door: &'a BatchDoor,
    tenant: &'a TenantId,
}

impl<'a> Place<'a> {
    fn take(door: &'a BatchDoor, tenant: &'a TenantId) -> Result<Self, Failure> {
        let mut beginning = guard(&door.beginning);
        let is_waiting =
            |record: &&Arc<Record>| record.tenant == tenant.as_str() && record.end.is_none();
        let waiting = guard(&door.records).values().filter(is_waiting).count();
        if waiting + beginning.iter().filter(|one| *one == tenant).count() >= QUEUED_MAX {
            let message = format!("{QUEUED_MAX} batches wait already");
            return Err(Failure { kind: ErrorKind::Busy, message });
        }
        beginning.push(tenant.clone());
        Ok(Self { door, tenant })
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut beginning = guard(&self.door.beginning);
        if let Some(at) = beginning.iter().position(|one| one == self.tenant) {
            beginning.swap_remove(at);
        }
    }
}

fn internal(error: &BatchError) -> Failure {
    Failure { kind: ErrorKind::Internal, message: error.without_paths() }
}

/// As it stands in the log and may stand on a disk.
fn masked(name: &str) -> String {
    redaction::typed(name).as_str().to_owned()
}

/// Goes on to its end also when whoever asked has hung up: half of it may be on the disk.
async fn whole<T: Send + 'static>(
    work: impl Future<Output = Result<T, Failure>> + Send + 'static,
) -> Result<T, Failure> {
    tokio::spawn(work).await.unwrap_or_else(|_| {
        let message = "the batches failed, which is a bug".to_owned();
        Err(Failure { kind: ErrorKind::Internal, message })
    })
}

impl BatchDoor {
    fn this(&self) -> Result<Arc<Self>, Failure> {
        let message = || "the batches broke off".to_owned();
        self.this.upgrade().ok_or_else(|| Failure { kind: ErrorKind::Internal, message: message() })
    }

    async fn begin_one(
        &self,
        tenant: &TenantId,
        mut wanted: WantedBatch,
    ) -> Result<BatchView, Failure> {
        let place = Place::take(self, tenant)?;
        let ids = match wanted.conversations.take() {
            Some(which) => Some(match which.ids {
                Some(ids) => ids.iter().map(|id| masked(id)).collect(),
                None => {
                    let external = which.external_id.as_deref().map(masked);
                    stored::ids(self.around.store.as_ref(), tenant, external.as_deref())
                        .await
                        .map_err(|error| Failure::of(&error))?
                }
            }),
            None => None,
        };
        if ids.as_ref().is_some_and(Vec::is_empty) {
            let message = "there are no such conversations".to_owned();
            return Err(Failure { kind: ErrorKind::Invalid, message });
        }
        let line = |item: &_| format!("{}\n", masked_item(item, &self.around.zone));
        let items = wanted.items.take().map(|items| items.iter().map(line).collect::<String>());
        let id = format!("b-{}", Ulid::generate());
        let record = Arc::new(Record {
            tenant: tenant.as_str().to_owned(),
            created_at: codec::time_text(Timestamp::now()),
            wanted,
            ids,
            end: None,
        });
        let (folder, kept) = (self.folder.join(&id), Arc::clone(&record));
        on_a_thread(move || kept.begin(&folder, items.as_deref()))
            .await
            .map_err(|error| Failure { kind: error.kind(), message: error.without_paths() })?;
        let view = self.view(&id, &record);
        guard(&self.records).insert(id.clone(), record);
        drop(place);
        self.queue.send(id).map_err(|_| {
            let message = "the batches broke off".to_owned();
            Failure { kind: ErrorKind::Internal, message }
        })?;
        Ok(view)
    }

    async fn cancel_one(&self, tenant: &TenantId, id: &str) -> Result<Option<BatchView>, Failure> {
        let Some(record) = self.of(tenant, id) else { return Ok(None) };
        if record.end.is_none() {
            // Noted first: a service that is stopped now must not take it up again.
            let view = self.view(id, &record);
            let sums = Sums {
                written: view.written,
                failed: view.failed,
                tokens: view.tokens,
                cost_micros: 0,
            };
            let total = view.total.unwrap_or_default();
            self.note_end(id, End::new("cancelled", None, total, sums)).await;
        }
        let is_cancelled =
            |record: &Arc<Record>| record.end.as_ref().is_some_and(|end| end.state == "cancelled");
        if self.of(tenant, id).as_ref().is_some_and(is_cancelled) {
            let stop = guard(&self.running)
                .as_ref()
                .filter(|running| running.id == id)
                .map(|running| running.stop.clone());
            match stop {
                Some(stop) => stop.cancel(),
                None => self.is_over(id).await,
            }
        }
        self.show(tenant, id).await
    }
}

#[async_trait]
impl Batches for BatchDoor {
    async fn begin(&self, tenant: &TenantId, wanted: WantedBatch) -> Result<BatchView, Failure> {
        let (door, tenant) = (self.this()?, tenant.clone());
        whole(async move { door.begin_one(&tenant, wanted).await }).await
    }

    async fn list(&self, tenant: &TenantId) -> Result<Vec<BatchView>, Failure> {
        let of_tenant: Vec<(String, Arc<Record>)> = guard(&self.records)
            .iter()
            .filter(|(_, record)| record.tenant == tenant.as_str())
            .map(|(id, record)| (id.clone(), Arc::clone(record)))
            .collect();
        let mut views: Vec<BatchView> =
            of_tenant.iter().map(|(id, record)| self.view(id, record)).collect();
        views.sort_by(|one, other| other.id.cmp(&one.id));
        Ok(views)
    }

    async fn show(&self, tenant: &TenantId, id: &str) -> Result<Option<BatchView>, Failure> {
        Ok(self.of(tenant, id).map(|record| self.view(id, &record)))
    }

    async fn cancel(&self, tenant: &TenantId, id: &str) -> Result<Option<BatchView>, Failure> {
        let (door, tenant, id) = (self.this()?, tenant.clone(), id.to_owned());
        whole(async move { door.cancel_one(&tenant, &id).await }).await
    }

    async fn remove(&self, tenant: &TenantId, id: &str) -> Result<bool, Failure> {
        let Some(record) = self.of(tenant, id) else { return Ok(false) };
        if record.end.is_none() || self.is_running(id) {
            let message = "this batch isn't over: cancel it first".to_owned();
            return Err(Failure { kind: ErrorKind::Conflict, message });
        }
        let _disk = self.disk.lock().await;
        let folder = self.folder.join(id);
        on_a_thread(move || record::remove(&folder)).await.map_err(|error| internal(&error))?;
        guard(&self.records).remove(id);
        Ok(true)
    }

    async fn file(
        &self,
        tenant: &TenantId,
        id: &str,
        which: BatchFile,
    ) -> Result<Option<PathBuf>, Failure> {
        let Some(record) = self.of(tenant, id) else { return Ok(None) };
        if record.end.as_ref().is_none_or(|end| end.state != "done") {
            let message = "this batch isn't done".to_owned();
            return Err(Failure { kind: ErrorKind::Conflict, message });
        }
        let output = record::output(&self.folder.join(id), record.wanted.format);
        let paths = Paths::of(&output);
        Ok(Some(match which {
            BatchFile::Results => paths.output,
            BatchFile::Errors => paths.errors,
            BatchFile::Provenance => paths.provenance,
        }))
    }
}
