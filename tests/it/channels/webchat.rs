//! A visitor of a company's page, from outside: what it can do, and what it never sees.

use std::time::Duration;

use backchannel::connect::channels::webchat::WebChat;
use backchannel::domain::*;
use backchannel::serve::ChannelDoors;
use futures_util::StreamExt as _;
use jiff::Timestamp;
use reqwest::{Method, Response};
use serde_json::{Value, json};

use super::super::serve::harness::{House, KEY, Options};

const PAGE: &str = "https://www.example.com";
const SECRET: &str = "a secret of thirty-two characters";

async fn house() -> House {
    house_in(None).await
}

async fn house_in(folder: Option<std::path::PathBuf>) -> House {
    let chat = WebChat::new(SECRET, &[PAGE.to_owned()], "demo".into()).expect("an origin");
    let channels = ChannelDoors { webchat: Some(chat), ..ChannelDoors::closed("demo".into()) };
    House::open_with(Options { channels, folder, ..Options::default() }).await
}

struct Visitor<'a> {
    house: &'a House,
    token: String,
}

impl<'a> Visitor<'a> {
    async fn arrive(house: &'a House) -> Self {
        let request = house.client.post(house.url("/v1/chat")).header("origin", PAGE);
        let answer = request.send().await.expect("answers");
        assert_eq!(answer.headers()["access-control-allow-origin"], PAGE);
        let (status, body) = house.checked(Method::POST, "/v1/chat", answer).await;
        assert_eq!(status, 201);
        Self { house, token: body["token"].as_str().expect("a token").to_owned() }
    }

    /// The conversation's name, which stands in the token.
    fn id(&self) -> &str {
        self.token.split_once('.').expect("two parts").0
    }

    async fn write(&self, id: &str, text: &str) -> (u16, Value) {
        let request = self.house.client.post(self.house.url("/v1/chat/turns"));
        let request = request.header("origin", PAGE).bearer_auth(&self.token);
        let answer = request.json(&json!({"id": id, "text": text})).send().await.expect("answers");
        let (status, body) = self.house.checked(Method::POST, "/v1/chat/turns", answer).await;
        (status.as_u16(), body)
    }

    /// Everything that comes until `count` events have: kind and data.
    async fn watch(&self, last: Option<&str>, count: usize) -> Vec<(String, String, Value)> {
        let request = self.house.client.get(self.house.url("/v1/chat/events"));
        let mut request = request.header("origin", PAGE).bearer_auth(&self.token);
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let answer = request.send().await.expect("answers");
        assert_eq!(answer.status(), 200);
        read(answer, count).await
    }
}

async fn read(answer: Response, count: usize) -> Vec<(String, String, Value)> {
    let mut bytes = answer.bytes_stream();
    let mut text = Vec::new();
    loop {
        let whole = String::from_utf8_lossy(&text).into_owned();
        let frames = whole.split("\n\n").filter(|frame| frame.starts_with("id: "));
        let frames: Vec<_> = frames.filter_map(frame).collect();
        if frames.len() >= count {
            return frames;
        }
        let chunk = tokio::time::timeout(Duration::from_secs(10), bytes.next());
        let chunk = chunk.await.expect("in time").expect("the stream goes on");
        text.extend_from_slice(&chunk.expect("bytes"));
    }
}

fn frame(frame: &str) -> Option<(String, String, Value)> {
    let field = |name: &str| frame.lines().find_map(|line| line.strip_prefix(name));
    let data = serde_json::from_str(field("data: ")?).ok()?;
    Some((field("id: ")?.to_owned(), field("event: ")?.to_owned(), data))
}

#[tokio::test]
async fn a_visitor_sees_public_turns_and_nothing_else() {
    let house = house().await;
    let visitor = Visitor::arrive(&house).await;
    let stranger = Visitor::arrive(&house).await;
    let (status, taken) = visitor.write("m1", "When is my refund paid?").await;
    assert_eq!(status, 201);
    assert_eq!(visitor.write("m1", "When is my refund paid?").await, (200, taken.clone()));
    stranger.write("m1", "Nobody else may read this").await;

    let id = visitor.id();
    let party = |role| Party { id: "p-9".into(), role, name: Some("Sue Pervisor".into()) };
    let whisper = |role, text: &str| {
        EventBody::TurnFinal(Turn {
            id: TurnId::fresh(),
            party: party(role),
            start_ms: 5,
            end_ms: 5,
            text: Redacted::vouched(text),
            display_text: None,
            words: Vec::new(),
            mean_logprob: None,
            language: "en".to_owned(),
        })
    };
    let card = CardId::fresh();
    let offered = EventBody::SuggestionOffered(Card {
        id: card.clone(),
        kind: CardKind::Answer,
        answer: Answer {
            title: "Secret card".into(),
            heading: "Secret heading".into(),
            text: "Secret policy".into(),
            citations: Vec::new(),
            score: 0.9,
            why: Vec::new(),
            generator: Generator::Extractive,
            valid_from: None,
            is_verbatim: false,
        },
        trigger_turn: "t-1".into(),
        question: None,
        latency_ms: 1,
    });
    let context = EventBody::CrmContext(Box::new(CrmContext {
        connector: "main".into(),
        searched: None,
        identity: Identity::Unavailable("secret context".into()),
        latency_ms: 1,
    }));
    let asked = EventBody::QuestionAsked {
        question_id: QuestionId::fresh(),
        question: Redacted::vouched("Secret question"),
    };
    let secrets = vec![
        offered,
        context,
        asked,
        whisper(Role::Supervisor, "Secret whisper"),
        whisper(Role::Expert, "Secret advice"),
    ];
    house.append(id, secrets).await;
    let reply = json!({"text": "On Monday, order 45391488."});
    let (status, _) = house.post(&format!("/v1/conversations/{id}/replies"), reply).await;
    assert_eq!(status, 201);
    let (status, _) = house.post(&format!("/v1/conversations/{id}/end"), json!({})).await;
    assert_eq!(status, 200);

    let seen = visitor.watch(None, 3).await;
    let kinds: Vec<(&str, &str)> =
        seen.iter().map(|(id, kind, _)| (id.as_str(), kind.as_str())).collect();
    assert_eq!(kinds, [("1", "turn"), ("2", "turn"), ("3", "ended")]);
    assert_eq!(seen[0].2, taken);
    assert_eq!(
        (&seen[1].2["by"], &seen[1].2["text"]),
        (&json!("agent"), &json!("On Monday, order 45391488.")),
        "an order number is no card"
    );
    let all = format!("{seen:?}");
    for hidden in ["Secret", "secret", "Pervisor", "Emma", "Nobody", card.as_str()] {
        assert!(!all.contains(hidden), "{hidden} in {all}");
    }
    // Whoever comes back gets what is new.
    let rest = visitor.watch(Some("1"), 2).await;
    assert_eq!(rest, seen[1..]);
    let (status, problem) = visitor.write("m2", "Too late").await;
    assert_eq!(status, 409, "{problem}");
    assert!(house.close().await);
}

