//! Whose conversation it is, when the CRM is slow, away, or wrong, and what is written then.

use std::sync::Arc;

use backchannel::domain::*;
use backchannel::flow::feedback::outcome::Rule;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::crm::{Filing, call_from, context, house, house_in, until};
use super::harness::*;
use super::wrapups::drafts;

const CONTACT: &str = "/v1/conversations/c-1/crm/contact";
const OUTCOME: &str = "/v1/conversations/c-1/outcome";

fn filing() -> Filing {
    let filing = Filing::default();
    filing.add("ada", "020 7946 0123");
    filing.add("bob", "020 7946 0999");
    filing
}

/// Look-ups by such a key wait until there are permits.
fn hold(filing: &Filing, kind: &'static str) -> Arc<Semaphore> {
    let gate = Arc::new(Semaphore::new(0));
    filing.shape().held = Some((kind, gate.clone()));
    gate
}

async fn is_held(filing: &Filing) {
    while filing.shape().waiting == 0 {
        tokio::task::yield_now().await;
    }
}

fn has_writes(count: usize) -> impl Fn(&Value) -> bool {
    move |seen| seen["writes"].as_array().is_some_and(|all| all.len() == count)
}

#[tokio::test]
async fn a_late_answer_of_the_crm_changes_no_persons_choice() {
    let filing = filing();
    let gate = hold(&filing, "phone");
    let house = house(&filing, Rule::Automatic).await;
    house.append("c-1", vec![call_from("+442079460123")]).await;
    is_held(&filing).await;
    let (status, chosen) = house.post(CONTACT, json!({"email": "bob@example.test"})).await;
    assert_eq!((status.as_u16(), &chosen["contact"]["id"]), (200, &json!("bob")));
    gate.add_permits(1);
    // Another one's answer, which comes after it.
    house.append("c-2", vec![call_from("+442079460123")]).await;
    gate.add_permits(1);
    assert_eq!(context(&house, "c-2").await["contact"]["id"], "ada");

    house.append("c-1", drafts()).await;
    house.append("c-1", vec![ended()]).await;
    let seen = until(&house, "/v1/conversations/c-1", has_writes(3)).await;
    assert_eq!(seen["crm"]["contact"]["id"], "bob", "{seen}");
    assert_eq!(seen["crm"]["chosen_by"], "Emma");
    let to_bob = |one: &Value| one["contact_id"] == "bob";
    assert!(seen["writes"].as_array().expect("writes").iter().all(to_bob), "{seen}");
}

#[tokio::test]
async fn nobody_is_chosen_behind_the_back_of_the_rules() {
    let filing = filing();
    let house = house(&filing, Rule::Automatic).await;
    house.append("c-1", vec![call_from("+442079460123")]).await;
    context(&house, "c-1").await;
    house.append("c-1", drafts()).await;
    let gate = hold(&filing, "email");
    let choosing = house.post(CONTACT, json!({"email": "bob@example.test"}));
    let ending = async {
        is_held(&filing).await;
        house.append("c-1", vec![ended()]).await;
        until(&house, "/v1/conversations/c-1", has_writes(3)).await;
        gate.add_permits(1);
    };
    let ((status, problem), ()) = tokio::join!(choosing, ending);
    assert_eq!(status, 409, "{problem}");
    assert_eq!(context(&house, "c-1").await["contact"]["id"], "ada");
}

