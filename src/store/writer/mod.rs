//! The one task that writes: takes what waits, commits it as a group, tells the hook, answers.
//!
//! It is the same for both back ends. `plan` gives events their places and says who can't be written, `Engine` is
//! what a back end does differently: how a transaction begins, how many rows go in at once, and what a failure needs.

mod drafts;
mod engine;
mod erase;
mod head;
mod orphans;
mod plan;
mod statements;
mod trouble;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::chain::{self, Hash, Salt};
use super::codec::{self, Encoded};
use super::erasure::{Erased, Erasure};
use super::{CommitHook, StoreError};
use crate::domain::{
    ArticleRevision, ConversationId, DeliveryMove, NewDelivery, NewEvent, NewRevision, Recorded,
    TenantId,
};

pub use self::drafts::{
    Unreviewed, drafted, events as drafts_told, resting, show_newest, told, unreviewed,
    unreviewed_at,
};
pub use self::engine::{Engine, LogState, Tending};
pub use self::erase::{elsewhere, let_go, without};
pub use self::head::{Head, HeadKey};
pub use self::plan::{Entry, Group};
pub use self::trouble::{Trouble, Troubles};

/// One commit takes at most so many events (a single larger append is taken whole).
const GROUP_EVENTS: usize = 512;
/// So many times the writer lets other tasks run before it commits what it has.
const PATIENT_TURNS: usize = 4;
/// Heads kept in memory; beyond that all are forgotten and read again as they are needed.
const MAX_HEADS: usize = 8_192;
/// Without appends, what a commit left to do is done after this time.
const IDLE: Duration = Duration::from_secs(2);
/// While nothing can be written, it is tried so often.
const PROBE: Duration = Duration::from_secs(1);

/// What became of one append.
#[derive(Debug, Default)]
pub struct Written {
    pub events: Vec<Arc<Recorded>>,
    pub revisions: Vec<Arc<ArticleRevision>>,
    pub erased: Erased,
}

pub type Answer = Result<Written, StoreError>;

/// An event as it is written, but for its place. Whoever appends makes it, on as many cores as there are; the one
/// writer has enough to do.
pub struct Prepared {
    pub event: NewEvent,
    pub kind: &'static str,
    pub schema: &'static str,
    pub data: Arc<str>,
    pub salt: Salt,
    /// To `data`, for the chain.
    pub commitment: Hash,
}

impl From<NewEvent> for Prepared {
    fn from(event: NewEvent) -> Self {
        let Encoded { kind, schema, data } = codec::encode(&event.body);
        let salt = chain::fresh_salt();
        let commitment = chain::commitment(&salt, &data);
        Self { event, kind, schema, data: data.into(), salt, commitment }
    }
}

/// A delivery as it is written.
pub struct Posted {
    pub new: NewDelivery,
    pub effect: Arc<str>,
}

impl From<NewDelivery> for Posted {
    fn from(new: NewDelivery) -> Self {
        let effect = codec::encode_effect(&new.effect).into();
        Self { new, effect }
    }
}

/// What is appended together.
pub struct Order {
    pub tenant: TenantId,
    pub conversation: ConversationId,
    pub events: Vec<Prepared>,
    pub revisions: Vec<NewRevision>,
    pub deliveries: Vec<Arc<Posted>>,
    pub step: Option<DeliveryMove>,
    pub erase: Option<Erasure>,
    /// Nothing is appended; the files are written anew.
    pub scrub: bool,
}

impl Order {
    pub fn of(tenant: TenantId, conversation: ConversationId, events: Vec<NewEvent>) -> Self {
        Self {
            tenant,
            conversation,
            events: events.into_iter().map(Prepared::from).collect(),
            revisions: Vec::new(),
            deliveries: Vec::new(),
            step: None,
            erase: None,
            scrub: false,
        }
    }
}

pub struct Job {
    order: Order,
    answer: oneshot::Sender<(Answer, Order)>,
}

impl Job {
    pub fn new(order: Order) -> (Self, Answered) {
        let (answer, answered) = oneshot::channel();
        (Self { order, answer }, Answered(answered))
    }

    /// The order goes back to be freed by whoever made it: the bodies of a group are thousands of small pieces, and
    /// everybody waits for the writer.
    fn answer(self, answer: Answer) {
        // Nobody waits any more: what was written stands all the same.
        let _ = self.answer.send((answer, self.order));
    }

    /// An erasure is a group of its own: what others of its group write of the same conversations would come after it.
    const fn is_alone(&self) -> bool {
        self.order.erase.is_some() || self.order.scrub
    }
}

