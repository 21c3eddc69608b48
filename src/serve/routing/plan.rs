//! The plan: read as it was written, put as a whole.

use std::sync::Arc;

use axum::extract::State;
use axum::extract::rejection::StringRejection;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::{NewPlan, PlanForm, PlanInForce, PlanMistake, PlanRefusal, RoutingDoor};
use crate::serve::auth::Principal;
use crate::serve::body;
use crate::serve::error::{Fault, Problem};

const TOML: &str = "application/toml";
const JSON: &str = "application/json";

/// The plan in force, as it was written, with its epoch as the entity tag.
#[utoipa::path(get, path = "/v1/routing/plan", tag = "routing",
    responses((status = 200, description = "TOML or JSON, as it was put", content(
        (String = "application/toml"), (serde_json::Value = "application/json")),
        headers(("etag" = String, description = "the epoch, for If-Match"))),
        crate::serve::openapi::Refusals))]
pub async fn show(
    State(door): State<Arc<dyn RoutingDoor>>,
    principal: Principal,
) -> Result<Response, Problem> {
    let plan = door.plan(&principal.tenant).await?;
    let plan = plan.ok_or_else(|| Problem::not_found("there is no plan yet; put one"))?;
    Ok(written(StatusCode::OK, plan))
}

/// Puts a plan into force, whole or not at all. Mistakes are told all at once, one of `errors` for each place.
#[utoipa::path(put, path = "/v1/routing/plan", tag = "routing",
    params(("If-Match" = Option<String>, Header, description = "an epoch: only while that plan is in force; `\"0\"`: only while there is none")),
    request_body(content((String = "application/toml"), (serde_json::Value = "application/json"))),
    responses((status = 200, description = "it is in force, as it was written", content(
        (String = "application/toml"), (serde_json::Value = "application/json")),
        headers(("etag" = String))),
        crate::serve::openapi::Refusals))]
pub async fn replace(
    State(door): State<Arc<dyn RoutingDoor>>,
    principal: Principal,
    headers: HeaderMap,
    text: Result<String, StringRejection>,
) -> Result<Response, Problem> {
    super::leaders_only(&principal, "changing the plan")?;
    let expected = headers.get(header::IF_MATCH).map(epoch).transpose()?;
    let new = NewPlan { form: form(&headers)?, text: text.map_err(unreadable)? };
    // An empty text is a plan without anybody in it: a file that wasn't found looks so.
    if new.text.trim().is_empty() {
        return Err(Problem::invalid("the body is empty: send the plan in it"));
    }
    match door.replace_plan(&principal.tenant, new, expected, &principal.name).await {
        Ok(plan) => Ok(written(StatusCode::OK, plan)),
        Err(PlanRefusal::Mistakes(mistakes)) => Err(refused(mistakes)),
        Err(PlanRefusal::Changed { epoch }) => {
            let detail = format!("another plan is in force by now: epoch {epoch}; read it first");
            Err(Problem::new(StatusCode::PRECONDITION_FAILED, "changed", detail))
        }
        Err(PlanRefusal::Failed(failure)) => Err(failure.into()),
    }
}

fn written(status: StatusCode, plan: PlanInForce) -> Response {
    let kind = match plan.form {
        PlanForm::Toml => TOML,
        PlanForm::Json => JSON,
    };
    let mut response = (status, plan.text).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{}\"", plan.epoch)) {
        headers.insert(header::ETAG, tag);
    }
    response
}

fn form(headers: &HeaderMap) -> Result<PlanForm, Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
    match kind.to_ascii_lowercase().as_str() {
        TOML | "text/toml" | "text/plain" => Ok(PlanForm::Toml),
        JSON => Ok(PlanForm::Json),
        _ => {
            let detail = format!("send the plan as {TOML} or {JSON}");
            Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-a-plan", detail))
        }
    }
}

fn unreadable(rejection: StringRejection) -> Problem {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => body::too_large(),
        status => Problem::new(status, "malformed", "a plan is a text in UTF-8"),
    }
}

fn epoch(tag: &HeaderValue) -> Result<u64, Problem> {
    let text = tag.to_str().unwrap_or_default().trim().trim_matches('"');
    text.parse().map_err(|_| Problem::invalid("If-Match is the entity tag of the plan"))
}

fn refused(mistakes: Vec<PlanMistake>) -> Problem {
    let detail = match mistakes.len() {
        1 => "the plan has a mistake".to_owned(),
        count => format!("the plan has {count} mistakes"),
    };
    let fault = |mistake: PlanMistake| Fault {
        place: mistake.place,
        line: mistake.line_column.map(|(line, _)| line),
        column: mistake.line_column.map(|(_, column)| column),
        detail: mistake.what,
        instead: mistake.instead,
    };
    Problem::invalid(detail).with_errors(mistakes.into_iter().map(fault).collect())
}
