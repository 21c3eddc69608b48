//! Every route with every role, against the table that people read (`access.txt`); and every route that names
//! something, with what is another tenant's.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use backchannel::domain::AccessRole;
use backchannel::serve::auth::Principal;
use backchannel::store::outbox;
use reqwest::Method;
use serde_json::{Value, json};

use super::harness::*;
use crate::routing::{PLAN, presence, routed};

const TABLE: &str = include_str!("access.txt");
/// What a refusal by the table begins with; handlers have words of their own.
const BY_THE_TABLE: &str = "this is for ";

/// By method and path, what each role may, in the order of `AccessRole::ALL`.
fn table() -> BTreeMap<(String, String), Vec<&'static str>> {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines
        .map(|line| {
            let mut words = line.split_whitespace();
            let mut word = || words.next().unwrap_or_else(|| panic!("{line}"));
            let key = (word().to_owned(), word().to_owned());
            let cells: Vec<&str> = words.collect();
            assert_eq!(cells.len(), AccessRole::ALL.len(), "{line}");
            (key, cells)
        })
        .collect()
}

fn key_of(role: AccessRole) -> String {
    format!("bc_role_{role}")
}

fn operations(house: &House) -> BTreeSet<(String, String)> {
    let mut all = BTreeSet::new();
    for (path, item) in house.openapi["paths"].as_object().expect("paths") {
        for method in item.as_object().expect("methods").keys() {
            all.insert((method.to_uppercase(), path.clone()));
        }
    }
    all.extend(
        ["/openapi.json", "/asyncapi.json", "/v1/media/pcm"].map(|p| ("GET".into(), p.into())),
    );
    all
}

