use crate::domain::AuditEntry;
use crate::store::wire;

pub(super) fn noted(entry: &AuditEntry) -> wire::AuditNoted {
    let by = entry.by.as_ref();
    wire::AuditNoted {
        action: entry.action.clone(),
        outcome: entry.outcome.as_str().to_owned(),
        by: by.map(|by| by.name.clone()),
        role: by.and_then(|by| by.role).map(|role| role.as_str().to_owned()),
        proof: by.map(|by| by.proof.to_owned()),
        from: entry.from.map(|from| from.to_string()),
        route: entry.route.clone(),
        target: entry.target.as_ref().map(|target| target.as_str().to_owned()),
        detail: entry.detail.clone(),
        more: entry.more,
    }
}
