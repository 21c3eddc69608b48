//! Knowledge for spoken dialogue: recogniser output in, the right answer of the right thing out.
//!
//! Two decisions are measured as the tenth Dialog System Technology Challenge did (track 2, task 2:
//! Kim et al. 2021, <https://arxiv.org/abs/2109.13489>): does the last turn need an article, and
//! which passage answers it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::calibrate::is_for_fitting;
use super::dataset::{EvaluationError, article, hex, read, rows};
use super::logistic;
use super::need::{self, Routine};
use crate::knowledge::{Library, LibrarySettings, SearchHit, SearchRequest, Source};

/// How deep the right passage is looked for.
const DEPTH: usize = 5;
/// Pulls weights towards 0: there are few turns.
const RIDGE: f64 = 0.002;

/// A snippet, by the names that the folder gives it.
type SnippetId = (String, String, String);

pub struct SpokenDataset {
    pub library: Library,
    pub sha256: String,
    /// By article and place in it.
    snippets: BTreeMap<(String, usize), SnippetId>,
    instances: Vec<Instance>,
}

#[derive(Deserialize)]
struct Thing {
    name: Option<String>,
    docs: BTreeMap<String, Snippet>,
}

#[derive(Deserialize)]
struct Snippet {
    title: String,
    body: String,
}

#[derive(Deserialize)]
struct Instance {
    id: String,
    turns: Vec<SpokenTurn>,
    target: bool,
    #[serde(default)]
    knowledge: Vec<Right>,
}

#[derive(Deserialize)]
struct SpokenTurn {
    text: String,
}

#[derive(Deserialize)]
struct Right {
    domain: String,
    entity_id: serde_json::Value,
    doc_id: serde_json::Value,
}

impl Right {
    fn id(&self) -> SnippetId {
        let plain = |value: &serde_json::Value| match value {
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        (self.domain.clone(), plain(&self.entity_id), plain(&self.doc_id))
    }
}

impl SpokenDataset {
    /// Reads a folder with `knowledge.json` and one file whose name ends in `instances.jsonl`. Each
    /// thing is an article, each of its questions with its answer a passage.
    ///
    /// # Errors
    /// Names the file and the line that are wrong.
    pub fn open(
        folder: &Path,
        settings: impl Fn(Source) -> LibrarySettings,
    ) -> Result<Self, EvaluationError> {
        let unknown = || EvaluationError::NotSpoken(folder.display().to_string());
        let knowledge = folder.join("knowledge.json");
        let instances = instances_of(folder).filter(|_| knowledge.is_file()).ok_or_else(unknown)?;
        let (knowledge_text, instances_text) = (read(&knowledge)?, read(&instances)?);
        let mut hash = Sha256::new();
        hash.update(&knowledge_text);
        hash.update(&instances_text);
        let things: BTreeMap<String, BTreeMap<String, Thing>> =
            serde_json::from_str(&knowledge_text).map_err(|error| EvaluationError::Read {
                path: knowledge.display().to_string(),
                reason: error.to_string(),
            })?;
        let (mut articles, mut snippets) = (Vec::new(), BTreeMap::new());
        for (domain, things) in things {
            for (number, thing) in things {
                let id = format!("{domain}/{number}");
                let mut body = String::new();
                for (place, (snippet, Snippet { title, body: text })) in
                    thing.docs.iter().enumerate()
                {
                    let line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
                    // A passage needs a text; the question says what there is to say.
                    let text = if text.trim().is_empty() { title } else { text };
                    body.push_str(&format!("## {}\n\n{}\n\n", line(title), line(text)));
                    let snippet = (domain.clone(), number.clone(), snippet.clone());
                    snippets.insert((id.clone(), place), snippet);
                }
                articles.push(article(id, thing.name.unwrap_or_else(|| domain.clone()), body));
            }
        }
        let library = Library::of_with(articles, &settings(Source::Folder(folder.to_owned())))?;
        let instances = rows(&instances, &instances_text)?;
        Ok(Self { library, sha256: hex(&hash.finalize()), snippets, instances })
    }

    fn snippet(&self, hit: &SearchHit) -> Option<&SnippetId> {
        self.snippets.get(&(hit.article.id.as_str().to_owned(), hit.passage_number))
    }
}

fn instances_of(folder: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?;
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|file| file.to_string_lossy().ends_with("instances.jsonl"));
    files.sort();
    files.into_iter().next()
}

