//! What must survive a restart: the plan, who is there, and open work items with where each is.
//!
//! It is what the `route.*` events of the log come to. So that a start needn't read all of them, it is written to
//! `routing.json` now and then, with the position up to where it goes; the file can be deleted at any time, and is when
//! something that may stand in it is erased.

use std::collections::{BTreeMap, VecDeque};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::domain::{Decision, Recorded, RoutingMode, TenantId};
use crate::routing::desk::Counted;
use crate::store::{KindFilter, MAX_READ, ReadQuery, Store, StoreError, codec, private, wire};

const FILE: &str = "routing.json";
const VERSION: u32 = 4;
/// An assignment counts for a day, or until the agent's next shift ends: a week is more than both.
const DAYS_WORK_MS: u64 = 7 * 24 * 3_600_000;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Ledger {
    version: u32,
    pub position: u64,
    pub plan: Option<wire::RoutePlanned>,
    /// Where in the log the plan stands.
    pub planned_at: Option<u64>,
    /// By agent.
    pub presence: BTreeMap<String, String>,
    pub items: BTreeMap<String, Kept>,
    /// In the order of time.
    days_work: VecDeque<DaysWork>,
}

/// An assignment that counts until the agent's day ends, also when its item is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct DaysWork {
    work_item_id: String,
    agent: String,
    /// Capacity profiles by name.
    profiles: Vec<String>,
    at_ms: u64,
}

/// An item that isn't over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Kept {
    pub offered: wire::RouteOffered,
    /// None where nothing was told of it.
    pub queued: Option<InQueue>,
    /// None where the rules have put it into its queue.
    pub moved: Option<MovedBy>,
    pub agent: Option<String>,
    /// To whoever had it last.
    pub assigned_ms: Option<u64>,
    pub is_accepted: bool,
    /// Since when.
    pub ended_ms: Option<u64>,
    /// One for each time.
    pub declined: Vec<String>,
    /// The customer was told that they are called back.
    pub callback: bool,
    /// So many of the queue's waits have acted on it.
    pub overflowed: usize,
    pub decision: Option<Last>,
    /// What the conversation tells behind this position wasn't known when the item was moved last.
    pub heard_to: u64,
}

/// The queue that an item was put into last, and since when it is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct InQueue {
    pub queue: String,
    pub since_ms: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum MovedBy {
    Overflow,
    Transfer,
}

/// What of an item's last decision is kept; the whole stands in the log under its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Last {
    pub decision_id: String,
    pub queue: String,
    mode: String,
    epoch: u64,
    agent: Option<String>,
    pub at_ms: u64,
}

impl InQueue {
    fn of(queue: Option<String>, since_ms: u64) -> Option<Self> {
        queue.map(|queue| Self { queue, since_ms })
    }
}

impl Last {
    pub fn of(decision: &Decision) -> Self {
        Self {
            decision_id: decision.id.to_string(),
            queue: decision.queue.clone(),
            mode: decision.mode.as_str().to_owned(),
            epoch: decision.epoch,
            agent: decision.chosen.as_ref().map(|chosen| chosen.agent.clone()),
            at_ms: decision.at_ms,
        }
    }

    /// Whom it named, where nothing came of it but that.
    pub fn recommended(&self) -> Option<(&str, &Self)> {
        let agent = self.agent.as_deref().filter(|_| self.mode == RoutingMode::Shadow.as_str());
        agent.map(|agent| (agent, self))
    }

    /// Whether another one comes to the same.
    pub fn says(&self, other: &Self) -> bool {
        let key = |one: &Self| (one.queue.clone(), one.mode.clone(), one.epoch, one.agent.clone());
        key(self) == key(other)
    }
}

