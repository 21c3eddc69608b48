//! What goes along at a hand-over, from the conversation's events.

use crate::domain::{ConversationId, TenantId};
use crate::routing::context::Board;
use crate::routing::pack::{Pack, brief as in_short};
use crate::store::wire::HandOverPack;
use crate::store::{KindFilter, MAX_READ, ReadQuery, Store, StoreError};

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
    let mut query = ReadQuery::all(tenant.clone(), 0).of(id.clone());
    query.kinds = KindFilter::parse(KINDS).expect("the kinds are a constant; this is a bug");
    let (mut pack, mut is_there) = (Pack::default(), false);
    loop {
        let page = store.read(&query).await?;
        is_there |= !page.is_empty();
        for event in &page {
            if let Err(error) = pack.apply(event) {
                tracing::error!(%error, "an event is missing in a hand-over");
            }
        }
        query.after = page.last().map_or(query.after, |event| event.position);
        if page.len() < MAX_READ {
            return Ok(is_there.then_some(pack));
        }
    }
}

/// What it is about, in so many characters at most; none where nothing was said yet.
pub(super) async fn brief(
    store: &dyn Store,
    tenant: &TenantId,
    id: &ConversationId,
    max_chars: usize,
) -> Option<String> {
    match read(store, tenant, id).await {
        Ok(pack) => {
            let brief = in_short(&pack?.told(id, None, 0), max_chars);
            (!brief.is_empty()).then_some(brief)
        }
        Err(error) => {
            // A recommendation without it is better than none.
            tracing::warn!(%error, "a recommendation says nothing of what it is about");
            None
        }
    }
}

/// The pack with what was promised before.
pub(super) fn told(pack: &Pack, id: &ConversationId, board: &Board, now_ms: u64) -> HandOverPack {
    pack.told(id, Some(board), now_ms)
}
