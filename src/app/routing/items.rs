//! Work items over the API: in, on, and out.

use super::floor::{Entry, Floor, Known};
use crate::domain::{
    ConversationId, DedupeKey, ErrorKind, EventBody, EventId, Feature, FeatureValue, Intent,
    PresenceSet, WorkItemId, WorkOffered, WorkStep,
};
use crate::routing::context::name;
use crate::routing::desk::{Input, Offer, Target as DeskTarget};
use crate::routing::plan::Presence;
use crate::serve::{AgentState, Failure, Step, Target, WantedItem, WorkItem};
use crate::store::{ROUTING, codec};

/// The source of what a client says.
const API: &str = "api";

impl Floor {
    /// Takes an item in, or what is known of it since; and whether it is new.
    pub fn offer(
        &mut self,
        wanted: WantedItem,
        by: &str,
        now_ms: u64,
    ) -> Result<(WorkItem, bool), Failure> {
        let now_ms = self.at(now_ms);
        self.desk()?;
        let of_conversation =
            wanted.conversation.as_ref().and_then(|one| self.of_conversation(one));
        let id = of_conversation.unwrap_or_else(|| wanted.id.clone());
        let feature = |(name, value): (String, FeatureValue)| Feature {
            name: name.into(),
            value,
            source: API.into(),
            as_of_ms: now_ms,
        };
        let features: Vec<Feature> = wanted.attributes.into_iter().map(feature).collect();
        let mut offered = WorkOffered {
            item: id.clone(),
            conversation: wanted.conversation,
            external_id: wanted.external_id,
            workstream: wanted.workstream,
            features,
            intents: wanted.intents,
            preferred: wanted.preferred,
            by: Some(by.to_owned()),
            at_ms: now_ms,
        };
        let Some(known) = self.items.get(&id) else {
            if let Some(over) = self.view(&id) {
                return Ok((over, false));
            }
            self.take_in(offered, now_ms)?;
            return self.shown(&id).map(|view| (view, true));
        };
        // What it was given before stays, where nothing newer is said.
        let before = &known.offered;
        let kept = before.features.iter();
        let kept = kept.filter(|old| offered.features.iter().all(|new| new.name != old.name));
        let kept: Vec<Feature> = kept.cloned().collect();
        offered.features.splice(0..0, kept);
        offered.conversation = before.conversation.clone().or(offered.conversation);
        offered.external_id = offered.external_id.or_else(|| before.external_id.clone());
        offered.workstream.clone_from(&before.workstream);
        offered.preferred.clone_from(&before.preferred);
        if offered.intents.is_empty() {
            offered.intents.clone_from(&before.intents);
        }
        // Whoever offered it may go on saying what is known of it.
        offered.by = before.by.clone().or(offered.by);
        offered.at_ms = before.at_ms;
        self.learnt(offered, now_ms)?;
        self.shown(&id).map(|view| (view, false))
    }

    /// A new item.
    pub fn take_in(&mut self, offered: WorkOffered, now_ms: u64) -> Result<(), Failure> {
        let (features, intents) = self.knows(&offered, now_ms);
        let offer = Offer {
            item: offered.item.clone(),
            workstream: offered.workstream.clone(),
            features: features.clone(),
            intents: intents.clone(),
            preferred: offered.preferred.clone(),
        };
        self.desk()?.note(Input::Offered(offer), now_ms).map_err(|why| Failure::of(&why))?;
        let (item, told) = (offered.item.clone(), values(&features));
        let body = EventBody::RouteOffered(Box::new(offered.clone()));
        self.keep(Known {
            offered,
            told,
            intents,
            decision: None,
            stood: false,
            is_told: false,
            release_at_ms: None,
        });
        let stream = self.stream_of(&item);
        let id = Some(offered_id(&stream, &item));
        self.push_entry(Entry { stream, id, body, tells: None });
        if let Some(desk) = &mut self.desk {
            desk.settle(now_ms);
        }
        self.drain(now_ms);
        self.forget_if_gone(&item, now_ms);
        Ok(())
    }

    /// More is known of an item.
    pub fn learnt(&mut self, offered: WorkOffered, now_ms: u64) -> Result<(), Failure> {
        let (features, intents) = self.knows(&offered, now_ms);
        let item = offered.item.clone();
        let is_new = self.items.get(&item).is_some_and(|known| known.offered != offered);
        if !is_new {
            return Ok(());
        }
        let (told, body) = (values(&features), EventBody::RouteOffered(Box::new(offered.clone())));
        let Some(known) = self.items.remove(&item) else { return Ok(()) };
        let is_renamed = known.offered.external_id != offered.external_id;
        if is_renamed {
            self.forget_external(&known.offered);
        }
        let is_told = known.is_told && !is_renamed;
        self.keep(Known { offered, told, intents: intents.clone(), is_told, ..known });
        self.push(self.stream_of(&item), body);
        self.does(Input::Updated { item, features, intents: Some(intents) }, now_ms)
    }

