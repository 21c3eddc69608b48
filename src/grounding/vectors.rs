//! Support by meaning, where somebody has vectors.

/// Vectors of length 1, from the same model for sources and sentences.
pub trait Vectors: std::fmt::Debug + Send + Sync {
    /// Of a turn or a passage, by its id.
    fn of_source(&self, id: &str) -> Option<&[f32]>;
    /// Of a sentence. Asked for only when its words alone leave its support in doubt.
    fn of_sentence(&self, text: &str) -> Option<Vec<f32>>;
}

/// The cosine of two vectors of length 1.
pub(super) fn cosine(a: &[f32], b: &[f32]) -> f32 {
    if a.len() != b.len() {
        return 0.0;
    }
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
