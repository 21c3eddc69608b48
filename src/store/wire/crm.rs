//! What the CRM knows of a customer, and what is written back.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What the CRM knows of a conversation's customer. The newest of a conversation stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CrmContext {
    /// The connector's name in the settings.
    pub connector: String,
    /// known, ambiguous, unknown or unavailable
    pub state: String,
    /// What was searched for; absent where nothing could be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub searched: Option<Searched>,
    #[schema(required)]
    pub contact: Option<Contact>,
    /// Several that bear the number or the address: a person chooses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<Contact>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<AccountFacts>,
    /// Open ones, the latest changed first.
    pub open_cases: Vec<Case>,
    /// The last contacts, newest first.
    pub history: Vec<Activity>,
    /// What couldn't be read, in sentences for people.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// Why nothing is known, where the CRM couldn't be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Who chose this contact among several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen_by: Option<String>,
    pub latency_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Searched {
    /// phone, email or id
    pub by: String,
    pub value: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Contact {
    /// The CRM's own.
    pub id: String,
    #[schema(required)]
    pub name: Option<String>,
    pub phones: Vec<String>,
    pub emails: Vec<String>,
    #[schema(required)]
    pub company: Option<String>,
    #[schema(required)]
    pub url: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AccountFacts {
    #[schema(required)]
    pub tier: Option<String>,
    /// A year, in the CRM's currency.
    #[schema(required)]
    pub value: Option<f64>,
    #[schema(required)]
    pub since: Option<String>,
    #[schema(required)]
    pub owner: Option<String>,
    pub products: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Case {
    pub id: String,
    #[schema(required)]
    pub number: Option<String>,
    pub subject: String,
    pub status: String,
    #[schema(required)]
    pub priority: Option<String>,
    #[schema(required)]
    pub opened_at: Option<String>,
    #[schema(required)]
    pub updated_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    #[schema(required)]
    pub url: Option<String>,
    pub history: Vec<Activity>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Activity {
    /// note, call, mail, task, status or other
    pub kind: String,
    #[schema(required)]
    pub at: Option<String>,
    #[schema(required)]
    pub by: Option<String>,
    pub text: String,
    /// Of our own log, where it was ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation_id: Option<String>,
}

/// Something that is to be done in another system, and how far it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CrmWrite {
    /// create_case, update_case, add_note, log_call, create_task, push_article, draft_mail, send_mail, put_meeting,
    /// post_message, send_reply or recommend
    pub operation: String,
    /// The same key is the same effect, once.
    pub dedupe_key: String,
    /// waiting, sending, done, failed or discarded
    pub state: String,
    /// The name of the system in the settings.
    pub destination: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact_id: Option<String>,
    pub attempts: u32,
    /// What the other system calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_id: Option<String>,
    /// Why it isn't done yet, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// The draft that it was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wrapup_id: Option<String>,
    /// The turn that it carries to a customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn_id: Option<String>,
    /// Who said yes; absent where a rule did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}
