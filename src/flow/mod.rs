//! A conversation, in order: audio → transcript → suggestion → wrap-up → feedback.
//!
//! The stages know each other only through `domain`; `session` alone knows their order and does no
//! I/O. `author` has drafts written by a language model, `voice` what is said on the line, `replay` reads a
//! stored call and plays it once more, and `driver` runs it all; nothing else here awaits.

pub mod audio;
pub mod transcript;

pub mod suggestion;

pub mod wrapup;

pub mod feedback;

pub mod author;

pub mod voice;

pub mod session;

pub mod replay;

pub mod driver;
