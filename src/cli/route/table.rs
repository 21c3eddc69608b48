//! Comparisons of policies for people.

use std::io::{Result, Write};

use crate::evaluate::routing::AtLoad;
use crate::routing::simulate::{Comparison, Interval, METRICS, Outcome, Policy};

/// A table for each load, then one sentence on what it says of `context`.
pub fn write(out: &mut dyn Write, loads: &[AtLoad]) -> Result<()> {
    for at_load in loads {
        let comparison = &at_load.comparison;
        let load = at_load.load.map_or("as recorded".to_owned(), |load| format!("load {load:.2}"));
        let calls = comparison.calls;
        writeln!(out, "{load}: {} runs, {calls} calls for each policy", comparison.runs)?;
        let against = format!("against {}", comparison.baseline.name());
        writeln!(
            out,
            "  {:<13}{:>14}  {against:>22}  {:>9}  {:>9}  {:>9}  {:>9}  {:>9}  busy, least to most",
            "policy", "in time", "given up", "wait", "by value", "resolved", "passed on"
        )?;
        for outcome in &comparison.outcomes {
            row(out, outcome, comparison.baseline)?;
        }
        parts(out, comparison)?;
        if let Some(outcome) =
            comparison.outcomes.iter().find(|outcome| outcome.policy == Policy::Context)
        {
            writeln!(out, "  {}", verdict(outcome, comparison.baseline))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn row(out: &mut dyn Write, outcome: &Outcome, baseline: Policy) -> Result<()> {
    let mean = |name: &str| {
        let place = METRICS.iter().position(|(metric, _)| *metric == name);
        place
            .and_then(|place| outcome.metrics.get(place))
            .map_or(f64::NAN, |interval| interval.mean)
    };
    let level = outcome
        .metrics
        .first()
        .map_or(String::new(), |level| format!("{} ±{}", percent(level.mean), half(level.half)));
    let gain = match outcome.gains.first() {
        Some(gain) if outcome.policy != baseline => points(gain),
        _ => "-".to_owned(),
    };
    let (least, most) = outcome.occupancy_range;
    writeln!(
        out,
        "  {:<13}{level:>14}  {gain:>22}  {:>9}  {:>8.1}s  {:>8.1}s  {:>9}  {:>9}  {} ({} to {})",
        outcome.policy.name(),
        percent(mean("abandonment")),
        mean("mean_wait_s"),
        mean("value_wait_s"),
        percent(mean("first_contact_resolution")),
        percent(mean("handed_over")),
        percent(mean("occupancy")),
        percent(least),
        percent(most),
    )
}

/// Kinds of contact and of customer under the baseline and under `context`.
fn parts(out: &mut dyn Write, comparison: &Comparison) -> Result<()> {
    let of = |policy: Policy| comparison.outcomes.iter().find(|outcome| outcome.policy == policy);
    let (Some(context), Some(baseline)) = (of(Policy::Context), of(comparison.baseline)) else {
        return Ok(());
    };
    writeln!(
        out,
        "  {:<22}{:>9}  {:>9}  {:>9}  {:>8}",
        "in time, by kind",
        "calls",
        comparison.baseline.name(),
        "context",
        "change"
    )?;
    let classes = baseline.classes.iter().zip(&context.classes);
    for (theirs, ours) in classes.chain(baseline.tiers.iter().zip(&context.tiers)) {
        writeln!(
            out,
            "    {:<20}{:>9}  {:>9}  {:>9}  {:>+7.1} %",
            theirs.name.chars().take(20).collect::<String>(),
            theirs.offered,
            percent(theirs.service_level),
            percent(ours.service_level),
            100.0 * ours.change,
        )?;
    }
    Ok(())
}

/// What the interval of the differences says, also when it says nothing.
fn verdict(outcome: &Outcome, baseline: Policy) -> String {
    let Some(gain) = outcome.gains.first() else { return String::new() };
    let shown = points(gain);
    let says = match () {
        () if gain.low() > 0.0 => {
            format!("context answers more in time than {}: {shown}", baseline.name())
        }
        () if gain.high() < 0.0 => {
            format!("context answers fewer in time than {}: {shown}", baseline.name())
        }
        () => format!("no difference between context and {} is shown: {shown}", baseline.name()),
    };
    match outcome.worst_class() {
        Some(worst) if worst.change < 0.0 => format!(
            "{says}; {} suffers most, by {:.1} % of its service level",
            worst.name,
            -100.0 * worst.change
        ),
        _ => format!("{says}; no kind of contact is worse off"),
    }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

fn half(half: f64) -> String {
    if half.is_finite() { format!("{:.1}", 100.0 * half) } else { "?".to_owned() }
}

/// A difference of shares with its interval, in percentage points.
fn points(gain: &Interval) -> String {
    if gain.half.is_finite() {
        format!(
            "{:+.1} [{:+.1}, {:+.1}]",
            100.0 * gain.mean,
            100.0 * gain.low(),
            100.0 * gain.high()
        )
    } else {
        format!("{:+.1} [one run]", 100.0 * gain.mean)
    }
}
