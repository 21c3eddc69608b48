//! The doors, before a router that only remembers what it was told.

mod masked;
mod twilio;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::routing::{get, post, put};
use serde_json::{Value, json};

use super::*;
use crate::connect::routing::callback::Instruction;
use crate::domain::{Candidate, ErrorKind, RoutingMode};

#[derive(Default)]
struct Told {
    items: Mutex<BTreeMap<String, WorkItem>>,
    offers: Mutex<Vec<WantedItem>>,
    steps: Mutex<Vec<(String, Step, String)>>,
    plan: Mutex<Option<PlanInForce>>,
    reserved: Mutex<Vec<Reserved>>,
}

struct House {
    told: Told,
    callback: Callback,
    party_attributes: Vec<String>,
    /// The router never answers.
    hangs: bool,
}

const PUBLIC: &str = "https://copilot.example.test";

fn decision(id: &DecisionId) -> Decision {
    Decision {
        id: id.clone(),
        item: "i-1".into(),
        queue: "billing".into(),
        mode: RoutingMode::Shadow,
        policy: "context".into(),
        epoch: 1,
        chosen: Some(Candidate { agent: "emma".into(), score: 1.5, terms: vec![] }),
        runner_up: None,
        others: vec![],
        rules_matched: vec![],
        would_change: vec![],
        reason: "the only one".into(),
        features: vec![],
        at_ms: 1,
    }
}

#[async_trait]
impl RoutingDoor for House {
    fn party_attributes(&self) -> &[String] {
        &self.party_attributes
    }

    async fn offer(
        &self,
        _: &TenantId,
        item: WantedItem,
        _: &str,
        _: Option<&str>,
    ) -> Result<(WorkItem, bool), Failure> {
        let mut items = self.told.items.lock().unwrap();
        let is_new = !items.contains_key(item.id.as_str());
        let view = WorkItem {
            id: item.id.to_string(),
            workstream: item.workstream.clone(),
            state: "offered".into(),
            agent: Some("Emma".into()),
            ..WorkItem::default()
        };
        items.insert(view.id.clone(), view.clone());
        self.told.offers.lock().unwrap().push(item);
        Ok((view, is_new))
    }

    async fn item(&self, _: &TenantId, id: &WorkItemId) -> Result<Option<WorkItem>, Failure> {
        Ok(self.told.items.lock().unwrap().get(id.as_str()).cloned())
    }

    async fn step(
        &self,
        _: &TenantId,
        id: &WorkItemId,
        step: Step,
        by: &str,
        only_of: Option<&str>,
    ) -> Result<WorkItem, Failure> {
        let no = |kind, message: &str| Failure { kind, message: message.to_owned() };
        let item = self.told.items.lock().unwrap().get(id.as_str()).cloned();
        let item = item.ok_or_else(|| no(ErrorKind::NotFound, "no such work item"))?;
        if only_of.is_some_and(|name| item.agent.as_deref() != Some(name)) {
            return Err(no(ErrorKind::Denied, "somebody else's"));
        }
        self.told.steps.lock().unwrap().push((id.to_string(), step, by.to_owned()));
        Ok(item)
    }

    async fn decision(&self, _: &TenantId, id: &DecisionId) -> Result<Option<Decision>, Failure> {
        Ok((id.as_str() == "d-1").then(|| decision(id)))
    }

