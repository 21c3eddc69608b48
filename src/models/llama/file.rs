//! The container: GGUF, versions 2 and 3.
//!
//! A file may be anything: nothing is allocated on the word of a count that the file's length
//! doesn't bear out.

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};

use candle_core::quantized::GgmlDType;

use super::blocks;
use super::error::LlamaError;

const MAGIC: [u8; 4] = *b"GGUF";
const DIMENSIONS_MAX: u32 = 4;
const ALIGNMENT: u64 = 32;
const ALIGNMENT_MAX: u64 = 1 << 16;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Whole(i128),
    Float(f64),
    Flag(bool),
    Text(String),
    List(Vec<Value>),
}

#[derive(Clone, Debug)]
struct Place {
    format: GgmlDType,
    /// The fastest first: inputs, then outputs.
    dimensions: Vec<u64>,
    offset: u64,
    bytes: u64,
}

/// What stands before the weights.
#[derive(Debug)]
pub(super) struct Head {
    values: BTreeMap<String, Value>,
    places: BTreeMap<String, Place>,
}

/// A tensor as it stands in the file.
pub(super) struct Raw {
    pub format: GgmlDType,
    pub inputs: usize,
    pub outputs: usize,
    pub bytes: Vec<u8>,
}

fn wrong(problem: impl Into<String>) -> LlamaError {
    LlamaError::Container(problem.into())
}

/// Reads no further than the file goes.
struct Bounded<R> {
    inner: R,
    at: u64,
    length: u64,
}

impl<R: Read> Bounded<R> {
    fn left(&self) -> u64 {
        self.length - self.at
    }

    fn bytes(&mut self, count: u64) -> Result<Vec<u8>, LlamaError> {
        if count > self.left() {
            let at = self.at;
            return Err(wrong(format!("{count} bytes are announced at {at}, beyond its end")));
        }
        let count = usize::try_from(count).map_err(|_| wrong("it is too large"))?;
        let mut bytes = vec![0; count];
        self.inner.read_exact(&mut bytes).map_err(|error| wrong(error.to_string()))?;
        self.at += count as u64;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], LlamaError> {
        if N as u64 > self.left() {
            return Err(wrong("it ends too early"));
        }
        let mut bytes = [0; N];
        self.inner.read_exact(&mut bytes).map_err(|error| wrong(error.to_string()))?;
        self.at += N as u64;
        Ok(bytes)
    }

    fn u32(&mut self) -> Result<u32, LlamaError> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, LlamaError> {
        self.array().map(u64::from_le_bytes)
    }

    fn text(&mut self) -> Result<String, LlamaError> {
        let length = self.u64()?;
        let bytes = self.bytes(length)?;
        String::from_utf8(bytes).map_err(|_| wrong("a text in it is not UTF-8"))
    }

    /// A count of things that take `least` bytes each.
    fn count(&mut self, what: &str, least: u64) -> Result<u64, LlamaError> {
        let count = self.u64()?;
        if count > self.left() / least {
            return Err(wrong(format!("{count} {what} don't fit into its length")));
        }
        Ok(count)
    }

    fn value(&mut self, kind: u32) -> Result<Value, LlamaError> {
        Ok(match kind {
            0 => Value::Whole(self.array::<1>()?[0].into()),
            1 => Value::Whole(i8::from_le_bytes(self.array()?).into()),
            2 => Value::Whole(u16::from_le_bytes(self.array()?).into()),
            3 => Value::Whole(i16::from_le_bytes(self.array()?).into()),
            4 => Value::Whole(self.u32()?.into()),
            5 => Value::Whole(i32::from_le_bytes(self.array()?).into()),
            6 => Value::Float(f32::from_le_bytes(self.array()?).into()),
            7 => Value::Flag(self.array::<1>()?[0] != 0),
            8 => Value::Text(self.text()?),
            10 => Value::Whole(self.u64()?.into()),
            11 => Value::Whole(i64::from_le_bytes(self.array()?).into()),
            12 => Value::Float(f64::from_le_bytes(self.array()?)),
            9 => {
                let kind = self.u32()?;
                let least = match kind {
                    0 | 1 | 7 => 1,
                    2 | 3 => 2,
                    4..=6 => 4,
                    8 | 10..=12 => 8,
                    _ => return Err(wrong(format!("a list of kind {kind} is in it"))),
                };
                let count = self.count("values of a list", least)?;
                Value::List((0..count).map(|_| self.value(kind)).collect::<Result<_, _>>()?)
            }
            other => return Err(wrong(format!("a value of kind {other} is in it"))),
        })
    }
}

