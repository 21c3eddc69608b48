//! Tokens for one conversation, and pages of other origins.

use reqwest::Method;
use reqwest::header::{ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_ORIGIN, ORIGIN};
use serde_json::json;

use super::harness::*;

async fn token(house: &House, conversation: &str) -> String {
    let (status, made) = house.post("/v1/tokens", json!({"conversation": conversation})).await;
    assert_eq!(status, 201, "{made}");
    made["token"].as_str().expect("a token").to_owned()
}

#[tokio::test]
async fn a_token_is_for_one_conversation() {
    let house = House::open().await;
    house.append("c-1", vec![started(), turn("t-1"), card("k-1")]).await;
    house.append("c-2", vec![started(), turn("t-1"), card("k-2")]).await;
    assert_eq!(house.post("/v1/tokens", json!({"conversation": "c-9"})).await.0, 404);
    let token = token(&house, "c-1").await;
    let status = async |method: Method, path: &str, body: serde_json::Value| {
        let request = house.client.request(method, house.url(path)).bearer_auth(&token);
        request.json(&body).send().await.expect("answers").status()
    };
    let verdict = || json!({"verdict": "accepted"});
    assert_eq!(status(Method::GET, "/v1/conversations/c-1", json!(null)).await, 200);
    assert_eq!(status(Method::POST, "/v1/suggestions/k-1/verdict", verdict()).await, 200);
    assert_eq!(status(Method::POST, "/v1/suggestions/k-2/verdict", verdict()).await, 404);
    for (method, path) in [
        (Method::GET, "/v1/conversations/c-2"),
        (Method::GET, "/v1/conversations"),
        (Method::GET, "/v1/events"),
        (Method::GET, "/v1/outbox"),
        (Method::POST, "/v1/tokens"),
        (Method::POST, "/v1/conversations/c-1/outcome"),
    ] {
        assert_eq!(status(method.clone(), path, json!(null)).await, 401, "{method} {path}");
    }
    let stream = |id: &str, token: &str| {
        let path = format!("/v1/conversations/{id}/events?token={token}");
        let request = house.client.get(house.url(&path)).header("Last-Event-ID", "0");
        async { request.send().await.expect("answers").status() }
    };
    assert_eq!(stream("c-1", &token).await, 200);
    assert_eq!(stream("c-2", &token).await, 401);
    assert_eq!(stream("c-1", KEY).await, 401, "a key has no place in an address");
}

#[tokio::test]
async fn pages_of_listed_origins_may_read_and_others_not() {
    let house = House::open().await;
    house.append("c-1", vec![started()]).await;
    let token = token(&house, "c-1").await;
    let ask = async |method: Method, origin: &str, path: &str| {
        let request = house.client.request(method, house.url(path)).header(ORIGIN, origin);
        let request = request
            .header("Access-Control-Request-Method", "GET")
            .header("Access-Control-Request-Headers", "authorization");
        request.bearer_auth(&token).send().await.expect("answers")
    };
    for method in [Method::OPTIONS, Method::GET] {
        let answer = ask(method.clone(), EMBEDDER, "/v1/conversations/c-1").await;
        assert!(answer.status().is_success(), "{method}: {}", answer.status());
        assert_eq!(answer.headers()[ACCESS_CONTROL_ALLOW_ORIGIN], EMBEDDER);
        assert!(!answer.headers().contains_key(ACCESS_CONTROL_ALLOW_CREDENTIALS));
        let answer = ask(method, "https://elsewhere.example.test", "/v1/conversations/c-1").await;
        assert!(!answer.headers().contains_key(ACCESS_CONTROL_ALLOW_ORIGIN));
    }
    let policy = |answer: &reqwest::Response| {
        answer.headers()["content-security-policy"].to_str().expect("text").to_owned()
    };
    let framed = policy(&ask(Method::GET, EMBEDDER, "/embed/panel").await);
    assert!(framed.ends_with(&format!("frame-ancestors 'self' {EMBEDDER}")), "{framed}");
    let page = policy(&ask(Method::GET, EMBEDDER, "/desktop").await);
    assert!(page.ends_with("frame-ancestors 'self'"), "{page}");
}
