//! Conditions of rules: what must hold of a work item's attributes, or of an agent's.

use crate::domain::{Feature, FeatureValue};

/// A condition that was checked; see `plan::written::Condition` for how it is written.
#[derive(Clone, Debug)]
pub enum Condition {
    Always,
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Attribute { name: String, newer_than_ms: Option<u64>, test: Test },
}

#[derive(Clone, Debug)]
pub enum Test {
    Is(FeatureValue),
    IsNot(FeatureValue),
    OneOf(Vec<FeatureValue>),
    /// Texts are compared without regard to case.
    Contains(String),
    StartsWith(String),
    AtLeast(f64),
    AtMost(f64),
    Above(f64),
    Below(f64),
    Known(bool),
    SameAs(String),
}

/// Where a condition looks: the attributes of an item, and of an agent when one is in question.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    pub item: &'a [Feature],
    pub agent: &'a [Feature],
    pub now_ms: u64,
}

impl<'a> Scope<'a> {
    pub const fn of_item(item: &'a [Feature], now_ms: u64) -> Self {
        Self { item, agent: &[], now_ms }
    }

    /// All values of a name: a signal such as `category` can have several.
    fn values(self, name: &str) -> impl Iterator<Item = &'a Feature> {
        let (list, name) = match name.strip_prefix("agent.") {
            Some(name) => (self.agent, name),
            None => (self.item, name),
        };
        list.iter().filter(move |feature| feature.name == name)
    }
}

impl Condition {
    /// Whether it holds. What isn't known fulfils nothing but `is_not` and `known = false`.
    pub fn holds(&self, scope: Scope<'_>) -> bool {
        match self {
            Self::Always => true,
            Self::All(list) => list.iter().all(|condition| condition.holds(scope)),
            Self::Any(list) => list.iter().any(|condition| condition.holds(scope)),
            Self::Not(condition) => !condition.holds(scope),
            Self::Attribute { name, newer_than_ms, test } => {
                let fresh = |feature: &&Feature| {
                    newer_than_ms.is_none_or(|most| feature.age_ms(scope.now_ms) < most)
                };
                let mut values = scope.values(name).filter(fresh).map(|feature| &feature.value);
                match test {
                    Test::IsNot(unwanted) => !values.any(|value| same(value, unwanted)),
                    Test::Known(known) => values.next().is_some() == *known,
                    Test::SameAs(other) => values.any(|value| {
                        scope.values(other).any(|feature| same(value, &feature.value))
                    }),
                    test => values.any(|value| test.of(value)),
                }
            }
        }
    }
}

impl Test {
    fn of(&self, value: &FeatureValue) -> bool {
        let number = || if let FeatureValue::Number(number) = value { *number } else { f64::NAN };
        let text = || match value {
            FeatureValue::Text(text) => text.to_lowercase(),
            _ => String::new(),
        };
        match self {
            Self::Is(wanted) => same(value, wanted),
            Self::OneOf(wanted) => wanted.iter().any(|wanted| same(value, wanted)),
            Self::Contains(part) => text().contains(part.as_str()),
            Self::StartsWith(part) => text().starts_with(part.as_str()),
            Self::AtLeast(least) => number() >= *least,
            Self::AtMost(most) => number() <= *most,
            Self::Above(bound) => number() > *bound,
            Self::Below(bound) => number() < *bound,
            // These look at all values at once, above.
            Self::IsNot(_) | Self::Known(_) | Self::SameAs(_) => false,
        }
    }
}

fn same(a: &FeatureValue, b: &FeatureValue) -> bool {
    match (a, b) {
        (FeatureValue::Text(a), FeatureValue::Text(b)) => {
            a == b || a.to_lowercase() == b.to_lowercase()
        }
        _ => a == b,
    }
}
