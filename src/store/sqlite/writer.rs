//! The one task that writes: takes what waits, commits it as a group, tells the hook, answers.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection, Row};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::head::{Head, HeadKey};
use super::lock::FolderLock;
use super::reader;
use super::{articles, outbox, statements, write_error};
use crate::domain::{
    ArticleRevision, CardId, ConversationId, DeliveryMove, EventBody, NewDelivery, NewEvent,
    NewRevision, Recorded, TenantId,
};
use crate::store::codec::Encoded;
use crate::store::{CommitHook, StoreError};

/// One commit takes at most so many events (a single larger append is taken whole).
const GROUP_EVENTS: usize = 512;
/// So many times the writer lets other tasks run before it commits what it has.
const PATIENT_TURNS: usize = 4;
/// Heads kept in memory; beyond that all are forgotten and read again as they are needed.
const MAX_HEADS: usize = 8_192;
/// The WAL is moved into the file when it holds so much, or when nothing waits.
const WAL_BYTES: usize = 8 << 20;
/// Roughly what a delivery takes in the file.
const DELIVERY_BYTES: usize = 4_096;
const IDLE: Duration = Duration::from_secs(2);

/// What became of one append.
#[derive(Debug, Default)]
pub struct Written {
    pub events: Vec<Arc<Recorded>>,
    pub revisions: Vec<Arc<ArticleRevision>>,
}

pub(super) type Answer = Result<Written, StoreError>;

/// What is appended together.
pub struct Order {
    pub tenant: TenantId,
    pub conversation: ConversationId,
    pub events: Vec<(NewEvent, Encoded)>,
    pub revisions: Vec<NewRevision>,
    pub deliveries: Vec<NewDelivery>,
    pub step: Option<DeliveryMove>,
}

impl Order {
    pub fn of(
        tenant: TenantId,
        conversation: ConversationId,
        events: Vec<(NewEvent, Encoded)>,
    ) -> Self {
        let (revisions, deliveries, step) = (Vec::new(), Vec::new(), None);
        Self { tenant, conversation, events, revisions, deliveries, step }
    }
}

pub(super) struct Job {
    order: Order,
    answer: oneshot::Sender<Answer>,
}

impl Job {
    pub fn new(order: Order) -> (Self, oneshot::Receiver<Answer>) {
        let (answer, answered) = oneshot::channel();
        (Self { order, answer }, answered)
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
        answered.await.unwrap_or(Err(StoreError::Closed))
    }

    pub fn close(&self) {
        self.closing.cancel();
    }
}

pub struct Writer {
    connection: SqliteConnection,
    options: SqliteConnectOptions,
    on_commit: CommitHook,
    heads: HashMap<HeadKey, Head>,
    next_position: u64,
    next_revision: u64,
    wal_bytes: usize,
    _lock: FolderLock,
}

/// What a group would change; nothing of it is visible before the commit.
#[derive(Default)]
struct Group {
    events: Vec<Arc<Recorded>>,
    heads: HashMap<HeadKey, Head>,
    cards: Vec<(TenantId, CardId, ConversationId)>,
    revisions: Vec<(TenantId, Arc<ArticleRevision>)>,
    deliveries: Vec<(TenantId, ConversationId, NewDelivery)>,
    answers: Vec<Answer>,
}

enum Attempt {
    Done(Group),
    /// Some event id stands already, or some append doesn't fit: look closely.
    LookClosely,
}

