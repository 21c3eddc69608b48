//! Who may come in, and what they hear who may not or who knock in the wrong way.

use reqwest::header::{self, HeaderMap};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::harness::*;

#[tokio::test]
async fn every_route_but_health_pages_and_sign_in_wants_a_key() {
    let house = House::open().await;
    let mut routes: Vec<(Method, String)> = Vec::new();
    for (path, item) in house.openapi["paths"].as_object().expect("paths") {
        for method in item.as_object().expect("methods").keys() {
            let method: Method = method.to_uppercase().parse().expect("a method");
            routes.push((method, path.replace("{id}", "c-1").replace("{card_id}", "k-1")));
        }
    }
    for path in [
        "/openapi.json",
        "/asyncapi.json",
        "/v1/media/pcm",
        "/v1/media/twilio",
        "/v1/media/acs",
        "/v1/media/audiohook",
        "/v1/nothing",
        "/nothing",
    ] {
        routes.push((Method::GET, path.to_owned()));
    }
    let open = ["/livez", "/readyz", "/sign-out"];
    for (method, path) in routes {
        for key in [None, Some("bc_wrong"), Some("")] {
            let mut request = house.client.request(method.clone(), house.url(&path));
            if let Some(key) = key {
                request = request.bearer_auth(key);
            }
            let status = request.send().await.expect("answers").status();
            // Vendors and visitors bring proofs of their own, which their tests try.
            let own = ["/v1/channels/", "/v1/chat", "/v1/routing/taskrouter"];
            let is_own = own.iter().any(|begin| path.starts_with(begin));
            let is_sign_in = path.starts_with("/sign-in");
            if !open.contains(&path.as_str()) && !is_own && !is_sign_in {
                assert_eq!(status, 401, "{method} {path} with {key:?}");
            }
        }
    }
    for page in ["/", "/desktop", "/knowledge", "/outbox", "/floor/routing", "/livez", "/readyz"] {
        let answer = house.client.get(house.url(page)).send().await.expect("answers");
        assert_eq!(answer.status(), 200, "{page}");
    }
    let media = house.client.get(house.url("/v1/media/pcm")).bearer_auth(KEY).send().await;
    assert_eq!(media.expect("answers").status(), 200);
}

#[tokio::test]
async fn a_giant_head_is_refused_before_it_is_understood() {
    let house = House::open().await;
    for (length, expected) in [(8_000, 401), (200_000, 431)] {
        let request = house.client.get(house.url("/v1/media/acs")).bearer_auth("x".repeat(length));
        let answer = request.send().await.expect("answers");
        assert_eq!(answer.status(), expected, "{length}");
    }
}

#[tokio::test]
async fn what_can_not_be_read_is_a_problem_document() {
    let house = House::open().await;
    house.append("c-1", vec![started(), card("k-1")]).await;
    let verdict = "/v1/suggestions/k-1/verdict";
    let post = async |body: &str, kind: &str| {
        let request = house.client.post(house.url(verdict)).bearer_auth(KEY);
        let request = request.header(header::CONTENT_TYPE, kind).body(body.to_owned());
        let answer = request.send().await.expect("answers");
        house.checked(Method::POST, verdict, answer).await
    };
    let (status, problem) = post("{\"verdict\":", "application/json").await;
    assert_eq!(
        (status, &problem["type"]),
        (StatusCode::BAD_REQUEST, &json!("urn:backchannel:problem:malformed"))
    );
    assert_eq!(post("{\"verdict\":7}", "application/json").await.0, 422);
    assert_eq!(post("verdict=accepted", "application/x-www-form-urlencoded").await.0, 415);
    let large = format!("{{\"verdict\":\"{}\"}}", "x".repeat(256 * 1024));
    assert_eq!(post(&large, "application/json").await.0, 413);
    assert_eq!(post("\u{0}", "application/json").await.0, 400);

    let answer = house.client.delete(house.url(verdict)).bearer_auth(KEY).send().await.expect("");
    assert_eq!(answer.headers()[header::ALLOW], "POST");
    assert_eq!(house.checked(Method::DELETE, verdict, answer).await.0, 405);
    assert_eq!(house.call(Method::POST, "/desktop", None).await.0, 405);
    for unknown in [
        "/v1/conversations/c-9",
        "/v1/conversations/c-9/events",
        "/v1/conversations/system",
        "/v1/conversations/%00",
        "/v1/articles/a%0Ab",
        "/v1/routing/decisions/%7f",
        "/v1/nothing",
        "/nothing.js",
        "/../Cargo.toml",
        "/%2e%2e/Cargo.toml",
    ] {
        assert_eq!(house.get(unknown).await.0, 404, "{unknown}");
    }
    assert_eq!(house.get("/v1/conversations/%ff").await.0, 400);
}

