//! The plain wire: one JSON `start`, then raw interleaved samples in binary messages, one JSON
//! `stop`. For recorders, soft switches and a browser's microphone.

mod protocol;
#[cfg(test)]
mod tests;

pub use protocol::Protocol;
