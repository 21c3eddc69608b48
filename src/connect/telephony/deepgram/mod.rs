//! `WS /v1/listen` as Deepgram's clients know it, so that they need nothing but another address.
//!
//! Formats: Deepgram's published AsyncAPI description (deepgram-api-specs, `asyncapi.yml`, 2026-07)
//! and what their SDKs parse (Python 7.17.0, JavaScript 5.13.0). The query of the address says what
//! comes; audio is binary, control is JSON text; `Results` go back.

mod listen;
mod protocol;
mod socket;
#[cfg(test)]
mod tests;
mod wav;
mod wire;

pub use listen::{Format, Listen};
pub use protocol::Protocol;
pub(super) use socket::routes;
