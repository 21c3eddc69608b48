//! The meaning side: one vector per passage and per sentence, scanned exactly.
//!
//! An exact scan of 100,000 × 384 takes tens of milliseconds on one core (`facts.md` §2), and the
//! sample base takes microseconds: an approximate index would only add ways to be wrong.

use std::ops::Range;

/// Passages that are looked at sentence by sentence.
const CANDIDATES: usize = 100;

pub(crate) struct Vectors {
    dimensions: usize,
    passages: Vec<f32>,
    sentences: Vec<f32>,
    /// Which sentences belong to a passage.
    ranges: Vec<Range<usize>>,
}

/// How near a passage is to a query.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Similarity {
    /// Cosine with the whole passage, -1 to 1.
    pub passage: f32,
    /// Cosine with its nearest sentence.
    pub sentence: f32,
}

impl Similarity {
    /// A passage answers as a whole, and one of its sentences answers to the point.
    pub fn blended(self) -> f32 {
        0.5 * self.passage + 0.5 * self.sentence
    }
}

impl Vectors {
    pub fn new(dimensions: usize) -> Self {
        Self { dimensions, passages: Vec::new(), sentences: Vec::new(), ranges: Vec::new() }
    }

    /// Adds the next passage.
    pub fn push<'a>(&mut self, passage: &[f32], sentences: impl Iterator<Item = &'a [f32]>) {
        self.passages.extend_from_slice(passage);
        let first = self.sentences.len() / self.dimensions;
        for sentence in sentences {
            self.sentences.extend_from_slice(sentence);
        }
        self.ranges.push(first..self.sentences.len() / self.dimensions);
    }

    pub fn similarity(&self, passage: usize, query: &[f32]) -> Similarity {
        let whole = dot(self.passage(passage), query);
        let nearest = self.sentence_cosines(passage, query).into_iter().reduce(f32::max);
        Similarity { passage: whole, sentence: nearest.unwrap_or(whole) }
    }

    /// The cosine of each sentence of a passage.
    pub fn sentence_cosines(&self, passage: usize, query: &[f32]) -> Vec<f32> {
        let range = self.ranges[passage].clone();
        range
            .map(|at| dot(&self.sentences[at * self.dimensions..][..self.dimensions], query))
            .collect()
    }

    fn passage(&self, at: usize) -> &[f32] {
        &self.passages[at * self.dimensions..][..self.dimensions]
    }

    /// The nearest passages that `admits` lets through, nearest first.
    pub fn search(
        &self,
        query: &[f32],
        limit: usize,
        admits: impl Fn(usize) -> bool,
    ) -> Vec<(usize, Similarity)> {
        let mut near: Vec<(usize, f32)> = (0..self.ranges.len())
            .filter(|&at| admits(at))
            .map(|at| (at, dot(self.passage(at), query)))
            .collect();
        let keep = CANDIDATES.max(limit);
        if near.len() > keep {
            near.select_nth_unstable_by(keep, |a, b| b.1.total_cmp(&a.1));
            near.truncate(keep);
        }
        let mut found: Vec<(usize, Similarity)> =
            near.into_iter().map(|(at, _)| (at, self.similarity(at, query))).collect();
        found.sort_by(|a, b| b.1.blended().total_cmp(&a.1.blended()).then(a.0.cmp(&b.0)));
        found.truncate(limit);
        found
    }
}

/// Eight sums side by side, which the compiler turns into vector instructions.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; 8];
    let (a_chunks, b_chunks) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f32 = a_chunks.remainder().iter().zip(b_chunks.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a_chunks.zip(b_chunks) {
        for lane in 0..8 {
            sums[lane] += x[lane] * y[lane];
        }
    }
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_to_the_point_beats_a_vague_passage() {
        let mut vectors = Vectors::new(2);
        vectors.push(&[0.8, 0.6], [[0.8f32, 0.6].as_slice()].into_iter());
        vectors.push(&[0.7, 0.714], [[1.0f32, 0.0].as_slice(), &[0.0, 1.0]].into_iter());
        let found = vectors.search(&[1.0, 0.0], 5, |_| true);
        assert_eq!(found[0].0, 1);
        assert_eq!(vectors.search(&[1.0, 0.0], 5, |at| at == 0).len(), 1);
    }
}
