//! Who did what to the service.

use super::*;

#[test]
fn audit_entries_are_written_as_they_always_were() {
    let entry = AuditEntry {
        action: "access.refused".into(),
        outcome: AuditOutcome::Refused,
        by: Some(AuditActor {
            name: "Ada".into(),
            role: Some(AccessRole::Supervisor),
            proof: "api_key",
        }),
        from: Some([192, 0, 2, 7].into()),
        route: Some("GET /v1/audit".into()),
        target: Some(Redacted::vouched("b-1")),
        detail: Some("no".into()),
        more: 3,
    };
    let nobody = AuditEntry {
        action: "key.added".into(),
        outcome: AuditOutcome::Done,
        by: None,
        from: None,
        route: None,
        target: None,
        detail: None,
        more: 0,
    };
    check(
        EventBody::Audited(Box::new(entry)),
        r#"{"action":"access.refused","outcome":"refused","by":"Ada","role":"supervisor","proof":"api_key","from":"192.0.2.7","route":"GET /v1/audit","target":"b-1","detail":"no","more":3}"#,
        to_value::<wire::AuditNoted>,
    );
    check(
        EventBody::Audited(Box::new(nobody)),
        r#"{"action":"key.added","outcome":"done"}"#,
        to_value::<wire::AuditNoted>,
    );
}
