//! Azure Communication Services: audio streaming of Call Automation, and the events that announce
//! its calls.
//!
//! ACS is the WebSocket client, everything is JSON text, and nothing goes back: a stream that only
//! listens is sent nothing. Formats: Microsoft's azure-docs (`audio-streaming-concept.md`,
//! `secure-webhook-endpoint.md`, `webhook-event-delivery.md`) and the types of
//! `@azure/communication-call-automation` 1.6.0.

mod eventgrid;
mod incoming;
mod protocol;
mod roles;
mod socket;
#[cfg(test)]
mod tests;
mod token;
mod wire;

pub use self::eventgrid::{Event, IncomingCall, UnreadableEvents, read_events};
pub use self::incoming::IncomingCalls;
pub use self::protocol::{Note, Protocol};
pub use self::roles::Customer;
pub use self::socket::refuse;
pub(super) use self::socket::routes;
pub use self::token::{Issuer, Tokens};
