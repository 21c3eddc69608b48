//! The event log under kill -9, power cuts and faults, in both back ends.

mod appends;
#[path = "../../peers/postgres/mod.rs"]
mod cluster;
mod faults;
mod killed;
mod powercut;
#[cfg(unix)]
mod private;
mod unsaved;
