//! The meaning side: one vector per passage, per sentence and per phrasing, scanned exactly.
//!
//! All rows are read in 8 bits, the nearest are looked at again as they are. 100,000 passages take
//! some 5 ms of one core (`benches/README`): an approximate index would only add ways to be wrong.

use std::ops::Range;

use super::scan::Rows;

/// Passages that are looked at sentence by sentence.
const CANDIDATES: usize = 100;
/// Of so many times as many the exact cosine is taken: more than rounding can have swapped.
const SPARE: usize = 3;
/// Passages that are scanned at a time.
const BLOCK: usize = 1_024;
/// How far a nearer phrasing lifts a passage from the similarity of its text to its own: on
/// `queries.toml` all from 0.7 to 1 do about as well.
const ASKED_SHARE: f32 = 0.85;
/// Phrasings that stand for what people ask about; of more, so many are looked at.
const BACKGROUND: usize = 1_024;
/// A row is as crowded as its mean nearness to the nearest of the background, one in so many.
const NEAREST_ONE_IN: usize = 180;
/// How much of a row's crowding is taken off.
const CROWDED_SHARE: f32 = 0.5;

pub(crate) struct Vectors {
    dimensions: usize,
    passages: Vec<f32>,
    sentences: Vec<f32>,
    /// How people ask.
    phrasings: Vec<f32>,
    /// Passages and phrasings for the scan.
    coarse: Rows,
    coarse_phrasings: Rows,
    /// What needs no article.
    /// Which sentences belong to a passage.
    ranges: Vec<Range<usize>>,
    /// Which phrasings belong to a passage.
    asked: Vec<Range<usize>>,
    /// How near each row is to what is asked about anything else; see [`Vectors::settle`].
    crowded: Crowded,
}

/// Rows that are near to everything are near to a question by chance (hubness: Radovanović,
/// Nanopoulos and Ivanović 2010). What is counted is therefore how much nearer than usual a row is.
#[derive(Default)]
struct Crowded {
    passages: Vec<f32>,
    sentences: Vec<f32>,
    phrasings: Vec<f32>,
}

/// How near a passage is to a query, with crowded rows marked down.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Nearness {
    /// Half the passage, half its nearest sentence.
    pub text: f32,
    pub sentence: f32,
    /// Its nearest phrasing; 0 without phrasings.
    pub asked: f32,
}

/// How near a passage is to a query.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Similarity {
    /// Cosine with the whole passage, -1 to 1.
    pub passage: f32,
    /// Cosine with its nearest sentence.
    pub sentence: f32,
    /// Cosine with its nearest phrasing, and which one that is.
    pub asked: Option<(f32, usize)>,
}

impl Similarity {
    /// A passage answers as a whole, one of its sentences answers to the point, and somebody asked
    /// for it in such words before. A phrasing can only help: its author can't think of all.
    pub fn blended(self) -> f32 {
        let text = 0.5 * self.passage + 0.5 * self.sentence;
        let asked = self.asked.map_or(text, |(cosine, _)| cosine);
        text + ASKED_SHARE * (asked - text).max(0.0)
    }
}

impl Vectors {
    pub fn new(dimensions: usize) -> Self {
        Self {
            dimensions,
            passages: Vec::new(),
            sentences: Vec::new(),
            phrasings: Vec::new(),
            coarse: Rows::new(dimensions),
            coarse_phrasings: Rows::new(dimensions),
            ranges: Vec::new(),
            asked: Vec::new(),
            crowded: Crowded::default(),
        }
    }

