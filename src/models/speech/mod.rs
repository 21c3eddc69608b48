//! The workers that listen: one thread and one state each, shared by all calls.
//!
//! Finals go first, by deadline; early decodings next; partials last and never on all workers at
//! once, since a decoding that has begun can't be stopped. The queue can't grow without limit:
//! a leg has at most one partial, one early decoding and its unfinished turns in it. `queue` says who
//! comes next, `load` what is given up when there is too much.

mod load;
mod queue;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

pub use self::load::{LoadController, LoadLevel, Pressure};
use self::queue::{Job, Queue};
use super::ModelError;
use super::glossary;
use super::transcriber::{ENGLISH, Heard, Hints, SAMPLE_RATE_HZ, Transcriber};
use crate::domain::{ConversationId, TenantId};

/// How urgent a decoding is, most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Urgency {
    Final,
    Early,
    Partial,
}

impl Urgency {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Final => "final",
            Self::Early => "early",
            Self::Partial => "partial",
        }
    }
}

/// What came of a job.
#[derive(Debug)]
pub enum Outcome {
    Heard(Heard),
    /// Cancelled, or refused for want of time.
    Dropped,
    Failed(ModelError),
}

/// Called on the worker's thread; it must not block.
pub type Reply = Box<dyn FnOnce(Outcome) + Send>;

/// Names a job in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(u64);

/// One decoding to be done.
#[derive(Debug)]
pub struct Order {
    pub urgency: Urgency,
    /// Mono, 16 kHz.
    pub samples: Vec<f32>,
    pub hints: Hints,
    pub caller: Caller,
}

/// For whom a decoding is: workers are shared fairly between tenants, and between the calls of each.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Caller {
    pub tenant: TenantId,
    pub call: ConversationId,
}

impl Order {
    /// An order of nobody in particular, without hints.
    pub fn new(urgency: Urgency, samples: Vec<f32>) -> Self {
        let caller = Caller { tenant: TenantId::from(""), call: ConversationId::from("") };
        Self { urgency, samples, hints: Hints::default(), caller }
    }
}

/// The recognisers of one worker.
pub struct Ears {
    /// For finals and early decodings.
    pub finals: Box<dyn Transcriber>,
    /// For partials.
    pub partials: Box<dyn Transcriber>,
}

/// A final below this mean log-probability, or without words, is worth a second opinion: on a bad
/// line real speech scores as low as what is invented, but two recognisers seldom invent alike.
const SURE_LOGPROB: f32 = -0.8;

/// Whisper's window, but for a second. In a shorter one it now and then says the same again and again
/// until it is stopped, digits most of all; with silence behind the audio it seldom does.
const WINDOW_SAMPLES: usize = 29 * SAMPLE_RATE_HZ as usize;

/// The end wasn't found but forced: people don't say so many tokens in so little time.
fn ran_on(heard: &Heard, samples: usize) -> bool {
    let seconds = samples as f32 / SAMPLE_RATE_HZ as f32;
    heard.tokens + 3 >= (6.0 + 5.0 * seconds) as usize
}

