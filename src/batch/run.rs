//! A batch from its plan to its files, as often broken off as may be.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use apalis_core::error::BoxDynError;
use apalis_core::task::data::Data;
use apalis_core::worker::builder::WorkerBuilder;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use tower::limit::ConcurrencyLimitLayer;

use super::error::BatchError;
use super::files;
use super::input::scan::{self, Found};
use super::input::{Kind, Means};
use super::jobs::JobFile;
use super::join::{Paths, join};
use super::output::Format;
use super::part::{Parts, Sums};
use super::plan::{CONVERSATIONS_PER_JOB, Plan};
use super::summarizer::{Summarizer, WritingOrder};
use super::work::{Halt, Makings, Work};
use crate::batch::conversation::sha256_hex;

/// What a batch is about.
#[derive(Clone, Debug)]
pub enum Inputs {
    /// Files, and folders of them.
    Files(Vec<PathBuf>),
    /// Conversations of the event log, by their identifiers; the list counts as it is at the start.
    Stored(Vec<String>),
}

/// What may be used over the whole batch, however often it is broken off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Caps {
    pub tokens: Option<u64>,
    pub cost_micros: Option<u64>,
}

/// How much of the machine a batch takes.
#[derive(Clone, Default)]
pub enum Share {
    #[default]
    Whole,
    /// One conversation is read and one written at a time, and none while this says that others
    /// have more urgent work.
    Low(Arc<dyn Fn() -> bool + Send + Sync>),
}

#[derive(Clone)]
pub struct BatchOrder {
    pub inputs: Inputs,
    pub output: PathBuf,
    pub format: Format,
    pub writing: WritingOrder,
    /// Conversations that are written about at once; the writer's usual number unless told.
    pub concurrency: Option<usize>,
    pub caps: Caps,
    pub share: Share,
}

impl BatchOrder {
    /// Everything besides the input that decides the bytes, for people and for comparing.
    fn identity(&self, summarizer: &dyn Summarizer) -> String {
        let drafts: Vec<String> =
            self.writing.drafts.iter().map(|draft| format!("{draft:?}")).collect();
        let hash = sha256_hex(format!("{drafts:?} {}", summarizer.identity()).as_bytes());
        let writer = summarizer.identity();
        let writer = writer.split_whitespace().next().unwrap_or_default();
        let wanted: Vec<&str> =
            self.writing.drafts.iter().map(|draft| draft.stem_at_end()).collect();
        format!(
            "{} as {}, seed {}, by {writer} ({})",
            wanted.join(" ").replace("w-end-", ""),
            self.format.as_str(),
            self.writing.seed,
            &hash[..12]
        )
    }
}

/// How far a batch is. Read by whoever shows it.
#[derive(Debug, Default)]
pub struct Tally {
    total: AtomicU64,
    written: AtomicU64,
    failed: AtomicU64,
    tokens: AtomicU64,
    cost_micros: AtomicU64,
}

impl Tally {
    pub fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    pub fn sums(&self) -> Sums {
        Sums {
            written: self.written.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            tokens: self.tokens.load(Ordering::Relaxed),
            cost_micros: self.cost_micros.load(Ordering::Relaxed),
        }
    }

    pub fn add(&self, sums: Sums) {
        self.written.fetch_add(sums.written, Ordering::Relaxed);
        self.failed.fetch_add(sums.failed, Ordering::Relaxed);
        self.tokens.fetch_add(sums.tokens, Ordering::Relaxed);
        self.cost_micros.fetch_add(sums.cost_micros, Ordering::Relaxed);
    }
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    Complete(Sums),
    /// The same order goes on from here.
    Stopped {
        why: Halt,
        sums: Sums,
    },
}

/// What stands at the end in place of the plan.
#[derive(Serialize, Deserialize)]
struct Done {
    plan: Plan,
    written: u64,
    failed: u64,
    tokens: u64,
    cost_micros: u64,
}

pub enum Opened {
    /// It was complete before.
    Complete(Sums),
    Ready(Box<Batch>),
}

/// A batch that is planned and locked.
pub struct Batch {
    of: Makings,
    paths: Paths,
    unfinished: Vec<u64>,
    _lock: File,
}

