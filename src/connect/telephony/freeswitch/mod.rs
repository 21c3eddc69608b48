//! FreeSWITCH's `mod_audio_stream`: it dials `WS /v1/media/freeswitch` for one channel.
//!
//! Formats: the README of amigniter/mod_audio_stream. `uuid_audio_stream <uuid> start <url>
//! mono|mixed|stereo 8k|16k <metadata>` sends the metadata as text, if there is any, and then 16-bit
//! little-endian samples, the caller first. The wire doesn't say which of the three it is, nor the
//! rate: the address or the metadata must (`mix`, `rate`). Whatever we sent would become an event
//! inside FreeSWITCH; so we send nothing.

mod protocol;
mod socket;
#[cfg(test)]
mod tests;

pub use protocol::Protocol;
pub(super) use socket::routes;
