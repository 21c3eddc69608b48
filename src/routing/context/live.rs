//! One conversation, as far as it matters for where it goes.

use std::collections::BTreeMap;

use crate::domain::{ContactKey, CrmContext, Identity, IntentSeen, Recorded, Role, Sentiment};
use crate::store::{StoreError, codec, wire};

/// Attributes that are kept, and how long their values may be: the media side brings what it likes.
const ATTRIBUTES_MAX: usize = 32;
const ATTRIBUTE_BYTES_MAX: usize = 256;
const AGENT_ATTRIBUTES: [&str; 3] = ["agent", "agent_id", "agent_name"];
/// Languages that a conversation is counted in.
const LANGUAGES_MAX: usize = 8;

/// Kinds of events that say something that routing wants to know.
pub const KINDS: [&str; 13] = [
    codec::CONVERSATION_STARTED,
    codec::CONVERSATION_ENDED,
    "audio.started",
    codec::TURN_FINAL,
    codec::INSIGHT_INTENT,
    codec::INSIGHT_SENTIMENT,
    codec::INSIGHT_CATEGORY,
    codec::CRM_CONTEXT,
    codec::WRAPUP_FOLLOW_UP,
    codec::WRAPUP_VERDICT,
    codec::ROUTE_OFFERED,
    codec::ROUTE_ASSIGNED,
    codec::ROUTE_MOVED,
];

/// Categories that are remembered of a conversation.
const CATEGORIES_MAX: usize = 64;

/// What is known of a conversation, each with the time at which it was so.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Live {
    pub(super) began_ms: u64,
    pub(super) channel: Option<String>,
    pub(super) attributes: BTreeMap<String, String>,
    /// The newest that didn't abstain, or else the newest.
    pub(super) intent: Option<(IntentSeen, u64)>,
    /// The score of the sentiment, its trend, and when.
    pub(super) mood: Option<(Sentiment, u64)>,
    /// The customer's characters by language.
    languages: BTreeMap<String, usize>,
    pub(super) spoke_ms: u64,
    pub(super) crm: Option<(Customer, u64)>,
    pub(super) categories: BTreeMap<String, u64>,
    agent: Option<String>,
    /// Since when an agent is in it.
    agent_ms: Option<u64>,
    given_away: Vec<String>,
    pub(super) ended_ms: Option<u64>,
    is_sound: bool,
}

/// What the CRM knows, as far as it decides where somebody goes. No names, no words.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Customer {
    pub contact: Option<String>,
    /// The CRM said who it is.
    pub is_known: bool,
    pub value: Option<f64>,
    pub tier: Option<String>,
    pub account_owner: Option<String>,
    pub open_cases: usize,
    /// Of the one that was changed last.
    pub case_id: Option<String>,
    pub case_owner: Option<String>,
    pub case_priority: Option<String>,
}

