//! What a training comes to, as bytes: the rest of a model is made of its examples in a moment.

use sha2::{Digest, Sha256};

use super::machine::Kernel;
use super::model::{Example, Kind, Measures};

/// Begins all bytes: version 1. It is to be raised with anything that changes what is learnt from the same examples.
const MAGIC: &[u8; 8] = b"bcint\0\0\x01";
const HASH_BYTES: usize = 32;
/// Magic, examples, accuracy, temperature, threshold.
const HEAD_BYTES: usize = 24;

/// Where what was learnt is kept between starts. What is lost is learnt again.
pub trait Shelf {
    fn find(&self, name: &str) -> Option<Vec<u8>>;
    fn keep(&self, name: &str, bytes: &[u8]);
}

pub(super) struct Nowhere;

impl Shelf for Nowhere {
    fn find(&self, _: &str) -> Option<Vec<u8>> {
        None
    }
    fn keep(&self, _: &str, _: &[u8]) {}
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Learnt {
    /// `rows × labels`.
    pub weights: Vec<f32>,
    pub measures: Measures,
}

/// Of everything that the training looks at.
pub(super) fn name_of(examples: &[&Example], vectors: &[Vec<f32>], kernel: Kernel) -> String {
    let mut hash = Sha256::new();
    hash.update(MAGIC);
    for number in [kernel.meaning, kernel.letters, kernel.noise] {
        hash.update(number.to_le_bytes());
    }
    for (example, vector) in examples.iter().zip(vectors) {
        let label = example.label.as_deref().unwrap_or_default();
        for text in [example.text.as_str(), label] {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        }
        hash.update([u8::from(example.label.is_some()), u8::from(example.kind == Kind::Said)]);
        vector.iter().for_each(|value| hash.update(value.to_le_bytes()));
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Learnt {
    pub fn written(&self) -> Vec<u8> {
        let measures = &self.measures;
        let mut bytes = Vec::with_capacity(HEAD_BYTES + self.weights.len() * 4 + HASH_BYTES);
        bytes.extend(MAGIC);
        bytes.extend(u32::try_from(measures.examples).unwrap_or(u32::MAX).to_le_bytes());
        for number in [measures.accuracy, measures.temperature, measures.threshold] {
            bytes.extend(number.to_le_bytes());
        }
        self.weights.iter().for_each(|weight| bytes.extend(weight.to_le_bytes()));
        let hash = Sha256::digest(&bytes);
        bytes.extend(hash);
        bytes
    }

    /// `None` when it is damaged, or of another version.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (content, hash) = bytes.split_at_checked(bytes.len().checked_sub(HASH_BYTES)?)?;
        let numbers = content.strip_prefix(MAGIC)?;
        let (numbers, rest) = numbers.as_chunks::<4>();
        let is_whole = rest.is_empty() && Sha256::digest(content)[..] == *hash;
        let ([examples, accuracy, temperature, threshold], weights) =
            numbers.split_first_chunk()?;
        let number = |bytes: &[u8; 4]| f32::from_le_bytes(*bytes);
        is_whole.then(|| Self {
            measures: Measures {
                examples: u32::from_le_bytes(*examples) as usize,
                accuracy: number(accuracy),
                temperature: number(temperature),
                threshold: number(threshold),
            },
            weights: weights.iter().map(number).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_learnt_is_read_as_it_was_written_or_not_at_all() {
        let measures = Measures { examples: 7, accuracy: 0.5, temperature: 1.5, threshold: 0.25 };
        let learnt = Learnt { weights: vec![1.0, -2.5, 0.0], measures };
        let bytes = learnt.written();
        assert_eq!(Learnt::read(&bytes), Some(learnt));
        for length in 0..bytes.len() {
            assert_eq!(Learnt::read(&bytes[..length]), None, "{length}");
        }
        for at in 0..bytes.len() {
            let mut wrong = bytes.clone();
            wrong[at] ^= 1;
            assert_eq!(Learnt::read(&wrong), None, "{at}");
        }
    }
}
