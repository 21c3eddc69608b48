//! What the real one does too seldom to wait for it; `tests/it/crm` has the rest.

use std::time::Duration;

use axum::Router;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::Json;
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{BottleCrm, Settings, wire};
use crate::connect::crm::{Access, Crm, checked};
use crate::connect::destination::DeliveryError;
use crate::domain::ContactKey;

/// A BottleCRM whose search for duplicates has been asked too often this minute.
async fn at_its_limit() -> BottleCrm {
    #[derive(serde::Deserialize)]
    struct Asked {
        phone: Option<String>,
        email: Option<String>,
    }
    // Its list compares parts of texts.
    let list = |Query(asked): Query<Asked>| async move {
        let (phone, email) = ("020 7946 0123", "ada@example.test");
        let holds = |text: &str, part: Option<String>| part.is_none_or(|part| text.contains(&part));
        let both = holds(phone, asked.phone) && holds(email, asked.email);
        let ada = json!({"id": "7", "first_name": "Ada", "last_name": "", "phone": phone, "email": email});
        Json(json!({"results": if both { vec![ada] } else { Vec::new() }}))
    };
    let limited = || async {
        (StatusCode::TOO_MANY_REQUESTS, Json(json!({"detail": "Request was throttled."})))
    };
    let router = Router::new()
        .route("/api/contacts/duplicates/", post(limited))
        .route("/api/contacts/", get(list));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}/", listener.local_addr().expect("it has one"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let url = url.parse().expect("an address");
    let access = Access {
        name: "crm".to_owned(),
        url,
        patience: Duration::from_secs(5),
        region: "GB".to_owned(),
    };
    BottleCrm::new(Settings::new(access, "bcrm_pat_x".into())).expect("settings")
}

/// Nobody is a stranger because the search for duplicates has had enough.
#[tokio::test]
async fn beyond_the_limit_somebody_is_found_and_nobody_is_called_unknown() {
    let crm = at_its_limit().await;
    for known in [
        ContactKey::Phone("+442079460123".to_owned()),
        ContactKey::Email("ada@example.test".to_owned()),
    ] {
        let found = checked::find(&crm, &known, "GB").await.expect("found all the same");
        assert_eq!(found.len(), 1, "{known:?}");
    }
    for unknown in [
        ContactKey::Phone("+442079460124".to_owned()),
        // The list finds it within Ada's.
        ContactKey::Email("da@example.test".to_owned()),
    ] {
        let found = crm.find_contacts(&unknown).await;
        assert!(matches!(found, Err(DeliveryError::Limited { .. })), "{unknown:?}: {found:?}");
    }
}

fn detail(case: Value) -> Value {
    json!({"cases_obj": case, "comments": [], "internal_notes": [], "email_messages": [], "activities": []})
}

#[test]
fn a_version_changes_with_what_people_change() {
    let case = json!({
        "id": "1", "name": "Router", "status": "New", "priority": "High", "assigned_to": [{"id": "9"}],
        "is_sla_first_response_breached": false, "created_at": "2026-11-22T10:00:00Z",
    });
    let version = |case: &Value| {
        wire::case(&detail(case.clone()), &[], 5, None)
            .expect("a case")
            .version
            .expect("it has one")
    };
    let mut late = case.clone();
    // Time alone does this.
    late["is_sla_first_response_breached"] = json!(true);
    assert_eq!(version(&case), version(&late));
    for (field, value) in [
        ("status", json!("Pending")),
        ("priority", json!("Low")),
        ("name", json!("Cable")),
        ("assigned_to", json!([])),
        ("custom_fields", json!({"tier": "gold"})),
    ] {
        let mut changed = case.clone();
        changed[field] = value;
        assert_ne!(version(&case), version(&changed), "{field}");
    }
}

#[test]
fn what_is_no_record_is_no_answer() {
    for odd in [
        json!(null),
        json!([]),
        json!({}),
        json!("Sign in"),
        json!({"cases_obj": {}}),
        detail(json!([])),
    ] {
        assert!(wire::contact(&odd, None).is_err(), "{odd}");
        assert!(wire::case(&odd, &[], 5, None).is_err(), "{odd}");
        assert!(wire::interaction(&odd).text.as_str().is_empty());
        assert!(wire::comment(&odd).at.is_none());
    }
}

#[test]
fn a_history_has_its_status_changes_and_no_markers() {
    let mut detail = detail(json!({"id": "1", "name": "Router", "status": "Pending"}));
    detail["internal_notes"] = json!([{
        "comment": "She waits.\n\n[backchannel:00ff]", "commented_on": "2026-11-22T10:00:00Z",
        "commented_by": {"user_details": {"email": "ann@example.test"}},
    }]);
    detail["activities"] = json!([
        {"action": "STATUS_CHANGED", "created_at": "2026-11-22T11:00:00Z", "metadata": {"before": "New", "after": "Pending"}},
        {"action": "COMMENT", "created_at": "2026-11-22T10:00:00Z", "metadata": {}},
        {"action": "CREATE", "created_at": "2026-11-22T09:00:00Z"},
    ]);
    let case = wire::case(&detail, &[], 5, None).expect("a case");
    let texts: Vec<&str> = case.history.iter().map(|entry| entry.text.as_str()).collect();
    assert_eq!(texts, ["New → Pending", "She waits."]);
    assert_eq!(case.history[1].by.as_deref(), Some("ann@example.test"));
    assert_eq!(case.updated_at.map(|at| at.to_string()).as_deref(), Some("2026-11-22T11:00:00Z"));
}
