//! How old a thing may be before it counts less.

use crate::domain::{Feature, FeatureValue};

/// A feature that counts less than this is as good as unknown, and is left out.
pub const WEIGHT_MIN: f64 = 1.0 / 16.0;

/// How long what is known holds, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// What a customer wants and how they feel changes while they wait.
    pub intent_ms: u64,
    pub mood_ms: u64,
    /// The CRM is asked when a conversation begins.
    pub crm_ms: u64,
    /// Whom a customer spoke with last.
    pub last_agent_ms: u64,
    /// The last contact from which a handling time was learnt.
    pub experience_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        const MINUTE_MS: u64 = 60_000;
        const DAY_MS: u64 = 24 * 60 * MINUTE_MS;
        Self {
            intent_ms: 30 * MINUTE_MS,
            mood_ms: 10 * MINUTE_MS,
            crm_ms: 4 * 60 * MINUTE_MS,
            last_agent_ms: 30 * DAY_MS,
            experience_ms: 30 * DAY_MS,
        }
    }
}

/// How much something of that age counts: 1 up to the limit, then half as much with every further limit,
/// `2^-((age - limit) / limit)`. A limit of 0 never passes.
pub fn weight(age_ms: u64, limit_ms: u64) -> f64 {
    match age_ms.checked_sub(limit_ms) {
        None | Some(0) => 1.0,
        Some(_) if limit_ms == 0 => 1.0,
        Some(over) => (-(over as f64) / limit_ms as f64).exp2(),
    }
}

/// A feature, and what its age makes of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    pub feature: Feature,
    pub age_ms: u64,
    /// Older than its limit.
    pub stale: bool,
    /// 1, or less the staler it is. A number counts as `neutral + weight × (value - neutral)`, a probability times
    /// the weight; a rule that compares a text asks for `stale`.
    pub weight: f64,
}

impl Known {
    /// None where it is so old that it counts for nothing.
    pub fn new(feature: Feature, limit_ms: u64, now_ms: u64) -> Option<Self> {
        let age_ms = feature.age_ms(now_ms);
        let weight = weight(age_ms, limit_ms);
        (weight >= WEIGHT_MIN).then_some(Self { feature, age_ms, stale: weight < 1.0, weight })
    }

    /// What never grows old, such as the channel.
    pub fn lasting(feature: Feature, now_ms: u64) -> Self {
        Self { age_ms: feature.age_ms(now_ms), feature, stale: false, weight: 1.0 }
    }

    /// The number, drawn towards what would count for nothing.
    pub fn number(&self, neutral: f64) -> Option<f64> {
        match self.feature.value {
            FeatureValue::Number(number) => Some(neutral + self.weight * (number - neutral)),
            FeatureValue::Text(_) | FeatureValue::Flag(_) => None,
        }
    }
}
