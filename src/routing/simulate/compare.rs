//! Policies side by side over many runs, each policy with the same callers in each run.

use rayon::prelude::*;

use super::calls::{Call, Callers};
use super::confusion::Measured;
use super::engine;
use super::history::Replay;
use super::interval::Interval;
use super::policy::{Policy, Tables};
use super::scenario::{MOST_CALLS, Scenario, ScenarioError};
use super::tally::{Counts, Tally};
use super::world::World;

/// Where the runs of a comparison come from.
pub enum Source<'a> {
    /// Random calls of a scenario at a load; run `n` has the seed `first_seed + n`.
    Random {
        scenario: &'a Scenario,
        measured: Option<&'a Measured>,
        load: f64,
        runs: usize,
        first_seed: u64,
    },
    /// Days of a record.
    Replay(&'a Replay<'a>, u64),
}

impl Source<'_> {
    pub fn runs(&self) -> usize {
        match self {
            Self::Random { runs, .. } => *runs,
            Self::Replay(replay, _) => replay.days(),
        }
    }

    fn seed(&self, run: usize) -> u64 {
        match self {
            Self::Random { first_seed, .. } | Self::Replay(_, first_seed) => {
                first_seed.wrapping_add(run as u64)
            }
        }
    }

    /// The call centre of a run, and its calls.
    ///
    /// # Errors
    /// The measured confusion doesn't fit the scenario, or there would be too many calls.
    pub fn run(&self, run: usize) -> Result<(World, Vec<Call>), ScenarioError> {
        match self {
            Self::Random { scenario, measured, load, .. } => {
                let world = scenario.world(*measured, self.seed(run))?;
                let per_s = world.arrivals_per_s(*load);
                let expected = per_s * world.horizon_s;
                if expected.is_nan() || expected > MOST_CALLS as f64 {
                    return Err(ScenarioError::TooManyCalls(expected));
                }
                let calls = Callers::new(&world, self.seed(run)).poisson(per_s);
                Ok((world, calls))
            }
            Self::Replay(replay, _) => Ok(replay.day(run)),
        }
    }
}

/// A name and what is measured; none of a run in which nobody came whom it could be measured on.
pub type Metric = (&'static str, fn(&Tally) -> Option<f64>);

/// What is measured of a run, in the order in which it is shown.
pub const METRICS: [Metric; 7] = [
    ("service_level", |tally| of_callers(tally, Counts::service_level)),
    ("abandonment", |tally| of_callers(tally, Counts::abandonment)),
    ("mean_wait_s", |tally| of_callers(tally, Counts::mean_wait_s)),
    ("value_wait_s", |tally| of_callers(tally, Counts::value_wait_s)),
    ("first_contact_resolution", |tally| {
        let total = tally.total();
        (total.first > 0).then(|| total.first_contact_resolution())
    }),
    ("handed_over", |tally| of_callers(tally, Counts::handed_over)),
    ("occupancy", |tally| Some(tally.occupancy())),
];

fn of_callers(tally: &Tally, figure: fn(&Counts) -> f64) -> Option<f64> {
    let total = tally.total();
    (total.offered > 0).then(|| figure(&total))
}

/// A class or a tier under a policy, over all runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    pub name: String,
    pub offered: u64,
    pub service_level: f64,
    pub mean_wait_s: f64,
    /// Service level against the one under the baseline, less one: -0.1 is 10 % worse. None where the baseline had
    /// fewer than [`FEW`] callers, or answered none of them in time.
    pub change: Option<f64>,
}

/// What came of a policy.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub policy: Policy,
    /// Mean over runs of each of [`METRICS`]; none where no run had callers for it.
    pub metrics: Vec<Option<Interval>>,
    /// Run by run against the baseline; none from fewer than [`FEW`] callers in all runs.
    pub gains: Vec<Option<Interval>>,
    pub classes: Vec<Part>,
    pub tiers: Vec<Part>,
    /// Busy shares of the least and the most busy agent, means over runs.
    pub occupancy_range: (f64, f64),
    pub events: u64,
}

impl Outcome {
    /// The class whose service level suffers most against the baseline, of those that can be judged, and its change.
    pub fn worst_class(&self) -> Option<(&Part, f64)> {
        let judged = self.classes.iter().filter_map(|part| Some((part, part.change?)));
        judged.min_by(|a, b| a.1.total_cmp(&b.1))
    }
}

