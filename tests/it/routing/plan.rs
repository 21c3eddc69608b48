use reqwest::Method;
use serde_json::{Value, json};

use super::super::serve::harness::{ADAS_KEY, House, OTHER_KEY, Options};
use super::{PLAN, item, offer, presence, put, routed};

#[tokio::test]
async fn without_settings_there_is_no_router_until_somebody_puts_a_plan() {
    let house = House::open().await;
    let (status, problem) = house.get("/v1/routing/plan").await;
    assert_eq!(status, 404, "{problem}");
    let (status, problem) = house.post("/v1/work-items", json!({"workstream": "chats"})).await;
    assert_eq!(status, 409, "{problem}");
    assert_eq!(house.get("/v1/routing/queues").await.1, json!({"items": []}));
    let (status, written) = put(&house, PLAN, Some("0")).await;
    assert_eq!((status.as_u16(), written.as_str()), (200, PLAN), "as it was put");
    let (_, queues) = house.get("/v1/routing/queues").await;
    let names: Vec<&Value> =
        queues["items"].as_array().expect("a list").iter().map(|one| &one["name"]).collect();
    assert_eq!(names, ["billing", "general"]);
    assert!(house.close().await);
}

#[tokio::test]
async fn a_plan_with_mistakes_names_each_place_and_changes_nothing() {
    let house = House::open_with(routed(Some(PLAN))).await;
    let wrong = PLAN
        .replace("limit = 1", "limit = \"one\"")
        .replace("queue = \"billing\"", "queue = \"biling\"");
    let (status, answer) = put(&house, &wrong, None).await;
    assert_eq!(status, 422);
    let problem: Value = serde_json::from_str(&answer).expect("a problem");
    let errors = problem["errors"].as_array().expect("errors");
    let places: Vec<&str> = errors.iter().filter_map(|one| one["place"].as_str()).collect();
    assert!(places.contains(&"profiles[0].limit"), "{places:?}");
    assert!(places.contains(&"workstreams[0].routes[0].queue"), "{places:?}");
    assert!(errors.iter().all(|one| one["line"].as_u64().is_some_and(|line| line > 1)), "{answer}");
    let (status, _) = put(&house, PLAN, Some("7")).await;
    assert_eq!(status, 412, "it is the first that stands");
    let (status, _) = put(&house, PLAN, Some("1")).await;
    assert_eq!(status, 200);
    let (status, _) =
        house.call_as(ADAS_KEY, Method::PUT, "/v1/routing/plan", json!({"mode": "off"})).await;
    assert_eq!(status, 403, "a plan is no agent's");
    assert!(house.close().await);
}

#[tokio::test]
async fn a_plan_without_the_workstream_of_open_work_is_refused() {
    let house = House::open_with(routed(Some(PLAN))).await;
    offer(&house, "i-1", json!({})).await;
    let renamed = PLAN.replace("\"chats\"", "\"talks\"");
    let (status, answer) = put(&house, &renamed, None).await;
    assert_eq!(status, 422, "{answer}");
    let problem: Value = serde_json::from_str(&answer).expect("a problem");
    let error = &problem["errors"][0];
    assert_eq!(error["place"], "workstreams");
    let detail = error["detail"].as_str().expect("a text");
    assert_eq!(detail, "`chats` is missing, and 1 open work item belongs to it");
    assert_eq!(item(&house, "i-1").await["state"], "waiting");
    house.post("/v1/work-items/i-1/end", json!({})).await;
    let (status, answer) = put(&house, &renamed, None).await;
    assert_eq!(status, 200, "{answer}");
    assert!(house.close().await);
}

#[tokio::test]
async fn shadow_recommends_with_reasons_and_active_offers() {
    let house = House::open_with(routed(Some(PLAN))).await;
    presence(&house, "Emma", "available").await;
    let shadow = offer(&house, "i-1", json!({"intent": "refund"})).await;
    assert_eq!(
        (&shadow["state"], &shadow["queue"], &shadow["recommended"]),
        (&json!("waiting"), &json!("billing"), &json!("Emma"))
    );
    let id = shadow["decision_id"].as_str().expect("decided");
    let (status, decision) = house.get(&format!("/v1/routing/decisions/{id}")).await;
    assert_eq!((status.as_u16(), &decision["chosen"]["agent"]), (200, &json!("Emma")));
    assert!(!decision["chosen"]["terms"].as_array().expect("terms").is_empty(), "{decision}");
    assert_eq!((&decision["mode"], &decision["epoch"]), (&json!("shadow"), &json!(1)));
    let (_, list) = house.get("/v1/routing/decisions?queue=billing").await;
    assert_eq!(list["items"][0]["decision_id"], json!(id));
    put(&house, &PLAN.replace("shadow", "active"), Some("1")).await;
    let active = item(&house, "i-1").await;
    assert_eq!((&active["state"], &active["agent"]), (&json!("offered"), &json!("Emma")));
    let (status, taken) = house.post("/v1/work-items/i-1/accept", json!({})).await;
    assert_eq!((status.as_u16(), &taken["state"]), (200, &json!("active")));
    put(&house, &PLAN.replace("shadow", "off"), Some("2")).await;
    let off = offer(&house, "i-2", json!({})).await;
    assert_eq!((&off["state"], &off["decision_id"]), (&json!("waiting"), &Value::Null));
    assert!(house.close().await);
}

#[tokio::test]
async fn strangers_see_nothing_and_agents_speak_for_themselves() {
    let house = House::open_with(routed(Some(&PLAN.replace("shadow", "active")))).await;
    presence(&house, "Emma", "available").await;
    offer(&house, "i-1", json!({})).await;
    let none = json!(null);
    let see = |path: &'static str| house.call_as(OTHER_KEY, Method::GET, path, none.clone());
    assert_eq!(see("/v1/work-items/i-1").await.0, 404);
    assert_eq!(see("/v1/routing/plan").await.0, 404);
    assert_eq!(see("/v1/routing/agents").await.1, json!({"items": []}));
    assert_eq!(see("/v1/routing/decisions").await.1, json!({"items": []}));
    let ada = |path: &'static str, body: Value| house.call_as(ADAS_KEY, Method::POST, path, body);
    assert_eq!(ada("/v1/work-items/i-1/accept", json!({})).await.0, 403, "it is Emma's");
    let away = json!({"presence": "away"});
    assert_eq!(ada("/v1/routing/agents/Emma/presence", away.clone()).await.0, 403);
    assert_eq!(ada("/v1/routing/agents/Ada/presence", away).await.0, 200);
    assert!(house.close().await);
}

#[tokio::test]
async fn a_restart_keeps_what_was_put_and_who_waits() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = || Options { folder: Some(folder.path().to_owned()), ..routed(None) };
    let house = House::open_with(options()).await;
    put(&house, PLAN, None).await;
    put(&house, &PLAN.replace("shadow", "active"), Some("1")).await;
    presence(&house, "Ada", "busy").await;
    let before = offer(&house, "i-1", json!({"intent": "refund"})).await;
    assert!(house.close().await);
    let house = House::open_with(options()).await;
    let answer = house.client.get(house.url("/v1/routing/plan")).bearer_auth("bc_test");
    let answer = answer.send().await.expect("answers");
    assert_eq!(answer.headers()["etag"], "\"2\"");
    assert_eq!(item(&house, "i-1").await, before);
    let (_, agents) = house.get("/v1/routing/agents").await;
    assert_eq!(agents["items"][1]["presence"], "busy");
    presence(&house, "Emma", "available").await;
    assert_eq!(item(&house, "i-1").await["agent"], "Emma");
    assert!(house.close().await);
}