impl Batch {
    /// Finds what was begun, or plans it. Reads the whole input once; call it where that may block.
    ///
    /// # Errors
    /// The input can't be read or changed, or something else stands in the output's place.
    pub fn open(
        order: BatchOrder,
        summarizer: Arc<dyn Summarizer>,
        means: Means,
    ) -> Result<Opened, BatchError> {
        let paths = Paths::of(&order.output);
        if paths.output.exists() && !paths.work.exists() {
            return Err(BatchError::Occupied(paths.output));
        }
        let files = match &order.inputs {
            // Before anything is made: a wrong name leaves nothing behind.
            Inputs::Files(named) => {
                let own = [&paths.output, &paths.provenance, &paths.errors, &paths.work];
                Some(scan::find(named, &own.map(PathBuf::as_path))?)
            }
            Inputs::Stored(_) => None,
        };
        std::fs::create_dir_all(&paths.work).map_err(BatchError::unwritable(&paths.work))?;
        let lock = lock(&paths)?;
        let identity = order.identity(summarizer.as_ref());
        let found = match (files, &order.inputs) {
            (Some(files), _) => files,
            (None, Inputs::Stored(ids)) => vec![list_of(ids, &paths.work)?],
            (None, Inputs::Files(_)) => Vec::new(),
        };
        if let Some(done) = load_done(&paths.work)? {
            if paths.output.exists() {
                check(&done.plan, &identity, &found, &paths)?;
                let Done { written, failed, tokens, cost_micros, .. } = done;
                return Ok(Opened::Complete(Sums { written, failed, tokens, cost_micros }));
            }
            // Somebody took the output away: it is wanted anew.
            forget(&paths.work);
        }
        let plan_path = paths.work.join("plan.json");
        let plan = match Plan::load(&plan_path)? {
            Some(mut plan) => {
                check(&plan, &identity, &found, &paths)?;
                plan.move_to(found.into_iter().map(|found| found.path), &paths.work);
                plan
            }
            None => {
                let (sources, spans) = scan::cut(found, &paths.work)?;
                if spans.is_empty() {
                    let _ = std::fs::remove_dir_all(&paths.work);
                    return Err(BatchError::Empty);
                }
                let plan = Plan::new(identity, sources, spans);
                plan.save(&plan_path)?;
                plan
            }
        };
        let parts = Parts::open(paths.work.join("parts"))?;
        let tally = Arc::new(Tally::default());
        tally.total.store(plan.conversations(), Ordering::Relaxed);
        let mut unfinished = Vec::new();
        for job in 0..plan.spans.len() as u64 {
            match parts.sums(job)? {
                Some(sums) => tally.add(sums),
                None => unfinished.push(job),
            }
        }
        let plan = Arc::new(plan);
        let of = Makings { plan, parts, summarizer, means, order, tally };
        Ok(Opened::Ready(Box::new(Self { of, paths, unfinished, _lock: lock })))
    }

    pub fn tally(&self) -> Arc<Tally> {
        Arc::clone(&self.of.tally)
    }

    /// Works until all is done or `stop` is cancelled.
    ///
    /// # Errors
    /// The files can't be read or written any more.
    pub async fn run(self, stop: CancellationToken) -> Result<Ending, BatchError> {
        if !self.unfinished.is_empty()
            && let Some(why) = self.work(stop).await?
        {
            return Ok(Ending::Stopped { why, sums: self.of.tally.sums() });
        }
        tokio::task::spawn_blocking(move || complete(&self.paths, &self.of))
            .await
            .map_err(|error| BatchError::Bug(error.to_string()))?
            .map(Ending::Complete)
    }

