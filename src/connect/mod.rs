//! The windows onto other companies' systems. Only this room and `serve` know wire formats.

pub mod calendar;
pub mod channels;
pub mod courier;
pub mod crm;
pub mod destination;
pub mod egress;
pub mod http;
pub mod identity;
pub mod jwks;
pub mod llm;
pub mod mail;
pub mod oauth;
pub mod routing;
pub mod teamchat;
pub mod telephony;
pub mod vcon;
