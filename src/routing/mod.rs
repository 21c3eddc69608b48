//! Where work goes: classification → queue → assignment, as a state machine without I/O and clock.
//!
//! Whoever calls passes the time in, and takes decisions out. Random picks come from a seed of the
//! plan, so the same inputs make the same decisions. Nothing in here knows a wire.


pub mod assign;
pub mod erlang;
pub mod score;
pub mod simulate;
