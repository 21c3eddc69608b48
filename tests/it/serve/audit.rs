//! What the audit log holds, who reads it, and what it never holds.

use std::time::Duration;

use backchannel::app::App;
use backchannel::config::Config;
use backchannel::domain::AccessRole;
use backchannel::serve::auth::{MadeKey, Principal};
use backchannel::store::access::{AccessFile, KeyRow};
use jiff::Timestamp;
use reqwest::Method;
use reqwest::header::{COOKIE, ORIGIN, SET_COOKIE};
use serde_json::{Value, json};

use super::harness::*;

const AGENT: &str = "bc_an_agents_key";

async fn house() -> House {
    let keys = vec![(AGENT.to_owned(), Principal::new("Bo", AccessRole::Agent, "demo".into()))];
    House::open_with(Options { keys, ..Options::default() }).await
}

async fn entries(house: &House) -> Vec<Value> {
    let (status, list) = house.get("/v1/audit?limit=500").await;
    assert_eq!(status, 200, "{list}");
    list["items"].as_array().expect("a list").clone()
}

fn named<'a>(entries: &'a [Value], action: &str) -> Vec<&'a Value> {
    entries.iter().filter(|entry| entry["action"] == action).collect()
}

#[tokio::test]
async fn who_did_what_is_written_down_without_any_secret() {
    let house = house().await;
    house.append("c-1", vec![started()]).await;
    let sign_in = |key: &str| {
        let request = house.client.post(house.url("/sign-in")).json(&json!({"api_key": key}));
        async { request.send().await.expect("answers") }
    };
    assert_eq!(sign_in("bc_guessed_in_vain").await.status(), 401);
    let answer = sign_in(AGENT).await;
    let cookie = answer.headers()[SET_COOKIE].to_str().expect("text");
    let cookie = cookie.split(';').next().expect("a pair").to_owned();
    let ask = async |method: Method, path: &str, body: Value| {
        let request = house.client.request(method, house.url(path)).header(COOKIE, &cookie);
        let request = request.header(ORIGIN, house.url("")).json(&body);
        request.send().await.expect("answers").status().as_u16()
    };
    assert_eq!(ask(Method::POST, "/v1/tokens", json!({"conversation": "c-1"})).await, 201);
    assert_eq!(ask(Method::PUT, "/v1/routing/plan", json!({})).await, 403);
    assert_eq!(ask(Method::GET, "/v1/audit", Value::Null).await, 403);
    assert_eq!(ask(Method::POST, "/sign-out", Value::Null).await, 204);
    let wrong = house.client.get(house.url("/v1/me")).bearer_auth("bc_guessed_again");
    assert_eq!(wrong.send().await.expect("answers").status(), 401);

    let all = entries(&house).await;
    let begun = named(&all, "session.begun");
    assert_eq!(begun.len(), 1);
    let who = (&begun[0]["by"], &begun[0]["role"], &begun[0]["proof"], &begun[0]["outcome"]);
    assert_eq!(who, (&json!("Bo"), &json!("agent"), &json!("settings_key"), &json!("done")));
    assert_eq!(begun[0]["from"], "127.0.0.1");
    assert_eq!(named(&all, "token.issued")[0]["proof"], "session");
    assert_eq!(named(&all, "session.ended")[0]["by"], "Bo");
    let refused = named(&all, "access.refused");
    let routes: Vec<&str> = refused.iter().filter_map(|one| one["route"].as_str()).collect();
    assert_eq!(routes, ["PUT /v1/routing/plan", "GET /v1/audit", "GET /v1/me"]);
    assert_eq!(refused.len(), 4, "and the key that was guessed: {refused:?}");
    assert!(refused.iter().all(|one| one["outcome"] == "refused"));

    let text = json!(all).to_string();
    for secret in [AGENT, "guessed", KEY, cookie.split_once('=').expect("a pair").1, "bct_"] {
        assert!(!text.contains(secret), "{secret} stands in the audit log");
    }
}

