//! A bot talks first and gives up: what it tried and promised is there before anybody comes.

use std::sync::Arc;
use std::time::Duration;

use backchannel::app;
use backchannel::config::Config;
use backchannel::flow::driver::{Bots, CallWrapUp};
use backchannel::flow::session::{SessionSettings, SignalSettings};
use backchannel::insight::categories::Categories;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::super::channels::{logged, say};
use super::super::serve::harness::{House, Options};
use super::{PLAN, presence, routed, until};

const RULES: &str = include_str!("../../../categories/bots.toml");

async fn house() -> House {
    let categories = Categories::from_toml([("bots.toml", RULES)]).expect("sound rules");
    let signals = SignalSettings { categories: Arc::new(categories), tells_sentiment: false };
    let escalated_by = vec!["bot_hands_over".to_owned(), "asks_for_a_person".to_owned()];
    let author = app::desk(&Config::default()).expect("without a model").author();
    let mut options = routed(Some(PLAN));
    options.routing.escalated_by.clone_from(&escalated_by);
    House::open_with(Options {
        session: SessionSettings { signals, ..SessionSettings::default() },
        wrap_up: Some(CallWrapUp { settings: Arc::default(), author, time_zone: TimeZone::UTC }),
        bots: Bots { names: vec!["otto".into()], escalated_by },
        ..options
    })
    .await
}

/// Whoever opened it knows customers and agents only.
async fn chat_with_otto(house: &House) -> String {
    let parties = json!([{"role": "customer"}, {"role": "agent", "name": "Otto"}]);
    let (status, opened) =
        house.post("/v1/conversations", json!({"channel": "chat", "parties": parties})).await;
    assert_eq!(status, 201, "{opened}");
    opened["id"].as_str().expect("an id").to_owned()
}

async fn otto_says(house: &House, id: &str, text: &str) {
    let path = format!("/v1/conversations/{id}/turns");
    let (status, taken) = house.post(&path, json!({"party": "p-2", "text": text})).await;
    assert_eq!((status.as_u16(), &taken["party"]["role"]), (201, &json!("bot")), "{taken}");
}

#[tokio::test]
async fn what_a_bot_tried_and_promised_is_there_before_anybody_comes() {
    let house = house().await;
    presence(&house, "Emma", "available").await;
    let id = chat_with_otto(&house).await;
    let item = format!("i-{id}");
    say(&house, &id, "customer", "My broadband has been down since Monday morning.").await;
    otto_says(&house, &id, "Please restart the router and wait for two minutes.").await;
    say(&house, &id, "customer", "I restarted the router twice and it still doesn't work.").await;
    let (status, _) = house.get(&format!("/v1/work-items/{item}")).await;
    assert_eq!(status, 404, "it is the bot's");
    otto_says(
        &house,
        &id,
        "We will call you back tomorrow at nine. I will connect you with a colleague.",
    )
    .await;
    until(&house, &item, |one| !one["queue"].is_null()).await;
    let mut pack = Value::Null;
    for _ in 0..1_000 {
        pack = house.get(&format!("/v1/conversations/{id}/pack")).await.1;
        if pack["promised"].to_string().contains("call you back") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(pack["promised"].to_string().contains("call you back tomorrow"), "{pack:#}");
    assert!(pack["tried"].to_string().contains("restart"), "{pack:#}");
    assert_eq!(pack["from"], "Otto", "{pack:#}");
    let hand_overs = async || {
        let events = logged(&house, &id).await.into_iter();
        let is_one = |one: &(String, Value)| {
            one.0 == "wrapup.summary" && one.1["occasion"] == json!("hand_over")
        };
        events.filter(is_one).count()
    };
    assert_eq!(hand_overs().await, 1);
    // Whoever comes then is told what was said until then, and once.
    say(&house, &id, "agent", "Hello, this is Emma.").await;
    say(&house, &id, "agent", "I have read what happened.").await;
    for _ in 0..1_000 {
        if hand_overs().await == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(hand_overs().await, 2);
    assert!(house.close().await);
}

#[tokio::test]
async fn whoever_asks_the_bot_for_a_person_gets_one() {
    let house = house().await;
    let id = chat_with_otto(&house).await;
    otto_says(&house, &id, "Hello, how can I help?").await;
    say(&house, &id, "customer", "Let me talk to a real person.").await;
    until(&house, &format!("i-{id}"), |one| !one["queue"].is_null()).await;
    assert!(house.close().await);
}
