//! Overflow: what is done with an item when a queue is closed or too full, before it enters or while it waits.

use super::plan::{Action, After, Before, Channel, Limit, Queue};

/// Items that overflow while they wait, in a minute; what is more waits for the next batch.
pub const BATCH: usize = 20;

/// A batch's length.
pub const BATCH_MS: u64 = 60_000;

/// What is known of a queue at the moment.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    pub waiting: u32,
    /// None: nobody is there who could take anything.
    pub predicted_wait_ms: Option<u64>,
}

/// The first limit that is exceeded, with its place in the list. Hours come first, the others in their order.
pub fn before<'a>(
    queue: &Queue,
    limits: &'a [Before],
    load: Load,
    now_ms: u64,
) -> Option<&'a Before> {
    let is_over = |before: &&Before| match before.limit {
        Limit::OutOfHours => queue.hours.as_ref().is_some_and(|hours| !hours.is_open(now_ms)),
        Limit::Items(limit) => load.waiting >= limit,
        Limit::PredictedWait { wait_ms } => {
            load.predicted_wait_ms.is_none_or(|predicted_ms| predicted_ms > wait_ms)
        }
    };
    let hours_first = |before: &&Before| !matches!(before.limit, Limit::OutOfHours);
    let (closed, others): (Vec<&Before>, Vec<&Before>) =
        limits.iter().partition(|before| !hours_first(before));
    closed.into_iter().chain(others).find(is_over)
}

/// The next wait whose action is possible, with its place in the list; `done` of the list have acted already, each
/// once. Of a call that was transferred, or came by overflow, only to another queue or number: its caller has chosen,
/// or was sent, already.
pub fn next_after(queue: &Queue, was_moved: bool, done: usize) -> Option<(usize, &After)> {
    let is_possible = |(_, after): &(usize, &After)| {
        let sends_on = matches!(after.action, Action::Queue(_) | Action::External(_));
        queue.channel != Channel::Voice || !was_moved || sends_on
    };
    queue.after.iter().enumerate().skip(done).find(is_possible)
}

/// The limit in words.
pub fn told(limit: &Limit) -> String {
    match limit {
        Limit::OutOfHours => "it is out of operating hours".to_owned(),
        Limit::Items(limit) => format!("{limit} items or more are waiting"),
        Limit::PredictedWait { wait_ms } => {
            format!("the predicted wait exceeds {} s", wait_ms / 1000)
        }
    }
}

/// Of the items that are due, those of this batch: queues with a shorter wait first, queues with the same wait in
/// turn. `due` holds (the queue's wait, queue, item) in the order in which they fell due.
pub fn batch(mut due: Vec<(u64, u32, u32)>, room: usize) -> Vec<u32> {
    if due.len() > room {
        let mut turn: std::collections::HashMap<u32, u32> = std::collections::HashMap::new();
        let mut turns: Vec<(u64, u32, u32, u32)> = due
            .iter()
            .map(|(wait_ms, queue, item)| {
                let turn = turn.entry(*queue).or_insert(0);
                *turn += 1;
                (*wait_ms, *turn, *queue, *item)
            })
            .collect();
        turns.sort_by_key(|(wait_ms, turn, queue, _)| (*wait_ms, *turn, *queue));
        turns.truncate(room);
        return turns.into_iter().map(|(_, _, _, item)| item).collect();
    }
    due.drain(..).map(|(_, _, item)| item).collect()
}
