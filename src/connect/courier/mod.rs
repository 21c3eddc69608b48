//! Carries effects from the outbox to their destinations: each once, in order, however often a system is down.
//!
//! Before a try the outbox is told, durably, that it begins. A try whose end is unknown (no answer, or a crash)
//! is looked for at the destination before the next one, and not before `settle`: until then the system may still
//! be at it. So an effect is made once as far as the destination can tell what it has.
//!
//! Lanes are independent: while one waits for a slow answer, the others go on.

mod attempt;
mod breaker;
mod pause;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use jiff::Timestamp;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use self::breaker::{Breaker, later};
use crate::connect::destination::Destination;
use crate::domain::{DeliveryState, Progress};
use crate::store::{Outbox, StoreError};

/// How patient a courier is.
#[derive(Clone, Debug)]
pub struct CourierSettings {
    /// Deliveries to one destination at the same time, each of another lane.
    pub at_once: usize,
    /// After so long without success a delivery is a dead letter.
    pub give_up_after: Duration,
    /// A system is done, one way or the other, so long after we stopped to wait for its answer.
    pub settle: Duration,
}

impl Default for CourierSettings {
    fn default() -> Self {
        Self {
            at_once: 8,
            give_up_after: Duration::from_secs(3 * 24 * 3600),
            settle: Duration::from_secs(60),
        }
    }
}

/// What one round came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Round {
    pub done: usize,
    /// Will be tried again.
    pub postponed: usize,
    /// Dead letters.
    pub failed: usize,
    /// Nothing can happen before; none: nothing waits.
    pub next_at: Option<Timestamp>,
}

/// What time it is.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// For one destination.
pub struct Courier {
    outbox: Arc<dyn Outbox>,
    destination: Arc<dyn Destination>,
    settings: CourierSettings,
    breaker: Mutex<Breaker>,
    clock: Clock,
    /// Something was put into the outbox.
    pub wake: Arc<Notify>,
}

/// What is on its way, each of another lane.
#[derive(Default)]
struct Tries<'a> {
    running: FuturesUnordered<BoxFuture<'a, Tried>>,
    lanes: HashSet<String>,
}

struct Tried {
    lane: String,
    came_to: Result<DeliveryState, StoreError>,
}

impl Courier {
    pub fn new(
        outbox: Arc<dyn Outbox>,
        destination: Arc<dyn Destination>,
        settings: CourierSettings,
    ) -> Self {
        let (breaker, wake) = (Mutex::default(), Arc::default());
        Self { outbox, destination, settings, breaker, clock: Arc::new(Timestamp::now), wake }
    }

    /// By another clock than the machine's.
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Whether the destination is left alone because it is in trouble.
    pub fn is_resting(&self) -> bool {
        self.breaker(|breaker| breaker.is_open())
    }

    /// Why nothing gets through, for people; none once it answers.
    pub fn problem(&self) -> Option<String> {
        self.breaker(|breaker| breaker.problem().map(str::to_owned))
    }

    /// A person wants it tried now, whatever the system asked for.
    pub fn hurry(&self) {
        let now = (self.clock)();
        self.breaker(|breaker| breaker.hurry(now));
        self.wake.notify_one();
    }

    /// When a person's "again" may be tried: at once, or when the system is surely done with the last try.
    pub fn again_at(&self, before: &Progress) -> Timestamp {
        let now = (self.clock)();
        match before.unclear {
            true => later(before.updated_at, self.settings.settle)
                .min(later(now, self.settings.settle))
                .max(now),
            false => now,
        }
    }

    /// Whatever was left in the middle is looked for before it is tried again. While nothing else is on its way.
    ///
    /// # Errors
    /// The outbox can't be read or written.
    pub async fn recover(&self, now: Timestamp) -> Result<usize, StoreError> {
        let (name, mut recovered) = (self.destination.name(), 0);
        loop {
            // Those that are moved are no longer in this state.
            let left = self.outbox.in_state(name, DeliveryState::Sending, 0).await?;
            if left.is_empty() {
                return Ok(recovered);
            }
            for delivery in left {
                let to = Progress {
                    state: DeliveryState::Waiting,
                    unclear: true,
                    // When it was sent stands nowhere: it may have been just now.
                    next_at: later(now, self.settings.settle),
                    updated_at: now,
                    ..delivery.progress.clone()
                };
                self.move_on(&delivery, to).await?;
                recovered += 1;
            }
        }
    }