/// Policies against `baseline` over the same runs.
#[derive(Clone, Debug)]
pub struct Comparison {
    pub baseline: Policy,
    pub runs: usize,
    pub calls: u64,
    pub outcomes: Vec<Outcome>,
}

/// With fewer callers in all runs, policies and classes are shown and not judged: what came of them is chance.
pub const FEW: u64 = 100;

impl Comparison {
    /// Runs all policies; `done` is called after each run, from several threads.
    ///
    /// # Errors
    /// The measured confusion doesn't fit the scenario.
    pub fn of(
        source: &Source<'_>,
        policies: &[Policy],
        baseline: Policy,
        done: &(dyn Fn() + Sync),
    ) -> Result<Self, ScenarioError> {
        let mut policies = policies.to_vec();
        if !policies.contains(&baseline) {
            policies.push(baseline);
        }
        let runs: Vec<(World, Vec<Tally>)> = (0..source.runs())
            .into_par_iter()
            .map(|run| {
                let (world, calls) = source.run(run)?;
                let callers = Callers::new(&world, source.seed(run));
                let tallies = policies
                    .iter()
                    .map(|policy| {
                        engine::run(&world, &callers, &calls, *policy, &Tables::of(&world, *policy))
                    })
                    .collect();
                done();
                Ok((world, tallies))
            })
            .collect::<Result<_, ScenarioError>>()?;
        let place = policies.iter().position(|policy| *policy == baseline).unwrap_or(0);
        let of = |policy: usize| runs.iter().map(move |(_, tallies)| &tallies[policy]);
        let against: Vec<&Tally> = of(place).collect();
        let (classes, tiers) = runs.first().map_or((Vec::new(), Vec::new()), |(world, _)| {
            (
                world.classes.iter().map(|class| class.name.clone()).collect(),
                world.tiers.iter().map(|tier| tier.name.clone()).collect(),
            )
        });
        let outcomes = policies
            .iter()
            .enumerate()
            .map(|(at, policy)| {
                outcome(*policy, &of(at).collect::<Vec<_>>(), &against, &classes, &tiers)
            })
            .collect();
        let calls = against.iter().map(|tally| tally.total().offered).sum();
        Ok(Self { baseline, runs: runs.len(), calls, outcomes })
    }
}

fn outcome(
    policy: Policy,
    ours: &[&Tally],
    against: &[&Tally],
    classes: &[String],
    tiers: &[String],
) -> Outcome {
    let parts = |names: &[String], of: &dyn Fn(&Tally, usize) -> Counts| -> Vec<Part> {
        let sum = |tallies: &[&Tally], part: usize| {
            tallies.iter().fold(Counts::default(), |mut sum, tally| {
                sum.add(&of(tally, part));
                sum
            })
        };
        names
            .iter()
            .enumerate()
            .map(|(part, name)| {
                let (ours, theirs) = (sum(ours, part), sum(against, part));
                let level = theirs.service_level();
                let is_judged = level > 0.0 && theirs.offered >= FEW;
                let change = is_judged.then(|| ours.service_level() / level - 1.0);
                Part {
                    name: name.clone(),
                    offered: ours.offered,
                    service_level: ours.service_level(),
                    mean_wait_s: ours.mean_wait_s(),
                    change,
                }
            })
            .collect()
    };
    let mean = |of: fn(&Tally) -> f64| {
        ours.iter().map(|tally| of(tally)).sum::<f64>() / ours.len().max(1) as f64
    };
    let calls: u64 = against.iter().map(|tally| tally.total().offered).sum();
    let runs = || ours.iter().zip(against);
    Outcome {
        policy,
        metrics: METRICS
            .iter()
            .map(|(_, metric)| {
                Interval::of(&ours.iter().filter_map(|tally| metric(tally)).collect::<Vec<_>>())
            })
            .collect(),
        gains: METRICS
            .iter()
            .map(|(_, metric)| {
                let pairs =
                    runs().filter_map(|(ours, theirs)| Some((metric(ours)?, metric(theirs)?)));
                let (ours, theirs): (Vec<f64>, Vec<f64>) = pairs.unzip();
                Interval::paired(&ours, &theirs).filter(|_| calls >= FEW)
            })
            .collect(),
        classes: parts(classes, &|tally, class| tally.class(class)),
        tiers: parts(tiers, &|tally, tier| tally.tier(tier)),
        occupancy_range: (
            mean(|tally| tally.occupancy_range().0),
            mean(|tally| tally.occupancy_range().1),
        ),
        events: ours.iter().map(|tally| tally.events).sum(),
    }
}
