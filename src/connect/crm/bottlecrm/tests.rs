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
use crate::connect::destination::{DeliveryError, Destination, RemoteId};
use crate::domain::{ContactKey, DedupeKey, Effect, NewCase};
use crate::insight::redaction::typed;

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
    served(router).await
}

async fn served(router: Router) -> BottleCrm {
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

const ADA: &str = "5ba825f7-7c1f-4f8e-9d0f-3d3a5f0c1a11";
const MADE: &str = "babb9275-0b6e-4a8b-8a9e-0c7a6a6f5e22";

/// A BottleCRM that knows Ada when she is read, and gives a new case the contacts of the test.
async fn that_makes_cases_for(contacts: Value, key: &DedupeKey) -> BottleCrm {
    let ada = json!({"contact_obj": {"id": ADA}, "comments": [], "tasks": [], "cases": []});
    let text = key.marker();
    let case = json!({"id": MADE, "name": "A fee", "description": text, "contacts": contacts});
    let made = json!({"error": false, "id": MADE, "cases_obj": case});
    let listed = json!({"cases": [case]});
    let router =
        Router::new().route("/api/contacts/{id}/", get(move || async { Json(ada) })).route(
            "/api/cases/",
            post(move || async { Json(made) }).get(move || async { Json(listed) }),
        );
    served(router).await
}

/// The contact was merged into another one between the look at it and the case.
#[tokio::test]
async fn a_case_for_nobody_is_told_to_a_person() {
    let key = DedupeKey::of(&["case"]);
    let effect = Effect::CreateCase(NewCase {
        contact_id: ADA.to_owned(),
        subject: typed("A fee"),
        body: typed("It was charged twice."),
        priority: None,
    });
    let crm = that_makes_cases_for(json!([]), &key).await;
    for told in [
        crm.deliver(&effect, &key).await,
        crm.delivered(&effect, &key).await.map(|found| found.expect("it stands")),
    ] {
        let Err(DeliveryError::Undecided(what)) = told else { panic!("{told:?}") };
        assert!(what.contains(MADE), "{what}");
    }
    // The one that she was merged into has it.
    let crm = that_makes_cases_for(json!([{"id": "1602130a"}]), &key).await;
    let made = RemoteId(MADE.to_owned());
    assert_eq!(crm.deliver(&effect, &key).await.as_ref(), Ok(&made));
    assert_eq!(crm.delivered(&effect, &key).await, Ok(Some(made)));
    let crm = that_makes_cases_for(Value::Null, &key).await;
    let told = crm.deliver(&effect, &key).await;
    assert!(matches!(told, Err(DeliveryError::Unclear(_))), "{told:?}");
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
