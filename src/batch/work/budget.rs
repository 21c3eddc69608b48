//! What a batch may use, what it has used, and who is writing at this moment.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use crate::batch::part::{Record, Sums, Used};
use crate::batch::run::{Caps, Tally};

pub(super) struct Budget {
    caps: Caps,
    tally: Arc<Tally>,
    /// What was used and isn't in the journals yet. Held while it goes there, so that a cap sees each
    /// conversation once.
    unbooked: Mutex<Used>,
    desk: watch::Sender<Desk>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Desk {
    under_way: u64,
    /// How often one that was under way gave back what it held and didn't use.
    gave_back: u64,
}

impl Budget {
    pub(super) fn new(caps: Caps, tally: Arc<Tally>) -> Self {
        Self { caps, tally, unbooked: Mutex::default(), desk: watch::Sender::default() }
    }

    pub(super) fn book(&self, used: Used) {
        let mut unbooked = self.unbooked.lock().unwrap_or_else(PoisonError::into_inner);
        *unbooked = unbooked.plus(used);
    }

    /// `before` was counted when it was used.
    pub(super) fn count(&self, record: &Record, before: Used) {
        let mut sums = Sums::default();
        sums.add(record);
        sums.tokens = sums.tokens.saturating_sub(before.tokens);
        sums.cost_micros = sums.cost_micros.saturating_sub(before.cost_micros);
        let mut unbooked = self.unbooked.lock().unwrap_or_else(PoisonError::into_inner);
        unbooked.tokens = unbooked.tokens.saturating_sub(sums.tokens);
        unbooked.cost_micros = unbooked.cost_micros.saturating_sub(sums.cost_micros);
        self.tally.add(sums);
    }

    /// What is being written at this moment isn't counted yet: a cap is overrun by so much at most.
    pub(super) fn is_used_up(&self) -> bool {
        let unbooked = self.unbooked.lock().unwrap_or_else(PoisonError::into_inner);
        let sums = self.tally.sums();
        let sums = unbooked.plus(Used { tokens: sums.tokens, cost_micros: sums.cost_micros });
        drop(unbooked);
        let is_over = |cap: Option<u64>, used: u64| cap.is_some_and(|cap| used >= cap);
        is_over(self.caps.tokens, sums.tokens) || is_over(self.caps.cost_micros, sums.cost_micros)
    }

    pub(super) fn begin(&self) -> UnderWay<'_> {
        let mut seen = 0;
        self.desk.send_modify(|desk| {
            desk.under_way += 1;
            seen = desk.gave_back;
        });
        UnderWay { desk: &self.desk, seen, was_refused: false }
    }

    /// What is under way holds back more than it will use. Waits for the next of it to end; false
    /// when there is none, and nothing will come back. Who was refused asks from when it began: what
    /// came back meanwhile may be what it lacked.
    pub(super) async fn others_give_back(&self, seen: u64) -> bool {
        let mut desk = self.desk.subscribe();
        let told = desk.wait_for(|desk| desk.gave_back != seen || desk.under_way == 0).await;
        // The sender lives as long as `self`.
        told.is_ok_and(|desk| desk.gave_back != seen)
    }
}

/// A conversation that is being written about, until this is dropped: also by a panic or a stop.
pub(super) struct UnderWay<'a> {
    desk: &'a watch::Sender<Desk>,
    seen: u64,
    was_refused: bool,
}

impl UnderWay<'_> {
    /// Whoever was refused gives nothing back: to wake the others for it would go on for ever.
    /// Tells from when on something may have come back.
    pub(super) fn end(mut self, was_refused: bool) -> u64 {
        self.was_refused = was_refused;
        self.seen
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        // One change: whoever sees nobody under way sees what the last of them gave back, too.
        self.desk.send_modify(|desk| {
            desk.under_way -= 1;
            desk.gave_back += u64::from(!self.was_refused);
        });
    }
}
