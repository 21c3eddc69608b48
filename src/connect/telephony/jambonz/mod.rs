//! jambonz's `listen` verb: it dials `WS /v1/media/jambonz` with a subprotocol of its own.
//!
//! Formats: jambonz's documentation, `webhooks/listen.md`. The first text message has the call's
//! attributes with `sampleRate` and `mixType`; then 16-bit little-endian samples come, in stereo the
//! caller on the left. With `passDtmf`, keys come as text; they are counted and not kept.

mod protocol;
mod socket;
#[cfg(test)]
mod tests;

pub use protocol::Protocol;
pub(super) use socket::routes;
