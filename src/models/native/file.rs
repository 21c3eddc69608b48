//! Reads Whisper weights from whisper.cpp's ggml file, the one that the other engine reads too.
//!
//! Format: `whisper.cpp/models/convert-pt-to-ggml.py`; see `models::convert::ggml`, which writes it.

use std::collections::HashMap;
use std::path::Path;

use half::f16;

use crate::models::ModelError;

use super::kernels::GROUP;

const MAGIC: u32 = 0x6767_6d6c;
/// In all sizes of Whisper.
const HEAD_WIDTH: usize = 64;
const BLOCK: usize = 32;
const BLOCK_BYTES: usize = 2 + BLOCK;

/// The sizes of a model.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub vocabulary: usize,
    pub width: usize,
    pub heads: usize,
    pub encoder_layers: usize,
    pub decoder_layers: usize,
    pub text_positions: usize,
}

/// A whole file: numbers by the tensors' names, rows of the last dimension first.
pub(super) struct Weights {
    pub shape: Shape,
    /// 80 × 201.
    pub mel_filters: Vec<f32>,
    pub words: Vec<Vec<u8>>,
    tensors: HashMap<String, Vec<f32>>,
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn bytes(&mut self, count: usize) -> Result<&'a [u8], ModelError> {
        let (bytes, rest) = self
            .rest
            .split_at_checked(count)
            .ok_or_else(|| ModelError::Failed("the weights end too early".to_owned()))?;
        self.rest = rest;
        Ok(bytes)
    }

    fn number(&mut self) -> Result<usize, ModelError> {
        let bytes = self.bytes(4)?;
        let number = bytes.iter().rev().fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
        usize::try_from(number).map_err(|error| ModelError::Failed(error.to_string()))
    }

    fn floats(&mut self, count: usize) -> Result<Vec<f32>, ModelError> {
        Ok(self
            .bytes(count.saturating_mul(4))?
            .as_chunks()
            .0
            .iter()
            .map(|b| f32::from_le_bytes(*b))
            .collect())
    }

    fn tensor(&mut self, kind: usize, count: usize) -> Result<Vec<f32>, ModelError> {
        match kind {
            0 => self.floats(count),
            1 => {
                let halves = self.bytes(count.saturating_mul(2))?.as_chunks().0;
                Ok(halves.iter().map(|b| f16::from_le_bytes(*b).to_f32()).collect())
            }
            8 => {
                let blocks = self.bytes((count / BLOCK).saturating_mul(BLOCK_BYTES))?;
                let mut numbers = Vec::with_capacity(blocks.len());
                for block in blocks.as_chunks::<BLOCK_BYTES>().0 {
                    let scale = f16::from_le_bytes([block[0], block[1]]).to_f32();
                    let whole = block[2..].iter().map(|byte| f32::from(byte.cast_signed()));
                    numbers.extend(whole.map(|number| number * scale));
                }
                Ok(numbers)
            }
            other => Err(ModelError::Failed(format!("tensors of type {other} are not supported"))),
        }
    }
}

impl Weights {
    pub fn read(path: &Path) -> Result<Self, ModelError> {
        let bytes = std::fs::read(path).map_err(ModelError::io(path))?;
        let mut reader = Reader { rest: &bytes };
        if reader.number()? != MAGIC as usize {
            return Err(ModelError::Failed(format!("{}: not a ggml file", path.display())));
        }
        let mut header = [0; 11];
        for value in &mut header {
            *value = reader.number()?;
        }
        let [vocabulary, _, width, heads, encoder_layers, text_positions, ..] = header;
        let decoder_layers = header[8];
        // What the kernels take for granted.
        let divisible = heads > 0 && width.is_multiple_of(GROUP) && width == heads * HEAD_WIDTH;
        if !divisible || vocabulary < super::tokens::ENGLISH_ONLY {
            let problem = format!("{}: not the shape of a Whisper model", path.display());
            return Err(ModelError::Failed(problem));
        }
        let bins = reader.number()?.saturating_mul(reader.number()?);
        let mel_filters = reader.floats(bins)?;
        let mut words = Vec::new();
        for _ in 0..reader.number()? {
            let length = reader.number()?;
            words.push(reader.bytes(length)?.to_vec());
        }
        let mut tensors = HashMap::new();
        while !reader.rest.is_empty() {
            let (dimensions, name_bytes, kind) =
                (reader.number()?, reader.number()?, reader.number()?);
            let mut count = 1_usize;
            for _ in 0..dimensions {
                count = count.saturating_mul(reader.number()?);
            }
            let name = String::from_utf8_lossy(reader.bytes(name_bytes)?).into_owned();
            let numbers = reader.tensor(kind, count)?;
            tensors.insert(name, numbers);
        }
        let shape =
            Shape { vocabulary, width, heads, encoder_layers, decoder_layers, text_positions };
        Ok(Self { shape, mel_filters, words, tensors })
    }

    /// Takes a tensor out.
    pub fn take(&mut self, name: &str) -> Result<Vec<f32>, ModelError> {
        self.tensors
            .remove(name)
            .ok_or_else(|| ModelError::Failed(format!("the weights lack {name}")))
    }
}