/// Over all instances, or over those of one half.
#[derive(Clone, Debug, Default, Serialize)]
pub struct SpokenMetrics {
    pub instances: usize,
    pub targets: usize,
    pub detection_precision: f64,
    pub detection_recall: f64,
    pub detection_f1: f64,
    /// Where an article is needed, whether that was detected or not.
    pub recall_at_1: f64,
    pub recall_at_5: f64,
    pub mrr_at_5: f64,
    /// The same after detection: the harmonic mean of the shares of detected and of needed turns,
    /// as the challenge scores it.
    pub detected: Selection,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Selection {
    pub recall_at_1: f64,
    pub recall_at_5: f64,
    pub mrr_at_5: f64,
}

/// What one instance got.
#[derive(Clone, Debug)]
pub struct SpokenResult {
    pub id: String,
    pub asked: String,
    pub target: bool,
    pub probability: f32,
    /// What the probability comes from.
    pub inputs: [f32; need::INPUTS],
    /// Where the right snippet stands, from 0.
    pub rank: Option<usize>,
    pub right: Vec<SnippetId>,
    pub found: Vec<SnippetId>,
}

/// Asks for each instance's last turn, with the talk before it. A live call asks for more than that: with
/// what the turn leans on, and within its card budget.
///
/// # Errors
/// When a search or the model fails.
pub fn measure(
    dataset: &SpokenDataset,
    routine: &Routine,
) -> Result<Vec<SpokenResult>, EvaluationError> {
    let mut results = Vec::new();
    for instance in &dataset.instances {
        let talk: Vec<String> = instance.turns.iter().map(|turn| turn.text.clone()).collect();
        let asked = talk.last().cloned().unwrap_or_default();
        let mut request = SearchRequest::new(asked.clone());
        request.talk = talk;
        request.limit = DEPTH;
        let found = dataset.library.search(&request)?;
        let right: Vec<SnippetId> = instance.knowledge.iter().map(Right::id).collect();
        let snippets: Vec<SnippetId> =
            found.hits.iter().filter_map(|hit| dataset.snippet(hit).cloned()).collect();
        let inputs = routine.inputs(&asked, &found)?;
        results.push(SpokenResult {
            id: instance.id.clone(),
            asked,
            target: instance.target,
            probability: need::probability(&inputs),
            inputs,
            rank: snippets.iter().position(|snippet| right.contains(snippet)),
            right,
            found: snippets,
        });
    }
    Ok(results)
}

/// The figures over results, with an article taken to be needed from `threshold` on.
pub fn score<'a>(
    results: impl Iterator<Item = &'a SpokenResult> + Clone,
    threshold: f32,
) -> SpokenMetrics {
    let share = |part: f64, whole: usize| part / whole.max(1) as f64;
    let harmonic = |a: f64, b: f64| if a + b > 0.0 { 2.0 * a * b / (a + b) } else { 0.0 };
    let targets = results.clone().filter(|result| result.target);
    let detected = results.clone().filter(|result| result.probability >= threshold);
    let both = targets.clone().filter(|result| result.probability >= threshold);
    let (needed, said, right) = (targets.clone().count(), detected.count(), both.clone().count());
    let within = |depth: usize| {
        move |result: &SpokenResult| f64::from(u8::from(result.rank.is_some_and(|at| at < depth)))
    };
    let reciprocal = |result: &SpokenResult| {
        result.rank.filter(|at| *at < 5).map_or(0.0, |at| 1.0 / (at + 1) as f64)
    };
    let after = |gain: &dyn Fn(&SpokenResult) -> f64| {
        let gained: f64 = both.clone().map(gain).sum();
        harmonic(share(gained, said), share(gained, needed))
    };
    let (precision, recall) = (share(right as f64, said), share(right as f64, needed));
    SpokenMetrics {
        instances: results.count(),
        targets: needed,
        detection_precision: precision,
        detection_recall: recall,
        detection_f1: harmonic(precision, recall),
        recall_at_1: share(targets.clone().map(within(1)).sum(), needed),
        recall_at_5: share(targets.clone().map(within(5)).sum(), needed),
        mrr_at_5: share(targets.clone().map(reciprocal).sum(), needed),
        detected: Selection {
            recall_at_1: after(&within(1)),
            recall_at_5: after(&within(5)),
            mrr_at_5: after(&reciprocal),
        },
    }
}

/// Whether the weights of detection may be fitted on it.
pub fn is_fitted_on(result: &SpokenResult) -> bool {
    is_for_fitting(&result.id)
}

/// Fits the weights of detection on one half.
pub fn fit(results: &[SpokenResult]) -> [f32; need::INPUTS] {
    let fitted = results.iter().filter(|result| is_fitted_on(result));
    logistic::fit(&fitted.map(|one| (one.inputs, one.target)).collect::<Vec<_>>(), RIDGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_known_results() {
        let result = |target, probability, rank| SpokenResult {
            id: String::new(),
            asked: String::new(),
            target,
            probability,
            inputs: [1.0, 0.0, 0.0],
            rank,
            right: Vec::new(),
            found: Vec::new(),
        };
        let results = [
            result(true, 0.9, Some(0)),
            result(true, 0.9, Some(3)),
            result(true, 0.1, Some(0)),
            result(true, 0.1, None),
            result(false, 0.9, None),
            result(false, 0.2, None),
        ];
        let metrics = score(results.iter(), 0.5);
        assert_eq!((metrics.recall_at_1, metrics.recall_at_5), (0.5, 0.75));
        assert_eq!(metrics.mrr_at_5, (1.0 + 0.25 + 1.0) / 4.0);
        let (precision, recall) = (2.0 / 3.0, 0.5);
        assert!(
            (metrics.detection_f1 - 2.0 * precision * recall / (precision + recall)).abs() < 1e-9
        );
        // One of three that were detected, one of four that were needed.
        assert!((metrics.detected.recall_at_1 - 2.0 / 7.0).abs() < 1e-9);
    }
}