    /// Measures how crowded each row is, once all are there. `article` tells which article a
    /// passage is of: a row may be near to questions about its own.
    pub fn settle(&mut self, article: impl Fn(usize) -> usize) {
        let owners = |ranges: &[Range<usize>]| -> Vec<usize> {
            ranges.iter().enumerate().flat_map(|(at, rows)| rows.clone().map(move |_| at)).collect()
        };
        let (of_sentence, of_phrasing) = (owners(&self.ranges), owners(&self.asked));
        let stride = of_phrasing.len().div_ceil(BACKGROUND).max(1);
        let background: Vec<usize> = (0..of_phrasing.len()).step_by(stride).collect();
        let nearest = (background.len() / NEAREST_ONE_IN).max(1);
        let crowded = |rows: &[f32], owner: &dyn Fn(usize) -> usize| -> Vec<f32> {
            let rows = rows.chunks_exact(self.dimensions).enumerate();
            let mut found: Vec<f32> = rows
                .map(|(at, row)| {
                    let own = article(owner(at));
                    let others =
                        background.iter().filter(|&&other| article(of_phrasing[other]) != own);
                    let mut near: Vec<f32> = others
                        .map(|&other| {
                            dot(row, &self.phrasings[other * self.dimensions..][..self.dimensions])
                        })
                        .collect();
                    near.sort_unstable_by(|a, b| b.total_cmp(a));
                    near.truncate(nearest);
                    near.iter().sum::<f32>() / nearest as f32
                })
                .collect();
            let mean = found.iter().sum::<f32>() / found.len().max(1) as f32;
            found.iter_mut().for_each(|one| *one = (*one - mean) * CROWDED_SHARE);
            found
        };
        self.crowded = Crowded {
            passages: crowded(&self.passages, &|at| at),
            sentences: crowded(&self.sentences, &|at| of_sentence[at]),
            phrasings: crowded(&self.phrasings, &|at| of_phrasing[at]),
        };
    }

    pub fn nearness(&self, passage: usize, query: &[f32]) -> Nearness {
        let off = |rows: &[f32], at: usize| rows.get(at).copied().unwrap_or(0.0);
        let best = |rows: &[f32], crowded: &[f32], range: Range<usize>| {
            let cosine = |at: usize| dot(&rows[at * self.dimensions..][..self.dimensions], query);
            range.map(|at| cosine(at) - off(crowded, at)).reduce(f32::max)
        };
        let whole = dot(self.passage(passage), query) - off(&self.crowded.passages, passage);
        let sentences = self.ranges[passage].clone();
        let sentence = best(&self.sentences, &self.crowded.sentences, sentences).unwrap_or(whole);
        let phrasings = self.asked[passage].clone();
        let asked = best(&self.phrasings, &self.crowded.phrasings, phrasings).unwrap_or(0.0);
        Nearness { text: 0.5 * whole + 0.5 * sentence, sentence, asked }
    }

