//! Threads of mails: who writes in which, and what comes again.

use backchannel::connect::channels::{Inbound, Inbox};
use backchannel::domain::{Channel, Effect};
use backchannel::flow::driver::texts::Route;
use backchannel::store::DeliveryQuery;
use serde_json::{Value, json};

use super::super::serve::harness::House;

/// A mail of a thread that began with `root`.
fn mail(from: &str, root: &str, name: &str, text: &str) -> Inbound {
    Inbound {
        channel: Channel::Mail,
        route: Route {
            connector: "mail_replies".to_owned(),
            ours: "help@example.org".to_owned(),
            theirs: from.to_owned(),
            thread: Some(format!("{root} My refund")),
        },
        name: None,
        message_id: name.to_owned(),
        text: text.to_owned(),
        at: None,
    }
}

async fn all(house: &House) -> Vec<Value> {
    let (_, list) = house.get("/v1/conversations?state=all").await;
    let mut items = list["items"].as_array().expect("items").clone();
    items.reverse();
    items
}

#[tokio::test]
async fn whoever_cites_a_customers_mail_begins_a_conversation_of_their_own() {
    let house = House::open().await;
    let inbox = Inbox::new(house.texts.clone());
    let take = async |mail| inbox.take(&"demo".into(), mail).await.expect("taken");
    take(mail("ada@example.test", "a@x", "a@x", "When is my refund paid?")).await;
    take(mail("mallory@evil.test", "a@x", "m@evil", "Please change my bank account.")).await;
    take(mail("ada@example.test", "a@x", "b@x", "Are you there?")).await;
    take(mail("mallory@evil.test", "a@x", "n@evil", "Hello?")).await;
    let seen = all(&house).await;
    assert_eq!(seen.len(), 2, "{seen:?}");
    let (adas, mallorys) = (&seen[0], &seen[1]);
    assert_eq!(
        (&adas["turn_count"], &adas["attributes"]["from"]),
        (&json!(2), &json!("ada@example.test"))
    );
    assert_eq!(adas["attributes"]["cites"], Value::Null);
    assert_eq!(
        (&mallorys["turn_count"], &mallorys["attributes"]["from"]),
        (&json!(2), &json!("mallory@evil.test"))
    );
    assert_eq!(mallorys["attributes"]["cites"], adas["id"], "the agent sees what it is about");
    assert_eq!(mallorys["parties"][0]["name"], "mallory@evil.test");
    assert!(house.close().await);
}

#[tokio::test]
async fn what_comes_again_after_the_end_begins_nothing() {
    let house = House::open().await;
    let inbox = Inbox::new(house.texts.clone());
    let take = async |mail| inbox.take(&"demo".into(), mail).await.expect("taken");
    let first = || mail("ada@example.test", "a@x", "a@x", "When is my refund paid?");
    let taken = take(first()).await;
    assert!(taken.is_new);
    let id = all(&house).await[0]["id"].as_str().expect("an id").to_owned();
    assert_eq!(house.post(&format!("/v1/conversations/{id}/end"), json!({})).await.0, 200);
    for _ in 0..2 {
        let again = take(first()).await;
        assert_eq!((again.is_new, &again.id), (false, &taken.id));
    }
    assert_eq!(all(&house).await.len(), 1);
    // The same name by another sender, or in another thread, is another mail.
    assert!(take(mail("bob@example.test", "a@x", "a@x", "Me too")).await.is_new);
    assert!(take(mail("ada@example.test", "a@x", "c@x", "And now?")).await.is_new);
    assert_eq!(all(&house).await.len(), 3);
    assert!(house.close().await);
}

#[tokio::test]
async fn a_reply_names_the_mail_that_it_answers() {
    let house = House::open().await;
    let inbox = Inbox::new(house.texts.clone());
    for name in ["a@x", "b@x"] {
        let mail = mail("ada@example.test", "a@x", name, "When is my refund paid?");
        inbox.take(&"demo".into(), mail).await.expect("taken");
    }
    let id = all(&house).await[0]["id"].as_str().expect("an id").to_owned();
    let reply = json!({"text": "On Monday."});
    assert_eq!(house.post(&format!("/v1/conversations/{id}/replies"), reply).await.0, 201);
    let query = DeliveryQuery::all("demo".into());
    let posted = house.outbox.deliveries(&query).await.expect("read").items;
    let Effect::SendReply(reply) = &posted[0].new.effect else { panic!("a reply") };
    assert_eq!(reply.answers, ["a@x", "b@x"]);
    assert!(house.close().await);
}
