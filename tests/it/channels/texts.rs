use std::time::Duration;

use backchannel::flow::driver::texts::TextSettings;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::serve::harness::{House, Options};
use super::{chat, logged, say};

#[tokio::test]
async fn what_is_written_becomes_turns_of_the_log() {
    let house = House::open().await;
    let body = json!({"id": "shop-77", "channel": "mail", "direction": "outbound", "external_id": "case 5",
        "parties": [{"role": "customer", "name": "Ada"}, {"role": "agent"}],
        "attributes": {"queue": "billing", "card": "4539 1488 0343 6467"}});
    let (status, opened) = house.post("/v1/conversations", body.clone()).await;
    assert_eq!((status.as_u16(), &opened["id"]), (201, &json!("shop-77")));
    let (status, again) = house.post("/v1/conversations", body).await;
    assert_eq!((status.as_u16(), &again), (200, &opened), "the same name is the same conversation");

    let mut stream = house.follow("/v1/conversations/shop-77/events", Some("0")).await;
    let path = "/v1/conversations/shop-77/turns";
    let message = json!({"id": "m1", "party": "p-1", "text": "Hello,\n\n my bill is  wrong."});
    let (status, taken) = house.post(path, message.clone()).await;
    assert_eq!(status, 201);
    assert_eq!(taken["text"], "Hello,\n\n my bill is  wrong.", "every character");
    let (status, again) = house.post(path, message).await;
    assert_eq!((status.as_u16(), &again), (200, &taken), "the same name is the same turn");
    // Somebody who wasn't announced takes part from now on.
    let other = json!({"role": "bot", "text": "One moment, please."});
    let (_, bots) = house.post(path, other).await;
    assert_eq!(bots["party"], json!({"id": "p-3", "role": "bot"}));

    let seen = stream.take(3).await;
    let kinds: Vec<&str> = seen.iter().map(|event| event.kind()).collect();
    assert_eq!(kinds, ["conversation.started", "turn.final", "turn.final"]);
    let started = &seen[0].envelope["data"];
    assert_eq!(started["channel"], "mail");
    assert_eq!(started["attributes"], json!({"queue": "billing", "card": "[card-1]"}));
    let turn = &seen[1].envelope["data"];
    assert_eq!((&turn["turn_id"], &turn["words"]), (&json!("t-1"), &json!([])));
    assert_eq!(turn["start_ms"], turn["end_ms"]);

    let (_, shown) = house.get("/v1/conversations/shop-77").await;
    assert_eq!(shown["turns"].as_array().expect("turns").len(), 2);
    assert_eq!(shown["parties"][2]["role"], "bot");
    let (status, ended) = house.post("/v1/conversations/shop-77/end", json!({})).await;
    assert_eq!((status.as_u16(), &ended["state"]), (200, &json!("ended")));
    let (status, _) = house.post("/v1/conversations/shop-77/end", json!({})).await;
    assert_eq!(status, 200, "what has ended stays so");
    assert!(house.close().await);
}