/// What will be known of one append.
pub struct Answered(oneshot::Receiver<(Answer, Order)>);

impl Answered {
    pub async fn get(self) -> Answer {
        self.0.await.map_or(Err(StoreError::Closed), |(answer, _order)| answer)
    }
}

/// The appenders' end of the writer's queue. Size: the channel's. When it is full: wait, then
/// refuse as busy. Gauge: `backchannel_store_queue_appends`.
pub struct Intake {
    queue: mpsc::Sender<Job>,
    patience: Duration,
    closing: CancellationToken,
}

impl Intake {
    pub async fn append(&self, order: Order) -> Answer {
        if self.closing.is_cancelled() {
            return Err(StoreError::Closed);
        }
        let (job, answered) = Job::new(order);
        let room = match tokio::time::timeout(self.patience, self.queue.reserve()).await {
            Ok(room) => room.map_err(|_| StoreError::Closed)?,
            Err(_) => {
                metrics::counter!("backchannel_store_appends_refused_total").increment(1);
                return Err(StoreError::Busy(self.patience));
            }
        };
        room.send(job);
        answered.get().await
    }

    pub fn close(&self) {
        self.closing.cancel();
    }
}

pub struct Writer {
    engine: Box<dyn Engine>,
    on_commit: CommitHook,
    heads: HashMap<HeadKey, Head>,
    troubles: Troubles,
}

/// What was written; `None` when some event id stands already, or some append doesn't fit: look closely.
type Attempt = Option<Group>;

impl Writer {
    pub fn new(engine: Box<dyn Engine>, on_commit: CommitHook, troubles: Troubles) -> Self {
        Self { engine, on_commit, heads: HashMap::new(), troubles }
    }

    pub fn start(self, queue: usize, patience: Duration) -> (Intake, JoinHandle<()>) {
        let (sender, inbox) = mpsc::channel(queue.max(1));
        let closing = CancellationToken::new();
        let task = tokio::spawn(self.run(inbox, closing.clone()));
        (Intake { queue: sender, patience, closing }, task)
    }

    async fn run(mut self, mut inbox: mpsc::Receiver<Job>, closing: CancellationToken) {
        let waiting = metrics::gauge!("backchannel_store_queue_appends");
        loop {
            let is_failing = self.troubles.is_some();
            let first = tokio::select! {
                biased;
                () = closing.cancelled(), if !inbox.is_closed() => {
                    // What is in the queue is still written; new appends are refused.
                    inbox.close();
                    continue;
                }
                job = inbox.recv() => job,
                () = tokio::time::sleep(PROBE), if is_failing => {
                    self.probe().await;
                    continue;
                }
                () = tokio::time::sleep(IDLE), if !is_failing && self.engine.has_left_work() => {
                    self.engine.tend(Tending::Idle).await;
                    continue;
                }
            };
            let Some(first) = first else { break };
            let jobs = gather(first, &mut inbox).await;
            waiting.set(inbox.len() as f64);
            self.commit(jobs).await;
            self.engine.tend(Tending::Busy).await;
        }
        self.engine.close().await;
    }

    /// Writes what waits and answers everybody, one way or the other.
    async fn commit(&mut self, jobs: Vec<Job>) {
        let mut together = Vec::with_capacity(jobs.len());
        for job in jobs {
            if !job.is_alone() {
                together.push(job);
                continue;
            }
            if !together.is_empty() {
                self.commit_group(std::mem::take(&mut together)).await;
            }
            match job.order.scrub {
                true => {
                    let answer = self.engine.scrub().await.map(|()| Written::default());
                    job.answer(answer);
                }
                false => self.commit_group(vec![job]).await,
            }
        }
        if !together.is_empty() {
            self.commit_group(together).await;
        }
    }

    /// Writes a group and answers everybody in it, one way or the other.
    async fn commit_group(&mut self, jobs: Vec<Job>) {
        let Err((jobs, failure)) = self.write(jobs).await else { return };
        // One append that the database won't take must not take the others along.
        if jobs.len() > 1 && matches!(failure, StoreError::Unwritable(_)) {
            for job in jobs {
                if let Err((jobs, failure)) = self.write(vec![job]).await {
                    refuse(jobs, &failure);
                }
            }
            return;
        }
        if !matches!(failure, StoreError::Unwritable(_)) {
            self.troubles.begin(&failure);
        }
        refuse(jobs, &failure);
    }