    /// What was given along, and what the conversation says, which goes before it.
    pub fn knows(&self, offered: &WorkOffered, now_ms: u64) -> (Vec<Feature>, Vec<Intent>) {
        let (mut features, mut intents) = match &offered.conversation {
            Some(conversation) => self.board.for_rules(conversation, now_ms),
            None => (Vec::new(), Vec::new()),
        };
        let given = offered.features.iter();
        let given = given.filter(|one| features.iter().all(|known| known.name != one.name));
        let given: Vec<Feature> = given.cloned().collect();
        features.extend(given);
        if intents.is_empty() {
            intents.clone_from(&offered.intents);
        }
        (features, intents)
    }

    pub fn step(
        &mut self,
        id: &WorkItemId,
        step: Step,
        by: &str,
        now_ms: u64,
    ) -> Result<WorkItem, Failure> {
        let now_ms = self.at(now_ms);
        let view = self.shown(id)?;
        let is_done = match &step {
            Step::Accept => view.state == "active",
            Step::Decline => false,
            Step::Transfer(Target::Queue(queue)) => {
                view.state == "waiting" && view.queue.as_ref() == Some(queue)
            }
            // What was only offered to them so far becomes theirs.
            Step::Transfer(Target::Agent(agent)) | Step::Assign { agent } => {
                view.agent.as_ref() == Some(agent) && view.state == "active"
            }
            Step::End => matches!(view.state.as_str(), "wrapping_up" | "ended"),
            Step::Release => view.state == "ended",
        };
        if is_done {
            return Ok(view);
        }
        if view.state == "ended" {
            let message = "this work item is over".to_owned();
            return Err(Failure { kind: ErrorKind::Conflict, message });
        }
        match step {
            Step::Accept => self.moves(id, WorkStep::Accepted, Some(by), now_ms)?,
            Step::Decline => self.moves(id, WorkStep::Declined, Some(by), now_ms)?,
            Step::Transfer(Target::Queue(queue)) => {
                self.moves(id, WorkStep::Transferred(queue), Some(by), now_ms)?;
            }
            Step::Transfer(Target::Agent(agent)) => {
                let (item, to, by) = (id.clone(), DeskTarget::Agent(agent), by.to_owned());
                self.gives(id, Input::Transferred { item, to, by }, now_ms)?;
            }
            Step::Assign { agent } => {
                let (item, by) = (id.clone(), by.to_owned());
                self.gives(id, Input::Assigned { item, agent, by }, now_ms)?;
            }
            Step::End => self.moves(id, WorkStep::Ended, Some(by), now_ms)?,
            Step::Release => self.moves(id, WorkStep::Released, Some(by), now_ms)?,
        }
        self.shown(id)
    }

    pub fn set_presence(
        &mut self,
        agent: &str,
        presence: &str,
        by: &str,
        now_ms: u64,
    ) -> Result<AgentState, Failure> {
        let now_ms = self.at(now_ms);
        let wrong = || Failure {
            kind: ErrorKind::Invalid,
            message: format!("{presence:?} is no presence of the plan"),
        };
        let wanted = presence_of(presence).ok_or_else(wrong)?;
        let missing = || Failure {
            kind: ErrorKind::NotFound,
            message: "the plan has no agent of this name".to_owned(),
        };
        self.desk()?;
        let view = self.agent_state(agent).ok_or_else(missing)?;
        if view.presence != presence {
            let input = Input::PresenceChanged { agent: agent.to_owned(), presence: wanted };
            self.desk()?.note(input, now_ms).map_err(|why| Failure::of(&why))?;
            self.presences.insert(agent.to_owned(), wanted);
            let set = PresenceSet {
                agent: agent.to_owned(),
                presence: presence.to_owned(),
                by: by.to_owned(),
            };
            self.push(ROUTING.into(), EventBody::RoutePresence(Box::new(set)));
            self.desk()?.settle(now_ms);
            self.drain(now_ms);
        }
        self.agent_state(agent).ok_or_else(missing)
    }

    fn shown(&self, id: &WorkItemId) -> Result<WorkItem, Failure> {
        self.view(id).ok_or_else(|| Failure {
            kind: ErrorKind::NotFound,
            message: "there is no such work item".to_owned(),
        })
    }
}

/// The name of the event that an item came in with: whoever offers it again, however late, finds that it was here.
pub(super) fn offered_id(stream: &ConversationId, item: &WorkItemId) -> EventId {
    DedupeKey::of(&[codec::ROUTE_OFFERED, stream.as_str(), item.as_str()]).as_str().into()
}

/// What rules compare; that it was so a moment later is no news. How long until a promise falls due changes all the
/// time, and `promise_due_ms` says the same.
pub(super) fn values(features: &[Feature]) -> Vec<(String, FeatureValue)> {
    let lasting = features.iter().filter(|one| one.name != name::PROMISE_DUE_IN_S);
    lasting.map(|one| (one.name.clone().into_owned(), one.value.clone())).collect()
}

pub(super) fn presence_of(text: &str) -> Option<Presence> {
    [Presence::Available, Presence::Busy, Presence::DoNotDisturb, Presence::Away, Presence::Offline]
        .into_iter()
        .find(|one| one.as_str() == text)
}
