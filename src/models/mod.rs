//! Neural networks: their files and their back ends.

pub mod convert;
pub mod embedder;
pub mod minilm;
pub mod writing;

mod cache;
mod edges;
mod engine;
mod error;
mod generator;
mod glossary;
mod hash;
mod hub;
mod llama;
mod manifest;
mod native;
mod package;
mod pull;
mod speech;
mod transcriber;
mod whisper;

pub use cache::{Cache, Installed, State, installed};
pub use edges::tame;
pub use engine::{Engine, SpeechModel};
pub use error::ModelError;
pub use generator::{
    Finish, Generator, Material, Message, Meter, MeterReading, OnText, OutputSchema, Payer, Piece,
    Speaker, TokenCount, WritingError, WritingRequest, WritingTask, Written,
};
pub use glossary::is_too_short;
pub use llama::{Llama, LlamaError, LlamaModel, LlamaSettings, THREADS_MAX as LLAMA_THREADS_MAX};
pub use manifest::{Convert, Manifest, Model, ModelFile, Origin, Part, Source, Task};
pub use native::{NativeModel, NativeTranscriber};
pub use pull::{Puller, Watcher};
pub use speech::{
    Caller, Ears, JobId, LoadController, LoadLevel, Order, Outcome, Pressure, SpeechPool, Urgency,
};
pub use transcriber::{ENGLISH, Heard, HeardWord, Hints, SAMPLE_RATE_HZ, Transcriber};
pub use whisper::{WhisperModel, WhisperTranscriber, Window, is_language};
