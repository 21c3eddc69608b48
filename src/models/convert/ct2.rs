//! The CTranslate2 `model.bin` container, read without its data.
//!
//! Little-endian: u32 binary version (6); string spec name; u32 spec revision (3); u32 number of
//! variables; then for each: string name, u8 rank, u32 dimensions[rank], u8 data type, u32 bytes,
//! row-major data. A string is a u16 length that counts a final NUL. A table of aliases follows;
//! Whisper has one, for a matrix that ggml ties by itself, so it is not read.
//! Source: CTranslate2 `src/models/model.cc` and `python/ctranslate2/specs/model_spec.py`.

use std::collections::BTreeMap;
use std::io::{BufReader, Read, Seek, SeekFrom};

use super::ConvertError;

const BINARY_VERSION: u32 = 6;
const SPEC: &str = "WhisperSpec";
const SPEC_REVISION: u32 = 3;
/// The large models have about 1,300; the bound keeps a broken count from looping for long.
const MAX_VARIABLES: u32 = 100_000;
const MAX_RANK: u8 = 4;

/// How the numbers of a variable are stored. Integers occur as scalars only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    F32,
    I8,
    I16,
    I32,
    F16,
    Bf16,
}

impl Kind {
    fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::F32,
            1 => Self::I8,
            2 => Self::I16,
            3 => Self::I32,
            4 => Self::F16,
            5 => Self::Bf16,
            _ => return None,
        })
    }

    pub(super) fn bytes(self) -> u64 {
        match self {
            Self::I8 => 1,
            Self::I16 | Self::F16 | Self::Bf16 => 2,
            Self::F32 | Self::I32 => 4,
        }
    }
}

/// One variable: where its data lie in the file.
#[derive(Clone, Debug)]
pub(super) struct Variable {
    pub(super) dims: Vec<u32>,
    pub(super) kind: Kind,
    pub(super) offset: u64,
    /// The value of a scalar that fits (the number of heads); `None` for anything else.
    pub(super) scalar: Option<i64>,
}

/// Every variable of the file by name.
#[derive(Debug)]
pub(super) struct Index {
    pub(super) variables: BTreeMap<String, Variable>,
}

impl Index {
    /// Reads the container from its start; afterwards the position is anywhere.
    pub(super) fn read(source: &mut (impl Read + Seek)) -> Result<Self, ConvertError> {
        let end = source.seek(SeekFrom::End(0))?;
        source.seek(SeekFrom::Start(0))?;
        let mut cursor = Cursor { source: BufReader::with_capacity(4096, source), at: 0, end };

        let version = cursor.u32("the version")?;
        if version != BINARY_VERSION {
            return Err(ConvertError::NotWhisper(format!(
                "binary version {version}, expected {BINARY_VERSION}"
            )));
        }
        let spec = cursor.string("the name of the specification")?;
        if spec != SPEC {
            return Err(ConvertError::NotWhisper(format!("{spec:?}, expected {SPEC:?}")));
        }
        let revision = cursor.u32("the revision")?;
        if revision != SPEC_REVISION {
            return Err(ConvertError::NotWhisper(format!(
                "{SPEC} revision {revision}, expected {SPEC_REVISION}"
            )));
        }
        let count = cursor.u32("the number of variables")?;
        if count > MAX_VARIABLES {
            return Err(ConvertError::NotWhisper(format!("it claims {count} variables")));
        }
        let mut variables = BTreeMap::new();
        for _ in 0..count {
            let (name, variable) = cursor.variable()?;
            if variables.insert(name.clone(), variable).is_some() {
                return Err(tensor(&name, "occurs twice"));
            }
        }
        Ok(Self { variables })
    }
}

struct Cursor<R> {
    source: BufReader<R>,
    at: u64,
    end: u64,
}

impl<R: Read + Seek> Cursor<R> {
    /// Says where the file ends too early, which a plain read error would not.
    fn need(&self, bytes: u64, what: &str) -> Result<(), ConvertError> {
        let left = self.end.saturating_sub(self.at);
        if bytes > left {
            return Err(ConvertError::Truncated {
                what: what.to_owned(),
                offset: self.at,
                needed: bytes,
                left,
            });
        }
        Ok(())
    }

    fn take<const N: usize>(&mut self, what: &str) -> Result<[u8; N], ConvertError> {
        self.need(N as u64, what)?;
        let mut bytes = [0; N];
        self.source.read_exact(&mut bytes)?;
        self.at += N as u64;
        Ok(bytes)
    }

    fn u32(&mut self, what: &str) -> Result<u32, ConvertError> {
        Ok(u32::from_le_bytes(self.take(what)?))
    }

    fn string(&mut self, what: &str) -> Result<String, ConvertError> {
        let length = u16::from_le_bytes(self.take(what)?);
        self.need(u64::from(length), what)?;
        let mut bytes = vec![0; usize::from(length)];
        self.source.read_exact(&mut bytes)?;
        self.at += u64::from(length);
        if bytes.pop() != Some(0) {
            return Err(ConvertError::NotWhisper(format!("{what} does not end with a NUL")));
        }
        String::from_utf8(bytes)
            .map_err(|_| ConvertError::NotWhisper(format!("{what} is not UTF-8")))
    }

    fn variable(&mut self) -> Result<(String, Variable), ConvertError> {
        let name = self.string("the name of a variable")?;
        let [rank] = self.take(&name)?;
        if rank > MAX_RANK {
            return Err(tensor(&name, format!("has {rank} dimensions, at most {MAX_RANK} can be")));
        }
        let mut dims = Vec::with_capacity(usize::from(rank));
        for _ in 0..rank {
            dims.push(self.u32(&name)?);
        }
        let [code] = self.take(&name)?;
        let kind = Kind::from_code(code)
            .ok_or_else(|| tensor(&name, format!("has the unknown data type {code}")))?;
        let bytes = u64::from(self.u32(&name)?);
        let expected = dims
            .iter()
            .try_fold(kind.bytes(), |product, &dim| product.checked_mul(u64::from(dim)))
            .filter(|&expected| expected == bytes);
        if expected.is_none() {
            return Err(tensor(&name, format!("{dims:?} of {kind:?} can't be {bytes} bytes")));
        }
        self.need(bytes, &name)?;
        let offset = self.at;
        let scalar = if rank == 0 {
            let mut value = [0; 4];
            let used = usize::try_from(bytes).expect("a scalar has at most 4 bytes; this is a bug");
            self.source.read_exact(&mut value[..used])?;
            match kind {
                Kind::I8 => Some(i64::from(value[0] as i8)),
                Kind::I16 => Some(i64::from(i16::from_le_bytes([value[0], value[1]]))),
                Kind::I32 => Some(i64::from(i32::from_le_bytes(value))),
                Kind::F32 | Kind::F16 | Kind::Bf16 => None,
            }
        } else {
            // At most u32::MAX, so the conversion can't fail.
            self.source.seek_relative(bytes as i64)?;
            None
        };
        self.at += bytes;
        Ok((name, Variable { dims, kind, offset, scalar }))
    }
}

pub(super) fn tensor(name: &str, problem: impl Into<String>) -> ConvertError {
    ConvertError::Tensor { name: name.to_owned(), problem: problem.into() }
}
