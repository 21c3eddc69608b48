//! What the actor holds: the desk with all that is known of its items. No I/O, no clock.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use super::bots::WithBots;
use super::ledger::Last;
use crate::domain::{
    ConversationId, Decision, DecisionId, ErrorKind, EventBody, EventId, FeatureValue, Intent,
    PlanPut, RoutingMode, WorkItemId, WorkMoved, WorkOffered, WorkStep,
};
use crate::routing::context::{Board, ContextSettings};
use crate::routing::desk::{Desk, Input, Refused, Target};
use crate::routing::plan::{Presence, nearest, quoted};
use crate::serve::{Failure, WorkItem};
use crate::store::ROUTING;

/// Decisions that can be looked at without reading the log.
const DECISIONS_MAX: usize = 2_000;
/// Items that are over and can still be asked for.
const OVER_MAX: usize = 2_000;

#[derive(Clone)]
pub(super) struct How {
    pub mode: Option<RoutingMode>,
    pub workstreams: BTreeMap<String, String>,
    pub wrap_up_ms: u64,
    /// By which attribute of a conversation another router knows it.
    pub id_attribute: Option<String>,
    /// Categories that say that a bot gives a conversation up; without any, it is work from its beginning.
    pub escalated_by: Vec<String>,
    pub everybody_is_there: bool,
}

/// One item that isn't over.
pub(super) struct Known {
    pub offered: WorkOffered,
    /// What the desk was told of it last.
    pub told: Vec<(String, FeatureValue)>,
    pub intents: Vec<Intent>,
    /// The last.
    pub decision: Option<Last>,
    /// Of a recommendation that stood before a restart: the same again is no news.
    pub stood: bool,
    /// Whether another router was told of the last decision, by the name that the item has now.
    pub is_told: bool,
    /// When its wrap-up ends by itself.
    pub release_at_ms: Option<u64>,
}

/// Something for the log.
pub(super) struct Entry {
    pub stream: ConversationId,
    /// Of the event, where it has one from the start.
    pub id: Option<EventId>,
    pub body: EventBody,
    /// A recommendation that another router is told: what it calls the item, and whose conversation it is.
    pub tells: Option<(String, Option<ConversationId>)>,
}

pub(super) struct Floor {
    pub how: How,
    pub desk: Option<Desk>,
    pub plan: Option<PlanPut>,
    pub board: Board,
    pub items: HashMap<WorkItemId, Known>,
    by_conversation: HashMap<ConversationId, WorkItemId>,
    by_external: HashMap<String, WorkItemId>,
    pub with_bots: WithBots,
    /// As they said last; also of agents who aren't in the plan now.
    pub presences: BTreeMap<String, Presence>,
    pub releases: BTreeSet<(u64, WorkItemId)>,
    over: VecDeque<(WorkItem, Option<Last>)>,
    decisions: VecDeque<Arc<Decision>>,
    out: Vec<Entry>,
    /// Items that `out` says are released.
    released: HashSet<WorkItemId>,
    now_ms: u64,
    /// So much is the desk's time ahead of the machine's.
    ahead_ms: u64,
}

impl Floor {
    pub fn new(how: How, context: ContextSettings) -> Self {
        Self {
            how,
            desk: None,
            plan: None,
            board: Board::new(context),
            items: HashMap::new(),
            by_conversation: HashMap::new(),
            by_external: HashMap::new(),
            with_bots: WithBots::default(),
            presences: BTreeMap::new(),
            releases: BTreeSet::new(),
            over: VecDeque::new(),
            decisions: VecDeque::new(),
            out: Vec::new(),
            released: HashSet::new(),
            now_ms: 0,
            ahead_ms: 0,
        }
    }

    /// The desk's time. The machine's may be set back: this one goes on from where it was.
    pub fn at(&mut self, now_ms: u64) -> u64 {
        let at_ms = now_ms.saturating_add(self.ahead_ms);
        self.ahead_ms = self.ahead_ms.saturating_add(self.now_ms.saturating_sub(at_ms));
        self.now_ms = self.now_ms.max(at_ms);
        self.now_ms
    }

