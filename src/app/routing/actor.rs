//! The task that holds the desk, and the one that feeds it from the log.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use jiff::Timestamp;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::context::TokioContext;
use tokio_util::sync::CancellationToken;

use super::begin::{Begun, begin};
use super::floor::{Floor, How};
use super::pack::Packs;
use super::settings::PlanText;
use super::writer::{Teller, Writer, Written};
use super::{RoutingSurroundings, ledger, restore};
use crate::bus::{Heard, Signal, Subscription};
use crate::domain::{Recorded, TenantId};
use crate::routing::context::{self, ContextSettings};
use crate::store::{KindFilter, MAX_READ, ReadQuery, Store, StoreError, codec};

/// After the log couldn't be read.
pub(super) const AGAIN: Duration = Duration::from_secs(2);
/// After it couldn't be written.
const PAUSE: Duration = Duration::from_millis(250);
const PAUSE_MAX: Duration = Duration::from_secs(10);
/// With nothing to wait for.
const IDLE_MS: u64 = 3_600_000;
/// Events of the log, and entries for it, that may wait.
const EVENTS_MAX: usize = 1_024;
/// Taken at once, so that a burst about one conversation makes one decision.
const AT_ONCE: usize = 64;
/// Answers whoever asked, once it is known whether what came of it is durable.
pub(super) type Answer = Box<dyn FnOnce(bool) + Send>;

type Work = Box<dyn FnOnce(&mut Floor, u64) -> Answer + Send>;

pub(super) enum Job {
    /// Something to be done at the desk.
    Work(Work),
    /// What the log doesn't have any more is to be had nowhere; answered once it is so.
    Forget(oneshot::Sender<()>),
}

struct Actor {
    floor: Floor,
    to_log: mpsc::Sender<Written>,
    /// Of the writer.
    lost: CancellationToken,
    erased: CancellationToken,
}

/// Why the desk is left.
#[derive(PartialEq)]
enum Left {
    Stopped,
    /// It is ahead of the log, or a task of it failed.
    Lost,
    /// It knows what the log doesn't have any more.
    Erased,
}

enum Next {
    Asked(Option<Job>),
    /// So many events.
    Heard(usize),
    Due,
}

/// What a desk is made of, again whenever it was lost.
pub(super) struct Making {
    pub how: How,
    pub context: ContextSettings,
    /// Of the settings.
    pub plan: Option<PlanText>,
    pub around: RoutingSurroundings,
    pub teller: Option<Teller>,
    /// When it was begun, in unix milliseconds.
    pub since_ms: u64,
}

/// The desk has a thread of its own: what it weighs takes longer than others should wait for. What waits for the log
/// stays with the runtime that this is called in.
pub(super) fn start(making: Making, jobs: mpsc::Receiver<Job>) -> JoinHandle<()> {
    let io = Handle::current();
    let (done, ended) = oneshot::channel::<()>();
    let work = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        match runtime {
            Ok(runtime) => runtime.block_on(making.run(jobs, &io)),
            Err(error) => tracing::error!(%error, "the router has no thread to run on"),
        }
        // Whoever waits may have gone.
        let _ = done.send(());
    };
    if let Err(error) = std::thread::Builder::new().name("routing".to_owned()).spawn(work) {
        tracing::error!(%error, "the router has no thread to run on");
        return tokio::spawn(async {});
    }
    tokio::spawn(async move {
        if ended.await.is_err() {
            tracing::error!("the router's thread failed, which is a bug");
        }
    })
}

