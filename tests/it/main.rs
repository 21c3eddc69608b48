//! All integration tests, in one binary: each file directly under `tests/` would link the crate again.

mod batch;
mod engines;
mod eval_asr;
mod handover;
mod knowledge_files;
mod legs;
mod line_sounds;
mod llm;
mod load;
mod media;
mod models;
mod pause;
mod queues;
mod real_calls;
mod replay;
mod scenarios;
mod serve;
mod service;
mod tidy;
mod transcribe;
mod vendors;
mod wires;
mod words;
mod wrapups;
