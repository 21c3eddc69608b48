//! Who takes which work, and why: intents, features with their age, scored candidates, decisions.

use std::borrow::Cow;

use super::{ConversationId, DecisionId, DedupeKey, Redacted, WorkItemId};

/// What a customer wants, as one label of the tenant's list.
#[derive(Clone, Debug, PartialEq)]
pub struct Intent {
    pub label: String,
    /// Calibrated, 0 to 1.
    pub probability: f32,
}

/// What was made of the customer's words so far. The newest of a conversation stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IntentSeen {
    /// The likeliest first.
    pub ranked: Vec<Intent>,
    /// Nothing of the list fits: `ranked` is for people, no rule may rely on it.
    pub abstained: bool,
}

impl IntentSeen {
    /// What may be relied on; none when it abstained.
    pub fn top(&self) -> Option<&Intent> {
        self.ranked.first().filter(|_| !self.abstained)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum FeatureValue {
    Text(String),
    Number(f64),
    Flag(bool),
}

/// One thing that is known of a conversation, and since when.
#[derive(Clone, Debug, PartialEq)]
pub struct Feature {
    /// A stable word for rules: `intent`, `sentiment`, `value`.
    pub name: Cow<'static, str>,
    pub value: FeatureValue,
    /// The kind of event, or the system, that says so: `insight.intent`, `crm.context`.
    pub source: Cow<'static, str>,
    /// When it was so, in unix milliseconds.
    pub as_of_ms: u64,
}

impl Feature {
    /// Milliseconds since it was so; 0 for what bears a later time, as clocks differ.
    pub const fn age_ms(&self, now_ms: u64) -> u64 {
        now_ms.saturating_sub(self.as_of_ms)
    }
}

/// One factor of a candidate's score.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// A stable word for programs: `value`, `waiting_cost`, `service_rate`, `resolves`.
    pub name: Cow<'static, str>,
    pub value: f64,
    /// Where the number comes from, for people.
    pub why: Cow<'static, str>,
}

/// Somebody who could take the work.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Candidate {
    pub agent: String,
    pub score: f64,
    pub terms: Vec<Term>,
}

/// What a decision is good for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RoutingMode {
    #[default]
    Off,
    /// Recommended and recorded; somebody else assigns.
    Shadow,
    /// It is carried out.
    Active,
}

impl RoutingMode {
    pub const ALL: [Self; 3] = [Self::Off, Self::Shadow, Self::Active];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Shadow => "shadow",
            Self::Active => "active",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == text)
    }
}

/// Who should take a work item, with all that was weighed.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    pub id: DecisionId,
    pub item: WorkItemId,
    pub queue: String,
    pub mode: RoutingMode,
    /// How it was chosen: `context`, `highest_capacity`, `longest_idle`.
    pub policy: String,
    /// Grows with every change of the plan: what the plan was then.
    pub epoch: u64,
    /// None when nobody could take it.
    pub chosen: Option<Candidate>,
    pub runner_up: Option<Candidate>,
    /// The next best, at most `OTHERS_MAX`.
    pub others: Vec<Candidate>,
    /// Rules by name, in the order in which they matched.
    pub rules_matched: Vec<String>,
    /// What would have led to another choice, for people.
    pub would_change: Vec<String>,
    /// In one sentence for people.
    pub reason: String,
    /// What was known of the conversation then.
    pub features: Vec<Feature>,
    pub at_ms: u64,
}

impl Decision {
    /// Of all candidates so many are kept besides the first two: a decision is an event, and events are read whole.
    pub const OTHERS_MAX: usize = 8;
}

/// A work item has got somebody.
#[derive(Clone, Debug, PartialEq)]
pub struct Assignment {
    /// None where a person or another router assigned without asking.
    pub decision: Option<DecisionId>,
    pub item: WorkItemId,
    pub queue: String,
    pub agent: String,
    pub mode: RoutingMode,
    pub policy: String,
    pub epoch: u64,
    /// Whom the decision had named, where it was somebody else.
    pub recommended: Option<String>,
    /// The person or the router that assigned; none where the decision was carried out.
    pub by: Option<String>,
    pub reason: String,
    /// Capacity profiles of the agent that it counts in until the day ends, whatever becomes of it.
    pub day_profiles: Vec<String>,
    pub waited_ms: u64,
    pub at_ms: u64,
}

