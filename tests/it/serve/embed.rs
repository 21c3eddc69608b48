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
        (Method::POST, "/v1/conversations/c-1/outcome"),
    ] {
        assert_eq!(status(method.clone(), path, json!(null)).await, 401, "{method} {path}");
    }
    let stream = async |id: &str, token: &str| {
        let path = format!("/v1/conversations/{id}/events?token={token}");
        let request = house.client.get(house.url(&path)).header("Last-Event-ID", "0");
        request.send().await.expect("answers").status()
    };
    assert_eq!(stream("c-1", &token).await, 401, "a page's token has no place in an address");
    assert_eq!(stream("c-1", KEY).await, 401, "nor has a key");
}

#[tokio::test]
async fn a_streams_token_opens_it_once() {
    let house = House::open().await;
    house.append("c-1", vec![started()]).await;
    house.append("c-2", vec![started()]).await;
    let page = token(&house, "c-1").await;
    let want = async |key: &str, body: serde_json::Value| {
        let request = house.client.post(house.url("/v1/tokens")).bearer_auth(key).json(&body);
        let answer = request.send().await.expect("answers");
        house.checked(Method::POST, "/v1/tokens", answer).await
    };
    let stream = async |id: &str, token: &str| {
        let path = format!("/v1/conversations/{id}/events?token={token}");
        house.client.get(house.url(&path)).send().await.expect("answers").status()
    };
    for key in [page.as_str(), KEY] {
        let (status, made) = want(key, json!({"conversation": "c-1", "use": "stream"})).await;
        assert_eq!(status, 201, "{made}");
        let once = made["token"].as_str().expect("a token");
        let header = house.client.get(house.url("/v1/conversations/c-1")).bearer_auth(once);
        assert_eq!(header.send().await.expect("answers").status(), 401, "it is for the stream");
        assert_eq!(stream("c-1", once).await, 200);
        assert_eq!(stream("c-1", once).await, 401, "once");
        let (_, made) = want(key, json!({"conversation": "c-1", "use": "stream"})).await;
        let once = made["token"].as_str().expect("a token");
        assert_eq!(stream("c-2", once).await, 401, "for its conversation");
        assert_eq!(stream("c-1", once).await, 200, "whatever else it was tried for");
        assert_eq!(stream("c-1", once).await, 401, "once");
    }
    assert_eq!(want(&page, json!({"conversation": "c-2", "use": "stream"})).await.0, 403);
    assert_eq!(want(&page, json!({"conversation": "c-1"})).await.0, 403, "nobody extends an hour");
    assert_eq!(want(KEY, json!({"conversation": "c-1", "use": "ever"})).await.0, 422);
    assert_eq!(want(OTHER_KEY, json!({"conversation": "c-1", "use": "stream"})).await.0, 404);
}

/// Everything that a token of `c-1` opens; all other routes treat it as if it weren't there.
const OPEN: [(&str, &str); 7] = [
    ("post", "/v1/tokens"),
    ("get", "/v1/me"),
    ("get", "/v1/conversations/{id}"),
    ("get", "/v1/conversations/{id}/events"),
    ("post", "/v1/conversations/{id}/ask"),
    ("post", "/v1/suggestions/{card_id}/verdict"),
    ("get", "/v1/articles/{id}"),
];

#[tokio::test]
async fn a_token_opens_no_other_route_of_the_description() {
    let house = House::open().await;
    house.append("c-1", vec![started(), turn("t-1"), card("k-1")]).await;
    let token = token(&house, "c-1").await;
    let (mut refused, mut opened) = (0, Vec::new());
    for (path, operations) in house.openapi["paths"].as_object().expect("paths") {
        for (name, _) in operations.as_object().expect("operations") {
            let Ok(method) = name.to_uppercase().parse::<Method>() else { continue };
            // As the token's own conversation would be written in it.
            let filled = path
                .replace(
                    "{id}",
                    if path.contains("/articles/") { "billing%2Frefunds" } else { "c-1" },
                )
                .replace("{card_id}", "k-1");
            let filled: String = filled
                .split('/')
                .map(|piece| if piece.starts_with('{') { "1" } else { piece })
                .collect::<Vec<_>>()
                .join("/");
            let ask = async |with_token: bool| {
                let request = house.client.request(method.clone(), house.url(&filled));
                let request = if with_token { request.bearer_auth(&token) } else { request };
                request.send().await.expect("answers").status().as_u16()
            };
            let (without, with) = (ask(false).await, ask(true).await);
            if OPEN.contains(&(name.as_str(), path.as_str())) {
                assert_eq!(without, 401, "{name} {filled}");
                assert_ne!(with, 401, "{name} {filled}");
                opened.push((name.clone(), path.clone()));
            } else {
                assert_eq!(with, without, "{name} {filled}");
                refused += usize::from(with == 401);
            }
        }
    }
    assert_eq!(opened.len(), OPEN.len(), "{opened:?}");
    assert!(refused > 40, "{refused}");
}

#[tokio::test]
async fn a_token_shows_articles_in_force_and_writes_no_search_down() {
    let house = House::open().await;
    house.append("c-1", vec![started()]).await;
    house.append("c-2", vec![started()]).await;
    let draft = json!({"id": "secret/draft", "title": "Secret", "body": "## X\nUnpublished.\n"});
    assert_eq!(house.post("/v1/articles", draft).await.0, 201);
    let token = token(&house, "c-1").await;
    let get = async |path: &str| {
        let answer = house.client.get(house.url(path)).bearer_auth(&token).send().await;
        let answer = answer.expect("answers");
        (answer.status().as_u16(), answer.text().await.expect("text"))
    };
    let (status, article) = get("/v1/articles/billing%2Frefunds").await;
    assert_eq!(status, 200, "{article}");
    for path in ["/v1/articles/secret%2Fdraft", "/v1/articles/secret%2Fdraft?revision=1"] {
        let (status, problem) = get(path).await;
        assert_eq!(status, 404, "{path}");
        assert!(!problem.contains("Unpublished"), "{problem}");
    }
    assert_eq!(get("/v1/articles/billing%2Frefunds?revision=9").await.0, 404);
    assert_eq!(get("/v1/articles/search?q=refund&conversation=c-2").await.0, 401);
    let (_, seen) = house.get("/v1/conversations/c-2").await;
    assert_eq!(seen["last_sequence"], 1, "nothing was added to somebody else's conversation");
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
