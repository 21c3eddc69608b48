//! From `[generation]` to whoever writes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use secrecy::SecretString;

use super::AppError;
use crate::config::{self, Budget, Config, Generation, Provider, ProviderKind, Structured};
use crate::connect::llm::{Flavour, Key, KeyPlace, LimitField, OpenAi, Server, Structure};
use crate::domain::{ErrorKind, TenantId};
use crate::flow::author::Author;
use crate::flow::voice::{Patience, Voice};
use crate::models::writing::{
    Ledger, Limits, Link, Measured, Metered, Policy, Price, RetrySettings, Writers, guarded,
};
use crate::models::{Generator, WritingTask};
use crate::prompts::Prompts;

const OPENAI_HOST: &str = "api.openai.com";

/// Prompts, and who writes for which task.
pub struct Desk {
    prompts: Arc<Prompts>,
    writers: Arc<Writers>,
    /// The tasks for which a model is asked.
    tasks: BTreeSet<WritingTask>,
}

impl Desk {
    pub fn author(&self) -> Author {
        let (prompts, writers) = (Arc::clone(&self.prompts), Arc::clone(&self.writers));
        Author::new(prompts, writers, self.tasks.clone())
    }

    /// Who puts cards and answers into words; nobody where no model is asked.
    pub fn voice(&self, settings: &config::Suggestion) -> Voice {
        let patience = |task: WritingTask, patience_ms: u64| {
            let is_asked = self.tasks.contains(&task) && patience_ms > 0;
            is_asked.then(|| Duration::from_millis(patience_ms))
        };
        let patience = Patience {
            card: patience(WritingTask::Card, settings.voice_ms),
            answer: patience(WritingTask::Answer, settings.answer_ms),
        };
        Voice::new(Arc::clone(&self.prompts), Arc::clone(&self.writers), patience)
    }
}

/// Who writes drafts, by the settings. Blocks, as [`desk`].
///
/// # Errors
/// As [`desk`].
pub fn author(config: &Config) -> Result<Author, AppError> {
    Ok(desk(config)?.author())
}

/// Who writes, by the settings. Loads embedded models, so it blocks.
///
/// # Errors
/// A prompt or a provider is wrong: which, and what about it.
pub fn desk(config: &Config) -> Result<Desk, AppError> {
    let generation = &config.generation;
    let local = super::embedded_writers(generation)?;
    let writers = writers(generation, &local, &|name| std::env::var(name).ok())?;
    let prompts = Prompts::open(&config.prompts).map_err(|error| AppError::of(&error))?;
    let tasks = WritingTask::ALL.into_iter().filter(|task| writers.of(*task).is_some()).collect();
    Ok(Desk { prompts: Arc::new(prompts), writers: Arc::new(writers), tasks })
}

/// Who writes for each task. `local` has the providers that work in this process, by their names in
/// the settings; `vars` reads an environment variable.
///
/// # Errors
/// A provider can't be set up: which, and what is missing.
pub fn writers(
    generation: &Generation,
    local: &BTreeMap<String, Arc<dyn Generator>>,
    vars: &dyn Fn(&str) -> Option<String>,
) -> Result<Writers, AppError> {
    let ledger = Arc::new(ledger(generation));
    let mut ready: BTreeMap<String, (Arc<dyn Generator>, Duration)> = BTreeMap::new();
    // Without a model there is a draft already: who quotes ends a chain, and needs no link in it.
    let is_asked = |name: &&String| {
        generation.kind(name) != Some(ProviderKind::Extractive) || local.contains_key(*name)
    };
    let chain = |task: WritingTask| generation.chain(task).iter().take_while(is_asked);
    for name in WritingTask::ALL.into_iter().flat_map(chain) {
        if ready.contains_key(name) {
            continue;
        }
        let writer = match generation.providers.get(name) {
            Some(provider) if is_remote(provider) => {
                let remote = remote(name, provider, vars)?;
                (guarded(remote, &policy(provider), &ledger), reserve(provider, 5_000))
            }
            settings => {
                let writer = local.get(name).ok_or_else(|| {
                    invalid(format!("provider {name}: there is none in this program"))
                })?;
                let usual_ms = match generation.kind(name) {
                    Some(ProviderKind::Embedded) => 10_000,
                    _ => 500,
                };
                let reserve = settings.map_or(Duration::from_millis(usual_ms), |settings| {
                    reserve(settings, usual_ms)
                });
                // It has no price, but a batch's cap is in tokens as well.
                let metered: Arc<dyn Generator> = Arc::new(Metered::new(Arc::clone(writer)));
                (metered, reserve)
            }
        };
        ready.insert(name.clone(), writer);
    }
    Ok(Writers::new(ledger, |task| {
        let links = chain(task).map(|name| {
            let (generator, reserve) = &ready[name];
            Link { generator: Arc::clone(generator), reserve: *reserve }
        });
        links.collect()
    }))
}

