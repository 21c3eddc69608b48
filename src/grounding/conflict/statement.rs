//! A sentence, with what the embedding model makes of each of its words.

use std::ops::Range;

use super::quantity::{self, Quantity};
use crate::grounding::polarity::is_denial;
use crate::grounding::reading::{Part, Reading};
use crate::insight::written::written;
use crate::models::embedder::TokenVectors;

/// Parts of a sentence with fewer telling words are read with what stands before them.
const CLAUSE_WORDS_MIN: usize = 2;

/// A sentence as it is put to the embedding model: behind what it is about, with numbers in digits.
#[derive(Clone, Debug)]
pub struct Wording {
    text: String,
    full: String,
}

impl Wording {
    /// `about` is the heading, or the question that is answered.
    pub fn new(about: &str, text: &str) -> Self {
        let about = about.trim();
        let plain: Vec<&str> = text.split_whitespace().collect();
        let text = written(&plain.join(" "));
        let full = if about.is_empty() { text.clone() } else { format!("{about}: {text}") };
        Self { text, full }
    }

    pub fn to_embed(&self) -> &str {
        &self.full
    }
}

/// A sentence that can be compared.
#[derive(Clone, Debug)]
pub struct Statement {
    pub(super) reading: Reading,
    /// The vector of the whole, of length 1.
    whole: Vec<f32>,
    /// One vector of length 1 for each word of the reading, zeros where the model saw none.
    words: Vec<Vec<f32>>,
    /// Those of all tokens, also of what it is about.
    tokens: Vec<Vec<f32>>,
    pub(super) quantities: Vec<Quantity>,
    /// Words by clause, in order.
    pub(super) clauses: Vec<Clause>,
}

#[derive(Clone, Debug)]
pub(super) struct Clause {
    pub words: Range<usize>,
    /// What it is about: those that tell something and are no number.
    pub telling: Vec<usize>,
}

impl Statement {
    /// `tokens` are of [`Wording::to_embed`].
    pub fn new(wording: &Wording, tokens: &TokenVectors) -> Self {
        let reading = Reading::stemmed(&wording.text);
        let offset = wording.full.len() - wording.text.len();
        let count = tokens.bytes.len().max(1);
        let width = tokens.states.len() / count;
        let rows: Vec<&[f32]> = tokens.states.chunks_exact(width.max(1)).collect();
        let whole = unit(sum(&rows, width));
        let stands: Vec<(&Range<usize>, &[f32])> =
            tokens.bytes.iter().zip(rows).filter(|(bytes, _)| !bytes.is_empty()).collect();
        let of = |bytes: &Range<usize>| {
            let own = stands.iter().filter(|(token, _)| {
                token.end > bytes.start + offset && token.start < bytes.end + offset
            });
            let own: Vec<&[f32]> = own.map(|(_, row)| *row).collect();
            unit(sum(&own, width))
        };
        let words: Vec<Vec<f32>> = reading.words.iter().map(|word| of(&word.bytes)).collect();
        let tokens = stands.iter().map(|(_, row)| unit(row.to_vec())).collect();
        let clauses = clauses(&reading);
        let quantities = quantity::read(&reading, &of);
        Self { reading, whole, words, tokens, quantities, clauses }
    }

    /// The vector of the whole, of length 1.
    pub fn vector(&self) -> &[f32] {
        &self.whole
    }

    pub(super) fn nearness(&self, other: &Self) -> f32 {
        dot(&self.whole, &other.whole)
    }

    pub(super) fn word(&self, at: usize) -> &[f32] {
        &self.words[at]
    }

    /// How much of some of the words stands in other statements, in the same or in other words: the
    /// mean cosine with the nearest token there (as BERTScore's precision: Zhang and others 2020,
    /// <https://arxiv.org/abs/1904.09675>).
    pub(super) fn held(&self, words: &[usize], others: &[&Self]) -> f32 {
        if words.is_empty() {
            return 0.0;
        }
        words.iter().map(|word| self.nearest(*word, others)).sum::<f32>() / words.len() as f32
    }

    /// The cosine of a word with the nearest token of others.
    pub(super) fn nearest(&self, word: usize, others: &[&Self]) -> f32 {
        let tokens = others.iter().flat_map(|other| &other.tokens);
        tokens.map(|token| dot(&self.words[word], token)).fold(0.0, f32::max)
    }

    /// Words that tell something, with the numbers or without.
    pub(super) fn telling(&self, with_numbers: bool) -> Vec<usize> {
        telling(&self.reading, 0..self.reading.words.len(), with_numbers)
    }

    /// The clause in which a word stands.
    pub(super) fn clause_of(&self, word: usize) -> Option<&Clause> {
        self.clauses.iter().find(|clause| clause.words.contains(&word))
    }
}

fn telling(reading: &Reading, words: Range<usize>, with_numbers: bool) -> Vec<usize> {
    words
        .filter(|at| {
            let word = &reading.words[*at];
            matches!(word.part, Part::Content | Part::Frame)
                && !is_denial(&word.lower)
                && (with_numbers || !reading.is_exact(word))
        })
        .collect()
}

fn clauses(reading: &Reading) -> Vec<Clause> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for (at, word) in reading.words.iter().enumerate() {
        match ranges.last_mut() {
            Some(last) if reading.words[last.start].clause == word.clause => last.end = at + 1,
            _ => ranges.push(at..at + 1),
        }
    }
    let mut clauses: Vec<Range<usize>> = Vec::new();
    let mut begin = None;
    for range in ranges {
        let from = begin.take().unwrap_or(range.start);
        if telling(reading, from..range.end, true).len() < CLAUSE_WORDS_MIN {
            begin = Some(from);
            continue;
        }
        clauses.push(from..range.end);
    }
    if let Some(from) = begin {
        match clauses.last_mut() {
            Some(last) => last.end = reading.words.len(),
            None => clauses.push(from..reading.words.len()),
        }
    }
    let clause = |range: Range<usize>| Clause {
        telling: telling(reading, range.clone(), false),
        words: range,
    };
    clauses.into_iter().map(clause).collect()
}

fn sum(rows: &[&[f32]], width: usize) -> Vec<f32> {
    let mut total = vec![0.0; width];
    for row in rows {
        for (to, value) in total.iter_mut().zip(*row) {
            *to += value;
        }
    }
    total
}

/// Of length 1, or zeros.
fn unit(mut vector: Vec<f32>) -> Vec<f32> {
    let length = dot(&vector, &vector).sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|value| *value /= length);
    }
    vector
}

pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
