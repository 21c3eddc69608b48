use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use backchannel::connect::courier::{Courier, CourierSettings};
use backchannel::connect::destination::{DeliveryError, Destination, RemoteId};
use backchannel::domain::{Channel, DedupeKey, Direction, Effect, Role};
use backchannel::flow::driver::texts::{Route, TextOpening};
use backchannel::serve::{ChannelDoors, SystemState};
use jiff::Timestamp;
use serde_json::json;

use super::super::serve::harness::{House, Options};
use super::{chat, logged, say};

/// A vendor that refuses once.
#[derive(Default)]
struct Vendor {
    tries: AtomicUsize,
    sent: std::sync::Mutex<Vec<(String, String)>>,
}

#[async_trait::async_trait]
impl Destination for Vendor {
    fn name(&self) -> &str {
        "sms"
    }
    async fn deliver(&self, effect: &Effect, _: &DedupeKey) -> Result<RemoteId, DeliveryError> {
        let Effect::SendReply(reply) = effect else { panic!("nothing else is sent") };
        if self.tries.fetch_add(1, Ordering::Relaxed) == 0 {
            return Err(DeliveryError::Refused("status 400".to_owned()));
        }
        let sent = (reply.to.clone(), reply.text.as_str().to_owned());
        self.sent.lock().expect("no panic").push(sent);
        Ok(RemoteId("SM1".to_owned()))
    }
    async fn delivered(
        &self,
        _: &Effect,
        _: &DedupeKey,
    ) -> Result<Option<RemoteId>, DeliveryError> {
        Ok(None)
    }
}

#[tokio::test]
async fn a_reply_goes_out_by_its_channel_once_and_may_be_tried_again() {
    let woken = Arc::new(AtomicUsize::new(0));
    let counts = woken.clone();
    let on_posted = Arc::new(move |name: &str| {
        assert_eq!(name, "sms");
        counts.fetch_add(1, Ordering::Relaxed);
    });
    let house = House::open_with(Options { on_posted, ..Options::default() }).await;
    let vendor = Arc::new(Vendor::default());
    let courier = Courier::new(house.outbox.clone(), vendor.clone(), CourierSettings::default());
    let opening = TextOpening {
        tenant: "demo".into(),
        id: None,
        channel: Channel::Sms,
        direction: Direction::Inbound,
        external_id: Some("sms +15550100 +442079460123".to_owned()),
        parties: vec![(Role::Customer, Some("+442079460123".to_owned()))],
        attributes: Default::default(),
        route: Some(Route {
            connector: "sms".to_owned(),
            ours: "+15550100".to_owned(),
            theirs: "+442079460123".to_owned(),
            thread: None,
        }),
        language: "en".to_owned(),
    };
    let id = house.texts.in_thread(opening.clone()).await.expect("opened");
    let same = house.texts.in_thread(opening).await.expect("found");
    assert_eq!(id, same, "the same two numbers write in one conversation");
    say(&house, id.as_str(), "customer", "Where is my refund?").await;

    let path = format!("/v1/conversations/{id}/replies");
    let reply = json!({"id": "r1", "text": "It was paid on Monday."});
    let (status, replied) = house.post(&path, reply.clone()).await;
    assert_eq!((status.as_u16(), &replied["destination"]), (201, &json!("sms")));
    assert_eq!(replied["party"]["role"], "agent");
    let (status, again) = house.post(&path, reply).await;
    assert_eq!((status.as_u16(), &again["turn_id"]), (200, &replied["turn_id"]));
    assert_eq!(woken.load(Ordering::Relaxed), 1);
    let states = async || {
        let (_, shown) = house.get(&format!("/v1/conversations/{id}")).await;
        let replies = shown["replies"].as_array().expect("replies").clone();
        assert_eq!(replies.len(), 1);
        assert_eq!(replies[0]["turn_id"], replied["turn_id"]);
        replies[0]["state"].as_str().expect("a state").to_owned()
    };
    assert_eq!(states().await, "waiting");

    let round = courier.round(Timestamp::now()).await.expect("a round");
    assert_eq!((round.failed, states().await.as_str()), (1, "failed"));
    let turn = replied["turn_id"].as_str().expect("a turn");
    let (status, retried) = house.post(&format!("{path}/{turn}/retry"), json!({})).await;
    assert_eq!((status.as_u16(), &retried["state"]), (200, &json!("waiting")));
    let round = courier.round(Timestamp::now()).await.expect("a round");
    assert_eq!((round.done, states().await.as_str()), (1, "done"));
    let (_, retried) = house.post(&format!("{path}/{turn}/retry"), json!({})).await;
    assert_eq!(retried["state"], "unchanged", "what is done isn't sent again");
    let sent = vendor.sent.lock().expect("no panic").clone();
    assert_eq!(sent, [("+442079460123".to_owned(), "It was paid on Monday.".to_owned())]);
    let (status, _) = house.post(&format!("{path}/t-1/retry"), json!({})).await;
    assert_eq!(status, 409, "the customer's own turn was never sent");
    assert!(house.close().await);
}

#[tokio::test]
async fn what_carries_replies_is_among_the_systems() {
    let carrier = || SystemState {
        name: "twilio_sms".to_owned(),
        kind: "channel",
        system: "twilio",
        is_resting: true,
        problem: Some("the key is not accepted".to_owned()),
    };
    let carriers = Arc::new(move || vec![carrier()]);
    let channels = ChannelDoors { carriers, ..ChannelDoors::closed("demo".into()) };
    let house = House::open_with(Options { channels, ..Options::default() }).await;
    let (status, systems) = house.get("/v1/systems").await;
    assert_eq!(status, 200);
    let expected = json!([{"name": "twilio_sms", "kind": "channel", "system": "twilio", "resting": true,
        "problem": "the key is not accepted", "waiting": 0, "failed": 0}]);
    assert_eq!(systems["items"], expected);
    assert!(house.close().await);
}

#[tokio::test]
async fn a_reply_without_a_connector_is_a_turn_and_no_more() {
    let house = House::open().await;
    let id = chat(&house).await;
    say(&house, &id, "customer", "Hello?").await;
    let path = format!("/v1/conversations/{id}/replies");
    let (status, replied) = house.post(&path, json!({"text": "Good morning."})).await;
    assert_eq!((status.as_u16(), &replied["destination"]), (201, &json!(null)));
    let kinds: Vec<String> = logged(&house, &id).await.into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, ["conversation.started", "turn.final", "turn.final"]);
    let secret = json!({"text": "Your card 4539 1488 0343 6467 is fine."});
    let (status, problem) = house.post(&path, secret).await;
    assert_eq!(status, 422);
    assert!(!problem.to_string().contains("4539"), "{problem}");
    let (status, _) = house.post(&path, json!({"text": "x", "card_id": "k-none"})).await;
    assert_eq!(status, 422, "a card of another conversation");
    let (status, _) = house.post("/v1/conversations/c-none/replies", json!({"text": "x"})).await;
    assert_eq!(status, 404);
    assert!(house.close().await);
}
