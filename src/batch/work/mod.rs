//! One job: its conversations are read, written about and noted.

mod budget;
mod write;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use self::budget::Budget;
use super::error::{BatchError, on_a_thread};
use super::input::parquet::Cursors;
use super::input::scan::Watch;
use super::input::{self, Means, Raw};
use super::join::Paths;
use super::output;
use super::part::{Journal, Outcome, Parts, Record, Used};
use super::plan::{Plan, Span};
use super::run::{BatchOrder, Share, Tally};
use super::summarizer::Summarizer;
use crate::domain::Classify;

/// Conversations of so many bytes are in memory at once, from being read to being written about.
const ROOM_KIB: u32 = 64 << 10;

/// Why a batch stopped before its end. Going on is possible after each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Halt {
    Asked,
    /// What was given for this batch is used up.
    Budget,
    /// The writer or something else that it needs is down, or its tenant may use nothing more for
    /// now: what was said last.
    Unavailable(String),
}

/// A job that wasn't finished.
#[derive(Debug, thiserror::Error)]
pub enum Unfinished {
    #[error("stopped")]
    Halted,
    #[error("to be tried again: {0}")]
    Waiting(String),
    #[error("{0}")]
    Failed(BatchError),
}

/// What became of a conversation.
enum Became {
    Final(Record),
    /// Nothing yet, because of something that passes.
    Waiting(Record, String),
}

impl Became {
    const fn record(&self) -> &Record {
        let (Self::Final(record) | Self::Waiting(record, _)) = self;
        record
    }

    /// Nothing is kept but what it took; `before` was noted when it was used.
    fn in_vain(self, before: Used, why: &BatchError) -> Self {
        let Self::Final(record) = self else { return self };
        let used = Used { tokens: record.tokens, cost_micros: record.cost_micros };
        Self::Waiting(waiting(record.number, used.minus(before)), why.to_string())
    }
}

impl From<BatchError> for Unfinished {
    fn from(error: BatchError) -> Self {
        Self::Failed(error)
    }
}

/// What a batch is made of.
#[derive(Clone)]
pub struct Makings {
    pub plan: Arc<Plan>,
    pub parts: Parts,
    pub summarizer: Arc<dyn Summarizer>,
    pub means: Means,
    pub order: BatchOrder,
    pub tally: Arc<Tally>,
    pub paths: Paths,
}

/// What all jobs of a batch share.
pub struct Work {
    of: Makings,
    /// Cancelled when what is under way is to be dropped, too.
    over: CancellationToken,
    /// Cancelled when nothing more is begun; what was paid for is still written.
    closing: CancellationToken,
    jobs_left: AtomicU64,
    jobs_waiting: AtomicU64,
    room: Semaphore,
    reading: Semaphore,
    hearing: Semaphore,
    writing: Semaphore,
    rows: Cursors,
    watch: Watch,
    streak: AtomicU32,
    budget: Budget,
    last_word: Mutex<String>,
    halt: Mutex<Option<Result<Halt, BatchError>>>,
}

impl Work {
    pub fn new(of: Makings, stop: &CancellationToken, jobs: u64, concurrency: usize) -> Self {
        let readers = match of.order.share {
            Share::Low(_) => 1,
            Share::Whole => std::thread::available_parallelism().map_or(2, usize::from),
        };
        let over = stop.child_token();
        Self {
            budget: Budget::new(of.order.caps, Arc::clone(&of.tally)),
            of,
            closing: over.child_token(),
            over,
            jobs_left: AtomicU64::new(jobs),
            jobs_waiting: AtomicU64::new(0),
            room: Semaphore::new(ROOM_KIB as usize),
            reading: Semaphore::new(readers),
            // A recording takes all workers, and more memory than all else.
            hearing: Semaphore::new(1),
            writing: Semaphore::new(concurrency),
            rows: Cursors::default(),
            watch: Watch::default(),
            streak: AtomicU32::new(0),
            last_word: Mutex::default(),
            halt: Mutex::default(),
        }
    }

