//! Carries effects from the outbox to their destinations: each once, in order, however often a system is down.
//!
//! Before a try the outbox is told, durably, that it begins. A try whose end is unknown (no answer, or a crash)
//! is looked for at the destination before the next one, and not before `settle`: until then the system may still
//! be at it. So an effect is made once as far as the destination can tell what it has.
//!
//! The rounds know no clock; `Courier::run` has one.

mod breaker;
mod pause;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use jiff::Timestamp;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use self::breaker::{Breaker, later};
use crate::connect::destination::{DeliveryError, Destination, RemoteId};
use crate::domain::{
    CaseRef, CrmWrite, Delivery, DeliveryMove, DeliveryState, Effect, EventBody, NewEvent, Progress,
};
use crate::store::{Outbox, StoreError};

/// How patient a courier is.
#[derive(Clone, Debug)]
pub struct CourierSettings {
    /// Deliveries to one destination at the same time, each of another lane.
    pub at_once: usize,
    /// After so long without success a delivery is a dead letter.
    pub give_up_after: Duration,
    /// A system is done, one way or the other, so long after a request whose answer was lost.
    pub settle: Duration,
}

impl Default for CourierSettings {
    fn default() -> Self {
        Self {
            at_once: 8,
            give_up_after: Duration::from_secs(3 * 24 * 3600),
            settle: Duration::from_secs(5),
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

/// For one destination.
pub struct Courier {
    outbox: Arc<dyn Outbox>,
    destination: Arc<dyn Destination>,
    settings: CourierSettings,
    breaker: Mutex<Breaker>,
    /// Something was put into the outbox.
    pub wake: Arc<Notify>,
}

impl Courier {
    pub fn new(
        outbox: Arc<dyn Outbox>,
        destination: Arc<dyn Destination>,
        settings: CourierSettings,
    ) -> Self {
        let (breaker, wake) = (Mutex::default(), Arc::default());
        Self { outbox, destination, settings, breaker, wake }
    }

    /// Whether the destination is left alone because it is in trouble.
    pub fn is_resting(&self) -> bool {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner).is_open()
    }

    /// Whatever a crash left in the middle is looked for before it is tried again.
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
                    next_at: later(delivery.progress.updated_at, self.settings.settle).max(now),
                    updated_at: now,
                    ..delivery.progress.clone()
                };
                self.move_on(&delivery, to).await?;
                recovered += 1;
            }
        }
    }

    /// Delivers whatever is due, each lane's first.
    ///
    /// # Errors
    /// The outbox can't be read or written; nothing is lost then.
    pub async fn round(&self, now: Timestamp) -> Result<Round, StoreError> {
        let name = self.destination.name();
        let room = self.breaker(|breaker| breaker.admits(now, self.settings.at_once));
        let mut round = Round::default();
        let mut is_full = false;
        if room > 0 {
            let due = self.outbox.due(name, now, room).await?;
            is_full = due.len() == room;
            let tries = due.into_iter().map(|delivery| self.attempt(delivery, now));
            let mut tries = stream::iter(tries).buffer_unordered(self.settings.at_once);
            while let Some(state) = tries.next().await {
                match state? {
                    DeliveryState::Done => round.done += 1,
                    DeliveryState::Failed => round.failed += 1,
                    _ => round.postponed += 1,
                }
            }
        }
        // There are likely more: whoever asks again finds out, and the whole queue isn't read each time.
        if is_full && !self.is_resting() {
            round.next_at = Some(now);
            return Ok(round);
        }
        let waits = self.outbox.next_due(name).await?;
        let opens = self.breaker(|breaker| breaker.closed_again_at(now));
        round.next_at = waits.map(|at| at.max(opens.unwrap_or(at)));
        Ok(round)
    }

    /// Delivers until it is told to stop. A try that has begun is finished.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        const REPAIR: Duration = Duration::from_secs(5);
        let name = self.destination.name().to_owned();
        let mut is_recovered = false;
        loop {
            if !is_recovered {
                match self.recover(Timestamp::now()).await {
                    Ok(found) => {
                        is_recovered = true;
                        if found > 0 {
                            tracing::warn!(destination = name, found, "deliveries were cut off");
                        }
                    }
                    Err(error) => tracing::error!(destination = name, %error, "outbox unreadable"),
                }
            }
            let now = Timestamp::now();
            let pause = match self.round(now).await {
                Ok(round) => round.next_at.map_or(Duration::MAX, |at| {
                    Duration::try_from(at.duration_since(Timestamp::now())).unwrap_or_default()
                }),
                Err(StoreError::Closed) => return,
                Err(error) => {
                    tracing::error!(destination = name, %error, "the outbox can't be worked on");
                    REPAIR
                }
            };
            let pause = pause.min(Duration::from_secs(3600));
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = self.wake.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    fn breaker<T>(&self, what: impl FnOnce(&mut Breaker) -> T) -> T {
        what(&mut self.breaker.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn attempt(
        &self,
        delivery: Delivery,
        now: Timestamp,
    ) -> Result<DeliveryState, StoreError> {
        let before = &delivery.progress;
        let sending = Progress {
            state: DeliveryState::Sending,
            attempts: before.attempts.saturating_add(1),
            updated_at: now,
            ..before.clone()
        };
        match self.move_on(&delivery, sending.clone()).await {
            Ok(()) => {}
            // A person took it back in between.
            Err(StoreError::DeliveryMoved(_)) => return Ok(before.state),
            Err(error) => return Err(error),
        }
        let delivery = Delivery { progress: sending, ..delivery };
        let outcome = match self.resolved(&delivery).await? {
            Ok(effect) => self.carry(&delivery, &effect).await,
            Err(why) => Err((DeliveryError::Refused(why), delivery.progress.unclear)),
        };
        let to = self.judge(&delivery, outcome, now);
        let state = to.state;
        self.move_on(&delivery, to).await?;
        Ok(state)
    }

    /// Looks, where a try may have been made before, and delivers. With the error: whether it may have been done.
    async fn carry(
        &self,
        delivery: &Delivery,
        effect: &Effect,
    ) -> Result<RemoteId, (DeliveryError, bool)> {
        let key = &delivery.new.key;
        if delivery.progress.unclear {
            let found = self.destination.delivered(effect, key).await.map_err(|e| (e, true))?;
            if let Some(found) = found {
                return Ok(found);
            }
        }
        self.destination.deliver(effect, key).await.map_err(|error| {
            let may_be_done = matches!(error, DeliveryError::Unclear(_));
            (error, may_be_done)
        })
    }

    fn judge(
        &self,
        delivery: &Delivery,
        outcome: Result<RemoteId, (DeliveryError, bool)>,
        now: Timestamp,
    ) -> Progress {
        let name = self.destination.name();
        let before = &delivery.progress;
        let (error, unclear) = match outcome {
            Ok(RemoteId(id)) => {
                self.breaker(Breaker::answered);
                metrics::counter!("backchannel_deliveries_total", "destination" => name.to_owned(), "outcome" => "done")
                    .increment(1);
                return Progress {
                    state: DeliveryState::Done,
                    unclear: false,
                    remote_id: Some(id),
                    problem: None,
                    updated_at: now,
                    ..before.clone()
                };
            }
            Err(failure) => failure,
        };
        // A person decides: their "again" is not asked about once more.
        let unclear = unclear && !matches!(error, DeliveryError::Undecided(_));
        let asked_for = match &error {
            DeliveryError::Limited { retry_after } => Some(retry_after.unwrap_or_default()),
            _ => None,
        };
        match error.is_outage() {
            true => self.breaker(|breaker| breaker.failed(now, asked_for.filter(|p| !p.is_zero()))),
            false => self.breaker(Breaker::answered),
        }
        let age = now.duration_since(delivery.new.created_at);
        let is_over = Duration::try_from(age).is_ok_and(|age| age > self.settings.give_up_after);
        let state = match error.is_retryable() && !is_over {
            true => DeliveryState::Waiting,
            false => DeliveryState::Failed,
        };
        let label = if state == DeliveryState::Failed { "failed" } else { "postponed" };
        metrics::counter!("backchannel_deliveries_total", "destination" => name.to_owned(), "outcome" => label)
            .increment(1);
        tracing::warn!(
            destination = name,
            delivery = delivery.position,
            operation = delivery.new.effect.operation(),
            attempts = before.attempts,
            %error,
            "a delivery was {label}"
        );
        let pause = pause::before_try(before.attempts).max(asked_for.unwrap_or_default());
        let pause = if unclear { pause.max(self.settings.settle) } else { pause };
        Progress {
            state,
            unclear,
            next_at: later(now, pause),
            problem: Some(error.to_string()),
            updated_at: now,
            ..before.clone()
        }
    }

    /// With the identifier of a case that an earlier delivery makes; `Err`: it will never come.
    async fn resolved(&self, delivery: &Delivery) -> Result<Result<Effect, String>, StoreError> {
        let mut effect = delivery.new.effect.clone();
        let case = match &mut effect {
            Effect::AddNote(one) => &mut one.case,
            Effect::LogCall(one) => &mut one.case,
            Effect::CreateTask(one) => &mut one.case,
            _ => return Ok(Ok(effect)),
        };
        let Some(CaseRef::MadeBy(key)) = case else { return Ok(Ok(effect)) };
        let (tenant, name) = (&delivery.tenant, self.destination.name());
        let made = self.outbox.delivery_by_key(tenant, name, key).await?;
        let id = made.filter(|made| made.progress.state == DeliveryState::Done);
        let Some(id) = id.and_then(|made| made.progress.remote_id) else {
            return Ok(
                Err("the case that it belongs to was not made; retry that first".to_owned()),
            );
        };
        *case = Some(CaseRef::Id(id));
        Ok(Ok(effect))
    }

    async fn move_on(&self, delivery: &Delivery, to: Progress) -> Result<(), StoreError> {
        let from = delivery.progress.state;
        // Each try would be an event of no use to anybody; what it comes to is told.
        let is_told = to.state != DeliveryState::Sending
            && (to.state != DeliveryState::Waiting || to.problem != delivery.progress.problem);
        let told = is_told.then(|| {
            let write = Box::new(CrmWrite::of(&delivery.new, &to));
            NewEvent::at(to.updated_at, EventBody::CrmWrite(write))
        });
        let step = DeliveryMove {
            tenant: delivery.tenant.clone(),
            conversation: delivery.conversation.clone(),
            position: delivery.position,
            from,
            to,
        };
        self.outbox.advance(step, told.into_iter().collect()).await.map(drop)
    }
}
