//! A batch from its plan to its files, as often broken off as may be.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use apalis_core::error::BoxDynError;
use apalis_core::task::data::Data;
use apalis_core::worker::builder::WorkerBuilder;
use jiff::tz::TimeZone;
use tokio_util::sync::CancellationToken;
use tower::limit::ConcurrencyLimitLayer;

use super::conversation::sha256_hex;
use super::error::{BatchError, on_a_thread};
use super::folder::{self, Begun, Done, Held};
use super::input::find::{Found, find};
use super::input::{Kind, Means, scan};
use super::jobs::JobFile;
use super::join::{Paths, join};
use super::part::{Parts, Sums, Used};
use super::plan::{CONVERSATIONS_PER_JOB, Plan};
use super::summarizer::{Summarizer, WritingOrder};
use super::wanted::Format;
use super::work::{Halt, Makings, Work};

/// Until a worker that is being stopped is asked again whether it has begun.
const STOP_AGAIN_AFTER: Duration = Duration::from_millis(10);

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
    /// What can't be read or written about at the moment becomes an error like any other.
    pub give_up: bool,
}

impl BatchOrder {
    /// Everything besides the input that decides the bytes, for people and for comparing.
    fn identity(&self, summarizer: &dyn Summarizer, means: &Means, found: &[Found]) -> String {
        let drafts: Vec<String> =
            self.writing.drafts.iter().map(|draft| format!("{draft:?}")).collect();
        let has_recordings = found.iter().any(|found| found.kind == Kind::Audio);
        // Without a recording, nobody looks for its models.
        let heard_by = if has_recordings { means.recogniser.identity() } else { String::new() };
        let all = format!("{drafts:?} {} {heard_by}", summarizer.identity());
        let writer = summarizer.identity();
        let writer = writer.split_whitespace().next().unwrap_or_default();
        let wanted: Vec<&str> =
            self.writing.drafts.iter().map(|draft| draft.stem_at_end()).collect();
        format!(
            "{} as {}, seed {}, times in {}, by {writer}{}{heard_by} ({})",
            wanted.join(" ").replace("w-end-", ""),
            self.format.as_str(),
            self.writing.seed,
            zone_name(&means.zone),
            if has_recordings { ", heard by " } else { "" },
            &sha256_hex(all.as_bytes())[..12]
        )
    }
}

fn zone_name(zone: &TimeZone) -> String {
    zone.iana_name().map_or_else(|| format!("{zone:?}"), str::to_owned)
}

/// How far a batch is. Read by whoever shows it.
#[derive(Debug, Default)]
pub struct Tally {
    total: AtomicU64,
    written: AtomicU64,
    failed: AtomicU64,
    tokens: AtomicU64,
    cost_micros: AtomicU64,
    joining: AtomicBool,
}

impl Tally {
    /// All is written, and is put in order.
    pub fn is_joining(&self) -> bool {
        self.joining.load(Ordering::Relaxed)
    }

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

pub enum Opened {
    /// It was complete before.
    Complete(Sums),
    Ready(Box<Batch>),
}

/// A batch that is planned and locked.
pub struct Batch {
    of: Makings,
    unfinished: Vec<u64>,
    notes: Vec<String>,
    _begun: BegunWriting,
    _held: Held,
}

/// Between a writer's `begin` and its `end`.
struct BegunWriting(Arc<dyn Summarizer>, WritingOrder);

impl Drop for BegunWriting {
    fn drop(&mut self) {
        self.0.end(&self.1);
    }
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
        let mut notes = Vec::new();
        let files = match &order.inputs {
            // Before anything is made: a wrong name leaves nothing behind.
            Inputs::Files(named) => {
                let search = find(named, &paths)?;
                notes = search.notes;
                search.found
            }
            Inputs::Stored(_) => Vec::new(),
        };
        let mut held = Held::take(&paths)?;
        let Begun { done, plan } = Begun::find(&paths)?;
        let identity = order.identity(summarizer.as_ref(), &means, &files);
        if let Some(done) = done {
            if paths.output.exists() {
                if let Inputs::Stored(ids) = &order.inputs
                    && !folder::is_list_of(ids, &done)
                {
                    let what = "the log has other ended conversations now".to_owned();
                    return Err(paths.input_changed(what));
                }
                let found = sources(&order.inputs, files, &paths)?;
                check(&done.plan, &identity, &found, &paths)?;
                folder::tidy(&paths.work);
                return Ok(Opened::Complete(done.sums()));
            }
            // Somebody took the output away: it is wanted anew.
            folder::forget(&paths);
        }
        let found = sources(&order.inputs, files, &paths)?;
        let plan = match plan {
            Some(mut plan) => {
                check(&plan, &identity, &found, &paths)?;
                plan.move_to(found.into_iter().map(|found| found.path));
                plan
            }
            None => {
                let (sources, spans) = scan::cut(found)?;
                if spans.is_empty() {
                    return Err(BatchError::Empty);
                }
                let plan = Plan::new(identity, sources, spans);
                plan.save(&folder::plan_path(&paths.work))?;
                plan
            }
        };
        held.keep();
        let parts = Parts::open(folder::parts_path(&paths.work))?;
        let tally = Arc::new(Tally::default());
        tally.total.store(plan.conversations(), Ordering::Relaxed);
        let mut unfinished = Vec::new();
        for job in 0..plan.spans.len() as u64 {
            match parts.sums(job)? {
                Some(sums) => tally.add(sums),
                None => {
                    tally.add(parts.known(job)?.sums());
                    unfinished.push(job);
                }
            }
        }
        let sums = tally.sums();
        let used = Used { tokens: sums.tokens, cost_micros: sums.cost_micros };
        summarizer.begin(&order.writing, order.caps, used);
        let begun = BegunWriting(Arc::clone(&summarizer), order.writing.clone());
        let plan = Arc::new(plan);
        let of = Makings { plan, parts, summarizer, means, order, tally, paths };
        Ok(Opened::Ready(Box::new(Self { of, unfinished, notes, _begun: begun, _held: held })))
    }

