//! The knowledge base, for reading and searching.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ServeState;
use super::searches;
use super::auth::Principal;
use super::error::{Problem, shown};
use super::extract::{Path, Query};
use crate::domain::{Article, ArticleId, ArticleState};
use crate::knowledge::SearchMode;

const DEFAULT_LIMIT: usize = 100;
const MAX_LIMIT: usize = 500;
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

#[derive(Serialize, ToSchema)]
pub struct ArticleLine {
    id: String,
    title: String,
    state: &'static str,
    revision: u32,
    products: Vec<String>,
    audience: Vec<&'static str>,
    #[schema(required)]
    review_by: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct ArticleList {
    items: Vec<ArticleLine>,
    /// Give it back as `cursor` for the next page.
    #[schema(required)]
    next: Option<String>,
}

/// `text` is `body[start..end]`, counted in code points.
#[derive(Serialize, ToSchema)]
pub struct PassageView {
    id: String,
    heading: String,
    text: String,
    start: usize,
    end: usize,
}

#[derive(Serialize, ToSchema)]
pub struct ArticleView {
    id: String,
    title: String,
    body: String,
    revision: u32,
    /// draft, in_review, published or retired
    state: &'static str,
    audience: Vec<&'static str>,
    products: Vec<String>,
    language: String,
    #[schema(required)]
    valid_from: Option<String>,
    #[schema(required)]
    review_by: Option<String>,
    #[schema(required)]
    source: Option<String>,
    /// Its words may be quoted and never changed.
    verbatim: bool,
    passages: Vec<PassageView>,
}

#[derive(Deserialize)]
pub struct WantedList {
    limit: Option<usize>,
    cursor: Option<String>,
}

/// The articles in the order of their ids.
#[utoipa::path(get, path = "/v1/articles", tag = "articles",
    params(("limit" = Option<usize>, Query, description = "1 to 500, 100 unless told"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before")),
    responses((status = 200, body = ArticleList), super::openapi::Refusals))]
pub async fn list(
    State(state): State<ServeState>,
    principal: Principal,
    Query(wanted): Query<WantedList>,
) -> Result<axum::Json<ArticleList>, Problem> {
    let limit = in_range("limit", wanted.limit.unwrap_or(DEFAULT_LIMIT), MAX_LIMIT)?;
    let after = wanted.cursor.unwrap_or_default();
    let articles = state.articles.articles(&principal.tenant);
    let mut rest = articles.iter().filter(|article| article.id.as_str() > after.as_str());
    let items: Vec<ArticleLine> = rest.by_ref().take(limit).map(|article| line(article)).collect();
    let next = rest.next().and_then(|_| items.last()).map(|last| last.id.clone());
    Ok(axum::Json(ArticleList { items, next }))
}

/// One article. A slash in its id is written `%2F`.
#[utoipa::path(get, path = "/v1/articles/{id}", tag = "articles",
    params(("id" = String, Path)),
    responses((status = 200, body = ArticleView), super::openapi::Refusals))]
pub async fn show(
    State(state): State<ServeState>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<axum::Json<ArticleView>, Problem> {
    let article = state
        .articles
        .article(&principal.tenant, &ArticleId::from(id.as_str()))
        .ok_or_else(|| Problem::not_found(format!("there is no article {}", shown(&id))))?;
    Ok(axum::Json(ArticleView {
        id: article.id.to_string(),
        title: article.title.clone(),
        body: article.body.clone(),
        revision: article.revision,
        state: article.state.as_str(),
        audience: audience(&article),
        products: article.products.clone(),
        language: article.language.clone(),
        valid_from: article.valid_from.map(|date| date.to_string()),
        review_by: article.review_by.map(|date| date.to_string()),
        source: article.source.clone(),
        verbatim: article.verbatim,
        passages: article
            .passages
            .iter()
            .map(|passage| PassageView {
                id: passage.id.to_string(),
                heading: passage.heading.clone(),
                text: passage.text.clone(),
                start: passage.start_chars,
                end: passage.end_chars,
            })
            .collect(),
    }))
}

#[derive(Deserialize)]
pub struct WantedHits {
    q: Option<String>,
    limit: Option<usize>,
    mode: Option<String>,
    conversation: Option<String>,
}

/// The passages that fit a question, the best first.
#[utoipa::path(get, path = "/v1/articles/search", tag = "articles",
    params(("q" = String, Query, description = "what to look for"),
        ("limit" = Option<usize>, Query, description = "1 to 50, 5 unless told"),
        ("mode" = Option<String>, Query, description = "hybrid (default), bm25 or dense"),
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
    let tenant = &principal.tenant;
    let mut found = state.articles.search(tenant, query, limit, mode).await?;
    if let Some(id) = wanted.conversation {
        let kept = searches::keep(&state, tenant, id.into(), query, found.items.len()).await?;
        found.search_id = Some(kept.to_string());
    }
    Ok(axum::Json(found))
}

fn line(article: &Article) -> ArticleLine {
    ArticleLine {
        id: article.id.to_string(),
        title: article.title.clone(),
        state: ArticleState::as_str(article.state),
        revision: article.revision,
        products: article.products.clone(),
        audience: audience(article),
        review_by: article.review_by.map(|date| date.to_string()),
    }
}

fn audience(article: &Article) -> Vec<&'static str> {
    article.audience.iter().map(|audience| audience.as_str()).collect()
}

fn in_range(name: &str, value: usize, most: usize) -> Result<usize, Problem> {
    if (1..=most).contains(&value) {
        Ok(value)
    } else {
        Err(Problem::invalid(format!("{name} is 1 to {most}")))
    }
}
