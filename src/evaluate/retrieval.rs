//! How well search finds the article that answers, by words, by meaning, and by both.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::domain::{
    Article, ArticleId, ArticleState, Audience, Classify, ErrorKind, Passage, PassageId,
};
use crate::knowledge::queries::{self, LabelledQuery};
use crate::knowledge::{
    ArticleError, KnowledgeError, Library, LibrarySettings, SearchMode, SearchRequest, Source,
    passages_of,
};

/// Passages fetched for a ranking of articles.
const DEPTH: usize = 50;

#[derive(Debug, thiserror::Error)]
pub enum EvaluationError {
    #[error(transparent)]
    Knowledge(#[from] KnowledgeError),
    #[error(transparent)]
    Row(#[from] ArticleError),
    #[error("{path} can't be read: {reason}")]
    Read { path: String, reason: String },
    #[error("{0} holds neither queries.toml nor articles.jsonl with known_item_queries.jsonl")]
    UnknownForm(String),
}

impl Classify for EvaluationError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Knowledge(error) => error.kind(),
            Self::Row(_) | Self::Read { .. } | Self::UnknownForm(_) => ErrorKind::Invalid,
        }
    }
}

/// A knowledge base with labelled questions.
pub struct Dataset {
    pub library: Library,
    pub queries: Vec<LabelledQuery>,
    /// SHA-256 over articles and questions.
    pub sha256: String,
}

impl Dataset {
    /// Reads a folder of articles with `queries.toml` (or the path of that file), or a folder with
    /// `articles.jsonl` and `known_item_queries.jsonl`.
    ///
    /// # Errors
    /// Names the file and the line that are wrong.
    pub fn open(
        path: &Path,
        settings: impl Fn(Source) -> LibrarySettings,
    ) -> Result<Self, EvaluationError> {
        let folder = if path.is_file() { path.parent().unwrap_or(path) } else { path };
        if folder.join("queries.toml").is_file() {
            let source = Source::Folder(folder.to_owned());
            let mut hash = Sha256::new();
            for (file, text) in source.files()? {
                hash.update(file);
                hash.update(text.unwrap_or_default());
            }
            let library = Library::open(&settings(source))?;
            let text = read(&folder.join("queries.toml"))?;
            hash.update(&text);
            let queries =
                queries::parse("queries.toml", &text, &|id| library.article(id).is_some())?;
            return Ok(Self { library, queries, sha256: hex(&hash.finalize()) });
        }
        let (articles, known) =
            (folder.join("articles.jsonl"), folder.join("known_item_queries.jsonl"));
        if !articles.is_file() || !known.is_file() {
            return Err(EvaluationError::UnknownForm(folder.display().to_string()));
        }
        let (articles_text, known_text) = (read(&articles)?, read(&known)?);
        let mut hash = Sha256::new();
        hash.update(&articles_text);
        hash.update(&known_text);
        let articles: Vec<ArticleRow> = rows(&articles, &articles_text)?;
        let known: Vec<KnownItemRow> = rows(&known, &known_text)?;
        let library = Library::of_with(
            articles.into_iter().map(ArticleRow::into_article).collect(),
            &settings(Source::Folder(folder.to_owned())),
        )?;
        let queries = known.into_iter().map(|row| LabelledQuery {
            text: row.query,
            articles: BTreeSet::from([ArticleId::from(row.doc_id)]),
        });
        Ok(Self { library, queries: queries.collect(), sha256: hex(&hash.finalize()) })
    }
}

fn read(path: &Path) -> Result<String, EvaluationError> {
    std::fs::read_to_string(path).map_err(|error| EvaluationError::Read {
        path: path.display().to_string(),
        reason: error.to_string(),
    })
}

fn rows<T: serde::de::DeserializeOwned>(
    path: &Path,
    text: &str,
) -> Result<Vec<T>, EvaluationError> {
    let mut rows = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        rows.push(serde_json::from_str(line).map_err(|error| EvaluationError::Read {
            path: format!("{}:{}", path.display(), number + 1),
            reason: error.to_string(),
        })?);
    }
    Ok(rows)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[derive(serde::Deserialize)]
struct ArticleRow {
    id: String,
    title: String,
    body: String,
}

#[derive(serde::Deserialize)]
struct KnownItemRow {
    query: String,
    doc_id: String,
}

impl ArticleRow {
    fn into_article(self) -> Article {
        let id = ArticleId::from(self.id);
        let mut passages = passages_of(&id, &self.title, &self.body);
        if passages.is_empty() {
            let id = PassageId::from(format!("{id}#1"));
            let (heading, text) = (self.title.clone(), String::new());
            passages.push(Passage { id, heading, text, start_chars: 0, end_chars: 0 });
        }
        Article {
            id,
            title: self.title,
            body: self.body,
            revision: 1,
            state: ArticleState::Published,
            audience: vec![Audience::Agent],
            products: Vec::new(),
            language: "en".into(),
            valid_from: None,
            valid_until: None,
            review_by: None,
            source: None,
            verbatim: false,
            passages,
        }
    }
}