#[tokio::test]
async fn what_the_rules_left_out_waits_for_a_click() {
    let filing = filing();
    let house = house(&filing, Rule::Automatic).await;
    let before = Timestamp::now() - SignedDuration::from_hours(1);
    let events = [call_from("+442079460123"), ended()].map(|body| NewEvent::at(before, body));
    let (tenant, id) = ("demo".into(), "c-1".into());
    house.store.append(&tenant, &id, events.into()).await.expect("appended");
    // Of a call of which nothing is summed up.
    until(&house, "/v1/conversations/c-1", has_writes(1)).await;
    house.append("c-1", drafts()).await;
    let (_, outcome) = house.get(OUTCOME).await;
    let rule = |id: &str| {
        let items = outcome["items"].as_array().expect("items").iter();
        let mut of_it = items.filter(|one| one["id"] == id).map(|one| one["rule"].clone());
        of_it.next().expect("it is planned")
    };
    assert_eq!(rule("note"), "ask", "{outcome}");
    let (status, _) = house.post(OUTCOME, json!({"items": ["note"]})).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn an_outage_and_a_restart_lose_nobody() {
    // More than one page.
    const CALLS: usize = 215;
    let folder = tempfile::tempdir().expect("a folder");
    let data = || Some(folder.path().to_owned());
    let filing = filing();
    filing.shape().is_down = true;
    let first = house_in(data(), &filing, Rule::Automatic).await;
    for number in 0..CALLS {
        let call = vec![call_from("+442079460123"), ended()];
        first.append(&format!("c-{number}"), call).await;
    }
    for number in 0..CALLS {
        assert_eq!(context(&first, &format!("c-{number}")).await["state"], "unavailable");
    }
    assert!(first.close().await);

    filing.shape().is_down = false;
    let second = house_in(data(), &filing, Rule::Automatic).await;
    for number in 0..CALLS {
        let path = format!("/v1/conversations/c-{number}");
        let seen = until(&second, &path, has_writes(1)).await;
        assert_eq!(seen["crm"]["state"], "known", "{seen}");
        assert_eq!(seen["writes"][0]["operation"], "log_call");
    }
}

#[tokio::test]
async fn whoever_was_being_looked_up_at_a_crash_is_looked_up_after_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = || Some(folder.path().to_owned());
    let filing = filing();
    hold(&filing, "phone");
    let first = house_in(data(), &filing, Rule::Automatic).await;
    // Calls of before the first start are history.
    while !folder.path().join("lookups.position").exists() {
        tokio::task::yield_now().await;
    }
    first.append("c-1", vec![call_from("+442079460123")]).await;
    is_held(&filing).await;
    first.append("c-1", vec![ended()]).await;
    assert!(first.close().await);

    filing.shape().held = None;
    let second = house_in(data(), &filing, Rule::Automatic).await;
    let seen = until(&second, "/v1/conversations/c-1", has_writes(1)).await;
    assert_eq!(seen["crm"]["contact"]["id"], "ada", "{seen}");
}

#[tokio::test]
async fn what_was_thrown_away_for_one_is_written_for_the_other() {
    let filing = Filing::default();
    filing.add("ada", "020 7946 0123");
    filing.add("bob", "+442079460123");
    filing.shape().refuses = true;
    let house = house(&filing, Rule::Ask).await;
    house.append("c-1", vec![call_from("+442079460123")]).await;
    context(&house, "c-1").await;
    house.append("c-1", drafts()).await;
    assert_eq!(house.post(CONTACT, json!({"contact_id": "ada"})).await.0, 200);
    let order = json!({"items": ["note", "call"]});
    // Also when she changes her mind about the same contact.
    for count in [2, 4] {
        let (status, written) = house.post(OUTCOME, order.clone()).await;
        assert_eq!(status, 200, "{written}");
        let states = |state: &'static str, count: usize| {
            move |seen: &Value| {
                let items = seen["items"].as_array().expect("items");
                items.len() == count && items.iter().all(|one| one["state"] == state)
            }
        };
        let seen = until(&house, "/v1/outbox?state=failed", states("failed", 2)).await;
        for one in seen["items"].as_array().expect("items") {
            let path = format!("/v1/outbox/{}/discard", one["id"]);
            assert_eq!(house.post(&path, json!(null)).await.0, 200);
        }
        until(&house, "/v1/outbox?state=discarded", states("discarded", count)).await;
    }

    filing.shape().refuses = false;
    assert_eq!(house.post(CONTACT, json!({"phone": "020 7946 0123"})).await.0, 200);
    let (status, chosen) = house.post(CONTACT, json!({"contact_id": "bob"})).await;
    assert_eq!((status.as_u16(), &chosen["contact"]["id"]), (200, &json!("bob")));
    let (_, outcome) = house.get(OUTCOME).await;
    assert_eq!(outcome["items"][1]["write"], Value::Null, "{outcome}");
    let (status, written) = house.post(OUTCOME, order).await;
    assert_eq!(status, 200, "{written}");
    let two = |seen: &Value| seen["items"].as_array().is_some_and(|items| items.len() == 2);
    until(&house, "/v1/outbox?state=done", two).await;
    let made = filing.made();
    let to: Vec<Option<&str>> = made.iter().map(Effect::contact_id).collect();
    assert_eq!(to, [Some("bob"), Some("bob")]);
}