    /// Writes a group and answers everybody in it, or gives the jobs back with the reason.
    async fn write(&mut self, jobs: Vec<Job>) -> Result<(), (Vec<Job>, StoreError)> {
        let begun = Instant::now();
        let outcome = match self.attempt(&jobs, false).await {
            Ok(None) => self.attempt(&jobs, true).await,
            other => other,
        };
        let failure = match outcome {
            Ok(Some(group)) => {
                self.done(group, jobs, begun);
                return Ok(());
            }
            Ok(None) => StoreError::Write("an event id stands twice".into()),
            Err(error) => error,
        };
        metrics::counter!("backchannel_store_commits_failed_total").increment(1);
        tracing::error!(error = %failure, appends = jobs.len(), "a group of events was not written");
        // Nothing half-done may stay, neither in the database nor in memory. A commit that reported a failure may
        // stand all the same: the next transaction looks where the log is.
        self.heads.clear();
        if let Err(error) = self.engine.recover().await {
            tracing::error!(%error, "the event log could not be opened again");
        }
        Err((jobs, failure))
    }

    fn done(&mut self, group: Group, jobs: Vec<Job>, begun: Instant) {
        self.troubles.end();
        // Those of erased conversations still hold what was said.
        let is_erasure = jobs.iter().any(|job| job.order.erase.is_some());
        if is_erasure || self.heads.len() + group.heads.len() > MAX_HEADS {
            self.heads.clear();
        }
        self.heads.extend(group.heads.into_iter().map(|(key, mut head)| {
            head.whole = false;
            (key, head)
        }));
        metrics::histogram!("backchannel_store_commit_seconds")
            .record(begun.elapsed().as_secs_f64());
        metrics::counter!("backchannel_store_events_total").increment(group.entries.len() as u64);
        if !group.entries.is_empty() {
            let events: Vec<Arc<Recorded>> =
                group.entries.into_iter().map(|entry| entry.event).collect();
            (self.on_commit)(&events);
        }
        for (job, answer) in jobs.into_iter().zip(group.answers) {
            job.answer(answer);
        }
    }

    async fn attempt(&mut self, jobs: &[Job], closely: bool) -> Result<Attempt, StoreError> {
        let state = self.engine.begin().await?;
        let mut group = Group::after(state, closely);
        for job in jobs {
            let answer = self
                .plan(&job.order, &mut group)
                .await
                .map_err(|error| self.engine.failure(&error))?;
            if answer.is_err() && !closely {
                self.roll_back().await?;
                return Ok(None);
            }
            group.answers.push(answer);
        }
        if let Err(error) = self.engine.insert(&group).await {
            let repeated =
                error.as_database_error().is_some_and(|error| error.is_unique_violation());
            if repeated && !closely {
                self.roll_back().await?;
                return Ok(None);
            }
            return Err(self.engine.failure(&error));
        }
        let connection = self.engine.connection();
        for (tenant, revision) in &group.revisions {
            if let Err(error) = statements::insert_revision(connection, tenant, revision).await {
                return Err(self.engine.failure(&error));
            }
        }
        self.engine.commit(&group.state).await.map_err(|error| self.engine.failure(&error))?;
        Ok(Some(group))
    }

    async fn roll_back(&mut self) -> Result<(), StoreError> {
        let done = self.engine.connection().script("ROLLBACK").await;
        done.map_err(|error| self.engine.failure(&error))
    }

    /// Nobody appends, and the last append failed: whether it would work by now.
    async fn probe(&mut self) {
        let outcome = match self.engine.recover().await {
            Ok(()) => self.engine.probe().await.map_err(|error| self.engine.failure(&error)),
            Err(error) => Err(error),
        };
        match outcome {
            Ok(()) => self.troubles.end(),
            Err(error) => {
                tracing::debug!(%error, "the event log still can't be written");
                let _ = self.engine.recover().await;
            }
        }
    }
}

fn refuse(jobs: Vec<Job>, failure: &StoreError) {
    for job in jobs {
        job.answer(Err(failure.clone()));
    }
}

/// Takes what waits. The appenders that were just answered are often about to append again, so the
/// others get their turn before the group is closed: a commit costs much more than a turn.
async fn gather(first: Job, inbox: &mut mpsc::Receiver<Job>) -> Vec<Job> {
    let rows =
        |job: &Job| job.order.events.len() + job.order.revisions.len() + job.order.deliveries.len();
    let mut events = rows(&first);
    let mut jobs = vec![first];
    let mut turns = 0;
    while events < GROUP_EVENTS && turns < PATIENT_TURNS {
        match inbox.try_recv() {
            Ok(job) => {
                events += rows(&job);
                jobs.push(job);
                turns = 0;
            }
            Err(_) => {
                turns += 1;
                tokio::task::yield_now().await;
            }
        }
    }
    jobs
}
