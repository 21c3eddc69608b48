//! A provider's answers, recorded once and played back in tests: the file is JSON, one tape for each
//! request, found by a hash of all that the provider would have been told.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use backchannel::models::{
    Finish, Generator, OnText, Piece, Speaker, TokenCount, WritingError, WritingRequest, Written,
};

const VERSION: u32 = 1;

#[derive(Debug, thiserror::Error)]
pub enum CassetteError {
    #[error("{path}: {problem}")]
    File { path: PathBuf, problem: String },
}

/// Plays what is on it. With a provider behind it, records what is missing.
pub struct Cassette {
    provider: String,
    path: PathBuf,
    tapes: Mutex<BTreeMap<String, Tape>>,
    behind: Option<Arc<dyn Generator>>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    tapes: BTreeMap<String, Tape>,
}

#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Tape {
    /// Task and prompt, for whoever reads the file.
    about: String,
    provider: String,
    model: Option<String>,
    pieces: Vec<String>,
    finish: TapeFinish,
    prompt_tokens: u64,
    written_tokens: u64,
}

#[derive(Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum TapeFinish {
    Stop,
    Length,
    Filtered,
}

impl Cassette {
    /// # Errors
    /// The file can't be read or isn't one.
    pub fn play(path: &Path) -> Result<Self, CassetteError> {
        let tapes = read(path)?;
        Ok(Self {
            provider: "cassette".to_owned(),
            path: path.to_owned(),
            tapes: Mutex::new(tapes),
            behind: None,
        })
    }

    /// Asks the provider for what the file doesn't have, and writes it into the file.
    ///
    /// # Errors
    /// The file is there and can't be read.
    pub fn record(path: &Path, behind: Arc<dyn Generator>) -> Result<Self, CassetteError> {
        let tapes = if path.exists() { read(path)? } else { BTreeMap::new() };
        Ok(Self {
            provider: behind.provider().to_owned(),
            path: path.to_owned(),
            tapes: Mutex::new(tapes),
            behind: Some(behind),
        })
    }

    fn keep(&self, key: String, tape: Tape) -> Result<(), CassetteError> {
        let failed = |problem: String| CassetteError::File { path: self.path.clone(), problem };
        let mut tapes = self.tapes.lock().unwrap_or_else(PoisonError::into_inner);
        tapes.insert(key, tape);
        let file = File { version: VERSION, tapes: tapes.clone() };
        let text =
            serde_json::to_string_pretty(&file).map_err(|error| failed(error.to_string()))?;
        std::fs::write(&self.path, text + "\n").map_err(|error| failed(error.to_string()))
    }
}

fn read(path: &Path) -> Result<BTreeMap<String, Tape>, CassetteError> {
    let failed = |problem: String| CassetteError::File { path: path.to_owned(), problem };
    let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
    let file: File = serde_json::from_str(&text).map_err(|error| failed(error.to_string()))?;
    if file.version != VERSION {
        return Err(failed(format!("is version {}, this program plays {VERSION}", file.version)));
    }
    Ok(file.tapes)
}

/// Of everything that decides what a provider answers; not of deadlines, tenants and jobs.
fn key(request: &WritingRequest) -> String {
    let messages = request.messages.iter().map(|message| {
        let speaker = match message.speaker {
            Speaker::System => "system",
            Speaker::User => "user",
            Speaker::Assistant => "assistant",
        };
        serde_json::json!([speaker, message.content])
    });
    let said = serde_json::json!({
        "task": request.task.as_str(),
        "messages": messages.collect::<Vec<_>>(),
        "schema": request.schema.as_ref().map(|schema| &*schema.schema),
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "seed": request.seed,
    });
    Sha256::digest(said.to_string().as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn about(request: &WritingRequest) -> String {
    match &request.prompt {
        Some(prompt) => {
            format!("{}, prompt {} v{}", request.task.as_str(), prompt.id, prompt.version)
        }
        None => request.task.as_str().to_owned(),
    }
}

#[async_trait]
impl Generator for Cassette {
    fn provider(&self) -> &str {
        &self.provider
    }

    async fn write(
        &self,
        request: &WritingRequest,
        on_text: OnText<'_>,
    ) -> Result<Written, WritingError> {
        let key = key(request);
        let tape = self.tapes.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some(tape) = tape {
            for piece in &tape.pieces {
                on_text(Piece::Text(piece));
            }
            return Ok(tape.into());
        }
        let wrong =
            |detail: String| WritingError::Refused { provider: self.provider.clone(), detail };
        let Some(behind) = &self.behind else {
            let (path, about) = (self.path.display(), about(request));
            return Err(wrong(format!("{path} has no tape {key} ({about}); record it")));
        };
        let mut pieces: Vec<String> = Vec::new();
        let mut recorder = |piece: Piece<'_>| {
            match piece {
                Piece::Text(text) => pieces.push(text.to_owned()),
                Piece::Restart => pieces.clear(),
            }
            on_text(piece);
        };
        let written = behind.write(request, &mut recorder).await?;
        let tape = Tape {
            about: about(request),
            provider: written.provider.clone(),
            model: written.model.clone(),
            pieces,
            finish: match written.finish {
                Finish::Stop => TapeFinish::Stop,
                Finish::Length => TapeFinish::Length,
                Finish::Filtered => TapeFinish::Filtered,
            },
            prompt_tokens: written.tokens.prompt,
            written_tokens: written.tokens.written,
        };
        self.keep(key, tape).map_err(|error| wrong(error.to_string()))?;
        Ok(written)
    }
}

impl From<Tape> for Written {
    fn from(tape: Tape) -> Self {
        Self {
            text: tape.pieces.concat(),
            finish: match tape.finish {
                TapeFinish::Stop => Finish::Stop,
                TapeFinish::Length => Finish::Length,
                TapeFinish::Filtered => Finish::Filtered,
            },
            tokens: TokenCount { prompt: tape.prompt_tokens, written: tape.written_tokens },
            provider: tape.provider,
            model: tape.model,
        }
    }
}
