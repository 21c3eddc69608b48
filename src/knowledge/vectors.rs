//! The meaning side: one vector per passage, per sentence and per phrasing, scanned exactly.
//!
//! All rows are read in 8 bits, the nearest are looked at again as they are. 100,000 passages take
//! some 5 ms of one core (`benches/README`): an approximate index would only add ways to be wrong.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

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

/// The vectors of one passage. All snapshots that hold the passage share them.
pub(crate) struct PassageRows {
    dimensions: usize,
    /// Its own, its sentences', its phrasings'.
    values: Box<[f32]>,
    sentences: usize,
    is_complete: bool,
    /// How crowded each row is, and before which background: a change of the base mostly leaves it.
    crowded: Mutex<Option<(BackgroundHash, Arc<[f32]>)>>,
}

type BackgroundHash = [u8; 32];

impl PassageRows {
    /// `rows`: of the passage, of so many sentences, of its phrasings. What wasn't made in time is
    /// `None`, and such a passage is found by its words alone.
    pub fn of<'a>(
        dimensions: usize,
        sentences: usize,
        rows: impl Iterator<Item = Option<&'a [f32]>>,
    ) -> Self {
        let (mut values, mut is_complete) = (Vec::new(), true);
        for row in rows {
            match row {
                Some(row) => values.extend_from_slice(row),
                None => values.resize(values.len() + dimensions, 0.0),
            }
            is_complete &= row.is_some();
        }
        let (values, crowded) = (values.into(), Mutex::default());
        Self { dimensions, values, sentences, is_complete, crowded }
    }

    pub fn is_complete(&self) -> bool {
        self.is_complete
    }

    pub fn all(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.values.chunks_exact(self.dimensions)
    }

    pub fn row(&self, number: usize) -> &[f32] {
        &self.values[number * self.dimensions..][..self.dimensions]
    }

    fn passage(&self) -> &[f32] {
        self.row(0)
    }

    /// 0: the passage itself, 1: a sentence, 2: a phrasing.
    fn kind(&self, row: usize) -> usize {
        usize::from(row > 0) + usize::from(row > self.sentences)
    }

    fn sentences(&self) -> impl Iterator<Item = &[f32]> {
        self.all().skip(1).take(self.sentences)
    }

    fn phrasings(&self) -> impl Iterator<Item = &[f32]> {
        self.all().skip(1 + self.sentences)
    }
}

pub(crate) struct Vectors {
    passages: Vec<Arc<PassageRows>>,
    /// Passages and phrasings for the scan.
    coarse: Rows,
    coarse_phrasings: Rows,
    /// Which of the coarse phrasings belong to a passage.
    asked: Vec<Range<usize>>,
    crowded: Crowded,
}

/// Rows that are near to everything are near to a question by chance (hubness: Radovanović,
/// Nanopoulos and Ivanović 2010). What is counted is therefore how much nearer than usual a row is.
struct Crowded {
    /// In the order of the passages and their rows; what is taken off a cosine.
    rows: Vec<f32>,
    /// Where a passage's rows begin.
    first: Vec<usize>,
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
    /// `of_passage` tells which article a passage is of: a row may be near to questions about its
    /// own.
    pub fn of(dimensions: usize, passages: Vec<Arc<PassageRows>>, of_passage: &[usize]) -> Self {
        let mut coarse = Rows::new(dimensions);
        let mut coarse_phrasings = Rows::new(dimensions);
        let mut asked = Vec::with_capacity(passages.len());
        let mut phrasings = Vec::new();
        for (rows, article) in passages.iter().zip(of_passage) {
            coarse.push(rows.passage());
            let first = phrasings.len();
            for phrasing in rows.phrasings() {
                coarse_phrasings.push(phrasing);
                phrasings.push((*article, phrasing));
            }
            asked.push(first..phrasings.len());
        }
        let crowded = Crowded::of(dimensions, &passages, of_passage, &phrasings);
        Self { passages, coarse, coarse_phrasings, asked, crowded }
    }

    /// The rows of a passage.
    pub fn rows(&self, passage: usize) -> &Arc<PassageRows> {
        &self.passages[passage]
    }

    pub fn nearness(&self, passage: usize, query: &[f32]) -> Nearness {
        let rows = &self.passages[passage];
        let crowded = &self.crowded.rows[self.crowded.first[passage]..];
        let mut near = rows.all().zip(crowded).map(|(row, crowded)| dot(row, query) - crowded);
        let whole = near.next().unwrap_or(0.0);
        let sentence = near.by_ref().take(rows.sentences).reduce(f32::max).unwrap_or(whole);
        let asked = near.reduce(f32::max).unwrap_or(0.0);
        Nearness { text: 0.5 * whole + 0.5 * sentence, sentence, asked }
    }

    pub fn similarity(&self, passage: usize, query: &[f32]) -> Similarity {
        let whole = dot(self.passages[passage].passage(), query);
        let nearest = self.sentence_cosines(passage, query).into_iter().reduce(f32::max);
        let asked = self.nearest_phrasing(passage, query);
        Similarity { passage: whole, sentence: nearest.unwrap_or(whole), asked }
    }

