//! Batches of the service: a folder each beside the log, worked on one after the other.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use ulid::Ulid;

use super::batch_writer;
use crate::batch::{
    Batch, BatchError, BatchOrder, Caps, Ending, Format, Halt, Inputs, Means, Opened, Paths,
    Recogniser, Share, Sums, Tally, What, WritingOrder, masked_item, stored, write_whole,
};
use crate::config::Generation;
use crate::domain::{Classify as _, ErrorKind, TenantId};
use crate::flow::author::Author;
use crate::flow::wrapup::WrapUpSettings;
use crate::models::{LoadLevel, SpeechPool};
use crate::serve::{BatchFile, BatchView, Batches, Failure, WantedBatch};
use crate::store::{Store, codec};

const ITEMS: &str = "items.jsonl";
/// Batches that a tenant may have waiting.
const QUEUED_MAX: usize = 100;

/// What a batch's folder says of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Record {
    tenant: String,
    created_at: String,
    wanted: WantedBatch,
    /// Of the log's conversations as they were when it was begun.
    ids: Option<Vec<String>>,
    /// Once it is over.
    end: Option<End>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct End {
    state: String,
    detail: Option<String>,
    total: u64,
    written: u64,
    failed: u64,
    tokens: u64,
}

struct Running {
    id: String,
    tally: Option<Arc<Tally>>,
    stop: CancellationToken,
}

/// What the batches share with the calls.
pub(super) struct BatchSurroundings {
    pub store: Arc<dyn Store>,
    pub author: Author,
    pub generation: Generation,
    pub settings: Arc<WrapUpSettings>,
    pub zone: TimeZone,
    pub speech: Arc<SpeechPool>,
    pub stop: CancellationToken,
}

pub(super) struct BatchDoor {
    folder: PathBuf,
    around: BatchSurroundings,
    queue: mpsc::UnboundedSender<String>,
    running: Mutex<Option<Running>>,
    worker: Mutex<Option<tokio::task::JoinHandle<()>>>,
    /// The newest knowledge of all batches; the disk has the same.
    records: Mutex<HashMap<String, Arc<Record>>>,
}

struct NoRecordings;

impl Recogniser for NoRecordings {
    fn pool(&self) -> Result<Arc<SpeechPool>, String> {
        Err("recordings are no part of a batch over the API".to_owned())
    }

    fn identity(&self) -> String {
        String::new()
    }
}

fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl BatchDoor {
    /// Finds the batches that were begun, and goes on with those that aren't over.
    pub fn open(folder: PathBuf, around: BatchSurroundings) -> Arc<Self> {
        let (queue, orders) = mpsc::unbounded_channel();
        let records = found(&folder);
        let mut waiting: Vec<&String> =
            records.iter().filter(|(_, record)| record.end.is_none()).map(|(id, _)| id).collect();
        // Identifiers sort by the time of their making.
        waiting.sort();
        for id in waiting {
            // The other end lives in this function.
            let _ = queue.send(id.clone());
        }
        let door = Arc::new(Self {
            folder,
            around,
            queue,
            running: Mutex::default(),
            worker: Mutex::default(),
            records: Mutex::new(records),
        });
        let worker = tokio::spawn(Arc::clone(&door).work_off(orders));
        *guard(&door.worker) = Some(worker);
        door
    }

    /// Waits until nothing is written any more; it was told to stop before.
    pub async fn ended(&self) {
        let worker = guard(&self.worker).take();
        if let Some(worker) = worker
            && let Err(error) = worker.await
        {
            tracing::error!(%error, "the batches broke off");
        }
    }

    async fn work_off(self: Arc<Self>, mut orders: mpsc::UnboundedReceiver<String>) {
        let stop = self.around.stop.clone();
        loop {
            let id = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                id = orders.recv() => match id { Some(id) => id, None => return },
            };
            let stop_one = stop.child_token();
            // Before its record is looked at: whoever cancels it notes that first, and stops it then.
            *guard(&self.running) =
                Some(Running { id: id.clone(), tally: None, stop: stop_one.clone() });
            let record = guard(&self.records).get(&id).cloned();
            let Some(record) = record.filter(|record| record.end.is_none()) else {
                *guard(&self.running) = None;
                self.take_items_away(&id);
                continue;
            };
            let ended = self.one(&id, &record, stop_one.clone()).await;
            let running = guard(&self.running).take();
            if stop.is_cancelled() {
                return;
            }
            let sums = running
                .and_then(|running| running.tally)
                .map(|tally| (tally.total(), tally.sums()))
                .unwrap_or_default();
            if let Err(error) = &ended {
                tracing::error!(batch = %id, %error, "a batch failed");
            }
            self.note_end(&id, end_of(ended, sums));
            self.take_items_away(&id);
        }
    }

    async fn one(
        &self,
        id: &str,
        record: &Record,
        stop: CancellationToken,
    ) -> Result<Ending, BatchError> {
        let order = self.order(id, record);
        let means = Means {
            zone: self.around.zone.clone(),
            recogniser: Arc::new(NoRecordings),
            store: Some((Arc::clone(&self.around.store), TenantId::from(record.tenant.as_str()))),
        };
        let summarizer = batch_writer(
            &self.around.author,
            &self.around.generation,
            &self.around.settings,
            TenantId::from(record.tenant.as_str()),
        );
        let opened = tokio::task::spawn_blocking(move || Batch::open(order, summarizer, means))
            .await
            .map_err(|error| BatchError::Bug(error.to_string()))??;
        match opened {
            Opened::Complete(sums) => Ok(Ending::Complete(sums)),
            Opened::Ready(batch) => {
                if let Some(running) = guard(&self.running).as_mut() {
                    running.tally = Some(batch.tally());
                }
                batch.run(stop).await
            }
        }
    }

    fn order(&self, id: &str, record: &Record) -> BatchOrder {
        let folder = self.folder.join(id);
        let wanted = &record.wanted;
        let inputs = match &record.ids {
            Some(ids) => Inputs::Stored(ids.clone()),
            None => Inputs::Files(vec![folder.join(ITEMS)]),
        };
        let speech = Arc::clone(&self.around.speech);
        BatchOrder {
            inputs,
            output: output(&folder, wanted.format),
            format: wanted.format,
            writing: WritingOrder {
                drafts: What::drafts(&wanted.what),
                seed: wanted.seed,
                job: id.into(),
            },
            concurrency: None,
            caps: Caps { tokens: wanted.budget_tokens, cost_micros: None },
            share: Share::Low(Arc::new(move || speech.level() != LoadLevel::Normal)),
            give_up: false,
        }
    }

    /// What came over the API isn't kept longer than it is needed.
    fn take_items_away(&self, id: &str) {
        match std::fs::remove_file(self.folder.join(id).join(ITEMS)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::error!(batch = %id, %error, "the items of a batch can't be removed");
            }
            _ => {}
        }
    }

    fn note_end(&self, id: &str, end: End) {
        let mut records = guard(&self.records);
        let Some(record) = records.get_mut(id).filter(|record| record.end.is_none()) else {
            return;
        };
        let record = Arc::make_mut(record);
        record.end = Some(end);
        if let Err(error) = save(&self.folder.join(id), record) {
            tracing::error!(batch = %id, %error, "how a batch ended can't be noted");
        }
    }

    fn view(&self, id: &str, record: &Record) -> BatchView {
        let link = |file: &str| format!("/v1/batches/{id}/{file}");
        let mut view = BatchView {
            id: id.to_owned(),
            created_at: record.created_at.clone(),
            state: "queued".to_owned(),
            total: None,
            written: 0,
            failed: 0,
            tokens: 0,
            detail: None,
            results: None,
            errors: None,
            provenance: None,
        };
        if let Some(end) = &record.end {
            view.state.clone_from(&end.state);
            view.detail.clone_from(&end.detail);
            view.total = Some(end.total);
            (view.written, view.failed, view.tokens) = (end.written, end.failed, end.tokens);
            if end.state == "done" {
                view.results = Some(link("results"));
                view.errors = Some(link("errors"));
                view.provenance = Some(link("provenance"));
            }
            return view;
        }
        if let Some(running) = guard(&self.running).as_ref().filter(|running| running.id == id) {
            view.state = "running".to_owned();
            if let Some(tally) = &running.tally {
                let sums = tally.sums();
                view.total = Some(tally.total());
                (view.written, view.failed, view.tokens) = (sums.written, sums.failed, sums.tokens);
            }
        }
        view
    }

    fn of(&self, tenant: &TenantId, id: &str) -> Option<Arc<Record>> {
        let record = guard(&self.records).get(id).cloned();
        record.filter(|record| record.tenant == tenant.as_str())
    }

    fn is_running(&self, id: &str) -> bool {
        guard(&self.running).as_ref().is_some_and(|running| running.id == id)
    }
}

fn end_of(ended: Result<Ending, BatchError>, (total, sums): (u64, Sums)) -> End {
    let (state, detail, sums) = match ended {
        Ok(Ending::Complete(sums)) => ("done", None, sums),
        Ok(Ending::Stopped { why: Halt::Asked, sums }) => ("cancelled", None, sums),
        Ok(Ending::Stopped { why: Halt::Budget, sums }) => {
            ("stopped", Some("its budget is used up".to_owned()), sums)
        }
        Ok(Ending::Stopped { why: Halt::Unavailable(why), sums }) => ("stopped", Some(why), sums),
        Err(error) => ("failed", Some(error.without_paths()), sums),
    };
    End {
        state: state.to_owned(),
        detail,
        total: total.max(sums.written + sums.failed),
        written: sums.written,
        failed: sums.failed,
        tokens: sums.tokens,
    }
}

fn output(folder: &Path, format: Format) -> PathBuf {
    folder.join(format!("out.{}", format.as_str()))
}

