//! all-MiniLM-L6-v2 on candle, f32, on the processor.
//!
//! Mean pooling over the tokens and normalisation to length 1, as the model was trained
//! (Reimers and Gurevych 2019, <https://arxiv.org/abs/1908.10084>).

use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config};
use sha2::{Digest, Sha256};
use tokenizers::{Tokenizer, TruncationParams};

use super::embedder::{Embedder, EmbedderError};

/// The length that the model was trained with. What stands behind it in a passage is not seen.
const MAX_TOKENS: usize = 256;

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

pub struct MiniLm {
    model: BertModel,
    tokenizer: Tokenizer,
    dimensions: usize,
    fingerprint: String,
    /// candle takes the pool it is called on. Its own default is all cores, and speech needs them.
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
        let variables = VarBuilder::from_buffered_safetensors(weights, DType::F32, &Device::Cpu)
            .map_err(|error| load_error(&files.weights, &error))?;
        let model = BertModel::load(variables, &config)
            .map_err(|error| load_error(&files.weights, &error))?;
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads.max(1))
            .thread_name(|n| format!("embedder-{n}"))
            .build()
            .map_err(|error| EmbedderError::Run(error.to_string()))?;
        Ok(Self {
            model,
            tokenizer,
            dimensions: config.hidden_size,
            fingerprint: hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect(),
            pool,
        })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, EmbedderError> {
    std::fs::read(path).map_err(|error| load_error(path, &error))
}

fn load_error(path: &Path, reason: &dyn std::fmt::Display) -> EmbedderError {
    EmbedderError::Load { path: path.display().to_string(), reason: reason.to_string() }
}

impl Embedder for MiniLm {
    fn embed(&mut self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedderError> {
        let Self { model, tokenizer, pool, .. } = self;
        let encoded: Vec<Vec<u32>> = texts
            .iter()
            .map(|text| Ok(tokenizer.encode(*text, true)?.get_ids().to_vec()))
            .collect::<Result<_, tokenizers::Error>>()
            .map_err(|error| EmbedderError::Run(error.to_string()))?;
        // One text at a time: padding to the longest of a batch costs a single core more than it
        // saves, and then a text's vector doesn't depend on its neighbours.
        pool.install(|| {
            encoded.iter().map(|ids| embed_one(model, ids)).collect::<candle_core::Result<_>>()
        })
        .map_err(|error| EmbedderError::Run(error.to_string()))
    }

    fn dimensions(&self) -> usize {
        self.dimensions
    }

    fn fingerprint(&self) -> &str {
        &self.fingerprint
    }
}

fn embed_one(model: &BertModel, ids: &[u32]) -> candle_core::Result<Vec<f32>> {
    let ids = Tensor::new(ids, &Device::Cpu)?.unsqueeze(0)?;
    let kinds = ids.zeros_like()?;
    let tokens = model.forward(&ids, &kinds, None)?;
    let mut vector = tokens.mean(1)?.squeeze(0)?.to_vec1::<f32>()?;
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    for value in &mut vector {
        *value /= length;
    }
    Ok(vector)
}
