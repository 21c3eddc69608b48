//! The desk as a whole: statements as scenarios, and what must hold whatever comes.

mod audit;
mod change;
mod day;
mod free;
mod live;
mod near;
mod properties;
mod restart;
mod scenario;
mod scenarios;
mod shadow;

use crate::routing::plan::{self, Plan};

/// # Panics
/// With all mistakes of the plan.
fn plan_of(text: &str) -> Plan {
    plan::from_toml(text).unwrap_or_else(|mistakes| {
        let told: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        panic!("the plan of a test has mistakes:\n{}", told.join("\n"))
    })
}
