//! Batches of the service: a folder each beside the log, worked on one after the other.

mod door;
mod forget;
mod queue;
mod record;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use jiff::tz::TimeZone;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

pub(super) use self::forget::{expire, forget};
use self::record::{End, Record};
use crate::batch::{BatchError, Recogniser, Sums, Tally, on_a_thread};
use crate::config::Generation;
use crate::domain::TenantId;
use crate::flow::author::Author;
use crate::flow::wrapup::WrapUpSettings;
use crate::models::SpeechPool;
use crate::serve::BatchView;
use crate::store::{Store, private};

struct Running {
    id: String,
    tally: Option<Arc<Tally>>,
    stop: CancellationToken,
}

/// How far a batch came, and what stands in its way.
struct Progress {
    detail: String,
    total: u64,
    sums: Sums,
}

impl Progress {
    const fn done(&self) -> u64 {
        self.sums.written + self.sums.failed
    }
}

struct Waits {
    progress: Progress,
    /// Until it is tried again.
    pause: Duration,
}

/// What the batches share with the calls.
pub(super) struct BatchSurroundings {
    pub store: Arc<dyn Store>,
    pub author: Author,
    pub generation: Generation,
    pub settings: Arc<WrapUpSettings>,
    pub zone: TimeZone,
    pub speech: Arc<SpeechPool>,
    /// A batch in whose way something stands that may pass is tried again after so long.
    pub retry_after: Duration,
    pub stop: CancellationToken,
}

pub(super) struct BatchDoor {
    /// For what goes on when whoever asked has hung up.
    this: Weak<Self>,
    folder: PathBuf,
    around: BatchSurroundings,
    queue: mpsc::UnboundedSender<String>,
    running: Mutex<Option<Running>>,
    worker: Mutex<Option<tokio::task::JoinHandle<()>>>,
    /// The newest knowledge of all batches; the disk has the same.
    records: Mutex<HashMap<String, Arc<Record>>>,
    waiting: Mutex<HashMap<String, Waits>>,
    /// Whose batches are on their way to the disk. Locked before `records`.
    beginning: Mutex<Vec<TenantId>>,
    /// Whoever changes or removes a record's file holds it, and waits for it without a thread.
    disk: tokio::sync::Mutex<()>,
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
    pub async fn open(folder: PathBuf, around: BatchSurroundings) -> Arc<Self> {
        let (queue, orders) = mpsc::unbounded_channel();
        let at = folder.clone();
        let records = on_a_thread(move || {
            // What customers said stands in there, and older versions left it open.
            if at.is_dir()
                && let Err(error) = private::own_folder(&at)
            {
                tracing::warn!(%error, "others of this machine may read the batches");
            }
            Ok::<_, BatchError>(record::found(&at))
        })
        .await;
        let records = records.unwrap_or_else(|error| {
            tracing::error!(%error, "the batches can't be read");
            HashMap::new()
        });
        let mut waiting: Vec<&String> =
            records.iter().filter(|(_, record)| record.end.is_none()).map(|(id, _)| id).collect();
        // Identifiers sort by the time of their making.
        waiting.sort();
        for id in waiting {
            // The other end lives in this function.
            let _ = queue.send(id.clone());
        }
        let door = Arc::new_cyclic(|this| Self {
            this: Weak::clone(this),
            folder,
            around,
            queue,
            running: Mutex::default(),
            worker: Mutex::default(),
            records: Mutex::new(records),
            waiting: Mutex::default(),
            beginning: Mutex::default(),
            disk: tokio::sync::Mutex::default(),
        });
        let worker = tokio::spawn(Arc::clone(&door).work_off(orders));
        *guard(&door.worker) = Some(worker);
        door
    }

    /// Waits until nothing is written any more; it was told to stop before.
    pub async fn ended(&self) {
        let worker = guard(&self.worker).take();
        if let Some(worker) = worker
            && worker.await.is_err()
        {
            tracing::error!("the batches broke off, which is a bug");
        }
    }

    /// Nothing is known of how it waited any more, and nothing kept of what came in.
    async fn is_over(&self, id: &str) {
        guard(&self.waiting).remove(id);
        let Some(record) = guard(&self.records).get(id).cloned() else { return };
        let (folder, id, format) = (self.folder.join(id), id.to_owned(), record.wanted.format);
        let taken = on_a_thread(move || {
            record::take_input_away(&folder, &id, format);
            Ok::<_, BatchError>(())
        });
        if let Err(error) = taken.await {
            tracing::error!(%error, "the items of a batch can't be removed");
        }
    }

    /// The first end counts. It is on the disk when this ends.
    async fn note_end(&self, id: &str, end: End) {
        let _disk = self.disk.lock().await;
        let record = {
            let mut records = guard(&self.records);
            // What a cancelled one took until it stood still is known later.
            let is_news = |before: &End| before.state == end.state && before.tokens < end.tokens;
            let record = records.get_mut(id);
            let Some(record) = record.filter(|one| one.end.as_ref().is_none_or(is_news)) else {
                return;
            };
            let changed = Arc::make_mut(record);
            changed.end = Some(end);
            changed.forget_input();
            Arc::clone(record)
        };
        let folder = self.folder.join(id);
        if let Err(error) = on_a_thread(move || record.save(&folder)).await {
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
        } else if let Some(Waits { progress, .. }) = guard(&self.waiting).get(id) {
            view.state = "waiting".to_owned();
            view.detail = Some(progress.detail.clone());
            view.total = Some(progress.total).filter(|total| *total > 0);
            let sums = progress.sums;
            (view.written, view.failed, view.tokens) = (sums.written, sums.failed, sums.tokens);
        }
        view
    }

    fn of(&self, tenant: &TenantId, id: &str) -> Option<Arc<Record>> {
        let record = guard(&self.records).get(id).cloned();
        record.filter(|record| record.tenant == tenant.as_str())
    }

    /// Unless it is over, or was removed.
    fn open_record(&self, id: &str) -> Option<Arc<Record>> {
        guard(&self.records).get(id).filter(|record| record.end.is_none()).cloned()
    }

    fn is_running(&self, id: &str) -> bool {
        guard(&self.running).as_ref().is_some_and(|running| running.id == id)
    }
}