#[tokio::test]
async fn after_the_end_only_what_was_taken_before_is_taken() {
    let house = House::open().await;
    let id = chat(&house).await;
    let path = format!("/v1/conversations/{id}/turns");
    let message = json!({"id": "m1", "role": "customer", "text": "Goodbye."});
    let (status, taken) = house.post(&path, message.clone()).await;
    assert_eq!(status, 201);
    house.post(&format!("/v1/conversations/{id}/end"), json!({})).await;
    let (status, again) = house.post(&path, message).await;
    assert_eq!((status.as_u16(), &again), (200, &taken), "a client that lost the answer");
    let late = json!({"role": "customer", "text": "One more thing"});
    let (status, problem) = house.post(&path, late).await;
    assert_eq!(status, 409, "{problem}");
    assert!(problem["detail"].as_str().is_some_and(|why| why.contains("has ended")));
    let ends = logged(&house, &id).await;
    assert_eq!(ends.iter().filter(|(kind, _)| kind == "conversation.ended").count(), 1);
    assert_eq!(
        ends.last().map(|(kind, data)| (kind.as_str(), &data["reason"])),
        Some(("conversation.ended", &json!("hangup")))
    );
    assert!(house.close().await);
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let house = House::open().await;
    let wrong = [
        (json!({"channel": "fax"}), "channel is chat, sms or mail"),
        (json!({"channel": "chat", "id": "a b"}), "id is 1 to 64"),
        (json!({"channel": "chat", "id": "system"}), "id must not be"),
        (json!({"channel": "chat", "direction": "up"}), "direction is"),
        (
            json!({"channel": "chat", "parties": [{"role": "customer"}, {"role": "king"}]}),
            "parties[1].role",
        ),
        (
            json!({"channel": "chat", "parties": [{"role": "agent", "name": "x".repeat(201)}]}),
            "parties[0].name",
        ),
        (json!({"channel": "chat", "attributes": {"connector": "sms"}}), "attributes.connector"),
        (json!({"channel": "chat", "attributes": {"x": "y".repeat(257)}}), "attributes.x"),
        (json!({"channel": "chat", "language": "english"}), "language"),
        (json!({"channel": "chat", "colour": "red"}), "colour"),
    ];
    for (body, says) in wrong {
        let (status, problem) = house.post("/v1/conversations", body.clone()).await;
        assert_eq!(status, 422, "{body}");
        assert!(problem["detail"].as_str().is_some_and(|why| why.contains(says)), "{problem}");
    }
    let id = chat(&house).await;
    let path = format!("/v1/conversations/{id}/turns");
    let wrong = [
        (json!({"text": "x"}), "give party or role"),
        (json!({"text": "x", "role": "customer", "party": "p-1"}), "give party or role"),
        (json!({"text": "x", "role": "king"}), "role is"),
        (json!({"text": "x", "party": "p-9"}), "no party p-9"),
        (json!({"text": " \n", "role": "customer"}), "text must not be empty"),
        (json!({"text": "x".repeat(20_001), "role": "customer"}), "text has 20000"),
        (json!({"text": "x", "role": "customer", "at": "yesterday"}), "at"),
    ];
    for (body, says) in wrong {
        let (status, problem) = house.post(&path, body.clone()).await;
        assert_eq!(status, 422, "{body}: {problem}");
        assert!(problem["detail"].as_str().is_some_and(|why| why.contains(says)), "{problem}");
    }
    let message = json!({"role": "customer", "text": "x"});
    let (status, _) = house.post("/v1/conversations/c-none/turns", message.clone()).await;
    assert_eq!(status, 404);
    let other = super::super::serve::harness::OTHER_KEY;
    let (status, _) = house.call_as(other, reqwest::Method::POST, &path, message).await;
    assert_eq!(status, 404, "another tenant's is not found");
    house.append("c-call", vec![super::super::serve::harness::started()]).await;
    let message = json!({"role": "customer", "text": "x"});
    let (status, problem) = house.post("/v1/conversations/c-call/turns", message).await;
    assert_eq!(status, 409, "{problem}");
    assert!(house.close().await);
}

#[tokio::test]
async fn a_card_number_over_three_messages_reaches_neither_log_nor_stream() {
    let house = House::open().await;
    let id = chat(&house).await;
    for text in ["My card is 4539 1488", "and then", "0343", "6467", "Did you get it?"] {
        say(&house, &id, "customer", text).await;
    }
    // A harmless number is given back once it is certain.
    let order = "My order is 45391488 by the way, it came on Monday in a big box";
    say(&house, &id, "customer", order).await;
    house.post(&format!("/v1/conversations/{id}/end"), json!({})).await;
    let log = logged(&house, &id).await;
    let turns: String = log.iter().map(|(_, data)| data["text"].to_string()).collect();
    for digits in ["4539", "1488", "0343", "6467"] {
        assert!(!turns.contains(digits), "{turns}");
    }
    assert!(turns.contains("[card-1]"), "{turns}");
    assert!(house.close().await);
}

