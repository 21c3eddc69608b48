//! What a routing policy is worth: a seeded discrete-event simulation of a call centre, with arrivals, patience and
//! handling times from parameters (`scenario`) or from data (`history`, `records`), a classifier that errs as measured
//! (`confusion`), and policies side by side on the same callers (`compare`).

mod calls;
mod compare;
mod confusion;
mod engine;
mod history;
mod interval;
mod policy;
pub(super) mod queues;
mod records;
mod sample;
mod scenario;
mod scenario_check;
mod tally;
mod world;

pub use self::calls::{Call, Callers};
pub use self::compare::{Comparison, FEW, METRICS, Outcome, Part, Source};
pub use self::confusion::{Confusion, ConfusionError, Measured};
pub use self::engine::run;
pub use self::history::{History, Replay, Row, Settings};
pub use self::interval::Interval;
pub use self::policy::{Policy, Tables};
pub use self::records::{RecordError, own_log, technion};
pub use self::sample::{Dice, Duration, Survival};
pub use self::scenario::{Scenario, ScenarioError};
pub use self::tally::{Counts, Tally};
pub use self::world::{Agents, Class, Returns, Tier, World};

#[cfg(test)]
mod tests;
