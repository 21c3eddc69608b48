//! The event log under kill -9, restarts, power cuts and faults, and when somebody is erased, in both back ends.

mod appends;
#[path = "../../peers/postgres/mod.rs"]
mod cluster;
mod drained;
mod erasure;
mod faults;
mod killed;
mod powercut;
#[cfg(unix)]
mod private;
mod unsaved;
