//! The recognisers of a batch, loaded when the first recording comes.

use std::sync::{Arc, OnceLock};

use super::speech_pool;
use crate::batch::Recogniser;
use crate::config::Speech;
use crate::models::SpeechPool;

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
}
