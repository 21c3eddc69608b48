//! Who did what to the service itself, or tried to.

use std::net::IpAddr;

use super::{AccessRole, Redacted};

/// One line of the audit log. Never holds a secret: what was presented is not in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Such as `plan.changed`.
    pub action: String,
    pub outcome: AuditOutcome,
    pub by: Option<AuditActor>,
    /// Where the connection came from: a proxy, where one stands in front.
    pub from: Option<IpAddr>,
    /// The route, as the description has it.
    pub route: Option<String>,
    /// What it was about: the identifiers of the address, or a key's.
    pub target: Option<Redacted>,
    pub detail: Option<String>,
    /// How many more of the same kind are not written down one by one.
    pub more: u64,
}

/// Who it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditActor {
    pub name: String,
    pub role: Option<AccessRole>,
    /// What they came in with: `session`, `api_key`, `jwt` and the like.
    pub proof: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditOutcome {
    Done,
    /// It wasn't allowed.
    Refused,
    /// It was allowed and didn't work.
    Failed,
}

impl AuditOutcome {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}
