//! A call that is transferred: whoever takes it on gets what was said before, with its proof.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use crate::service::{PATIENCE, begin_call, double_charge, follow, key, kind, say, service};

/// The agent has greeted, the customer has told the trouble, and the agent has answered.
const BEFORE_MS: usize = 27_700;
const ALL_MS: usize = 45_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_takes_a_call_on_is_told_what_was_said() {
    let data = tempfile::tempdir().expect("a folder");
    let app = service(data.path()).await;
    let (access, stop) = (app.access().clone(), app.stop_token());
    let (ready, is_ready) = tokio::sync::oneshot::channel();
    let running = tokio::spawn(app.run(move |_| ready.send(()).expect("somebody waits")));
    is_ready.await.expect("it gets ready");
    let following = tokio::spawn(follow(access.clone()));

    let mut call = begin_call(&access, &["customer", "agent"]).await;
    let [customer, agent] = &double_charge()[..] else { panic!("two channels") };
    let both: Vec<f32> = customer.iter().zip(agent).flat_map(|(c, a)| [*c, *a]).collect();
    say(&mut call, &both[..16 * BEFORE_MS], 2).await;
    // Finals come after the silence that ends them, and so does what is made of them.
    tokio::time::sleep(Duration::from_secs(4)).await;
    call.send(Message::text(r#"{"type":"transfer","name":"Bea"}"#)).await.expect("sent");
    say(&mut call, &both[16 * BEFORE_MS..16 * ALL_MS], 2).await;
    // Agents type names, too.
    let typed = r#"{"type":"transfer","name":"Carl 4111 1111 1111 1111"}"#;
    call.send(Message::text(typed)).await.expect("sent");
    call.send(Message::text(r#"{"type":"stop"}"#)).await.expect("sent");
    while let Ok(Some(Ok(message))) = timeout(PATIENCE, call.next()).await {
        if message.is_close() {
            break;
        }
    }
    let list = format!("{}/v1/conversations?state=all", access.url);
    let answer = reqwest::Client::new().get(list).bearer_auth(key(&access)).send().await;
    let listed: Value = answer.expect("answers").json().await.expect("JSON");
    stop.cancel();
    running.await.expect("no panic").expect("an orderly end");
    let events = following.await.expect("no panic");

    let place = |found: &dyn Fn(&Value) -> bool| {
        events.iter().position(found).unwrap_or_else(|| panic!("{events:#?}"))
    };
    let joined =
        place(&|event| kind(event) == "audio.started" && event["data"]["name"] == json!("Bea"));
    let told = place(&|event| {
        kind(event) == "wrapup.summary" && event["data"]["occasion"] == json!("hand_over")
    });
    let ended = place(&|event| kind(event) == "conversation.ended");
    assert!(joined < told && told < ended, "{joined} {told} {ended}");
    let turns = |from: usize, to: usize| {
        events[from..to].iter().filter(|event| kind(event) == "turn.final").collect::<Vec<_>>()
    };
    let before: Vec<&str> = turns(0, told)
        .into_iter()
        .map(|turn| turn["data"]["turn_id"].as_str().expect("an id"))
        .collect();

    let pack = &events[told]["data"];
    let roles: Vec<&str> = pack["parties"]
        .as_array()
        .expect("parties")
        .iter()
        .map(|party| party["role"].as_str().expect("a role"))
        .collect();
    assert_eq!(roles, ["customer", "agent"], "who took part until then");
    let sections = pack["sections"].as_array().expect("sections");
    let sentences: Vec<&Value> = sections
        .iter()
        .flat_map(|section| section["sentences"].as_array().expect("sentences"))
        .collect();
    assert!(!sentences.is_empty(), "{pack:#}");
    for sentence in sentences {
        let cited = sentence["citations"][0]["turn_id"].as_str().expect("a turn");
        assert!(before.contains(&cited), "{cited} of {before:?}");
    }

    let speakers = |turns: Vec<&Value>, role: &str| {
        let mut ids: Vec<String> = turns
            .into_iter()
            .filter(|turn| turn["data"]["party"]["role"] == json!(role))
            .map(|turn| turn["data"]["party"]["id"].as_str().expect("an id").to_owned())
            .collect();
        ids.dedup();
        ids
    };
    assert_eq!(speakers(turns(0, joined), "agent"), ["p-2"]);
    assert_eq!(speakers(turns(told, ended), "agent"), ["p-3"]);
    assert_eq!(speakers(turns(0, ended), "customer"), ["p-1"]);
    assert_eq!(listed["items"][0]["parties"][2]["name"], json!("Bea"));
    assert_eq!(listed["items"][0]["parties"][3]["name"], json!("Carl [card-1]"));
}