impl Ledger {
    /// Takes in the next event of the log.
    ///
    /// # Errors
    /// It is damaged; the ledger stays as it was.
    pub fn apply(&mut self, event: &Recorded) -> Result<(), StoreError> {
        match &*event.kind {
            codec::ROUTE_PLANNED => {
                self.plan = Some(codec::data(event)?);
                self.planned_at = Some(event.position);
            }
            codec::ROUTE_PRESENCE => {
                let set: wire::RoutePresence = codec::data(event)?;
                self.presence.insert(set.agent, set.presence);
            }
            codec::ROUTE_OFFERED => self.offered(codec::data(event)?, event.position),
            codec::ROUTE_OVERFLOWED => {
                let over: wire::RouteOverflowed = codec::data(event)?;
                if let Some(kept) = self.items.get_mut(&over.work_item_id) {
                    kept.overflowed += usize::from(over.after_queueing);
                    let calls_back = matches!(over.action.as_str(), "callback" | "queue_anyway");
                    kept.callback |= calls_back && over.after_queueing;
                    if over.action == "queue" {
                        (kept.moved, kept.overflowed) = (Some(MovedBy::Overflow), 0);
                        kept.queued = InQueue::of(over.to, over.at_ms);
                    }
                }
            }
            codec::ROUTE_QUEUED => {
                let queued: wire::RouteQueued = codec::data(event)?;
                if let Some(kept) = self.items.get_mut(&queued.work_item_id) {
                    kept.callback = queued.callback;
                    // By what was learned, it may be in another queue. Of another plan, it is told of the same one.
                    let stays = kept.queued.as_ref().is_some_and(|at| at.queue == queued.queue);
                    if !stays {
                        kept.overflowed = 0;
                        kept.queued = InQueue::of(Some(queued.queue), queued.at_ms);
                    }
                }
            }
            codec::ROUTE_RECOMMENDED => {
                let decision: wire::RouteRecommended = codec::data(event)?;
                if let Some(kept) = self.items.get_mut(&decision.work_item_id) {
                    kept.decision = Some(Last {
                        decision_id: decision.decision_id,
                        queue: decision.queue,
                        mode: decision.mode,
                        epoch: decision.epoch,
                        agent: decision.chosen.map(|chosen| chosen.agent),
                        at_ms: decision.at_ms,
                    });
                }
            }
            codec::ROUTE_ASSIGNED => {
                let assigned: wire::RouteAssigned = codec::data(event)?;
                self.undo_days_work(&assigned.work_item_id);
                self.add_days_work(&assigned);
                if let Some(kept) = self.items.get_mut(&assigned.work_item_id) {
                    // By hand: nobody is asked.
                    kept.is_accepted = assigned.by.is_some();
                    kept.assigned_ms = Some(assigned.at_ms);
                    (kept.agent, kept.ended_ms) = (Some(assigned.agent), None);
                    kept.heard_to = event.position;
                }
            }
            codec::ROUTE_MOVED => self.moved(codec::data(event)?, event.position),
            _ => {}
        }
        self.position = self.position.max(event.position);
        Ok(())
    }

    fn offered(&mut self, mut offered: wire::RouteOffered, position: u64) {
        match self.items.get_mut(&offered.work_item_id) {
            Some(kept) => {
                offered.at_ms = kept.offered.at_ms;
                kept.offered = offered;
            }
            None => {
                let kept = Kept {
                    queued: None,
                    moved: None,
                    agent: None,
                    assigned_ms: None,
                    is_accepted: false,
                    ended_ms: None,
                    declined: Vec::new(),
                    callback: false,
                    overflowed: 0,
                    decision: None,
                    // A conversation that became an item by itself was heard from its beginning.
                    heard_to: offered.by.as_ref().map_or(0, |_| position),
                    offered,
                };
                self.items.insert(kept.offered.work_item_id.clone(), kept);
            }
        }
    }

    /// What is assigned to an agent who hasn't begun it yet doesn't count when it goes elsewhere.
    fn undo_days_work(&mut self, item: &str) {
        let Some(kept) = self.items.get(item).filter(|kept| !kept.is_accepted) else { return };
        let Some(agent) = &kept.agent else { return };
        let is_it = |one: &DaysWork| one.work_item_id == item && one.agent == *agent;
        if let Some(place) = self.days_work.iter().rposition(is_it) {
            self.days_work.remove(place);
        }
    }

    fn add_days_work(&mut self, assigned: &wire::RouteAssigned) {
        let old = |one: &DaysWork| one.at_ms.saturating_add(DAYS_WORK_MS) < assigned.at_ms;
        while self.days_work.front().is_some_and(old) {
            self.days_work.pop_front();
        }
        if assigned.day_profiles.is_empty() || assigned.mode == RoutingMode::Off.as_str() {
            return;
        }
        self.days_work.push_back(DaysWork {
            work_item_id: assigned.work_item_id.clone(),
            agent: assigned.agent.clone(),
            profiles: assigned.day_profiles.clone(),
            at_ms: assigned.at_ms,
        });
    }

