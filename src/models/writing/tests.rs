//! Time is virtual: pauses, rests and deadlines cost none.

mod chain;
mod guards;
mod money;
mod script;
