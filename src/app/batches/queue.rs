//! Batches in their turn: one runs, those in whose way something stands come again later.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::record::{End, Record, items_path, output};
use super::{BatchDoor, NoRecordings, Progress, Running, Waits, guard};
use crate::app::batch_writer;
use crate::batch::{
    Batch, BatchError, BatchOrder, Caps, Ending, Halt, Inputs, Means, Opened, Share, Sums, What,
    WritingOrder, on_a_thread,
};
use crate::domain::{Classify as _, TenantId};
use crate::models::LoadLevel;

/// A batch that gets nowhere is tried ever more seldom: what is in its way may cost each time.
const PAUSE_MAX: Duration = Duration::from_secs(3_600);

/// What becomes of a batch that doesn't run any more.
enum After {
    Over(End),
    /// It goes on by itself when what stands in its way has passed.
    Later(Progress),
}

impl BatchDoor {
    pub(super) async fn work_off(self: Arc<Self>, mut orders: mpsc::UnboundedReceiver<String>) {
        let stop = self.around.stop.clone();
        let mut later: BTreeSet<(Instant, String)> = BTreeSet::new();
        loop {
            let due = later.first().map(|(at, _)| *at);
            let id = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = until(due) => {
                    // Behind the others: it has had its turn.
                    if let Some((_, id)) = later.pop_first() {
                        let _ = self.queue.send(id);
                    }
                    continue;
                }
                id = orders.recv() => match id { Some(id) => id, None => return },
            };
            let stop_one = stop.child_token();
            // Before its record is looked at: whoever cancels it notes that first, and stops it then.
            *guard(&self.running) =
                Some(Running { id: id.clone(), tally: None, stop: stop_one.clone() });
            let Some(record) = self.open_record(&id) else {
                *guard(&self.running) = None;
                self.is_over(&id).await;
                continue;
            };
            let ended = self.one(&id, &record, stop_one).await;
            let sums = guard(&self.running)
                .as_ref()
                .and_then(|running| running.tally.as_ref())
                .map(|tally| (tally.total(), tally.sums()))
                .unwrap_or_default();
            if stop.is_cancelled() {
                return;
            }
            if let Err(error) = &ended {
                tracing::error!(batch = %id, %error, "a batch failed");
            }
            match after(ended, sums) {
                After::Later(progress) => {
                    let pause = self.waits(&id, progress);
                    *guard(&self.running) = None;
                    later.insert((Instant::now() + pause, id.clone()));
                }
                After::Over(end) => {
                    *guard(&self.running) = None;
                    self.note_end(&id, end).await;
                }
            }
            // Also of one that was cancelled at the last moment.
            if self.open_record(&id).is_none() {
                self.is_over(&id).await;
            }
        }
    }

    /// Notes what stands in its way, and tells how long nobody looks at it.
    fn waits(&self, id: &str, progress: Progress) -> Duration {
        let mut waiting = guard(&self.waiting);
        let usual = self.around.retry_after;
        let pause = match waiting.get(id) {
            Some(before) if before.progress.done() >= progress.done() => {
                before.pause.saturating_mul(2).min(PAUSE_MAX).max(usual)
            }
            _ => usual,
        };
        tracing::warn!(batch = %id, why = %progress.detail, ?pause, "a batch waits");
        waiting.insert(id.to_owned(), Waits { progress, pause });
        pause
    }

    async fn one(
        &self,
        id: &str,
        record: &Record,
        stop: CancellationToken,
    ) -> Result<Ending, BatchError> {
        let order = self.order(id, record);
        let tenant = TenantId::from(record.tenant.as_str());
        let means = Means {
            zone: self.around.zone.clone(),
            recogniser: Arc::new(NoRecordings),
            store: Some((Arc::clone(&self.around.store), tenant.clone())),
        };
        let summarizer = batch_writer(
            &self.around.author,
            &self.around.generation,
            &self.around.settings,
            tenant,
        );
        match on_a_thread(move || Batch::open(order, summarizer, means)).await? {
            Opened::Complete(sums) => Ok(Ending::Complete(sums)),
            Opened::Ready(batch) => {
                if let Some(running) = guard(&self.running).as_mut() {
                    running.tally = Some(batch.tally());
                }
                batch.run(stop).await
            }
        }
    }

    fn order(&self, id: &str, record: &Record) -> BatchOrder {
        let folder = self.folder.join(id);
        let wanted = &record.wanted;
        let inputs = match &record.ids {
            Some(ids) => Inputs::Stored(ids.clone()),
            None => Inputs::Files(vec![items_path(&folder)]),
        };
        let speech = Arc::clone(&self.around.speech);
        BatchOrder {
            inputs,
            output: output(&folder, wanted.format),
            format: wanted.format,
            writing: WritingOrder {
                drafts: What::drafts(&wanted.what),
                seed: wanted.seed,
                job: id.into(),
            },
            concurrency: None,
            caps: Caps { tokens: wanted.budget_tokens, cost_micros: None },
            share: Share::Low(Arc::new(move || speech.level() != LoadLevel::Normal)),
            give_up: false,
        }
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

fn after(ended: Result<Ending, BatchError>, (total, sums): (u64, Sums)) -> After {
    let (state, detail, sums) = match ended {
        Ok(Ending::Complete(sums)) => ("done", None, sums),
        Ok(Ending::Stopped { why: Halt::Asked, sums }) => ("cancelled", None, sums),
        Ok(Ending::Stopped { why: Halt::Budget, sums }) => {
            ("stopped", Some("its budget is used up".to_owned()), sums)
        }
        Ok(Ending::Stopped { why: Halt::Unavailable(detail), sums }) => {
            return After::Later(Progress { detail, total, sums });
        }
        Err(error) if error.kind().is_retryable() => {
            return After::Later(Progress { detail: error.without_paths(), total, sums });
        }
        Err(error) => ("failed", Some(error.without_paths()), sums),
    };
    After::Over(End::new(state, detail, total, sums))
}
