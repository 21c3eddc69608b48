//! Words as a vector, for when there is no model: what is asked in other words is missed then.

use crate::knowledge::terms;

/// Terms fall into so many places: two of one question seldom into the same.
const DIMENSIONS: usize = 512;

/// A vector of length 1 in which each term of the text has its place, by a hash with a sign (Weinberger et al. 2009,
/// "Feature hashing for large scale multitask learning"); zeros for a text without terms. The hash is FNV-1a: it
/// must be the same after a restart.
pub fn word_vector(text: &str) -> Vec<f32> {
    let mut vector = vec![0.0f32; DIMENSIONS];
    let mut terms = terms::terms(text);
    terms.sort_unstable();
    terms.dedup();
    for term in terms {
        let hash = term.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let sign = if hash >> 63 == 0 { 1.0 } else { -1.0 };
        vector[(hash % DIMENSIONS as u64) as usize] += sign;
    }
    let length = vector.iter().map(|one| one * one).sum::<f32>().sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|one| *one /= length);
    }
    vector
}