    async fn decisions(
        &self,
        _: &TenantId,
        queue: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Decision>, Failure> {
        let count = if queue == Some("none") { 0 } else { limit };
        Ok((0..count).map(|number| decision(&format!("d-{number}").as_str().into())).collect())
    }

    async fn queues(&self, _: &TenantId) -> Result<Vec<QueueState>, Failure> {
        Ok(vec![QueueState { name: "billing".into(), waiting: 3, ..QueueState::default() }])
    }

    async fn agents(&self, _: &TenantId) -> Result<Vec<AgentState>, Failure> {
        Ok(vec![AgentState { name: "Emma".into(), ..AgentState::default() }])
    }

    async fn set_presence(
        &self,
        _: &TenantId,
        agent: &str,
        presence: &str,
        _: &str,
    ) -> Result<AgentState, Failure> {
        let (name, presence) = (agent.to_owned(), presence.to_owned());
        Ok(AgentState { name, presence, on_shift: true, capacity: vec![] })
    }

    async fn plan(&self, _: &TenantId) -> Result<Option<PlanInForce>, Failure> {
        Ok(self.told.plan.lock().unwrap().clone())
    }

    async fn replace_plan(
        &self,
        _: &TenantId,
        new: NewPlan,
        expected: Option<u64>,
        _: &str,
    ) -> Result<PlanInForce, PlanRefusal> {
        let mut plan = self.told.plan.lock().unwrap();
        let epoch = plan.as_ref().map_or(0, |plan| plan.epoch);
        if expected.is_some_and(|expected| expected != epoch) {
            return Err(PlanRefusal::Changed { epoch });
        }
        if new.text.contains("wrong") {
            let mistake = |place: &str, line_column| PlanMistake {
                place: place.to_owned(),
                line_column,
                what: "must be 30 or more".to_owned(),
                instead: "write 30".to_owned(),
            };
            let all = vec![
                mistake("queues[2].overflow.after[0].wait_s", Some((4, 1))),
                mistake("seed", None),
            ];
            return Err(PlanRefusal::Mistakes(all));
        }
        let new = PlanInForce { epoch: epoch + 1, form: new.form, text: new.text };
        *plan = Some(new.clone());
        Ok(new)
    }

    async fn pack(
        &self,
        _: &TenantId,
        conversation: &ConversationId,
    ) -> Result<Option<wire::HandOverPack>, Failure> {
        let pack =
            wire::HandOverPack { conversation_id: conversation.to_string(), ..Default::default() };
        Ok((conversation.as_str() == "c-1").then_some(pack))
    }

    async fn recommendation(&self, _: &TenantId, id: &str) -> Result<Option<Fields>, Failure> {
        let fields = Fields::from([("backchannel_agent".to_owned(), "WK1".to_owned())]);
        Ok((id == "c-1").then_some(fields))
    }

    fn taskrouter(&self) -> Option<TaskRouterDoor<'_>> {
        let address: &(dyn Fn(&str) -> String + Send + Sync) = &|path| format!("{PUBLIC}{path}");
        Some(TaskRouterDoor { tenant: "t".into(), callback: &self.callback, address })
    }

    async fn reserved(&self, _: &TenantId, reserved: Reserved) -> Result<(), Failure> {
        self.told.reserved.lock().unwrap().push(reserved);
        if self.hangs {
            std::future::pending::<()>().await;
        }
        Err(Failure { kind: ErrorKind::Unavailable, message: "the log is full".into() })
    }
}

/// A server on loopback. The header `x-role` says who comes.
struct Served {
    house: Arc<House>,
    url: String,
    listening: tokio::task::JoinHandle<()>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn somebody(mut request: Request, next: Next) -> axum::response::Response {
    let role = request.headers().get("x-role").and_then(|value| value.to_str().ok());
    let role = role.unwrap_or("agent");
    let known = AccessRole::parse(role).unwrap_or(AccessRole::Agent);
    let mut principal = Principal::new("Emma", known, "t".into());
    principal.is_operator |= role == "operator";
    request.extensions_mut().insert(principal);
    next.run(request).await
}

impl House {
    fn new() -> Self {
        let callback = Callback {
            auth_token: "12345".into(),
            instruction: Instruction::Accept,
            reject_others: None,
        };
        let party_attributes = vec!["mobil".to_owned()];
        Self { told: Told::default(), callback, party_attributes, hangs: false }
    }
}

impl Served {
    async fn new() -> Self {
        let house = Arc::new(House::new());
        let door: Arc<dyn RoutingDoor> = house.clone();
        let router = Router::new()
            .route("/v1/work-items", post(items::offer))
            .route("/v1/work-items/{id}", get(items::show))
            .route("/v1/work-items/{id}/accept", post(items::accept))
            .route("/v1/work-items/{id}/decline", post(items::decline))
            .route("/v1/work-items/{id}/transfer", post(items::transfer))
            .route("/v1/work-items/{id}/assign", post(items::assign))
            .route("/v1/work-items/{id}/end", post(items::end))
            .route("/v1/work-items/{id}/release", post(items::release))
            .route("/v1/routing/plan", put(plan::replace).get(plan::show))
            .route("/v1/routing/queues", get(floor::queues))
            .route("/v1/routing/agents", get(floor::agents))
            .route("/v1/routing/agents/{id}/presence", post(floor::presence))
            .route("/v1/routing/decisions", get(floor::decisions))
            .route("/v1/routing/decisions/{id}", get(floor::decision))
            .route("/v1/routing/recommendations/{id}", get(floor::recommendation))
            .route("/v1/routing/taskrouter", post(taskrouter::callback))
            .route("/v1/conversations/{id}/pack", get(floor::pack))
            .layer(from_fn(somebody))
            .with_state(door);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it has one"));
        let listening = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("it serves");
        });
        Self { house, url, listening }
    }

    async fn ask(&self, method: &str, path: &str, role: &str, body: Option<Value>) -> (u16, Value) {
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let method = method.parse().expect("a method");
        let mut request =
            client.request(method, format!("{}{path}", self.url)).header("x-role", role);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.expect("an answer");
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or(Value::Null))
    }
}