    /// What was passed over that somebody may miss.
    pub fn notes(&self) -> &[String] {
        &self.notes
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
        on_a_thread(move || complete(&self.of)).await.map(Ending::Complete)
    }

    async fn work(&self, stop: CancellationToken) -> Result<Option<Halt>, BatchError> {
        let jobs = JobFile::open(&self.of.paths.work.join("jobs.sqlite"), &self.unfinished).await?;
        let concurrency = match self.of.order.share {
            Share::Low(_) => 1,
            Share::Whole => {
                let usual = || self.of.summarizer.usual_concurrency();
                self.of.order.concurrency.unwrap_or_else(usual).max(1)
            }
        };
        // One job more than is written about at once: the next is read meanwhile.
        let open_jobs = concurrency.div_ceil(CONVERSATIONS_PER_JOB as usize) + 1;
        let jobs_left = self.unfinished.len() as u64;
        let work = Arc::new(Work::new(self.of.clone(), &stop, jobs_left, concurrency));
        let closing = work.closing().clone();
        let worker = WorkerBuilder::new(format!("process-{}", std::process::id()))
            .backend(jobs.queue())
            .layer(ConcurrencyLimitLayer::new(open_jobs))
            .data(Arc::clone(&work))
            .build(do_job);
        let ended = worker
            .run_with_ctx(move |context| {
                let closing = closing.clone();
                async move {
                    closing.cancelled().await;
                    // One that hasn't begun can't be stopped yet, and would go on for ever.
                    while context.stop().is_err() {
                        tokio::time::sleep(STOP_AGAIN_AFTER).await;
                    }
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
            // All was tried, and some of it can't be had at the moment.
            None if work.is_tried() => Ok(Some(Halt::Unavailable(work.last_word()))),
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

fn sources(inputs: &Inputs, files: Vec<Found>, paths: &Paths) -> Result<Vec<Found>, BatchError> {
    match inputs {
        Inputs::Files(_) => Ok(files),
        Inputs::Stored(ids) => Ok(vec![folder::list_of(ids, &paths.work)?]),
    }
}

fn check(plan: &Plan, identity: &str, found: &[Found], paths: &Paths) -> Result<(), BatchError> {
    let (output, work) = (paths.output.clone(), paths.work.clone());
    if plan.order != identity {
        let (was, now) = (plan.order.clone(), identity.to_owned());
        return Err(BatchError::OrderChanged { output, work, was, now });
    }
    match scan::difference(&plan.sources, found)? {
        Some(what) => Err(paths.input_changed(what)),
        None => Ok(()),
    }
}

fn complete(of: &Makings) -> Result<Sums, BatchError> {
    let (plan, paths) = (&of.plan, &of.paths);
    let watch = scan::Watch::default();
    let mut changes =
        (0..plan.sources.len() as u32).filter_map(|number| watch.change(&plan.sources, number));
    if let Some(what) = changes.next() {
        return Err(paths.input_changed(what));
    }
    of.tally.joining.store(true, Ordering::Relaxed);
    let sums = join(paths, &of.parts, plan.spans.len() as u64, of.order.format)?;
    Done::save(plan, sums, &paths.work)?;
    folder::tidy(&paths.work);
    Ok(sums)
}
