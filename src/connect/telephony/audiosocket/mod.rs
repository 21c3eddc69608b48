//! Asterisk's AudioSocket: a TCP connection of its own for each channel, without any secret.
//!
//! Formats: Asterisk's documentation, `Channel-Drivers/AudioSocket.md`, with the sample rates that
//! newer versions send. Since nobody proves who he is, a connection is taken only for a call that
//! somebody with a key has announced ([`Registry`]), once, and soon after.

mod frames;
mod protocol;
mod registry;
mod socket;
#[cfg(test)]
mod tests;

pub use frames::{Frame, Frames};
pub use protocol::Protocol;
pub use registry::{AnnounceError, ExpectedCall, Registry};
pub use socket::serve;
