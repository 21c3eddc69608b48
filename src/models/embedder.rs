//! Text to vectors: the trait, and the thread that owns the model.
//!
//! `knowledge` feeds it: live queries, and in the background the passages that its cache lacks. A
//! live query never waits for more than the one background batch that is being computed.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::domain::{Classify, ErrorKind};

/// Why a text has no vector.
#[derive(Debug, thiserror::Error)]
pub enum EmbedderError {
    #[error("the embedding model is busy: its queue is full")]
    Busy,
    #[error("the embedding model took longer than {0} ms")]
    Late(u64),
    #[error("the embedding model has stopped")]
    Stopped,
    #[error(
        "the embedding model can't be loaded from {path}: {reason}; run `backchannel models pull`"
    )]
    Load { path: String, reason: String },
    #[error("the embedding model failed: {0}")]
    Run(String),
}

impl Classify for EmbedderError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Busy => ErrorKind::Busy,
            Self::Late(_) => ErrorKind::Timeout,
            Self::Stopped => ErrorKind::Unavailable,
            Self::Load { .. } => ErrorKind::Invalid,
            Self::Run(_) => ErrorKind::Internal,
        }
    }
}

/// What a model makes of each token of a text where it stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TokenVectors {
    /// Where each token stands in the text; marks of beginning and end stand nowhere (`0..0`).
    pub bytes: Vec<Range<usize>>,
    /// One vector per token, one behind the other, of any length.
    pub states: Vec<f32>,
}

/// A model that maps a text to a vector of length 1, so that a dot product is a cosine.
pub trait Embedder: Send {
    /// One vector per text, in the same order.
    fn embed(&mut self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedderError>;
    /// The vectors of each text's tokens. Their mean, made 1 long, is the text's vector.
    ///
    /// # Errors
    /// Not every model has them.
    fn embed_tokens(&mut self, _texts: &[&str]) -> Result<Vec<TokenVectors>, EmbedderError> {
        Err(EmbedderError::Run("this model has no vectors of tokens".into()))
    }
    fn dimensions(&self) -> usize;
    /// Changes whenever the same text could get another vector: a hash of weights and settings.
    fn fingerprint(&self) -> &str;
}

/// Who waits: an agent, or the start-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    Live,
    Background,
}

enum Reply<T> {
    Waker(oneshot::Sender<Result<T, EmbedderError>>),
    /// The caller holds the other end of the weak pointer for as long as it waits.
    Thread(mpsc::SyncSender<Result<T, EmbedderError>>, Weak<()>),
}

impl<T> Reply<T> {
    fn is_abandoned(&self) -> bool {
        match self {
            Self::Waker(sender) => sender.is_closed(),
            Self::Thread(_, caller) => caller.strong_count() == 0,
        }
    }

    fn send(self, vectors: Result<T, EmbedderError>) {
        // A caller that left in the meantime needs no answer.
        match self {
            Self::Waker(sender) => drop(sender.send(vectors)),
            Self::Thread(sender, _) => drop(sender.try_send(vectors)),
        }
    }
}

/// What is wanted of the texts.
enum Wanted {
    Texts(Reply<Vec<Vec<f32>>>),
    Tokens(Reply<Vec<TokenVectors>>),
}

struct Job {
    texts: Vec<String>,
    wanted: Wanted,
}

impl Job {
    fn is_abandoned(&self) -> bool {
        match &self.wanted {
            Wanted::Texts(reply) => reply.is_abandoned(),
            Wanted::Tokens(reply) => reply.is_abandoned(),
        }
    }

    fn run(self, model: &mut dyn Embedder) {
        let texts: Vec<&str> = self.texts.iter().map(String::as_str).collect();
        match self.wanted {
            Wanted::Texts(reply) => reply.send(model.embed(&texts)),
            Wanted::Tokens(reply) => reply.send(model.embed_tokens(&texts)),
        }
    }
}

#[derive(Default)]
struct Queues {
    live: VecDeque<Job>,
    background: VecDeque<Job>,
    closed: bool,
}

struct Inbox {
    queues: Mutex<Queues>,
    arrived: Condvar,
    capacity: usize,
}

