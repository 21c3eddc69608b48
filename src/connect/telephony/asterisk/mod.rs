//! Asterisk's `chan_websocket`: it dials `WS /v1/media/asterisk` and streams one channel's audio.
//!
//! Formats: Asterisk's documentation, `Channel-Drivers/WebSocket.md` (Asterisk 20.16, 21.11, 22.6,
//! 23.0 and newer; JSON control from 20.18, 22.8 and 23.2). Audio is binary in the channel's own
//! codec; control is text, either plain words or JSON, and we send none.

mod protocol;
mod socket;
#[cfg(test)]
mod tests;

pub use protocol::Protocol;
pub(super) use socket::routes;
