//! Who takes which work, through the public doors, over real sockets.

mod bots;
mod cards;
mod erased;
mod live;
mod plan;

use backchannel::app::routing::{PlanText, RoutingSettings};
use backchannel::domain::{AccessRole, PlanForm};
use backchannel::serve::auth::Principal;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::serve::harness::{ADAS_KEY, House, KEY, Options};

pub const PLAN: &str = include_str!("plan.toml");

/// Chats become items of the workstream `chats`.
pub fn routed(plan: Option<&str>) -> Options {
    let text = |text: &str| PlanText { form: PlanForm::Toml, text: text.to_owned() };
    let routing = RoutingSettings {
        plan: plan.map(text),
        workstreams: [("chat".to_owned(), "chats".to_owned())].into(),
        ..RoutingSettings::default()
    };
    // Ada answers here; elsewhere she looks after the articles.
    let ada = Principal::new("Ada", AccessRole::Agent, "demo".into());
    Options { routing, keys: vec![(ADAS_KEY.to_owned(), ada)], ..Options::default() }
}

pub async fn put(house: &House, text: &str, expected: Option<&str>) -> (StatusCode, String) {
    let request = house.client.put(house.url("/v1/routing/plan")).bearer_auth(KEY);
    let request = request.header("content-type", "application/toml").body(text.to_owned());
    let request = match expected {
        Some(epoch) => request.header("if-match", format!("\"{epoch}\"")),
        None => request,
    };
    let answer = request.send().await.expect("answers");
    (answer.status(), answer.text().await.expect("a text"))
}

pub async fn presence(house: &House, agent: &str, presence: &str) -> Value {
    let path = format!("/v1/routing/agents/{agent}/presence");
    let (status, set) = house.post(&path, json!({"presence": presence})).await;
    assert_eq!(status, 200, "{set}");
    set
}

pub async fn offer(house: &House, id: &str, attributes: Value) -> Value {
    let item = json!({"id": id, "workstream": "chats", "attributes": attributes});
    let (status, item) = house.post("/v1/work-items", item).await;
    assert!(status.is_success(), "{item}");
    item
}

pub async fn item(house: &House, id: &str) -> Value {
    let (status, item) = house.get(&format!("/v1/work-items/{id}")).await;
    assert_eq!(status, 200, "{item}");
    item
}

/// What happens behind a message comes by itself.
pub async fn until(house: &House, id: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..1_000 {
        let (status, item) = house.get(&format!("/v1/work-items/{id}")).await;
        if status == 200 && is_so(&item) {
            return item;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("it never was so: {}", item(house, id).await);
}
