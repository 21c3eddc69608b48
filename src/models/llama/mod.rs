//! A language model in this process: any GGUF file of the llama family (`benches/README.md` has how
//! fast it is beside llama.cpp).
//!
//! Weights of 4 or 8 bits stay as they came, others become 8 bits when they are loaded; what goes into
//! them has 8 bits, with a scale for each 32 numbers of either, as in llama.cpp. Attention is 32-bit. A
//! text doesn't depend on how many threads wrote it, nor on what was written before.

mod attention;
mod blocks;
mod error;
mod file;
mod form;
mod kernels;
mod linear;
mod network;
mod rotation;
mod sampler;
mod shape;
mod template;
#[cfg(test)]
mod tests;
mod tokens;
mod worker;
mod writer;

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

pub use error::LlamaError;
pub use writer::{Llama, LlamaSettings};

use file::Head;
use network::{Network, Text};
use shape::Shape;
use template::Template;
use tokens::Tokens;

/// More don't make it faster on any machine that we know.
pub const THREADS_MAX: usize = 64;

/// One set of weights in memory, shared by all who write with it.
#[derive(Clone)]
pub struct LlamaModel {
    parts: Arc<Parts>,
}

struct Parts {
    network: Network,
    tokens: Tokens,
    template: Template,
}

impl LlamaModel {
    /// # Errors
    /// The file can't be read, is broken, or of another family.
    pub fn load(path: &Path) -> Result<Self, LlamaError> {
        let io = |source| LlamaError::Io { path: path.to_owned(), source };
        let file = File::open(path).map_err(io)?;
        let length = file.metadata().map_err(io)?.len();
        Self::read(&mut BufReader::new(file), length)
    }

    /// From a container of `length` bytes.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn read(file: &mut (impl Read + Seek), length: u64) -> Result<Self, LlamaError> {
        let head = Head::read(&mut *file, length)?;
        // Which family it is comes first: another one has another tokenizer too.
        Shape::family(&head)?;
        let tokens = Tokens::read(&head)?;
        let shape = Shape::read(&head, tokens.count())?;
        let end = head.whole("tokenizer.ggml.eos_token_id")?.map(|token| token as u32);
        let template = Template::new(head.text("tokenizer.chat_template"), &tokens, end)?;
        file.seek(SeekFrom::Start(0)).map_err(|error| LlamaError::Container(error.to_string()))?;
        let network = Network::read(&head, file, shape)?;
        Ok(Self { parts: Arc::new(Parts { network, tokens, template }) })
    }

    /// Tokens that a prompt and its answer may have together, as the model was trained.
    pub fn context_tokens(&self) -> usize {
        self.parts.network.shape().context
    }

    /// What the weights take in memory.
    pub fn weight_bytes(&self) -> usize {
        self.parts.network.bytes()
    }

    /// The tokens of one text without marks.
    ///
    /// # Errors
    /// The text can't be cut into tokens.
    pub fn tokens(&self, words: &str) -> Result<Vec<u32>, LlamaError> {
        let mut tokens = Vec::new();
        self.parts.tokens.words(words, &mut tokens)?;
        Ok(tokens)
    }

    /// For measurements: the scores of all tokens after `words`, which is one text without marks.
    ///
    /// # Errors
    /// The text can't be cut into tokens, or there is none.
    pub fn scores(&self, words: &str) -> Result<Vec<f32>, LlamaError> {
        let tokens = self.tokens(words)?;
        if tokens.is_empty() {
            return Err(LlamaError::Tokenizer("found nothing in it".to_owned()));
        }
        let mut text = Text::default();
        self.parts.take_in(&tokens, &mut text, &|| true);
        Ok(text.scores)
    }

    /// For measurements: seconds for a prompt of so many tokens, and for so many further ones, on the
    /// threads of the caller's pool.
    pub fn time(&self, prompt_tokens: usize, written_tokens: usize) -> (f64, f64) {
        let network = &self.parts.network;
        let token = |at: usize| (at * 7_919 % network.shape().vocabulary) as u32;
        let mut text = Text::default();
        let prompt: Vec<u32> = (0..prompt_tokens).map(token).collect();
        let began = std::time::Instant::now();
        self.parts.take_in(&prompt, &mut text, &|| true);
        let prompt_s = began.elapsed().as_secs_f64();
        let began = std::time::Instant::now();
        for at in 0..written_tokens {
            network.step(&[token(at)], &mut text, true, &|| true);
        }
        (prompt_s, began.elapsed().as_secs_f64())
    }
}

impl Parts {
    /// False when `goes_on` said no on the way.
    fn take_in(
        &self,
        tokens: &[u32],
        text: &mut Text,
        goes_on: &(dyn Fn() -> bool + Sync),
    ) -> bool {
        let chunks = tokens.chunks(network::CHUNK_TOKENS);
        let last = chunks.len();
        chunks
            .enumerate()
            .all(|(number, chunk)| self.network.step(chunk, text, number + 1 == last, goes_on))
    }
}
