//! Whose conversation it is: the agent says so where the CRM can't.

use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

use super::WantedContact;
use crate::domain::ConversationId;
use crate::serve::ServeState;
use crate::serve::auth::Principal;
use crate::serve::error::Problem;
use crate::serve::extract::{Json, Path};
use crate::store::{codec, wire};

const MAX_CHARS: usize = 320;

/// One of these.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
pub struct Choice {
    /// One of the candidates.
    contact_id: Option<String>,
    /// Another number to look for.
    phone: Option<String>,
    /// Another address to look for.
    email: Option<String>,
    /// It is none of them.
    none: bool,
}

/// Makes a contact this conversation's, or looks for another one. Nothing is written to anybody before it is
/// certain who it is.
#[utoipa::path(post, path = "/v1/conversations/{id}/crm/contact", tag = "crm",
    params(("id" = String, Path)), request_body = Choice,
    responses((status = 200, body = wire::CrmContext), crate::serve::openapi::Refusals))]
pub async fn choose(
    State(state): State<ServeState>,
    principal: Principal,
    Path(id): Path<String>,
    Json(choice): Json<Choice>,
) -> Result<axum::Json<wire::CrmContext>, Problem> {
    let given = [&choice.contact_id, &choice.phone, &choice.email];
    if given.iter().any(|text| text.as_ref().is_some_and(|text| text.chars().count() > MAX_CHARS)) {
        return Err(Problem::invalid(format!("each has {MAX_CHARS} characters at most")));
    }
    let wanted = match (choice.contact_id, choice.phone, choice.email, choice.none) {
        (Some(id), None, None, false) => WantedContact::Candidate(id),
        (None, Some(phone), None, false) => WantedContact::Written(phone),
        (None, None, Some(email), false) => WantedContact::Written(email),
        (None, None, None, true) => WantedContact::Nobody,
        _ => return Err(Problem::invalid("one of contact_id, phone, email or none is wanted")),
    };
    let (tenant, id) = (&principal.tenant, ConversationId::from(id));
    let context = state.crm.identify(tenant, &id, wanted, &principal.name).await?;
    Ok(axum::Json(codec::context(&context)))
}
