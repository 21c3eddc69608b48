//! Who takes which work, and why.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Authorship, Case, Citation, Contact, Party, RankedIntent, Sentence, SummarySection};

/// Who should take a work item, with every scored term.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RouteRecommended {
    pub decision_id: String,
    pub work_item_id: String,
    pub queue: String,
    /// off, shadow or active
    pub mode: String,
    /// How it was chosen: context, highest_capacity, …
    pub policy: String,
    /// Of the plan: grows with every change.
    pub epoch: u64,
    /// In one sentence for people.
    pub reason: String,
    /// Null when nobody could take it.
    #[schema(required)]
    pub chosen: Option<RouteCandidate>,
    #[schema(required)]
    pub runner_up: Option<RouteCandidate>,
    /// The next best.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<RouteCandidate>,
    /// By name, in the order in which they matched.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules_matched: Vec<String>,
    /// What would have led to another choice, for people.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub would_change: Vec<String>,
    /// What was known of the conversation then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<RouteFeature>,
    /// Unix milliseconds.
    pub at_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RouteCandidate {
    pub agent: String,
    pub score: f64,
    pub terms: Vec<RouteTerm>,
}

/// One factor of a score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RouteTerm {
    pub name: String,
    pub value: f64,
    /// Where the number comes from, for people.
    pub why: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RouteFeature {
    pub name: String,
    pub value: RouteFeatureValue,
    /// The kind of event, or the system, that says so.
    pub source: String,
    /// When it was so, in unix milliseconds.
    pub as_of_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum RouteFeatureValue {
    Flag(bool),
    Number(f64),
    Text(String),
}

/// A work item has got somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RouteAssigned {
    /// Absent where a person or another router assigned without asking.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision_id: Option<String>,
    pub work_item_id: String,
    pub queue: String,
    pub agent: String,
    /// off, shadow or active
    pub mode: String,
    pub policy: String,
    pub epoch: u64,
    /// Whom the decision had named, where it was somebody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recommended: Option<String>,
    /// The person or the router that assigned; absent where the decision was carried out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    pub reason: String,
    /// Capacity profiles of the agent that it counts in until the day ends, whatever becomes of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub day_profiles: Vec<String>,
    pub waited_ms: u64,
    /// Unix milliseconds.
    pub at_ms: u64,
}

/// A plan came into force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RoutePlanned {
    /// Grows with every plan.
    pub epoch: u64,
    /// toml or json
    pub form: String,
    /// As it was written.
    pub text: String,
    /// Absent where it stands in the settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// An agent is there, or isn't.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RoutePresence {
    pub agent: String,
    /// available, busy, do_not_disturb, away or offline
    pub presence: String,
    pub by: String,
}

/// A work item came in, or more is known of it: the newest of an item stands, and it arrived with the first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RouteOffered {
    pub work_item_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation_id: Option<String>,
    /// What another router calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    pub workstream: String,
    /// As they were given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<RouteFeature>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub intents: Vec<RankedIntent>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub preferred: Vec<String>,
    /// Absent where a conversation began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Unix milliseconds.
    pub at_ms: u64,
}

/// A way that an item could go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RouteMatched {
    pub route: String,
    /// Where it led to.
    pub queue: String,
}

/// A work item was put into a queue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RouteQueued {
    pub work_item_id: String,
    pub workstream: String,
    pub queue: String,
    /// off, shadow or active
    pub mode: String,
    pub epoch: u64,
    /// Rules of classification that matched, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classified_by: Vec<String>,
    /// Ways that matched, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routes_matched: Vec<RouteMatched>,
    /// The way that was taken; absent for the fallback queue and for transfers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// Of 100, where the way shares its items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<f64>,
    /// That are required, with the least proficiency.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub skills: BTreeMap<String, u8>,
    /// What it takes of an agent's capacity.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub profiles: Vec<String>,
    /// The customer is called back.
    pub callback: bool,
    pub why: String,
    /// Unix milliseconds.
    pub at_ms: u64,
}

/// A limit of a queue was exceeded. In mode active somebody carries out what `action` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RouteOverflowed {
    pub work_item_id: String,
    pub queue: String,
    /// off, shadow or active
    pub mode: String,
    pub epoch: u64,
    /// queue, callback, voicemail, external, end or queue_anyway
    pub action: String,
    /// The other queue, or the number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Whether the item was in the queue already.
    pub after_queueing: bool,
    pub waited_ms: u64,
    pub why: String,
    /// Unix milliseconds.
    pub at_ms: u64,
}

/// A work item was accepted, declined, taken by somebody whom the plan doesn't know, transferred, ended or released.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RouteMoved {
    pub work_item_id: String,
    /// accepted, declined, taken, transferred, ended or released
    pub step: String,
    /// Of a transfer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// Absent where the conversation, a limit or a clock did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Unix milliseconds.
    pub at_ms: u64,
}

/// What the next one needs who takes a conversation on. Made of its events whenever it is asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HandOverPack {
    pub conversation_id: String,
    /// The `sequence` of the last event that is in it.
    pub sequence: u64,
    /// Who it is, as far as the CRM knows; null where it doesn't.
    #[schema(required)]
    pub customer: Option<PackCustomer>,
    /// Who took part.
    pub parties: Vec<Party>,
    /// Who had it last: an agent's name, or the role where there is none (`bot`).
    #[schema(required)]
    pub from: Option<String>,
    #[schema(required)]
    pub intent: Option<RankedIntent>,
    #[schema(required)]
    pub sentiment: Option<PackSentiment>,
    /// What it is about.
    pub about: Vec<Sentence>,
    pub tried: Vec<Sentence>,
    /// What was promised in this conversation.
    pub promised: Vec<Sentence>,
    pub next_steps: Vec<Sentence>,
    /// Other sections of the summary, a tenant's own among them.
    pub sections: Vec<SummarySection>,
    /// Promised in earlier conversations, and not forgotten.
    pub earlier_promises: Vec<PackPromise>,
    /// Of what the cards have shown, each article once.
    pub articles: Vec<PackArticle>,
    /// What was said since the summary was written, or last where none was.
    pub latest: Vec<Sentence>,
    /// What the media side, the bot or the CRM gave along.
    pub attributes: BTreeMap<String, String>,
    /// Who wrote the summary; absent where there is none yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorship: Option<Authorship>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PackCustomer {
    pub contact: Contact,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
    /// A year, in the CRM's currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// The latest changed first, without their history.
    pub open_cases: Vec<Case>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PackSentiment {
    pub level: String,
    /// falling, steady or rising
    pub trend: String,
    /// -1 to 1
    pub score: f32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PackPromise {
    pub conversation_id: String,
    pub wrapup_id: String,
    /// task, callback or meeting
    pub kind: String,
    /// Unix milliseconds; absent where the words may mean more than one day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_ms: Option<u64>,
    pub made_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PackArticle {
    pub title: String,
    pub citation: Citation,
    /// What the agent made of the card: accepted, edited, dismissed or ignored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<String>,
}