/// The sender looks for the answer when it has sent everything, as simple clients do: by then a
/// connection that was closed at once would have been reset.
#[tokio::test]
async fn a_body_that_is_too_large_is_answered_however_large_it_is() {
    let house = House::open().await;
    let key = format!("authorization: Bearer {KEY}\r\n");
    let send = async |headers: &str, size: usize| {
        let mut socket = TcpStream::connect(house.address).await.expect("connects");
        let head = format!(
            "POST /v1/suggestions/k-1/verdict HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
             content-type: application/json\r\n{headers}\r\n"
        );
        socket.write_all(head.as_bytes()).await.expect("sent");
        let piece = [b"10000\r\n", [b' '; 0x10000].as_slice(), b"\r\n"].concat();
        let chunked = headers.contains("chunked");
        for _ in 0..size / 0x10000 {
            let piece = if chunked { &piece[..] } else { &piece[7..][..0x10000] };
            socket.write_all(piece).await.expect("sent");
        }
        let end: &[u8] = if chunked { b"0\r\n\r\n" } else { b"" };
        socket.write_all(end).await.expect("sent");
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.expect("answered");
        let (head, body) = answer.split_once("\r\n\r\n").expect("head and body");
        assert!(head.contains("application/problem+json"), "{head}");
        let problem: Value = serde_json::from_str(body).expect("JSON");
        (head.lines().next().expect("a status line").to_owned(), problem)
    };
    const LARGE: usize = 24 << 20;
    let with_length = format!("content-length: {LARGE}\r\n");
    let asked_first = format!("{with_length}expect: 100-continue\r\n");
    let chunked = "transfer-encoding: chunked\r\n";
    for (headers, size) in [(&with_length[..], LARGE), (chunked, LARGE), (&asked_first, 0)] {
        let (status, problem) = send(&format!("{key}{headers}"), size).await;
        assert_eq!(status, "HTTP/1.1 413 Payload Too Large", "{headers}");
        let (kind, detail) = (&problem["type"], &problem["detail"]);
        assert_eq!(kind, "urn:backchannel:problem:too-large", "{headers}");
        assert_eq!(detail, "the body is too large: 256 KiB are the most", "{headers}");
    }
    // Whoever may not come in hears that, too.
    let key = "authorization: Bearer bc_wrong\r\n";
    assert!(send(&format!("{key}{chunked}"), LARGE).await.0.contains("401"));
}

#[tokio::test]
async fn a_session_comes_from_the_link_or_for_a_key_and_ends() {
    let house = House::open().await;
    let link = house.url(&format!("/sign-in?code={}", house.code));
    let answer = house.client.get(link).send().await.expect("answers");
    assert_eq!(
        (answer.status(), &answer.headers()[header::LOCATION]),
        (StatusCode::FOUND, &"/desktop".parse().expect(""))
    );
    let cookie = cookie(answer.headers());
    let wrong = house.client.get(house.url("/sign-in?code=x")).send().await.expect("answers");
    assert_eq!(wrong.headers()[header::LOCATION], "/");
    assert!(!wrong.headers().contains_key(header::SET_COOKIE));

    let me = async |cookie: &str| {
        let request = house.client.get(house.url("/v1/me")).header(header::COOKIE, cookie);
        request.send().await.expect("answers").status()
    };
    assert_eq!(me(&cookie).await, 200);
    assert_eq!(me("backchannel_session=guess").await, 401);

    let sign_in = async |key: &str| {
        let request = house.client.post(house.url("/sign-in")).json(&json!({"api_key": key}));
        request.send().await.expect("answers")
    };
    let answer = sign_in("bc_wrong").await;
    assert_eq!(house.checked(Method::POST, "/sign-in", answer).await.0, 401);
    let answer = sign_in(KEY).await;
    assert_eq!(answer.status(), 204);
    let mut second = self::cookie(answer.headers());
    assert_ne!(cookie, second);

    // The browser that had a session has only the new one.
    let request = house.client.post(house.url("/sign-in")).header(header::COOKIE, &second);
    let request = request.header(header::ORIGIN, house.url("")).json(&json!({"api_key": KEY}));
    let answer = request.send().await.expect("answers");
    let earlier = std::mem::replace(&mut second, self::cookie(answer.headers()));
    assert_eq!(me(&earlier).await, 401);
    assert_eq!(me(&second).await, 200);

    let out = house.client.post(house.url("/sign-out")).header(header::COOKIE, &second);
    let out = out.header(header::ORIGIN, house.url("")).send().await.expect("answers");
    assert_eq!(out.status(), 204);
    assert_eq!(me(&second).await, 401);
    assert_eq!(me(&cookie).await, 200);
}

