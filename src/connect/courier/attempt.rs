//! One try, and what it comes to.

use std::time::Duration;

use jiff::Timestamp;

use super::breaker::{Breaker, later};
use super::{Courier, pause};
use crate::connect::destination::{DeliveryError, RemoteId};
use crate::domain::{
    CaseRef, CrmWrite, Delivery, DeliveryMove, DeliveryState, Effect, EventBody, NewEvent, Progress,
};
use crate::store::StoreError;

/// A user who is denied one thing so often is denied it for good: what comes after it can't wait for days.
const FORBIDDEN_TRIES: u32 = 5;

/// Why there is nothing yet.
struct Unmade {
    error: DeliveryError,
    /// It may have been done all the same.
    unclear: bool,
    /// The system may still be at it.
    is_fresh: bool,
}

impl Courier {
    pub(super) async fn attempt(&self, delivery: Delivery) -> Result<DeliveryState, StoreError> {
        let before = &delivery.progress;
        let sending = Progress {
            state: DeliveryState::Sending,
            attempts: before.attempts.saturating_add(1),
            updated_at: (self.clock)(),
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
            Err(why) => Err(Unmade {
                error: DeliveryError::Refused(why),
                unclear: delivery.progress.unclear,
                is_fresh: false,
            }),
        };
        // A try can be long: pauses count from its end.
        let to = self.judge(&delivery, outcome, (self.clock)());
        let state = to.state;
        self.move_on(&delivery, to).await?;
        Ok(state)
    }

    /// Looks, where a try may have been made before, and delivers.
    async fn carry(&self, delivery: &Delivery, effect: &Effect) -> Result<RemoteId, Unmade> {
        let key = &delivery.new.key;
        if delivery.progress.unclear {
            let found = self.destination.delivered(effect, key).await;
            let unknown = |error| Unmade { error, unclear: true, is_fresh: false };
            if let Some(found) = found.map_err(unknown)? {
                return Ok(found);
            }
        }
        self.destination.deliver(effect, key).await.map_err(|error| {
            let may_be_done = matches!(error, DeliveryError::Unclear(_));
            Unmade { error, unclear: may_be_done, is_fresh: may_be_done }
        })
    }

    fn judge(
        &self,
        delivery: &Delivery,
        outcome: Result<RemoteId, Unmade>,
        now: Timestamp,
    ) -> Progress {
        let name = self.destination.name();
        let before = &delivery.progress;
        let Unmade { error, unclear, is_fresh } = match outcome {
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
        // A pause longer than that is a mistake, or would be no different from an outage.
        let asked_for = match &error {
            DeliveryError::Limited { retry_after } => {
                retry_after.unwrap_or_default().min(Progress::PAUSE_MAX)
            }
            _ => Duration::ZERO,
        };
        let age = now.duration_since(delivery.new.created_at);
        let is_hopeless = is_hopeless(before, &error);
        let is_over = is_hopeless
            || Duration::try_from(age).is_ok_and(|age| age > self.settings.give_up_after);
        match error.is_outage() && !is_hopeless {
            true => self.breaker(|breaker| breaker.troubled(now, asked_for, &error)),
            false => self.breaker(Breaker::answered),
        }
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
        // The record may have moved away with what an earlier try made: nobody may take that for "never done".
        let problem = match state == DeliveryState::Failed && unclear && !is_fresh {
            true => DeliveryError::Undecided(format!("a try had no answer, and now {error}")),
            false => error,
        };
        let pause = pause::before_try(before.attempts).max(asked_for);
        let pause = if is_fresh { pause.max(self.settings.settle) } else { pause };
        Progress {
            state,
            unclear,
            next_at: later(now, pause),
            problem: Some(problem.to_string()),
            updated_at: now,
            ..before.clone()
        }
    }

    /// With the identifier of a case that an earlier delivery makes; `Err`: it will never come.
    pub(super) async fn resolved(
        &self,
        delivery: &Delivery,
    ) -> Result<Result<Effect, String>, StoreError> {
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
            return Ok(Err("the case that it belongs to was thrown away".to_owned()));
        };
        *case = Some(CaseRef::Id(id));
        Ok(Ok(effect))
    }

    pub(super) async fn move_on(
        &self,
        delivery: &Delivery,
        to: Progress,
    ) -> Result<(), StoreError> {
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

/// Not of a first answer after an outage, whose tries count as well.
fn is_hopeless(before: &Progress, error: &DeliveryError) -> bool {
    matches!(error, DeliveryError::Forbidden(_))
        && before.attempts >= FORBIDDEN_TRIES
        && before.problem.as_ref() == Some(&error.to_string())
}
