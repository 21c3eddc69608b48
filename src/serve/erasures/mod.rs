//! Erasing what is a contact's, for administrators.

mod certificate;

use axum::Extension;
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

use super::ServeState;
use super::auth::{Principal, Proof};
use super::error::Problem;
use super::extract::Json;
use crate::domain::{AuditActor, ConversationId, TenantId};

pub use self::certificate::{Asked, Certificate, Content, Counts};

const NAMED_MAX: usize = 100;
const NAME_CHARS_MAX: usize = 256;

/// Whose data to erase. At least one contact or conversation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewErasure {
    /// Telephone numbers, e-mail addresses, or the CRM's identifiers. `phone:`, `email:` or `id:` before one says what
    /// it is.
    #[serde(default)]
    contacts: Vec<String>,
    /// Conversations that nothing else says are theirs.
    #[serde(default)]
    conversations: Vec<String>,
    /// Tells what would go, and erases nothing.
    #[serde(default)]
    dry_run: bool,
}

/// The same for whoever does it.
#[derive(Clone, Debug)]
pub struct WantedErasure {
    pub tenant: TenantId,
    pub contacts: Vec<String>,
    pub conversations: Vec<ConversationId>,
    pub by: AuditActor,
    pub is_dry_run: bool,
}

/// Erases what contacts said and what was made of it, from the log, from what was made of that, and from backups; and
/// says what went. The same again erases nothing more. Their conversations must have ended. While a log in a file is
/// written anew, which takes longer the larger it is, appends wait.
#[utoipa::path(post, path = "/v1/erasures", tag = "system", request_body = NewErasure,
    responses((status = 200, body = Certificate), super::openapi::Refusals))]
pub async fn erase(
    State(state): State<ServeState>,
    Extension(proof): Extension<Proof>,
    principal: Principal,
    Json(wanted): Json<NewErasure>,
) -> Result<axum::Json<Certificate>, Problem> {
    let count = wanted.contacts.len() + wanted.conversations.len();
    if !(1..=NAMED_MAX).contains(&count) {
        let detail = format!("name 1 to {NAMED_MAX} contacts or conversations");
        return Err(Problem::invalid(detail));
    }
    let is_odd = |name: &String| name.trim().is_empty() || name.chars().count() > NAME_CHARS_MAX;
    if wanted.contacts.iter().chain(&wanted.conversations).any(is_odd) {
        let detail = format!("each has 1 to {NAME_CHARS_MAX} characters");
        return Err(Problem::invalid(detail));
    }
    let Principal { name, role, tenant, .. } = principal;
    let wanted = WantedErasure {
        tenant,
        contacts: wanted.contacts,
        conversations: wanted.conversations.into_iter().map(Into::into).collect(),
        by: AuditActor { name, role: Some(role), proof: proof.as_str() },
        is_dry_run: wanted.dry_run,
    };
    Ok(axum::Json(state.erasures.erase(wanted).await?))
}
