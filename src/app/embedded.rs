//! The language models in this process.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::AppError;
use crate::config::{Generation, Provider, ProviderKind};
use crate::domain::ErrorKind;
use crate::models::writing::{Measured, Validated};
use crate::models::{
    self, Generator, Llama, LlamaModel, LlamaSettings, Manifest, Task, WritingTask,
};

/// `gen_ai.provider.name` of all of them.
const SYSTEM: &str = "backchannel";
const FORMAT: &str = "gguf";

/// The embedded providers that some chain names, by their names in the settings: for
/// [`super::writers`]. Loads their weights, so it blocks.
///
/// # Errors
/// A model isn't in the manifest or not installed, or its file can't be run here.
pub fn embedded_writers(
    generation: &Generation,
) -> Result<BTreeMap<String, Arc<dyn Generator>>, AppError> {
    let mut loaded: BTreeMap<PathBuf, LlamaModel> = BTreeMap::new();
    let mut writers = BTreeMap::new();
    for name in WritingTask::ALL.iter().flat_map(|task| generation.chain(*task)) {
        let Some(provider) = generation.providers.get(name) else { continue };
        if provider.kind != ProviderKind::Embedded || writers.contains_key(name) {
            continue;
        }
        let path = file(provider)?;
        let model = match loaded.get(&path) {
            Some(model) => model.clone(),
            None => {
                let model = LlamaModel::load(&path).map_err(|error| wrong(name, &error))?;
                loaded.insert(path.clone(), model.clone());
                model
            }
        };
        let label = match &provider.model[..] {
            "" => path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            model => model.to_owned(),
        };
        let settings = LlamaSettings {
            provider: name.clone(),
            model: label.clone(),
            threads: provider.threads,
            queue_max: provider.queue,
            context_tokens: provider.context_tokens,
        };
        let llama = Llama::start(&model, settings).map_err(|error| wrong(name, &error))?;
        let measured = Measured::new(Arc::new(llama), SYSTEM, Arc::new(move |_| label.clone()));
        let writer: Arc<dyn Generator> = Arc::new(Validated::new(Arc::new(measured)));
        writers.insert(name.clone(), writer);
    }
    Ok(writers)
}

fn file(provider: &Provider) -> Result<PathBuf, AppError> {
    if let Some(path) = &provider.file {
        return Ok(path.clone());
    }
    let model =
        Manifest::built_in().model(&provider.model).map_err(|error| AppError::of(&error))?;
    if model.task != Task::Generate || !model.format.starts_with(FORMAT) {
        let message = format!("model {} doesn't write: its task is another", provider.model);
        return Err(AppError { kind: ErrorKind::Invalid, message });
    }
    let installed = models::installed(&model.name).map_err(|error| AppError::of(&error))?;
    let file = installed.file("model.gguf").map_err(|error| AppError::of(&error))?;
    Ok(file.to_owned())
}

fn wrong(name: &str, error: &(impl crate::domain::Classify + std::fmt::Display)) -> AppError {
    AppError { kind: error.kind(), message: format!("provider {name}: {error}") }
}