fn is_remote(provider: &Provider) -> bool {
    matches!(provider.kind, ProviderKind::OpenAi | ProviderKind::Azure)
}

fn reserve(provider: &Provider, usual_ms: u64) -> Duration {
    Duration::from_millis(if provider.reserve_ms == 0 { usual_ms } else { provider.reserve_ms })
}

fn policy(provider: &Provider) -> Policy {
    Policy {
        retry: RetrySettings { retries: provider.retries, ..RetrySettings::default() },
        concurrency: provider.concurrency,
        queue_max: provider.queue,
        price: Price { prompt: provider.price_prompt, written: provider.price_written },
        ..Policy::default()
    }
}

fn remote(
    name: &str,
    provider: &Provider,
    vars: &dyn Fn(&str) -> Option<String>,
) -> Result<Arc<dyn Generator>, AppError> {
    let server = server(name, provider, vars)?;
    let system = match server.flavour {
        Flavour::OpenAi => "openai",
        Flavour::Azure => "azure.ai.openai",
    };
    let client = Arc::new(OpenAi::new(server).map_err(|error| AppError::of(&error))?);
    let models = Arc::clone(&client);
    let model = Arc::new(move |request: &_| model_of(&models, request));
    Ok(Arc::new(Measured::new(client, system, model)))
}

fn model_of(client: &OpenAi, request: &crate::models::WritingRequest) -> String {
    client.model(request.task).to_owned()
}

/// A provider's settings as its client wants them.
///
/// # Errors
/// The key isn't there, or the address is none.
pub fn server(
    name: &str,
    provider: &Provider,
    vars: &dyn Fn(&str) -> Option<String>,
) -> Result<Server, AppError> {
    let wrong = |problem: String| invalid(format!("provider {name}: {problem}"));
    let url = provider.url.as_deref().unwrap_or_default();
    let url = Url::parse(url).map_err(|error| wrong(format!("url: {error}")))?;
    let flavour = match provider.kind {
        ProviderKind::Azure => Flavour::Azure,
        _ => Flavour::OpenAi,
    };
    let is_azure = flavour == Flavour::Azure;
    let key = if let Some(variable) = &provider.key_env {
        let secret = vars(variable).filter(|secret| !secret.trim().is_empty());
        let secret = secret.ok_or_else(|| wrong(format!("the variable {variable} is not set")))?;
        Some(Key { place: KeyPlace::Value(SecretString::from(secret)), as_api_key: is_azure })
    } else if let Some(path) = &provider.key_file {
        Some(Key { place: KeyPlace::File(path.clone()), as_api_key: is_azure })
    } else {
        let token = provider.token_file.as_ref();
        token.map(|path| Key { place: KeyPlace::File(path.clone()), as_api_key: false })
    };
    if let Some(Key { place: KeyPlace::File(path), .. }) = &key
        && let Err(error) = std::fs::metadata(path)
    {
        return Err(wrong(format!("the key's file {} can't be read: {error}", path.display())));
    }
    let is_new =
        provider.new_limit_field.unwrap_or(is_azure || url.host_str() == Some(OPENAI_HOST));
    let mut models = BTreeMap::new();
    for (task, model) in &provider.models {
        if let Some(task) = WritingTask::parse(task) {
            models.insert(task, model.clone());
        }
    }
    Ok(Server {
        flavour,
        api_version: provider.api_version.clone(),
        key,
        headers: provider.headers.clone(),
        models,
        structure: match provider.structured {
            Structured::JsonSchema => Structure::Schema,
            Structured::JsonObject => Structure::Object,
            Structured::Prompt => Structure::Words,
        },
        limit_field: if is_new { LimitField::MaxCompletionTokens } else { LimitField::MaxTokens },
        sends_sampling: provider.sampling,
        connect_patience: Duration::from_millis(provider.connect_ms),
        first_text_patience: Duration::from_millis(provider.first_text_ms),
        stall_patience: Duration::from_millis(provider.stall_ms),
        ..Server::new(name, url, provider.model.clone())
    })
}

fn ledger(generation: &Generation) -> Ledger {
    let tenants = generation.budgets.iter();
    let tenants = tenants.map(|(tenant, budget)| (TenantId::from(tenant.as_str()), limits(budget)));
    Ledger::new(limits(&generation.budget), tenants.collect())
}

fn limits(budget: &Budget) -> Limits {
    let micros = |amount: Option<f64>| amount.map(|amount| (amount * 1e6).round() as u64);
    Limits {
        tokens_per_day: budget.tokens_per_day,
        micros_per_day: micros(budget.money_per_day),
        tokens_per_job: budget.tokens_per_job,
        micros_per_job: micros(budget.money_per_job),
    }
}

fn invalid(message: String) -> AppError {
    AppError { kind: ErrorKind::Invalid, message }
}
