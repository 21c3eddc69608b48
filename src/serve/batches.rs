//! Batches over the API: summaries of many conversations, worked on while no call needs the machine.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::ServeState;
use super::auth::Principal;
use super::error::{Problem, shown};
use super::extract::{Json, Path};
use crate::batch::{Format, What};

const ITEMS_MAX: usize = 1_000;
const ID_CHARS_MAX: usize = 128;

/// Which conversations of the log.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StoredConversations {
    /// By their identifiers; all ended ones unless told
    pub ids: Option<Vec<String>>,
    /// Only those with this external identifier
    pub external_id: Option<String>,
}

/// What a batch is to do: `items` or `conversations`, not both.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WantedBatch {
    /// 1 to 1,000 conversations, each as `backchannel summarize` reads it from a line: `id`, and
    /// `turns` with `role` and `text`; or vCons
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Object>>)]
    pub items: Option<Vec<Value>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversations: Option<StoredConversations>,
    /// Summary, followups and disposition unless told
    #[serde(default)]
    pub what: Vec<What>,
    /// jsonl unless told
    #[serde(default)]
    pub format: Format,
    #[serde(default)]
    pub seed: u64,
    /// Stops when so many tokens are used
    #[serde(default)]
    pub budget_tokens: Option<u64>,
}

/// How far a batch is.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct BatchView {
    pub id: String,
    pub created_at: String,
    /// queued, running, waiting (the writer is down, or the tenant's budget is used up: it is tried
    /// again by itself), done, stopped (its own budget is used up), failed or cancelled
    pub state: String,
    /// Conversations; null until they have been counted.
    #[schema(required)]
    pub total: Option<u64>,
    pub written: u64,
    pub failed: u64,
    pub tokens: u64,
    /// Why it waits, stopped or failed.
    #[schema(required)]
    pub detail: Option<String>,
    /// Where the output is, once it is done.
    #[schema(required)]
    pub results: Option<String>,
    #[schema(required)]
    pub errors: Option<String>,
    #[schema(required)]
    pub provenance: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct BatchList {
    /// The newest first.
    items: Vec<BatchView>,
}

/// A file of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchFile {
    Results,
    Errors,
    Provenance,
}

/// Begins a batch. It goes on over restarts of the service, one batch after the other, and waits
/// while calls need the machine.
#[utoipa::path(post, path = "/v1/batches", tag = "batches", request_body = WantedBatch,
    responses((status = 202, body = BatchView), super::openapi::Refusals))]
pub async fn begin(
    State(state): State<ServeState>,
    principal: Principal,
    Json(wanted): Json<WantedBatch>,
) -> Result<Response, Problem> {
    match (&wanted.items, &wanted.conversations) {
        (Some(items), None) if (1..=ITEMS_MAX).contains(&items.len()) => {}
        (Some(_), None) => return Err(Problem::invalid(format!("items are 1 to {ITEMS_MAX}"))),
        (None, Some(_)) => {}
        _ => return Err(Problem::invalid("give `items` or `conversations`, one of them")),
    }
    let ids = wanted.conversations.iter().filter_map(|which| which.ids.as_ref()).flatten();
    let is_none = |id: &String| {
        id.is_empty() || id.chars().count() > ID_CHARS_MAX || id.chars().any(char::is_control)
    };
    if let Some(odd) = ids.into_iter().find(|id| is_none(id)) {
        return Err(Problem::invalid(format!("`{}` is no conversation's id", shown(odd))));
    }
    let batch = state.batches.begin(&principal.tenant, wanted).await?;
    let location = HeaderValue::try_from(format!("/v1/batches/{}", batch.id));
    let mut response = (StatusCode::ACCEPTED, axum::Json(batch)).into_response();
    if let Ok(location) = location {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// The batches, the newest first.
#[utoipa::path(get, path = "/v1/batches", tag = "batches",
    responses((status = 200, body = BatchList), super::openapi::Refusals))]
