//! Lists of articles, and one of them.

use std::collections::BTreeMap;

use axum::extract::{Extension, State};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::in_range;
use crate::domain::{ArticleId, ArticleRevision, ArticleState, TenantId};
use crate::knowledge::passages_of;
use crate::serve::ServeState;
use crate::serve::auth::Principal;
use crate::serve::error::{Problem, shown};
use crate::serve::extract::{Path, Query};
use crate::serve::tokens::Scope;
use crate::store::articles::codec;
use crate::store::codec::time_text;
use crate::store::{ArticleQuery, ArticleRow, wire};

const DEFAULT_LIMIT: usize = 100;
const MAX_LIMIT: usize = 500;
const MAX_TEXT_CHARS: usize = 200;

#[derive(Serialize, ToSchema)]
pub struct ArticleLine {
    id: String,
    title: String,
    /// Of the newest revision: draft, in_review, published or retired
    state: &'static str,
    /// The newest.
    revision: u32,
    /// The revision in force.
    #[schema(required)]
    published_revision: Option<u32>,
    products: Vec<String>,
    audience: Vec<String>,
    language: String,
    #[schema(required)]
    review_by: Option<String>,
    /// The last day on which the revision in force holds, or the newest if none is.
    #[schema(required)]
    valid_until: Option<String>,
    author: String,
    /// Who approved the newest revision.
    #[schema(required)]
    approver: Option<String>,
    changed_at: String,
    /// What a file said when it was last imported; the same content has the same hash.
    #[serde(skip_serializing_if = "Option::is_none")]
    imported_hash: Option<String>,
    content_hash: String,
    /// Of a draft: published sentences that it contradicts. Absent while that isn't known.
    #[serde(skip_serializing_if = "Option::is_none")]
    conflict_count: Option<usize>,
}

/// Two sentences that can't both be true.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ArticleConflict {
    /// number, amount, duration, time, date or negation
    pub kind: &'static str,
    /// The draft's.
    pub sentence: String,
    pub article_id: String,
    pub article_title: String,
    pub heading: String,
    pub published_sentence: String,
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
    /// The last day on which it holds.
    #[schema(required)]
    valid_until: Option<String>,
    #[schema(required)]
    review_by: Option<String>,
    #[schema(required)]
    source: Option<String>,
    /// Its words may be quoted and never changed.
    verbatim: bool,
    passages: Vec<PassageView>,
    /// How people ask for what stands below a heading.
    asked_as: BTreeMap<String, Vec<String>>,
    /// Who wrote what it says.
    author: String,
    #[schema(required)]
    approver: Option<String>,
    /// What was done: drafted, submitted, approved, returned, published, retired or imported
    action: &'static str,
    /// Who did it.
    by: String,
    changed_at: String,
    #[schema(required)]
    comment: Option<String>,
    /// The revision in force.
    #[schema(required)]
    published_revision: Option<u32>,
    /// The newest revision, which a change has to name.
    newest_revision: u32,
    newest_state: &'static str,
    /// Which turns the sentences of a draft come from.
    provenance: Vec<wire::SentenceOrigin>,
    /// Where a draft contradicts what other articles in force say, the likeliest first. Absent where it wasn't
    /// compared: with revisions that nobody has to decide about, and in the answers to changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    conflicts: Option<Vec<ArticleConflict>>,
    /// What stood above the body in the file that it came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    front_matter: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WantedList {
    limit: Option<usize>,
    cursor: Option<String>,
    state: Option<String>,
    product: Option<String>,
    review_by: Option<String>,
    valid_until: Option<String>,
    q: Option<String>,
}

/// The articles in the order of their ids.
#[utoipa::path(get, path = "/v1/articles", tag = "articles",
    params(("limit" = Option<usize>, Query, description = "1 to 500, 100 unless told"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before"),
        ("state" = Option<String>, Query, description = "draft, in_review, retired: what the newest revision is; published: has a revision in force"),
        ("product" = Option<String>, Query),
        ("review_by" = Option<String>, Query, description = "to be reviewed on that day at the latest, such as 2026-12-31"),
        ("valid_until" = Option<String>, Query, description = "holds until that day at the latest"),
        ("q" = Option<String>, Query, description = "stands in the title or the id")),
    responses((status = 200, body = ArticleList), super::super::openapi::Refusals))]
pub async fn list(
    State(state): State<ServeState>,
    principal: Principal,
    Query(wanted): Query<WantedList>,
) -> Result<axum::Json<ArticleList>, Problem> {
    let limit = in_range("limit", wanted.limit.unwrap_or(DEFAULT_LIMIT), MAX_LIMIT)?;
    let of_state = wanted.state.map(|name| {
        let wrong = "state is draft, in_review, published or retired, not";
        ArticleState::parse(&name)
            .ok_or_else(|| Problem::invalid(format!("{wrong} `{}`", shown(&name))))
    });
    if wanted.q.as_ref().is_some_and(|text| text.chars().count() > MAX_TEXT_CHARS) {
        return Err(Problem::invalid(format!("q has {MAX_TEXT_CHARS} characters at most")));
    }
    let tenant = principal.tenant.clone();
    let query = ArticleQuery {
        tenant: principal.tenant,
        state: of_state.transpose()?,
        product: wanted.product,
        review_by: day("review_by", wanted.review_by)?,
        valid_until: day("valid_until", wanted.valid_until)?,
        text: wanted.q.filter(|text| !text.is_empty()),
        limit,
        after: wanted.cursor,
    };
    let page = state.article_log.articles(&query).await?;
    let line = |row: ArticleRow| {
        let conflict_count = state.conflicts.count(&tenant, &row);
        line(row, conflict_count)
    };
    let items = page.items.into_iter().map(line).collect();
    Ok(axum::Json(ArticleList { items, next: page.next }))
}