    async fn work(&self, stop: CancellationToken) -> Result<Option<Halt>, BatchError> {
        let jobs = JobFile::open(&self.paths.work.join("jobs.sqlite"), &self.unfinished).await?;
        let concurrency = match self.of.order.share {
            Share::Low(_) => 1,
            Share::Whole => {
                let usual = || self.of.summarizer.usual_concurrency();
                self.of.order.concurrency.unwrap_or_else(usual).max(1)
            }
        };
        // One job more than is written about at once: the next is read meanwhile.
        let open_jobs = concurrency.div_ceil(CONVERSATIONS_PER_JOB as usize) + 1;
        let over = stop.child_token();
        let jobs_left = self.unfinished.len() as u64;
        let work = Arc::new(Work::new(self.of.clone(), over.clone(), jobs_left, concurrency));
        let worker = WorkerBuilder::new(format!("process-{}", std::process::id()))
            .backend(jobs.queue())
            .layer(ConcurrencyLimitLayer::new(open_jobs))
            .data(Arc::clone(&work))
            .build(do_job);
        let ended = worker
            .run_with_ctx(move |context| {
                let over = over.clone();
                async move {
                    over.cancelled().await;
                    // It may not have begun, and then it has nothing to stop.
                    let _ = context.stop();
                    Ok(())
                }
            })
            .await;
        jobs.close().await;
        match work.halted() {
            Some(Ok(why)) => Ok(Some(why)),
            Some(Err(error)) => Err(error),
            None if work.is_done() => Ok(None),
            None if stop.is_cancelled() => Ok(Some(Halt::Asked)),
            None => Err(BatchError::Bug(match ended {
                Ok(()) => "the worker ended early".to_owned(),
                Err(error) => error.to_string(),
            })),
        }
    }
}

async fn do_job(job: u64, work: Data<Arc<Work>>) -> Result<(), BoxDynError> {
    Arc::clone(&work).job(job).await.map_err(Into::into)
}

fn lock(paths: &Paths) -> Result<File, BatchError> {
    let path = paths.work.join("lock");
    let unwritable = || BatchError::unwritable(&path);
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(false).open(&path).map_err(unwritable())?;
    // The kernel lets go of it when the process dies, however it dies.
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(BatchError::Locked(paths.output.clone())),
        Err(TryLockError::Error(error)) => Err(unwritable()(error)),
    }
}

/// The identifiers as a source. A list that stands already is the one the batch was begun with.
fn list_of(ids: &[String], work: &Path) -> Result<Found, BatchError> {
    let path = work.join("conversations.txt");
    if !path.exists() {
        let lines: String = ids.iter().map(|id| format!("{id}\n")).collect();
        files::write_whole(&path, lines.as_bytes())?;
    }
    Ok(Found { path, name: "store".to_owned(), kind: Kind::Stored })
}

fn check(plan: &Plan, identity: &str, found: &[Found], paths: &Paths) -> Result<(), BatchError> {
    let (output, work) = (paths.output.clone(), paths.work.clone());
    if plan.order != identity {
        let (was, now) = (plan.order.clone(), identity.to_owned());
        return Err(BatchError::OrderChanged { output, work, was, now });
    }
    match scan::difference(&plan.sources, found)? {
        Some(what) => Err(BatchError::InputChanged { output, work, what }),
        None => Ok(()),
    }
}

fn done_path(work: &Path) -> PathBuf {
    work.join("done.json")
}

fn load_done(work: &Path) -> Result<Option<Done>, BatchError> {
    let path = done_path(work);
    match std::fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| {
            BatchError::Damaged { path, reason: format!("is no record of a batch: {error}") }
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(BatchError::unreadable(&path)(error)),
    }
}

/// Takes away all that is needed only while a batch isn't done.
fn tidy(work: &Path) {
    let _ = std::fs::remove_dir_all(work.join("parts"));
    let Ok(entries) = std::fs::read_dir(work) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("jobs.sqlite") || name.starts_with("rows-") || name == "plan.json" {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

fn forget(work: &Path) {
    tidy(work);
    let _ = std::fs::remove_file(done_path(work));
}

fn complete(paths: &Paths, of: &Makings) -> Result<Sums, BatchError> {
    let plan = &of.plan;
    let sums = join(paths, &of.parts, plan.spans.len() as u64, of.order.format)?;
    let Sums { written, failed, tokens, cost_micros } = sums;
    let done = Done {
        plan: Plan::new(plan.order.clone(), plan.sources.clone(), Vec::new()),
        written,
        failed,
        tokens,
        cost_micros,
    };
    let text = serde_json::to_vec(&done).map_err(|error| BatchError::Bug(error.to_string()))?;
    files::write_whole(&done_path(&paths.work), &text)?;
    tidy(&paths.work);
    Ok(sums)
}