pub async fn list(
    State(state): State<ServeState>,
    principal: Principal,
) -> Result<axum::Json<BatchList>, Problem> {
    let items = state.batches.list(&principal.tenant).await?;
    Ok(axum::Json(BatchList { items }))
}

/// How far a batch is.
#[utoipa::path(get, path = "/v1/batches/{id}", tag = "batches", params(("id" = String, Path)),
    responses((status = 200, body = BatchView), super::openapi::Refusals))]
pub async fn show(
    State(state): State<ServeState>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<axum::Json<BatchView>, Problem> {
    let batch = state.batches.show(&principal.tenant, &id).await?;
    Ok(axum::Json(batch.ok_or_else(|| no_batch(&id))?))
}

/// Stops a batch for good. What was finished stays on the disk and is not handed out.
#[utoipa::path(post, path = "/v1/batches/{id}/cancel", tag = "batches",
    params(("id" = String, Path)),
    responses((status = 200, body = BatchView), super::openapi::Refusals))]
pub async fn cancel(
    State(state): State<ServeState>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<axum::Json<BatchView>, Problem> {
    let batch = state.batches.cancel(&principal.tenant, &id).await?;
    Ok(axum::Json(batch.ok_or_else(|| no_batch(&id))?))
}

/// Takes a batch that is over away, and all that was written. One that isn't is cancelled first.
#[utoipa::path(delete, path = "/v1/batches/{id}", tag = "batches", params(("id" = String, Path)),
    responses((status = 204), super::openapi::Refusals))]
pub async fn remove(
    State(state): State<ServeState>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    match state.batches.remove(&principal.tenant, &id).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(no_batch(&id)),
    }
}

/// What was written, in the input's order.
#[utoipa::path(get, path = "/v1/batches/{id}/results", tag = "batches",
    params(("id" = String, Path)),
    responses((status = 200, content_type = "application/x-ndjson"), super::openapi::Refusals))]
pub async fn results(
    State(state): State<ServeState>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    file(&state, &principal, &id, BatchFile::Results).await
}

/// What could not be read or written about, with the reason.
#[utoipa::path(get, path = "/v1/batches/{id}/errors", tag = "batches",
    params(("id" = String, Path)),
    responses((status = 200, content_type = "application/x-ndjson"), super::openapi::Refusals))]
pub async fn errors(
    State(state): State<ServeState>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    file(&state, &principal, &id, BatchFile::Errors).await
}

/// Who wrote each output, from what and when.
#[utoipa::path(get, path = "/v1/batches/{id}/provenance", tag = "batches",
    params(("id" = String, Path)),
    responses((status = 200, content_type = "application/x-ndjson"), super::openapi::Refusals))]
pub async fn provenance(
    State(state): State<ServeState>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    file(&state, &principal, &id, BatchFile::Provenance).await
}

async fn file(
    state: &ServeState,
    principal: &Principal,
    id: &str,
    which: BatchFile,
) -> Result<Response, Problem> {
    let path = state.batches.file(&principal.tenant, id, which).await?;
    let path = path.ok_or_else(|| no_batch(id))?;
    let is_parquet = path.extension().is_some_and(|extension| extension == "parquet");
    let kind = match is_parquet {
        true => "application/vnd.apache.parquet",
        false => "application/x-ndjson",
    };
    let opened = tokio::fs::File::open(&path).await;
    let file = opened.map_err(|_| Problem::not_found("this batch has no output yet"))?;
    // In pieces: an output may be larger than the memory.
    let pieces = futures_util::stream::try_unfold(file, |mut file| async move {
        use tokio::io::AsyncReadExt as _;
        let mut piece = vec![0; 64 << 10];
        let read = file.read(&mut piece).await?;
        piece.truncate(read);
        Ok::<_, std::io::Error>((read > 0).then_some((piece, file)))
    });
    Ok(([(header::CONTENT_TYPE, kind)], Body::from_stream(pieces)).into_response())
}

fn no_batch(id: &str) -> Problem {
    Problem::not_found(format!("there is no batch {}", shown(id)))
}
