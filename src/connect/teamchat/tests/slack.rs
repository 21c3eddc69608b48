use serde_json::{Value, json};

use super::super::{RoomRequest, Slack, SlackSettings, Swarm as _};
use super::{PATIENCE, key, post};
use crate::connect::crm::played::{Asked, Play, Reply, Stage};
use crate::connect::destination::{DeliveryError, Destination as _};
use crate::domain::Redacted;

const ROOM: &str = "C024BE91L";

/// A workspace that remembers.
#[derive(Default)]
struct Workspace {
    messages: Vec<Value>,
    channels: Vec<Value>,
    invited: Vec<String>,
    /// What is answered instead of the next answer, after the thing was done.
    lost: Option<Reply>,
    /// An error instead of doing anything.
    error: Option<&'static str>,
    page: usize,
}

impl Workspace {
    fn history(&self, asked: &Asked) -> Value {
        let oldest = asked.body["oldest"].as_str().and_then(|text| text.parse::<i64>().ok());
        assert!(oldest.is_some(), "a bound: {:?}", asked.body);
        assert_eq!(asked.body["include_all_metadata"], "true");
        let from: usize = asked.body["cursor"].as_str().unwrap_or_default().parse().unwrap_or(0);
        let newest_first: Vec<&Value> =
            self.messages.iter().rev().skip(from).take(self.page).collect();
        let next = from + newest_first.len();
        let cursor = if next < self.messages.len() { next.to_string() } else { String::new() };
        json!({ "ok": true, "messages": newest_first, "response_metadata": { "next_cursor": cursor } })
    }
}

impl Play for Workspace {
    fn answer(&mut self, asked: &Asked) -> Reply {
        assert_eq!(asked.header("authorization"), Some("Bearer xoxb-secret"));
        if let Some(error) = self.error {
            return Reply::json(200, json!({ "ok": false, "error": error }));
        }
        let body = match asked.path.as_str() {
            "/api/chat.postMessage" => {
                let ts = format!("1764000000.{:06}", self.messages.len());
                let mut message = asked.body.clone();
                message["ts"] = json!(ts);
                self.messages.push(message);
                json!({ "ok": true, "channel": ROOM, "ts": ts })
            }
            "/api/conversations.history" => self.history(asked),
            "/api/conversations.create" => {
                let name = &asked.body["name"];
                match self.channels.iter().any(|channel| channel["name"] == *name) {
                    true => json!({ "ok": false, "error": "name_taken" }),
                    false => {
                        let channel = json!({ "id": "G0000000001", "name": name });
                        self.channels.push(channel.clone());
                        json!({ "ok": true, "channel": channel })
                    }
                }
            }
            "/api/conversations.list" => json!({ "ok": true, "channels": self.channels }),
            "/api/conversations.setTopic" => json!({ "ok": true }),
            "/api/conversations.invite" => {
                let person = asked.body["users"].as_str().expect("one").to_owned();
                match (person.as_str(), self.invited.contains(&person)) {
                    ("U0000STRANGE", _) => json!({ "ok": false, "error": "user_not_found" }),
                    (_, true) => json!({ "ok": false, "error": "already_in_channel" }),
                    (_, false) => {
                        self.invited.push(person);
                        json!({ "ok": true })
                    }
                }
            }
            other => panic!("{other}"),
        };
        self.lost.take().unwrap_or_else(|| Reply::json(200, body))
    }
}

async fn workspace() -> (Stage<Workspace>, Slack) {
    let stage = Stage::new(Workspace { page: 2, ..Workspace::default() }).await;
    let settings = SlackSettings {
        name: "slack".to_owned(),
        url: stage.url(),
        token: "xoxb-secret".into(),
        patience: PATIENCE,
    };
    let slack = Slack::new(settings).expect("settings that can be used");
    (stage, slack)
}

#[tokio::test]
async fn a_message_is_found_by_its_key_behind_others() {
    let (stage, slack) = workspace().await;
    assert_eq!(slack.delivered(&post(ROOM), &key("a")).await, Ok(None));
    let posted = slack.deliver(&post(ROOM), &key("a")).await.expect("posted");
    assert_eq!(posted.0, "C024BE91L/1764000000.000000");
    for other in ["b", "c", "d", "e"] {
        slack.deliver(&post(ROOM), &key(other)).await.expect("posted");
    }
    assert_eq!(slack.delivered(&post(ROOM), &key("a")).await, Ok(Some(posted)));
    assert_eq!(slack.delivered(&post(ROOM), &key("z")).await, Ok(None));
    assert_eq!(stage.player().messages.len(), 5);
}

