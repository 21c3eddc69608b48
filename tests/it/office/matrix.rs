//! Messages and rooms in a real Synapse.

use std::fs;
use std::process::Command;

use backchannel::connect::destination::{DeliveryError, Destination as _};
use backchannel::connect::teamchat::{Matrix, MatrixSettings, RoomRequest, Swarm as _};
use backchannel::domain::{ConversationId, Effect, Redacted, TeamMessage};
use reqwest::Client;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::proxy::Proxy;
use super::servers::{Running, filled, folder, start};
use super::{PATIENCE, key, peers};
use crate::ports::free_port;

struct Synapse {
    _dir: TempDir,
    port: u16,
    _running: Running,
}

/// Somebody with a token.
struct User {
    id: String,
    token: String,
}

impl Synapse {
    fn start() -> Self {
        let dir = folder();
        let port = free_port();
        let values = [("dir", dir.path().display().to_string()), ("port", port.to_string())];
        let config = dir.path().join("synapse.yaml");
        filled("synapse.yaml", &values, &config);
        fs::write(dir.path().join("log.yaml"), "version: 1\nroot: {level: CRITICAL}\n")
            .expect("written");
        let program = || {
            let mut command = Command::new(peers("peers-matrix").join("bin/python"));
            command.args(["-m", "synapse.app.homeserver", "-c"]).arg(&config);
            command
        };
        let made = program().arg("--generate-keys").output().expect("Synapse");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let running = start(&mut program(), port);
        Self { _dir: dir, port, _running: running }
    }

    async fn ask(&self, method: &str, path: &str, token: &str, body: Value) -> Value {
        let url = format!("http://127.0.0.1:{}/_matrix/client/v3/{path}", self.port);
        let request = Client::new().request(method.parse().expect("a method"), url);
        let request = if method == "GET" { request } else { request.json(&body) };
        let request = if token.is_empty() { request } else { request.bearer_auth(token) };
        let answer = request.send().await.expect("an answer");
        answer.json().await.expect("JSON")
    }

    async fn user(&self, name: &str) -> User {
        let body = json!({
            "auth": { "type": "m.login.dummy" },
            "username": name,
            "password": "open-sesame-17",
        });
        let answer = self.ask("POST", "register", "", body).await;
        let text = |field: &str| match answer[field].as_str() {
            Some(text) => text.to_owned(),
            None => panic!("{name} is not registered: {answer}"),
        };
        User { id: text("user_id"), token: text("access_token") }
    }

    async fn room(&self, user: &User) -> String {
        let answer = self.ask("POST", "createRoom", &user.token, json!({})).await;
        answer["room_id"].as_str().expect("a room").to_owned()
    }

    /// Texts of a room's messages, newest first.
    async fn messages(&self, room: &str, user: &User) -> Vec<Value> {
        let path = format!("rooms/{room}/messages?dir=b&limit=100");
        let answer = self.ask("GET", &path, &user.token, Value::Null).await;
        let all = answer["chunk"].as_array().expect("messages").iter();
        all.filter(|event| event["type"] == "m.room.message").cloned().collect()
    }

    fn matrix(&self, user: &User, port: u16) -> Matrix {
        let settings = MatrixSettings {
            name: "matrix".to_owned(),
            url: format!("http://127.0.0.1:{port}").parse().expect("an address"),
            token: user.token.clone().into(),
            user: user.id.clone(),
            patience: PATIENCE,
        };
        Matrix::new(settings).expect("settings that can be used")
    }
}

fn post(room: &str) -> Effect {
    Effect::PostMessage(TeamMessage {
        room: room.to_owned(),
        conversation: ConversationId::from("c-1"),
        title: Redacted::vouched("Help with a refund"),
        paragraphs: vec![Redacted::vouched("<b>@room</b> twice & late")],
        facts: vec![("Customer".to_owned(), Redacted::vouched("gold"))],
        link: Some("https://desk.example.org/c/c-1".to_owned()),
    })
}

