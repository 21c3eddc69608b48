//! Comparisons of policies for people.

use std::io::{Result, Write};

use crate::evaluate::routing::AtLoad;
use crate::routing::simulate::{Comparison, FEW, Interval, METRICS, Outcome, Part, Policy};

const TOO_FEW: &str = "too few";
/// Where nobody called whom it could be measured on.
const NOBODY: &str = "-";

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
    let mean = |name: &str, shown: fn(f64) -> String| {
        let place = METRICS.iter().position(|(metric, _)| *metric == name);
        let known = place.and_then(|place| outcome.metrics.get(place).copied().flatten());
        known.map_or(NOBODY.to_owned(), |interval| shown(interval.mean))
    };
    let seconds = |seconds: f64| format!("{seconds:.1}s");
    let level = outcome.metrics.first().copied().flatten();
    let level = level.map_or(NOBODY.to_owned(), |level| {
        format!("{} ±{}", percent(level.mean), half(level.half))
    });
    let gain = match outcome.gains.first() {
        _ if outcome.policy == baseline => "-".to_owned(),
        Some(Some(gain)) => points(gain),
        _ => TOO_FEW.to_owned(),
    };
    let (least, most) = outcome.occupancy_range;
    writeln!(
        out,
        "  {:<13}{level:>14}  {gain:>22}  {:>9}  {:>9}  {:>9}  {:>9}  {:>9}  {} ({} to {})",
        outcome.policy.name(),
        mean("abandonment", percent),
        mean("mean_wait_s", seconds),
        mean("value_wait_s", seconds),
        mean("first_contact_resolution", percent),
        mean("handed_over", percent),
        mean("occupancy", percent),
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
        "  {:<22}{:>9}  {:>9}  {:>9}  {:>9}",
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
            "    {:<20}{:>9}  {:>9}  {:>9}  {:>9}",
            theirs.name.chars().take(20).collect::<String>(),
            theirs.offered,
            of_some(theirs),
            of_some(ours),
            ours.change.map_or(TOO_FEW.to_owned(), |change| format!("{:+.1} %", 100.0 * change)),
        )?;
    }
    Ok(())
}

/// What the interval of the differences says, also when it says nothing.
fn verdict(outcome: &Outcome, baseline: Policy) -> String {
    let Some(gain) = outcome.gains.first().copied().flatten() else {
        return format!("fewer than {FEW} calls are too few to say whether context is better");
    };
    let (shown, theirs) = (points(&gain), baseline.name());
    let says = match () {
        () if !gain.half.is_finite() => {
            format!("one run can't say whether context is better than {theirs}: {shown}")
        }
        () if gain.low() > 0.0 => format!("context answers more in time than {theirs}: {shown}"),
        () if gain.high() < 0.0 => format!("context answers fewer in time than {theirs}: {shown}"),
        () => format!("no difference between context and {theirs} is shown: {shown}"),
    };
    match outcome.worst_class() {
        Some((worst, change)) if change < 0.0 => {
            let lost = -100.0 * change;
            format!("{says}; {} suffers most, by {lost:.1} % of its service level", worst.name)
        }
        Some(_) => format!("{says}; no kind of contact is worse off"),
        None => format!("{says}; of each kind of contact there are too few calls"),
    }
}

/// A part's service level; of nobody there is none.
fn of_some(part: &Part) -> String {
    if part.offered > 0 { percent(part.service_level) } else { NOBODY.to_owned() }
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
