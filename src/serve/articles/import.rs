//! Many articles at once, as they come from files.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::write::ArticleText;
use crate::domain::ArticleId;
use crate::insight::redaction;
use crate::serve::auth::Principal;
use crate::serve::error::Problem;
use crate::serve::extract::Json;
use crate::serve::{ImportItem, ServeState};

const MAX_ARTICLES: usize = 500;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Import {
    articles: Vec<ArticleText>,
    /// Tells what would happen, and changes nothing.
    #[serde(default)]
    dry_run: bool,
}

#[derive(Serialize, ToSchema)]
pub struct Imported {
    id: String,
    /// new, changed, unchanged, kept (people have changed or retired it since) or refused
    outcome: &'static str,
    /// Why it was kept or refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct ImportReport {
    /// In the order of the articles.
    items: Vec<Imported>,
}

/// Publishes what is new or has changed since the last import. The same again changes nothing, and
/// what people have changed since is left alone. An article that is refused keeps no other from it.
#[utoipa::path(post, path = "/v1/articles/import", tag = "articles", request_body = Import,
    responses((status = 200, body = ImportReport), super::super::openapi::Refusals))]
pub async fn import(
    State(state): State<ServeState>,
    principal: Principal,
    Json(wanted): Json<Import>,
) -> Result<axum::Json<ImportReport>, Problem> {
    if wanted.articles.is_empty() || wanted.articles.len() > MAX_ARTICLES {
        return Err(Problem::invalid(format!("articles are 1 to {MAX_ARTICLES}")));
    }
    if state.desk.four_eyes() && !principal.is_operator {
        let detail = "an import publishes at once, and here somebody else approves what is published \
             (knowledge.four_eyes): it needs the service's own key, or that of an admin";
        return Err(Problem::new(StatusCode::FORBIDDEN, "four-eyes", detail));
    }
    let mut items = Vec::new();
    let mut refused = Vec::new();
    for (at, text) in wanted.articles.into_iter().enumerate() {
        let id = text.id.clone().unwrap_or_default();
        match text.over(ArticleId::from(id.as_str()), None, &redaction::published) {
            Ok(content) => items.push((at, ImportItem { id: id.into(), content })),
            Err(problem) => {
                let detail = Some(problem.detail().to_owned());
                refused.push((at, Imported { id, outcome: "refused", detail }));
            }
        }
    }
    let (places, items): (Vec<usize>, Vec<ImportItem>) = items.into_iter().unzip();
    let ids: Vec<String> = items.iter().map(|item| item.id.to_string()).collect();
    let outcomes =
        state.desk.import(&principal.tenant, &principal.name, items, wanted.dry_run).await?;
    let taken = places.into_iter().zip(ids).zip(outcomes).map(|((at, id), outcome)| {
        (at, Imported { id, outcome: outcome.as_str(), detail: outcome.detail() })
    });
    let mut all: Vec<(usize, Imported)> = taken.chain(refused).collect();
    all.sort_by_key(|(at, _)| *at);
    Ok(axum::Json(ImportReport { items: all.into_iter().map(|(_, one)| one).collect() }))
}
