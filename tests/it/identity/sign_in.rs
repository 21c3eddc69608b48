//! People sign in at the provider and come back, as a browser would.

use std::net::TcpListener;

use backchannel::connect::identity::{SignIn, SignInSettings};
use backchannel::serve::auth::oidc::SignInDoor;
use jsonwebtoken::Algorithm;
use reqwest::header::{COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use reqwest::{Client, Response, Url};
use serde_json::{Value, json};

use super::provider::{Provider, claims};
use crate::serve::harness::*;

/// The house must know its address before the provider does, and the provider its own before the house.
async fn house() -> (House, Provider) {
    let free = TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("bound");
    let redirect_url = format!("http://{free}/sign-in/oidc/callback");
    let provider = Provider::start(&redirect_url).await;
    let sign_in = SignIn::new(SignInSettings {
        issuer: provider.issuer.clone(),
        client_id: "pages".to_owned(),
        client_secret: Some("p4ges s3cret+".into()),
        scopes: vec!["profile".to_owned(), "email".to_owned()],
        redirect_url,
        algorithms: vec![Algorithm::RS256],
        claims: claims("email"),
    });
    let sign_in = Some(SignInDoor::new("Larkfield", sign_in.expect("an address")));
    (House::open_with(Options { sign_in, listen: free, ..Options::default() }).await, provider)
}

/// A browser that keeps cookies by hand, so that the test sees each.
struct Browser {
    client: Client,
    cookies: Vec<(String, String, String)>,
}

impl Browser {
    fn new() -> Self {
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build();
        Self { client: client.expect("a client"), cookies: Vec::new() }
    }

    fn cookie(&self, address: &Url) -> String {
        let host = address.authority();
        let sent = self.cookies.iter().filter(|(of, ..)| of == host);
        sent.map(|(_, name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    async fn go(&mut self, address: &Url, form: Option<&[(&str, &str)]>) -> Response {
        let request = match form {
            Some(form) => self.client.post(address.clone()).form(form),
            None => self.client.get(address.clone()),
        };
        let answer = request.header(COOKIE, self.cookie(address)).send().await.expect("answers");
        for cookie in answer.headers().get_all(SET_COOKIE) {
            let cookie = cookie.to_str().expect("text");
            let (name, value) =
                cookie.split(';').next().and_then(|pair| pair.split_once('=')).expect("a pair");
            let host = address.authority().to_owned();
            self.cookies.retain(|(of, known, _)| (of, known.as_str()) != (&host, name));
            self.cookies.push((host, name.to_owned(), value.to_owned()));
        }
        answer
    }

    /// Follows where it is led, and signs in as somebody where a form asks; the address that leads back to the house.
    async fn follow_home(&mut self, from: Url, who: &str, house: &str) -> Url {
        let mut address = from;
        for _ in 0..12 {
            let answer = self.go(&address, None).await;
            let next = match answer.status().as_u16() {
                300..=399 => address.join(answer.headers()[LOCATION].to_str().expect("text")),
                _ => {
                    let page = answer.text().await.expect("text");
                    let (_, rest) = page.split_once("action=\"").expect("a form");
                    let action = address.join(rest.split('"').next().expect("a value"));
                    let action = action.expect("an address");
                    let form: &[(&str, &str)] = match page.contains("name=\"login\"") {
                        true => &[("prompt", "login"), ("login", who), ("password", "x")],
                        false => &[("prompt", "consent")],
                    };
                    let answer = self.go(&action, Some(form)).await;
                    action.join(answer.headers()[LOCATION].to_str().expect("text"))
                }
            };
            address = next.expect("an address");
            if address.as_str().starts_with(house) {
                return address;
            }
        }
        panic!("the provider leads nowhere: {address}");
    }
}

async fn begin(house: &House, browser: &mut Browser, next: &str) -> Url {
    let address = Url::parse(&house.url(&format!("/sign-in/oidc?next={next}"))).expect("one");
    let answer = browser.go(&address, None).await;
    assert_eq!(answer.status(), 302);
    Url::parse(answer.headers()[LOCATION].to_str().expect("text")).expect("an address")
}

fn led(answer: &Response) -> String {
    answer.headers()[LOCATION].to_str().expect("text").to_owned()
}

#[tokio::test]
async fn somebody_signs_in_and_out() {
    let (house, provider) = house().await;
    let ways: Value = house
        .client
        .get(house.url("/sign-in/ways"))
        .send()
        .await
        .expect("")
        .json()
        .await
        .expect("");
    assert_eq!(ways, json!({"provider": {"name": "Larkfield", "address": "/sign-in/oidc"}}));
    let mut browser = Browser::new();
    let out = begin(&house, &mut browser, "/floor/routing").await;
    let sent: std::collections::HashMap<_, _> = out.query_pairs().into_owned().collect();
    assert!(out.as_str().starts_with(&provider.issuer));
    assert_eq!(
        (sent["response_type"].as_str(), sent["code_challenge_method"].as_str()),
        ("code", "S256")
    );
    assert!(
        sent["state"].len() >= 43
            && sent["nonce"].len() >= 43
            && sent["code_challenge"].len() == 43
    );
    assert!(!sent.contains_key("code_verifier"));

    let back = browser.follow_home(out, "ada", &house.url("/")).await;
    let answer = browser.go(&back, None).await;
    assert_eq!((answer.status().as_u16(), led(&answer).as_str()), (302, "/floor/routing"));
    let cookie = answer.headers()[SET_COOKIE].to_str().expect("text");
    assert!(cookie.contains("; HttpOnly; SameSite=Strict"), "{cookie}");
    let me = Url::parse(&house.url("/v1/me")).expect("an address");
    let seen: Value = browser.go(&me, None).await.json().await.expect("JSON");
    let who = (&seen["name"], &seen["role"], &seen["tenant"]);
    assert_eq!(who, (&json!("ada@larkfield.example"), &json!("supervisor"), &json!("demo")));

    // The same answer again opens nothing: its state is used up.
    let again =
        Browser { cookies: browser.cookies.clone(), ..Browser::new() }.go(&back, None).await;
    assert_eq!(led(&again), "/?problem=sign-in-expired");

    // Who signs in once more has the new session only.
    let mut earlier = Browser { cookies: browser.cookies.clone(), ..Browser::new() };
    let out = begin(&house, &mut browser, "/").await;
    let back = browser.follow_home(out, "ada", &house.url("/")).await;
    browser.go(&back, None).await;
    assert_eq!(earlier.go(&me, None).await.status(), 401);
    assert_eq!(browser.go(&me, None).await.status(), 200);

    // A write by the session needs this service's own page behind it.
    let out = browser.client.post(house.url("/sign-out")).header(COOKIE, browser.cookie(&me));
    let foreign = out.try_clone().expect("no body").header(ORIGIN, "http://evil.example");
    assert_eq!(foreign.send().await.expect("answers").status(), 403);
    let ours = out.header(ORIGIN, house.url(""));
    assert_eq!(ours.send().await.expect("answers").status(), 204);
    assert_eq!(browser.go(&me, None).await.status(), 401);
}

#[tokio::test]
async fn whoever_is_nobody_here_does_not_come_in() {
    let (house, _provider) = house().await;
    for who in ["stray", "unsure"] {
        let mut browser = Browser::new();
        let out = begin(&house, &mut browser, "/").await;
        let back = browser.follow_home(out, who, &house.url("/")).await;
        let answer = browser.go(&back, None).await;
        assert_eq!(led(&answer), "/?problem=sign-in-refused", "{who}");
        let session = browser.cookies.iter().any(|(_, name, _)| name == "backchannel_session");
        assert!(!session, "{who}");
    }
}

#[tokio::test]
async fn an_answer_counts_in_the_browser_that_asked_and_once() {
    let (house, provider) = house().await;
    let mut mallory = Browser::new();
    let out = begin(&house, &mut mallory, "/").await;
    let back = mallory.follow_home(out, "emma", &house.url("/")).await;
    // Somebody is made to follow another's link: they must not find themselves in a foreign session.
    let answer = Browser::new().go(&back, None).await;
    assert_eq!(led(&answer), "/?problem=sign-in-expired");
    // And with that the link is used up for mallory, too.
    assert_eq!(led(&mallory.go(&back, None).await), "/?problem=sign-in-expired");

    let change = |address: &Url, name: &str, value: Option<&str>| {
        let pairs: Vec<(String, String)> = address
            .query_pairs()
            .filter(|(key, _)| key != name)
            .map(|(k, v)| (k.into(), v.into()))
            .collect();
        let mut changed = address.clone();
        changed.query_pairs_mut().clear().extend_pairs(pairs);
        if let Some(value) = value {
            changed.query_pairs_mut().append_pair(name, value);
        }
        changed
    };
    let refused = "/?problem=sign-in-refused";
    for (name, value, expected) in [
        ("state", Some("guessed"), "/?problem=sign-in-expired"),
        ("state", None, "/?problem=sign-in-expired"),
        ("code", Some("guessed"), refused),
        ("code", None, refused),
        // This provider says who it is: an answer from another, or from nobody, is not its own.
        ("iss", Some("https://evil.example"), refused),
        ("iss", None, refused),
        ("error", Some("access_denied"), refused),
    ] {
        let mut browser = Browser::new();
        let out = begin(&house, &mut browser, "/").await;
        let back = browser.follow_home(out, "emma", &house.url("/")).await;
        let answer = browser.go(&change(&back, name, value), None).await;
        assert_eq!(led(&answer), expected, "{name} {value:?}");
    }
    // A code that was got for one sign-in does nothing in another of the same browser: the verifier differs.
    let mut browser = Browser::new();
    let one = begin(&house, &mut browser, "/").await;
    let one = browser.follow_home(one, "emma", &house.url("/")).await;
    let two = begin(&house, &mut browser, "/").await;
    let two = browser.follow_home(two, "emma", &house.url("/")).await;
    let code = one.query_pairs().find(|(name, _)| name == "code").expect("a code").1.into_owned();
    assert_eq!(led(&browser.go(&change(&two, "code", Some(&code)), None).await), refused);
    assert!(provider.issuer.starts_with("http://127.0.0.1"));
}

#[tokio::test]
async fn a_provider_that_is_down_is_said_and_nothing_else() {
    let settings = SignInSettings {
        issuer: "http://127.0.0.1:9".to_owned(),
        client_id: "pages".to_owned(),
        client_secret: None,
        scopes: Vec::new(),
        redirect_url: "http://127.0.0.1:9/cb".to_owned(),
        algorithms: vec![Algorithm::RS256],
        claims: claims("email"),
    };
    let sign_in = SignIn::new(settings).expect("an address");
    let sign_in = Some(SignInDoor::new("Larkfield", sign_in));
    let house = House::open_with(Options { sign_in, ..Options::default() }).await;
    let answer = house.client.get(house.url("/sign-in/oidc")).send().await.expect("answers");
    assert_eq!(
        (answer.status().as_u16(), led(&answer).as_str()),
        (302, "/?problem=sign-in-unavailable")
    );
    let (status, _) = House::open().await.get("/sign-in/oidc").await;
    assert_eq!(status, 404, "without one there is no such way");
}