fn found(folder: &Path) -> HashMap<String, Arc<Record>> {
    let mut records = HashMap::new();
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        // Nobody has begun one yet.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return records,
        Err(error) => {
            tracing::error!(%error, "the batches can't be read");
            return records;
        }
    };
    for entry in entries.flatten() {
        let id = entry.file_name().to_string_lossy().into_owned();
        match std::fs::read(entry.path().join("batch.json")) {
            Ok(text) => match serde_json::from_slice(&text) {
                Ok(record) => drop(records.insert(id, Arc::new(record))),
                Err(error) => tracing::error!(batch = %id, %error, "a batch can't be read"),
            },
            // A folder without it is of a batch whose beginning nobody was told of, or that was
            // being removed.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                if let Err(error) = std::fs::remove_dir_all(entry.path()) {
                    tracing::warn!(batch = %id, %error, "what is left of a batch can't be removed");
                }
            }
            Err(error) => tracing::error!(batch = %id, %error, "a batch can't be read"),
        }
    }
    records
}

fn save(folder: &Path, record: &Record) -> Result<(), BatchError> {
    let text = serde_json::to_vec(record).map_err(|error| BatchError::Bug(error.to_string()))?;
    write_whole(&record_path(folder), &text)
}

fn record_path(folder: &Path) -> PathBuf {
    folder.join("batch.json")
}

/// The record is durable when this ends, and so are the items.
fn begin(folder: &Path, record: &Record, items: Option<&str>) -> Result<(), BatchError> {
    std::fs::create_dir_all(folder).map_err(BatchError::unwritable(folder))?;
    if let Some(items) = items {
        write_whole(&folder.join(ITEMS), items.as_bytes())?;
    }
    save(folder, record)
}

fn internal(error: impl std::fmt::Display) -> Failure {
    Failure { kind: ErrorKind::Internal, message: error.to_string() }
}

#[async_trait]
impl Batches for BatchDoor {
    async fn begin(
        &self,
        tenant: &TenantId,
        mut wanted: WantedBatch,
    ) -> Result<BatchView, Failure> {
        let is_waiting =
            |record: &&Arc<Record>| record.tenant == tenant.as_str() && record.end.is_none();
        if guard(&self.records).values().filter(is_waiting).count() >= QUEUED_MAX {
            let message = format!("{QUEUED_MAX} batches wait already");
            return Err(Failure { kind: ErrorKind::Busy, message });
        }
        let ids = match &wanted.conversations {
            Some(which) => Some(match &which.ids {
                Some(ids) => ids.clone(),
                None => {
                    let external = which.external_id.as_deref();
                    stored::ids(self.around.store.as_ref(), tenant, external)
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
        let masked = |item: &_| format!("{}\n", masked_item(item, &self.around.zone));
        let items = wanted.items.take().map(|items| items.iter().map(masked).collect::<String>());
        let id = format!("b-{}", Ulid::generate());
        let record = Arc::new(Record {
            tenant: tenant.as_str().to_owned(),
            created_at: codec::time_text(Timestamp::now()),
            wanted,
            ids,
            end: None,
        });
        let (folder, kept) = (self.folder.join(&id), Arc::clone(&record));
        tokio::task::spawn_blocking(move || begin(&folder, &kept, items.as_deref()))
            .await
            .map_err(internal)?
            .map_err(|error| Failure { kind: error.kind(), message: error.without_paths() })?;
        let view = self.view(&id, &record);
        guard(&self.records).insert(id.clone(), record);
        self.queue.send(id).map_err(internal)?;
        Ok(view)
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
            let asked = Ok(Ending::Stopped { why: Halt::Asked, sums });
            self.note_end(id, end_of(asked, (view.total.unwrap_or_default(), sums)));
            let stop = guard(&self.running)
                .as_ref()
                .filter(|running| running.id == id)
                .map(|running| running.stop.clone());
            if let Some(stop) = stop {
                stop.cancel();
            }
        }
        self.show(tenant, id).await
    }

    async fn remove(&self, tenant: &TenantId, id: &str) -> Result<bool, Failure> {
        let Some(record) = self.of(tenant, id) else { return Ok(false) };
        if record.end.is_none() || self.is_running(id) {
            let message = "this batch isn't over: cancel it first".to_owned();
            return Err(Failure { kind: ErrorKind::Conflict, message });
        }
        let folder = self.folder.join(id);
        tokio::task::spawn_blocking(move || {
            // The record first: without it, the next start takes away what is left.
            std::fs::remove_file(record_path(&folder))?;
            std::fs::remove_dir_all(&folder)
        })
        .await
        .map_err(internal)?
        .map_err(|error| internal(error.kind()))?;
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
        let paths = Paths::of(&output(&self.folder.join(id), record.wanted.format));
        Ok(Some(match which {
            BatchFile::Results => paths.output,
            BatchFile::Errors => paths.errors,
            BatchFile::Provenance => paths.provenance,
        }))
    }
}