#[tokio::test]
async fn another_sites_page_can_not_use_the_session() {
    let house = House::open().await;
    house.append("c-1", vec![started(), card("k-1")]).await;
    let link = house.url(&format!("/sign-in?code={}", house.code));
    let cookie = cookie(house.client.get(link).send().await.expect("answers").headers());
    let ours = house.url("");
    for (origin, expected) in [
        (Some(ours.as_str()), 200),
        (Some("http://evil.example"), 403),
        (Some("http://localhost"), 403),
        (Some("null"), 403),
        (None, 403),
    ] {
        let mut request = house
            .client
            .post(house.url("/v1/suggestions/k-1/verdict"))
            .header(header::COOKIE, &cookie)
            .json(&json!({"verdict": "accepted"}));
        let mut upgrade = house
            .client
            .get(house.url("/v1/media/pcm"))
            .header(header::COOKIE, &cookie)
            .header(header::UPGRADE, "websocket");
        if let Some(origin) = origin {
            request = request.header(header::ORIGIN, origin);
            upgrade = upgrade.header(header::ORIGIN, origin);
        }
        assert_eq!(request.send().await.expect("answers").status(), expected, "{origin:?}");
        assert_eq!(upgrade.send().await.expect("answers").status(), expected, "{origin:?}");
    }
    // A key says who asks; no Origin is needed beside it.
    let verdict = house.post("/v1/suggestions/k-1/verdict", json!({"verdict": "ignored"})).await;
    assert_eq!(verdict.0, 200);
}

#[tokio::test]
async fn over_https_cookies_are_this_hosts_alone_and_browsers_stay_with_it() {
    let house = House::open_with(Options { secure_cookies: true, ..Options::default() }).await;
    let signed_in = house.client.post(house.url("/sign-in")).json(&json!({"api_key": KEY}));
    let cookie = cookie(signed_in.send().await.expect("answers").headers());
    let token = cookie.strip_prefix("__Host-backchannel_session=").expect("of this host");
    for (cookie, expected) in [(cookie.clone(), 200), (format!("backchannel_session={token}"), 401)]
    {
        let me = house.client.get(house.url("/v1/me")).header(header::COOKIE, &cookie);
        let answer = me.send().await.expect("answers");
        assert_eq!(answer.status(), expected, "{cookie}");
        let stays = &answer.headers()[header::STRICT_TRANSPORT_SECURITY];
        assert_eq!(stays, "max-age=31536000");
    }
    let out = house.client.post(house.url("/sign-out")).header(header::COOKIE, &cookie);
    let out = out.header(header::ORIGIN, house.url("")).send().await.expect("answers");
    let gone = out.headers()[header::SET_COOKIE].to_str().expect("text");
    assert!(gone.starts_with("__Host-backchannel_session=; Path=/; Max-Age=0;"), "{gone}");
    assert!(gone.ends_with("; Secure"), "{gone}");

    let house = House::open().await;
    let plain = house.client.get(house.url("/livez")).send().await.expect("answers");
    assert!(!plain.headers().contains_key(header::STRICT_TRANSPORT_SECURITY));
}

#[tokio::test]
async fn pages_carry_their_policy_and_are_revalidated() {
    let house = House::open().await;
    let page = house.client.get(house.url("/desktop")).send().await.expect("answers");
    let headers = page.headers().clone();
    assert_eq!(headers[header::CONTENT_TYPE], "text/html; charset=utf-8");
    assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    assert_eq!(headers[header::CACHE_CONTROL], "no-cache");
    let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().expect("text");
    assert!(policy.starts_with("default-src 'self';"));
    for part in ["object-src 'none';", "base-uri 'none';", "form-action 'self';"] {
        assert!(policy.contains(part), "{policy}");
    }
    let again = house.client.get(house.url("/desktop"));
    let again = again.header(header::IF_NONE_MATCH, &headers[header::ETAG]).send().await;
    assert_eq!(again.expect("answers").status(), 304);
    let (status, _) = house.get("/v1/me").await;
    assert_eq!(status, 200);
    let me = house.client.get(house.url("/v1/me")).bearer_auth(KEY).send().await.expect("");
    assert_eq!(me.headers()[header::CACHE_CONTROL], "no-store");
}

#[tokio::test]
async fn a_taken_port_is_a_clear_error() {
    let house = House::open().await;
    let idle = std::time::Duration::from_secs(1);
    let error = backchannel::serve::bind(house.address, idle).err().expect("refused").to_string();
    assert!(error.contains("in use") && error.contains("--listen"), "{error}");
}

fn cookie(headers: &HeaderMap) -> String {
    let cookie = headers[header::SET_COOKIE].to_str().expect("text");
    assert!(cookie.contains("; HttpOnly; SameSite=Strict"), "{cookie}");
    cookie.split(';').next().expect("a pair").to_owned()
}
