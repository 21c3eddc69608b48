//! The task that holds the desk, and the one that feeds it from the log.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::floor::Floor;
use super::ledger::{self, Ledger};
use super::settings::PlanText;
use super::writer::{Teller, Writer, Written};
use super::{RoutingSurroundings, restore};
use crate::bus::{Heard, Signal, Subscription};
use crate::domain::{ConversationId, Recorded, TenantId};
use crate::store::{ConversationState, KindFilter, MAX_READ, ReadQuery, Store, StoreError};

/// After a failure of the log.
const AGAIN: Duration = Duration::from_secs(2);
/// Of what was before the start, so much of the log is read for what conversations say and agents have done.
const BEFORE_MAX: u64 = 200_000;
/// Events of the log, and entries for it, that may wait.
const EVENTS_MAX: usize = 1_024;
/// Taken at once, so that a burst about one conversation makes one decision.
const AT_ONCE: usize = 64;
/// What the board wants to know, and decisions.
const KINDS: &str = "conversation.*,audio.started,turn.final,insight.intent,insight.sentiment,insight.category,\
                     crm.context,wrapup.follow_up,wrapup.verdict,route.recommended,route.assigned";

/// Answers whoever asked, once it is known whether what came of it is durable.
pub(super) type Answer = Box<dyn FnOnce(bool) + Send>;

type Work = Box<dyn FnOnce(&mut Floor, u64) -> Answer + Send>;

/// Something to be done at the desk.
pub(super) struct Job(pub Work);

struct Actor {
    floor: Floor,
    to_log: mpsc::Sender<Written>,
}

pub(super) fn start(
    floor: Floor,
    plan: Option<PlanText>,
    around: RoutingSurroundings,
    teller: Option<Teller>,
    mut jobs: mpsc::Receiver<Job>,
    to_actor: mpsc::WeakSender<Job>,
) -> JoinHandle<()> {
    // Before anything is read: what comes meanwhile is heard.
    let subscription = around.bus.subscribe();
    tokio::spawn(async move {
        let stop = around.stop.clone();
        let begun = tokio::select! {
            begun = begin(floor, &around) => begun,
            () = stop.cancelled() => return,
        };
        let Begun { mut floor, ledger, over, position } = begun;
        let (to_log, entries) = mpsc::channel(EVENTS_MAX);
        let writer = Writer {
            tenant: around.tenant.clone(),
            store: Arc::clone(&around.store),
            outbox: Arc::clone(&around.outbox),
            file: ledger::file(&around.folder),
            ledger: ledger.clone(),
            teller,
            to_actor,
        };
        let writing = tokio::spawn(writer.run(entries));
        let now_ms = now();
        restore::restore(&mut floor, &ledger, &over, plan, now_ms);
        let mut actor = Actor { floor, to_log };
        actor.write(None).await;
        let (to_floor, mut events) = mpsc::channel(EVENTS_MAX);
        let feeder = Feeder {
            tenant: around.tenant.clone(),
            store: Arc::clone(&around.store),
            to_floor,
            position,
        };
        let feeding = tokio::spawn(feeder.run(subscription, stop.child_token()));
        actor.run(&mut jobs, &mut events, &stop).await;
        // What was taken in is made durable; nothing else comes.
        drop((actor, jobs, events));
        for task in [writing, feeding] {
            if task.await.is_err() {
                tracing::error!("a task of the router failed, which is a bug");
            }
        }
    })
}

/// What a start has read.
struct Begun {
    floor: Floor,
    ledger: Ledger,
    /// Conversations of open items that ended while nobody heard of it.
    over: Vec<ConversationId>,
    /// Up to where the log is known.
    position: u64,
}

/// Reads what was before, for as long as that takes.
async fn begin(mut floor: Floor, around: &RoutingSurroundings) -> Begun {
    let (tenant, store) = (&around.tenant, &around.store);
    let ledger = loop {
        match ledger::open(&around.folder, store.as_ref(), tenant).await {
            Ok(ledger) => break ledger,
            Err(error) => tracing::error!(%error, "the router can't read what it had"),
        }
        tokio::time::sleep(AGAIN).await;
    };
    loop {
        let read = async {
            let position = learn(&mut floor, store.as_ref(), tenant).await?;
            Ok::<_, StoreError>((position, over(&ledger, store.as_ref(), tenant).await?))
        };
        match read.await {
            Ok((position, over)) => return Begun { floor, ledger, over, position },
            Err(error) => tracing::error!(%error, "the router can't read the log"),
        }
        tokio::time::sleep(AGAIN).await;
    }
}

async fn over(
    ledger: &Ledger,
    store: &dyn Store,
    tenant: &TenantId,
) -> Result<Vec<ConversationId>, StoreError> {
    let mut over = Vec::new();
    for kept in ledger.items.values().filter(|kept| kept.ended_ms.is_none()) {
        let Some(id) = kept.offered.conversation_id.as_deref().map(ConversationId::from) else {
            continue;
        };
        let row = store.conversation(tenant, &id).await?;
        if row.is_some_and(|row| row.state == ConversationState::Ended) {
            over.push(id);
        }
    }
    Ok(over)
}

async fn learn(floor: &mut Floor, store: &dyn Store, tenant: &TenantId) -> Result<u64, StoreError> {
    let head = store.head().await?;
    let mut query = ReadQuery::all(tenant.clone(), head.saturating_sub(BEFORE_MAX));
    query.kinds = KindFilter::parse(KINDS).expect("the kinds are a constant; this is a bug");
    floor.forget();
    loop {
        let page = store.read(&query).await?;
        for event in &page {
            floor.learn(event);
        }
        query.after = page.last().map_or(query.after, |event| event.position);
        if page.len() < MAX_READ {
            return Ok(head.max(query.after));
        }
    }
}

impl Actor {
    async fn run(
        &mut self,
        jobs: &mut mpsc::Receiver<Job>,
        events: &mut mpsc::Receiver<Arc<Recorded>>,
        stop: &CancellationToken,
    ) {
        let mut heard = Vec::new();
        loop {
            let due = self.floor.next_due_ms().map_or(Duration::from_secs(3_600), |at_ms| {
                Duration::from_millis(at_ms.saturating_sub(now()))
            });
            tokio::select! {
                job = jobs.recv() => {
                    let Some(Job(work)) = job else { return };
                    let answer = work(&mut self.floor, now());
                    self.write(Some(answer)).await;
                }
                count = events.recv_many(&mut heard, AT_ONCE) => {
                    if count == 0 {
                        return;
                    }
                    self.floor.hear(&heard, now());
                    heard.clear();
                    self.write(None).await;
                }
                () = tokio::time::sleep(due) => {
                    self.floor.tick(now());
                    self.write(None).await;
                }
                () = stop.cancelled() => return,
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
        if self.to_log.send(Written { entries, answer }).await.is_err() {
            tracing::error!("what the router did was lost: its log is closed");
        }
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
        let kinds = KindFilter::parse(KINDS).expect("the kinds are a constant; this is a bug");
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

/// Unix milliseconds.
pub(super) fn now() -> u64 {
    u64::try_from(Timestamp::now().as_millisecond()).unwrap_or(0)
}
