//! The end of a conversation: what is written about it, and when the log has all of it.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, StreamExt as _};
use jiff::Timestamp;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::call::{Call, log};
use super::{CallError, Shared};
use crate::bus::{PartialSignal, Signal};
use crate::domain::{ConversationId, NewEvent, TenantId};
use crate::flow::author::OnGrowth;
use crate::store::codec;

/// `conversation.ended` waits so long for the wrap-up, so that whoever follows the call until then
/// has it. The finals don't wait: they are on their way to the log by then.
const WRAP_UP_PATIENCE: Duration = Duration::from_millis(300);
/// A wrap-up that isn't there after so long is given up.
const WRAP_UP_LIMIT: Duration = Duration::from_secs(10);

impl Call {
    /// Waits until the log has all of it.
    pub async fn settle(
        mut self,
        stored: JoinHandle<Result<(), CallError>>,
    ) -> Result<(), CallError> {
        if let Some(late) = self.late.take() {
            self.finish_wrap_up(late, WRAP_UP_LIMIT).await;
        }
        let logged = self.logged.take();
        drop(self.to_log);
        drop(self.place);
        let broken = |_| Err(CallError::Store("the log of the call broke off".to_owned()));
        let stored = stored.await.unwrap_or_else(broken);
        if let Some(logged) = logged {
            // There may be no model that waits for it.
            let _ = logged.send(());
        }
        stored
    }

    pub async fn wrap_up(&mut self) {
        let (Some(mut notes), Some(how)) = (self.notes.take(), &self.shared.settings.wrap_up)
        else {
            return;
        };
        let how = how.clone();
        let begun = Instant::now();
        let (logged, is_logged) = oneshot::channel();
        self.logged = Some(logged);
        let (shared, tenant, id) = (Arc::clone(&self.shared), self.tenant.clone(), self.id.clone());
        let plain = self.shared.tasks.spawn(async move {
            notes.judge(shared.store.as_ref(), &tenant, &id).await;
            let meaning = shared.meaning(notes.take_vectors());
            let closed = notes.close(&how.time_zone, meaning, &shared.library);
            if how.asks_a_model() {
                let on_growth = shows(&shared, &tenant, &id);
                let by_model = closed.clone().by_model(tenant.clone(), how.clone(), on_growth);
                let shared_too = Arc::clone(&shared);
                shared.tasks.spawn(improve(shared_too, tenant, id.clone(), by_model, is_logged));
            }
            let drafting = tokio::task::spawn_blocking(move || closed.plain(&how));
            // With what it panicked is told nowhere: that may be what a customer said.
            let drafts = drafting.await.unwrap_or_else(|_| {
                tracing::error!(conversation.id = %id, "the wrap-up failed, which is a bug");
                Vec::new()
            });
            metrics::histogram!("backchannel_wrapup_seconds").record(begun.elapsed());
            drafts
        });
        self.finish_wrap_up(plain, WRAP_UP_PATIENCE).await;
    }

    /// Logs what was written, or keeps the work for later when it isn't done yet.
    async fn finish_wrap_up(&mut self, mut work: JoinHandle<Vec<NewEvent>>, patience: Duration) {
        match tokio::time::timeout(patience, &mut work).await {
            Ok(Ok(drafts)) => {
                for draft in drafts {
                    log(&self.to_log, &self.id, draft).await;
                }
            }
            Ok(Err(_)) => {
                tracing::error!(conversation.id = %self.id, "the wrap-up failed, which is a bug");
            }
            Err(_) => self.late = Some(work),
        }
    }
}

/// Logs what a model wrote instead of what is there without it. Nobody waits for a model: the plain
/// drafts are in the log before, so that nothing is lost when the service dies meanwhile.
async fn improve(
    shared: Arc<Shared>,
    tenant: TenantId,
    id: ConversationId,
    by_model: impl Stream<Item = Vec<NewEvent>>,
    is_logged: oneshot::Receiver<()>,
) {
    let mut by_model = pin!(by_model);
    let mut is_logged = Some(is_logged);
    loop {
        let events = tokio::select! {
            events = by_model.next() => events,
            () = shared.stop.cancelled() => None,
        };
        let Some(events) = events else { return };
        if let Some(is_logged) = is_logged.take() {
            // An error says that the call is gone, and with it whatever would have come before.
            let _ = is_logged.await;
        }
        if !events.is_empty()
            && let Err(error) = shared.append(&tenant, &id, &events).await
        {
            tracing::error!(conversation.id = %id, %error, "a model's drafts were lost");
        }
    }
}

/// Streams what a model has written until now.
pub(super) fn shows(shared: &Arc<Shared>, tenant: &TenantId, id: &ConversationId) -> OnGrowth {
    let (bus, tenant, conversation) = (Arc::clone(&shared.bus), tenant.clone(), id.clone());
    Arc::new(move |wrapup_id, so_far| {
        bus.publish(Signal::Partial(Arc::new(PartialSignal {
            tenant: tenant.clone(),
            conversation: conversation.clone(),
            time: Timestamp::now(),
            kind: codec::WRAPUP_GROWING,
            data: codec::growing_data(wrapup_id, so_far),
        })));
    })
}
