//! Settings `[wrapup]`.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::flow::wrapup::{DispositionRule, Finder, SectionRule, WrapUpSettings, default_sections};

/// A section of the tenant's own has so many sentences at most.
const OWN_SENTENCES: usize = 3;

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct WrapUp {
    /// Write summary, follow-ups, disposition, e-mail and article when a call is over.
    pub at_end: bool,
    /// In which "tomorrow at two" is meant, such as `Europe/London`.
    pub time_zone: String,
    /// Of issue, root_cause, steps_tried, outcome, promises, next_steps, error_codes, and the own
    /// ones by their keys; in this order.
    pub sections: Vec<String>,
    pub own_sections: Vec<OwnSection>,
    /// From which one is proposed.
    pub dispositions: Vec<Disposition>,
}

/// Sentences that hold one of the phrases.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct OwnSection {
    pub key: String,
    pub phrases: Vec<String>,
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Disposition {
    pub code: String,
    pub label: String,
    /// Words that speak for it.
    #[serde(default)]
    pub phrases: Vec<String>,
}

impl Default for WrapUp {
    fn default() -> Self {
        Self {
            at_end: true,
            time_zone: "UTC".to_owned(),
            sections: default_sections().into_iter().map(|rule| rule.key).collect(),
            own_sections: Vec::new(),
            dispositions: Vec::new(),
        }
    }
}

impl WrapUp {
    pub(super) fn mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        if let Err(error) = TimeZone::get(&self.time_zone) {
            mistakes.push(format!("wrapup.time_zone: {error}"));
        }
        let unknown = self.sections.iter().filter(|key| self.rule(key).is_none());
        mistakes.extend(unknown.map(|key| {
            format!(
                "wrapup.sections: {key} is neither a section of the program nor in own_sections"
            )
        }));
        let mut codes = std::collections::HashSet::new();
        let twice = self.dispositions.iter().filter(|one| !codes.insert(&one.code));
        mistakes.extend(
            twice.map(|one| {
                format!("wrapup.dispositions: the code {} stands there twice", one.code)
            }),
        );
        mistakes
    }

    fn rule(&self, key: &str) -> Option<SectionRule> {
        let known = default_sections().into_iter().find(|rule| rule.key == key);
        known.or_else(|| {
            let own = self.own_sections.iter().find(|own| own.key == key)?;
            let finder = Finder::Phrases(own.phrases.clone());
            Some(SectionRule { key: own.key.clone(), finder, sentences_max: OWN_SENTENCES })
        })
    }

    /// As the stage takes it. What [`Self::mistakes`] names is left out.
    pub fn settings(&self) -> WrapUpSettings {
        let rule = |one: &Disposition| DispositionRule {
            code: one.code.clone(),
            label: one.label.clone(),
            phrases: one.phrases.clone(),
        };
        WrapUpSettings {
            sections: self.sections.iter().filter_map(|key| self.rule(key)).collect(),
            dispositions: self.dispositions.iter().map(rule).collect(),
        }
    }

    /// UTC where the name is none; `mistakes` says so at the start.
    pub fn zone(&self) -> TimeZone {
        TimeZone::get(&self.time_zone).unwrap_or(TimeZone::UTC)
    }
}
