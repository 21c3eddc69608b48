//! Sentences near to a text: what a draft may repeat or contradict.
//!
//! By meaning alone: a contradiction often shares no telling word with what it contradicts ("runs out
//! after a fortnight", "valid for 30 days").

use std::sync::Arc;

use super::sentence::Span;
use super::snapshot::Snapshot;
use crate::domain::{Article, ArticleId, Passage};

/// Passages whose sentences are looked at one by one.
const PASSAGES: usize = 60;
/// How much it counts beside the sentence's own cosine that people ask for the passage like this.
const ASKED_WORTH: f32 = 0.3;

/// A published sentence, and how near it is.
#[derive(Clone, Debug)]
pub struct NearSentence {
    pub article: Arc<Article>,
    /// Its passage's place in the article.
    pub passage_number: usize,
    /// In the passage's text.
    pub sentence: Span,
    /// Cosine of the sentence below its heading with the text, -1 to 1.
    pub cosine: f32,
    /// Cosine of the question with the nearest phrasing of the passage, or with the passage where it
    /// has none; 0 without a question.
    pub asked: f32,
}

impl NearSentence {
    /// # Panics
    /// When the article was taken apart after it was found.
    pub fn passage(&self) -> &Passage {
        &self.article.passages[self.passage_number]
    }

    pub fn text(&self) -> &str {
        self.sentence.slice(&self.passage().text)
    }

    fn rank(&self) -> f32 {
        self.cosine + ASKED_WORTH * self.asked
    }
}

pub(super) fn sentences(
    snapshot: &Snapshot,
    text: &[f32],
    question: Option<&[f32]>,
    limit: usize,
) -> Vec<NearSentence> {
    let Some(vectors) = &snapshot.vectors else { return Vec::new() };
    let nearest = |query: &[f32]| {
        vectors.search(query, PASSAGES, |_| true).into_iter().map(|(passage, _)| passage)
    };
    let mut passages: Vec<usize> = nearest(text).collect();
    passages.extend(question.into_iter().flat_map(nearest));
    passages.sort_unstable();
    passages.dedup();
    let found = passages.into_iter().flat_map(|passage| of(snapshot, passage, text, question));
    let mut found: Vec<NearSentence> = found.collect();
    // A stable sort, so that equals stay in the order of the base.
    found.sort_by(|a, b| b.rank().total_cmp(&a.rank()));
    found.truncate(limit);
    found
}

pub(super) fn of_article(snapshot: &Snapshot, id: &ArticleId, text: &[f32]) -> Vec<NearSentence> {
    snapshot.passages_of(id).flat_map(|passage| of(snapshot, passage, text, None)).collect()
}

fn of(
    snapshot: &Snapshot,
    passage: usize,
    text: &[f32],
    question: Option<&[f32]>,
) -> Vec<NearSentence> {
    let Some(vectors) = &snapshot.vectors else { return Vec::new() };
    let entry = &snapshot.passages[passage];
    let asked = question.map_or(0.0, |question| {
        let similarity = vectors.similarity(passage, question);
        similarity.asked.map_or(similarity.passage, |(cosine, _)| cosine)
    });
    let cosines = vectors.sentence_cosines(passage, text);
    let near = entry.sentences.iter().zip(cosines).map(|(sentence, cosine)| NearSentence {
        article: entry.article.clone(),
        passage_number: entry.number,
        sentence: *sentence,
        cosine,
        asked,
    });
    near.collect()
}