/// Means over the questions that something answers. Times include the query's embedding.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Metrics {
    pub recall_at_1: f64,
    pub recall_at_5: f64,
    pub mrr_at_10: f64,
    pub ndcg_at_10: f64,
    pub p50_ms: f64,
    pub p95_ms: f64,
}

/// Runs all three systems over the questions, one after the other. `predictions` gets one JSON
/// line per question and system.
///
/// # Errors
/// When a search or the writing of predictions fails.
pub fn measure(
    dataset: &Dataset,
    mut predictions: Option<&mut dyn std::io::Write>,
) -> Result<BTreeMap<&'static str, Metrics>, EvaluationError> {
    let mut systems = BTreeMap::new();
    for (name, mode) in
        [("bm25", SearchMode::Bm25), ("dense", SearchMode::Dense), ("hybrid", SearchMode::Hybrid)]
    {
        let mut metrics = Metrics::default();
        let mut times = Vec::new();
        let asked: Vec<_> =
            dataset.queries.iter().filter(|query| !query.articles.is_empty()).collect();
        for query in &asked {
            let mut request = SearchRequest::new(query.text.clone());
            request.mode = mode;
            request.limit = DEPTH;
            let start = Instant::now();
            let found = dataset.library.search(&request)?;
            times.push(start.elapsed().as_secs_f64() * 1_000.0);
            let mut ranked: Vec<&ArticleId> = Vec::new();
            for hit in &found.hits {
                if !ranked.contains(&&hit.article.id) {
                    ranked.push(&hit.article.id);
                }
            }
            score(&ranked, &query.articles, &mut metrics);
            if let Some(out) = &mut predictions {
                let top: Vec<&str> = ranked.iter().take(10).map(|id| id.as_str()).collect();
                let right: Vec<&str> = query.articles.iter().map(ArticleId::as_str).collect();
                let line = serde_json::json!({
                    "query": query.text, "system": name, "articles": right, "found": top,
                });
                writeln!(out, "{line}").map_err(|error| EvaluationError::Read {
                    path: "predictions".into(),
                    reason: error.to_string(),
                })?;
            }
        }
        let count = asked.len().max(1) as f64;
        for value in [
            &mut metrics.recall_at_1,
            &mut metrics.recall_at_5,
            &mut metrics.mrr_at_10,
            &mut metrics.ndcg_at_10,
        ] {
            *value /= count;
        }
        times.sort_by(f64::total_cmp);
        metrics.p50_ms = percentile(&times, 0.5);
        metrics.p95_ms = percentile(&times, 0.95);
        systems.insert(name, metrics);
    }
    Ok(systems)
}

/// Any article that answers counts as found: an agent needs one. nDCG (Järvelin and Kekäläinen
/// 2002) looks at all of them, with gain 1 each.
fn score(ranked: &[&ArticleId], right: &BTreeSet<ArticleId>, metrics: &mut Metrics) {
    let first = ranked.iter().position(|id| right.contains(*id));
    let within = |depth: usize| f64::from(u8::from(first.is_some_and(|at| at < depth)));
    metrics.recall_at_1 += within(1);
    metrics.recall_at_5 += within(5);
    metrics.mrr_at_10 += first.filter(|at| *at < 10).map_or(0.0, |at| 1.0 / (at + 1) as f64);
    let discount = |at: usize| 1.0 / ((at + 2) as f64).log2();
    let gained: f64 = ranked
        .iter()
        .take(10)
        .enumerate()
        .filter(|(_, id)| right.contains(**id))
        .map(|(at, _)| discount(at))
        .sum();
    let ideal: f64 = (0..right.len().min(10)).map(discount).sum();
    metrics.ndcg_at_10 += gained / ideal.max(f64::MIN_POSITIVE);
}

fn percentile(sorted: &[f64], share: f64) -> f64 {
    let at = (share * sorted.len() as f64) as usize;
    sorted.get(at.min(sorted.len().saturating_sub(1))).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_of_a_known_ranking() {
        let ids: Vec<ArticleId> = ["a", "b", "c"].into_iter().map(ArticleId::from).collect();
        let ranked: Vec<&ArticleId> = ids.iter().collect();
        let mut metrics = Metrics::default();
        score(&ranked, &BTreeSet::from(["b".into(), "c".into()]), &mut metrics);
        assert_eq!((metrics.recall_at_1, metrics.recall_at_5, metrics.mrr_at_10), (0.0, 1.0, 0.5));
        let expected = (1.0 / 3f64.log2() + 0.5) / (1.0 + 1.0 / 3f64.log2());
        assert!((metrics.ndcg_at_10 - expected).abs() < 1e-9);
        assert_eq!(percentile(&[1.0, 2.0, 3.0, 4.0], 0.5), 3.0);
    }
}