impl Inbox {
    fn lock(&self) -> MutexGuard<'_, Queues> {
        // The queues stay consistent whoever panicked, so a poisoned lock is still good.
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, job: Job, urgency: Urgency) -> Result<(), EmbedderError> {
        let mut queues = self.lock();
        if queues.closed {
            return Err(EmbedderError::Stopped);
        }
        let queue = match urgency {
            Urgency::Live => &mut queues.live,
            Urgency::Background => &mut queues.background,
        };
        queue.retain(|waiting| !waiting.is_abandoned());
        if queue.len() >= self.capacity {
            return Err(EmbedderError::Busy);
        }
        queue.push_back(job);
        drop(queues);
        // All: whoever would be woken alone may not take it.
        self.arrived.notify_all();
        Ok(())
    }

    /// The next job, live ones first; `None` when the last handle is gone.
    fn pop(&self, takes: Takes) -> Option<Job> {
        let mut queues = self.lock();
        loop {
            let Queues { live, background, closed } = &mut *queues;
            let job = live.pop_front().or_else(|| match takes {
                Takes::All => background.pop_front(),
                Takes::Live => None,
            });
            if let Some(job) = job {
                return Some(job);
            }
            if *closed {
                return None;
            }
            queues = self.arrived.wait(queues).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn close(&self) {
        self.lock().closed = true;
        self.arrived.notify_all();
    }
}

/// What a thread works at.
#[derive(Clone, Copy)]
enum Takes {
    All,
    Live,
}

/// Lives in the handles; its end is the threads' end.
struct Lease(Arc<Inbox>);

impl Drop for Lease {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Lives on each thread of a model. If the model panics, callers are told rather than left waiting.
struct CloseOnPanic(Arc<Inbox>);

impl Drop for CloseOnPanic {
    fn drop(&mut self) {
        self.0.close();
        let mut queues = self.0.lock();
        queues.live.clear();
        queues.background.clear();
    }
}

/// A handle to one loaded model on threads of its own. Cheap to clone; they end with the last.
#[derive(Clone)]
pub struct EmbedderHandle {
    lease: Arc<Lease>,
    dimensions: usize,
    fingerprint: Arc<str>,
}

impl EmbedderHandle {
    /// Starts the thread. `queue` bounds the waiting jobs of each urgency; a full queue refuses.
    pub fn spawn(model: Box<dyn Embedder>, queue: usize) -> Self {
        Self::spawn_with(model, Vec::new(), queue)
    }

    /// Starts a thread for the model, and one for each of `others`, which are the same model and take
    /// live jobs only: so several questions at once don't stand in line, and background work never
    /// takes more than one core from the calls.
    pub fn spawn_with(
        model: Box<dyn Embedder>,
        others: Vec<Box<dyn Embedder>>,
        queue: usize,
    ) -> Self {
        let inbox = Arc::new(Inbox {
            queues: Mutex::default(),
            arrived: Condvar::new(),
            capacity: queue.max(1),
        });
        let handle = Self {
            lease: Arc::new(Lease(inbox.clone())),
            dimensions: model.dimensions(),
            fingerprint: model.fingerprint().into(),
        };
        let others = others.into_iter().map(|other| (other, Takes::Live));
        for (mut model, takes) in [(model, Takes::All)].into_iter().chain(others) {
            let inbox = inbox.clone();
            let work = move || {
                let guard = CloseOnPanic(inbox);
                while let Some(job) = guard.0.pop(takes) {
                    if job.is_abandoned() {
                        continue; // The caller hung up; do not spend the model on it.
                    }
                    job.run(model.as_mut());
                }
            };
            std::thread::Builder::new()
                .name("embedder".into())
                .spawn(work)
                .expect("the system can start a thread");
        }
        handle
    }

    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// # Errors
    /// `Busy` when the queue is full, `Stopped` when the model is gone.
    pub async fn embed(
        &self,
        texts: Vec<String>,
        urgency: Urgency,
    ) -> Result<Vec<Vec<f32>>, EmbedderError> {
        let (sender, receiver) = oneshot::channel();
        let wanted = Wanted::Texts(Reply::Waker(sender));
        self.lease.0.push(Job { texts, wanted }, urgency)?;
        receiver.await.unwrap_or(Err(EmbedderError::Stopped))
    }

    /// As [`Self::embed`] from a thread that may block, for at most `patience`.
    ///
    /// # Errors
    /// Also `Late` when the time ran out; the job is then dropped unless it is being computed.
    pub fn embed_blocking(
        &self,
        texts: Vec<String>,
        urgency: Urgency,
        patience: Duration,
    ) -> Result<Vec<Vec<f32>>, EmbedderError> {
        self.blocking(texts, urgency, patience, Wanted::Texts)
    }

    /// The vectors of each text's tokens, otherwise as [`Self::embed_blocking`].
    ///
    /// # Errors
    /// Also when the model has none.
    pub fn embed_tokens_blocking(
        &self,
        texts: Vec<String>,
        urgency: Urgency,
        patience: Duration,
    ) -> Result<Vec<TokenVectors>, EmbedderError> {
        self.blocking(texts, urgency, patience, Wanted::Tokens)
    }

    fn blocking<T>(
        &self,
        texts: Vec<String>,
        urgency: Urgency,
        patience: Duration,
        wanted: fn(Reply<T>) -> Wanted,
    ) -> Result<T, EmbedderError> {
        let (sender, receiver) = mpsc::sync_channel(1);
        let waiting = Arc::new(());
        let wanted = wanted(Reply::Thread(sender, Arc::downgrade(&waiting)));
        self.lease.0.push(Job { texts, wanted }, urgency)?;
        match receiver.recv_timeout(patience) {
            Ok(vectors) => vectors,
            Err(RecvTimeoutError::Timeout) => {
                Err(EmbedderError::Late(patience.as_millis().try_into().unwrap_or(u64::MAX)))
            }
            Err(RecvTimeoutError::Disconnected) => Err(EmbedderError::Stopped),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Works when told to, and writes down what it was asked.
    struct Scripted {
        go: mpsc::Receiver<()>,
        seen: mpsc::Sender<String>,
    }

    impl Embedder for Scripted {
        fn embed(&mut self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedderError> {
            self.seen.send(texts[0].to_owned()).unwrap();
            self.go.recv().map_err(|_| EmbedderError::Stopped)?;
            Ok(texts.iter().map(|_| vec![1.0]).collect())
        }
        fn dimensions(&self) -> usize {
            1
        }
        fn fingerprint(&self) -> &str {
            "scripted"
        }
    }

    fn scripted(queue: usize) -> (EmbedderHandle, mpsc::Sender<()>, mpsc::Receiver<String>) {
        let (go, gate) = mpsc::channel();
        let (seen, seen_by_test) = mpsc::channel();
        (EmbedderHandle::spawn(Box::new(Scripted { go: gate, seen }), queue), go, seen_by_test)
    }

    #[tokio::test]
    async fn a_live_query_overtakes_waiting_passages() {
        let (handle, go, seen) = scripted(4);
        let texts = |text: &str| vec![text.to_owned()];
        let first = handle.embed(texts("passage 1"), Urgency::Background);
        let second = handle.embed(texts("passage 2"), Urgency::Background);
        let query = handle.embed(texts("query"), Urgency::Live);
        let release = async {
            tokio::task::spawn_blocking(move || {
                let order: Vec<String> = (0..3)
                    .map(|_| {
                        let text = seen.recv().unwrap();
                        go.send(()).unwrap();
                        text
                    })
                    .collect();
                order
            })
            .await
            .unwrap()
        };
        let (a, b, c, order) = tokio::join!(first, second, query, release);
        assert!(a.is_ok() && b.is_ok() && c.is_ok());
        // Whichever was first taken, the query is never behind both passages.
        assert_ne!(order[2], "query");
    }

    #[tokio::test]
    async fn a_question_is_embedded_beside_a_passage_and_a_second_passage_waits() {
        let (seen, seen_by_test) = mpsc::channel();
        let model = || {
            let (go, gate) = mpsc::channel();
            (go, Box::new(Scripted { go: gate, seen: seen.clone() }) as Box<dyn Embedder>)
        };
        let ((go, first), (go_live, live)) = (model(), model());
        let handle = EmbedderHandle::spawn_with(first, vec![live], 4);
        let ask = |text: &str, urgency| {
            let (handle, text) = (handle.clone(), vec![text.to_owned()]);
            tokio::spawn(async move { handle.embed(text, urgency).await })
        };
        let next = async || {
            for _ in 0..500 {
                if let Ok(text) = seen_by_test.try_recv() {
                    return text;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            panic!("nobody takes it");
        };
        let passage = ask("passage 1", Urgency::Background);
        assert_eq!(next().await, "passage 1");
        let second = ask("passage 2", Urgency::Background);
        let question = ask("question", Urgency::Live);
        assert_eq!(next().await, "question");
        go_live.send(()).unwrap();
        assert!(question.await.unwrap().is_ok());
        // The thread of the question is free, and leaves the passage alone.
        assert!(seen_by_test.try_recv().is_err());
        for _ in 0..2 {
            go.send(()).unwrap();
        }
        assert!(passage.await.unwrap().is_ok() && second.await.unwrap().is_ok());
        assert_eq!(next().await, "passage 2");
    }

    #[test]
    fn a_full_queue_refuses_and_abandoned_jobs_make_room() {
        let (handle, go, seen) = scripted(1);
        let ask = |text: &str, ms| {
            handle.embed_blocking(vec![text.into()], Urgency::Live, Duration::from_millis(ms))
        };
        assert!(matches!(ask("taken", 20), Err(EmbedderError::Late(20))));
        assert_eq!(seen.recv().unwrap(), "taken");
        // The model is at work now. The next caller waits in the queue and then gives up.
        assert!(matches!(ask("given up", 20), Err(EmbedderError::Late(20))));
        let mut waiting = Box::pin(handle.embed(vec!["kept".into()], Urgency::Live));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(waiting.as_mut().poll(&mut context).is_pending());
        assert!(matches!(ask("too many", 20), Err(EmbedderError::Busy)));
        go.send(()).unwrap();
        go.send(()).unwrap();
        assert_eq!(seen.recv().unwrap(), "kept");
    }
}
