//! What a routing policy is worth: a seeded discrete-event simulation of a call centre, with arrivals, patience and
//! handling times from parameters (`scenario`) or from data (`history`, `technion`), a classifier that errs as measured
//! (`confusion`), and policies side by side on the same callers (`compare`).

mod calls;
mod confusion;
mod engine;
mod interval;
mod policy;
mod queues;
mod sample;
mod scenario;
mod scenario_check;
mod tally;
mod world;

pub use self::calls::{Call, Callers};
pub use self::confusion::{Confusion, ConfusionError, Measured};
pub use self::engine::run;
pub use self::interval::Interval;
pub use self::policy::{Policy, Tables};
pub use self::sample::{Dice, Duration, Survival};
pub use self::scenario::{Scenario, ScenarioError};
pub use self::tally::{Counts, Tally};
pub use self::world::{Agents, Class, Returns, Tier, World};
