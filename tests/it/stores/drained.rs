//! A rolling restart: SIGTERM while customers write. The service says that it isn't ready, finishes what it has begun and
//! ends; the next one on the same log has every message that was acknowledged, once, and goes on with the conversations.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::Rng as _;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

use super::cluster;
use crate::seed;

/// Restarts of the short form; `BACKCHANNEL_RESTARTS=20` is a long one.
const RESTARTS: u32 = 2;
const CONVERSATIONS: usize = 8;
const PATIENCE: Duration = Duration::from_secs(120);
/// The service's own grace, and what a slow machine adds.
const ENDS_WITHIN: Duration = Duration::from_secs(60);

struct Served {
    child: Child,
    url: String,
    key: String,
    client: Client,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Served {
    async fn start(folder: &Path, store: &str) -> Self {
        let ready = folder.join("ready.json");
        let _ = std::fs::remove_file(&ready);
        let child = Command::new(env!("CARGO_BIN_EXE_backchannel"))
            .args(["serve", "--demo", "--listen", "127.0.0.1:0"])
            .arg("--data")
            .arg(folder.join("data"))
            .arg("--ready-file")
            .arg(&ready)
            .env("RUST_LOG", "warn")
            .env("BACKCHANNEL__STORE__URL", store)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let begun = Instant::now();
        let access: Value = loop {
            let text = std::fs::read_to_string(&ready).unwrap_or_default();
            match serde_json::from_str(&text) {
                Ok(access) => break access,
                Err(_) => assert!(begun.elapsed() < PATIENCE, "it is never ready"),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        let text = |name: &str| access[name].as_str().expect("text").to_owned();
        // A connection of before the stop would go on to be answered.
        let client = Client::builder().no_proxy().pool_max_idle_per_host(0).timeout(PATIENCE);
        let served = Self {
            child,
            url: text("url"),
            key: text("api_key"),
            client: client.build().expect("a client"),
        };
        served.routes(begun).await;
        served
    }

    /// The router reads the log on a thread of its own, and is there soon after.
    async fn routes(&self, begun: Instant) {
        loop {
            let request = self.client.get(format!("{}/v1/routing/plan", self.url));
            let answer = request.bearer_auth(&self.key).send().await.expect("answers");
            if answer.status() == StatusCode::OK {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "the router never answers: {}", answer.status());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn terminate(&self) {
        let pid = self.child.id().to_string();
        let told = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(told.expect("kill is there").success());
    }

    /// Waits until it isn't ready: it says so, or takes no connection any more.
    async fn stops_being_ready(&self) {
        let begun = Instant::now();
        loop {
            match self.client.get(format!("{}/readyz", self.url)).send().await {
                Ok(answer) if answer.status() == StatusCode::OK => {}
                Ok(answer) => {
                    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
                    return;
                }
                Err(_) => return,
            }
            assert!(begun.elapsed() < ENDS_WITHIN, "it stays ready");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn ends(mut self) {
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                break status;
            }
            assert!(begun.elapsed() < ENDS_WITHIN, "it doesn't end");
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        assert!(status.success(), "{status}");
    }

    async fn post(&self, path: &str, body: &Value) -> Option<StatusCode> {
        let request = self.client.post(format!("{}{path}", self.url)).bearer_auth(&self.key);
        Some(request.json(body).send().await.ok()?.status())
    }

    /// What a conversation's turns say.
    async fn said(&self, id: &str) -> Vec<String> {
        let request = self.client.get(format!("{}/v1/conversations/{id}", self.url));
        let answer = request.bearer_auth(&self.key).send().await.expect("answers");
        let shown: Value = answer.json().await.expect("JSON");
        let turns = shown["turns"].as_array().unwrap_or_else(|| panic!("{id}: {shown}"));
        turns.iter().map(|turn| turn["text"].as_str().expect("text").to_owned()).collect()
    }
}

/// One customer, who writes until nobody answers.
#[derive(Default)]
struct Customer {
    acknowledged: Vec<String>,
    /// What was sent last, and isn't known to have been taken.
    doubtful: Option<String>,
}

fn text_of(customer: usize, number: usize) -> String {
    // No run of digits, which would be masked.
    let digits = number.to_string().into_bytes();
    let letters: String = digits.iter().map(|digit| char::from(digit - b'0' + b'a')).collect();
    format!("Customer {customer} writes message {letters}.")
}

fn message(customer: usize, number: usize) -> Value {
    let text = text_of(customer, number);
    json!({"id": format!("m-{number}"), "role": "customer", "text": text})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_in_the_middle_loses_nothing_that_was_acknowledged() {
    restarts("sqlite:").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nor_does_one_on_postgresql_and_the_router_comes_back() {
    restarts(&cluster::database().await).await;
}

async fn restarts(store: &str) {
    let mut random = seed::random();
    let folder = tempfile::tempdir().expect("a folder");
    let mut customers: Vec<Customer> = (0..CONVERSATIONS).map(|_| Customer::default()).collect();
    for round in 0..seed::count("BACKCHANNEL_RESTARTS", RESTARTS) {
        let served = Arc::new(Served::start(folder.path(), store).await);
        for (number, customer) in customers.iter_mut().enumerate() {
            check(&served, number, customer).await;
        }
        let writing = customers.drain(..).enumerate().map(|(number, customer)| {
            let served = served.clone();
            tokio::spawn(async move { write(&served, number, customer).await })
        });
        let writing: Vec<_> = writing.collect();
        tokio::time::sleep(Duration::from_millis(random.random_range(800..2_500))).await;
        served.terminate();
        served.stops_being_ready().await;
        for one in writing {
            customers.push(one.await.expect("no panic"));
        }
        let served = Arc::into_inner(served).expect("nobody else has it");
        served.ends().await;
        let written: usize = customers.iter().map(|one| one.acknowledged.len()).sum();
        println!("restart {round}: {written} messages acknowledged by now");
        assert!(written > 0, "nobody was answered");
    }
    let served = Served::start(folder.path(), store).await;
    for (number, customer) in customers.iter_mut().enumerate() {
        check(&served, number, customer).await;
    }
    served.terminate();
    served.ends().await;
}

/// Everything is there in its order; what was doubtful is sent again, and is there once.
async fn check(served: &Served, number: usize, customer: &mut Customer) {
    let id = format!("drained-{number}");
    let path = format!("/v1/conversations/{id}/turns");
    if let Some(text) = customer.doubtful.take() {
        let again = message(number, customer.acknowledged.len());
        assert_eq!(again["text"], text.as_str());
        // The start of the conversation itself may be what nobody heard of.
        served.post("/v1/conversations", &json!({"id": id, "channel": "chat"})).await;
        let status = served.post(&path, &again).await.expect("answers");
        assert!(status.is_success(), "{status}");
        customer.acknowledged.push(text);
    }
    if !customer.acknowledged.is_empty() {
        assert_eq!(served.said(&id).await, customer.acknowledged);
    }
}

async fn write(served: &Served, number: usize, mut customer: Customer) -> Customer {
    let id = format!("drained-{number}");
    let opening = json!({"id": id, "channel": "chat"});
    let opened = served.post("/v1/conversations", &opening).await;
    let mut goes_on = opened.is_some_and(|status| status.is_success());
    while goes_on {
        let next = customer.acknowledged.len();
        let path = format!("/v1/conversations/{id}/turns");
        let status = served.post(&path, &message(number, next)).await;
        goes_on = status.is_some_and(|status| status.is_success());
        match goes_on {
            true => customer.acknowledged.push(text_of(number, next)),
            // It may have been taken all the same.
            false => customer.doubtful = Some(text_of(number, next)),
        }
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
    customer
}
