//! What goes along at a hand-over, from the conversation's events.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use crate::domain::{ConversationId, TenantId};
use crate::routing::context::Board;
use crate::routing::pack::{Pack, brief as in_short};
use crate::store::wire::HandOverPack;
use crate::store::{KindFilter, MAX_READ, ReadQuery, Store, StoreError};

/// Packs that are kept for the next recommendation about their conversation.
const KEPT_MAX: usize = 512;
const KINDS: &str = "conversation.*,audio.started,turn.final,insight.redaction,insight.intent,insight.sentiment,\
                     suggestion.*,wrapup.summary,wrapup.verdict,crm.context,route.assigned";

/// `None` when there is no such conversation.
///
/// # Errors
/// The log can't be read.
pub(super) async fn read(
    store: &dyn Store,
    tenant: &TenantId,
    id: &ConversationId,
) -> Result<Option<Pack>, StoreError> {
    let mut read = Read::default();
    read.on(store, tenant, id).await?;
    Ok((read.to > 0).then_some(read.pack))
}

/// A pack, and up to which position it goes.
#[derive(Default)]
struct Read {
    pack: Pack,
    to: u64,
}

impl Read {
    /// Reads what is new.
    async fn on(
        &mut self,
        store: &dyn Store,
        tenant: &TenantId,
        id: &ConversationId,
    ) -> Result<(), StoreError> {
        let mut query = ReadQuery::all(tenant.clone(), self.to).of(id.clone());
        query.kinds = KindFilter::parse(KINDS).expect("the kinds are a constant; this is a bug");
        loop {
            let page = store.read(&query).await?;
            for event in &page {
                if let Err(error) = self.pack.apply(event) {
                    tracing::error!(%error, "an event is missing in a hand-over");
                }
            }
            self.to = page.last().map_or(self.to, |event| event.position);
            query.after = self.to;
            if page.len() < MAX_READ {
                return Ok(());
            }
        }
    }
}

/// Packs of conversations that another router is told of: about each there are many recommendations, and only what is
/// new is read for the next. The one that was used the longest ago goes first.
#[derive(Default)]
pub(super) struct Packs(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    packs: HashMap<ConversationId, Read>,
    order: VecDeque<ConversationId>,
}

impl Packs {
    /// What it is about, in so many characters at most; none where nothing was said yet.
    pub async fn brief(
        &self,
        store: &dyn Store,
        tenant: &TenantId,
        id: &ConversationId,
        max_chars: usize,
    ) -> Option<String> {
        let mut read = self.take(id);
        let done = read.on(store, tenant, id).await;
        let brief = match &done {
            Ok(()) => in_short(&read.pack.told(id, None, 0), max_chars),
            Err(error) => {
                // A recommendation without it is better than none.
                tracing::warn!(%error, "a recommendation says nothing of what it is about");
                String::new()
            }
        };
        self.put(id, read);
        (!brief.is_empty()).then_some(brief)
    }

    fn take(&self, id: &ConversationId) -> Read {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let read = kept.packs.remove(id);
        if read.is_some() {
            kept.order.retain(|one| one != id);
        }
        read.unwrap_or_default()
    }

    fn put(&self, id: &ConversationId, read: Read) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.packs.len() >= KEPT_MAX
            && let Some(oldest) = kept.order.pop_front()
        {
            kept.packs.remove(&oldest);
        }
        kept.order.push_back(id.clone());
        kept.packs.insert(id.clone(), read);
    }
}

/// The pack with what was promised before.
pub(super) fn told(pack: &Pack, id: &ConversationId, board: &Board, now_ms: u64) -> HandOverPack {
    pack.told(id, Some(board), now_ms)
}
