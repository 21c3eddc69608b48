//! Whether questions that ask the same come together: the groups of `insight::gaps` beside labels of people.
//!
//! Counted are pairs of questions: of those that stand in one group, how many have one label (precision), and of those
//! with one label, how many stand in one group (recall).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::retrieval::EvaluationError;
use crate::insight::gaps::{Clusters, MEANING_NEARNESS, WORDS_NEARNESS, word_vector};
use crate::models::embedder::{EmbedderError, EmbedderHandle, Urgency};

/// Nothing is live here.
const PATIENCE: Duration = Duration::from_secs(60);
/// The label of questions that have none of the others: they are alike in nothing.
const NO_LABEL: &str = "oos";

/// Questions with what they are about, in an order that has nothing to do with it.
#[derive(Debug)]
pub struct LabelledQuestions {
    pub questions: Vec<(String, String)>,
    pub sha256: String,
}

#[derive(Deserialize)]
struct Row {
    #[serde(alias = "utterance")]
    text: String,
    intent: String,
}

/// Figures of one way to compare questions.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct GapReport {
    pub questions: usize,
    pub labels: usize,
    pub groups: usize,
    /// Groups of one question.
    pub singles: usize,
    pub precision: f64,
    pub recall: f64,
    pub f1: f64,
    /// Precision counted twice.
    pub f_half: f64,
    /// To find the group of one question, without its vector.
    pub microseconds: f64,
}

impl LabelledQuestions {
    /// Reads a file of JSON lines with `text` or `utterance`, and `intent`; at most `limit` of them, chosen by a hash of
    /// their text.
    ///
    /// # Errors
    /// Names the line that is wrong.
    pub fn open(path: &Path, limit: usize) -> Result<Self, EvaluationError> {
        let wrong =
            |reason: String| EvaluationError::Read { path: path.display().to_string(), reason };
        let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        let mut questions = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let row: Row = serde_json::from_str(line)
                .map_err(|error| wrong(format!("line {}: {error}", number + 1)))?;
            if row.intent != NO_LABEL {
                questions.push((row.text, row.intent));
            }
        }
        questions.sort_by_cached_key(|(text, _)| Sha256::digest(text).to_vec());
        questions.dedup();
        questions.truncate(limit);
        let digest = Sha256::digest(&text);
        let sha256 = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { questions, sha256 })
    }

    /// Groups by meaning and by words, and counts.
    ///
    /// # Errors
    /// The model fails.
    pub fn measure(
        &self,
        embedder: &EmbedderHandle,
        nearness: Option<f32>,
    ) -> Result<BTreeMap<&'static str, GapReport>, EmbedderError> {
        let mut meanings = Vec::new();
        for (text, _) in &self.questions {
            let texts = vec![text.clone()];
            meanings.extend(embedder.embed_blocking(texts, Urgency::Background, PATIENCE)?);
        }
        let words: Vec<Vec<f32>> =
            self.questions.iter().map(|(text, _)| word_vector(text)).collect();
        Ok(BTreeMap::from([
            ("meaning", self.report(&meanings, nearness.unwrap_or(MEANING_NEARNESS))),
            ("words", self.report(&words, nearness.unwrap_or(WORDS_NEARNESS))),
        ]))
    }

    fn report(&self, vectors: &[Vec<f32>], nearness: f32) -> GapReport {
        let begun = Instant::now();
        let mut clusters = Clusters::new(nearness, Vec::new());
        let groups: Vec<u64> = (0_u64..)
            .zip(vectors)
            .map(|(position, vector)| clusters.add(position, vector).first)
            .collect();
        let microseconds = begun.elapsed().as_secs_f64() * 1e6 / vectors.len().max(1) as f64;
        let labels: Vec<&str> = self.questions.iter().map(|(_, label)| label.as_str()).collect();
        let (same_group, same_label) = (pairs(groups.iter()), pairs(labels.iter()));
        let both = pairs(groups.iter().zip(&labels));
        let precision = both / same_group.max(1.0);
        let recall = both / same_label.max(1.0);
        let f = |weight: f64| {
            (1.0 + weight) * precision * recall / (weight * precision + recall).max(f64::EPSILON)
        };
        let mut sizes: BTreeMap<u64, usize> = BTreeMap::new();
        for group in &groups {
            *sizes.entry(*group).or_default() += 1;
        }
        GapReport {
            questions: groups.len(),
            labels: labels.iter().collect::<BTreeSet<_>>().len(),
            groups: sizes.len(),
            singles: sizes.values().filter(|size| **size == 1).count(),
            precision,
            recall,
            f1: f(1.0),
            f_half: f(0.25),
            microseconds,
        }
    }
}

/// How many pairs have the same of something.
fn pairs<T: Ord>(of: impl Iterator<Item = T>) -> f64 {
    let mut counts: BTreeMap<T, f64> = BTreeMap::new();
    for one in of {
        *counts.entry(one).or_default() += 1.0;
    }
    counts.values().map(|count| count * (count - 1.0) / 2.0).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_counted_by_group_and_label() {
        let question = |text: &str, label: &str| (text.to_owned(), label.to_owned());
        let labelled = LabelledQuestions {
            questions: vec![
                question("student discount", "price"),
                question("discount for a student", "price"),
                question("what does it cost", "price"),
                question("parcel lost", "parcel"),
            ],
            sha256: String::new(),
        };
        let words: Vec<Vec<f32>> =
            labelled.questions.iter().map(|(text, _)| word_vector(text)).collect();
        let report = labelled.report(&words, 0.5);
        // One pair of the three that have a label in common is found, and no other.
        assert_eq!((report.groups, report.singles, report.labels), (3, 2, 2));
        assert_eq!((report.precision, report.recall), (1.0, 1.0 / 3.0));
    }
}