    /// Adds the next passage.
    pub fn push<'a>(
        &mut self,
        passage: &[f32],
        sentences: &[&[f32]],
        phrasings: impl Iterator<Item = &'a [f32]>,
    ) {
        self.passages.extend_from_slice(passage);
        self.coarse.push(passage);
        let first = self.sentences.len() / self.dimensions;
        for sentence in sentences {
            self.sentences.extend_from_slice(sentence);
        }
        self.ranges.push(first..self.sentences.len() / self.dimensions);
        let first = self.phrasings.len() / self.dimensions;
        for phrasing in phrasings {
            self.phrasings.extend_from_slice(phrasing);
            self.coarse_phrasings.push(phrasing);
        }
        self.asked.push(first..self.phrasings.len() / self.dimensions);
    }

    /// A passage's rows, as `push` takes them: its own, its sentences', its phrasings'.
    pub fn rows(&self, passage: usize) -> impl Iterator<Item = &[f32]> {
        let cut = |range: &Range<usize>| range.start * self.dimensions..range.end * self.dimensions;
        let sentences = &self.sentences[cut(&self.ranges[passage])];
        let phrasings = &self.phrasings[cut(&self.asked[passage])];
        std::iter::once(self.passage(passage))
            .chain(sentences.chunks_exact(self.dimensions))
            .chain(phrasings.chunks_exact(self.dimensions))
    }

    pub fn similarity(&self, passage: usize, query: &[f32]) -> Similarity {
        let whole = dot(self.passage(passage), query);
        let nearest = self.sentence_cosines(passage, query).into_iter().reduce(f32::max);
        let asked = self.nearest_phrasing(passage, query);
        Similarity { passage: whole, sentence: nearest.unwrap_or(whole), asked }
    }

    fn nearest_phrasing(&self, passage: usize, query: &[f32]) -> Option<(f32, usize)> {
        let range = self.asked[passage].clone();
        let rows = self.phrasings[range.start * self.dimensions..range.end * self.dimensions]
            .chunks_exact(self.dimensions);
        let cosines = rows.enumerate().map(|(at, row)| (dot(row, query), at));
        cosines.reduce(|best, next| if next.0 > best.0 { next } else { best })
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
        let keep = CANDIDATES.max(limit);
        let mut near = self.nearly(query, SPARE * keep, admits);
        for (at, cosine) in &mut near {
            let whole = dot(self.passage(*at), query);
            let asked = self.nearest_phrasing(*at, query);
            *cosine = asked.map_or(whole, |(cosine, _)| whole.max(cosine));
        }
        nearest(&mut near, keep);
        let mut found: Vec<(usize, Similarity)> =
            near.into_iter().map(|(at, _)| (at, self.similarity(at, query))).collect();
        found.sort_by(|a, b| b.1.blended().total_cmp(&a.1.blended()).then(a.0.cmp(&b.0)));
        found.truncate(limit);
        found
    }

    /// The passages that are nearest, or whose phrasings are, by the scan.
    fn nearly(
        &self,
        query: &[f32],
        keep: usize,
        admits: impl Fn(usize) -> bool,
    ) -> Vec<(usize, f32)> {
        let mut query = self.coarse.query(query);
        let (mut passages, mut phrasings) = (Vec::new(), Vec::new());
        let mut near: Vec<(usize, f32)> = Vec::with_capacity(2 * keep + BLOCK);
        let mut least = f32::NEG_INFINITY;
        for first in (0..self.ranges.len()).step_by(BLOCK) {
            let last = (first + BLOCK).min(self.ranges.len());
            let asked = self.asked[first].start..self.asked[last - 1].end;
            self.coarse.products(&mut query, first..last, &mut passages);
            self.coarse_phrasings.products(&mut query, asked.clone(), &mut phrasings);
            for (at, whole) in (first..last).zip(&passages) {
                let own = &self.asked[at];
                let own = &phrasings[own.start - asked.start..own.end - asked.start];
                let cosine = own.iter().fold(*whole, |most, asked| most.max(*asked));
                if cosine > least && admits(at) {
                    near.push((at, cosine));
                }
            }
            if near.len() > 2 * keep {
                nearest(&mut near, keep);
                least = near.iter().map(|(_, cosine)| *cosine).fold(f32::INFINITY, f32::min);
            }
        }
        nearest(&mut near, keep);
        near
    }
}

/// Leaves the nearest, in any order.
fn nearest(near: &mut Vec<(usize, f32)>, keep: usize) {
    if near.len() > keep {
        near.select_nth_unstable_by(keep, |a, b| b.1.total_cmp(&a.1));
        near.truncate(keep);
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
        vectors.push(&[0.8, 0.6], &[&[0.8, 0.6]], std::iter::empty());
        vectors.push(&[0.7, 0.714], &[&[1.0, 0.0], &[0.0, 1.0]], std::iter::empty());
        let found = vectors.search(&[1.0, 0.0], 5, |_| true);
        assert_eq!(found[0].0, 1);
        assert_eq!(vectors.search(&[1.0, 0.0], 5, |at| at == 0).len(), 1);
    }

    #[test]
    fn a_near_phrasing_lifts_and_a_far_one_does_no_harm() {
        let mut vectors = Vectors::new(2);
        let text = [0.6f32, 0.8];
        vectors.push(&text, &[&text], [[0.0f32, 1.0].as_slice()].into_iter());
        vectors.push(&text, &[&text], [[0.0f32, 1.0].as_slice(), &[1.0, 0.0]].into_iter());
        let found = vectors.search(&[1.0, 0.0], 5, |_| true);
        assert_eq!((found[0].0, found[0].1.asked), (1, Some((1.0, 1))));
        assert!((found[1].1.blended() - 0.6).abs() < 1e-6);
    }
}
