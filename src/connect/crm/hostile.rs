//! A CRM whose answers are almost right: in each a value is replaced by another. Whatever comes, a connector answers
//! or says why not; it doesn't panic, and quotes nobody.

use axum::body::{Body, to_bytes};
use axum::response::Response;
use http::Request;
use reqwest::Url;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::conformance::{Look, Person, Way};
use super::samples;
use crate::connect::destination::DeliveryError;
use crate::domain::{Contact, ContactKey, DedupeKey};

const ROUNDS: u64 = 30;
const SECRET: &str = "Countess";

/// Each round with a seed of its own, which a failure names.
///
/// # Panics
/// When the connector does, or when an error quotes a customer.
pub async fn survives(look: &dyn Look) {
    let person = Person {
        name: format!("Ada {SECRET}"),
        phone: Some("+44 20 7946 0123".to_owned()),
        email: Some("countess@example.test".to_owned()),
    };
    let contact = Contact { id: look.add_contact(&person).await, ..Contact::default() };
    let case = look.add_case(&contact.id, &format!("The {SECRET}'s router")).await;
    for seed in 1..=ROUNDS {
        let (proxy, listening) = before(look.url(), seed).await;
        let crm = look.connector(&Way::At(proxy));
        let mut told = Vec::new();
        let mut hear =
            |error: Option<DeliveryError>| told.extend(error.map(|error| error.to_string()));
        for key in [
            ContactKey::Phone("+442079460123".to_owned()),
            ContactKey::Email("countess@example.test".to_owned()),
            ContactKey::Id(contact.id.clone()),
        ] {
            hear(crm.find_contacts(&key).await.err());
        }
        hear(crm.open_cases(&contact, 5).await.err());
        hear(crm.history(&contact, 5).await.err());
        hear(crm.account_facts(&contact).await.err());
        for effect in samples::all(&contact.id, &case) {
            let key = DedupeKey::of(&["hostile", &seed.to_string(), effect.operation()]);
            hear(crm.deliver(&effect, &key).await.err());
            hear(crm.delivered(&effect, &key).await.err());
        }
        listening.abort();
        for error in told {
            let quotes =
                error.contains(SECRET) || error.contains("example.test") || error.contains("0123");
            assert!(!quotes, "{}, seed {seed}: {error}", crm.system());
        }
    }
}

/// Forwards to the CRM, and changes a value in every second answer.
async fn before(target: Url, seed: u64) -> (Url, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it has one");
    let client =
        reqwest::Client::builder().no_proxy().tls_certs_only(None).build().expect("a client");
    let dice = std::sync::Arc::new(std::sync::Mutex::new(Dice(
        seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
    )));
    let mut url = target.clone();
    url.set_port(Some(address.port())).expect("a port");
    let router = axum::Router::new().fallback(move |request: Request<Body>| {
        let (client, target, dice) = (client.clone(), target.clone(), dice.clone());
        async move {
            let (head, body) = request.into_parts();
            let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
            let mut url = target;
            url.set_path(head.uri.path());
            url.set_query(head.uri.query());
            let mut headers = head.headers;
            headers.remove("host");
            headers.remove("content-length");
            let answer = client.request(head.method, url).headers(headers).body(body).send().await;
            let answer = answer.expect("the CRM answers");
            let status = answer.status();
            let mut text = answer.text().await.expect("a text");
            let mut dice = dice.lock().expect("nobody panics with it");
            if let Ok(mut value) = serde_json::from_str::<Value>(&text)
                && dice.roll(2) == 0
            {
                spoil(&mut value, &mut dice);
                text = value.to_string();
            }
            let mut response = Response::new(Body::from(text));
            *response.status_mut() = status;
            let json = http::HeaderValue::from_static("application/json");
            response.headers_mut().insert(http::header::CONTENT_TYPE, json);
            response
        }
    });
    let listening =
        tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
    (url, listening)
}

/// xorshift64: the same throws for the same seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap_or(0) % sides
    }
}

/// Walks down from the top and replaces what it stops at.
fn spoil(value: &mut Value, dice: &mut Dice) {
    let goes_on = dice.roll(5) > 0;
    match value {
        Value::Array(all) if goes_on && !all.is_empty() => {
            let at = dice.roll(all.len());
            spoil(&mut all[at], dice);
        }
        Value::Object(all) if goes_on && !all.is_empty() => {
            let at = dice.roll(all.len());
            if let Some((_, inner)) = all.iter_mut().nth(at) {
                spoil(inner, dice);
            }
        }
        _ => *value = other(dice),
    }
}

fn other(dice: &mut Dice) -> Value {
    let others = [
        Value::Null,
        json!(true),
        json!(0),
        json!(-1),
        json!(u64::MAX),
        json!(1e300),
        json!(""),
        json!(SECRET),
        json!("é".repeat(300)),
        json!("2026-13-45T99:99:99Z"),
        json!("-9999-01-01 00:00:00"),
        json!("../../admin?x=1#"),
        json!("<p>&#xFFFFFF;&"),
        json!("[backchannel:"),
        json!([]),
        json!({}),
        json!([[], [null], {"id": {}}]),
        json!({"id": [1], "results": 7, "value": {"value": {}}}),
    ];
    let at = dice.roll(others.len());
    others[at].clone()
}