#[tokio::test]
async fn too_many_conversations_and_turns_are_refused() {
    let texts = TextSettings { awake_max: 2, turns_max: 3, ..TextSettings::default() };
    let house = House::open_with(Options { texts, ..Options::default() }).await;
    let ids = [chat(&house).await, chat(&house).await, chat(&house).await];
    say(&house, &ids[0], "customer", "one").await;
    say(&house, &ids[1], "customer", "one").await;
    let message = json!({"role": "customer", "text": "one"});
    let path = |id: &str| format!("/v1/conversations/{id}/turns");
    let (status, problem) = house.post(&path(&ids[2]), message.clone()).await;
    assert_eq!(status, 429, "{problem}");
    house.post(&format!("/v1/conversations/{}/end", ids[1]), json!({})).await;
    say(&house, &ids[2], "customer", "there is room now").await;
    say(&house, &ids[0], "customer", "two").await;
    say(&house, &ids[0], "customer", "three").await;
    let (status, problem) = house.post(&path(&ids[0]), message).await;
    assert_eq!(status, 409, "{problem}");
    assert!(house.close().await);
}

#[tokio::test]
async fn a_chat_that_falls_silent_is_over() {
    let texts = TextSettings { idle: Duration::from_millis(300), ..TextSettings::default() };
    let house = House::open_with(Options { texts, ..Options::default() }).await;
    let id = chat(&house).await;
    say(&house, &id, "customer", "Hello?").await;
    let mut stream = house.follow(&format!("/v1/conversations/{id}/events"), Some("0")).await;
    let events = stream.take(3).await;
    let (last, data) = (events[2].kind(), &events[2].envelope["data"]);
    assert_eq!((last, &data["reason"]), ("conversation.ended", &json!("timeout")));
    assert!(house.close().await);
}

#[tokio::test]
async fn what_sleeps_goes_on_with_the_next_message_and_ends_when_it_is_swept() {
    let sleep_after = Duration::from_millis(50);
    let texts = TextSettings { sleep_after, ..TextSettings::default() };
    let house = House::open_with(Options { texts, ..Options::default() }).await;
    let id = chat(&house).await;
    say(&house, &id, "customer", "My number is 4539 1488").await;
    for text in ["Are you there?", "0343 6467"] {
        tokio::time::sleep(Duration::from_millis(200)).await;
        say(&house, &id, "customer", text).await;
    }
    let log = logged(&house, &id).await;
    let turns: Vec<&Value> =
        log.iter().filter(|(kind, _)| kind == "turn.final").map(|(_, data)| data).collect();
    let names: Vec<&Value> = turns.iter().map(|turn| &turn["turn_id"]).collect();
    assert_eq!(names, ["t-1", "t-2", "t-3"]);
    let all: String = log.iter().map(|(_, data)| data["text"].to_string()).collect();
    assert!(!all.contains("1488") && !all.contains("6467"), "{all}");

    let swept = house.texts.sweep(&"demo".into(), Timestamp::now()).await.expect("read");
    assert_eq!(swept, 0, "it was written in a moment ago");
    let tomorrow = Timestamp::now() + jiff::SignedDuration::from_hours(24);
    let swept = house.texts.sweep(&"demo".into(), tomorrow).await.expect("read");
    assert_eq!(swept, 1);
    let last = logged(&house, &id).await.pop().expect("events");
    assert_eq!((last.0.as_str(), &last.1["reason"]), ("conversation.ended", &json!("timeout")));
    assert!(house.close().await);
}

#[tokio::test]
async fn the_same_message_ten_times_at_once_is_one_turn() {
    let house = House::open().await;
    let id = chat(&house).await;
    let path = format!("/v1/conversations/{id}/turns");
    let message = json!({"id": "m1", "role": "customer", "text": "Hello?"});
    let sends = (0..10).map(|_| house.post(&path, message.clone()));
    let answers = futures_util::future::join_all(sends).await;
    let new = answers.iter().filter(|(status, _)| *status == 201).count();
    assert_eq!(new, 1);
    assert!(answers.iter().all(|(_, body)| *body == answers[0].1));
    let log = logged(&house, &id).await;
    assert_eq!(log.iter().filter(|(kind, _)| kind == "turn.final").count(), 1);
    assert!(house.close().await);
}