impl Making {
    async fn run(self, mut jobs: mpsc::Receiver<Job>, io: &Handle) {
        let stop = self.around.stop.clone();
        let (since_ms, mut pause) = (self.since_ms, PAUSE);
        let mut forgets: Vec<oneshot::Sender<()>> = Vec::new();
        loop {
            // Before anything is read: what comes meanwhile is heard.
            let subscription = self.around.bus.subscribe();
            // A connection to the log that it may open lives on after it, and belongs to the runtime of the others.
            let begin = begin(&self.how, &self.context, &self.around, since_ms);
            let begun = tokio::select! {
                begun = TokioContext::new(AssertUnwindSafe(begin).catch_unwind(), io.clone()) => begun,
                () = stop.cancelled() => return,
            };
            for forgotten in forgets.drain(..) {
                // Whoever asked may have gone.
                let _ = forgotten.send(());
            }
            let (left, written) = match begun {
                Ok(begun) => self.live(begun, subscription, &mut jobs, &mut forgets, io).await,
                Err(_) => {
                    tracing::error!("the router failed as it read the log, which is a bug");
                    (Left::Lost, 0)
                }
            };
            if left == Left::Stopped {
                return;
            }
            if (left == Left::Erased || !forgets.is_empty())
                && let Err(error) = ledger::remove(&self.around.folder).await
            {
                tracing::error!(%error, "what was erased still stands in the router's file");
                // Without an answer they hear it, and ask again.
                forgets.clear();
            }
            if left == Left::Erased && !forgets.is_empty() {
                tracing::info!("the router begins anew without what was erased");
                continue;
            }
            // A log that takes nothing at all is left alone for longer and longer.
            pause = if written > 0 { PAUSE } else { PAUSE_MAX.min(pause * 2) };
            tracing::warn!("the router begins anew with what is in its log");
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// From a start to a stop, or to a commit or a task that fails: the desk may be ahead of the log then, and nothing
    /// that was decided on it may stand. Or until something of what it has is erased: `forgets` are those who wait for
    /// that to be forgotten. Returns how many events were written, too.
    async fn live(
        &self,
        begun: Begun,
        subscription: Box<dyn Subscription>,
        jobs: &mut mpsc::Receiver<Job>,
        forgets: &mut Vec<oneshot::Sender<()>>,
        io: &Handle,
    ) -> (Left, usize) {
        let Begun { mut floor, ledger, missed, position } = begun;
        let (around, ledger) = (&self.around, Arc::new(ledger));
        let (to_log, entries) = mpsc::channel(EVENTS_MAX);
        let (lost, erased) = (CancellationToken::new(), CancellationToken::new());
        let own = self.plan.clone();
        let restored =
            AssertUnwindSafe(|| restore::restore(&mut floor, &ledger, &missed, own, now()));
        if catch_unwind(restored).is_err() {
            tracing::error!("the router's desk failed as it was made, which is a bug");
            return (Left::Lost, 0);
        }
        let writer = Writer {
            tenant: around.tenant.clone(),
            store: Arc::clone(&around.store),
            outbox: Arc::clone(&around.outbox),
            file: ledger::file(&around.folder),
            ledger,
            teller: self.teller.clone(),
            packs: Packs::default(),
            lost: lost.clone(),
            erased: erased.clone(),
        };
        let writing = io.spawn(writer.run(entries));
        let mut actor = Actor { floor, to_log, lost: lost.clone(), erased };
        actor.write(None).await;
        let (to_floor, mut events) = mpsc::channel(EVENTS_MAX);
        let feeder = Feeder {
            tenant: around.tenant.clone(),
            store: Arc::clone(&around.store),
            to_floor,
            position,
        };
        let feeding = io.spawn(feeder.run(subscription, around.stop.child_token()));
        let live = AssertUnwindSafe(actor.run(jobs, forgets, &mut events, &around.stop));
        let left = live.catch_unwind().await.unwrap_or_else(|_| {
            // Half of something may have happened at the desk: none of that is written.
            tracing::error!("the router's desk failed, which is a bug");
            Left::Lost
        });
        // What was taken in is made durable; nothing else comes.
        drop((actor, events));
        let (written, fed) = tokio::join!(writing, feeding);
        if written.is_err() || fed.is_err() {
            tracing::error!("a task of the router failed, which is a bug");
        }
        let left =
            if lost.is_cancelled() && !around.stop.is_cancelled() { Left::Lost } else { left };
        (left, written.unwrap_or(0))
    }
}

impl Actor {
    async fn run(
        &mut self,
        jobs: &mut mpsc::Receiver<Job>,
        forgets: &mut Vec<oneshot::Sender<()>>,
        events: &mut mpsc::Receiver<Arc<Recorded>>,
        stop: &CancellationToken,
    ) -> Left {
        let mut heard = Vec::new();
        loop {
            let due_ms = self.floor.due_in_ms(now()).unwrap_or(IDLE_MS);
            let due = Duration::from_millis(due_ms.min(IDLE_MS));
            let next = async {
                tokio::select! {
                    job = jobs.recv() => Next::Asked(job),
                    count = events.recv_many(&mut heard, AT_ONCE) => Next::Heard(count),
                    () = tokio::time::sleep(due) => Next::Due,
                }
            };
            // First of all whether it still goes on: nothing is decided on what was lost.
            let next = tokio::select! {
                biased;
                () = stop.cancelled() => return Left::Stopped,
                () = self.lost.cancelled() => return Left::Lost,
                // The writer failed.
                () = self.to_log.closed() => return Left::Lost,
                () = self.erased.cancelled() => return Left::Erased,
                next = next => next,
            };
            match next {
                Next::Asked(None) => return Left::Stopped,
                // Nobody feeds it any more.
                Next::Heard(0) => return Left::Lost,
                Next::Asked(Some(Job::Work(work))) => {
                    let answer = work(&mut self.floor, now());
                    self.write(Some(answer)).await;
                }
                Next::Asked(Some(Job::Forget(forgotten))) => {
                    forgets.push(forgotten);
                    return Left::Erased;
                }
                Next::Heard(_) => {
                    self.floor.hear(&heard, now());
                    heard.clear();
                    self.write(None).await;
                }
                Next::Due => {
                    self.floor.tick(now());
                    self.write(None).await;
                }
            }
        }
    }

    /// Waits only when the log is more than a thousand entries behind.
    async fn write(&mut self, answer: Option<Answer>) {
        let entries = self.floor.take_out();
        // Whoever only looks waits for the log, too: what is shown is durable.
        if entries.is_empty() && answer.is_none() {
            return;
        }
        // What isn't taken any more is lost with all that was decided since: whoever asked hears it.
        let _ = self.to_log.send(Written { entries, answer }).await;
    }
}

/// Reads the log behind the commits.
struct Feeder {
    tenant: TenantId,
    store: Arc<dyn Store>,
    to_floor: mpsc::Sender<Arc<Recorded>>,
    position: u64,
}

impl Feeder {
    async fn run(mut self, mut subscription: Box<dyn Subscription>, stop: CancellationToken) {
        let kinds = kinds();
        loop {
            let heard = tokio::select! {
                heard = subscription.next() => heard,
                () = self.to_floor.closed() => return,
                () = stop.cancelled() => return,
            };
            match heard {
                Heard::Signal(Signal::Event(event)) => {
                    let is_new = event.tenant == self.tenant && event.position > self.position;
                    if is_new && kinds.matches(&event.kind) {
                        self.position = event.position;
                        if self.to_floor.send(event).await.is_err() {
                            return;
                        }
                    }
                }
                Heard::Signal(Signal::Partial(_)) => {}
                Heard::Lagged(_) => {
                    while let Err(error) = self.catch_up(&kinds).await {
                        tracing::warn!(%error, "the router reads on later");
                        tokio::select! {
                            () = tokio::time::sleep(AGAIN) => {}
                            () = stop.cancelled() => return,
                        }
                    }
                }
                Heard::Closed => return,
            }
        }
    }

    async fn catch_up(&mut self, kinds: &KindFilter) -> Result<(), StoreError> {
        loop {
            let mut query = ReadQuery::all(self.tenant.clone(), self.position);
            query.kinds = kinds.clone();
            let page = self.store.read(&query).await?;
            let is_last = page.len() < MAX_READ;
            for event in page {
                self.position = event.position;
                if self.to_floor.send(event).await.is_err() {
                    return Ok(());
                }
            }
            if is_last {
                return Ok(());
            }
        }
    }
}

/// What the board wants to know, and decisions.
pub(super) fn kinds() -> KindFilter {
    let decisions = KindFilter::exactly(codec::ROUTE_RECOMMENDED);
    context::KINDS.into_iter().fold(decisions, KindFilter::or)
}

/// Unix milliseconds.
pub(super) fn now() -> u64 {
    u64::try_from(Timestamp::now().as_millisecond()).unwrap_or(0)
}
