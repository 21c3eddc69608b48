//! What happens because time passes: overflow, wider circles, shifts, the end of a day, the cycle of records.

use std::collections::HashSet;

use super::Desk;
use super::arrive::Entry;
use super::io::{Output, Unanswered};
use super::items::{Item, Place};
use crate::domain::RoutingMode;
use crate::routing::overflow::{self, BATCH, BATCH_MS};
use crate::routing::plan::{Action, After, Channel};

/// What a cycle left because of its block is tried again after so long.
const BACKLOG_MS: u64 = 1000;

/// Records are tried anew so often.
const RECORDS_MS: u64 = 5 * 60_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// An item has waited for as long as its queue allows. `number` tells it from another one in its place.
    Overflow {
        item: u32,
        number: u64,
    },
    /// More agents may take an item now.
    Again {
        item: u32,
        number: u64,
    },
    /// An offer has stood for as long as its queue allows.
    Unanswered {
        item: u32,
        number: u64,
    },
    Shift(u32),
    Day(u32),
    Backlog,
    Records,
    /// The next minute of items that overflow in batches.
    Batch,
}

impl Desk {
    pub(super) fn tick(&mut self, now_ms: u64) {
        let mut due = Vec::new();
        for (at, number) in std::mem::take(&mut self.put_back) {
            self.wait_for_answer(at, number, now_ms);
        }
        while let Some((at_ms, timer)) =
            self.timers.first().copied().filter(|(at_ms, _)| *at_ms <= now_ms)
        {
            self.timers.remove(&(at_ms, timer));
            match timer {
                Timer::Overflow { item, number } => {
                    due.extend(self.overflows_now(item, number, now_ms))
                }
                Timer::Again { item, number } => self.again(item, number, now_ms),
                Timer::Shift(agent) => {
                    if self.see_shift(agent, now_ms) {
                        self.freed.push(agent);
                    }
                }
                Timer::Day(agent) => self.end_day(agent),
                Timer::Unanswered { item, number } => self.unanswered(item, number, now_ms),
                Timer::Backlog => self.sees_to_backlog = false,
                Timer::Records => self.records(now_ms),
                Timer::Batch => {}
            }
        }
        self.overflow_in_batches(due, now_ms);
        let backlog = std::mem::take(&mut self.backlog);
        self.due.extend(backlog);
    }

    fn waiting(&self, at: u32, number: u64) -> bool {
        self.items.get(at).is_some_and(|item| item.number == number && item.place == Place::Waiting)
    }

    /// (wait, queue, item), when an item is really due: it may have gone, or have entered another queue since.
    fn overflows_now(&mut self, at: u32, number: u64, now_ms: u64) -> Option<(u64, u32, u32)> {
        if !self.waiting(at, number) {
            return None;
        }
        let item = self.items.of(at);
        let (_, after) = self.next_overflow(item)?;
        (item.queued_ms + after.wait_ms <= now_ms).then_some((after.wait_ms, item.queue, at))
    }

    /// The wait of its queue that acts next on an item.
    pub(super) fn next_overflow(&self, item: &Item) -> Option<(usize, &After)> {
        let queue = &self.plan.queues[item.queue as usize];
        overflow::next_after(queue, item.moved, item.overflowed)
    }

    /// Sees to it that an item that waits overflows in time.
    pub(super) fn wait_for_overflow(&mut self, at: u32) {
        let item = self.items.of(at);
        let due_ms = self.next_overflow(item).map(|(_, after)| item.queued_ms + after.wait_ms);
        let timer = Timer::Overflow { item: at, number: item.number };
        self.timers.extend(due_ms.map(|due_ms| (due_ms, timer)));
    }

    fn overflow_in_batches(&mut self, due: Vec<(u64, u32, u32)>, now_ms: u64) {
        // An item that was moved and came back has two timers.
        let mut seen = HashSet::new();
        let due: Vec<_> = due.into_iter().filter(|(_, _, at)| seen.insert(*at)).collect();
        if due.is_empty() {
            return;
        }
        if now_ms >= self.overflows.0 + BATCH_MS {
            self.overflows = (now_ms, 0);
        }
        let room = BATCH - self.overflows.1.min(BATCH);
        let waiting = due.clone();
        let batch = overflow::batch(due, room);
        self.overflows.1 += batch.len();
        if batch.len() < waiting.len() {
            let next_ms = self.overflows.0 + BATCH_MS;
            for (_, _, at) in waiting.iter().filter(|(_, _, at)| !batch.contains(at)) {
                let number = self.items.of(*at).number;
                self.timers.insert((next_ms, Timer::Overflow { item: *at, number }));
            }
            self.timers.insert((next_ms, Timer::Batch));
        }
        batch.into_iter().for_each(|at| self.overflow_after(at, now_ms));
    }

