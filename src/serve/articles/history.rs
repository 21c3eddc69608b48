//! What an article was, and what changed.

use std::time::Duration;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use similar::{ChangeTag, TextDiff};
use utoipa::ToSchema;

use super::read::{self, ArticleView, compared};
use crate::domain::ArticleId;
use crate::serve::ServeState;
use crate::serve::auth::Principal;
use crate::serve::error::Problem;
use crate::serve::extract::{Path, Query};
use crate::store::articles::codec;
use crate::store::codec::time_text;
use crate::store::{RevisionRow, wire};

/// Longer comparisons give a coarser answer.
const DIFF_PATIENCE: Duration = Duration::from_millis(500);

#[derive(Serialize, ToSchema)]
pub struct RevisionLine {
    revision: u32,
    /// draft, in_review, published or retired
    state: &'static str,
    /// drafted, submitted, approved, returned, published, retired or imported
    action: &'static str,
    title: String,
    author: String,
    by: String,
    #[schema(required)]
    approver: Option<String>,
    at: String,
    #[schema(required)]
    comment: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct History {
    items: Vec<RevisionLine>,
}

/// An article's revisions, the oldest first.
#[utoipa::path(get, path = "/v1/articles/{id}/revisions", tag = "articles",
    params(("id" = String, Path)),
    responses((status = 200, body = History), super::super::openapi::Refusals))]
pub async fn revisions(
    State(state): State<ServeState>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<axum::Json<History>, Problem> {
    let id = ArticleId::from(id);
    read::row(&state, &principal.tenant, &id).await?;
    let history = state.article_log.history(&principal.tenant, &id).await?;
    let line = |row: RevisionRow| RevisionLine {
        revision: row.number,
        state: row.action.leads_to().as_str(),
        action: row.action.as_str(),
        title: row.title,
        author: row.author,
        by: row.by,
        approver: row.approver,
        at: time_text(row.time),
        comment: row.comment,
    };
    Ok(axum::Json(History { items: history.into_iter().map(line).collect() }))
}

/// One revision, whole.
#[utoipa::path(get, path = "/v1/articles/{id}/revisions/{number}", tag = "articles",
    params(("id" = String, Path), ("number" = u32, Path)),
    responses((status = 200, body = ArticleView), super::super::openapi::Refusals))]
pub async fn revision(
    State(state): State<ServeState>,
    principal: Principal,
    Path((id, number)): Path<(String, u32)>,
) -> Result<axum::Json<ArticleView>, Problem> {
    let id = ArticleId::from(id);
    let row = read::row(&state, &principal.tenant, &id).await?;
    let revision = read::revision(&state, &principal.tenant, &id, number).await?;
    Ok(axum::Json(compared(&state, &principal.tenant, &row, &revision).await))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WantedDiff {
    from: Option<u32>,
    to: Option<u32>,
}

/// A stretch of a line.
#[derive(Serialize, ToSchema)]
pub struct DiffPart {
    text: String,
    /// Whether it is what differs in its line.
    changed: bool,
}

#[derive(Serialize, ToSchema)]
pub struct DiffLine {
    /// same, removed or added
    change: &'static str,
    /// Its number in the older body, from 1.
    #[schema(required)]
    from_line: Option<usize>,
    /// Its number in the newer body.
    #[schema(required)]
    to_line: Option<usize>,
    parts: Vec<DiffPart>,
}

/// A field besides the body that differs, as JSON.
#[derive(Serialize, ToSchema)]
pub struct DiffField {
    field: String,
    from: serde_json::Value,
    to: serde_json::Value,
}

#[derive(Serialize, ToSchema)]
pub struct Diff {
    from: u32,
    to: u32,
    fields: Vec<DiffField>,
    /// The whole body, line by line; in lines that were changed, word by word.
    body: Vec<DiffLine>,
}

/// What differs between two revisions: by lines, and in changed lines by words. Without `to` it is the newest,
/// without `from` the one in force, or the one before.
#[utoipa::path(get, path = "/v1/articles/{id}/diff", tag = "articles",
    params(("id" = String, Path), ("from" = Option<u32>, Query), ("to" = Option<u32>, Query)),
    responses((status = 200, body = Diff), super::super::openapi::Refusals))]
pub async fn diff(
    State(state): State<ServeState>,
    principal: Principal,
    Path(id): Path<String>,
    Query(wanted): Query<WantedDiff>,
) -> Result<axum::Json<Diff>, Problem> {
    let id = ArticleId::from(id);
    let row = read::row(&state, &principal.tenant, &id).await?;
    let to = wanted.to.unwrap_or(row.number);
    let in_force = row.published.filter(|published| *published < to);
    let from = wanted.from.or(in_force).unwrap_or_else(|| to.saturating_sub(1).max(1));
    let older = read::revision(&state, &principal.tenant, &id, from).await?;
    let newer = read::revision(&state, &principal.tenant, &id, to).await?;
    let compare = move || {
        let (older, newer) = (codec::content(&older.content), codec::content(&newer.content));
        Diff { from, to, fields: fields(&older, &newer), body: body(&older.body, &newer.body) }
    };
    let compared = tokio::task::spawn_blocking(compare).await.map_err(|error| {
        tracing::error!(%error, "two revisions could not be compared");
        Problem::internal()
    })?;
    Ok(axum::Json(compared))
}

fn fields(older: &wire::ArticleContent, newer: &wire::ArticleContent) -> Vec<DiffField> {
    let json = |content: &wire::ArticleContent| {
        serde_json::to_value(content).expect("wire types are JSON; this is a bug")
    };
    let (older, newer) = (json(older), json(newer));
    let names = older.as_object().into_iter().chain(newer.as_object()).flat_map(|all| all.keys());
    let names: std::collections::BTreeSet<&String> =
        names.filter(|name| *name != "body" && *name != "front_matter").collect();
    let field = |name: &String| DiffField {
        field: name.clone(),
        from: older[name].clone(),
        to: newer[name].clone(),
    };
    names.into_iter().filter(|name| older[*name] != newer[*name]).map(field).collect()
}

fn body(older: &str, newer: &str) -> Vec<DiffLine> {
    let diff = TextDiff::configure().timeout(DIFF_PATIENCE).diff_lines(older, newer);
    let mut lines = Vec::new();
    for op in diff.ops() {
        for change in diff.iter_inline_changes(op) {
            lines.push(DiffLine {
                change: match change.tag() {
                    ChangeTag::Equal => "same",
                    ChangeTag::Delete => "removed",
                    ChangeTag::Insert => "added",
                },
                from_line: change.old_index().map(|at| at + 1),
                to_line: change.new_index().map(|at| at + 1),
                parts: change
                    .iter_strings_lossy()
                    .map(|(changed, text)| DiffPart { text: text.into_owned(), changed })
                    .collect(),
            });
        }
    }
    lines
}
