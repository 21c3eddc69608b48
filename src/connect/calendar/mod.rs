//! Meetings and call-backs: iCalendar (RFC 5545) into a calendar by CalDAV (RFC 4791), or by mail with an invitation.
//!
//! `event` writes one event, `busy` reads when somebody is taken, `caldav` is the way to a calendar.
//!
//! Times are written in UTC. A meeting happens once, and every calendar program shows UTC in its reader's own zone;
//! a zone's name would need its rules beside it (VTIMEZONE), which Outlook takes only in its own form. What
//! was agreed in local words stands in the text.

mod busy;
mod caldav;
mod event;
#[cfg(test)]
mod tests;

pub use busy::Busy;
pub use caldav::{CalDav, Settings};
pub use event::{EventKey, Invitation};
