//! The recognisers of a batch, loaded when the first recording comes.

use std::sync::{Arc, OnceLock};

use super::speech_pool;
use crate::batch::Recogniser;
use crate::config::Speech;
use crate::models::{Engine, Manifest, NativeModel, SpeechPool};

/// Loads on first use: most batches have no recordings, and loading takes seconds.
pub struct LazyRecogniser {
    settings: Speech,
    pool: OnceLock<Result<Arc<SpeechPool>, String>>,
}

impl LazyRecogniser {
    pub fn new(settings: Speech) -> Self {
        Self { settings, pool: OnceLock::new() }
    }
}

impl Recogniser for LazyRecogniser {
    fn pool(&self) -> Result<Arc<SpeechPool>, String> {
        let load = || speech_pool(&self.settings).map(Arc::new).map_err(|error| error.to_string());
        self.pool.get_or_init(load).clone()
    }

    fn identity(&self) -> String {
        let Speech { finals_model, partials_model, engine, language, glossary, .. } =
            &self.settings;
        let engine = match engine {
            Engine::Auto if NativeModel::is_fast_here() => Engine::Native,
            Engine::Auto => Engine::WhisperCpp,
            chosen => *chosen,
        };
        // Weights are used only with these hashes. A model that isn't known is an error of its own.
        let of = |name: &String| match Manifest::built_in().model(name) {
            Ok(model) => {
                let hashes = model.files.iter().map(|file| file.sha256.get(..12));
                let hashes: Vec<&str> = hashes.flatten().collect();
                format!("{name} {}", hashes.join(" "))
            }
            Err(_) => name.clone(),
        };
        let engine = format!("{engine:?}").to_lowercase();
        let listening = if glossary.is_empty() {
            String::new()
        } else {
            format!(", for {}", glossary.join(" and "))
        };
        format!(
            "{engine}, {} and {}, in {language}{listening}",
            of(finals_model),
            of(partials_model)
        )
    }
}
