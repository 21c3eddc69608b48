//! What is simulated: kinds of contact, customers, agents, and what the router knows of them. Flat arrays, since the
//! simulator reads them for each event.

use super::confusion::Confusion;
use super::sample::Duration;

/// A kind of contact, as it really is.
#[derive(Clone, Debug)]
pub struct Class {
    pub name: String,
    /// Share of the first contacts.
    pub share: f64,
    /// Factor of the agent's mean handling time; its own mean is 1.
    pub work: Duration,
    pub patience: Duration,
}

/// A group of customers who count alike.
#[derive(Clone, Debug)]
pub struct Tier {
    pub name: String,
    pub share: f64,
    /// 1 for an ordinary customer, see [`value`](crate::routing::score::value).
    pub value: f64,
}

/// Who wasn't helped and calls again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Returns {
    /// Of those who weren't helped.
    pub share: f64,
    /// Mean of the exponential time until they do.
    pub after_s: f64,
}

/// Everything about a call centre but its calls.
#[derive(Clone, Debug)]
pub struct World {
    pub classes: Vec<Class>,
    pub tiers: Vec<Tier>,
    pub agents: Agents,
    /// What is heard instead of what is meant.
    pub confusion: Confusion,
    /// Within which an answer counts for the service level.
    pub target_s: f64,
    pub returns: Option<Returns>,
    /// After so long an agent who can't help hands the contact over, its kind now known.
    pub hand_over_s: f64,
    /// Calls come from 0 to here; those from `warm_up_s` on are counted.
    pub horizon_s: f64,
    pub warm_up_s: f64,
}

/// Agents by number; pairs with a class lie at `agent × classes + class`.
#[derive(Clone, Debug, Default)]
pub struct Agents {
    pub count: usize,
    pub skilled: Vec<bool>,
    /// Mean handling time in seconds.
    pub mean_s: Vec<f64>,
    /// Probability to resolve.
    pub resolves: Vec<f64>,
    /// The same two as the router has estimated them from a history.
    pub known_mean_s: Vec<f64>,
    pub known_resolves: Vec<f64>,
    /// Bits of the half hours in which each is on duty; empty when all are, always.
    pub duty: Vec<u64>,
}

/// Length of a bit of [`Agents::duty`].
pub const DUTY_S: f64 = 1800.0;

/// Half hours that a duty has.
pub const DUTIES: usize = 48;

impl World {
    /// What of the contacts is meant by each that is heard: `[heard][class]`, where the last heard is "abstained".
    /// Bayes' rule on the confusion and the classes' shares; calibrated probabilities would say the same on average.
    pub fn meant(&self) -> Vec<Vec<f64>> {
        let classes = self.classes.len();
        (0..=classes)
            .map(|heard| {
                let joint: Vec<f64> = (0..classes)
                    .map(|class| {
                        self.classes[class].share * self.confusion.probability(class, heard)
                    })
                    .collect();
                let total: f64 = joint.iter().sum();
                match total > 0.0 {
                    true => joint.iter().map(|one| one / total).collect(),
                    // Never heard: as if it were right, or as if nothing were known.
                    false if heard < classes => {
                        (0..classes).map(|class| f64::from(u8::from(class == heard))).collect()
                    }
                    false => self.classes.iter().map(|class| class.share).collect(),
                }
            })
            .collect()
    }

    /// Mean seconds of work that a first contact brings in skilled hands, those of its returns included.
    pub fn work_s(&self) -> f64 {
        let classes = self.classes.len();
        let over_skilled = |class: usize, of: &[f64]| {
            let skilled = (0..self.agents.count)
                .map(|agent| agent * classes + class)
                .filter(|at| self.agents.skilled[*at]);
            let (sum, count) =
                skilled.fold((0.0, 0.0), |(sum, count), at| (sum + of[at], count + 1.0));
            if count > 0.0 { sum / count } else { 0.0 }
        };
        let total: f64 = self.classes.iter().map(|class| class.share).sum();
        let work: f64 = (0..classes)
            .map(|class| {
                let again = self.returns.map_or(0.0, |returns| returns.share)
                    * (1.0 - over_skilled(class, &self.agents.resolves));
                self.classes[class].share * over_skilled(class, &self.agents.mean_s) / (1.0 - again)
            })
            .sum();
        work / total
    }

    /// First contacts a second that keep all agents busy for the share `load` of their time, in skilled hands.
    pub fn arrivals_per_s(&self, load: f64) -> f64 {
        load * self.agents.count as f64 / self.work_s()
    }
}
