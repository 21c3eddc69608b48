//! One job: its conversations are read, written about and noted.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::conversation::Conversation;
use super::error::BatchError;
use super::input::{self, Means, Place, Raw};
use super::output::{self, Worked};
use super::part::{Outcome, Parts, Record, Sums};
use super::plan::Plan;
use super::run::{BatchOrder, Share, Tally};
use super::summarizer::Summarizer;
use crate::domain::Classify;

/// A conversation that its writer can't write about now is tried again after so long.
const RETRY_AFTER: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(2)];
/// When so many in a row fail that way, the writer is down and the batch waits for people.
const STREAK_MAX: u32 = 16;
/// Between two looks whether others still have more urgent work.
const BUSY_LOOK: Duration = Duration::from_millis(200);

/// Why a batch stopped before its end. Going on is possible after each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Halt {
    Asked,
    Budget,
    /// The writer is down: what it said last.
    Unavailable(String),
}

/// A job that wasn't finished.
#[derive(Debug, thiserror::Error)]
pub enum Unfinished {
    #[error("stopped")]
    Halted,
    #[error("{0}")]
    Failed(BatchError),
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
}

/// What all jobs of a batch share.
pub struct Work {
    of: Makings,
    /// Cancelled when all is done, or nothing more is to be done.
    over: CancellationToken,
    jobs_left: AtomicU64,
    reading: Semaphore,
    writing: Semaphore,
    streak: AtomicU32,
    halt: Mutex<Option<Result<Halt, BatchError>>>,
}

impl Work {
    pub fn new(of: Makings, over: CancellationToken, jobs: u64, concurrency: usize) -> Self {
        let readers = match of.order.share {
            Share::Low(_) => 1,
            Share::Whole => std::thread::available_parallelism().map_or(2, usize::from),
        };
        Self {
            of,
            over,
            jobs_left: AtomicU64::new(jobs),
            reading: Semaphore::new(readers),
            writing: Semaphore::new(concurrency),
            streak: AtomicU32::new(0),
            halt: Mutex::default(),
        }
    }