#[tokio::test]
async fn a_message_whose_answer_was_lost_is_found() {
    for lost in [
        Reply::empty(502),
        Reply::empty(200),
        Reply::json(200, json!({ "ok": false, "error": "internal_error" })),
    ] {
        let (stage, slack) = workspace().await;
        stage.player().lost = Some(lost);
        let unclear = slack.deliver(&post(ROOM), &key("a")).await;
        assert!(matches!(unclear, Err(DeliveryError::Unclear(_))), "{unclear:?}");
        assert!(slack.delivered(&post(ROOM), &key("a")).await.expect("asked").is_some());
    }
}

#[tokio::test]
async fn errors_inside_a_success_are_errors() {
    let (stage, slack) = workspace().await;
    for (error, is_right) in [
        (
            "ratelimited",
            (|one| matches!(one, DeliveryError::Limited { .. })) as fn(&DeliveryError) -> bool,
        ),
        ("token_revoked", |one| matches!(one, DeliveryError::Denied(_))),
        ("not_in_channel", |one| matches!(one, DeliveryError::Denied(_))),
        ("channel_not_found", |one| matches!(one, DeliveryError::NotFound(_))),
        ("fatal_error", |one| matches!(one, DeliveryError::Unclear(_))),
        ("msg_too_long", |one| matches!(one, DeliveryError::Refused(_))),
        ("Zoe's own words", |one| {
            matches!(one, DeliveryError::Refused(_)) && !one.to_string().contains("Zoe")
        }),
    ] {
        stage.player().error = Some(error);
        let refused = slack.deliver(&post(ROOM), &key("a")).await.expect_err(error);
        assert!(is_right(&refused), "{error}: {refused:?}");
        let asked = slack.delivered(&post(ROOM), &key("a")).await;
        assert!(asked.is_err(), "not knowing is not nothing");
    }
    assert!(stage.player().messages.is_empty());
}

#[tokio::test]
async fn other_peoples_words_have_no_power() {
    let (stage, slack) = workspace().await;
    slack.deliver(&post(ROOM), &key("a")).await.expect("posted");
    let posted = stage.player().messages[0].clone();
    assert_eq!((&posted["parse"], &posted["link_names"]), (&json!("none"), &json!(false)));
    let mut own_links = 0;
    for block in posted["blocks"].as_array().expect("blocks") {
        let texts = block["fields"].as_array().into_iter().flatten().chain(block.get("text"));
        for text in texts.filter(|text| text["type"] == "mrkdwn") {
            let written = text["text"].as_str().expect("text");
            assert_eq!(text["verbatim"], true);
            assert!(written.chars().count() <= 3_000);
            match written.starts_with("<https://desk.example.org/c/c-1?a=1&amp;b=2|") {
                true => own_links += 1,
                false => assert!(!written.contains('<') && !written.contains("@here"), "{written}"),
            }
        }
    }
    assert_eq!(own_links, 1);
}

#[tokio::test]
async fn escaping_does_not_make_a_text_too_long() {
    let (stage, slack) = workspace().await;
    let mut message = super::message(ROOM);
    message.paragraphs = vec![Redacted::vouched("&".repeat(10_000))];
    slack.deliver(&crate::domain::Effect::PostMessage(message), &key("a")).await.expect("posted");
    let blocks = stage.player().messages[0]["blocks"].clone();
    let text = blocks[2]["text"]["text"].as_str().expect("text").to_owned();
    assert!(
        text.chars().count() <= 3_000 && text.trim_end_matches('…').ends_with("&amp;"),
        "{text}"
    );
}

#[tokio::test]
async fn a_channel_is_named_by_its_id() {
    let (_stage, slack) = workspace().await;
    for room in ["#general", "general", "C1", "", "C024BE91L/../x"] {
        let refused = slack.deliver(&post(room), &key("a")).await;
        assert!(matches!(refused, Err(DeliveryError::Refused(_))), "{room}: {refused:?}");
    }
}

#[tokio::test]
async fn a_room_is_opened_once_and_who_is_missing_is_told() {
    let (stage, slack) = workspace().await;
    let request = RoomRequest {
        title: Redacted::vouched("A hard case"),
        topic: Redacted::vouched("Refund <!here>"),
        people: vec!["U0000000ADA".to_owned(), "U0000STRANGE".to_owned()],
    };
    let first = slack.open_room(&request, &key("room")).await.expect("opened");
    let second = slack.open_room(&request, &key("room")).await.expect("found");
    assert_eq!(first, second);
    assert_eq!(first.id, "G0000000001");
    assert_eq!(first.missing, ["U0000STRANGE"]);
    assert_eq!(stage.player().channels.len(), 1);
    assert_eq!(stage.player().invited, ["U0000000ADA"]);
}
