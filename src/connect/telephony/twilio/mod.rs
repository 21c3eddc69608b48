//! Twilio Media Streams, and its snake_case dialects (Telnyx, Exotel).
//!
//! Twilio is the WebSocket client and everything is JSON text. A stream that only listens (`<Start>
//! <Stream>`) is sent nothing, so this protocol has no `Send`.

mod protocol;
mod reorder;
pub mod signature;
#[cfg(test)]
mod tests;
mod wire;

pub use protocol::Protocol;