    pub fn take_out(&mut self) -> Vec<Entry> {
        self.released.clear();
        std::mem::take(&mut self.out)
    }

    pub fn push(&mut self, stream: ConversationId, body: EventBody) {
        if let EventBody::RouteMoved(moved) = &body
            && moved.step == WorkStep::Released
        {
            self.released.insert(moved.item.clone());
        }
        self.out.push(Entry { stream, id: None, body, tells: None });
    }

    pub fn push_entry(&mut self, entry: Entry) {
        self.out.push(entry);
    }

    /// # Errors
    /// There is no plan.
    pub fn desk(&mut self) -> Result<&mut Desk, Failure> {
        self.desk.as_mut().ok_or_else(no_plan)
    }

    /// In so many milliseconds something falls due; `now_ms` is the machine's.
    pub fn due_in_ms(&mut self, now_ms: u64) -> Option<u64> {
        let now_ms = self.at(now_ms);
        let desk = self.desk.as_ref().and_then(Desk::next_due_ms);
        let release = self.releases.first().map(|(at_ms, _)| *at_ms);
        desk.into_iter().chain(release).min().map(|due_ms| due_ms.saturating_sub(now_ms))
    }

    pub fn tick(&mut self, now_ms: u64) {
        let now_ms = self.at(now_ms);
        while let Some((at_ms, id)) = self.releases.first().cloned()
            && at_ms <= now_ms
        {
            self.releases.remove(&(at_ms, id.clone()));
            if let Some(known) = self.items.get_mut(&id) {
                known.release_at_ms = None;
            }
            if let Err(error) = self.moves(&id, WorkStep::Released, None, now_ms) {
                tracing::debug!(%error, "a wrap-up was over already");
            }
        }
        if let Some(desk) = &mut self.desk {
            // A tick names nothing that could be missing.
            let _ = desk.handle(Input::Tick, now_ms);
        }
        self.drain(now_ms);
    }

    /// Its wrap-up doesn't end by itself any more.
    fn keep_for_now(&mut self, id: &WorkItemId) {
        let at_ms = self.items.get_mut(id).and_then(|known| known.release_at_ms.take());
        if let Some(at_ms) = at_ms {
            self.releases.remove(&(at_ms, id.clone()));
        }
    }

    /// Its wrap-up, if there is one, ends by itself.
    fn release_later(&mut self, id: &WorkItemId, now_ms: u64) {
        let at_ms = now_ms.saturating_add(self.how.wrap_up_ms);
        if let Some(known) = self.items.get_mut(id).filter(|known| known.release_at_ms.is_none()) {
            known.release_at_ms = Some(at_ms);
            self.releases.insert((at_ms, id.clone()));
        }
    }

    /// Gives an item to an agent, and does all that follows from it.
    pub fn gives(&mut self, id: &WorkItemId, input: Input, now_ms: u64) -> Result<(), Failure> {
        self.does(input, now_ms)?;
        // The new agent's work has only begun.
        self.keep_for_now(id);
        Ok(())
    }

    /// Tells the desk, and all that follows from it.
    pub fn does(&mut self, input: Input, now_ms: u64) -> Result<(), Failure> {
        let name = asked_for(&input);
        let done = self.desk()?.handle(input, now_ms);
        done.map_err(|why| self.refused(&why, name.as_deref()))?;
        self.drain(now_ms);
        Ok(())
    }

    /// Why the desk refuses; where it is about a name, with that name and those that there are.
    pub fn refused(&self, why: &Refused, name: Option<&str>) -> Failure {
        let failure = Failure::of(why);
        let (Some(name), Some(desk)) = (name, &self.desk) else { return failure };
        let plan = desk.plan();
        let (what, known) = match why {
            Refused::NoSuchAgent => ("agent", names(&plan.agents, |one| &one.name)),
            Refused::NoSuchQueue => ("queue", names(&plan.queues, |one| &one.name)),
            Refused::NoSuchWorkstream => ("workstream", names(&plan.workstreams, |one| &one.name)),
            _ => return failure,
        };
        let instead = nearest(name, known.into_iter());
        let message = format!("the plan has no {what} {}; {instead}", quoted(name));
        Failure { message, ..failure }
    }

