//! `[generation]`: who writes texts, and within which limits.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::models::{LLAMA_THREADS_MAX, WritingTask};

/// What is always there, needs no settings and lets nothing leave the machine.
pub const EXTRACTIVE: &str = "extractive";

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Generation {
    /// Providers in the order in which they are asked.
    pub chain: Vec<String>,
    /// The same for single tasks: `summary = ["local", "extractive"]`.
    pub chains: BTreeMap<String, Vec<String>>,
    pub providers: BTreeMap<String, Provider>,
    pub budget: Budget,
    /// For single tenants, instead of `budget`.
    pub budgets: BTreeMap<String, Budget>,
}

impl Default for Generation {
    fn default() -> Self {
        Self {
            chain: vec![EXTRACTIVE.to_owned()],
            chains: BTreeMap::new(),
            providers: BTreeMap::new(),
            budget: Budget::default(),
            budgets: BTreeMap::new(),
        }
    }
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum ProviderKind {
    /// Whatever speaks OpenAI's chat completions: OpenAI, vLLM, Ollama, llama.cpp.
    OpenAi,
    Azure,
    /// A model of the manifest, in this process.
    Embedded,
    Extractive,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Structured {
    #[default]
    JsonSchema,
    JsonObject,
    Prompt,
}

#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    pub kind: ProviderKind,
    /// Up to and without `/chat/completions`.
    pub url: Option<String>,
    /// Azure: with it, the deployment stands in the path; without, the `v1` paths are used.
    pub api_version: Option<String>,
    /// The variable, or the file, that holds the key.
    pub key_env: Option<String>,
    pub key_file: Option<PathBuf>,
    /// Azure: the file with an Entra token, read for each request.
    pub token_file: Option<PathBuf>,
    #[serde(default)]
    pub model: String,
    #[serde(default)]
    pub models: BTreeMap<String, String>,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    #[serde(default)]
    pub structured: Structured,
    /// Embedded: a GGUF file instead of a model of the manifest.
    pub file: Option<PathBuf>,
    /// Embedded: how many compute one text together.
    #[serde(default = "threads")]
    pub threads: usize,
    /// Embedded: of prompt and answer together.
    #[serde(default = "context_tokens")]
    pub context_tokens: usize,
    /// `max_completion_tokens` instead of `max_tokens`; by default for OpenAI's own address and Azure.
    pub new_limit_field: Option<bool>,
    /// `temperature` and `seed`; some models take neither.
    #[serde(default = "yes")]
    pub sampling: bool,
    /// Of a million tokens, in the currency of the budgets.
    #[serde(default)]
    pub price_prompt: f64,
    #[serde(default)]
    pub price_written: f64,
    /// At once; so many more wait.
    #[serde(default = "concurrency")]
    pub concurrency: usize,
    #[serde(default = "queue")]
    pub queue: usize,
    #[serde(default = "retries")]
    pub retries: u32,
    #[serde(default = "connect_ms")]
    pub connect_ms: u64,
    #[serde(default = "first_text_ms")]
    pub first_text_ms: u64,
    #[serde(default = "stall_ms")]
    pub stall_ms: u64,
    /// What those before it in a chain leave it of the deadline; 0: what suits its kind.
    #[serde(default)]
    pub reserve_ms: u64,
}

const fn yes() -> bool {
    true
}
const fn threads() -> usize {
    2
}
const fn context_tokens() -> usize {
    8_192
}
const fn concurrency() -> usize {
    8
}
const fn queue() -> usize {
    64
}
const fn retries() -> u32 {
    2
}
const fn connect_ms() -> u64 {
    3_000
}
const fn first_text_ms() -> u64 {
    15_000
}
const fn stall_ms() -> u64 {
    10_000
}

/// What a tenant and a job may use; nothing given is no limit.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Budget {
    pub tokens_per_day: Option<u64>,
    pub money_per_day: Option<f64>,
    pub tokens_per_job: Option<u64>,
    pub money_per_job: Option<f64>,
}

impl Generation {
    /// The providers of a task, in order.
    pub fn chain(&self, task: WritingTask) -> &[String] {
        self.chains.get(task.as_str()).unwrap_or(&self.chain)
    }

    /// What kind of provider a name is; two names need no settings.
    pub fn kind(&self, name: &str) -> Option<ProviderKind> {
        match self.providers.get(name) {
            Some(provider) => Some(provider.kind),
            None if name == EXTRACTIVE => Some(ProviderKind::Extractive),
            None => None,
        }
    }

