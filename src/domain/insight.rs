//! What is understood of a conversation while it goes on: intents, sentiment, categories, alerts.

use super::{IntentSeen, Redacted, Role, TurnCitation, TurnId};

/// What a customer wants, as one turn says it.
#[derive(Clone, Debug, PartialEq)]
pub struct TurnIntent {
    pub turn_id: TurnId,
    pub seen: IntentSeen,
}

/// How a customer feels, in seven levels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SentimentLevel {
    VeryNegative,
    Negative,
    SlightlyNegative,
    #[default]
    Neutral,
    SlightlyPositive,
    Positive,
    VeryPositive,
}

impl SentimentLevel {
    /// The worst first.
    pub const ALL: [Self; 7] = [
        Self::VeryNegative,
        Self::Negative,
        Self::SlightlyNegative,
        Self::Neutral,
        Self::SlightlyPositive,
        Self::Positive,
        Self::VeryPositive,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::VeryNegative => "very_negative",
            Self::Negative => "negative",
            Self::SlightlyNegative => "slightly_negative",
            Self::Neutral => "neutral",
            Self::SlightlyPositive => "slightly_positive",
            Self::Positive => "positive",
            Self::VeryPositive => "very_positive",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == text)
    }
}

/// Where the sentiment goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SentimentTrend {
    Falling,
    #[default]
    Steady,
    Rising,
}

impl SentimentTrend {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Falling => "falling",
            Self::Steady => "steady",
            Self::Rising => "rising",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Falling, Self::Steady, Self::Rising].into_iter().find(|one| one.as_str() == text)
    }
}

/// A word of a message that its sentiment comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct SentimentTerm {
    /// Offsets in code points into the turn's `text`: `quote == text[start..end]`.
    pub start_chars: usize,
    pub end_chars: usize,
    pub quote: Redacted,
    /// What it counts, after what stands around it.
    pub weight: f32,
}

/// How the customer feels after a message, from that one and those before.
#[derive(Clone, Debug, PartialEq)]
pub struct Sentiment {
    pub turn_id: TurnId,
    /// -1 to 1, from the customer's latest messages.
    pub score: f32,
    pub level: SentimentLevel,
    pub trend: SentimentTrend,
    /// -1 to 1, of this message alone.
    pub message_score: f32,
    /// From how many messages `score` is.
    pub messages: usize,
    /// Of this message, the weightiest first.
    pub terms: Vec<SentimentTerm>,
}

/// Something that a category rule rests on.
#[derive(Clone, Debug, PartialEq)]
pub enum Evidence {
    /// These words were said. Offsets are those of the turn when it became final.
    Said(TurnCitation),
    /// What was measured or known: `silence_ms`, `12400`. `turn_id` where it belongs to one.
    Signal { name: String, value: String, turn_id: Option<TurnId> },
}

/// A rule holds for a conversation.
#[derive(Clone, Debug, PartialEq)]
pub struct CategoryMatched {
    /// The rule's name, for programs: `cancellation_risk`.
    pub category: String,
    /// For people.
    pub title: String,
    /// The turn after which it holds; `None` at the conversation's end, or when something became known.
    pub turn_id: Option<TurnId>,
    /// How often it has held in this conversation, with this time.
    pub times: u32,
    pub evidence: Vec<Evidence>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    Info,
    Warning,
    Critical,
}

impl Severity {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Info, Self::Warning, Self::Critical].into_iter().find(|one| one.as_str() == text)
    }
}

/// Somebody should know now.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// The rule whose match it belongs to; that event comes just before.
    pub category: String,
    pub times: u32,
    pub severity: Severity,
    pub title: String,
    /// What to do, as the rule says it.
    pub message: Option<String>,
    /// Agent, supervisor, or both.
    pub to: Vec<Role>,
    pub turn_id: Option<TurnId>,
}
