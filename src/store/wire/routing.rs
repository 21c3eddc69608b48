//! Who takes which work, and why.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

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
    pub waited_ms: u64,
    /// Unix milliseconds.
    pub at_ms: u64,
}