impl Ears {
    /// Decodes on the caller's thread, as a worker would.
    ///
    /// # Errors
    /// As `Transcriber::transcribe`.
    pub fn listen(
        &mut self,
        urgency: Urgency,
        samples: &[f32],
        hints: &Hints,
    ) -> Result<Heard, ModelError> {
        let without_prompt = |language: Option<Arc<str>>| Hints { language, ..Hints::default() };
        let known = |heard: &Option<Arc<str>>| heard.clone().unwrap_or_else(|| ENGLISH.into());
        if urgency == Urgency::Partial {
            // A partial doesn't find out the language: that would cost every one of them.
            let language = known(&hints.language);
            let fits = self.partials.knows(&language);
            let ears = if fits { &mut self.partials } else { &mut self.finals };
            return ears.transcribe(samples, &without_prompt(Some(language)));
        }
        let mut heard = self.finals.transcribe(samples, &without_prompt(hints.language.clone()))?;
        if ran_on(&heard, samples.len()) {
            let mut whole = samples.to_vec();
            whole.resize(samples.len().max(WINDOW_SAMPLES), 0.0);
            let again = self.finals.transcribe(&whole, &without_prompt(hints.language.clone()))?;
            if again.tokens < heard.tokens {
                heard = again;
            }
        }
        let language = known(&heard.language);
        if (heard.words.is_empty() || heard.mean_logprob < SURE_LOGPROB)
            && self.partials.knows(&language)
        {
            let hints = without_prompt(Some(Arc::clone(&language)));
            heard.second = Some(Box::new(self.partials.transcribe(samples, &hints)?));
        }
        let terms = hints.glossary.as_deref().unwrap_or_default();
        if let Some(prompt) = glossary::prompt(terms, &heard.words) {
            let again = Hints { language: heard.language.clone(), glossary: Some(prompt) };
            let prompted = self.finals.transcribe(samples, &again)?;
            glossary::correct(terms, &mut heard.words, &prompted.words);
        }
        Ok(heard)
    }

    /// Hears a final under load: by the smaller model where that one is sure, and as usual where it
    /// isn't. It misses short answers, and a turn that is lost is worse than a late one.
    ///
    /// # Errors
    /// As `Transcriber::transcribe`.
    pub fn listen_under_load(
        &mut self,
        samples: &[f32],
        hints: &Hints,
    ) -> Result<Heard, ModelError> {
        let quick = self.listen(Urgency::Partial, samples, hints)?;
        let sure = !quick.words.is_empty() && quick.mean_logprob >= SURE_LOGPROB;
        if sure && !ran_on(&quick, samples.len()) {
            return Ok(quick);
        }
        self.listen(Urgency::Final, samples, hints)
    }
}

struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
    workers: usize,
    level: AtomicU8,
}

/// A handle to the workers. They end with `stop`.
pub struct SpeechPool {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl SpeechPool {
    /// Starts one worker for each pair of recognisers.
    ///
    /// # Errors
    /// `ModelError::Failed` when a thread can't be had.
    pub fn start(workers: Vec<Ears>) -> Result<Self, ModelError> {
        let shared = Arc::new(Shared {
            queue: Mutex::default(),
            changed: Condvar::new(),
            workers: workers.len(),
            level: AtomicU8::default(),
        });
        let threads = workers
            .into_iter()
            .enumerate()
            .map(|(number, ears)| {
                let shared = Arc::clone(&shared);
                std::thread::Builder::new()
                    .name(format!("speech-{number}"))
                    .spawn(move || shared.work(ears))
                    .map_err(|error| ModelError::Failed(format!("no thread for speech: {error}")))
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self { shared, threads: Mutex::new(threads) })
    }

    /// Queues a decoding. The reply always comes.
    pub fn submit(&self, order: Order, reply: Reply) -> JobId {
        let Order { urgency, samples, hints, caller } = order;
        let mut queue = self.shared.lock();
        queue.next_id += 1;
        let id = JobId(queue.next_id);
        if queue.stopping {
            drop(queue);
            reply(Outcome::Dropped);
            return id;
        }
        let since = Instant::now();
        queue.jobs.push(Job { id, urgency, since, samples, hints, caller, reply });
        metrics::gauge!("backchannel_speech_queue_jobs").set(queue.jobs.len() as f64);
        drop(queue);
        self.shared.changed.notify_one();
        id
    }

    /// Makes a waiting job a final.
    pub fn promote(&self, id: JobId) {
        let mut queue = self.shared.lock();
        if let Some(job) = queue.jobs.iter_mut().find(|job| job.id == id) {
            job.urgency = Urgency::Final;
            job.since = Instant::now();
        }
        drop(queue);
        self.shared.changed.notify_one();
    }

    /// Gives a job that waits still newer audio, in the place that it has in the queue.
    pub fn renew(&self, id: JobId, samples: Vec<f32>) {
        let mut queue = self.shared.lock();
        if let Some(job) = queue.jobs.iter_mut().find(|job| job.id == id) {
            job.samples = samples;
        }
    }

    /// Drops a job that waits still; one that is being decoded goes on.
    pub fn cancel(&self, id: JobId) {
        let mut queue = self.shared.lock();
        let Some(index) = queue.jobs.iter().position(|job| job.id == id) else { return };
        let job = queue.jobs.swap_remove(index);
        drop(queue);
        // What is left may be eligible now.
        self.shared.changed.notify_one();
        metrics::counter!("backchannel_speech_cancelled_total", "purpose" => job.urgency.as_str())
            .increment(1);
        (job.reply)(Outcome::Dropped);
    }

    pub fn workers(&self) -> usize {
        self.shared.workers
    }

    /// What is reduced from now on.
    pub fn set_level(&self, level: LoadLevel) {
        self.shared.level.store(level.number(), Ordering::Relaxed);
        metrics::gauge!("backchannel_load_level").set(f64::from(level.number()));
        self.shared.changed.notify_all();
    }

    pub fn level(&self) -> LoadLevel {
        self.shared.level()
    }

    /// What the workers had to bear since this was last asked.
    pub fn pressure(&self) -> Pressure {
        let pressure = self.shared.lock().pressure(Instant::now(), self.shared.workers);
        metrics::gauge!("backchannel_speech_final_wait_seconds").set(pressure.final_wait);
        metrics::gauge!("backchannel_speech_busy_ratio").set(f64::from(pressure.busy));
        pressure
    }

    /// Lets the workers finish what they are at, drops what waits, and joins them.
    pub fn stop(&self) {
        let mut queue = self.shared.lock();
        queue.stopping = true;
        let dropped = std::mem::take(&mut queue.jobs);
        drop(queue);
        self.shared.changed.notify_all();
        for job in dropped {
            (job.reply)(Outcome::Dropped);
        }
        let threads =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a speech worker ended in a panic");
            }
        }
    }
}

