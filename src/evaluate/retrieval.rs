//! How well search finds the article that answers, by words, by meaning, and by both.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::time::Instant;

use serde::Serialize;

pub use super::dataset::{Dataset, EvaluationError};
use super::live::quantile;
use crate::domain::ArticleId;
use crate::knowledge::{SearchMode, SearchResponse};

/// Passages fetched for a ranking of articles.
const DEPTH: usize = 50;

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
        let asked: Vec<_> = dataset
            .queries
            .iter()
            .enumerate()
            .filter(|(_, query)| !query.articles.is_empty())
            .collect();
        for (number, query) in &asked {
            let mut request = dataset.request(*number);
            request.mode = mode;
            request.limit = DEPTH;
            let start = Instant::now();
            let found = dataset.library.search(&request)?;
            times.push(start.elapsed().as_secs_f64() * 1_000.0);
            let ranked = articles_of(&found);
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
        metrics.p50_ms = quantile(&times, 0.5).unwrap_or_default();
        metrics.p95_ms = quantile(&times, 0.95).unwrap_or_default();
        systems.insert(name, metrics);
    }
    Ok(systems)
}

/// The articles of the hits, each where its first passage stands.
fn articles_of(found: &SearchResponse) -> Vec<&ArticleId> {
    let mut ranked: Vec<&ArticleId> = Vec::new();
    for hit in &found.hits {
        if !ranked.contains(&&hit.article.id) {
            ranked.push(&hit.article.id);
        }
    }
    ranked
}

/// How many articles stand before the first right one.
pub(super) fn rank_of(found: &SearchResponse, right: &BTreeSet<ArticleId>) -> Option<usize> {
    articles_of(found).iter().position(|id| right.contains(*id))
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
        assert_eq!(quantile(&[1.0, 2.0, 3.0, 4.0], 0.5), Some(3.0));
    }
}
