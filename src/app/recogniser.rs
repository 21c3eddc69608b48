//! The recognisers: of the service, and of a batch, where they are loaded when the first recording comes.

use std::sync::{Arc, OnceLock};

use super::AppError;
use crate::batch::Recogniser;
use crate::config::Speech;
use crate::domain::ErrorKind;
use crate::models::{
    self, Ears, Engine, Manifest, NativeModel, Order, Outcome, SpeechModel, SpeechPool, Urgency,
};

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

/// Loads the recognisers and starts the workers that share them.
///
/// # Errors
/// A model isn't there or can't be loaded.
pub fn speech_pool(config: &Speech) -> Result<SpeechPool, AppError> {
    if let Some(message) = config.mistakes().into_iter().next() {
        return Err(AppError { kind: ErrorKind::Invalid, message });
    }
    let load = |name: &str| {
        let installed = models::installed(name).map_err(|error| AppError::of(&error))?;
        let file = installed.file("model.bin").map_err(|error| AppError::of(&error))?.to_owned();
        SpeechModel::load(config.engine, &file).map_err(|error| AppError::of(&error))
    };
    let finals = load(&config.finals_model)?;
    let partials = load(&config.partials_model)?;
    let workers = match config.workers {
        0 => std::thread::available_parallelism().map_or(2, usize::from),
        workers => workers,
    };
    let ears = (0..workers)
        .map(|_| Ok(Ears { finals: finals.transcriber()?, partials: partials.transcriber()? }))
        .collect::<Result<Vec<_>, models::ModelError>>()
        .map_err(|error| AppError::of(&error))?;
    let language = config.language.as_str();
    if language != "auto" && !ears.iter().all(|ears| ears.finals.knows(language)) {
        let message = format!("speech.finals_model doesn't know the language {language}");
        return Err(AppError { kind: ErrorKind::Invalid, message });
    }
    let pool = SpeechPool::start(ears).map_err(|error| AppError::of(&error))?;
    for _ in 0..workers {
        // The first decoding allocates; nobody should have to wait for that.
        let quiet = vec![0.0; models::SAMPLE_RATE_HZ as usize];
        pool.submit(Order::new(Urgency::Early, quiet), Box::new(|_: Outcome| ()));
    }
    Ok(pool)
}
