//! One job: its conversations are read, written about and noted.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Notify, Semaphore, SemaphorePermit};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::conversation::Conversation;
use super::error::BatchError;
use super::input::parquet::Cursors;
use super::input::scan::Watch;
use super::input::{self, Means, Place, Raw};
use super::join::Paths;
use super::output::{self, Worked};
use super::part::{Outcome, Parts, Record, Sums, Used};
use super::plan::{Plan, Span};
use super::run::{BatchOrder, Share, Tally};
use super::summarizer::{NotSummarized, Summarizer};
use crate::domain::Classify;

/// A conversation that its writer can't write about now is tried again after so long.
const RETRY_AFTER: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(2)];
/// When so many in a row can't be read or written about now, the batch waits for people.
const STREAK_MAX: u32 = 16;
/// Conversations of so many bytes are in memory at once, from being read to being written about.
const ROOM_KIB: u32 = 64 << 10;
/// Between two looks whether others still have more urgent work.
const BUSY_LOOK: Duration = Duration::from_millis(200);

/// Why a batch stopped before its end. Going on is possible after each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Halt {
    Asked,
    Budget,
    /// The writer or something else that it needs is down: what was said last.
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
    /// Conversations that are being written about, and a word whenever one was.
    under_way: AtomicU64,
    gave_back: Notify,
    /// What was used and isn't in the journals yet. Held while it goes there, so that a cap sees each
    /// conversation once.
    unbooked: Mutex<Used>,
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
            under_way: AtomicU64::new(0),
            gave_back: Notify::new(),
            unbooked: Mutex::default(),
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
            Err(Unfinished::Failed(error)) => {
                let told = error.to_string();
                if let Err(Unfinished::Failed(error)) = done {
                    self.stop_for(Err(error));
                }
                return Err(Unfinished::Failed(BatchError::Bug(told)));
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
        let (raws, (known, mut journal)) = blocking(begin).await?;
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
        let (mut is_halted, mut waits_for) = (false, None);
        while let Some(done) = tasks.join_next_with_id().await {
            let became = match done {
                Ok((_, Ok(became))) => became,
                Ok((_, Err(Unfinished::Halted))) => {
                    is_halted = true;
                    continue;
                }
                Ok((_, Err(unfinished))) => return Err(unfinished),
                Err(panic) => {
                    let (number, place) = places.remove(&panic.id()).ok_or_else(|| {
                        BatchError::Bug("a conversation of nobody's has failed".to_owned())
                    })?;
                    let used = known.used.get(&number).copied().unwrap_or_default();
                    Became::Final(failed(number, output::crashed(&place), used))
                }
            };
            self.see_to_source(&span, &became)?;
            match became {
                Became::Final(record) => {
                    journal.note(&record)?;
                    let used = known.used.get(&record.number).copied().unwrap_or_default();
                    self.count(&record, used);
                    records.insert(record.number, record);
                }
                Became::Waiting(record, why) => {
                    if record.tokens > 0 || record.cost_micros > 0 {
                        journal.note(&record)?;
                    }
                    self.count(&record, Used::default());
                    waits_for = Some(why);
                }
            }
        }
        if let Some(why) = waits_for {
            *self.last_word.lock().unwrap_or_else(PoisonError::into_inner) = why.clone();
            return Err(Unfinished::Waiting(why));
        }
        if is_halted {
            return Err(Unfinished::Halted);
        }
        let parts = self.of.parts.clone();
        blocking(move || parts.finish(job, &records)).await?;
        Ok(())
    }

    /// Nothing is kept that was made of another input than the plan's.
    fn see_to_source(&self, span: &Span, became: &Became) -> Result<(), BatchError> {
        let (Became::Final(record) | Became::Waiting(record, _)) = became;
        let sources = &self.of.plan.sources;
        let is_file = sources.get(span.source as usize).is_some_and(|it| it.kind.is_whole_file());
        let number = if is_file { span.source + record.number } else { span.source };
        match self.watch.change(sources, number) {
            Some(what) => Err(self.of.paths.input_changed(what)),
            None => Ok(()),
        }
    }

    /// `before` was counted when it was used.
    fn count(&self, record: &Record, before: Used) {
        let mut sums = Sums::default();
        sums.add(record);
        sums.tokens = sums.tokens.saturating_sub(before.tokens);
        sums.cost_micros = sums.cost_micros.saturating_sub(before.cost_micros);
        let mut unbooked = self.unbooked.lock().unwrap_or_else(PoisonError::into_inner);
        unbooked.tokens = unbooked.tokens.saturating_sub(sums.tokens);
        unbooked.cost_micros = unbooked.cost_micros.saturating_sub(sums.cost_micros);
        self.of.tally.add(sums);
    }

    fn book(&self, used: Used) {
        let mut unbooked = self.unbooked.lock().unwrap_or_else(PoisonError::into_inner);
        *unbooked = unbooked.plus(used);
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

    async fn write(
        &self,
        number: u32,
        place: &Place,
        conversation: &Conversation,
        input_sha256: &str,
        before: Used,
    ) -> Result<Became, Unfinished> {
        let mut used = Used::default();
        let mut tries = RETRY_AFTER.iter();
        loop {
            let writing = match self.turn_to_write().await {
                // What earlier tries have used is noted all the same.
                Err(Unfinished::Halted) if used != Used::default() => {
                    return Ok(Became::Waiting(waiting(number, used), "stopped".to_owned()));
                }
                permit => permit?,
            };
            let started = Timestamp::now();
            let (material, circumstances) = (&conversation.material, &conversation.circumstances);
            let under_way = UnderWay::begin(self);
            let written = tokio::select! {
                biased;
                () = self.over.cancelled() => return Err(Unfinished::Halted),
                written = self.of.summarizer.write(material, circumstances, &self.of.order.writing) => written,
            };
            let (tokens, cost_micros) = match &written {
                Ok(summarized) => (summarized.tokens, summarized.cost_micros),
                Err(vain) => (vain.tokens, vain.cost_micros),
            };
            let this_time = Used { tokens: tokens.prompt + tokens.written, cost_micros };
            self.book(this_time);
            drop((under_way, writing));
            // Who was refused gives nothing back; to wake the others for it would go on for ever.
            if !written.as_ref().is_err_and(|vain| vain.why.is_budget()) {
                self.gave_back.notify_waiters();
            }
            let vain = match written {
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
                    let all = before.plus(used).plus(this_time);
                    let outcome = Outcome::Written { output: line, provenance };
                    return Ok(Became::Final(record(number, all, outcome)));
                }
                Err(vain) => vain,
            };
            used = used.plus(this_time);
            let error: NotSummarized = vain.why;
            if error.is_budget() {
                if self.others_gave_back().await {
                    continue;
                }
                if !self.closing.is_cancelled() {
                    self.stop_for(Ok(Halt::Budget));
                }
                return Ok(Became::Waiting(waiting(number, used), error.to_string()));
            }
            let may_pass = error.may_pass();
            let pause = tries.next().filter(|_| may_pass);
            let Some(pause) = pause else {
                if may_pass && !self.of.order.give_up {
                    return Ok(self.waiting(number, used, error.to_string()));
                }
                let line = output::unwritten(place, &conversation.id, &error);
                return Ok(Became::Final(failed(number, line, before.plus(used))));
            };
            tokio::select! {
                () = self.closing.cancelled() => {}
                () = tokio::time::sleep(*pause) => {}
            }
        }
    }

    /// Something that passes was in the way; when it doesn't pass, the batch stops.
    fn waiting(&self, number: u32, used: Used, why: String) -> Became {
        if self.streak.fetch_add(1, Ordering::Relaxed) + 1 >= STREAK_MAX {
            self.stop_for(Ok(Halt::Unavailable(why.clone())));
        }
        Became::Waiting(waiting(number, used), why)
    }

    async fn turn_to_write(&self) -> Result<SemaphorePermit<'_>, Unfinished> {
        let permit = self.permit(&self.writing, 1).await?;
        self.wait_for_others().await;
        self.check_budget()?;
        Ok(permit)
    }

    /// What is under way holds back more than it will use. Waits for the next of it to end; false
    /// when there is none, and nothing will come back.
    async fn others_gave_back(&self) -> bool {
        let mut gave_back = pin!(self.gave_back.notified());
        gave_back.as_mut().enable();
        if self.under_way.load(Ordering::Acquire) == 0 {
            return false;
        }
        tokio::select! {
            () = self.closing.cancelled() => false,
            () = gave_back => true,
        }
    }

    async fn wait_for_others(&self) {
        let Share::Low(is_busy) = &self.of.order.share else { return };
        while is_busy() && !self.closing.is_cancelled() {
            tokio::time::sleep(BUSY_LOOK).await;
        }
    }

    /// What is being written at this moment isn't counted yet: a cap is overrun by so much at most.
    fn check_budget(&self) -> Result<(), Unfinished> {
        let unbooked = self.unbooked.lock().unwrap_or_else(PoisonError::into_inner);
        let (caps, sums) = (self.of.order.caps, self.of.tally.sums());
        let sums = unbooked.plus(Used { tokens: sums.tokens, cost_micros: sums.cost_micros });
        drop(unbooked);
        let is_over = |cap: Option<u64>, used: u64| cap.is_some_and(|cap| used >= cap);
        if is_over(caps.tokens, sums.tokens) || is_over(caps.cost_micros, sums.cost_micros) {
            self.stop_for(Ok(Halt::Budget));
            return Err(Unfinished::Halted);
        }
        Ok(())
    }
}

/// A conversation that is being written about, until this is dropped.
struct UnderWay<'a>(&'a Work);

impl<'a> UnderWay<'a> {
    fn begin(work: &'a Work) -> Self {
        work.under_way.fetch_add(1, Ordering::AcqRel);
        Self(work)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::AcqRel);
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

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BatchError> + Send + 'static,
) -> Result<T, BatchError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| BatchError::Bug(error.to_string()))?
}