    pub(super) fn mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        let tasks = WritingTask::ALL.map(WritingTask::as_str);
        let is_task = |name: &str| WritingTask::parse(name).is_some();
        let chains = self.chains.iter().map(|(task, chain)| (format!("chains.{task}"), chain));
        for (field, chain) in chains.chain([("chain".to_owned(), &self.chain)]) {
            if chain.is_empty() {
                mistakes.push(format!("generation.{field} must name a provider"));
            }
            for name in chain.iter().filter(|name| self.kind(name).is_none()) {
                mistakes.push(format!(
                    "generation.{field} names {name:?}: there is no [generation.providers.{name}]"
                ));
            }
        }
        for task in self.chains.keys().filter(|task| !is_task(task)) {
            let problem = format!("is no task; there are {}", tasks.join(", "));
            mistakes.push(format!("generation.chains.{task} {problem}"));
        }
        for (name, provider) in &self.providers {
            for task in provider.models.keys().filter(|task| !is_task(task)) {
                let problem = format!("is no task; there are {}", tasks.join(", "));
                mistakes.push(format!("generation.providers.{name}.models.{task} {problem}"));
            }
            if name == EXTRACTIVE && provider.kind != ProviderKind::Extractive {
                let problem = "is the name of drafts without a model: choose another";
                mistakes.push(format!("generation.providers.{name} {problem}"));
            }
            let field = provider.mistake();
            mistakes.extend(field.map(|what| format!("generation.providers.{name}.{what}")));
        }
        let budgets = self.budgets.values().chain([&self.budget]);
        let amounts = budgets.flat_map(|budget| [budget.money_per_day, budget.money_per_job]);
        if amounts.flatten().any(|amount| !(amount.is_finite() && amount >= 0.0)) {
            mistakes.push("generation.budget: money must be 0 or more".to_owned());
        }
        mistakes
    }
}

impl Provider {
    fn local_mistake(&self) -> Option<String> {
        if self.url.is_some() {
            return Some("url does not belong to this kind".to_owned());
        }
        if self.kind != ProviderKind::Embedded {
            return None;
        }
        if self.model.is_empty() && self.file.is_none() {
            return Some("model is missing".to_owned());
        }
        if !(1..=LLAMA_THREADS_MAX).contains(&self.threads) {
            return Some(format!("threads must be from 1 to {LLAMA_THREADS_MAX}"));
        }
        (self.context_tokens == 0).then(|| "context_tokens must be at least 1".to_owned())
    }

    fn mistake(&self) -> Option<String> {
        let keys = [self.key_env.is_some(), self.key_file.is_some(), self.token_file.is_some()];
        let is_remote = matches!(self.kind, ProviderKind::OpenAi | ProviderKind::Azure);
        if !is_remote {
            return self.local_mistake();
        }
        let url = self.url.as_deref().map(reqwest::Url::parse);
        match url {
            None => return Some("url is missing".to_owned()),
            Some(Err(error)) => return Some(format!("url: {error}")),
            Some(Ok(url)) if !matches!(url.scheme(), "http" | "https") => {
                return Some("url must begin with http:// or https://".to_owned());
            }
            Some(Ok(url)) if !url.username().is_empty() || url.password().is_some() => {
                return Some("url must not hold a password: use key_env or key_file".to_owned());
            }
            Some(Ok(_)) => {}
        }
        if self.model.is_empty() {
            return Some("model is missing".to_owned());
        }
        if keys.into_iter().filter(|is_set| *is_set).count() > 1 {
            return Some("key_env, key_file, token_file: only one of them".to_owned());
        }
        if self.concurrency == 0 {
            return Some("concurrency must be at least 1".to_owned());
        }
        let prices = [self.price_prompt, self.price_written];
        if prices.into_iter().any(|price| !(price.is_finite() && price >= 0.0)) {
            return Some("price_prompt and price_written must be 0 or more".to_owned());
        }
        let waits = [self.connect_ms, self.first_text_ms, self.stall_ms];
        waits.contains(&0).then(|| "connect_ms, first_text_ms, stall_ms: more than 0".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(text: &str) -> String {
        toml::from_str::<Generation>(text).expect("it can be read").mistakes().join("\n")
    }

    #[test]
    fn nothing_leaves_the_machine_by_default() {
        let generation = Generation::default();
        assert!(generation.mistakes().is_empty() && generation.providers.is_empty());
        for task in WritingTask::ALL {
            assert_eq!(generation.chain(task), [EXTRACTIVE]);
        }
    }

    #[test]
    fn mistakes_name_their_field() {
        let right =
            "[providers.a]\nkind = \"openai\"\nurl = \"http://127.0.0.1:1/v1\"\nmodel = \"m\"\n";
        assert_eq!(mistakes(right), "");
        for (text, expected) in [
            ("chain = []".to_owned(), "generation.chain must name"),
            ("chain = [\"gpt\"]".to_owned(), "[generation.providers.gpt]"),
            ("[chains]\nsumary = [\"extractive\"]".to_owned(), "chains.sumary is no task"),
            (right.replace("http:", "ftp:"), "providers.a.url must begin"),
            (right.replace("127", "u:secret@127"), "url must not hold a password"),
            (right.replace("model = \"m\"", ""), "providers.a.model is missing"),
            (format!("{right}key_env = \"A\"\nkey_file = \"b\""), "only one of them"),
            (format!("{right}concurrency = 0"), "concurrency"),
            (format!("{right}price_prompt = -1.0"), "price_prompt"),
            (format!("{right}[providers.a.models]\ncrd = \"m\""), "models.crd is no task"),
            ("[providers.e]\nkind = \"embedded\"\nurl = \"http://x\"".to_owned(), "e.url"),
            ("[providers.e]\nkind = \"embedded\"".to_owned(), "e.model is missing"),
            (
                "[providers.e]\nkind = \"embedded\"\nmodel = \"m\"\nthreads = 0".to_owned(),
                "threads",
            ),
            (right.replace("providers.a", "providers.extractive"), "is the name of drafts"),
            ("[budget]\nmoney_per_day = -2.0".to_owned(), "money must be"),
        ] {
            let found = mistakes(&text);
            assert!(found.contains(expected), "{found:?} should say {expected:?}");
        }
    }
}