impl Writer {
    pub async fn new(
        mut connection: SqliteConnection,
        options: SqliteConnectOptions,
        on_commit: CommitHook,
        lock: FolderLock,
    ) -> Result<Self, StoreError> {
        let last =
            last_position(&mut connection).await.map_err(|error| super::read_error(&error))?;
        let last_revision = articles::last_position(&mut connection)
            .await
            .map_err(|error| super::read_error(&error))?;
        Ok(Self {
            connection,
            options,
            on_commit,
            heads: HashMap::new(),
            next_position: last + 1,
            next_revision: last_revision + 1,
            wal_bytes: 0,
            _lock: lock,
        })
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
            let first = tokio::select! {
                biased;
                () = closing.cancelled(), if !inbox.is_closed() => {
                    // What is in the queue is still written; new appends are refused.
                    inbox.close();
                    continue;
                }
                job = inbox.recv() => job,
                () = tokio::time::sleep(IDLE), if self.wal_bytes > 0 => {
                    self.checkpoint("PRAGMA wal_checkpoint(PASSIVE)").await;
                    continue;
                }
            };
            let Some(first) = first else { break };
            let jobs = gather(first, &mut inbox).await;
            waiting.set(inbox.len() as f64);
            self.commit(jobs).await;
            if self.wal_bytes > WAL_BYTES {
                self.checkpoint("PRAGMA wal_checkpoint(PASSIVE)").await;
            }
        }
        self.checkpoint("PRAGMA wal_checkpoint(TRUNCATE)").await;
        if let Err(error) = self.connection.close().await {
            tracing::error!(%error, "the event log did not close in order");
        }
    }

    /// Writes a group and answers everybody in it, one way or the other.
    pub(super) async fn commit(&mut self, jobs: Vec<Job>) {
        let begun = Instant::now();
        let outcome = match self.attempt(&jobs, false).await {
            Ok(Attempt::LookClosely) => self.attempt(&jobs, true).await,
            other => other,
        };
        let failure = match outcome {
            Ok(Attempt::Done(group)) => {
                self.next_position += group.events.len() as u64;
                self.next_revision += group.revisions.len() as u64;
                // Roughly: each row once in the table and its names in two indexes, and the pages
                // that every commit touches.
                self.wal_bytes += 8 * 4_096
                    + group.events.iter().map(|event| event.data.len() + 512).sum::<usize>()
                    + group.revisions.iter().map(|(_, one)| size(one)).sum::<usize>()
                    + group.deliveries.len() * DELIVERY_BYTES;
                if self.heads.len() + group.heads.len() > MAX_HEADS {
                    self.heads.clear();
                }
                self.heads.extend(group.heads.into_iter().map(|(key, mut head)| {
                    head.whole = false;
                    (key, head)
                }));
                metrics::histogram!("backchannel_store_commit_seconds")
                    .record(begun.elapsed().as_secs_f64());
                metrics::counter!("backchannel_store_events_total")
                    .increment(group.events.len() as u64);
                if !group.events.is_empty() {
                    (self.on_commit)(&group.events);
                }
                for (job, answer) in jobs.into_iter().zip(group.answers) {
                    // Nobody waits any more: the events stand all the same.
                    let _ = job.answer.send(answer);
                }
                return;
            }
            Ok(Attempt::LookClosely) => StoreError::Write("an event id stands twice".into()),
            Err(error) => write_error(&error),
        };
        metrics::counter!("backchannel_store_commits_failed_total").increment(1);
        tracing::error!(error = %failure, appends = jobs.len(), "a group of events was not written");
        self.recover().await;
        for job in jobs {
            let _ = job.answer.send(Err(failure.clone()));
        }
    }

    async fn attempt(&mut self, jobs: &[Job], closely: bool) -> Result<Attempt, sqlx::Error> {
        sqlx::query("BEGIN IMMEDIATE").execute(&mut self.connection).await?;
        let mut group = Group::default();
        for job in jobs {
            let answer = self.plan(&job.order, &mut group, closely).await?;
            if answer.is_err() && !closely {
                self.roll_back().await?;
                return Ok(Attempt::LookClosely);
            }
            group.answers.push(answer);
        }
        if let Err(error) = statements::insert_events(&mut self.connection, &group.events).await {
            let repeated =
                error.as_database_error().is_some_and(|error| error.is_unique_violation());
            if repeated && !closely {
                self.roll_back().await?;
                return Ok(Attempt::LookClosely);
            }
            return Err(error);
        }
        statements::save_heads(&mut self.connection, group.heads.iter()).await?;
        statements::insert_cards(&mut self.connection, &group.cards).await?;
        for (tenant, revision) in &group.revisions {
            articles::insert(&mut self.connection, tenant, revision).await?;
        }
        for (tenant, conversation, new) in &group.deliveries {
            outbox::insert(&mut self.connection, tenant, conversation, new).await?;
        }
        sqlx::query("COMMIT").execute(&mut self.connection).await?;
        Ok(Attempt::Done(group))
    }

    /// Adds one append to the group, whole or not at all.
    async fn plan(
        &mut self,
        job: &Order,
        group: &mut Group,
        closely: bool,
    ) -> Result<Answer, sqlx::Error> {
        let mut revisions = match self.plan_revisions(job, group).await? {
            Ok(revisions) => revisions,
            Err(error) => return Ok(Err(error)),
        };
        let key = (job.tenant.clone(), job.conversation.clone());
        let mut head = match group.heads.get(&key) {
            Some(head) => Some(head.clone()),
            None => self.head(&key).await?,
        };
        let mut answer = Vec::with_capacity(job.events.len());
        let mut fresh: Vec<Arc<Recorded>> = Vec::new();
        let mut cards = Vec::new();
        for (event, encoded) in &job.events {
            if closely {
                let here = group.events.iter().chain(&fresh).find(|known| known.id == event.id);
                let known = match here {
                    Some(known) => Some(known.clone()),
                    None => reader::event_by_id(&mut self.connection, &event.id).await?,
                };
                if let Some(known) = known {
                    if known.tenant != job.tenant || known.conversation != job.conversation {
                        return Ok(Err(StoreError::ForeignEvent(event.id.clone())));
                    }
                    answer.push(known);
                    continue;
                }
            }
            let position = self.next_position + (group.events.len() + fresh.len()) as u64;
            let time = in_milliseconds(event.time);
            let next = match Head::advance(head, &job.conversation, position, time, &event.body) {
                Ok(next) => next,
                Err(error) => return Ok(Err(error)),
            };
            if let EventBody::SuggestionOffered(card) = &event.body {
                cards.push((job.tenant.clone(), card.id.clone(), job.conversation.clone()));
            }
            let recorded = Arc::new(Recorded {
                position,
                id: event.id.clone(),
                tenant: job.tenant.clone(),
                conversation: job.conversation.clone(),
                sequence: next.row.last_sequence,
                time,
                kind: encoded.kind.into(),
                schema: encoded.schema.into(),
                data: encoded.data.as_str().into(),
            });
            head = Some(next);
            answer.push(recorded.clone());
            fresh.push(recorded);
        }
        // The last that can refuse: nothing of a refused append may stay in the transaction.
        if let Some(step) = &job.step
            && !outbox::advance(&mut self.connection, step).await?
        {
            return Ok(Err(StoreError::DeliveryMoved(step.position)));
        }
        if let Some(head) = head.filter(|_| !fresh.is_empty()) {
            group.heads.insert(key, head);
        }
        group.events.append(&mut fresh);
        group.cards.append(&mut cards);
        let written = Written { events: answer, revisions: revisions.clone() };
        group.revisions.extend(revisions.drain(..).map(|one| (job.tenant.clone(), one)));
        let place = |new: &NewDelivery| (job.tenant.clone(), job.conversation.clone(), new.clone());
        group.deliveries.extend(job.deliveries.iter().map(place));
        Ok(Ok(written))
    }

    /// The revisions of one append with their places, or what is in their way.
    async fn plan_revisions(
        &mut self,
        job: &Order,
        group: &Group,
    ) -> Result<Result<Vec<Arc<ArticleRevision>>, StoreError>, sqlx::Error> {
        let mut planned: Vec<Arc<ArticleRevision>> = Vec::with_capacity(job.revisions.len());
        for new in &job.revisions {
            let mine = planned.iter().rev().find(|one| one.article == new.article);
            let others = group.revisions.iter().rev();
            let before = mine.or_else(|| {
                others
                    .filter(|(tenant, _)| *tenant == job.tenant)
                    .map(|(_, one)| one)
                    .find(|one| one.article == new.article)
            });
            let newest = match before {
                Some(before) => before.number,
                None => articles::newest(&mut self.connection, &job.tenant, &new.article).await?,
            };
            if newest != new.based_on {
                let (article, based_on) = (new.article.clone(), new.based_on);
                return Ok(Err(StoreError::StaleRevision { article, based_on, newest }));
            }
            let position = self.next_revision + (group.revisions.len() + planned.len()) as u64;
            let time = in_milliseconds(new.time);
            planned.push(Arc::new(articles::recorded(new, position, time)));
        }
        Ok(Ok(planned))
    }

    async fn head(&mut self, key: &HeadKey) -> Result<Option<Head>, sqlx::Error> {
        if let Some(head) = self.heads.get(key) {
            return Ok(Some(head.clone()));
        }
        reader::head(&mut self.connection, key).await
    }

    async fn roll_back(&mut self) -> Result<(), sqlx::Error> {
        sqlx::query("ROLLBACK").execute(&mut self.connection).await.map(drop)
    }

    /// After a failure: nothing half-done may stay, neither in the file nor in memory.
    async fn recover(&mut self) {
        self.heads.clear();
        // SQLite rolls back by itself on some errors; then this fails, and rightly.
        let _ = self.roll_back().await;
        if self.connection.ping().await.is_err() {
            match self.options.connect().await {
                Ok(connection) => self.connection = connection,
                Err(error) => tracing::error!(%error, "the event log could not be opened again"),
            }
        }
        // A commit that reported a failure may stand all the same.
        match last_position(&mut self.connection).await {
            Ok(last) => self.next_position = last + 1,
            Err(error) => tracing::error!(%error, "the event log can't be read"),
        }
        match articles::last_position(&mut self.connection).await {
            Ok(last) => self.next_revision = last + 1,
            Err(error) => tracing::error!(%error, "the articles' log can't be read"),
        }
    }

    async fn checkpoint(&mut self, sql: &'static str) {
        if let Err(error) = sqlx::query(sql).execute(&mut self.connection).await {
            tracing::warn!(%error, "the write-ahead log could not be moved into the file");
        }
        self.wal_bytes = 0;
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

/// The greatest position that was ever given.
async fn last_position(connection: &mut SqliteConnection) -> Result<u64, sqlx::Error> {
    let last: i64 =
        sqlx::query("SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0)")
            .fetch_one(connection)
            .await?
            .get(0);
    Ok(last as u64)
}

/// Roughly what a revision takes in the file.
fn size(revision: &ArticleRevision) -> usize {
    revision.content.body.as_str().len() + 1_024
}

/// The finest grain that is stored, so that what is streamed now and what is read later are equal.
fn in_milliseconds(time: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(time.as_millisecond()).unwrap_or(time)
}