#[tokio::test]
async fn a_caller_from_abroad_keeps_the_number_and_is_known_by_it() {
    let filing = Filing::default();
    filing.add("ida", "+49 151 12345678");
    let house = house(&filing, Rule::Ask).await;
    let begins = json!({
        "id": "c-1",
        "channel": "chat",
        "attributes": {"from": "+4915112345678", "note": "paid by 4111 1111 1111 1111"},
    });
    let (status, problem) = house.post("/v1/conversations", begins).await;
    assert!(status.is_success(), "{problem}");
    assert_eq!(context(&house, "c-1").await["contact"]["id"], "ida");
    let (_, seen) = house.get("/v1/conversations/c-1").await;
    assert_eq!(seen["attributes"]["from"], "+4915112345678");
    assert_eq!(seen["attributes"]["note"], "paid by [card-1]");
}

#[tokio::test]
async fn colleagues_are_named_and_asked_with_all_they_need() {
    let filing = Filing::default();
    filing.add("ada", "020 7946 0123");
    filing.add_case("ada", "9", "Broadband down");
    let house = house(&filing, Rule::Ask).await;
    house.append("c-1", vec![call_from("+442079460123")]).await;
    context(&house, "c-1").await;
    house.append("c-1", drafts()).await;
    let (_, experts) = house.get("/v1/conversations/c-1/experts").await;
    let bo = json!([{"name": "Bo", "cases": 1, "why": ["Broadband down"], "last": null}]);
    assert_eq!(experts["items"], bo);

    let order = json!({"note": "Has anybody seen E-104?"});
    let (status, posted) = house.post("/v1/conversations/c-1/swarm", order.clone()).await;
    assert_eq!((status.as_u16(), &posted["operation"]), (200, &json!("post_message")));
    house.post("/v1/conversations/c-1/swarm", order).await;
    until(&house, "/v1/outbox?state=done", |seen| !seen["items"][0].is_null()).await;
    let made = filing.made();
    let [Effect::PostMessage(message)] = &made[..] else { panic!("{} messages", made.len()) };
    assert_eq!(message.room, "help");
    assert_eq!(message.paragraphs[0].as_str(), "Has anybody seen E-104?");
    assert!(message.paragraphs[1].as_str().contains("error E-104"));
    let facts: Vec<&str> = message.facts.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(facts, ["Asked by", "Customer", "Tier", "Open cases"]);
    assert_eq!(message.link.as_deref(), Some("https://copilot.example.test/desktop#c-1"));
    let pack = message.paragraphs.iter().map(Redacted::as_str).collect::<Vec<_>>().join("\n");
    for part in ["Issue: ", "call you back tomorrow", "Who takes part: customer"] {
        assert!(pack.contains(part), "{part} in {pack}");
    }

    // The call goes on, and so does the trouble.
    house.append("c-1", vec![turn_saying("t-9", "Now my router blinks red as well.")]).await;
    let order = json!({"note": "Has anybody seen E-104?"});
    let (status, posted) = house.post("/v1/conversations/c-1/swarm", order).await;
    assert_eq!(status, 200, "{posted}");
    let both = |seen: &Value| seen["items"].as_array().is_some_and(|items| items.len() == 2);
    until(&house, "/v1/outbox?state=done", both).await;
    let made = filing.made();
    let [_, Effect::PostMessage(message)] = &made[..] else { panic!("{} messages", made.len()) };
    let last = message.paragraphs.last().expect("paragraphs");
    assert_eq!(last.as_str(), "Last said: Now my router blinks red as well.");
}
