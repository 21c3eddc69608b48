//! The workers that listen: one thread and one state each, shared by all calls.
//!
//! Finals go first, by deadline; early decodings next; partials last and never on all workers at
//! once, since a decoding that has begun can't be stopped. The queue can't grow without limit:
//! a leg has at most one partial, one early decoding and its unfinished turns in it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use super::ModelError;
use super::transcriber::{Heard, Hints, SAMPLE_RATE_HZ, Transcriber};

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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct JobId(u64);

/// One decoding to be done.
#[derive(Debug)]
pub struct Order {
    pub urgency: Urgency,
    /// Mono, 16 kHz.
    pub samples: Vec<f32>,
    pub hints: Hints,
}

struct Job {
    id: JobId,
    urgency: Urgency,
    since: Instant,
    samples: Vec<f32>,
    hints: Hints,
    reply: Reply,
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
        if urgency == Urgency::Partial {
            return self.partials.transcribe(samples, hints);
        }
        let mut heard = self.finals.transcribe(samples, hints)?;
        if heard.words.is_empty() || heard.mean_logprob < SURE_LOGPROB {
            heard.second = Some(Box::new(self.partials.transcribe(samples, hints)?));
        }
        Ok(heard)
    }
}

/// An early decoding of more audio than this only starts when nothing else waits.
const EARLY_MAX_SAMPLES: usize = 6 * SAMPLE_RATE_HZ as usize;

#[derive(Default)]
struct Queue {
    jobs: Vec<Job>,
    next_id: u64,
    partials_running: usize,
    stopping: bool,
}

struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
    workers: usize,
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
        let Order { urgency, samples, hints } = order;
        let mut queue = self.shared.lock();
        queue.next_id += 1;
        let id = JobId(queue.next_id);
        if queue.stopping {
            drop(queue);
            reply(Outcome::Dropped);
            return id;
        }
        queue.jobs.push(Job { id, urgency, since: Instant::now(), samples, hints, reply });
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
        }
        drop(queue);
        self.shared.changed.notify_one();
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

    fn work(&self, mut ears: Ears) {
        while let Some(job) = self.next() {
            let waited = job.since.elapsed();
            let begun = Instant::now();
            // A panic in a recogniser costs one decoding, not the worker and every call on it.
            let listened = catch_unwind(AssertUnwindSafe(|| {
                ears.listen(job.urgency, &job.samples, &job.hints)
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
            if job.urgency == Urgency::Partial {
                self.lock().partials_running -= 1;
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
            if let Some(index) = queue.pick(self.workers) {
                let job = queue.jobs.swap_remove(index);
                queue.partials_running += usize::from(job.urgency == Urgency::Partial);
                metrics::gauge!("backchannel_speech_queue_jobs").set(queue.jobs.len() as f64);
                return Some(job);
            }
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Queue {
    /// The job that a free worker should take.
    fn pick(&self, workers: usize) -> Option<usize> {
        let finals_wait = self.jobs.iter().any(|job| job.urgency == Urgency::Final);
        let partials_allowed = workers == 1 || self.partials_running + 1 < workers;
        // A long early decoding may hold a worker for a second: it waits until nothing else does,
        // but never while a worker would idle.
        let rank = |job: &Job| {
            let long = job.urgency == Urgency::Early && job.samples.len() > EARLY_MAX_SAMPLES;
            (long, job.urgency, job.since)
        };
        self.jobs
            .iter()
            .enumerate()
            .filter(|(_, job)| match job.urgency {
                Urgency::Final => true,
                Urgency::Early => !finals_wait,
                Urgency::Partial => !finals_wait && partials_allowed,
            })
            .min_by_key(|(_, job)| rank(job))
            .map(|(index, _)| index)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    /// Says which recogniser listened, after the test lets it.
    struct Gated {
        name: &'static str,
        gate: Arc<Mutex<mpsc::Receiver<()>>>,
    }

    impl Transcriber for Gated {
        fn transcribe(&mut self, samples: &[f32], _hints: &Hints) -> Result<Heard, ModelError> {
            let gate = self.gate.lock().map_err(|_| ModelError::Failed("gate".into()))?;
            gate.recv_timeout(Duration::from_secs(5))
                .map_err(|_| ModelError::Failed("never opened".into()))?;
            let text = format!("{}{}", self.name, samples.len());
            let word = super::super::HeardWord { text, start_ms: 0, end_ms: 1, confidence: 1.0 };
            Ok(Heard { words: vec![word], tokens: 1, ..Heard::default() })
        }
    }

    fn pool(workers: usize) -> (SpeechPool, mpsc::Sender<()>) {
        let (open, gate) = mpsc::channel();
        let gate = Arc::new(Mutex::new(gate));
        let ears = (0..workers)
            .map(|_| Ears {
                finals: Box::new(Gated { name: "final", gate: Arc::clone(&gate) }),
                partials: Box::new(Gated { name: "partial", gate: Arc::clone(&gate) }),
            })
            .collect();
        (SpeechPool::start(ears).expect("threads start"), open)
    }

    fn submit(
        pool: &SpeechPool,
        urgency: Urgency,
        samples: usize,
        done: &mpsc::Sender<String>,
    ) -> JobId {
        let done = done.clone();
        pool.submit(
            Order { urgency, samples: vec![0.0; samples], hints: Hints::default() },
            Box::new(move |outcome| {
                let text = match outcome {
                    Outcome::Heard(heard) => heard.text(),
                    Outcome::Dropped => "dropped".into(),
                    Outcome::Failed(error) => error.to_string(),
                };
                let _ = done.send(text);
            }),
        )
    }

    #[test]
    fn finals_overtake_and_cancelled_jobs_answer() {
        let (pool, open) = pool(1);
        let (done, results) = mpsc::channel();
        let next = || results.recv_timeout(Duration::from_secs(5)).expect("an answer");
        submit(&pool, Urgency::Partial, 1, &done);
        std::thread::sleep(Duration::from_millis(50)); // the worker is at it now
        submit(&pool, Urgency::Partial, 2, &done);
        let early = submit(&pool, Urgency::Early, 3, &done);
        let dropped = submit(&pool, Urgency::Early, 4, &done);
        submit(&pool, Urgency::Final, 5, &done);
        pool.cancel(dropped);
        assert_eq!(next(), "dropped");
        pool.promote(early);
        for _ in 0..4 {
            open.send(()).expect("the gate stands");
        }
        let order = [next(), next(), next(), next()];
        assert_eq!(order, ["partial1", "final3", "final5", "partial2"]);
    }

    #[test]
    fn partials_leave_a_worker_free() {
        let (pool, open) = pool(2);
        let (done, results) = mpsc::channel();
        submit(&pool, Urgency::Partial, 1, &done);
        submit(&pool, Urgency::Partial, 2, &done);
        std::thread::sleep(Duration::from_millis(50));
        submit(&pool, Urgency::Final, 3, &done);
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!(pool.shared.lock().jobs.len(), 1, "one partial waits, the final runs");
        for _ in 0..3 {
            open.send(()).expect("the gate stands");
        }
        for _ in 0..3 {
            results.recv_timeout(Duration::from_secs(5)).expect("an answer");
        }
    }

    #[test]
    fn long_early_decodings_wait_for_others_and_not_for_ever() {
        let (pool, open) = pool(1);
        let (done, results) = mpsc::channel();
        submit(&pool, Urgency::Final, 1, &done);
        std::thread::sleep(Duration::from_millis(50));
        submit(&pool, Urgency::Early, EARLY_MAX_SAMPLES + 1, &done);
        submit(&pool, Urgency::Early, EARLY_MAX_SAMPLES + 2, &done);
        submit(&pool, Urgency::Early, 2, &done);
        for _ in 0..4 {
            open.send(()).expect("the gate stands");
        }
        let next = || results.recv_timeout(Duration::from_secs(5)).expect("an answer");
        assert_eq!([next(), next()], ["final1", "final2"]);
        assert_eq!([next(), next()], ["final96001", "final96002"]);
    }

    struct Panics;

    impl Transcriber for Panics {
        fn transcribe(&mut self, samples: &[f32], _hints: &Hints) -> Result<Heard, ModelError> {
            assert!(samples.len() > 1, "a test's panic");
            Ok(Heard::default())
        }
    }

    #[test]
    fn a_panic_costs_one_decoding() {
        let ears = Ears { finals: Box::new(Panics), partials: Box::new(Panics) };
        let pool = SpeechPool::start(vec![ears]).expect("threads start");
        let (done, results) = mpsc::channel();
        submit(&pool, Urgency::Partial, 1, &done);
        submit(&pool, Urgency::Partial, 2, &done);
        submit(&pool, Urgency::Final, 2, &done);
        let mut answers: Vec<String> = (0..3)
            .map(|_| results.recv_timeout(Duration::from_secs(5)).expect("an answer"))
            .collect();
        answers.sort();
        assert_eq!(answers, ["", "", "the recogniser panicked"]);
    }

    #[test]
    fn stopping_answers_what_waits() {
        let (pool, open) = pool(1);
        let (done, results) = mpsc::channel();
        submit(&pool, Urgency::Final, 1, &done);
        std::thread::sleep(Duration::from_millis(50));
        submit(&pool, Urgency::Partial, 2, &done);
        open.send(()).expect("the gate stands");
        pool.stop();
        let mut answers = [results.recv().expect("one"), results.recv().expect("two")];
        answers.sort();
        assert_eq!(answers, ["dropped", "final1"]);
    }
}
