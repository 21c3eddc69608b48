//! Conversations: one that begins on a configured channel is a work item, and what is learned of it is told to the
//! desk.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::bots::WithBots;
use super::floor::Floor;
use super::items::values;
use crate::domain::{
    Channel, ConversationId, Direction, Recorded, Role, RoutingMode, WorkItemId, WorkOffered,
    WorkStep,
};
use crate::insight::redaction;
use crate::routing::desk::Input;
use crate::store::{StoreError, codec, wire};

/// Who assigned, where somebody is in the conversation whom nobody at the desk had sent.
const CONVERSATION: &str = "conversation";

impl Floor {
    /// Takes in what was before; nothing comes of it.
    pub fn learn(&mut self, event: &Recorded) {
        if let Err(error) = self.board.apply(event) {
            tracing::error!(%error, "an event tells the router nothing");
        }
        match codec::decode_decision(event) {
            Ok(Some(decision)) => self.remember(Arc::new(decision)),
            Ok(None) => {}
            Err(error) => tracing::error!(%error, "a decision can't be read"),
        }
    }

    /// Takes in what has just happened. Several events about one conversation are weighed together.
    pub fn hear(&mut self, events: &[Arc<Recorded>], now_ms: u64) {
        let now_ms = self.at(now_ms);
        let mut changed = BTreeSet::new();
        for event in events {
            // What it decided itself it knows.
            if &*event.kind == codec::ROUTE_RECOMMENDED {
                continue;
            }
            if let Err(error) = self.board.apply(event) {
                tracing::error!(%error, "an event tells the router nothing");
                continue;
            }
            match self.heard(event, now_ms) {
                Ok(true) => drop(changed.insert(event.conversation.clone())),
                Ok(false) => {}
                Err(error) => tracing::error!(%error, "an event tells the router nothing"),
            }
        }
        self.tell_measured(now_ms);
        for conversation in &changed {
            self.refresh(conversation, now_ms);
        }
        if let Some(desk) = &mut self.desk {
            desk.settle(now_ms);
        }
        self.drain(now_ms);
    }

    /// What agents have done since it was told last.
    pub fn tell_measured(&mut self, now_ms: u64) {
        let Some(desk) = &mut self.desk else { return };
        for one in self.board.news() {
            let (agent, kind) = (one.agent, one.intent);
            let (handled, resolved, total_s) = (one.handled, one.resolved, one.total_s);
            // Agents of before aren't in the plan any more.
            let input = Input::Measured { agent, kind, handled, resolved, total_s };
            let _ = desk.note(input, now_ms);
        }
    }

    /// Whether more is known of the conversation by now.
    pub fn heard(&mut self, event: &Recorded, now_ms: u64) -> Result<bool, StoreError> {
        match &*event.kind {
            codec::CONVERSATION_STARTED => {
                self.begins(&event.conversation, codec::data(event)?, now_ms);
                Ok(false)
            }
            codec::CONVERSATION_ENDED => {
                self.with_bots.take(&event.conversation);
                self.end(&event.conversation, now_ms);
                Ok(false)
            }
            codec::ROUTE_OFFERED | codec::ROUTE_ASSIGNED | codec::ROUTE_MOVED => Ok(false),
            "audio.started" => {
                let audio: wire::AudioStarted = codec::data(event)?;
                let is_agent = audio.party.role == Role::Agent.as_str();
                if is_agent {
                    self.leaves_bot(&event.conversation, now_ms);
                }
                if is_agent && let Some(item) = self.of_conversation(&event.conversation) {
                    self.is_with(&item, audio.name.as_deref(), now_ms);
                }
                Ok(true)
            }
            codec::TURN_FINAL if self.with_bots.has(&event.conversation) => {
                let turn: wire::TurnFinal = codec::data(event)?;
                if turn.party.role == Role::Agent.as_str() {
                    self.leaves_bot(&event.conversation, now_ms);
                }
                Ok(true)
            }
            codec::INSIGHT_CATEGORY if self.with_bots.has(&event.conversation) => {
                let matched: wire::InsightCategory = codec::data(event)?;
                if self.how.escalated_by.contains(&matched.category) {
                    self.leaves_bot(&event.conversation, now_ms);
                }
                Ok(true)
            }
            _ => Ok(true),
        }
    }

    /// What a bot has is nobody's work yet, where the settings say how it is told that it gives up.
    fn begins(&mut self, id: &ConversationId, started: wire::ConversationStarted, now_ms: u64) {
        let waits = !self.how.escalated_by.is_empty() && WithBots::begins(&started);
        let begun = match waits {
            true => self.with_bots.keep(id.clone(), started),
            false => Some((id.clone(), started)),
        };
        if let Some((id, started)) = begun {
            self.begin(&id, &started, now_ms);
        }
    }

    /// Somebody has to go on with it.
    fn leaves_bot(&mut self, id: &ConversationId, now_ms: u64) {
        if let Some(started) = self.with_bots.take(id) {
            self.begin(id, &started, now_ms);
        }
    }