    /// Delivers each lane's first, of those that are due, and ends with the last of them.
    ///
    /// # Errors
    /// The outbox can't be read or written; nothing is lost then, and `recover` is called for.
    pub async fn round(&self, now: Timestamp) -> Result<Round, StoreError> {
        let (mut tries, mut round) = (Tries::default(), Round::default());
        self.fill(&mut tries, now).await?;
        let is_full = tries.running.len() == self.settings.at_once;
        let mut broken = None;
        while let Some(tried) = tries.running.next().await {
            match tried.came_to {
                Ok(DeliveryState::Done) => round.done += 1,
                Ok(DeliveryState::Failed) => round.failed += 1,
                Ok(_) => round.postponed += 1,
                Err(error) => broken = Some(error),
            }
        }
        if let Some(error) = broken {
            return Err(error);
        }
        // There are likely more: whoever asks again finds out, and the whole queue isn't read each time.
        round.next_at = match is_full && !self.is_resting() {
            true => Some(now),
            false => self.next_at(now).await?,
        };
        Ok(round)
    }

    /// Delivers until it is told to stop. A try that has begun is finished.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        const REPAIR: Duration = Duration::from_secs(5);
        let name = self.destination.name();
        while !stop.is_cancelled() {
            // What was recovered is due later than anything that this begins with.
            let broken = match self.recover((self.clock)()).await {
                Ok(found) => {
                    if found > 0 {
                        tracing::warn!(destination = name, found, "deliveries were cut off");
                    }
                    self.deliver_until(&stop).await
                }
                Err(error) => Err(error),
            };
            match broken {
                Ok(()) | Err(StoreError::Closed) => return,
                Err(error) => {
                    tracing::error!(destination = name, %error, "the outbox can't be worked on");
                }
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(REPAIR) => {}
            }
        }
    }

    /// Until it is told to stop, or the outbox fails; nothing is on its way when this resolves.
    async fn deliver_until(&self, stop: &CancellationToken) -> Result<(), StoreError> {
        let mut tries = Tries::default();
        let outcome = self.keep_going(&mut tries, stop).await;
        // Whoever waits for an answer learns it, and says what it was if the outbox takes it.
        while let Some(tried) = tries.running.next().await {
            if let Err(error) = tried.came_to {
                tracing::error!(destination = self.destination.name(), %error, "a try is untold");
            }
        }
        outcome
    }

    async fn keep_going<'a>(
        &'a self,
        tries: &mut Tries<'a>,
        stop: &CancellationToken,
    ) -> Result<(), StoreError> {
        const LONGEST: Duration = Duration::from_secs(3600);
        // For what is due and wasn't taken: it is one that has just begun, or waits for those that run.
        const SHORTEST: Duration = Duration::from_millis(100);
        loop {
            self.fill(tries, (self.clock)()).await?;
            let now = (self.clock)();
            let pause = match tries.running.len() >= self.settings.at_once {
                true => LONGEST,
                false => self.next_at(now).await?.map_or(LONGEST, |at| {
                    Duration::try_from(at.duration_since(now)).unwrap_or_default().min(LONGEST)
                }),
            };
            let pause = if tries.running.is_empty() { pause } else { pause.max(SHORTEST) };
            tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(()),
                Some(tried) = tries.running.next() => {
                    tries.lanes.remove(&tried.lane);
                    tried.came_to?;
                }
                () = self.wake.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Begins as many as there is room for.
    async fn fill<'a>(&'a self, tries: &mut Tries<'a>, now: Timestamp) -> Result<(), StoreError> {
        let running = tries.running.len();
        let wanted = self.breaker(|breaker| breaker.admits(now, self.settings.at_once));
        let room = wanted.saturating_sub(running);
        if room == 0 {
            return Ok(());
        }
        // Those that have just begun may still seem to wait.
        let due = self.outbox.due(self.destination.name(), now, room + running).await?;
        let free = due.into_iter().filter(|one| !tries.lanes.contains(&one.new.lane));
        for delivery in free.take(room).collect::<Vec<_>>() {
            let lane = delivery.new.lane.clone();
            tries.lanes.insert(lane.clone());
            tries.running.push(Box::pin(async move {
                let came_to = self.attempt(delivery).await;
                Tried { lane, came_to }
            }));
        }
        Ok(())
    }

    /// When the next one may be tried; none: nothing waits.
    async fn next_at(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let Some(at) = self.outbox.next_due(self.destination.name()).await? else {
            return Ok(None);
        };
        let is_beyond = at > later(now, Progress::PAUSE_MAX);
        let at = if is_beyond { now } else { at };
        let opens = self.breaker(|breaker| breaker.closed_again_at(now));
        Ok(Some(at.max(opens.unwrap_or(at))))
    }

    fn breaker<T>(&self, what: impl FnOnce(&mut Breaker) -> T) -> T {
        what(&mut self.breaker.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
