//! Genesys AudioHook, version 2: the media of Genesys Cloud, and transcripts and articles back.
//!
//! Genesys is the WebSocket client. Text messages are JSON with sequence numbers both ways, binary
//! ones are interleaved samples. Formats: `purecloudlabs/audiohook-reference-implementation`
//! (`app/audiohook/src/protocol`, `server/serversessionimpl.ts`).

mod entities;
mod opening;
mod protocol;
pub mod signature;
mod socket;
#[cfg(test)]
mod tests;
mod wire;

pub use self::entities::Feedback;
pub use self::protocol::{Protocol, Upgrade};
pub(super) use self::socket::routes;

/// What a service sends back beyond the protocol's own answers. An AudioHook Monitor ignores it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    pub feedback: Feedback,
}