#[tokio::test]
async fn an_item_is_offered_once_under_its_own_name() {
    let served = Served::new().await;
    let offer = json!({
        "id": "case/7", "workstream": "records", "external_id": "WT1",
        "attributes": {"priority": 2, "vip": true, "product": "fibre"},
        "intents": [{"label": "refund", "probability": 0.9}], "preferred": ["Emma"],
    });
    let (status, item) = served.ask("POST", "/v1/work-items", "agent", Some(offer.clone())).await;
    assert_eq!((status, &item["id"]), (201, &json!("case/7")));
    let (status, _) = served.ask("POST", "/v1/work-items", "agent", Some(offer)).await;
    assert_eq!(status, 200);
    {
        let offers = served.house.told.offers.lock().unwrap();
        assert_eq!(offers[0].attributes.get("priority"), Some(&FeatureValue::Number(2.0)));
        assert_eq!(offers[0].attributes.get("vip"), Some(&FeatureValue::Flag(true)));
        assert_eq!((offers[0].intents.len(), offers[0].external_id.as_deref()), (1, Some("WT1")));
    }
    let (status, item) = served.ask("GET", "/v1/work-items/case%2F7", "agent", None).await;
    assert_eq!((status, &item["workstream"]), (200, &json!("records")));
    let (_, fresh) =
        served.ask("POST", "/v1/work-items", "agent", Some(json!({"workstream": "x"}))).await;
    assert!(fresh["id"].as_str().is_some_and(|id| id.starts_with("i-")), "{fresh}");
}

#[tokio::test]
async fn what_is_no_item_is_refused_with_its_place() {
    let served = Served::new().await;
    for (wrong, told) in [
        (json!({}), "workstream"),
        (json!({"workstream": " "}), "workstream"),
        (json!({"workstream": "x", "mood": 1}), "mood"),
        (
            json!({"workstream": "x", "intents": [{"label": "a", "probability": 1.5}]}),
            "probability",
        ),
        (json!({"workstream": "x", "attributes": {"": 1}}), "attribute"),
        (json!({"workstream": "x", "attributes": {"a": "b".repeat(3_000)}}), "attributes.a"),
        (json!({"workstream": "x", "preferred": vec!["a"; 21]}), "preferred"),
        (json!({"workstream": "x", "id": "i".repeat(201)}), "id"),
        (json!([null, null, null, "x"]), "object"),
    ] {
        let (status, problem) = served.ask("POST", "/v1/work-items", "agent", Some(wrong)).await;
        let detail = problem["detail"].as_str().unwrap_or_default();
        assert!(status == 422 && detail.contains(told), "{told}: {status} {problem}");
    }
    assert!(served.house.told.offers.lock().unwrap().is_empty());
}

#[tokio::test]
async fn steps_are_for_whoever_has_it_and_for_those_who_lead() {
    let served = Served::new().await;
    served
        .ask("POST", "/v1/work-items", "batch", Some(json!({"id": "i-1", "workstream": "x"})))
        .await;
    for step in ["accept", "decline", "end", "release"] {
        let path = format!("/v1/work-items/i-1/{step}");
        assert_eq!(served.ask("POST", &path, "agent", None).await.0, 200, "{step}");
    }
    served.house.told.items.lock().unwrap().get_mut("i-1").unwrap().agent = Some("Bo".into());
    let accept = "/v1/work-items/i-1/accept";
    for role in ["agent", "knowledge_manager", "batch"] {
        assert_eq!(served.ask("POST", accept, role, None).await.0, 403, "it is Bo's: {role}");
    }
    assert_eq!(served.ask("POST", accept, "supervisor", None).await.0, 200);
    assert_eq!(served.ask("POST", "/v1/work-items/i-9/end", "admin", None).await.0, 404);
    assert_eq!(served.ask("POST", "/v1/work-items/i-9/end", "agent", None).await.0, 404);
    let transfer =
        |to: Value| served.ask("POST", "/v1/work-items/i-1/transfer", "operator", Some(to));
    assert_eq!(transfer(json!({"queue": "sales"})).await.0, 200);
    assert_eq!(transfer(json!({"agent": "Cleo"})).await.0, 200);
    assert_eq!(transfer(json!({})).await.0, 422);
    assert_eq!(transfer(json!({"queue": "sales", "agent": "Cleo"})).await.0, 422);
    let assign = Some(json!({"agent": "Cleo"}));
    let path = "/v1/work-items/i-1/assign";
    assert_eq!(served.ask("POST", path, "agent", assign.clone()).await.0, 403);
    assert_eq!(served.ask("POST", path, "supervisor", assign).await.0, 200);
    let steps = served.house.told.steps.lock().unwrap();
    let last: Vec<&Step> = steps.iter().rev().take(3).map(|(_, step, _)| step).collect();
    let cleo = || "Cleo".to_owned();
    assert_eq!(
        last,
        [
            &Step::Assign { agent: cleo() },
            &Step::Transfer(Target::Agent(cleo())),
            &Step::Transfer(Target::Queue("sales".into())),
        ]
    );
}

