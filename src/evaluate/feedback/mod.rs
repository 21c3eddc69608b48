//! What the ranking learns from verdicts: a made-up log of calls, and searches before and after it.
//!
//! Each call asks one of the questions of one half. Where it gets a card, an agent judges it, mostly by
//! whether its article answers. Then the questions of both halves are asked again: those that were
//! heard in the log, and those that ask the same things in other words. Verdicts of agents who toss
//! a coin show what noise does.

mod questions;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde::Serialize;

pub use self::questions::{Half, Questions};
use super::cards::turn_of;
use super::dataset::EvaluationError;
use super::live::ReferenceTurn;
use super::retrieval::rank_of;
use crate::domain::{Answer, VerdictKind};
use crate::flow::feedback::Learner;
use crate::flow::suggestion::{Decision, Suggester, SuggestionSettings};
use crate::knowledge::feedback::JudgedCard;
use crate::knowledge::queries::LabelledQuery;
use crate::knowledge::{Library, SearchRequest};
use crate::models::embedder::{EmbedderHandle, Urgency};

/// Passages fetched for a ranking of articles.
const DEPTH: usize = 50;
/// Cards that agents don't judge: they have a customer on the line.
const UNJUDGED: f64 = 0.3;
/// Nobody waits on a phone for this run.
const PATIENCE: Duration = Duration::from_secs(30);

/// Who judges.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Agents {
    /// By whether the card's article answers, with this share of mistakes.
    Knowing { mistaken: f64 },
    /// Whatever the card says, this share is accepted.
    Tossing { accepted: f64 },
}

#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub calls: usize,
    pub agents: Agents,
    /// Cards are shown from this probability on, in the log and when the questions are asked again.
    pub threshold: f32,
    pub seed: u64,
}

/// How well questions find what answers them, by search and by cards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Quality {
    /// Questions that an article answers.
    pub answerable: usize,
    pub recall_at_1: f64,
    pub recall_at_5: f64,
    pub mrr_at_10: f64,
    pub right_cards: usize,
    pub wrong_cards: usize,
    /// Questions that nothing answers, and cards that they get.
    pub unanswerable: usize,
    pub false_cards: usize,
}

/// Asks questions one by one.
///
/// # Errors
/// A search fails.
fn quality(
    library: &Library,
    questions: &[&LabelledQuery],
    plan: &Plan,
) -> Result<Quality, EvaluationError> {
    let mut sums = Quality::default();
    for question in questions {
        let card = card(library, &question.text, plan)?;
        if question.articles.is_empty() {
            sums.unanswerable += 1;
            sums.false_cards += usize::from(card.is_some());
            continue;
        }
        sums.answerable += 1;
        match card {
            Some((_, card)) if is_right(&card, question) => sums.right_cards += 1,
            Some(_) => sums.wrong_cards += 1,
            None => {}
        }
        let mut request = SearchRequest::new(question.text.as_str());
        request.limit = DEPTH;
        let rank = rank_of(&library.search(&request)?, &question.articles);
        let within = |depth: usize| f64::from(u8::from(rank.is_some_and(|at| at < depth)));
        sums.recall_at_1 += within(1);
        sums.recall_at_5 += within(5);
        sums.mrr_at_10 += rank.filter(|at| *at < 10).map_or(0.0, |at| 1.0 / (at + 1) as f64);
    }
    let count = sums.answerable.max(1) as f64;
    for sum in [&mut sums.recall_at_1, &mut sums.recall_at_5, &mut sums.mrr_at_10] {
        *sum /= count;
    }
    Ok(sums)
}

/// Plays the log: after each verdict the next card is chosen by all of them so far. Leaves the library
/// with what was learnt, and returns how many cards were judged.
///
/// # Errors
/// A search or the model fails.
fn teach(
    library: &Library,
    embedder: &EmbedderHandle,
    heard: &[&LabelledQuery],
    plan: &Plan,
) -> Result<usize, EvaluationError> {
    let mut random = StdRng::seed_from_u64(plan.seed);
    let mut learner = Learner::default();
    let mut vectors: BTreeMap<String, Arc<[f32]>> = BTreeMap::new();
    library.heed(None);
    for call in 0..plan.calls {
        let question = heard[random.random_range(0..heard.len().max(1))];
        let shown = card(library, &question.text, plan)?;
        let (luck, is_judged) = (random.random::<f64>(), random.random::<f64>() >= UNJUDGED);
        let Some((asked, card)) = shown.filter(|_| is_judged) else { continue };
        let is_accepted = match plan.agents {
            Agents::Knowing { mistaken } => is_right(&card, question) != (luck < mistaken),
            Agents::Tossing { accepted } => luck < accepted,
        };
        if !vectors.contains_key(&asked) {
            let made = embedder.embed_blocking(vec![asked.clone()], Urgency::Live, PATIENCE)?;
            vectors.extend(made.into_iter().map(|vector| (asked.clone(), vector.into())));
        }
        let (Some(vector), Some(cited)) = (vectors.get(&asked), card.citations.first()) else {
            continue;
        };
        let judged = JudgedCard {
            question: Arc::clone(vector),
            article: cited.article_id.clone(),
            quote: cited.quote.as_str().into(),
            verdict: if is_accepted { VerdictKind::Accepted } else { VerdictKind::Dismissed },
        };
        learner.learn(call as u64 + 1, format!("k-{call}").into(), judged);
        library.heed(Some(learner.feedback(embedder.dimensions())));
    }
    Ok(learner.len())
}

/// The card that a call of one question gets, and the wording that is compared with others.
fn card(
    library: &Library,
    question: &str,
    plan: &Plan,
) -> Result<Option<(String, Answer)>, EvaluationError> {
    let spoken = ReferenceTurn {
        speaker: "customer".to_owned(),
        text: question.to_owned(),
        ..ReferenceTurn::default()
    };
    let Plan { threshold, .. } = *plan;
    let settings = SuggestionSettings { threshold, ..SuggestionSettings::default() };
    let mut suggester = Suggester::new(&settings);
    let Some(query) = suggester.consider(&turn_of(0, &spoken)) else { return Ok(None) };
    let found = library.search(&query.request)?;
    Ok(match suggester.decide(&query, &found, 0) {
        Decision::Offer(answer) => Some((query.request.compared().to_owned(), *answer)),
        Decision::Abstain(_) => None,
    })
}

fn is_right(card: &Answer, question: &LabelledQuery) -> bool {
    card.citations.iter().any(|cited| question.articles.contains(&cited.article_id))
}

/// The same questions before and after a log.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    pub judged: usize,
    pub heard: [Quality; 2],
    pub other_words: [Quality; 2],
}

/// # Errors
/// A search or the model fails.
pub fn compare(
    library: &Library,
    embedder: &EmbedderHandle,
    [heard, other]: [&[&LabelledQuery]; 2],
    plan: &Plan,
) -> Result<Comparison, EvaluationError> {
    library.heed(None);
    let before = [quality(library, heard, plan)?, quality(library, other, plan)?];
    let judged = teach(library, embedder, heard, plan)?;
    let after = [quality(library, heard, plan)?, quality(library, other, plan)?];
    library.heed(None);
    Ok(Comparison { judged, heard: [before[0], after[0]], other_words: [before[1], after[1]] })
}
