//! A comparison of policies as JSON.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::routing::simulate::{Comparison, Interval, METRICS, Outcome, Part, Policy};

/// A comparison with the load that it was made at.
#[derive(Clone, Debug)]
pub struct AtLoad {
    /// `None`: as it was recorded.
    pub load: Option<f64>,
    pub comparison: Comparison,
}

#[derive(Serialize)]
struct Share {
    name: String,
    offered: u64,
    service_level: f64,
    mean_wait_s: f64,
    /// Of the service level against the baseline: -0.1 is 10 % worse. `null` from too few calls.
    change: Option<f64>,
}

/// The metrics of all loads, and what is claimed of the policy `context`.
pub fn figures(loads: &[AtLoad]) -> Map<String, Value> {
    let mut out = Map::new();
    let at = |at_load: &AtLoad| {
        let comparison = &at_load.comparison;
        let policies: Map<String, Value> = comparison
            .outcomes
            .iter()
            .map(|outcome| (outcome.policy.name().to_owned(), policy(outcome, comparison.baseline)))
            .collect();
        json!({
            "load": at_load.load,
            "runs": comparison.runs,
            "calls": comparison.calls,
            "baseline": comparison.baseline.name(),
            "policies": policies,
        })
    };
    out.insert("loads".into(), loads.iter().map(at).collect());
    out.insert("context_against_baseline".into(), loads.iter().filter_map(claim).collect());
    out
}

/// The gain in service level, in one line for each load; `null` from too few calls.
fn claim(at_load: &AtLoad) -> Option<Value> {
    let comparison = &at_load.comparison;
    let outcome = comparison.outcomes.iter().find(|outcome| outcome.policy == Policy::Context)?;
    let gain = outcome.gains.first().copied().flatten();
    let worst = outcome.worst_class();
    Some(json!({
        "load": at_load.load,
        "service_level_gain": gain.as_ref().map(interval),
        "better": gain.map(|gain| gain.low() > 0.0),
        "worse": gain.map(|gain| gain.high() < 0.0),
        "worst_class": worst.map(|(part, _)| &part.name),
        "worst_class_change": worst.map(|(_, change)| change),
    }))
}

fn policy(outcome: &Outcome, baseline: Policy) -> Value {
    let named = |intervals: &[Option<Interval>]| -> Map<String, Value> {
        METRICS
            .iter()
            .zip(intervals)
            .map(|((name, _), one)| {
                ((*name).to_owned(), one.as_ref().map_or(Value::Null, interval))
            })
            .collect()
    };
    let mut out = named(&outcome.metrics);
    if outcome.policy != baseline {
        out.insert("gain".into(), named(&outcome.gains).into());
    }
    out.insert("classes".into(), parts(&outcome.classes));
    out.insert("tiers".into(), parts(&outcome.tiers));
    out.insert("occupancy_least".into(), json!(outcome.occupancy_range.0));
    out.insert("occupancy_most".into(), json!(outcome.occupancy_range.1));
    out.insert("events".into(), json!(outcome.events));
    out.into()
}

fn parts(parts: &[Part]) -> Value {
    let shares = parts.iter().map(|part| Share {
        name: part.name.clone(),
        offered: part.offered,
        service_level: part.service_level,
        mean_wait_s: part.mean_wait_s,
        change: part.change,
    });
    json!(shares.collect::<Vec<_>>())
}

/// Without a width, as from one run, the ends are `null`.
fn interval(of: &Interval) -> Value {
    let end = |figure: f64| figure.is_finite().then_some(figure);
    json!({ "mean": of.mean, "low": end(of.low()), "high": end(of.high()) })
}
