//! A conversation, in order: audio → transcript → suggestion → wrap-up → feedback.
//!
//! The stages know each other only through `domain`; `session` alone knows their order and does no
//! I/O, and `driver` is the one file here that awaits.

pub mod audio;
pub mod transcript;

pub mod suggestion;

pub mod wrapup;

pub mod session;

pub mod driver;
