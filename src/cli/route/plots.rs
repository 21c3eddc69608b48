//! Plots of a comparison, as files.

use std::path::Path;

use super::svg::{Bar, Point, Series, bars, lines};
use crate::evaluate::routing::AtLoad;
use crate::routing::simulate::{METRICS, Policy};

/// Metrics that are plotted over the load: name, title, unit.
const LINES: [(&str, &str, &str); 4] = [
    ("service_level", "Answered in time", "share of all callers"),
    ("abandonment", "Given up", "share of all callers"),
    ("value_wait_s", "Wait by value", "seconds, weighted by value"),
    (
        "first_contact_resolution",
        "Resolved at the first contact",
        "share of finished first contacts",
    ),
];

/// `<metric>.svg` over the load, and for each load the gains over the baseline and the classes' changes.
///
/// # Errors
/// The folder can't be made or written to.
pub fn write(folder: &Path, loads: &[AtLoad]) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    for (name, title, unit) in LINES {
        let Some(place) = METRICS.iter().position(|(metric, _)| *metric == name) else { continue };
        std::fs::write(
            folder.join(format!("{name}.svg")),
            lines(title, "load", unit, &over_load(loads, place)),
        )?;
    }
    for at_load in loads {
        let (suffix, load) = match at_load.load {
            Some(load) => (format!("{load:.2}"), format!("load {load:.2}")),
            None => ("recorded".to_owned(), "as recorded".to_owned()),
        };
        let comparison = &at_load.comparison;
        let gains: Vec<Bar> = comparison
            .outcomes
            .iter()
            .filter(|outcome| outcome.policy != comparison.baseline)
            .filter_map(|outcome| {
                let gain = outcome.gains.first().copied().flatten()?;
                Some(Bar {
                    name: outcome.policy.name().into(),
                    value: 100.0 * gain.mean,
                    half: 100.0 * gain.half,
                })
            })
            .collect();
        let title = format!("Answered in time against {}, {load}", comparison.baseline.name());
        std::fs::write(
            folder.join(format!("gain-{suffix}.svg")),
            bars(&title, "percentage points, 95 % interval", &gains),
        )?;
        let Some(context) =
            comparison.outcomes.iter().find(|outcome| outcome.policy == Policy::Context)
        else {
            continue;
        };
        let classes: Vec<Bar> = context
            .classes
            .iter()
            .filter_map(|class| {
                Some(Bar { name: class.name.clone(), value: 100.0 * class.change?, half: 0.0 })
            })
            .collect();
        let title = format!("Context against {} by kind, {load}", comparison.baseline.name());
        std::fs::write(
            folder.join(format!("classes-{suffix}.svg")),
            bars(&title, "% of its service level", &classes),
        )?;
    }
    Ok(())
}

fn over_load(loads: &[AtLoad], metric: usize) -> Vec<Series> {
    let Some(first) = loads.first() else { return Vec::new() };
    let series = |at: usize, policy: Policy| {
        let points = loads.iter().filter_map(|at_load| {
            let interval =
                at_load.comparison.outcomes.get(at)?.metrics.get(metric).copied().flatten()?;
            Some(Point { x: at_load.load.unwrap_or(1.0), y: interval.mean, half: interval.half })
        });
        let mut points: Vec<Point> = points.collect();
        points.sort_by(|a, b| a.x.total_cmp(&b.x));
        Series { name: policy.name().into(), points }
    };
    first
        .comparison
        .outcomes
        .iter()
        .enumerate()
        .map(|(at, outcome)| series(at, outcome.policy))
        .collect()
}