    /// A step that the desk takes and the log keeps.
    pub fn moves(
        &mut self,
        id: &WorkItemId,
        step: WorkStep,
        by: Option<&str>,
        now_ms: u64,
    ) -> Result<(), Failure> {
        let item = id.clone();
        let input = match &step {
            WorkStep::Accepted => Input::Accepted { item },
            WorkStep::Declined => Input::Declined { item },
            WorkStep::Taken => Input::Taken { item },
            WorkStep::Transferred(queue) => {
                let (to, by) = (Target::Queue(queue.clone()), by.unwrap_or_default().to_owned());
                Input::Transferred { item, to, by }
            }
            WorkStep::Ended => Input::Ended { item },
            WorkStep::Released => Input::Released { item },
        };
        let name = asked_for(&input);
        let done = self.desk()?.handle(input, now_ms);
        match (done, &step) {
            (Ok(()), _) => {}
            // The desk has forgotten it already.
            (Err(Refused::NoSuchItem), WorkStep::Ended | WorkStep::Released) => {}
            (Err(why), _) => return Err(self.refused(&why, name.as_deref())),
        }
        match step {
            WorkStep::Ended => self.release_later(id, now_ms),
            WorkStep::Transferred(_) => self.keep_for_now(id),
            _ => {}
        }
        let by = by.map(str::to_owned);
        let moved = WorkMoved { item: id.clone(), step, by, at_ms: now_ms };
        self.push(self.stream_of(id), EventBody::RouteMoved(Box::new(moved)));
        self.drain(now_ms);
        self.forget_if_gone(id, now_ms);
        Ok(())
    }

    /// Where what is told of an item stands.
    pub fn stream_of(&self, id: &WorkItemId) -> ConversationId {
        let conversation = self.items.get(id).and_then(|known| known.offered.conversation.clone());
        conversation.unwrap_or_else(|| ConversationId::from(ROUTING))
    }

    pub fn keep(&mut self, known: Known) {
        let (offered, id) = (&known.offered, known.offered.item.clone());
        if let Some(conversation) = &offered.conversation {
            self.by_conversation.insert(conversation.clone(), id.clone());
        }
        if let Some(external) = &offered.external_id {
            self.by_external.insert(external.clone(), id.clone());
        }
        self.items.insert(id, known);
    }

    /// What the desk doesn't have any more is over.
    pub fn forget_if_gone(&mut self, id: &WorkItemId, now_ms: u64) {
        if self.desk.as_ref().is_some_and(|desk| desk.item(id).is_some()) {
            return;
        }
        let Some(mut view) = self.view(id) else { return };
        let stream = self.stream_of(id);
        let Some(known) = self.items.remove(id) else { return };
        let offered = &known.offered;
        if let Some(conversation) = &offered.conversation {
            self.by_conversation.remove(conversation);
        }
        self.forget_external(offered);
        if let Some(at_ms) = known.release_at_ms {
            self.releases.remove(&(at_ms, id.clone()));
        }
        let released =
            WorkMoved { item: id.clone(), step: WorkStep::Released, by: None, at_ms: now_ms };
        if !self.released.contains(id) {
            self.push(stream, EventBody::RouteMoved(Box::new(released)));
        }
        (view.state, view.queue) = ("ended".to_owned(), None);
        if self.over.len() >= OVER_MAX {
            self.over.pop_front();
        }
        self.over.push_back((view, known.decision));
    }

    /// Another item may bear the name by now: messages of one number are one conversation after the other.
    pub fn forget_external(&mut self, offered: &WorkOffered) {
        let Some(external) = &offered.external_id else { return };
        if self.by_external.get(external) == Some(&offered.item) {
            self.by_external.remove(external);
        }
    }

    /// By our name, a conversation's, or another router's.
    pub fn named(&self, name: &str) -> Option<WorkItemId> {
        let id = WorkItemId::from(name);
        if self.items.contains_key(&id) {
            return Some(id);
        }
        let by_conversation = self.by_conversation.get(&ConversationId::from(name));
        by_conversation.or_else(|| self.by_external.get(name)).cloned()
    }

