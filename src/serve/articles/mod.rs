//! The knowledge base: search, and below it reading, writing, history and import.

pub mod history;
pub mod import;
pub mod propose;
pub mod read;
pub mod write;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use self::read::ArticleConflict;
use super::ServeState;
use super::auth::Principal;
use super::error::{Problem, shown};
use super::extract::Query;
use super::searches;
use crate::domain::Audience;
use crate::knowledge::{Filter, SearchMode};

const DEFAULT_HITS: usize = 5;
const MAX_HITS: usize = 50;
const MAX_QUERY_CHARS: usize = 1_000;

/// A sentence of a hit's text; offsets in code points into `text`.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct FoundSentence {
    pub start: usize,
    pub end: usize,
    pub quote: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ArticleHit {
    pub article_id: String,
    pub passage_id: String,
    pub title: String,
    pub heading: String,
    pub text: String,
    pub score: f32,
    /// Why it was found, in words for people.
    pub why: Vec<String>,
    #[schema(required)]
    pub sentence: Option<FoundSentence>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct FoundArticles {
    pub items: Vec<ArticleHit>,
    /// Whether the search ran on less than it should, such as keywords only.
    pub degraded: bool,
    /// Of a search for a conversation: give it to `…/searches/{search_id}/opened`.
    #[schema(required)]
    pub search_id: Option<String>,
}

/// A search that somebody asked for.
#[derive(Clone, Debug)]
pub struct Question {
    pub query: String,
    pub limit: usize,
    pub mode: SearchMode,
    pub filter: Filter,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WantedHits {
    q: Option<String>,
    limit: Option<usize>,
    mode: Option<String>,
    audience: Option<String>,
    product: Option<String>,
    language: Option<String>,
    conversation: Option<String>,
}

/// The passages in force today that fit a question, the best first.
#[utoipa::path(get, path = "/v1/articles/search", tag = "articles",
    params(("q" = String, Query, description = "what to look for"),
        ("limit" = Option<usize>, Query, description = "1 to 50, 5 unless told"),
        ("mode" = Option<String>, Query, description = "hybrid (default), bm25 or dense"),
        ("audience" = Option<String>, Query, description = "agent or customer"),
        ("product" = Option<String>, Query),
        ("language" = Option<String>, Query, description = "ISO 639-1"),
        ("conversation" = Option<String>, Query, description = "the conversation that it is for: \
            the search is kept in its log, and is a gap unless something is opened")),
    responses((status = 200, body = FoundArticles), super::openapi::Refusals))]
pub async fn search(
    State(state): State<ServeState>,
    principal: Principal,
    Query(wanted): Query<WantedHits>,
) -> Result<axum::Json<FoundArticles>, Problem> {
    let query = wanted.q.as_deref().unwrap_or_default().trim();
    if query.is_empty() || query.chars().count() > MAX_QUERY_CHARS {
        return Err(Problem::invalid(format!("q has 1 to {MAX_QUERY_CHARS} characters")));
    }
    let limit = in_range("limit", wanted.limit.unwrap_or(DEFAULT_HITS), MAX_HITS)?;
    let mode = wanted.mode.as_deref().unwrap_or("hybrid");
    let mode = SearchMode::parse(mode).ok_or_else(|| {
        Problem::invalid(format!("mode is hybrid, bm25 or dense, not `{}`", shown(mode)))
    })?;
    let audience = wanted.audience.as_deref().map(|name| {
        let wrong =
            || Problem::invalid(format!("audience is agent or customer, not `{}`", shown(name)));
        Audience::parse(name).ok_or_else(wrong)
    });
    let filter = Filter {
        audience: audience.transpose()?,
        product: wanted.product,
        language: wanted.language,
        valid_on: Some(jiff::Zoned::now().date()),
    };
    let question = Question { query: query.to_owned(), limit, mode, filter };
    let tenant = &principal.tenant;
    let mut found = state.articles.search(tenant, question).await?;
    if let Some(id) = wanted.conversation {
        let kept = searches::keep(&state, tenant, id.into(), query, found.items.len()).await?;
        found.search_id = Some(kept.to_string());
    }
    Ok(axum::Json(found))
}

fn in_range(name: &str, value: usize, most: usize) -> Result<usize, Problem> {
    if (1..=most).contains(&value) {
        Ok(value)
    } else {
        Err(Problem::invalid(format!("{name} is 1 to {most}")))
    }
}
