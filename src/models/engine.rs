//! Which program runs a speech model.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::ModelError;
use super::native::NativeModel;
use super::transcriber::Transcriber;
use super::whisper::WhisperModel;

/// The engines for Whisper's weights. Both read the same file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    /// The faster one on this machine.
    #[default]
    Auto,
    /// Backchannel's own.
    Native,
    WhisperCpp,
}

/// One set of weights in memory, shared by all workers.
#[derive(Clone)]
pub enum SpeechModel {
    Native(NativeModel),
    WhisperCpp(WhisperModel),
}

impl SpeechModel {
    /// Loads ggml weights.
    ///
    /// # Errors
    /// `ModelError::Failed` or `ModelError::Io` when the file can't be used.
    pub fn load(engine: Engine, path: &Path) -> Result<Self, ModelError> {
        let native = match engine {
            Engine::Auto => NativeModel::is_fast_here(),
            Engine::Native => true,
            Engine::WhisperCpp => false,
        };
        if native {
            NativeModel::load(path).map(Self::Native)
        } else {
            WhisperModel::load(path).map(Self::WhisperCpp)
        }
    }

    /// A recogniser for one thread.
    ///
    /// # Errors
    /// `ModelError::Failed` when memory runs out.
    pub fn transcriber(&self) -> Result<Box<dyn Transcriber>, ModelError> {
        Ok(match self {
            Self::Native(model) => Box::new(model.transcriber()),
            Self::WhisperCpp(model) => Box::new(model.transcriber()?),
        })
    }
}