#[tokio::test]
async fn a_plan_is_put_as_a_whole_and_each_mistake_has_its_place() {
    let served = Served::new().await;
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let put =
        |text: &'static str, kind: &'static str, role: &'static str, tag: Option<&'static str>| {
            let request = client.put(format!("{}/v1/routing/plan", served.url));
            let request = request.header("content-type", kind).header("x-role", role).body(text);
            match tag {
                Some(tag) => request.header("if-match", tag).send(),
                None => request.send(),
            }
        };
    assert_eq!(served.ask("GET", "/v1/routing/plan", "agent", None).await.0, 404);
    let toml = "application/toml; charset=utf-8";
    assert_eq!(put("seed = 1", toml, "agent", None).await.expect("answers").status(), 403);
    assert_eq!(put("seed = 1", "image/png", "admin", None).await.expect("answers").status(), 415);
    assert_eq!(put(" \n", toml, "admin", None).await.expect("answers").status(), 422);
    let wrong = put("wrong", toml, "admin", None).await.expect("answers");
    assert_eq!(wrong.status(), 422);
    let problem: Value = wrong.json().await.expect("JSON");
    assert_eq!(problem["type"], "urn:backchannel:problem:invalid");
    assert_eq!(problem["detail"], "the plan has 2 mistakes");
    let first = json!({"place": "queues[2].overflow.after[0].wait_s", "line": 4, "column": 1,
        "detail": "must be 30 or more", "instead": "write 30"});
    assert_eq!(problem["errors"][0], first);
    assert!(problem["errors"][1].get("line").is_none());
    let done = put("seed = 1", toml, "supervisor", Some("\"0\"")).await.expect("answers");
    assert_eq!(
        (done.status().as_u16(), done.headers()["etag"].to_str().ok()),
        (200, Some("\"1\""))
    );
    let late = put("seed = 2", toml, "admin", Some("\"0\"")).await.expect("answers");
    assert_eq!(late.status(), 412);
    let json =
        put("{\"seed\":2}", "application/json", "operator", Some("\"1\"")).await.expect("answers");
    assert_eq!(json.status(), 200);
    let (status, plan) = served.ask("GET", "/v1/routing/plan", "agent", None).await;
    assert_eq!((status, plan), (200, json!({"seed": 2})));
    let request = client.put(format!("{}/v1/routing/plan", served.url)).header("x-role", "admin");
    let bytes = request.header("content-type", toml).body(vec![0xff, 0xfe]).send();
    let bytes = bytes.await.expect("answers");
    assert_eq!(bytes.status(), 400);
    assert_eq!(bytes.headers()["content-type"], "application/problem+json");
    let odd = put("seed = 1", toml, "admin", Some("new")).await.expect("answers");
    assert_eq!(odd.status(), 422);
}

#[tokio::test]
async fn the_floor_is_shown_and_presence_is_said_for_oneself() {
    let served = Served::new().await;
    let get = |path: &'static str| served.ask("GET", path, "agent", None);
    assert_eq!(get("/v1/routing/queues").await.1["items"][0]["waiting"], 3);
    assert_eq!(get("/v1/routing/agents").await.1["items"][0]["name"], "Emma");
    assert_eq!(get("/v1/routing/decisions/d-1").await.1["chosen"]["agent"], "emma");
    assert_eq!(get("/v1/routing/decisions/d-9").await.0, 404);
    let (_, list) = get("/v1/routing/decisions?limit=2").await;
    assert_eq!(list["items"].as_array().map(Vec::len), Some(2));
    assert_eq!(get("/v1/routing/decisions?limit=0").await.0, 422);
    assert_eq!(get("/v1/conversations/c-1/pack").await.1["conversation_id"], "c-1");
    assert_eq!(get("/v1/conversations/c-9/pack").await.0, 404);
    assert_eq!(get("/v1/routing/recommendations/c-1").await.1, json!({"backchannel_agent": "WK1"}));
    assert_eq!(get("/v1/routing/recommendations/c-9").await, (200, json!({})));
    let say = |path: &'static str, role: &'static str, presence: &str| {
        served.ask("POST", path, role, Some(json!({"presence": presence})))
    };
    let (status, emma) = say("/v1/routing/agents/Emma/presence", "agent", "busy").await;
    assert_eq!((status, &emma["presence"]), (200, &json!("busy")));
    assert_eq!(say("/v1/routing/agents/Bo/presence", "agent", "busy").await.0, 403);
    assert_eq!(say("/v1/routing/agents/Bo/presence", "supervisor", "busy").await.0, 200);
    assert_eq!(say("/v1/routing/agents/Emma/presence", "agent", "asleep").await.0, 422);
}
