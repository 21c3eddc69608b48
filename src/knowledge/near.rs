//! Sentences near to a text: what a draft may repeat or contradict.
//!
//! By meaning alone: a contradiction often shares no telling word with what it contradicts ("runs out
//! after a fortnight", "valid for 30 days").

use std::sync::Arc;

use super::library::Library;
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

impl Library {
    /// The published sentences that are nearest to a text's vector, nearest first; none before the
    /// vectors are complete. `question` is the vector of what the text answers, if it answers one:
    /// a passage that people ask for in such words comes first.
    pub fn near_sentences(
        &self,
        text: &[f32],
        question: Option<&[f32]>,
        limit: usize,
    ) -> Vec<NearSentence> {
        let near = |snapshot: &Snapshot| near_in(snapshot, text, question);
        let mut found = self.look(near, |one| &one.article);
        // A stable sort, so that equals stay in the order of the base.
        found.sort_by(|a, b| b.rank().total_cmp(&a.rank()));
        found.truncate(limit);
        found
    }

    /// All sentences of an article, in order, with how near they are to a text's vector.
    pub fn sentences_of(&self, id: &ArticleId, text: &[f32]) -> Vec<NearSentence> {
        let all = |snapshot: &Snapshot| -> Vec<NearSentence> {
            let passages = snapshot.passages_of(id);
            passages.flat_map(|passage| of(snapshot, passage, text, None)).collect()
        };
        self.look(all, |one| &one.article)
    }
}

fn near_in(snapshot: &Snapshot, text: &[f32], question: Option<&[f32]>) -> Vec<NearSentence> {
    let Some(vectors) = &snapshot.vectors else { return Vec::new() };
    let nearest = |query: &[f32]| {
        vectors.search(query, PASSAGES, |_| true).into_iter().map(|(passage, _)| passage)
    };
    let mut passages: Vec<usize> = nearest(text).collect();
    passages.extend(question.into_iter().flat_map(nearest));
    passages.sort_unstable();
    passages.dedup();
    passages.into_iter().flat_map(|passage| of(snapshot, passage, text, question)).collect()
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