fn filled(path: &str) -> String {
    let pieces = path.split('/').map(|piece| if piece.starts_with('{') { "x-1" } else { piece });
    pieces.collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn every_route_lets_in_whom_the_table_says_and_nobody_else() {
    let keys =
        AccessRole::ALL.map(|role| (key_of(role), Principal::new("Emma", role, "demo".into())));
    let house = House::open_with(Options { keys: keys.into(), ..Options::default() }).await;
    let table = table();
    let operations = operations(&house);
    for operation in &operations {
        assert!(table.contains_key(operation), "{operation:?} is missing in access.txt");
    }
    let mut tried = 0;
    for ((method, path), cells) in &table {
        // The vendors' sockets are there in the whole service only.
        if !operations.contains(&(method.clone(), path.clone())) {
            continue;
        }
        let verb: Method = method.parse().expect("a method");
        let ask = async |key: Option<&str>| {
            let mut request = house.client.request(verb.clone(), house.url(&filled(path)));
            request = key.into_iter().fold(request, |request, key| request.bearer_auth(key));
            let answer = match verb == Method::GET {
                true => request.send().await,
                false => request.json(&json!({})).send().await,
            };
            let answer = answer.expect("answers");
            let status = answer.status().as_u16();
            let is_stream = answer
                .headers()
                .get("content-type")
                .is_some_and(|kind| kind == "text/event-stream");
            let body = if is_stream { String::new() } else { answer.text().await.expect("text") };
            (status, body)
        };
        let open = cells[0] == "open";
        for key in [None, Some("bc_wrong"), Some("bck_0a1b2c3d4e5f_wrong"), Some("a.b.c")] {
            let (status, _) = ask(key).await;
            // What is open may ask for a proof of its own.
            assert!(open || status == 401, "{method} {path} with {key:?}: {status}");
            assert!(status < 500, "{method} {path} with {key:?}: {status}");
        }
        for (role, cell) in AccessRole::ALL.into_iter().zip(cells) {
            let (status, body) = ask(Some(&key_of(role))).await;
            tried += 1;
            let what = format!("{method} {path} as {role}: {status} {body}");
            assert!(status < 500, "{what}");
            match *cell {
                "-" => assert!(status == 403 && body.contains(BY_THE_TABLE), "{what}"),
                "yes" => assert!(status != 401 && !body.contains(BY_THE_TABLE), "{what}"),
                "open" => assert!(!body.contains(BY_THE_TABLE), "{what}"),
                other => panic!("{other} is no word of the table"),
            }
        }
        let (status, body) = ask(Some(KEY)).await;
        assert!(!body.contains(BY_THE_TABLE) && status < 500, "{method} {path}: {status} {body}");
    }
    println!("access: {} ways, {tried} asked by role", operations.len());
    assert!(operations.len() > 85 && tried > 500);
}

/// Routes that name something, where even its own tenant doesn't get it here: there are no such things in this house.
const NOT_HERE: [&str; 3] =
    ["/v1/batches/{id}/results", "/v1/batches/{id}/errors", "/v1/batches/{id}/provenance"];

/// What the requests name.
struct Things {
    call: String,
    chat: String,
    agent: String,
    item: String,
    gap: String,
    delivery: u64,
    decision: String,
}

/// One of everything, in the tenant `demo`.
async fn furnish(house: &House) -> Things {
    house.append("c-1", every_kind()).await;
    house.append("c-2", vec![started(), turn("t-1"), card("k-2")]).await;
    let note = outbox::conformance::note("crm", "7", "00ff");
    house.outbox.post(&"demo".into(), &"c-2".into(), Vec::new(), vec![note]).await.expect("posted");
    let (_, list) = house.get("/v1/outbox").await;
    let delivery = list["items"][0]["id"].as_u64().expect("a delivery");
    presence(house, "Emma", "available").await;
    let (status, item) = house
        .post("/v1/work-items", json!({"id": "i-1", "workstream": "chats", "attributes": {}}))
        .await;
    assert!(status.is_success(), "{item}");
    let mut found = Things {
        call: "c-1".to_owned(),
        chat: "c-2".to_owned(),
        agent: "Emma".to_owned(),
        item: "i-1".to_owned(),
        gap: String::new(),
        delivery,
        decision: item["decision_id"].as_str().expect("decided").to_owned(),
    };
    for _ in 0..500 {
        let (_, gaps) = house.get("/v1/gaps").await;
        if let Some(gap) = gaps["items"][0]["id"].as_str() {
            found.gap = gap.to_owned();
            return found;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the question that nobody answered is no gap");
}

fn address(path: &str, things: &Things) -> String {
    let id = match path.split('/').nth(2) {
        Some("articles") => "billing%2Frefunds".to_owned(),
        Some("batches") => "b-1".to_owned(),
        Some("gaps") => things.gap.clone(),
        Some("work-items") => things.item.clone(),
        Some("outbox") => things.delivery.to_string(),
        Some("routing") if path.contains("/agents/") => things.agent.clone(),
        Some("routing") => things.decision.clone(),
        _ if path.ends_with("/end") || path.contains("/crm/") => things.chat.clone(),
        _ => things.call.clone(),
    };
    path.replace("{id}", &id)
        .replace("{card_id}", "k-1")
        .replace("{search_id}", "s-1")
        .replace("{turn_id}", "t-1")
        .replace("{wrapup_id}", "w-end-summary-1")
        .replace("{number}", "1")
}

/// A body that the handler understands, so that it comes to look for what is named.
fn body(path: &str, things: &Things) -> Value {
    match path {
        "/v1/conversations/{id}/turns" => json!({"role": "customer", "text": "Hello?"}),
        "/v1/conversations/{id}/replies" => json!({"text": "Hello."}),
        "/v1/conversations/{id}/ask" => json!({"question": "When is a refund paid?"}),
        "/v1/conversations/{id}/searches/{search_id}/opened" => {
            json!({"article_id": "billing/refunds"})
        }
        "/v1/suggestions/{card_id}/verdict"
        | "/v1/conversations/{id}/wrapups/{wrapup_id}/verdict" => {
            json!({"verdict": "accepted"})
        }
        "/v1/conversations/{id}/crm/contact" => json!({"none": true}),
        "/v1/conversations/{id}/outcome" => json!({"items": ["note"]}),
        "/v1/articles/{id}" => json!({"revision": 3, "title": "Refunds"}),
        "/v1/articles/{id}/review" => json!({"action": "retire", "revision": 3}),
        "/v1/routing/agents/{id}/presence" => json!({"presence": "available"}),
        "/v1/work-items/{id}/transfer" => json!({"queue": "billing"}),
        "/v1/work-items/{id}/assign" => json!({"agent": "Emma"}),
        "/v1/tokens" => json!({"conversation": things.call}),
        "/v1/cases/summary" => json!({"conversations": [things.call]}),
        "/v1/articles/proposals" => json!({"conversation_id": things.call}),
        _ => json!({}),
    }
}

#[tokio::test]
async fn what_is_another_tenants_is_nowhere() {
    let house = House::open_with(routed(Some(PLAN))).await;
    let things = furnish(&house).await;
    let nothing = Things {
        call: "c-nowhere".to_owned(),
        chat: "c-nowhere".to_owned(),
        agent: "Nobody".to_owned(),
        item: "i-nowhere".to_owned(),
        gap: "gap-nowhere".to_owned(),
        delivery: 999_999,
        decision: "d-nowhere".to_owned(),
    };
    let named = |path: &str| {
        let in_body = ["/v1/tokens", "/v1/cases/summary", "/v1/articles/proposals"];
        path.contains('{') || in_body.contains(&path)
    };
    let mut all: Vec<_> = operations(&house).into_iter().filter(|(_, path)| named(path)).collect();
    // What takes something away comes last.
    all.sort_by_key(|(method, path)| {
        (method == "DELETE", path.ends_with("/review"), path.ends_with("/end"))
    });
    let ask = async |key: &str, method: &str, path: &str, things: &Things| {
        let address = address(path, things);
        let query = if path.ends_with("/diff") { "?from=1&to=2" } else { "" };
        let url = house.url(&format!("{address}{query}"));
        let method: Method = method.parse().expect("a method");
        let request = house.client.request(method.clone(), url).bearer_auth(key);
        let request =
            if method == Method::GET { request } else { request.json(&body(path, things)) };
        let answer = request.send().await.expect("answers");
        let status = answer.status().as_u16();
        let is_stream = status == 200 && path.ends_with("/events");
        let text = if is_stream { String::new() } else { answer.text().await.expect("text") };
        (status, text.replace(&things.call, "(call)"))
    };
    let mut wrong = Vec::new();
    for (method, path) in &all {
        let theirs = ask(OTHER_KEY, method, path, &things).await;
        if theirs.0 != 404 && theirs != ask(OTHER_KEY, method, path, &nothing).await {
            wrong.push(format!("{method} {path}: {} {}", theirs.0, theirs.1));
        }
    }
    assert!(
        wrong.is_empty(),
        "a foreign tenant gets something else than for what isn't there:\n{}",
        wrong.join("\n")
    );
    // They are there: their own tenant gets them, by the same requests.
    for (method, path) in &all {
        let (status, text) = ask(KEY, method, path, &things).await;
        if (status == 404) != NOT_HERE.contains(&path.as_str()) || status >= 500 {
            wrong.push(format!("{method} {path}: {status} {text}"));
        }
    }
    assert!(wrong.is_empty(), "its own tenant doesn't get it:\n{}", wrong.join("\n"));
    println!("tenants: {} ways to name something, as good as nothing for another", all.len());
    assert!(all.len() > 45, "{}", all.len());
}

#[tokio::test]
async fn lists_and_streams_hold_nothing_of_another_tenant() {
    let house = House::open_with(routed(Some(PLAN))).await;
    furnish(&house).await;
    let lists = operations(&house).into_iter().filter(|(method, path)| {
        let open = path.starts_with("/v1/chat") || path.starts_with("/sign-in");
        method == "GET" && path.starts_with("/v1/") && !path.contains('{') && !open
    });
    for (_, path) in lists.filter(|(_, path)| path != "/v1/media/pcm" && path != "/v1/events") {
        let query = if path.ends_with("/search") { "?q=refund&limit=5" } else { "" };
        let request = house.client.get(house.url(&format!("{path}{query}"))).bearer_auth(OTHER_KEY);
        let answer = request.send().await.expect("answers");
        let status = answer.status().as_u16();
        let text = answer.text().await.expect("text");
        assert!(status == 200 || status == 404, "{path}: {status} {text}");
        for theirs in ["c-1", "c-2", "billing/refunds", "Ada", "i-1", "4711", "b-1"] {
            assert!(!text.contains(&format!("\"{theirs}\"")), "{path} shows {theirs}: {text}");
        }
    }
    let metrics = house.client.get(house.url("/metrics")).bearer_auth(OTHER_KEY);
    assert_eq!(metrics.send().await.expect("answers").status(), 403, "it tells of everybody");
    let mut stream =
        house.client.get(house.url("/v1/events?last_event_id=0")).bearer_auth(OTHER_KEY);
    stream = stream.header("Last-Event-ID", "0");
    let mut stream = stream.send().await.expect("answers");
    house.append_for("other", "c-9", vec![started()]).await;
    let mut text = String::new();
    while !text.contains("conversation.started") {
        let chunk = tokio::time::timeout(Duration::from_secs(10), stream.chunk()).await;
        let chunk = chunk.expect("in time").expect("readable").expect("it goes on");
        text.push_str(std::str::from_utf8(&chunk).expect("UTF-8"));
    }
    let tenants = text.matches("\"tenant\":\"other\"").count();
    assert_eq!((text.matches("data: ").count(), tenants), (1, 1), "{text}");
}
