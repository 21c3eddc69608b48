//! The windows onto other companies' systems. Only this room and `serve` know wire formats.

pub mod channels;
pub mod courier;
pub mod crm;
pub mod destination;
pub mod http;
pub mod llm;
pub mod oauth;
pub mod telephony;
pub mod vcon;