    pub fn of_conversation(&self, conversation: &ConversationId) -> Option<WorkItemId> {
        self.by_conversation.get(conversation).cloned()
    }

    /// One that is over, too.
    pub fn view(&self, id: &WorkItemId) -> Option<WorkItem> {
        let Some(known) = self.items.get(id) else {
            let over = self.over.iter().rev().find(|(view, _)| view.id == id.as_str());
            return over.map(|(view, _)| view.clone());
        };
        let at = self.desk.as_ref().and_then(|desk| desk.item(id));
        let offered = &known.offered;
        let mut view = WorkItem {
            id: id.to_string(),
            conversation_id: offered.conversation.as_ref().map(ToString::to_string),
            external_id: offered.external_id.clone(),
            workstream: offered.workstream.clone(),
            state: "ended".to_owned(),
            decision_id: known.decision.as_ref().map(|last| last.decision_id.clone()),
            arrived_ms: offered.at_ms,
            ..WorkItem::default()
        };
        if let Some(at) = at {
            view.queue = Some(at.queue);
            view.state = at.place.to_owned();
            view.agent = at.agent;
            view.recommended = at.recommended;
            view.callback = at.callback;
        }
        Some(view)
    }

    /// The last decision about an item, also of one that is over, with what another router calls it.
    pub fn last_decision(&self, name: &str) -> Option<(WorkOfOne, DecisionId)> {
        let id_of = |last: &Last| DecisionId::from(last.decision_id.as_str());
        if let Some(id) = self.named(name) {
            let known = self.items.get(&id)?;
            let offered = &known.offered;
            let one = (offered.conversation.clone(), offered.external_id.clone());
            return Some((one, known.decision.as_ref().map(id_of)?));
        }
        let is_it = |view: &WorkItem| {
            let others = [&view.conversation_id, &view.external_id];
            view.id == name || others.iter().any(|other| other.as_deref() == Some(name))
        };
        let (view, decision) = self.over.iter().rev().find(|(view, _)| is_it(view))?;
        let conversation = view.conversation_id.as_deref().map(ConversationId::from);
        Some(((conversation, view.external_id.clone()), decision.as_ref().map(id_of)?))
    }

    pub fn remember(&mut self, decision: Arc<Decision>) {
        if self.decisions.len() >= DECISIONS_MAX {
            self.decisions.pop_front();
        }
        self.decisions.push_back(decision);
    }

    /// One of the last.
    pub fn decision(&self, id: &DecisionId) -> Option<Decision> {
        self.decisions.iter().rev().find(|one| one.id == *id).map(|one| (**one).clone())
    }

    /// The newest first.
    pub fn decisions(&self, queue: Option<&str>, limit: usize) -> Vec<Decision> {
        let of_queue = |one: &&Arc<Decision>| queue.is_none_or(|queue| one.queue == queue);
        let newest = self.decisions.iter().rev().filter(of_queue).take(limit);
        newest.map(|one| (**one).clone()).collect()
    }
}

/// The agent or the queue that is asked for.
fn asked_for(input: &Input) -> Option<String> {
    match input {
        Input::Assigned { agent, .. }
        | Input::Transferred { to: Target::Agent(agent), .. }
        | Input::PresenceChanged { agent, .. } => Some(agent.clone()),
        Input::Transferred { to: Target::Queue(queue), .. } => Some(queue.clone()),
        _ => None,
    }
}

fn names<T>(all: &[T], name: fn(&T) -> &String) -> Vec<&str> {
    all.iter().map(|one| name(one).as_str()).collect()
}

/// Whose conversation an item is, and what another router calls it.
pub(super) type WorkOfOne = (Option<ConversationId>, Option<String>);

pub(super) fn no_plan() -> Failure {
    Failure {
        kind: ErrorKind::Conflict,
        message: "there is no routing plan yet; put one to /v1/routing/plan".to_owned(),
    }
}
