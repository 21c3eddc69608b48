//! Whether an article says already what a draft says.

use super::logistic;
use super::quantity::Quantity;
use super::statement::Statement;

pub const COVERED_INPUTS: usize = 11;
/// From here on a draft is a change to the article and no new one.
pub const COVERED_MIN: f32 = 0.45;
/// Fitted by `backchannel eval conflicts … --fit`.
const WEIGHTS: [f32; COVERED_INPUTS] =
    [-4.867, 1.164, 1.131, 1.088, -1.654, 1.540, 0.854, -1.147, 1.795, 1.489, 2.080];
/// The part of the words that are held worst: what a draft adds stands there.
const WORST: usize = 4;
/// A word that is no nearer to any of the article's stands for none of them.
const MISSING: f32 = 0.4;
/// More unsaid values make no difference.
const UNSAID_MAX: usize = 3;

/// What speaks for an article saying it already; the first input is the constant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coverage {
    pub inputs: [f32; COVERED_INPUTS],
}

impl Coverage {
    /// That nobody would miss the draft with the article there, 0 to 1.
    pub fn probability(&self) -> f32 {
        logistic(&WEIGHTS, &self.inputs)
    }

    pub fn is_likely(&self) -> bool {
        self.probability() >= COVERED_MIN
    }
}

/// One article beside a draft.
#[derive(Clone, Debug)]
pub struct Candidate<'a> {
    /// Its sentences that come nearest to the draft's.
    pub sentences: Vec<&'a Statement>,
    /// Mean cosine of the draft's sentences with their nearest in the article.
    pub nearness: f32,
    /// How near the draft's question is to those that people ask about the article.
    pub asked: f32,
}

/// What speaks for each of some articles saying already what all sentences of a draft say. The articles
/// are passed in the order of how near they are.
pub fn coverages(draft: &[Statement], articles: &[Candidate<'_>]) -> Vec<Coverage> {
    let words: Vec<Vec<f32>> = articles.iter().map(|one| nearest(draft, &one.sentences)).collect();
    let held: Vec<f32> = words.iter().map(|nearest| mean(nearest)).collect();
    let elsewhere = |at: usize, value: &dyn Fn(usize) -> f32| {
        let others = (0..articles.len()).filter(|other| *other != at);
        others.map(value).fold(0.0, f32::max)
    };
    let one = |(at, article): (usize, &Candidate<'_>)| {
        let words = &words[at];
        let worst = &words[..words.len().div_ceil(WORST)];
        let missing = words.iter().filter(|nearest| **nearest < MISSING).count();
        let of_sentence =
            draft.iter().map(|said| said.held(&said.telling(true), &article.sentences));
        Coverage {
            inputs: [
                1.0,
                held[at],
                mean(worst),
                of_sentence.fold(1.0, f32::min),
                missing as f32 / words.len().max(1) as f32,
                article.asked,
                article.asked - elsewhere(at, &|other| articles[other].asked),
                unsaid(draft, &article.sentences).min(UNSAID_MAX) as f32,
                f32::from(u8::from(at == 0)),
                article.nearness - elsewhere(at, &|other| articles[other].nearness),
                held[at] - elsewhere(at, &|other| held[other]),
            ],
        }
    };
    articles.iter().enumerate().map(one).collect()
}

/// How near each telling word of the draft is to the nearest of the article, the worst first.
fn nearest(draft: &[Statement], article: &[&Statement]) -> Vec<f32> {
    let of = |said: &Statement| -> Vec<f32> {
        said.telling(true).into_iter().map(|word| said.nearest(word, article)).collect()
    };
    let mut all: Vec<f32> = draft.iter().flat_map(of).collect();
    all.sort_by(f32::total_cmp);
    all
}

fn mean(values: &[f32]) -> f32 {
    values.iter().sum::<f32>() / values.len().max(1) as f32
}

/// Values of the draft that the article doesn't say.
fn unsaid(draft: &[Statement], article: &[&Statement]) -> usize {
    let said = |own: &&Quantity| {
        let mut all = article.iter().flat_map(|one| &one.quantities);
        all.any(|other| other.value.agrees(&own.value))
    };
    draft.iter().flat_map(|one| &one.quantities).filter(|own| !said(own)).count()
}
