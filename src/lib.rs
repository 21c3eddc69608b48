//! Backchannel: a self-hosted copilot and conversation-intelligence service for contact centres.
//!
//! The modules stand in the order of the house's floors, lowest first; imports point upwards in
//! this list only (`tests/it/tidy.rs`). See `src/ARCHITECTURE.md` for the way of a call.

pub mod domain;

pub mod bus;
pub mod knowledge;
pub mod models;
pub mod prompts;
pub mod store;

pub mod grounding;
pub mod insight;

pub mod flow;
pub mod routing;

pub mod connect;

pub mod batch;
pub mod evaluate;

pub mod serve;

pub mod app;
pub mod config;

pub mod cli;
