//! What is understood of a conversation while it goes on.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RankedIntent {
    pub label: String,
    /// 0 to 1, calibrated
    pub probability: f32,
}

/// What the customer wants, as a turn says it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InsightIntent {
    pub turn_id: String,
    /// None is likely enough, or the turn is about something else: take `intents` for hints only.
    pub abstained: bool,
    /// The likeliest first.
    pub intents: Vec<RankedIntent>,
}

/// A word that the sentiment of a message comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SentimentTerm {
    /// In code points of the turn's `text`.
    pub start: usize,
    pub end: usize,
    pub quote: String,
    pub weight: f32,
}

/// How the customer feels after a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InsightSentiment {
    pub turn_id: String,
    /// -1 to 1, from the customer's latest messages
    pub score: f32,
    /// very_negative, negative, slightly_negative, neutral, slightly_positive, positive or very_positive
    pub level: String,
    /// falling, steady or rising
    pub trend: String,
    /// -1 to 1, of this message alone
    pub message_score: f32,
    /// From how many messages `score` is.
    pub messages: usize,
    /// Of this message, the weightiest first.
    pub terms: Vec<SentimentTerm>,
}

/// What a category rests on: words, or something measured or known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum InsightEvidence {
    Said {
        turn_id: String,
        role: String,
        /// In code points of the `text` of its `turn.final`.
        start: usize,
        end: usize,
        quote: String,
    },
    Signal {
        /// silence_ms, overlap_ms, turn_ms, turns, duration_ms, sentiment, sentiment_trend, intent, ended, or
        /// the name of an attribute behind `attribute.`
        name: String,
        value: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        turn_id: Option<String>,
    },
}

/// A category rule holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InsightCategory {
    /// The rule's name.
    pub category: String,
    pub title: String,
    /// The turn after which it holds; null at the end, or when something became known between turns.
    #[schema(required)]
    pub turn_id: Option<String>,
    /// How often it has held in this conversation.
    pub times: u32,
    pub evidence: Vec<InsightEvidence>,
}

/// Somebody should know now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InsightAlert {
    pub category: String,
    pub times: u32,
    /// info, warning or critical
    pub severity: String,
    pub title: String,
    /// What to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// agent, supervisor
    pub to: Vec<String>,
    #[schema(required)]
    pub turn_id: Option<String>,
}