    fn overflow_after(&mut self, at: u32, now_ms: u64) {
        let item = self.items.of(at);
        let queue = item.queue;
        let Some((place, after)) = self.next_overflow(item) else { return };
        let action = after.action.clone();
        let why = format!("it has waited for more than {} s", after.wait_ms / 1000);
        self.items.of_mut(at).overflowed = place + 1;
        self.overflowed(at, queue, &action, true, &why, now_ms);
        match action {
            Action::Queue(other) => {
                self.step_out(at);
                let from = &self.plan.queues[queue as usize].name;
                let why = format!("it overflowed from `{from}`: {why}");
                self.enter(at, other, Entry::moved(why), now_ms);
            }
            // It keeps its place; the customer needn't hold the line.
            Action::Callback | Action::QueueAnyway => {
                self.items.of_mut(at).callback = true;
                self.wait_for_overflow(at);
            }
            // Another router has the item: only what it would come to is told. Here it would be gone.
            _ if self.plan.mode != RoutingMode::Active => {
                self.items.of_mut(at).overflowed = self.plan.queues[queue as usize].after.len();
            }
            Action::End | Action::External(_) | Action::Voicemail => {
                self.step_out(at);
                self.forget(at);
            }
        }
    }

    fn again(&mut self, at: u32, number: u64, now_ms: u64) {
        if !self.waiting(at, number) {
            return;
        }
        let item = self.items.of(at);
        let tried_ms = item.tried_ms.unwrap_or(now_ms);
        if let Some(levels) = &self.plan.queues[item.queue as usize].bullseye
            && let Some(widens_ms) =
                crate::routing::bullseye::widens_ms(levels, now_ms.saturating_sub(tried_ms))
        {
            self.timers.insert((tried_ms + widens_ms, Timer::Again { item: at, number }));
        }
        self.new_items.push(at);
    }

    /// Sees to it that an offer which nobody answers goes on, `from_ms` being when it was made.
    pub(super) fn wait_for_answer(&mut self, at: u32, number: u64, from_ms: u64) {
        let Some(item) = self.items.get(at).filter(|item| item.number == number) else { return };
        if let Some(within_ms) = self.plan.queues[item.queue as usize].answer_within_ms {
            self.timers.insert((from_ms + within_ms, Timer::Unanswered { item: at, number }));
        }
    }

    fn unanswered(&mut self, at: u32, number: u64, now_ms: u64) {
        let Some(item) = self.items.get(at).filter(|item| item.number == number) else { return };
        let within_ms = self.plan.queues[item.queue as usize].answer_within_ms;
        let (Place::Offered { agent }, Some(within_ms)) = (&item.place, within_ms) else { return };
        // It may have been offered to somebody else since.
        let agent = *agent;
        if item.assigned_ms.is_none_or(|offered_ms| offered_ms + within_ms > now_ms) {
            return;
        }
        let within_s = within_ms as f64 / 1000.0;
        let name =
            self.plan.agents.get(agent as usize).map_or("nobody", |agent| agent.name.as_str());
        let why = format!("{name} didn't answer within {within_s} s");
        self.goes_unanswered(at, agent, why, now_ms);
    }

    /// Tells that an offer wasn't taken, and makes it anew.
    fn goes_unanswered(&mut self, at: u32, agent: u32, why: String, now_ms: u64) {
        let item = self.items.of_mut(at);
        if let Some(agent) = self.plan.agents.get(agent as usize) {
            item.unanswered = Some(why.clone());
            let (item, agent) = (item.id.clone(), agent.name.clone());
            self.tell(Output::Unanswered(Unanswered { item, agent, why, at_ms: now_ms }));
        }
        self.put_back_in_line(at, agent, now_ms);
    }

    /// What was offered to an agent who has gone offline is offered to somebody else: nobody is left to answer.
    pub(super) fn take_back_offers(&mut self, agent: u32, now_ms: u64) {
        let offered = Place::Offered { agent };
        let theirs = self.items.all().filter(|(_, item)| item.place == offered);
        let theirs: Vec<u32> = theirs.map(|(at, _)| at).collect();
        for at in theirs {
            let name = &self.plan.agents[agent as usize].name;
            let why = format!("{name} went offline without an answer");
            self.goes_unanswered(at, agent, why, now_ms);
        }
    }

    /// Sees to it that what a block left is tried soon, while somebody is free who may take it.
    pub(super) fn see_to_backlog(&mut self, now_ms: u64) {
        let is_served = |queue: &u32| self.members_of[*queue as usize].ready > 0;
        if !self.sees_to_backlog && self.backlog.iter().any(is_served) {
            self.sees_to_backlog = true;
            self.timers.insert((now_ms + BACKLOG_MS, Timer::Backlog));
        }
    }

    /// Sees to it that waiting records are tried again.
    pub(super) fn see_to_records(&mut self, now_ms: u64) {
        if !std::mem::replace(&mut self.sees_to_records, true) {
            self.timers.insert((now_ms + RECORDS_MS, Timer::Records));
        }
    }

    fn records(&mut self, now_ms: u64) {
        self.sees_to_records = false;
        let is_record = |queue: &usize| self.plan.queues[*queue].channel == Channel::Record;
        let waiting: Vec<usize> = (0..self.lines.len())
            .filter(is_record)
            .filter(|queue| self.lines[*queue].len() > 0)
            .collect();
        if !waiting.is_empty() {
            self.due.extend(waiting.into_iter().map(|queue| queue as u32));
            self.see_to_records(now_ms);
        }
    }
}
