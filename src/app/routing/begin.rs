//! A start: what the log has, read before anything is decided.

use std::collections::HashSet;
use std::sync::Arc;

use super::RoutingSurroundings;
use super::actor::{AGAIN, kinds};
use super::floor::{Floor, How};
use super::ledger::{self, Ledger};
use crate::domain::{ConversationId, Recorded, TenantId};
use crate::routing::context::ContextSettings;
use crate::store::{
    ConversationState, KindFilter, ListQuery, MAX_READ, ReadQuery, Store, StoreError, codec,
};

/// Of what was before the start, so much of the log is read for what conversations say and agents have done.
const BEFORE_MAX: u64 = 200_000;
const CONVERSATIONS_A_PAGE: usize = 200;
const AUDIO: &str = "audio.started";

/// What a start has read.
pub(super) struct Begun {
    pub floor: Floor,
    pub ledger: Ledger,
    pub missed: Missed,
    /// Up to where the log is known.
    pub position: u64,
}

/// What conversations told while nobody heard it.
#[derive(Default)]
pub(super) struct Missed {
    /// Conversations of open items that have ended.
    pub over: Vec<ConversationId>,
    /// Beginnings of conversations that became no item, and agents who came into one.
    pub heard: Vec<Arc<Recorded>>,
}

/// Reads what was before, for as long as that takes. `since_ms`: when this was begun, in unix milliseconds; what came
/// before that and had no plan was nobody's work.
pub(super) async fn begin(
    how: &How,
    context: &ContextSettings,
    around: &RoutingSurroundings,
    since_ms: u64,
) -> Begun {
    let (tenant, store) = (&around.tenant, around.store.as_ref());
    loop {
        let read = async {
            let ledger = ledger::open(&around.folder, store, tenant).await?;
            let mut floor = Floor::new(how.clone(), context.clone());
            let position = learn(&mut floor, store, tenant).await?;
            let missed = Missing { how, ledger: &ledger, store, tenant, head: position, since_ms };
            let missed = missed.read().await?;
            Ok::<_, StoreError>(Begun { floor, ledger, missed, position })
        };
        match read.await {
            Ok(begun) => return begun,
            Err(error) => tracing::error!(%error, "the router can't read the log"),
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// Takes in what the log has, and returns up to where: what comes meanwhile is heard, and must not be learnt before.
async fn learn(floor: &mut Floor, store: &dyn Store, tenant: &TenantId) -> Result<u64, StoreError> {
    let head = store.head().await?;
    let mut query = ReadQuery::all(tenant.clone(), head.saturating_sub(BEFORE_MAX));
    query.kinds = kinds();
    loop {
        let page = store.read(&query).await?;
        for event in &page {
            if event.position > head {
                return Ok(head);
            }
            floor.learn(event);
        }
        query.after = page.last().map_or(query.after, |event| event.position);
        if page.len() < MAX_READ {
            return Ok(head);
        }
    }
}

struct Missing<'a> {
    how: &'a How,
    ledger: &'a Ledger,
    store: &'a dyn Store,
    tenant: &'a TenantId,
    head: u64,
    since_ms: u64,
}

impl Missing<'_> {
    async fn read(&self) -> Result<Missed, StoreError> {
        let mut missed = Missed::default();
        self.of_items(&mut missed).await?;
        self.of_nobody(&mut missed).await?;
        missed.heard.sort_by_key(|event| event.position);
        Ok(missed)
    }

    async fn of_items(&self, missed: &mut Missed) -> Result<(), StoreError> {
        for kept in self.ledger.items.values().filter(|kept| kept.ended_ms.is_none()) {
            let offered = &kept.offered;
            let Some(id) = offered.conversation_id.as_deref().map(ConversationId::from) else {
                continue;
            };
            let Some(row) = self.store.conversation(self.tenant, &id).await? else { continue };
            if row.state == ConversationState::Ended {
                // Work that somebody offered about a conversation of before isn't over with it.
                let ended_ms = row.ended_at.map_or(i64::MAX, |at| at.as_millisecond());
                let was_over = u64::try_from(ended_ms).is_ok_and(|ms| ms < offered.at_ms);
                if offered.by.is_none() || !was_over {
                    missed.over.push(id);
                }
            } else if !kept.is_accepted && row.last_position > kept.heard_to {
                let kinds = KindFilter::exactly(AUDIO);
                missed.heard.extend(self.events(&id, kinds, kept.heard_to).await?);
            }
        }
        Ok(())
    }

    /// Live conversations on our channels that nothing was made of, but those from before the plan.
    async fn of_nobody(&self, missed: &mut Missed) -> Result<(), StoreError> {
        let planned_at = self.ledger.planned_at.unwrap_or(0);
        let is_new = |event: &Recorded| match self.ledger.planned_at {
            Some(position) => event.position > position,
            None => u64::try_from(event.time.as_millisecond()).is_ok_and(|ms| ms >= self.since_ms),
        };
        let items = self.ledger.items.values();
        let known: HashSet<&str> =
            items.filter_map(|kept| kept.offered.conversation_id.as_deref()).collect();
        let mut query = ListQuery {
            tenant: self.tenant.clone(),
            state: Some(ConversationState::Live),
            external_id: None,
            limit: CONVERSATIONS_A_PAGE,
            after: None,
        };
        while !self.how.workstreams.is_empty() {
            let page = self.store.conversations(&query).await?;
            for row in page.items {
                let is_ours = self.how.workstreams.contains_key(&row.channel);
                if !is_ours || row.last_position <= planned_at || known.contains(row.id.as_str()) {
                    continue;
                }
                let kinds =
                    [codec::CONVERSATION_STARTED, AUDIO, codec::INSIGHT_CATEGORY, "route.*"]
                        .join(",");
                let kinds =
                    KindFilter::parse(&kinds).expect("the kinds are a constant; this is a bug");
                let events = self.events(&row.id, kinds, 0).await?;
                let is_new = events.first().is_some_and(|event| is_new(event));
                if is_new && events.iter().all(|event| !event.kind.starts_with("route.")) {
                    missed.heard.extend(events);
                }
            }
            query.after = page.next;
            if query.after.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// Not beyond what was learnt: the rest is heard.
    async fn events(
        &self,
        id: &ConversationId,
        kinds: KindFilter,
        after: u64,
    ) -> Result<Vec<Arc<Recorded>>, StoreError> {
        let mut query = ReadQuery::all(self.tenant.clone(), after).of(id.clone());
        query.kinds = kinds;
        let events = self.store.read(&query).await?.into_iter();
        Ok(events.filter(|event| event.position <= self.head).collect())
    }
}