    /// Cancelled when nothing more is begun.
    pub const fn closing(&self) -> &CancellationToken {
        &self.closing
    }

    /// The first reason to stop, if there was one.
    pub fn halted(&self) -> Option<Result<Halt, BatchError>> {
        self.halt.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub fn is_tried(&self) -> bool {
        self.jobs_left.load(Ordering::Acquire) == 0
    }

    pub fn is_done(&self) -> bool {
        self.is_tried() && self.jobs_waiting.load(Ordering::Acquire) == 0
    }

    /// Why the last of those that wait does.
    pub fn last_word(&self) -> String {
        self.last_word.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn stop_for(&self, why: Result<Halt, BatchError>) {
        let is_failure = why.is_err();
        self.halt.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
        if is_failure { self.over.cancel() } else { self.closing.cancel() }
    }

    /// Does a job and leaves its part.
    ///
    /// # Errors
    /// The batch was stopped meanwhile, or can't go on.
    pub async fn job(self: Arc<Self>, job: u64) -> Result<(), Unfinished> {
        let done = Arc::clone(&self).conversations(job).await;
        match &done {
            Ok(()) => {}
            Err(Unfinished::Waiting(_)) => {
                self.jobs_waiting.fetch_add(1, Ordering::AcqRel);
            }
            Err(Unfinished::Halted) => return done,
            Err(Unfinished::Failed(_)) => {
                let Err(Unfinished::Failed(error)) = done else { return done };
                return Err(Unfinished::Failed(BatchError::Bug(self.fail(error))));
            }
        }
        if self.jobs_left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.closing.cancel();
        }
        done
    }

    async fn conversations(self: Arc<Self>, job: u64) -> Result<(), Unfinished> {
        let index = usize::try_from(job).unwrap_or(usize::MAX);
        let span = self.of.plan.spans.get(index).copied();
        let span = span.ok_or_else(|| BatchError::Bug(format!("there is no job {job}")))?;
        let work = Arc::clone(&self);
        let begin = move || {
            let raws = input::read(&work.of.plan.sources, &span, &work.rows)?;
            if raws.len() != span.items as usize {
                let source = &work.of.plan.sources[span.source as usize];
                let what = format!("{} has become shorter while it was read", source.name);
                return Err(work.of.paths.input_changed(what));
            }
            Ok((raws, work.of.parts.go_on(job)?))
        };
        let (raws, (known, mut journal)) = on_a_thread(begin).await?;
        let mut records = known.records;
        let mut tasks = JoinSet::new();
        let mut places = HashMap::new();
        for (number, raw) in (0..).zip(raws) {
            if !records.contains_key(&number) {
                let (place, used) = (raw.place.clone(), known.used.get(&number).copied());
                let task = Arc::clone(&self).one(number, raw, used.unwrap_or_default());
                places.insert(tasks.spawn(task).id(), (number, place));
            }
        }
        let (mut is_halted, mut waits_for, mut failed_with) = (false, None, None);
        while let Some(done) = tasks.join_next_with_id().await {
            let became = match done {
                Ok((_, Ok(became))) => became,
                Ok((_, Err(Unfinished::Failed(error)))) => {
                    failed_with = failed_with.or(Some(self.fail(error)));
                    continue;
                }
                Ok((_, Err(_))) => {
                    is_halted = true;
                    continue;
                }
                Err(panic) => {
                    let (number, place) = places.remove(&panic.id()).ok_or_else(|| {
                        BatchError::Bug("a conversation of nobody's has failed".to_owned())
                    })?;
                    let used = known.used.get(&number).copied().unwrap_or_default();
                    Became::Final(failed(number, output::crashed(&place), used))
                }
            };
            let before = known.used.get(&became.record().number).copied().unwrap_or_default();
            let work = Arc::clone(&self);
            let note = move || {
                let noted = work.note(&span, &mut journal, became, before);
                Ok::<_, BatchError>((journal, noted))
            };
            let (back, (became, noted)) = on_a_thread(note).await?;
            journal = back;
            if let Err(error) = noted {
                failed_with = failed_with.or(Some(self.fail(error)));
            }
            match became {
                Became::Final(record) => {
                    self.budget.count(&record, before);
                    records.insert(record.number, record);
                }
                Became::Waiting(record, why) => {
                    self.budget.count(&record, Used::default());
                    waits_for = Some(why);
                }
            }
        }
        if let Some(told) = failed_with {
            return Err(Unfinished::Failed(BatchError::Bug(told)));
        }
        if let Some(why) = waits_for {
            *self.last_word.lock().unwrap_or_else(PoisonError::into_inner) = why.clone();
            return Err(Unfinished::Waiting(why));
        }
        if is_halted {
            return Err(Unfinished::Halted);
        }
        let parts = self.of.parts.clone();
        on_a_thread(move || parts.finish(job, &records)).await?;
        Ok(())
    }

    /// Ends the batch for this. What is under way comes back soon, and with what it used.
    fn fail(&self, error: BatchError) -> String {
        let told = error.to_string();
        self.stop_for(Err(error));
        told
    }

    /// Nothing is kept that was made of another input than the plan's, but what it took is.
    fn note(
        &self,
        span: &Span,
        journal: &mut Journal,
        became: Became,
        before: Used,
    ) -> (Became, Result<(), BatchError>) {
        let (became, seen) = match self.see_to_source(span, became.record().number) {
            Ok(()) => (became, Ok(())),
            Err(changed) => (became.in_vain(before, &changed), Err(changed)),
        };
        let noted = match &became {
            Became::Waiting(record, _) if record.tokens == 0 && record.cost_micros == 0 => Ok(()),
            became => journal.note(became.record()),
        };
        (became, seen.and(noted))
    }

    fn see_to_source(&self, span: &Span, number: u32) -> Result<(), BatchError> {
        let sources = &self.of.plan.sources;
        let is_file = sources.get(span.source as usize).is_some_and(|it| it.kind.is_whole_file());
        let number = if is_file { span.source + number } else { span.source };
        match self.watch.change(sources, number) {
            Some(what) => Err(self.of.paths.input_changed(what)),
            None => Ok(()),
        }
    }

    async fn permit<'a>(
        &self,
        of: &'a Semaphore,
        many: u32,
    ) -> Result<SemaphorePermit<'a>, Unfinished> {
        tokio::select! {
            biased;
            () = self.closing.cancelled() => Err(Unfinished::Halted),
            permit = of.acquire_many(many) => permit.map_err(|_| Unfinished::Halted),
        }
    }

    async fn one(self: Arc<Self>, number: u32, raw: Raw, used: Used) -> Result<Became, Unfinished> {
        let place = raw.place.clone();
        let kib = u32::try_from(raw.weight() >> 10).unwrap_or(u32::MAX).clamp(1, ROOM_KIB);
        let _room = self.permit(&self.room, kib).await?;
        let of = if raw.is_recording() { &self.hearing } else { &self.reading };
        let reading = self.permit(of, 1).await?;
        let understood = tokio::select! {
            biased;
            () = self.closing.cancelled() => return Err(Unfinished::Halted),
            understood = input::understand_any(raw, &self.of.means) => understood?,
        };
        drop(reading);
        match understood.conversation {
            Ok(conversation) => {
                self.write(number, &place, &conversation, &understood.input_sha256, used).await
            }
            Err(error) if error.kind().is_retryable() && !self.of.order.give_up => {
                let why = format!("{}: {error}", place.file);
                Ok(self.waiting(number, Used::default(), why))
            }
            Err(error) => Ok(Became::Final(failed(number, output::unread(&place, &error), used))),
        }
    }
}

fn record(number: u32, used: Used, outcome: Outcome) -> Record {
    Record { number, tokens: used.tokens, cost_micros: used.cost_micros, outcome }
}

fn failed(number: u32, error: String, used: Used) -> Record {
    record(number, used, Outcome::Failed { error })
}

fn waiting(number: u32, used: Used) -> Record {
    record(number, used, Outcome::Waiting)
}
