//! A call centre as a TOML file: `routing/scenarios/bank-60-agents.toml` shows and explains all of it.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::confusion::{Confusion, ConfusionError, Measured};
use super::sample::{Dice, Duration};
use super::world::{Agents, Class, Returns, Tier, World};
use crate::routing::score;

#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    #[error("the scenario isn't TOML of the known shape: {0}")]
    Unreadable(String),
    #[error("the scenario has {} mistakes:\n  {}", .0.len(), .0.join("\n  "))]
    Mistakes(Vec<String>),
    #[error(transparent)]
    Confusion(#[from] ConfusionError),
    #[error(
        "a run would have {0:.0} calls: choose fewer hours, agents or less load, {MOST_CALLS} at most"
    )]
    TooManyCalls(f64),
}

/// Calls of one run, which are kept in memory.
pub const MOST_CALLS: usize = 20_000_000;

/// The file as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    pub name: String,
    /// An answer within this time counts for the service level.
    pub target_s: f64,
    pub hours: f64,
    #[serde(default)]
    pub warm_up_hours: f64,
    pub patience: Time,
    #[serde(default)]
    pub returns: Option<Again>,
    #[serde(default)]
    pub hand_over: HandOver,
    #[serde(default)]
    pub spread: Spread,
    #[serde(default)]
    pub history: History,
    #[serde(default)]
    pub classifier: Classifier,
    #[serde(rename = "class")]
    pub classes: Vec<ClassRow>,
    #[serde(rename = "tier", default)]
    pub tiers: Vec<TierRow>,
    #[serde(rename = "group")]
    pub groups: Vec<Group>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, tag = "distribution", rename_all = "kebab-case")]
pub enum Time {
    Exponential { mean_s: f64 },
    Lognormal { mean_s: f64, cv: f64 },
    Constant { mean_s: f64 },
    Never,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Again {
    pub share: f64,
    pub after_s: f64,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandOver {
    pub after_s: f64,
}

impl Default for HandOver {
    fn default() -> Self {
        Self { after_s: 60.0 }
    }
}

/// How much agents of a group differ: standard deviations of the factor of the handling time (lognormal), and of the
/// probability to resolve.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spread {
    pub handling: f64,
    pub resolves: f64,
}

/// Of each agent and class the router has seen so many contacts before.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct History {
    pub contacts: u32,
}

impl Default for History {
    fn default() -> Self {
        Self { contacts: 100 }
    }
}

/// Without a measured confusion.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Classifier {
    pub accuracy: f64,
}