    fn begin(
        &mut self,
        conversation: &ConversationId,
        started: &wire::ConversationStarted,
        now_ms: u64,
    ) {
        let routes = |floor: &Self| {
            floor.desk.as_ref().is_some_and(|desk| desk.plan().mode != RoutingMode::Off)
        };
        let workstream = self.how.workstreams.get(&started.channel).cloned();
        let Some(workstream) = workstream.filter(|_| routes(self)) else { return };
        if started.direction == Direction::Outbound.as_str()
            || self.of_conversation(conversation).is_some()
        {
            return;
        }
        let named = match &self.how.id_attribute {
            // Without it the other router doesn't know the call.
            Some(name) => started.attributes.get(name).cloned(),
            None => started.external_id.clone(),
        };
        let agent = started.parties.iter().find(|one| one.role == Role::Agent.as_str());
        let agent = agent.and_then(|one| one.name.as_deref());
        // Whoever offered it over the API may have been faster than its media.
        let of_api = named.as_deref().and_then(|name| self.named(name));
        if let Some(item) = of_api
            && let Some(known) = self.items.get(&item)
            && known.offered.conversation.is_none()
        {
            let conversation = Some(conversation.clone());
            let offered = WorkOffered { conversation, ..known.offered.clone() };
            if let Err(error) = self.learnt(offered, now_ms) {
                tracing::warn!(%item, %error, "a work item's conversation is not noted");
            }
            if agent.is_some() {
                self.is_with(&item, agent, now_ms);
            }
            return;
        }
        let is_configured = self.how.id_attribute.is_some();
        let external_id = named.filter(|name| is_configured || !names_a_party(started, name));
        let item = WorkItemId::from(format!("i-{conversation}"));
        let offered = WorkOffered {
            item: item.clone(),
            conversation: Some(conversation.clone()),
            external_id,
            workstream,
            features: Vec::new(),
            intents: Vec::new(),
            preferred: Vec::new(),
            by: None,
            at_ms: now_ms,
        };
        if let Err(error) = self.take_in(offered, now_ms) {
            tracing::warn!(%conversation, %error, "a conversation is not routed");
            return;
        }
        if agent.is_some() {
            self.is_with(&item, agent, now_ms);
        }
    }

    /// Somebody is in the conversation: whoever was sent has come, or somebody else was faster. Most legs have no name;
    /// theirs is whoever was sent, if anybody was.
    fn is_with(&mut self, item: &WorkItemId, agent: Option<&str>, now_ms: u64) {
        let Some(view) = self.view(item) else { return };
        let is_planned =
            |name: &&str| self.desk.as_ref().is_some_and(|desk| desk.agent(name).is_some());
        let planned = agent.filter(is_planned);
        let done = match (view.state.as_str(), view.agent.as_deref()) {
            ("wrapping_up" | "ended", _) => Ok(()),
            // Whoever joins is asked for advice, or listens, until somebody says that it is theirs.
            ("active", Some(_)) => Ok(()),
            ("offered", Some(sent)) if agent.is_none_or(|agent| agent == sent) => {
                self.moves(item, WorkStep::Accepted, None, now_ms)
            }
            (state, _) => match planned {
                Some(agent) => {
                    let (agent, by) = (agent.to_owned(), CONVERSATION.to_owned());
                    let input = Input::Assigned { item: item.clone(), agent, by };
                    self.gives(item, input, now_ms)
                }
                None if state == "active" => Ok(()),
                None => self.moves(item, WorkStep::Taken, None, now_ms),
            },
        };
        if let Err(error) = done {
            tracing::warn!(%item, %error, "that an agent has a work item is not noted");
        }
    }

    pub fn end(&mut self, conversation: &ConversationId, now_ms: u64) {
        let Some(item) = self.of_conversation(conversation) else { return };
        let Some(view) = self.view(&item) else { return };
        // Who was told that they are called back may hang up; and somebody may have said already that it is over.
        if (view.state == "waiting" && view.callback) || view.state == "wrapping_up" {
            return;
        }
        if let Err(error) = self.moves(&item, WorkStep::Ended, None, now_ms) {
            tracing::warn!(%item, %error, "the end of a work item is not noted");
        }
    }

    /// Tells the desk what it doesn't know yet.
    fn refresh(&mut self, conversation: &ConversationId, now_ms: u64) {
        let Some(item) = self.of_conversation(conversation) else { return };
        let Some(known) = self.items.get(&item) else { return };
        let (features, intents) = self.knows(&known.offered, now_ms);
        let told = values(&features);
        if known.told == told && known.intents == intents {
            return;
        }
        if let Some(known) = self.items.get_mut(&item) {
            (known.told, known.intents) = (told, intents.clone());
        }
        let Some(desk) = &mut self.desk else { return };
        let input = Input::Updated { item: item.clone(), features, intents: Some(intents) };
        if let Err(error) = desk.note(input, now_ms) {
            tracing::warn!(%item, %error, "what is known of a work item is not weighed");
        }
    }
}

/// Whether a conversation is called by a customer's number or address, as threads of messages are: no other router is
/// told that. Names that telephone systems make of a clock look like numbers, and are none.
fn names_a_party(started: &wire::ConversationStarted, name: &str) -> bool {
    let is_typed = started.channel != Channel::Voice.as_str();
    redaction::has_address(name) || (is_typed && redaction::is_local_number(name))
}