pub(super) fn day(name: &str, wanted: Option<String>) -> Result<Option<Date>, Problem> {
    let read = |day: String| {
        day.parse().map_err(|_| {
            Problem::invalid(format!("{name} is a day such as 2026-12-31, not `{}`", shown(&day)))
        })
    };
    wanted.map(read).transpose()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WantedRevision {
    revision: Option<u32>,
}

/// One article as it is in force, or its newest revision if none is. A slash in its id is written
/// `%2F`.
#[utoipa::path(get, path = "/v1/articles/{id}", tag = "articles",
    params(("id" = String, Path),
        ("revision" = Option<u32>, Query, description = "this one instead")),
    responses((status = 200, body = ArticleView), super::super::openapi::Refusals))]
pub async fn show(
    State(state): State<ServeState>,
    principal: Principal,
    scope: Option<Extension<Scope>>,
    Path(id): Path<String>,
    Query(wanted): Query<WantedRevision>,
) -> Result<axum::Json<ArticleView>, Problem> {
    let id = ArticleId::from(id);
    let row = row(&state, &principal.tenant, &id).await?;
    if scope.is_some() {
        return in_force(&state, &principal.tenant, row, wanted.revision).await;
    }
    let number = wanted.revision.or(row.published).unwrap_or(row.number);
    let revision = revision(&state, &principal.tenant, &id, number).await?;
    Ok(axum::Json(compared(&state, &principal.tenant, &row, &revision).await))
}

/// For a token of somebody else's page: the revision in force, as if there were no other.
async fn in_force(
    state: &ServeState,
    tenant: &TenantId,
    row: ArticleRow,
    wanted: Option<u32>,
) -> Result<axum::Json<ArticleView>, Problem> {
    let number = row.published.filter(|number| wanted.is_none_or(|wanted| wanted == *number));
    let Some(number) = number else {
        let id = shown(row.id.as_str());
        return Err(Problem::not_found(format!("there is no article {id}")));
    };
    let revision = revision(state, tenant, &row.id, number).await?;
    let seen = view(&row, &revision);
    let newest_state = seen.state;
    Ok(axum::Json(ArticleView { newest_revision: number, newest_state, comment: None, ..seen }))
}

pub async fn row(
    state: &ServeState,
    tenant: &TenantId,
    id: &ArticleId,
) -> Result<ArticleRow, Problem> {
    let row = state.article_log.article(tenant, id).await?;
    row.ok_or_else(|| Problem::not_found(format!("there is no article {}", shown(id.as_str()))))
}

pub async fn revision(
    state: &ServeState,
    tenant: &TenantId,
    id: &ArticleId,
    number: u32,
) -> Result<std::sync::Arc<ArticleRevision>, Problem> {
    state.article_log.revision(tenant, id, number).await?.ok_or_else(|| {
        let id = shown(id.as_str());
        Problem::not_found(format!("there is no revision {number} of article {id}"))
    })
}

fn line(row: ArticleRow, conflict_count: Option<usize>) -> ArticleLine {
    ArticleLine {
        state: row.state().as_str(),
        id: row.id.to_string(),
        title: row.title,
        revision: row.number,
        published_revision: row.published,
        products: row.products,
        audience: row.audience,
        language: row.language,
        review_by: row.review_by.map(|date| date.to_string()),
        valid_until: row.valid_until.map(|date| date.to_string()),
        author: row.author,
        approver: row.approver,
        changed_at: time_text(row.time),
        imported_hash: row.imported_hash,
        content_hash: row.content_hash,
        conflict_count,
    }
}

/// A revision with what it contradicts, where it is a draft.
pub async fn compared(
    state: &ServeState,
    tenant: &TenantId,
    row: &ArticleRow,
    revision: &ArticleRevision,
) -> ArticleView {
    let conflicts = state.conflicts.of(tenant, row, revision).await;
    ArticleView { conflicts: conflicts.map(|found| found.to_vec()), ..view(row, revision) }
}

/// A revision, beside what has become of its article.
pub fn view(row: &ArticleRow, revision: &ArticleRevision) -> ArticleView {
    let content = codec::content(&revision.content);
    let passages = passages_of(&revision.article, &content.title, &content.body);
    let passage = |passage: crate::domain::Passage| PassageView {
        id: passage.id.to_string(),
        heading: passage.heading,
        text: passage.text,
        start: passage.start_chars,
        end: passage.end_chars,
    };
    ArticleView {
        id: revision.article.to_string(),
        title: content.title,
        body: content.body,
        revision: revision.number,
        state: revision.state().as_str(),
        audience: revision.content.audience.iter().map(|audience| audience.as_str()).collect(),
        products: content.products,
        language: content.language,
        valid_from: content.valid_from,
        valid_until: content.valid_until,
        review_by: content.review_by,
        source: content.source,
        verbatim: content.verbatim,
        passages: passages.into_iter().map(passage).collect(),
        asked_as: content.asked_as,
        author: revision.author.clone(),
        approver: revision.approver.clone(),
        action: revision.action.as_str(),
        by: revision.by.clone(),
        changed_at: time_text(revision.time),
        comment: revision.comment.as_ref().map(|comment| comment.as_str().to_owned()),
        published_revision: row.published,
        newest_revision: row.number,
        newest_state: row.state().as_str(),
        provenance: codec::provenance(&revision.provenance),
        conflicts: None,
        front_matter: content.front_matter,
    }
}
