//! Signed requests that come more than once, and at the same moment: from a vendor who heard no answer, or from whoever has
//! recorded one. Each message counts once.

use std::collections::BTreeMap;

use backchannel::connect::channels::teams::BotTokens;
use backchannel::connect::channels::twilio_sms::Webhook;
use backchannel::connect::telephony::auth::{MediaAuth, PublicUrl};
use backchannel::serve::{ChannelDoors, TeamsDoor};
use backchannel::store::ReadQuery;
use futures_util::StreamExt as _;
use rand::seq::SliceRandom as _;
use serde_json::{Value, json};

use super::super::serve::harness::{House, Options};
use super::vendors::{BotService, PUBLIC, activity, signed};
use crate::seed;

/// So often each comes in the short form; `BACKCHANNEL_REPLAYS=100` is a long one.
const REPLAYS: u32 = 6;
const MESSAGES: usize = 5;
const SECRET: &str = "a-long-secret-16";

#[derive(Clone)]
enum Delivery {
    Twilio(Vec<(&'static str, String)>),
    EventGrid(Value),
    Teams(Value),
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signed_message_counts_once_however_often_it_comes() {
    let replays = seed::count("BACKCHANNEL_REPLAYS", REPLAYS);
    let mut random = seed::random();
    let framework = BotService::start().await;
    let tokens = BotTokens::new(&format!("{}/metadata", framework.url), "bot-app");
    let teams = TeamsDoor { connector: "teams".into(), tokens: tokens.expect("an address") };
    let twilio = Webhook {
        connector: "twilio_sms".into(),
        auth_token: "12345".into(),
        public: PublicUrl::parse(PUBLIC).expect("an address"),
    };
    let mut media_auth = MediaAuth::default();
    media_auth.add_event_grid(SECRET, "demo".into());
    let channels = ChannelDoors {
        twilio: Some(twilio),
        acs: Some("acs_sms".into()),
        teams: Some(teams),
        ..ChannelDoors::closed("demo".into())
    };
    let house = House::open_with(Options { channels, media_auth, ..Options::default() }).await;

    let (mut texts, mut deliveries) = (Vec::new(), Vec::new());
    for number in 0..MESSAGES {
        let of = |vendor: &str| format!("Message {number} by {vendor}");
        deliveries.push(Delivery::Twilio(vec![
            ("MessageSid", format!("SM{number}")),
            ("From", format!("+44207946012{number}")),
            ("To", "+15550100".to_owned()),
            ("Body", of("Twilio")),
        ]));
        deliveries.push(Delivery::EventGrid(json!([{"id": format!("e-{number}"), "topic": "/subscriptions/x",
            "subject": "/phonenumber/15550100", "eventType": "Microsoft.Communication.SMSReceived",
            "dataVersion": "1.0", "metadataVersion": "1", "eventTime": "2026-09-18T00:27:47Z",
            "data": {"messageId": format!("Incoming_{number}"), "from": format!("+44207946022{number}"),
                "to": "+15550100", "message": of("Azure"),
                "receivedTimestamp": "2026-09-18T00:27:45.32Z"}}])));
        deliveries.push(Delivery::Teams(activity(&format!("m-{number}"), &of("Teams"))));
        texts.extend(["Twilio", "Azure", "Teams"].map(of));
    }
    let mut all: Vec<Delivery> = (0..replays).flat_map(|_| deliveries.iter().cloned()).collect();
    all.shuffle(&mut random);
    let token = framework.token("k-1", &[]);
    let statuses: Vec<u16> = futures_util::stream::iter(all)
        .map(|delivery| deliver(&house, &token, delivery))
        .buffer_unordered(16)
        .collect()
        .await;
    // Whoever is told to come again does; nobody is told that something is wrong with it.
    let odd: Vec<&u16> = statuses.iter().filter(|status| !matches!(status, 200 | 503)).collect();
    assert!(odd.is_empty(), "{odd:?}");
    for delivery in deliveries {
        assert_eq!(deliver(&house, &token, delivery).await, 200, "once more, by itself");
    }

    let said = said(&house).await;
    let wrong: Vec<_> = texts.iter().filter(|text| said.get(*text) != Some(&1)).collect();
    assert!(wrong.is_empty() && said.len() == texts.len(), "{wrong:?} of {said:?}");
    println!("{} messages, each {} times", texts.len(), replays + 1);
    assert!(house.close().await);
}

async fn deliver(house: &House, token: &str, delivery: Delivery) -> u16 {
    let post = |path: &str| house.client.post(house.url(path));
    let request = match &delivery {
        Delivery::Twilio(form) => {
            let pairs: Vec<(&str, &str)> =
                form.iter().map(|(name, value)| (*name, value.as_str())).collect();
            post("/v1/channels/twilio").header("x-twilio-signature", signed(&pairs)).form(&pairs)
        }
        Delivery::EventGrid(event) => {
            post(&format!("/v1/hooks/eventgrid?secret={SECRET}")).json(event)
        }
        Delivery::Teams(message) => post("/v1/channels/teams").bearer_auth(token).json(message),
    };
    request.send().await.expect("answers").status().as_u16()
}

/// What stands in the log, and how often.
async fn said(house: &House) -> BTreeMap<String, usize> {
    let (mut said, mut after) = (BTreeMap::new(), 0);
    loop {
        let page = house.store.read(&ReadQuery::all("demo".into(), after)).await.expect("reads");
        let Some(last) = page.last() else { return said };
        after = last.position;
        for event in page.iter().filter(|event| &*event.kind == "turn.final") {
            let data: Value = serde_json::from_str(&event.data).expect("JSON");
            *said.entry(data["text"].as_str().expect("text").to_owned()).or_default() += 1;
        }
    }
}