impl Drop for SpeechPool {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        // A panic while the lock is held can't leave the queue half changed.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn level(&self) -> LoadLevel {
        LoadLevel::of(self.level.load(Ordering::Relaxed))
    }

    fn work(&self, mut ears: Ears) {
        while let Some(job) = self.next() {
            let waited = job.since.elapsed();
            let begun = Instant::now();
            let small = job.urgency != Urgency::Partial && self.level().has_small_finals();
            // A panic in a recogniser costs one decoding, not the worker and every call on it.
            let listened = catch_unwind(AssertUnwindSafe(|| match small {
                true => ears.listen_under_load(&job.samples, &job.hints),
                false => ears.listen(job.urgency, &job.samples, &job.hints),
            }));
            let outcome = match listened {
                Ok(Ok(heard)) => Outcome::Heard(heard),
                Ok(Err(error)) => {
                    tracing::error!(%error, "a decoding failed");
                    Outcome::Failed(error)
                }
                Err(_) => {
                    tracing::error!("a recogniser panicked");
                    Outcome::Failed(ModelError::Failed("the recogniser panicked".to_owned()))
                }
            };
            let purpose = job.urgency.as_str();
            metrics::histogram!("backchannel_speech_wait_seconds", "purpose" => purpose)
                .record(waited);
            metrics::histogram!("backchannel_speech_decode_seconds", "purpose" => purpose)
                .record(begun.elapsed());
            metrics::counter!("backchannel_speech_audio_milliseconds_total", "purpose" => purpose)
                .increment(job.samples.len() as u64 * 1_000 / u64::from(SAMPLE_RATE_HZ));
            self.lock().end(job.id, job.urgency, Instant::now());
            if job.urgency == Urgency::Partial {
                self.changed.notify_one();
            }
            (job.reply)(outcome);
        }
    }

    fn next(&self) -> Option<Job> {
        let mut queue = self.lock();
        loop {
            if queue.stopping {
                return None;
            }
            if let Some(index) = queue.pick(self.workers, self.level()) {
                let job = queue.begin(index, Instant::now());
                metrics::gauge!("backchannel_speech_queue_jobs").set(queue.jobs.len() as f64);
                return Some(job);
            }
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }
}