impl Default for Classifier {
    fn default() -> Self {
        Self { accuracy: 0.85 }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassRow {
    pub name: String,
    pub share: f64,
    pub handling: Time,
    /// Probability to be resolved by an agent with the skill.
    pub resolves: f64,
    /// Labels of the confusion matrix that belong here; the class's own name if none.
    #[serde(default)]
    pub intents: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TierRow {
    pub name: String,
    pub share: f64,
    pub value: f64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    pub name: String,
    pub agents: usize,
    /// By class.
    pub skills: BTreeMap<String, Skill>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Skill {
    /// Factor of the class's handling time.
    #[serde(default = "one")]
    pub handling: f64,
    /// Factor of the class's probability to resolve.
    #[serde(default = "one")]
    pub resolves: f64,
}

fn one() -> f64 {
    1.0
}

const PEOPLE: u64 = 3;

/// Agents and classes that a scenario can have.
const MOST: usize = 100_000;

impl Scenario {
    /// # Errors
    /// The text isn't TOML of this shape (with line and column), or figures are out of range: all of them are named.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        let scenario: Self =
            toml::from_str(text).map_err(|error| ScenarioError::Unreadable(error.to_string()))?;
        let mistakes = super::scenario_check::mistakes(&scenario);
        if mistakes.is_empty() { Ok(scenario) } else { Err(ScenarioError::Mistakes(mistakes)) }
    }

    /// The call centre of this file. `people` seeds how its agents differ, and what the router has seen of them.
    ///
    /// # Errors
    /// The measured confusion doesn't fit the classes.
    pub fn world(&self, measured: Option<&Measured>, people: u64) -> Result<World, ScenarioError> {
        let classes = self.classes.len();
        let confusion = match measured {
            None => Confusion::even(classes, self.classifier.accuracy),
            Some(measured) => {
                let named: Vec<_> = self
                    .classes
                    .iter()
                    .map(|row| (row.name.clone(), row.intents.clone()))
                    .collect();
                measured.of_classes(&named)?
            }
        };
        let tiers = match self.tiers.is_empty() {
            true => vec![Tier { name: "all".into(), share: 1.0, value: 1.0 }],
            false => self
                .tiers
                .iter()
                .map(|row| Tier { name: row.name.clone(), share: row.share, value: row.value })
                .collect(),
        };
        Ok(World {
            classes: self
                .classes
                .iter()
                .map(|row| Class {
                    name: row.name.clone(),
                    share: row.share,
                    work: row.handling.of_mean(1.0),
                    patience: self.patience.duration(),
                })
                .collect(),
            tiers,
            agents: self.agents(people),
            confusion,
            target_s: self.target_s,
            returns: self
                .returns
                .map(|again| Returns { share: again.share, after_s: again.after_s }),
            hand_over_s: self.hand_over.after_s,
            horizon_s: self.hours * 3600.0,
            warm_up_s: self.warm_up_hours * 3600.0,
        })
    }

    /// The agents of this file for contacts of other kinds: each of `intents` is a class of this file by its name, or
    /// one of a class's intents.
    ///
    /// # Errors
    /// No class has the name or the intent.
    pub fn staff(&self, intents: &[String], people: u64) -> Result<Agents, ScenarioError> {
        let mut other = self.clone();
        other.classes.clear();
        for group in &mut other.groups {
            group.skills.clear();
        }
        for intent in intents {
            let class = self
                .classes
                .iter()
                .find(|class| class.name == *intent || class.intents.contains(intent));
            let Some(class) = class else {
                let mistake =
                    format!("no class is for the intent {intent}: name it in the intents of one");
                return Err(ScenarioError::Mistakes(vec![mistake]));
            };
            for (group, own) in other.groups.iter_mut().zip(&self.groups) {
                if let Some(skill) = own.skills.get(&class.name) {
                    group.skills.insert(intent.clone(), *skill);
                }
            }
            other.classes.push(ClassRow { name: intent.clone(), ..class.clone() });
        }
        Ok(other.agents(people))
    }

    fn agents(&self, people: u64) -> Agents {
        let count = self.groups.iter().map(|group| group.agents).sum::<usize>().min(MOST);
        let pairs = count * self.classes.len();
        let mut agents = Agents {
            count,
            skilled: Vec::with_capacity(pairs),
            mean_s: Vec::with_capacity(pairs),
            resolves: Vec::with_capacity(pairs),
            known_mean_s: Vec::with_capacity(pairs),
            known_resolves: Vec::with_capacity(pairs),
            duty: Vec::new(),
        };
        let mut number = 0;
        for group in &self.groups {
            for _ in 0..group.agents {
                let mut dice = Dice::apart(people, PEOPLE, number);
                number += 1;
                let variance = (1.0 + self.spread.handling * self.spread.handling).ln();
                let own = (variance.sqrt() * dice.normal() - variance / 2.0).exp();
                let better = self.spread.resolves * dice.normal();
                for class in &self.classes {
                    self.pair(
                        &mut agents,
                        class,
                        group.skills.get(&class.name),
                        (own, better),
                        &mut dice,
                    );
                }
            }
        }
        agents
    }

    /// What an agent is like with a class, and what the router believes after `history` contacts.
    fn pair(
        &self,
        agents: &mut Agents,
        class: &ClassRow,
        skill: Option<&Skill>,
        own: (f64, f64),
        dice: &mut Dice,
    ) {
        let usual = class.handling.duration().mean_s();
        let mean_s = usual * skill.map_or(1.0, |skill| skill.handling) * own.0;
        let resolves =
            (class.resolves * skill.map_or(1.0, |skill| skill.resolves) + own.1).clamp(0.0, 1.0);
        let (mut total_s, mut resolved) = (0.0, 0.0);
        let work = class.handling.of_mean(1.0);
        for _ in 0..self.history.contacts {
            total_s += mean_s * work.draw(dice);
            resolved += f64::from(u8::from(dice.unit() < resolves));
        }
        let handled = f64::from(self.history.contacts);
        agents.skilled.push(skill.is_some());
        agents.mean_s.push(mean_s);
        agents.resolves.push(resolves);
        agents.known_mean_s.push(score::handling_s(total_s, handled, usual));
        agents.known_resolves.push(score::resolves(resolved, handled, class.resolves));
    }
}

impl Time {
    pub fn duration(self) -> Duration {
        match self {
            Self::Exponential { mean_s } => Duration::Exponential { mean_s },
            Self::Lognormal { mean_s, cv } => Duration::Lognormal { mean_s, cv },
            Self::Constant { mean_s } => Duration::Constant { mean_s },
            Self::Never => Duration::Never,
        }
    }

    /// The same shape with another mean.
    fn of_mean(self, mean_s: f64) -> Duration {
        match self {
            Self::Exponential { .. } => Duration::Exponential { mean_s },
            Self::Lognormal { cv, .. } => Duration::Lognormal { mean_s, cv },
            Self::Constant { .. } => Duration::Constant { mean_s },
            Self::Never => Duration::Never,
        }
    }
}