#[tokio::test]
async fn it_is_read_in_pages_by_administrators_and_streamed_to_nobody() {
    let house = house().await;
    let mut live = house.follow("/v1/events", None).await;
    for _ in 0..3 {
        house.client.get(house.url("/v1/audit")).bearer_auth(AGENT).send().await.expect("answers");
    }
    let (_, first) = house.get("/v1/audit?limit=2").await;
    let next = first["next"].as_str().expect("text");
    let (_, second) = house.get(&format!("/v1/audit?limit=2&after={next}")).await;
    let count = |page: &Value| page["items"].as_array().expect("a list").len();
    assert_eq!((count(&first), count(&second)), (2, 1));
    let end = second["next"].as_str().expect("text");
    let (_, third) = house.get(&format!("/v1/audit?after={end}")).await;
    assert_eq!((count(&third), &third["next"]), (0, &second["next"]), "go on from there");
    for bad in ["?limit=0", "?limit=501", "?after=x"] {
        assert_eq!(house.get(&format!("/v1/audit{bad}")).await.0, 422, "{bad}");
    }
    let theirs = house.call_as(OTHER_KEY, Method::GET, "/v1/audit", Value::Null).await.1;
    assert_eq!(theirs["items"], json!([]), "another tenant's own is empty");
    assert_eq!(house.get("/v1/conversations/audit").await.0, 404);
    assert_eq!(house.get("/v1/conversations/audit/events").await.0, 404);
    house.append("c-1", vec![started()]).await;
    assert_eq!(live.next().await.expect("it goes on").kind(), "conversation.started");
    let again = house.follow("/v1/events", Some("0")).await.take(1).await;
    assert_eq!(again[0].kind(), "conversation.started");
}

#[tokio::test]
async fn whoever_knocks_all_the_time_does_not_fill_it() {
    let house = house().await;
    for _ in 0..60 {
        let wrong = house.client.get(house.url("/v1/me")).bearer_auth("bc_guess");
        assert_eq!(wrong.send().await.expect("answers").status(), 401);
    }
    let written = named(&entries(&house).await, "access.refused").len();
    // Ten in each stretch of ten seconds, and sixty requests take no minute.
    assert!((10..60).contains(&written), "{written}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_made_and_revoked_beside_the_service_count_within_seconds() {
    let data = tempfile::tempdir().expect("a folder");
    let mut config = Config::default();
    config.serve.listen.set_port(0);
    config.store.folder = data.path().to_owned();
    let app = App::build(config, true).await.expect("`make models` has pulled what it needs");
    let (access, stop) = (app.access().clone(), app.stop_token());
    let running = tokio::spawn(app.run(|_| ()));
    let hand = AccessFile::open(data.path()).await.expect("it opens beside the service");
    let made = MadeKey::fresh();
    let client = reqwest::Client::new();
    let status = async || {
        let request = client.get(format!("{}/v1/me", access.url)).bearer_auth(&made.key);
        request.send().await.expect("answers").status().as_u16()
    };
    assert_eq!(status().await, 401);
    let row = KeyRow {
        id: made.id.clone(),
        name: "Ada".to_owned(),
        tenant: "demo".into(),
        role: AccessRole::Agent,
        hash: made.hash,
        created_at: Timestamp::now(),
        expires_at: None,
        revoked_at: None,
        last_used_at: None,
    };
    hand.add(&row, "root").await.expect("written");
    let until = async |wanted: u16| {
        for _ in 0..100 {
            if status().await == wanted {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("it never was {wanted}");
    };
    until(200).await;
    // A stream that it opened ends with it.
    let stream = client.get(format!("{}/v1/events", access.url)).bearer_auth(&made.key);
    let mut stream = stream.send().await.expect("answers");
    hand.revoke(&made.id, Timestamp::now(), "root").await.expect("written");
    until(401).await;
    // Long before the stream's next comment, which comes every 15 seconds.
    let ended = async { while let Ok(Some(_)) = stream.chunk().await {} };
    tokio::time::timeout(Duration::from_secs(5), ended).await.expect("the stream ends");

    let key = access.api_key.clone().expect("the demo makes one up");
    let audit = client.get(format!("{}/v1/audit", access.url)).bearer_auth(key);
    let audit: Value = audit.send().await.expect("answers").json().await.expect("JSON");
    let items = audit["items"].as_array().expect("a list").clone();
    for action in ["key.added", "key.revoked"] {
        let found = named(&items, action);
        assert_eq!(found.len(), 1, "{action}: {items:?}");
        assert_eq!(found[0]["target"], format!("{} Ada", made.id));
        assert_eq!((&found[0]["by"], &found[0]["proof"]), (&json!("root"), &json!("shell")));
    }
    assert!(!audit.to_string().contains(&made.key));
    assert!(hand.changes().await.expect("read").is_empty(), "they stand in the log now");
    stop.cancel();
    running.await.expect("no panic").expect("an orderly end");
}