    /// The first reason to stop, if there was one.
    pub fn halted(&self) -> Option<Result<Halt, BatchError>> {
        self.halt.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub fn is_done(&self) -> bool {
        self.jobs_left.load(Ordering::Acquire) == 0
    }

    fn stop_for(&self, why: Result<Halt, BatchError>) {
        self.halt.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
        self.over.cancel();
    }

    /// Does a job and leaves its part.
    ///
    /// # Errors
    /// The batch was stopped meanwhile, or can't go on.
    pub async fn job(self: Arc<Self>, job: u64) -> Result<(), Unfinished> {
        let done = Arc::clone(&self).conversations(job).await;
        match done {
            Ok(()) => {
                if self.jobs_left.fetch_sub(1, Ordering::AcqRel) == 1 {
                    self.over.cancel();
                }
                Ok(())
            }
            Err(Unfinished::Failed(error)) => {
                let told = error.to_string();
                self.stop_for(Err(error));
                Err(Unfinished::Failed(BatchError::Bug(told)))
            }
            Err(Unfinished::Halted) => Err(Unfinished::Halted),
        }
    }

    async fn conversations(self: Arc<Self>, job: u64) -> Result<(), Unfinished> {
        let work = Arc::clone(&self);
        let begin = move || {
            let index = usize::try_from(job).unwrap_or(usize::MAX);
            let span = work.of.plan.spans.get(index);
            let span = span.ok_or_else(|| BatchError::Bug(format!("there is no job {job}")))?;
            let raws = input::read(&work.of.plan.sources, span)?;
            if raws.len() != span.items as usize {
                let source = &work.of.plan.sources[span.source as usize];
                let reason = "has become shorter while it was read".to_owned();
                return Err(BatchError::Input { path: source.path.clone(), reason });
            }
            let (known, journal) = work.of.parts.go_on(job)?;
            Ok((raws, known, journal))
        };
        let (raws, mut records, mut journal) = blocking(begin).await?;
        records.values().for_each(|record| self.count(record));
        let mut tasks = JoinSet::new();
        for (number, raw) in (0..).zip(raws) {
            if !records.contains_key(&number) {
                tasks.spawn(Arc::clone(&self).one(number, raw));
            }
        }
        let mut is_halted = false;
        while let Some(done) = tasks.join_next().await {
            match done.map_err(|error| BatchError::Bug(error.to_string()))? {
                Ok((record, is_final)) => {
                    if is_final {
                        journal.note(&record)?;
                    }
                    self.count(&record);
                    records.insert(record.number, record);
                }
                Err(Unfinished::Halted) => is_halted = true,
                Err(failed) => return Err(failed),
            }
        }
        if is_halted {
            return Err(Unfinished::Halted);
        }
        let parts = self.of.parts.clone();
        blocking(move || parts.finish(job, &records)).await?;
        Ok(())
    }

    fn count(&self, record: &Record) {
        let mut sums = Sums::default();
        sums.add(record);
        self.of.tally.add(sums);
    }

    async fn permit<'a>(&self, of: &'a Semaphore) -> Result<SemaphorePermit<'a>, Unfinished> {
        tokio::select! {
            biased;
            () = self.over.cancelled() => Err(Unfinished::Halted),
            permit = of.acquire() => permit.map_err(|_| Unfinished::Halted),
        }
    }

    /// One conversation, and whether what became of it stands for good.
    async fn one(self: Arc<Self>, number: u32, raw: Raw) -> Result<(Record, bool), Unfinished> {
        let place = raw.place.clone();
        let reading = self.permit(&self.reading).await?;
        let understood = tokio::select! {
            biased;
            () = self.over.cancelled() => return Err(Unfinished::Halted),
            understood = input::understand_any(raw, &self.of.means) => understood?,
        };
        drop(reading);
        match understood.conversation {
            Ok(conversation) => {
                self.write(number, &place, &conversation, &understood.input_sha256).await
            }
            Err(error) => {
                let is_final = !error.kind().is_retryable();
                Ok((failed(number, output::unread(&place, &error)), is_final))
            }
        }
    }

    async fn write(
        &self,
        number: u32,
        place: &Place,
        conversation: &Conversation,
        input_sha256: &str,
    ) -> Result<(Record, bool), Unfinished> {
        let mut tries = RETRY_AFTER.iter();
        loop {
            let writing = self.permit(&self.writing).await?;
            self.wait_for_others().await;
            self.check_budget()?;
            let started = Timestamp::now();
            let (material, circumstances) = (&conversation.material, &conversation.circumstances);
            let written = tokio::select! {
                biased;
                () = self.over.cancelled() => return Err(Unfinished::Halted),
                written = self.of.summarizer.write(material, circumstances, &self.of.order.writing) => written,
            };
            drop(writing);
            let error = match written {
                Ok(summarized) => {
                    self.streak.store(0, Ordering::Relaxed);
                    let line = output::written(self.of.order.format, conversation, &summarized);
                    let worked = Worked { started, finished: Timestamp::now() };
                    let seed = self.of.order.writing.seed;
                    let provenance = output::provenance(
                        place,
                        conversation,
                        input_sha256,
                        &line,
                        &summarized,
                        seed,
                        worked,
                    );
                    let tokens = summarized.tokens.prompt + summarized.tokens.written;
                    let outcome = Outcome::Written { output: line, provenance };
                    let cost_micros = summarized.cost_micros;
                    return Ok((Record { number, tokens, cost_micros, outcome }, true));
                }
                Err(error) => error,
            };
            if error.is_budget() {
                self.stop_for(Ok(Halt::Budget));
                return Err(Unfinished::Halted);
            }
            if error.kind().is_retryable() {
                if let Some(pause) = tries.next() {
                    tokio::select! {
                        () = self.over.cancelled() => return Err(Unfinished::Halted),
                        () = tokio::time::sleep(*pause) => continue,
                    }
                }
                if self.streak.fetch_add(1, Ordering::Relaxed) + 1 >= STREAK_MAX {
                    self.stop_for(Ok(Halt::Unavailable(error.to_string())));
                    return Err(Unfinished::Halted);
                }
            }
            let is_final = !error.kind().is_retryable();
            let line = output::unwritten(place, &conversation.id, &error);
            return Ok((failed(number, line), is_final));
        }
    }

    async fn wait_for_others(&self) {
        let Share::Low(is_busy) = &self.of.order.share else { return };
        while is_busy() && !self.over.is_cancelled() {
            tokio::time::sleep(BUSY_LOOK).await;
        }
    }

    /// What is being written at this moment isn't counted yet: a cap is overrun by so much at most.
    fn check_budget(&self) -> Result<(), Unfinished> {
        let (caps, sums) = (self.of.order.caps, self.of.tally.sums());
        let is_over = |cap: Option<u64>, used: u64| cap.is_some_and(|cap| used >= cap);
        if is_over(caps.tokens, sums.tokens) || is_over(caps.cost_micros, sums.cost_micros) {
            self.stop_for(Ok(Halt::Budget));
            return Err(Unfinished::Halted);
        }
        Ok(())
    }
}

fn failed(number: u32, error: String) -> Record {
    Record { number, tokens: 0, cost_micros: 0, outcome: Outcome::Failed { error } }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BatchError> + Send + 'static,
) -> Result<T, BatchError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| BatchError::Bug(error.to_string()))?
}
