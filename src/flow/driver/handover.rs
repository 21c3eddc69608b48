//! Somebody comes into a call that is under way, or a bot gives up: what was said so far is written down for whoever
//! goes on.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Shared;
use super::appender::Entry;
use super::call::{Call, log};
use super::ending::shows;
use super::wrapup::{Notes, event};
use crate::domain::{ConversationId, NewEvent, Party, TenantId, WrapUpId};
use crate::flow::wrapup::DispositionMeaning;

impl Call {
    pub fn brief(&mut self, joined: &Party) {
        if self.notes.as_ref().is_some_and(|notes| notes.is_news_to(joined)) {
            self.write_hand_over();
        }
    }

    /// A category holds. Where it says that a bot gives up, whoever comes next finds what it tried when they come.
    pub fn escalated(&mut self, category: &str) {
        if self.shared.settings.bots.are_left_by(category)
            && self.notes.as_ref().is_some_and(Notes::is_with_bot)
        {
            self.write_hand_over();
        }
    }

    /// Nothing waits for it: neither the call, nor its log, nor its end.
    fn write_hand_over(&mut self) {
        let (Some(notes), Some(how)) = (&self.notes, &self.shared.settings.wrap_up) else { return };
        // Whoever joined before is told by what was written without a model.
        self.briefing.cancel();
        self.briefing = CancellationToken::new();
        let superseded = self.briefing.clone();
        let begun = Instant::now();
        let (mut notes, how) = (notes.clone(), how.clone());
        let (shared, tenant, id) = (Arc::clone(&self.shared), self.tenant.clone(), self.id.clone());
        // The log of a call ends when nobody can write to it any more, and must not wait for this.
        let to_log = self.to_log.downgrade();
        // It tells when it was written for: whatever is asked for later takes its place, and stays.
        let stem = WrapUpId::fresh();
        self.shared.tasks.spawn(async move {
            notes.judge(shared.store.as_ref(), &tenant, &id).await;
            let closed =
                notes.close(&how.time_zone, DispositionMeaning::default(), &shared.library);
            let order = closed.hand_over(tenant.clone(), &how, stem);
            let plain = {
                let (closed, order) = (closed.clone(), order.clone());
                tokio::task::spawn_blocking(move || closed.plain_draft(&order))
            };
            let plain = plain.await.unwrap_or_else(|_| {
                tracing::error!(conversation.id = %id, "the hand-over failed");
                Vec::new()
            });
            metrics::histogram!("backchannel_handover_seconds").record(begun.elapsed());
            add(&shared, &tenant, &id, &to_log, plain.into_iter().map(event).collect()).await;
            if !how.author.has_model_for(&order.draft) {
                return;
            }
            let on_growth = shows(&shared, &tenant, &id);
            let written = tokio::select! {
                written = how.author.write_aloud(&order, &on_growth) => written,
                () = shared.stop.cancelled() => return,
                () = superseded.cancelled() => return,
            };
            let drafts = written.into_iter().flat_map(|drafted| drafted.drafts);
            let events = drafts.filter(super::wrapup::is_of_model).map(event).collect();
            add(&shared, &tenant, &id, &to_log, events).await;
        });
    }
}

/// In the call's own order while it lasts.
async fn add(
    shared: &Shared,
    tenant: &TenantId,
    id: &ConversationId,
    to_log: &mpsc::WeakSender<Entry>,
    events: Vec<NewEvent>,
) {
    if let Some(to_log) = to_log.upgrade() {
        for event in events {
            log(&to_log, id, event).await;
        }
    } else if !events.is_empty()
        && let Err(error) = shared.append(tenant, id, &events).await
    {
        tracing::error!(conversation.id = %id, %error, "a hand-over was lost");
    }
}
