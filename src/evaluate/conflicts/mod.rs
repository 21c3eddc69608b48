//! Drafts that contradict, repeat or add to a base, told from each other.
//!
//! Which half a draft is in stands in its number, as `tests/corpus/conflicts/README.md` fixed it before
//! there was anything to measure: the even ones were looked at, the odd ones give the figure.

mod data;
mod fit;
mod report;

pub use data::{Dataset, Draft, Half, Kind};
pub use fit::{Fitted, fit};
pub use report::{Count, Report};

use std::time::{Duration, Instant};

use serde::Serialize;

use crate::flow::wrapup::compare::{Compared, Comparer};
use crate::knowledge::Library;
use crate::models::embedder::EmbedderError;

/// A draft with what was made of it.
#[derive(Debug)]
pub struct Judged<'a> {
    pub draft: &'a Draft,
    pub compared: Compared,
    pub took: Duration,
}

/// What was said of one draft.
#[derive(Debug, Serialize)]
pub struct Prediction<'a> {
    pub id: &'a str,
    pub kind: Kind,
    pub half: Half,
    /// The article that says it already, and whether that is right.
    pub covered_by: Option<String>,
    pub covered_right: bool,
    pub conflicts: Vec<Pair<'a>>,
}

/// Two sentences that can't both be true.
#[derive(Debug, Serialize)]
pub struct Pair<'a> {
    pub said: &'a str,
    pub article_id: String,
    pub published: String,
    pub kind: &'static str,
    pub probability: f32,
    pub is_listed: bool,
}

/// Compares each draft with the base as it is done for one that comes in alone.
///
/// # Errors
/// The embedding model failed, or the base has no vectors.
pub fn judge<'a>(
    drafts: impl Iterator<Item = &'a Draft>,
    library: &Library,
) -> Result<Vec<Judged<'a>>, EmbedderError> {
    drafts
        .map(|draft| {
            let began = Instant::now();
            let comparer = Comparer::new(library).ok_or(EmbedderError::Stopped)?;
            let compared = comparer.compare(&draft.text())?;
            Ok(Judged { draft, compared, took: began.elapsed() })
        })
        .collect()
}

impl Judged<'_> {
    pub fn prediction(&self) -> Prediction<'_> {
        let draft = self.draft;
        let covered_by = self.compared.covered_by().map(|id| id.as_str().to_owned());
        let conflicts = self.compared.contradictions().into_iter().map(|one| {
            let (article, published) = (one.published.article.id.as_str(), one.published.text());
            Pair {
                said: draft.answer.get(one.sentence).map_or("", String::as_str),
                article_id: article.to_owned(),
                published: data::plain(published),
                kind: one.kind.as_str(),
                probability: one.probability,
                is_listed: draft.lists(one.sentence, article, published),
            }
        });
        Prediction {
            id: &draft.id,
            kind: draft.kind,
            half: draft.half(),
            covered_right: covered_by.as_deref().is_some_and(|id| draft.may_repeat(id)),
            covered_by,
            conflicts: conflicts.collect(),
        }
    }
}