/// What is to be told to another router about an item that it places.
#[derive(Clone, Debug, PartialEq)]
pub struct Recommendation {
    pub conversation: ConversationId,
    /// The other router's own name for the item: a task, a contact, a conversation of theirs.
    pub external_id: String,
    pub decision: Decision,
    /// What it is about, in a few sentences, for whoever takes it.
    pub brief: Option<Redacted>,
    /// Where the whole hand-over can be read.
    pub link: Option<String>,
}

impl Recommendation {
    /// Of one decision told to one router about one item.
    pub fn key(&self) -> DedupeKey {
        DedupeKey::of(&["recommend", &self.external_id, self.decision.id.as_str()])
    }
}

/// How a plan is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PlanForm {
    #[default]
    Toml,
    Json,
}

impl PlanForm {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Toml => "toml",
            Self::Json => "json",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Toml, Self::Json].into_iter().find(|form| form.as_str() == text)
    }
}

/// A plan came into force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanPut {
    pub epoch: u64,
    pub form: PlanForm,
    /// As it was written.
    pub text: String,
    /// None where it stands in the settings.
    pub by: Option<String>,
}

/// An agent is there, or isn't.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresenceSet {
    pub agent: String,
    /// A word of the plan: `available`, `away`.
    pub presence: String,
    pub by: String,
}

/// A work item came in. The second of an item says what is known of it since; it arrived with the first.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkOffered {
    pub item: WorkItemId,
    pub conversation: Option<ConversationId>,
    /// What another router calls it.
    pub external_id: Option<String>,
    pub workstream: String,
    /// As they were given; what its conversation tells stands in the conversation.
    pub features: Vec<Feature>,
    pub intents: Vec<Intent>,
    pub preferred: Vec<String>,
    /// None where a conversation began.
    pub by: Option<String>,
    pub at_ms: u64,
}

/// What happened with a work item that nobody was assigned by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkStep {
    Accepted,
    Declined,
    /// Somebody has it whom the plan doesn't know.
    Taken,
    /// To another queue.
    Transferred(String),
    /// The conversation is over, or the customer gave up.
    Ended,
    /// Nothing is left to do with it.
    Released,
}

impl WorkStep {
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Declined => "declined",
            Self::Taken => "taken",
            Self::Transferred(_) => "transferred",
            Self::Ended => "ended",
            Self::Released => "released",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkMoved {
    pub item: WorkItemId,
    pub step: WorkStep,
    /// None where the conversation, a limit or a clock did it.
    pub by: Option<String>,
    pub at_ms: u64,
}

/// A work item was put into a queue.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkQueued {
    pub item: WorkItemId,
    pub workstream: String,
    pub queue: String,
    pub mode: RoutingMode,
    pub epoch: u64,
    /// Rules of classification that matched, in their order.
    pub classified_by: Vec<String>,
    /// Ways that matched, in their order, each with the queue that it led to.
    pub routes_matched: Vec<(String, String)>,
    /// The way that was taken; none for the fallback queue and for transfers.
    pub route: Option<String>,
    /// Of 100, where the way shares its items.
    pub percent: Option<f64>,
    /// That are required, with the least proficiency.
    pub skills: Vec<(String, u8)>,
    /// What it takes of an agent's capacity.
    pub profiles: Vec<String>,
    /// The customer is called back.
    pub callback: bool,
    pub why: String,
    pub at_ms: u64,
}

/// A limit of a queue was exceeded. In active mode somebody carries out what it says; in shadow mode it is told only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkOverflowed {
    pub item: WorkItemId,
    pub queue: String,
    pub mode: RoutingMode,
    pub epoch: u64,
    /// A word of the plan: `queue`, `callback`, `voicemail`, `external`, `end`, `queue_anyway`.
    pub action: String,
    /// The other queue, or the number.
    pub to: Option<String>,
    /// Whether the item was in the queue already.
    pub after_queueing: bool,
    pub waited_ms: u64,
    pub why: String,
    pub at_ms: u64,
}