    fn nearest_phrasing(&self, passage: usize, query: &[f32]) -> Option<(f32, usize)> {
        let rows = self.passages[passage].phrasings();
        let cosines = rows.enumerate().map(|(at, row)| (dot(row, query), at));
        cosines.reduce(|best, next| if next.0 > best.0 { next } else { best })
    }

    /// The cosine of each sentence of a passage.
    pub fn sentence_cosines(&self, passage: usize, query: &[f32]) -> Vec<f32> {
        self.passages[passage].sentences().map(|row| dot(row, query)).collect()
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
            let whole = dot(self.passages[*at].passage(), query);
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
        for first in (0..self.passages.len()).step_by(BLOCK) {
            let last = (first + BLOCK).min(self.passages.len());
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

impl Crowded {
    /// `phrasings` with their articles are all there are.
    fn of(
        dimensions: usize,
        passages: &[Arc<PassageRows>],
        of_passage: &[usize],
        phrasings: &[(usize, &[f32])],
    ) -> Self {
        let stride = phrasings.len().div_ceil(BACKGROUND).max(1);
        let background: Vec<&(usize, &[f32])> = phrasings.iter().step_by(stride).collect();
        let nearest = (background.len() / NEAREST_ONE_IN).max(1);
        let (mut coarse, mut hash) = (Rows::new(dimensions), Sha256::new());
        for (_, row) in &background {
            coarse.push(row);
            row.iter().for_each(|value| hash.update(value.to_le_bytes()));
        }
        let hash: BackgroundHash = hash.finalize().into();
        let (mut products, mut near) = (Vec::new(), Vec::new());
        let mut crowded = |row: &[f32], own: usize| {
            if background.is_empty() {
                return 0.0;
            }
            coarse.products(&mut coarse.query(row), 0..background.len(), &mut products);
            near.clear();
            for (product, (article, _)) in products.iter().zip(&background) {
                if *article != own {
                    keep_nearest(&mut near, *product, nearest);
                }
            }
            near.iter().sum::<f32>() / nearest as f32
        };
        let (mut rows, mut first) = (Vec::new(), Vec::with_capacity(passages.len()));
        let mut sums = [(0.0_f64, 0_usize); 3];
        for (passage, own) in passages.iter().zip(of_passage) {
            first.push(rows.len());
            let mut known = passage.crowded.lock().unwrap_or_else(PoisonError::into_inner);
            let own = match &*known {
                Some((before, rows)) if *before == hash => Arc::clone(rows),
                _ => passage.all().map(|row| crowded(row, *own)).collect(),
            };
            *known = Some((hash, Arc::clone(&own)));
            rows.extend_from_slice(&own);
            for (at, crowded) in own.iter().enumerate() {
                let (sum, count) = &mut sums[passage.kind(at)];
                *sum += f64::from(*crowded);
                *count += 1;
            }
        }
        let means = sums.map(|(sum, count)| (sum / count.max(1) as f64) as f32);
        for (passage, first) in passages.iter().zip(&first) {
            for at in 0..passage.all().len() {
                let crowded = &mut rows[first + at];
                *crowded = (*crowded - means[passage.kind(at)]) * CROWDED_SHARE;
            }
        }
        Self { rows, first }
    }
}

/// Adds to the largest `keep` numbers, largest first.
fn keep_nearest(near: &mut Vec<f32>, new: f32, keep: usize) {
    if near.len() < keep || near.last().is_some_and(|least| new > *least) {
        let at = near.partition_point(|known| *known >= new);
        near.insert(at, new);
        near.truncate(keep);
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

    /// Passages of articles of their own: how many of their rows are sentences, and all rows.
    fn vectors(passages: &[(usize, &[[f32; 2]])]) -> Vectors {
        let rows = passages.iter().map(|(sentences, rows)| {
            let rows = rows.iter().map(|row| Some(row.as_slice()));
            Arc::new(PassageRows::of(2, *sentences, rows))
        });
        let articles: Vec<usize> = (0..passages.len()).collect();
        Vectors::of(2, rows.collect(), &articles)
    }

    #[test]
    fn a_sentence_to_the_point_beats_a_vague_passage() {
        let vectors = vectors(&[
            (1, &[[0.8, 0.6], [0.8, 0.6]]),
            (2, &[[0.7, 0.714], [1.0, 0.0], [0.0, 1.0]]),
        ]);
        let found = vectors.search(&[1.0, 0.0], 5, |_| true);
        assert_eq!(found[0].0, 1);
        assert_eq!(vectors.search(&[1.0, 0.0], 5, |at| at == 0).len(), 1);
    }

    #[test]
    fn a_near_phrasing_lifts_and_a_far_one_does_no_harm() {
        let text = [0.6, 0.8];
        let vectors =
            vectors(&[(1, &[text, text, [0.0, 1.0]]), (1, &[text, text, [0.0, 1.0], [1.0, 0.0]])]);
        let found = vectors.search(&[1.0, 0.0], 5, |_| true);
        assert_eq!((found[0].0, found[0].1.asked), (1, Some((1.0, 1))));
        assert!((found[1].1.blended() - 0.6).abs() < 1e-6);
    }
}