impl Live {
    pub(super) fn apply(&mut self, event: &Recorded, at_ms: u64) -> Result<(), StoreError> {
        match &*event.kind {
            codec::CONVERSATION_STARTED => self.started(codec::data(event)?, at_ms),
            codec::CONVERSATION_ENDED => {
                let ended: wire::ConversationEnded = codec::data(event)?;
                self.is_sound = !matches!(ended.reason.as_str(), "crash" | "protocol_error");
                self.ended_ms = Some(at_ms);
            }
            "audio.started" => {
                let audio: wire::AudioStarted = codec::data(event)?;
                self.joined(&audio.party.role, audio.name.as_deref(), at_ms);
            }
            codec::TURN_FINAL => self.spoke(&codec::data(event)?, at_ms),
            codec::INSIGHT_INTENT => {
                if let Some(intent) = codec::decode_intent(event)? {
                    self.saw_intent(intent.seen, at_ms);
                }
            }
            codec::INSIGHT_SENTIMENT => {
                self.mood = codec::decode_sentiment(event)?.map(|mood| (mood, at_ms));
            }
            codec::INSIGHT_CATEGORY => {
                if let Some(matched) = codec::decode_category(event)?
                    && (self.categories.len() < CATEGORIES_MAX
                        || self.categories.contains_key(&matched.category))
                {
                    self.categories.insert(matched.category, at_ms);
                }
            }
            codec::CRM_CONTEXT => {
                if let Some(context) = codec::decode_context(event)? {
                    self.crm = Some((customer(&context), at_ms));
                }
            }
            codec::ROUTE_ASSIGNED => {
                let assigned: wire::RouteAssigned = codec::data(event)?;
                if assigned.mode != "off" && self.channel.is_some() {
                    self.assigned(assigned.agent, at_ms);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// What the customer wants. One that abstains doesn't take away what was understood before.
    pub fn saw_intent(&mut self, seen: IntentSeen, at_ms: u64) {
        let had = self.intent.as_ref().is_some_and(|(before, _)| !before.abstained);
        if !seen.abstained || !had {
            self.intent = Some((seen, at_ms));
        }
    }

    /// Whom it is with.
    pub fn agent(&self) -> Option<&str> {
        self.agent.as_deref()
    }

    /// The intent that may be relied on.
    pub fn matter(&self) -> Option<&str> {
        self.intent.as_ref().and_then(|(seen, _)| seen.top()).map(|intent| intent.label.as_str())
    }

    /// By what the customer is known again: the CRM's contact, or else the number or address.
    pub fn contact(&self) -> Option<&str> {
        self.crm.as_ref().and_then(|(customer, _)| customer.contact.as_deref())
    }

    pub(super) fn value(&self) -> Option<f64> {
        self.crm.as_ref().and_then(|(customer, _)| customer.value)
    }

    /// What the customer speaks most.
    pub(super) fn language(&self) -> Option<&str> {
        let most =
            self.languages.iter().max_by_key(|(name, chars)| (**chars, std::cmp::Reverse(*name)));
        most.map(|(name, _)| name.as_str())
    }

    /// Seconds from the moment an agent was in it; none where nobody was, or it broke.
    pub(super) fn handled_s(&self, ended_ms: u64) -> Option<f64> {
        let since = self.agent_ms.filter(|_| self.is_sound)?;
        Some(ended_ms.saturating_sub(since) as f64 / 1_000.0)
    }

    pub(super) fn take_given_away(&mut self) -> Vec<String> {
        std::mem::take(&mut self.given_away)
    }

    fn started(&mut self, started: wire::ConversationStarted, at_ms: u64) {
        self.began_ms = at_ms;
        self.channel = Some(started.channel);
        let short = |(name, value): &(String, String)| {
            name.len() <= ATTRIBUTE_BYTES_MAX && value.len() <= ATTRIBUTE_BYTES_MAX
        };
        let attributes = started.attributes.into_iter().filter(short).take(ATTRIBUTES_MAX);
        self.attributes = attributes.collect();
        // A phone system that knows its agents tells the name among the attributes.
        self.agent = AGENT_ATTRIBUTES.iter().find_map(|name| self.attributes.get(*name)).cloned();
        for party in started.parties {
            self.joined(&party.role, party.name.as_deref(), at_ms);
        }
    }

    /// Somebody whose name isn't told is an agent all the same, but nobody's experience.
    fn joined(&mut self, role: &str, name: Option<&str>, at_ms: u64) {
        if role == Role::Agent.as_str() {
            self.agent_ms.get_or_insert(at_ms);
            if self.agent.is_none() {
                self.agent = name.map(str::to_owned);
            }
        }
    }

    fn spoke(&mut self, turn: &wire::TurnFinal, at_ms: u64) {
        match Role::parse(&turn.party.role) {
            Some(Role::Customer | Role::Mixed) => {
                self.spoke_ms = at_ms;
                let chars = turn.text.chars().count();
                if self.languages.len() < LANGUAGES_MAX
                    || self.languages.contains_key(&turn.language)
                {
                    *self.languages.entry(turn.language.clone()).or_default() += chars;
                }
            }
            Some(Role::Agent) => self.joined(Role::Agent.as_str(), None, at_ms),
            _ => {}
        }
    }

    fn assigned(&mut self, agent: String, at_ms: u64) {
        match self.agent.take() {
            Some(before) if before != agent => {
                self.given_away.push(before);
                self.agent_ms = Some(at_ms);
            }
            _ => {
                self.agent_ms.get_or_insert(at_ms);
            }
        }
        self.agent = Some(agent);
    }
}

fn customer(context: &CrmContext) -> Customer {
    let searched = context.searched.as_ref().map(searched);
    let Identity::Known(known) = &context.identity else {
        return Customer { contact: searched, ..Customer::default() };
    };
    let case = known.cases.first();
    Customer {
        contact: Some(format!("{}/{}", context.connector, known.contact.id)),
        is_known: true,
        value: known.facts.value.filter(|value| value.is_finite()),
        tier: known.facts.tier.clone(),
        account_owner: known.facts.owner.clone(),
        open_cases: known.cases.len(),
        case_id: case.map(|case| case.id.clone()),
        case_owner: case.and_then(|case| case.owner.clone()),
        case_priority: case.and_then(|case| case.priority.clone()),
    }
}

fn searched(key: &ContactKey) -> String {
    format!("{}:{}", key.kind(), key.value())
}