impl Head {
    /// Reads what stands before the weights of a file of `length` bytes.
    pub fn read(inner: impl Read, length: u64) -> Result<Self, LlamaError> {
        let mut file = Bounded { inner, at: 0, length };
        if file.array::<4>()? != MAGIC {
            return Err(wrong("it doesn't begin with GGUF"));
        }
        match file.u32()? {
            2 | 3 => {}
            other => return Err(wrong(format!("its version is {other}; 2 and 3 are read"))),
        }
        let tensors = file.count("tensors", 8 + 4 + 8 + 4 + 8)?;
        let pairs = file.count("values", 8 + 4 + 1)?;
        let mut values = BTreeMap::new();
        for _ in 0..pairs {
            let name = file.text()?;
            let kind = file.u32()?;
            values.insert(name, file.value(kind)?);
        }
        let mut places = BTreeMap::new();
        for _ in 0..tensors {
            let name = file.text()?;
            let place = file.place(&name)?;
            if places.insert(name.clone(), place).is_some() {
                return Err(wrong(format!("the tensor {name} stands in it twice")));
            }
        }
        let mut head = Self { values, places };
        let alignment = head.whole("general.alignment")?.map_or(ALIGNMENT, |value| value as u64);
        if !alignment.is_power_of_two() || alignment > ALIGNMENT_MAX {
            return Err(wrong(format!("its alignment is {alignment}")));
        }
        let begin = file.at.next_multiple_of(alignment);
        for (name, place) in &mut head.places {
            let offset = begin.checked_add(place.offset);
            let end = offset.and_then(|offset| offset.checked_add(place.bytes));
            let (Some(offset), Some(end)) = (offset, end) else {
                return Err(wrong(format!("the tensor {name} lies beyond its end")));
            };
            if end > length {
                return Err(wrong(format!("the tensor {name} ends at {end}, beyond its end")));
            }
            place.offset = offset;
        }
        Ok(head)
    }

    fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// A whole number that is not negative.
    pub fn whole(&self, name: &str) -> Result<Option<usize>, LlamaError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Whole(value)) if (0..=i128::from(u32::MAX)).contains(value) => {
                Ok(Some(*value as usize))
            }
            Some(_) => Err(LlamaError::Shape(format!("{name} is no usable number"))),
        }
    }

    pub fn float(&self, name: &str) -> Result<Option<f32>, LlamaError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Float(value)) if value.is_finite() => Ok(Some(*value as f32)),
            Some(_) => Err(LlamaError::Shape(format!("{name} is no usable number"))),
        }
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    pub fn flag(&self, name: &str) -> Option<bool> {
        match self.get(name) {
            Some(Value::Flag(flag)) => Some(*flag),
            _ => None,
        }
    }

    pub fn list(&self, name: &str) -> &[Value] {
        match self.get(name) {
            Some(Value::List(list)) => list,
            _ => &[],
        }
    }

    pub fn has_tensor(&self, name: &str) -> bool {
        self.places.contains_key(name)
    }

    /// A tensor's bytes; a list of numbers is a matrix of one output.
    pub fn tensor(&self, file: &mut (impl Read + Seek), name: &str) -> Result<Raw, LlamaError> {
        let place = self.places.get(name);
        let place = place.ok_or_else(|| wrong(format!("the tensor {name} is missing")))?;
        let (inputs, outputs) = match place.dimensions[..] {
            [inputs] => (inputs, 1),
            [inputs, outputs] => (inputs, outputs),
            _ => return Err(wrong(format!("the tensor {name} is no matrix"))),
        };
        let broken = |error: std::io::Error| wrong(format!("the tensor {name}: {error}"));
        file.seek(SeekFrom::Start(place.offset)).map_err(broken)?;
        // Not more than the file's length: see `read`.
        let mut bytes = vec![0; place.bytes as usize];
        file.read_exact(&mut bytes).map_err(broken)?;
        Ok(Raw { format: place.format, inputs: inputs as usize, outputs: outputs as usize, bytes })
    }
}

impl<R: Read> Bounded<R> {
    fn place(&mut self, name: &str) -> Result<Place, LlamaError> {
        let count = self.u32()?;
        if count == 0 || count > DIMENSIONS_MAX {
            return Err(wrong(format!("the tensor {name} has {count} dimensions")));
        }
        let dimensions = (0..count).map(|_| self.u64()).collect::<Result<Vec<_>, _>>()?;
        let number = self.u32()?;
        let format = blocks::format(number).ok_or_else(|| {
            wrong(format!("the tensor {name} has the format {number}, which is not read"))
        })?;
        let block = format.block_size() as u64;
        if dimensions[0] == 0 || !dimensions[0].is_multiple_of(block) {
            return Err(wrong(format!("the tensor {name} has {} inputs", dimensions[0])));
        }
        let numbers = dimensions.iter().try_fold(1_u64, |all, size| all.checked_mul(*size));
        let bytes = numbers.and_then(|all| (all / block).checked_mul(format.type_size() as u64));
        let bytes = bytes.filter(|bytes| (1..=self.length).contains(bytes));
        let bytes = bytes.ok_or_else(|| wrong(format!("the tensor {name} doesn't fit into it")))?;
        Ok(Place { format, dimensions, offset: self.u64()?, bytes })
    }
}