#[tokio::test]
async fn the_same_message_twice_is_one_whatever_answer_is_lost() {
    let synapse = Synapse::start();
    let copilot = synapse.user("copilot").await;
    let room = synapse.room(&copilot).await;
    let proxy = Proxy::before(synapse.port, b"event_id", 1).await;
    let matrix = synapse.matrix(&copilot, proxy.port);
    let lost = matrix.deliver(&post(&room), &key("a")).await;
    assert!(matches!(lost, Err(DeliveryError::Unclear(_))), "{lost:?}");
    assert!(proxy.is_done());
    let found = matrix.delivered(&post(&room), &key("a")).await.expect("asked");
    let again = matrix.deliver(&post(&room), &key("a")).await.expect("the same transaction");
    assert_eq!(found, Some(again));
    assert_eq!(synapse.messages(&room, &copilot).await.len(), 1);
    matrix.deliver(&post(&room), &key("b")).await.expect("posted");
    let messages = synapse.messages(&room, &copilot).await;
    assert_eq!(messages.len(), 2);
    let html = messages[0]["content"]["formatted_body"].as_str().expect("HTML");
    assert!(html.contains("&lt;b&gt;@\u{2060}room&lt;/b&gt; twice &amp; late"), "{html}");
}

#[tokio::test]
async fn a_message_is_known_by_its_key_under_another_token() {
    let synapse = Synapse::start();
    let mut copilot = synapse.user("copilot").await;
    let room = synapse.room(&copilot).await;
    let first = synapse.matrix(&copilot, synapse.port).deliver(&post(&room), &key("a")).await;
    let body = json!({
        "type": "m.login.password",
        "identifier": { "type": "m.id.user", "user": "copilot" },
        "password": "open-sesame-17",
    });
    let login = synapse.ask("POST", "login", "", body).await;
    copilot.token = login["access_token"].as_str().expect("a token").to_owned();
    let matrix = synapse.matrix(&copilot, synapse.port);
    let found = matrix.delivered(&post(&room), &key("a")).await.expect("asked");
    assert_eq!(found, Some(first.expect("posted")));
    assert_eq!(matrix.delivered(&post(&room), &key("b")).await, Ok(None));
}

#[tokio::test]
async fn who_is_not_in_the_room_may_not_post() {
    let synapse = Synapse::start();
    let copilot = synapse.user("copilot").await;
    let owner = synapse.user("owner").await;
    let room = synapse.room(&owner).await;
    let denied = synapse.matrix(&copilot, synapse.port).deliver(&post(&room), &key("a")).await;
    assert!(matches!(denied, Err(DeliveryError::Denied(_))), "{denied:?}");
}

#[tokio::test]
async fn a_room_is_opened_once_and_people_are_asked_to_come() {
    let synapse = Synapse::start();
    let copilot = synapse.user("copilot").await;
    let ada = synapse.user("ada").await;
    let proxy = Proxy::before(synapse.port, b"room_id", 1).await;
    let matrix = synapse.matrix(&copilot, proxy.port);
    let request = RoomRequest {
        title: Redacted::vouched("A hard case"),
        topic: Redacted::vouched("Refund, twice"),
        people: vec![ada.id.clone(), "@nobody:elsewhere.invalid".to_owned()],
    };
    let lost = matrix.open_room(&request, &key("room")).await;
    assert!(matches!(lost, Err(DeliveryError::Unclear(_))), "{lost:?}");
    let first = matrix.open_room(&request, &key("room")).await.expect("found");
    let second = matrix.open_room(&request, &key("room")).await.expect("found");
    assert_eq!(first, second);
    assert_eq!(first.missing, ["@nobody:elsewhere.invalid"]);
    let joined = synapse.ask("POST", &format!("join/{}", first.id), &ada.token, json!({})).await;
    assert_eq!(joined["room_id"], first.id);
    matrix.deliver(&post(&first.id), &key("a")).await.expect("posted");
    assert_eq!(synapse.messages(&first.id, &ada).await.len(), 1);
}
