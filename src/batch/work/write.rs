//! One conversation is written about: in its turn, within the budget, as often as it takes.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::FutureExt as _;
use jiff::Timestamp;
use tokio::sync::SemaphorePermit;

use super::{Became, Halt, Unfinished, Work, failed, record, waiting};
use crate::batch::conversation::Conversation;
use crate::batch::input::Place;
use crate::batch::output::{self, Worked};
use crate::batch::part::{Outcome, Used};
use crate::batch::run::Share;
use crate::batch::summarizer::{NotSummarized, SoFar};
use crate::domain::WrapUp;
use crate::models::Payer;

/// A conversation that its writer can't write about now is tried again after so long.
const RETRY_AFTER: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(2)];
/// A conversation waits so often until a provider that is left alone is asked again.
const RESTS_MAX: u32 = 3;
/// When so many in a row can't be read or written about now, the batch waits for people.
const STREAK_MAX: u32 = 16;
/// Between two looks whether others still have more urgent work.
const BUSY_LOOK: Duration = Duration::from_millis(200);

impl Work {
    pub(super) async fn write(
        &self,
        number: u32,
        place: &Place,
        conversation: &Conversation,
        input_sha256: &str,
        before: Used,
    ) -> Result<Became, Unfinished> {
        let mut so_far = SoFar::default();
        let mut tries = RETRY_AFTER.iter();
        // Whoever would rather have an error than wait gets it.
        let mut rests = 0..if self.of.order.give_up { 0 } else { RESTS_MAX };
        loop {
            let writing = match self.turn_to_write().await {
                Err(Unfinished::Halted) => return stopped(number, &so_far),
                permit => permit?,
            };
            let started = Timestamp::now();
            let used_before = so_far.used();
            let under_way = self.budget.begin();
            let written = tokio::select! {
                biased;
                () = self.over.cancelled() => None,
                written = self.attempt(conversation, &mut so_far) => Some(written),
            };
            // What was under way is gone by now, and has said what it used.
            self.budget.book(so_far.used().minus(used_before));
            let whose = match &written {
                Some(Err(error)) => error.payer().cloned(),
                _ => None,
            };
            let seen = under_way.end(whose.is_some());
            drop(writing);
            let error = match written {
                None => return stopped(number, &so_far),
                Some(Ok(wrap_ups)) => {
                    self.streak.store(0, Ordering::Relaxed);
                    let line = output::written(self.of.order.format, conversation, &wrap_ups);
                    let (finished, taken) = (Timestamp::now(), so_far.meter.read());
                    let (tokens, cost_micros) = (taken.tokens, taken.micros);
                    let worked = Worked { started, finished, tokens, cost_micros };
                    let seed = self.of.order.writing.seed;
                    let provenance = output::provenance(
                        place,
                        conversation,
                        input_sha256,
                        &line,
                        &wrap_ups,
                        seed,
                        worked,
                    );
                    let outcome = Outcome::Written { output: line, provenance };
                    return Ok(Became::Final(record(number, before.plus(so_far.used()), outcome)));
                }
                Some(Err(error)) => error,
            };
            if let Some(whose) = whose {
                let comes_back = tokio::select! {
                    () = self.closing.cancelled() => false,
                    comes_back = self.budget.others_give_back(seen) => comes_back,
                };
                if comes_back {
                    continue;
                }
                if !self.closing.is_cancelled() {
                    self.stop_for(Ok(match whose {
                        Payer::Job(_) => Halt::Budget,
                        Payer::Tenant(_) => Halt::Unavailable(error.to_string()),
                    }));
                }
                return Ok(Became::Waiting(waiting(number, so_far.used()), error.to_string()));
            }
            let may_pass = error.may_pass();
            // To ask one that is left alone is no try, and no rest either while another conversation finds out
            // whether it is back.
            let rest = error.rests_for().filter(|rest| {
                !self.of.order.give_up && (rest.is_zero() || rests.next().is_some())
            });
            let rest = rest.map(|rest| rest.max(RETRY_AFTER[0]));
            let pause = rest.or_else(|| tries.next().copied()).filter(|_| may_pass);
            let Some(pause) = pause else {
                if may_pass && !self.of.order.give_up {
                    return Ok(self.waiting(number, so_far.used(), error.to_string()));
                }
                let line = output::unwritten(place, &conversation.id, &error);
                return Ok(Became::Final(failed(number, line, before.plus(so_far.used()))));
            };
            tokio::select! {
                () = self.closing.cancelled() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// One try.
    async fn attempt(
        &self,
        conversation: &Conversation,
        so_far: &mut SoFar,
    ) -> Result<Vec<WrapUp>, NotSummarized> {
        let (material, circumstances) = (&conversation.material, &conversation.circumstances);
        let order = &self.of.order.writing;
        let written = self.of.summarizer.write(material, circumstances, order, so_far);
        // Sound: nobody asks the writer's future again, and of what outlives it the meter is only
        // ever added to and a draft is put down whole.
        AssertUnwindSafe(written).catch_unwind().await.unwrap_or(Err(NotSummarized::Bug))
    }

    /// Something that passes was in the way; when it doesn't pass, the batch stops.
    pub(super) fn waiting(&self, number: u32, used: Used, why: String) -> Became {
        let streak = self.streak.fetch_add(1, Ordering::Relaxed) + 1;
        if streak >= STREAK_MAX {
            self.stop_for(Ok(Halt::Unavailable(why.clone())));
        }
        Became::Waiting(waiting(number, used), why)
    }

    async fn turn_to_write(&self) -> Result<SemaphorePermit<'_>, Unfinished> {
        let permit = self.permit(&self.writing, 1).await?;
        self.wait_for_others().await;
        if self.budget.is_used_up() {
            self.stop_for(Ok(Halt::Budget));
            return Err(Unfinished::Halted);
        }
        Ok(permit)
    }

    async fn wait_for_others(&self) {
        let Share::Low(is_busy) = &self.of.order.share else { return };
        while is_busy() && !self.closing.is_cancelled() {
            tokio::time::sleep(BUSY_LOOK).await;
        }
    }
}

/// What was used is noted all the same.
fn stopped(number: u32, so_far: &SoFar) -> Result<Became, Unfinished> {
    match so_far.used() {
        used if used == Used::default() => Err(Unfinished::Halted),
        used => Ok(Became::Waiting(waiting(number, used), "stopped".to_owned())),
    }
}
