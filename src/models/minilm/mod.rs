//! all-MiniLM-L6-v2, f32, on the processor, with the kernels of the speech engine: the same vectors
//! as candle's in a fraction of its time (`benches/README.md`).

mod network;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use sha2::{Digest, Sha256};
use tokenizers::{Encoding, Tokenizer, TruncationParams};

use network::{Config, Network, Scratch};

use super::embedder::{Embedder, EmbedderError, EmbedderHandle, TokenVectors};

/// The length that the model was trained with. What stands behind it in a passage is not seen.
const MAX_TOKENS: usize = 256;
/// Questions that are embedded beside each other at most, whatever the machine has.
const LIVE_AT_ONCE: usize = 4;
/// Texts are put together up to so many tokens: enough to read the weights seldom, and few enough
/// for the numbers between two layers to stay in the cache.
const BATCH_TOKENS: usize = 384;

/// The three files of the model.
#[derive(Clone, Debug)]
pub struct MiniLmFiles {
    pub weights: PathBuf,
    pub tokenizer: PathBuf,
    pub config: PathBuf,
}

impl MiniLmFiles {
    /// The usual names in one folder.
    pub fn in_folder(folder: &Path) -> Self {
        Self {
            weights: folder.join("model.safetensors"),
            tokenizer: folder.join("tokenizer.json"),
            config: folder.join("config.json"),
        }
    }
}

/// Cheap to clone: all share the weights.
#[derive(Clone)]
pub struct MiniLm(Arc<Loaded>);

struct Loaded {
    network: Network,
    tokenizer: Tokenizer,
    dimensions: usize,
    fingerprint: String,
    /// A pool of its own: rayon's default is all cores, and speech needs them.
    pool: rayon::ThreadPool,
}

impl MiniLm {
    /// Reads the weights (90 MB, about 0.2 s). `threads` is 1 or more.
    ///
    /// # Errors
    /// `Load` names the file that is missing or doesn't fit.
    pub fn open(files: &MiniLmFiles, threads: usize) -> Result<Self, EmbedderError> {
        let config_bytes = read(&files.config)?;
        let tokenizer_bytes = read(&files.tokenizer)?;
        let weights = read(&files.weights)?;
        let mut hash = Sha256::new();
        for part in [&config_bytes, &tokenizer_bytes, &weights] {
            hash.update(part);
        }
        hash.update(format!("mean pooling, {MAX_TOKENS} tokens"));
        let config: Config = serde_json::from_slice(&config_bytes)
            .map_err(|error| load_error(&files.config, &error))?;
        let mut tokenizer = Tokenizer::from_bytes(&tokenizer_bytes)
            .map_err(|error| load_error(&files.tokenizer, &error))?;
        let truncation = TruncationParams { max_length: MAX_TOKENS, ..Default::default() };
        tokenizer
            .with_truncation(Some(truncation))
            .map_err(|error| load_error(&files.tokenizer, &error))?;
        tokenizer.with_padding(None);
        let network = Network::new(&weights, &config)
            .map_err(|reason| load_error(&files.weights, &reason))?;
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads.max(1))
            .thread_name(|n| format!("embedder-{n}"))
            .build()
            .map_err(|error| EmbedderError::Run(error.to_string()))?;
        Ok(Self(Arc::new(Loaded {
            network,
            tokenizer,
            dimensions: config.hidden_size,
            fingerprint: hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect(),
            pool,
        })))
    }

    /// The model on a thread of its own, and beside it as many for live questions as there are cores.
    pub fn spawn(self, queue: usize) -> EmbedderHandle {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let other = |_| Box::new(self.clone()) as Box<dyn Embedder>;
        let others = (1..cores.min(LIVE_AT_ONCE)).map(other).collect();
        EmbedderHandle::spawn_with(Box::new(self), others, queue)
    }
}

impl Loaded {
    fn encode(&self, texts: &[&str]) -> Result<Vec<Encoding>, EmbedderError> {
        let encoded: Result<_, tokenizers::Error> =
            texts.iter().map(|text| self.tokenizer.encode(*text, true)).collect();
        encoded.map_err(|error| EmbedderError::Run(error.to_string()))
    }

    /// What the network makes of each text, in batches.
    fn run(&self, tokens: &[Vec<u32>], pass: Pass) -> Result<Vec<Vec<f32>>, EmbedderError> {
        let batches = batches(tokens);
        let network = &self.network;
        if let [batch] = batches[..] {
            // The pool is one for all who share the model; a question needs no thread but the caller's.
            return pass(network, batch, &mut Scratch::default()).map_err(EmbedderError::Run);
        }
        let one = |scratch: &mut Scratch, batch: &&[Vec<u32>]| pass(network, batch, scratch);
        let made: Result<Vec<_>, String> =
            self.pool.install(|| batches.par_iter().map_init(Scratch::default, one).collect());
        Ok(made.map_err(EmbedderError::Run)?.into_iter().flatten().collect())
    }
}

type Pass = fn(&Network, &[Vec<u32>], &mut Scratch) -> Result<Vec<Vec<f32>>, String>;

fn read(path: &Path) -> Result<Vec<u8>, EmbedderError> {
    std::fs::read(path).map_err(|error| load_error(path, &error))
}

fn load_error(path: &Path, reason: &dyn std::fmt::Display) -> EmbedderError {
    EmbedderError::Load { path: path.display().to_string(), reason: reason.to_string() }
}

impl Embedder for MiniLm {
    fn embed(&mut self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedderError> {
        let tokens: Vec<Vec<u32>> =
            self.0.encode(texts)?.iter().map(|encoded| encoded.get_ids().to_vec()).collect();
        self.0.run(&tokens, |network, batch, scratch| network.embed(batch, scratch))
    }

    fn embed_tokens(&mut self, texts: &[&str]) -> Result<Vec<TokenVectors>, EmbedderError> {
        let encoded = self.0.encode(texts)?;
        let tokens: Vec<Vec<u32>> =
            encoded.iter().map(|encoded| encoded.get_ids().to_vec()).collect();
        let states =
            self.0.run(&tokens, |network, batch, scratch| network.states(batch, scratch))?;
        let bytes = encoded
            .iter()
            .map(|encoded| encoded.get_offsets().iter().map(|(from, to)| *from..*to).collect());
        Ok(bytes.zip(states).map(|(bytes, states)| TokenVectors { bytes, states }).collect())
    }

    fn dimensions(&self) -> usize {
        self.0.dimensions
    }

    fn fingerprint(&self) -> &str {
        &self.0.fingerprint
    }
}

/// Neighbours that are embedded together.
fn batches(texts: &[Vec<u32>]) -> Vec<&[Vec<u32>]> {
    let mut batches = Vec::new();
    let (mut first, mut tokens) = (0, 0);
    for (at, text) in texts.iter().enumerate() {
        if at > first && tokens + text.len() > BATCH_TOKENS {
            batches.push(&texts[first..at]);
            (first, tokens) = (at, 0);
        }
        tokens += text.len();
    }
    if first < texts.len() {
        batches.push(&texts[first..]);
    }
    batches
}
