//! Where work goes: classification → queue → assignment, as a state machine without I/O and clock.
//!
//! ```text
//! work item ──► classify ──► route ───────────► desk ──────────────────────────► decision
//!               attributes,  rules, shares,     waits in a queue; cycles match     every term, the
//!               skills,      overflow before,   it with a free agent by the        runner-up, what
//!               capacity     fallback queue     queue's method; overflow after     would change it
//!               (condition)  (hours, overflow)  (methods, capacity, bullseye)
//! ```
//!
//! `plan` is the configuration, checked as a whole. `desk` holds what changes: items, agents, time. Whoever calls
//! passes the time in and drains what follows; a random pick depends on seed, rule and item alone, so the same inputs
//! make the same decisions. `score` and `assign` are the method `context`: what a pair of item and agent is worth, and
//! the best matching of many.
//!
//! Mode `off` tells nothing, `shadow` recommends and leaves assigning to another router, `active` assigns.

pub mod assign;
pub mod bullseye;
pub mod capacity;
pub mod classify;
pub mod condition;
pub mod context;
pub mod desk;
pub mod erlang;
pub mod hours;
pub mod methods;
pub mod overflow;
pub mod pack;
pub mod plan;
pub mod route;
pub mod score;
pub mod simulate;
