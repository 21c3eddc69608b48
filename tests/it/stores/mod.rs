//! The event log under kill -9, in both back ends.

#[path = "../../peers/postgres/mod.rs"]
mod cluster;
mod killed;
#[cfg(unix)]
mod private;
mod unsaved;
