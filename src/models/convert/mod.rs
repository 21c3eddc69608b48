//! Turns the CTranslate2 weights of a Whisper model, as registries and hubs carry them, into the
//! ggml file that whisper.cpp reads, with the matrices quantised to q8_0.
//!
//! `pull` feeds this room one `model.bin` and one vocabulary and gets one file. The output is the
//! same bit for bit on every machine (no system mathematics, no hash order, no clock), so that the
//! manifest can name its hash. Nothing here opens a socket or knows a path.

mod ct2;
mod ggml;
mod mel;
mod plan;
mod q8;
mod vocabulary;

#[cfg(test)]
mod tests;

use std::io::{Read, Seek, Write};

pub use vocabulary::MAX_BYTES as MAX_VOCABULARY_BYTES;

/// Why a file could not be converted. Every message says what was expected and what was found.
#[derive(Debug, thiserror::Error)]
pub enum ConvertError {
    #[error("the weights are not a CTranslate2 Whisper file: {0}")]
    NotWhisper(String),
    #[error(
        "the weights end too early: {what} at byte {offset} needs {needed} bytes, {left} are left"
    )]
    Truncated { what: String, offset: u64, needed: u64, left: u64 },
    #[error("tensor {name}: {problem}")]
    Tensor { name: String, problem: String },
    #[error("the vocabulary is wrong: {0}")]
    Vocabulary(String),
    #[error("could not read or write while converting: {0}")]
    Io(#[from] std::io::Error),
}

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Converted {
    pub tensors: usize,
    pub words: usize,
    pub bytes: u64,
}

/// Converts one Whisper model.
///
/// `weights` is a CTranslate2 `model.bin` (binary version 6, WhisperSpec revision 3, f16 or f32);
/// it is read twice: once for the list of tensors, once for their data, in pieces of at most
/// 256 KiB. `vocabulary` is the text form (one token a line) or the JSON form (an array).
///
/// # Errors
/// [`ConvertError`] when the input is cut short, of another kind, or of a shape that Whisper does
/// not have. Any bytes give an error or a file, never a panic.
pub fn whisper(
    weights: &mut (impl Read + Seek),
    vocabulary: &[u8],
    out: &mut (impl Write + ?Sized),
) -> Result<Converted, ConvertError> {
    let words = vocabulary::parse(vocabulary)?;
    let index = ct2::Index::read(weights)?;
    let shape = plan::Shape::of(&index)?;
    let plan = plan::of(&index, &shape)?;
    if words.len() >= shape.vocabulary as usize {
        return Err(ConvertError::Vocabulary(format!(
            "{} words before <|endoftext|>, but the weights have {} in all",
            words.len(),
            shape.vocabulary
        )));
    }
    let mut file = ggml::Writer::new(out);
    file.header(&shape)?;
    file.mel_filters(&mel::slaney())?;
    file.words(&words)?;
    for piece in &plan {
        file.tensor(piece, weights)?;
    }
    Ok(Converted { tensors: plan.len(), words: words.len(), bytes: file.written() })
}
