//! The ggml file of whisper.cpp, written front to back.
//!
//! u32 magic; 11 × i32 sizes; i32, i32 and the mel filters as f32; i32 number of words, then
//! (i32 length, bytes) each; tensors to the end of the file: i32 dimensions, i32 length of the
//! name, i32 type, dimensions in reverse, name, data, without alignment.
//! Source: whisper.cpp `models/convert-pt-to-ggml.py` and `whisper_model_load`.

use std::io::{Read, Seek, SeekFrom, Write};

use half::f16;
use half::slice::HalfFloatSliceExt;

use super::ct2::Kind;
use super::plan::{Piece, Shape, Stored};
use super::{ConvertError, mel, q8};

const MAGIC: u32 = 0x6767_6d6c;
/// 1000 × quantisation version 2 + "mostly q8_0" (7), as the loader takes it apart.
const FILE_TYPE_Q8: u32 = 2007;
/// Numbers converted at a time: whole q8_0 blocks, and small enough to stay in the cache.
const AT_ONCE: u64 = 1 << 16;

pub(super) struct Writer<'a, W: ?Sized> {
    out: &'a mut W,
    written: u64,
    raw: Vec<u8>,
    numbers: Vec<f32>,
    encoded: Vec<u8>,
}

impl<'a, W: Write + ?Sized> Writer<'a, W> {
    pub(super) fn new(out: &'a mut W) -> Self {
        Self { out, written: 0, raw: Vec::new(), numbers: Vec::new(), encoded: Vec::new() }
    }

    pub(super) fn written(&self) -> u64 {
        self.written
    }

    pub(super) fn header(&mut self, shape: &Shape) -> Result<(), ConvertError> {
        for value in [
            MAGIC,
            shape.vocabulary,
            shape.audio_context,
            shape.audio_state,
            shape.audio_heads,
            shape.audio_layers,
            shape.text_context,
            shape.text_state,
            shape.text_heads,
            shape.text_layers,
            shape.mels,
            FILE_TYPE_Q8,
        ] {
            self.u32(value)?;
        }
        Ok(())
    }

    pub(super) fn mel_filters(&mut self, bank: &[f32]) -> Result<(), ConvertError> {
        self.u32(mel::BINS)?;
        self.u32(mel::FREQUENCIES)?;
        for weight in bank {
            self.put(&weight.to_le_bytes())?;
        }
        Ok(())
    }

    pub(super) fn words(&mut self, words: &[Vec<u8>]) -> Result<(), ConvertError> {
        // The parser's limit on the file keeps both numbers far below u32::MAX.
        self.u32(words.len() as u32)?;
        for word in words {
            self.u32(word.len() as u32)?;
            self.put(word)?;
        }
        Ok(())
    }

    /// Copies one tensor from the source, converting its numbers piece by piece.
    pub(super) fn tensor(
        &mut self,
        piece: &Piece,
        source: &mut (impl Read + Seek),
    ) -> Result<(), ConvertError> {
        self.u32(piece.dims.len() as u32)?;
        self.u32(piece.name.len() as u32)?;
        self.u32(match piece.stored {
            Stored::F32 => 0,
            Stored::F16 => 1,
            Stored::Q8 => 8,
        })?;
        for &dim in piece.dims.iter().rev() {
            self.u32(dim)?;
        }
        self.put(piece.name.as_bytes())?;

        source.seek(SeekFrom::Start(piece.offset))?;
        let mut left = piece.elements();
        while left > 0 {
            let now = left.min(AT_ONCE);
            self.read_numbers(piece.source, now, source)?;
            self.encode(piece.stored);
            let encoded = std::mem::take(&mut self.encoded);
            self.put(&encoded)?;
            self.encoded = encoded;
            left -= now;
        }
        Ok(())
    }

    fn read_numbers(
        &mut self,
        kind: Kind,
        count: u64,
        source: &mut impl Read,
    ) -> Result<(), ConvertError> {
        // `count` is at most AT_ONCE, so both casts hold on any machine.
        self.raw.resize((count * kind.bytes()) as usize, 0);
        source.read_exact(&mut self.raw)?;
        self.numbers.resize(count as usize, 0.0);
        if kind == Kind::F16 {
            let halves: Vec<f16> =
                self.raw.chunks_exact(2).map(|b| f16::from_le_bytes([b[0], b[1]])).collect();
            halves.convert_to_f32_slice(&mut self.numbers);
        } else {
            for (number, b) in self.numbers.iter_mut().zip(self.raw.chunks_exact(4)) {
                *number = f32::from_le_bytes([b[0], b[1], b[2], b[3]]);
            }
        }
        Ok(())
    }

    fn encode(&mut self, stored: Stored) {
        self.encoded.clear();
        match stored {
            Stored::F32 => self.encoded.extend(self.numbers.iter().flat_map(|n| n.to_le_bytes())),
            Stored::F16 => self
                .encoded
                .extend(self.numbers.iter().flat_map(|n| f16::from_f32(*n).to_le_bytes())),
            Stored::Q8 => q8::append(&self.numbers, &mut self.encoded),
        }
    }

    fn u32(&mut self, value: u32) -> Result<(), ConvertError> {
        self.put(&value.to_le_bytes())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), ConvertError> {
        self.out.write_all(bytes)?;
        self.written += bytes.len() as u64;
        Ok(())
    }
}