    pub fn days_work(&self) -> Vec<Counted<'_>> {
        let all = self.days_work.iter();
        all.map(|one| Counted { agent: &one.agent, profiles: &one.profiles, at_ms: one.at_ms })
            .collect()
    }

    fn moved(&mut self, moved: wire::RouteMoved, position: u64) {
        // All others take an offer away.
        if moved.step != "accepted" {
            self.undo_days_work(&moved.work_item_id);
        }
        let Some(kept) = self.items.get_mut(&moved.work_item_id) else { return };
        kept.heard_to = position;
        match moved.step.as_str() {
            "accepted" => kept.is_accepted = true,
            "declined" => kept.declined.extend(kept.agent.take()),
            "taken" => (kept.agent, kept.is_accepted) = (None, true),
            "transferred" => {
                (kept.agent, kept.is_accepted, kept.ended_ms) = (None, false, None);
                (kept.moved, kept.overflowed) = (Some(MovedBy::Transfer), 0);
                kept.queued = InQueue::of(moved.queue, moved.at_ms);
                kept.declined.clear();
            }
            "ended" => drop(kept.ended_ms.get_or_insert(moved.at_ms)),
            "released" => drop(self.items.remove(&moved.work_item_id)),
            _ => {}
        }
    }

    /// Whether it has an item of a conversation that is erased.
    async fn has_erased(&self, store: &dyn Store, tenant: &TenantId) -> Result<bool, StoreError> {
        for kept in self.items.values() {
            let Some(id) = kept.offered.conversation_id.as_deref() else { continue };
            let row = store.conversation(tenant, &id.into()).await?;
            if row.is_some_and(|row| row.erased_at.is_some()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whole or not at all. It takes a while where many items are open: call it where that holds up nobody.
    pub fn save(&self, file: &Path) -> std::io::Result<()> {
        private::write(file, &serde_json::to_vec(self)?)
    }
}

pub(super) fn file(folder: &Path) -> PathBuf {
    folder.join(FILE)
}

/// Removes what was kept, which is made anew from the log then.
///
/// # Errors
/// It stands still.
pub(super) async fn remove(folder: &Path) -> std::io::Result<()> {
    match tokio::fs::remove_file(file(folder)).await {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// What was kept, and all that the log has behind it.
///
/// # Errors
/// The log can't be read.
pub(super) async fn open(
    folder: &Path,
    store: &dyn Store,
    tenant: &TenantId,
) -> Result<Ledger, StoreError> {
    let mut ledger = kept(&file(folder)).await;
    if ledger.position > store.head().await? {
        tracing::warn!("the log is older than what the router had, which is made anew");
        ledger = Ledger { version: VERSION, ..Ledger::default() };
    } else if ledger.has_erased(store, tenant).await? {
        if let Err(error) = remove(folder).await {
            tracing::error!(%error, "what was erased still stands in the router's file");
        }
        ledger = Ledger { version: VERSION, ..Ledger::default() };
    }
    let mut query = ReadQuery::all(tenant.clone(), ledger.position);
    query.kinds = KindFilter::parse("route.*").expect("the kinds are a constant; this is a bug");
    loop {
        let page = store.read(&query).await?;
        for event in &page {
            if let Err(error) = ledger.apply(event) {
                tracing::error!(%error, "an event of the router can't be read");
            }
        }
        query.after = page.last().map_or(query.after, |event| event.position);
        if page.len() < MAX_READ {
            return Ok(ledger);
        }
    }
}

async fn kept(file: &Path) -> Ledger {
    let fresh = Ledger { version: VERSION, ..Ledger::default() };
    let text = match tokio::fs::read(file).await {
        Ok(text) => text,
        Err(error) => {
            if error.kind() != ErrorKind::NotFound {
                tracing::warn!(%error, "what the router had is read from the log");
            }
            return fresh;
        }
    };
    match serde_json::from_slice::<Ledger>(&text) {
        Ok(ledger) if ledger.version == VERSION => ledger,
        _ => {
            tracing::warn!("{FILE} can't be read; what the router had is read from the log");
            fresh
        }
    }
}
