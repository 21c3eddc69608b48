//! Language models over HTTP: whatever speaks OpenAI's chat completions, streamed.
//!
//! `client` writes one text through `async-openai`; `transport` is the only way out: one host, no
//! redirects, no retries of its own, bounded answers. What providers answer never gets into a log.
//! Retries, budgets and the rest are `models::writing`.

mod client;
mod failure;
mod key;
mod transport;
mod wire;

pub use client::OpenAi;
pub use key::{Key, KeyPlace};

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::Url;

use crate::models::WritingTask;

/// How a server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// OpenAI, vLLM, Ollama, llama.cpp and others: `<url>/chat/completions`.
    OpenAi,
    /// Azure OpenAI: with an API version, the deployment stands in the path; without, the `v1` paths.
    Azure,
}

/// How a server is told which form the answer must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Structure {
    /// `response_format: json_schema`
    Schema,
    /// `response_format: json_object`, and the schema in words.
    Object,
    /// Only in words.
    Words,
}

/// The field that limits the answer: newer models of OpenAI refuse the old one, older servers don't
/// know the new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitField {
    MaxTokens,
    MaxCompletionTokens,
}

/// One server, as the settings describe it.
#[derive(Clone, Debug)]
pub struct Server {
    /// The name in the settings.
    pub name: String,
    pub flavour: Flavour,
    /// Up to and without `/chat/completions`; for Azure without `/openai`.
    pub url: Url,
    pub api_version: Option<String>,
    pub key: Option<Key>,
    pub headers: BTreeMap<String, String>,
    pub model: String,
    pub models: BTreeMap<WritingTask, String>,
    pub structure: Structure,
    pub limit_field: LimitField,
    /// Some models take no temperature and no seed.
    pub sends_sampling: bool,
    pub connect_patience: Duration,
    /// From the request to the first piece of text.
    pub first_text_patience: Duration,
    /// Between two pieces.
    pub stall_patience: Duration,
}

impl Server {
    /// With what suits most servers.
    pub fn new(name: impl Into<String>, url: Url, model: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            flavour: Flavour::OpenAi,
            url,
            api_version: None,
            key: None,
            headers: BTreeMap::new(),
            model: model.into(),
            models: BTreeMap::new(),
            structure: Structure::Schema,
            limit_field: LimitField::MaxTokens,
            sends_sampling: true,
            connect_patience: Duration::from_secs(3),
            first_text_patience: Duration::from_secs(15),
            stall_patience: Duration::from_secs(10),
        }
    }
}

/// Why a server can't be set up.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    #[error("provider {name}: {problem}")]
    Settings { name: String, problem: String },
    #[error("provider {name}: the key in {place} can't be read: {source}")]
    Key { name: String, place: String, source: std::io::Error },
}

impl crate::domain::Classify for ServerError {
    fn kind(&self) -> crate::domain::ErrorKind {
        crate::domain::ErrorKind::Invalid
    }
}
