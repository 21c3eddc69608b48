//! Classification: what a work item needs, by the rules of its workstream.

use super::condition::Scope;
use super::plan::Workstream;
use crate::domain::Feature;

/// What the rules made of an item.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Classified {
    /// As they came, with what rules wrote.
    pub features: Vec<Feature>,
    /// The least proficiency by skill, sorted by skill.
    pub skills: Vec<(u32, u8)>,
    /// Capacity that it takes, sorted: the workstream's, and what rules added.
    pub profiles: Vec<u32>,
    /// Rules by name, in the order in which they matched.
    pub matched: Vec<String>,
}

/// Runs the rulesets one after another; of each, the first rule that matches.
pub fn classify(workstream: &Workstream, features: &[Feature], now_ms: u64) -> Classified {
    let mut made = Classified {
        features: features.to_vec(),
        profiles: workstream.profiles.clone(),
        ..Classified::default()
    };
    for ruleset in &workstream.classification {
        let scope = Scope::of_item(&made.features, now_ms);
        let Some(rule) = ruleset.iter().find(|rule| rule.when.holds(scope)) else { continue };
        made.matched.push(rule.name.clone());
        for attribute in &rule.set {
            made.features.retain(|feature| feature.name != attribute.name);
            made.features.push(Feature { as_of_ms: now_ms, ..attribute.clone() });
        }
        for (skill, level) in &rule.skills {
            match made.skills.iter_mut().find(|(known, _)| known == skill) {
                Some((_, known)) => *known = (*known).max(*level),
                None => made.skills.push((*skill, *level)),
            }
        }
        made.profiles.extend(&rule.profiles);
    }
    made.skills.sort_unstable();
    made.profiles.sort_unstable();
    made.profiles.dedup();
    made
}