#[tokio::test]
async fn a_token_opens_one_conversation_and_no_other_door() {
    let house = house().await;
    let visitor = Visitor::arrive(&house).await;
    visitor.write("m1", "Hello?").await;
    for path in [
        "/v1/conversations".to_owned(),
        format!("/v1/conversations/{}", visitor.id()),
        format!("/v1/conversations/{}/events", visitor.id()),
        "/v1/events".to_owned(),
        "/v1/articles".to_owned(),
    ] {
        let request = house.client.get(house.url(&path)).bearer_auth(&visitor.token);
        assert_eq!(request.send().await.expect("answers").status(), 401, "{path}");
    }
    let forged = format!("{}.{}", visitor.id(), "A".repeat(43));
    for token in ["", "x", forged.as_str(), KEY] {
        let request = house.client.get(house.url("/v1/chat/events")).bearer_auth(token);
        assert_eq!(request.send().await.expect("answers").status(), 401);
    }
    assert!(house.close().await);
}

#[tokio::test]
async fn only_pages_of_the_list_get_in() {
    let house = house().await;
    let ask = async |method: Method, origin: &str| {
        let request = house.client.request(method, house.url("/v1/chat"));
        request.header("origin", origin).send().await.expect("answers")
    };
    let preflight = ask(Method::OPTIONS, PAGE).await;
    assert_eq!(preflight.status(), 204);
    assert_eq!(preflight.headers()["access-control-allow-origin"], PAGE);
    assert!(
        preflight.headers()["access-control-allow-headers"]
            .to_str()
            .is_ok_and(|headers| headers.contains("authorization"))
    );
    for origin in ["https://evil.example", "http://www.example.com", "null"] {
        for method in [Method::POST, Method::OPTIONS] {
            let refused = ask(method, origin).await;
            assert_eq!(refused.status(), 403, "{origin}");
            assert!(refused.headers().get("access-control-allow-origin").is_none());
        }
    }
    let closed = House::open().await;
    let request = closed.client.post(closed.url("/v1/chat")).header("origin", PAGE);
    assert_eq!(request.send().await.expect("answers").status(), 404, "no chat is set up");
    assert!(house.close().await && closed.close().await);
}

#[tokio::test]
async fn one_address_begins_some_chats_and_leaves_places_for_the_others() {
    let house = house().await;
    let request = house.client.post(house.url("/v1/chat"));
    assert_eq!(request.send().await.expect("answers").status(), 403, "no page asked");
    let begin = async |forwarded_for: &str| {
        let visitor = Visitor::arrive(&house).await;
        let request = house.client.post(house.url("/v1/chat/turns")).bearer_auth(&visitor.token);
        let message = || json!({"id": "m1", "text": "Hello?"});
        let unnamed = request.try_clone().expect("no stream").json(&message());
        assert_eq!(unnamed.send().await.expect("answers").status(), 403);
        let request = request.header("origin", PAGE).header("x-forwarded-for", forwarded_for);
        request.json(&message()).send().await.expect("answers").status().as_u16()
    };
    // As behind a proxy on the same machine.
    let mut refused = 0;
    for _ in 0..20 {
        refused += usize::from(begin("203.0.113.9").await == 429);
    }
    assert_eq!(refused, 8, "twelve a minute from one address");
    assert_eq!(begin("198.51.100.7").await, 201, "somebody else gets in");
    assert!(house.close().await);
}

#[tokio::test]
async fn a_chat_goes_on_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = house_in(Some(folder.path().to_owned())).await;
    let visitor = Visitor::arrive(&first).await;
    visitor.write("m1", "Hello?").await;
    let token = visitor.token.clone();
    assert!(first.close().await);

    let second = house_in(Some(folder.path().to_owned())).await;
    let visitor = Visitor { house: &second, token };
    assert_eq!(visitor.write("m1", "Hello?").await.0, 200, "it is known");
    assert_eq!(visitor.write("m2", "Are you there?").await.1["turn_id"], "t-2");
    let seen = visitor.watch(None, 2).await;
    assert_eq!(seen[1].2["text"], "Are you there?");
    assert!(seen[1].2["at_ms"].as_u64() >= seen[0].2["at_ms"].as_u64());
    let row = second.store.conversation(&"demo".into(), &visitor.id().into()).await;
    let row = row.expect("read").expect("it is there");
    assert!(row.started_at <= Timestamp::now() && row.ended_at.is_none());
    assert!(second.close().await);
}
