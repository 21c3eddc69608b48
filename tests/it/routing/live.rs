use std::sync::Arc;

use backchannel::domain::{Intent, IntentSeen};
use backchannel::flow::driver::Intents;
use backchannel::flow::session::{SessionSettings, SignalSettings};
use backchannel::insight::categories::Categories;
use backchannel::models::embedder::{Embedder, EmbedderError, EmbedderHandle};
use reqwest::Method;
use serde_json::{Value, json};

use super::super::channels::{chat, logged, say};
use super::super::serve::harness::{ADAS_KEY, House, OTHER_KEY, Options};
use super::{PLAN, presence, routed, until};

const RULES: &str = r#"
[[rule]]
id = "leaving"
title = "Wants to leave"
when = { said = "want to leave", by = "customer" }
alert = { severity = "warning", title = "May leave", to = ["agent"] }
"#;

/// A vector by the length of the text: enough where the reader reads the words.
struct Lengths;

impl Embedder for Lengths {
    fn embed(&mut self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedderError> {
        let vector = |text: &&str| {
            let angle = text.len() as f32 / 100.0;
            vec![angle.cos(), angle.sin()]
        };
        Ok(texts.iter().map(vector).collect())
    }
    fn dimensions(&self) -> usize {
        2
    }
    fn fingerprint(&self) -> &str {
        "lengths"
    }
}

fn reader() -> Intents {
    let intents = Intents::default();
    train(&intents);
    intents
}

fn train(intents: &Intents) {
    intents.trained(Arc::new(|text, vector| {
        assert_eq!(vector.len(), 2, "it is given the text's vector");
        let is_refund = text.contains("refund");
        let label = if is_refund { "refund" } else { "greeting" };
        let ranked = vec![Intent { label: label.to_owned(), probability: 0.9 }];
        IntentSeen { ranked, abstained: !is_refund }
    }));
}

async fn house() -> House {
    house_with(reader()).await
}

async fn house_with(intents: Intents) -> House {
    let categories = Categories::from_toml([("rules.toml", RULES)]).expect("sound rules");
    let signals = SignalSettings { categories: Arc::new(categories), tells_sentiment: true };
    let session = SessionSettings { signals, ..SessionSettings::default() };
    let intents = Some(intents);
    let house = House::open_with(Options { session, intents, ..routed(Some(PLAN)) }).await;
    let library = house.library.clone();
    let attach =
        move || library.attach_vectors(EmbedderHandle::spawn(Box::new(Lengths), 16), |_, _| ());
    tokio::task::spawn_blocking(attach).await.expect("no panic").expect("it embeds");
    house
}

#[tokio::test]
async fn what_a_customer_writes_is_heard_by_the_router() {
    let house = house().await;
    presence(&house, "Emma", "available").await;
    let id = chat(&house).await;
    let item = format!("i-{id}");
    let first = until(&house, &item, |one| one["queue"] == "general").await;
    assert_eq!(first["conversation_id"], json!(id));
    say(
        &house,
        &id,
        "customer",
        "This is awful and I want to leave unless I get my refund for May.",
    )
    .await;
    let routed = until(&house, &item, |one| one["queue"] == "billing").await;
    let routed = match routed["recommended"].is_null() {
        true => until(&house, &item, |one| one["recommended"] == "Emma").await,
        false => routed,
    };
    assert_eq!(routed["state"], "waiting", "it is recommended only");
    let events = logged(&house, &id).await;
    let kinds: Vec<&str> = events.iter().map(|(kind, _)| kind.as_str()).collect();
    let at = |kind: &str| {
        kinds.iter().position(|one| *one == kind).unwrap_or_else(|| panic!("{kind} in {kinds:?}"))
    };
    let turn = at("turn.final");
    for signal in ["insight.sentiment", "insight.category", "insight.alert", "insight.intent"] {
        assert!(at(signal) > turn, "{signal} stands behind its turn: {kinds:?}");
    }
    let recommended = events.iter().rev().find(|(kind, _)| kind == "route.recommended");
    let (_, decision) = recommended.expect("a recommendation");
    let features = decision["features"].as_array().expect("features");
    let intent = features.iter().find(|one| one["name"] == "intent").expect("the intent");
    assert_eq!((&intent["value"], &intent["source"]), (&json!("refund"), &json!("insight.intent")));
    assert!(!decision["reason"].as_str().unwrap_or_default().is_empty());
    // What another router's flow is told of the same conversation.
    let (_, told) = house.get(&format!("/v1/routing/recommendations/{id}")).await;
    assert_eq!(told["backchannel_agent"], "Emma");
    assert!(told["backchannel_brief"].as_str().is_some_and(|brief| brief.contains("refund")));
    let stranger = house
        .call_as(OTHER_KEY, Method::GET, &format!("/v1/routing/recommendations/{id}"), json!(null))
        .await;
    assert_eq!(stranger.1, json!({}));
    house.post(&format!("/v1/conversations/{id}/end"), json!({})).await;
    until(&house, &item, |one| one["state"] == "ended").await;
    assert!(house.close().await);
}

/// As soon as there are so many.
async fn intents_of(house: &House, id: &str, count: usize) -> Vec<Value> {
    let mut seen: Vec<Value> = Vec::new();
    for _ in 0..1_000 {
        let events = logged(house, id).await.into_iter();
        seen = events.filter(|(kind, _)| kind == "insight.intent").map(|one| one.1).collect();
        if seen.len() >= count {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    seen
}

#[tokio::test]
async fn what_was_said_before_intents_could_be_read_is_read_when_they_can() {
    let intents = Intents::default();
    let house = house_with(intents.clone()).await;
    let id = chat(&house).await;
    for text in ["hello there", "where is my refund for May?"] {
        say(&house, &id, "customer", text).await;
    }
    assert!(logged(&house, &id).await.iter().all(|(kind, _)| kind != "insight.intent"));
    train(&intents);
    let seen = intents_of(&house, &id, 2).await;
    let turns: Vec<&Value> = seen.iter().map(|one| &one["turn_id"]).collect();
    assert_eq!(turns, ["t-1", "t-2"], "nobody has to write for that");
    assert_eq!(seen[1]["intents"][0]["label"], "refund");
    until(&house, &format!("i-{id}"), |one| one["queue"] == "billing").await;
    assert!(house.close().await);
}

#[tokio::test]
async fn each_turn_has_its_intent_once_and_in_order() {
    let house = house().await;
    let id = chat(&house).await;
    for text in ["hello there", "where is my refund for May?", "thank you, goodbye"] {
        say(&house, &id, "customer", text).await;
    }
    say(&house, &id, "agent", "You will have your refund on Friday.").await;
    let seen = intents_of(&house, &id, 3).await;
    let turns: Vec<&Value> = seen.iter().map(|one| &one["turn_id"]).collect();
    assert_eq!(turns, ["t-1", "t-2", "t-3"], "the agent's own words are no intent");
    assert_eq!(seen[1]["intents"][0]["label"], "refund");
    assert_eq!(seen[0]["abstained"], true);
    assert!(house.close().await);
}

#[tokio::test]
async fn a_hand_over_brings_all_that_was_said() {
    let house = house().await;
    let id = chat(&house).await;
    let item = format!("i-{id}");
    say(&house, &id, "bot", "Hello, I am the assistant.").await;
    say(&house, &id, "customer", "I was charged twice and want a refund for May.").await;
    until(&house, &item, |one| one["queue"] == "billing").await;
    let path = format!("/v1/work-items/{item}/assign");
    let (status, given) = house.post(&path, json!({"agent": "Ada"})).await;
    assert_eq!((status.as_u16(), &given["agent"]), (200, &json!("Ada")), "{given}");
    let pack = &given["pack"];
    assert_eq!(pack["conversation_id"], json!(id));
    assert!(pack["about"].to_string().contains("charged twice"), "{pack}");
    assert_eq!(pack["intent"]["label"], "refund");
    let (status, same) = house.get(&format!("/v1/conversations/{id}/pack")).await;
    assert_eq!((status.as_u16(), &same["about"]), (200, &pack["about"]));
    // Whoever has it may give it on.
    let path = format!("/v1/work-items/{item}/transfer");
    let (status, moved) =
        house.call_as(ADAS_KEY, Method::POST, &path, json!({"queue": "general"})).await;
    assert_eq!((status.as_u16(), &moved["state"]), (200, &json!("waiting")), "{moved}");
    assert!(house.close().await);
}
