//! A SIPREC recording server (RFC 7866): session border controllers and soft switches send it a
//! copy of a call, one RTP stream for each party, with metadata that say who is who (RFC 7865).
//!
//! Signalling comes over UDP and TCP, without a password: who may record is a list of addresses.
//! `agent` is the signalling as a state machine without sockets, `rtp` the same for one stream;
//! `socket` runs both and `call` carries one call's audio.

mod agent;
mod call;
mod dialog;
mod metadata;
mod multipart;
mod parties;
mod resend;
mod respond;
mod rtp;
mod sdp;
mod sip;
mod socket;
#[cfg(test)]
mod tests;

pub use agent::{Agent, Answer, Output, Peer, Refusal, StreamSpec};
pub use metadata::Metadata;
pub use parties::RoleRules;
pub use rtp::RtpStream;
pub use sdp::{Format, Offer};
pub use sip::{Cutter, Message, SipError};
pub use socket::{Listener, Settings, serve};
