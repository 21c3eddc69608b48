use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::{Bot, BotSettings, Workflows, WorkflowsSettings};
use super::{PATIENCE, key, post};
use crate::connect::crm::played::{Asked, Play, Reply, Stage};
use crate::connect::destination::{DeliveryError, Destination as _};

/// Whatever is asked, and what to say to it.
struct Heard {
    asked: Vec<Asked>,
    replies: Vec<Reply>,
}

impl Play for Heard {
    fn answer(&mut self, asked: &Asked) -> Reply {
        self.asked.push(asked.clone());
        if asked.path.ends_with("/oauth2/v2.0/token") {
            return Reply::json(200, json!({ "access_token": "t-1", "expires_in": 3600 }));
        }
        match self.replies.is_empty() {
            true => Reply::json(201, json!({ "id": "1:abc" })),
            false => self.replies.remove(0),
        }
    }
}

async fn heard(replies: Vec<Reply>) -> Stage<Heard> {
    Stage::new(Heard { asked: Vec::new(), replies }).await
}

fn webhook(stage: &Stage<Heard>) -> Workflows {
    let address = format!("{}workflows/7/paths/invoke?api-version=1&sig=se%2Fcret", stage.url());
    let settings = WorkflowsSettings {
        name: "teams".to_owned(),
        rooms: BTreeMap::from([("experts".to_owned(), address.into())]),
        patience: PATIENCE,
    };
    Workflows::new(settings).expect("settings that can be used")
}

#[tokio::test]
async fn a_webhook_gets_a_card() {
    let stage = heard(vec![Reply::empty(202)]).await;
    let posted = webhook(&stage).deliver(&post("experts"), &key("a")).await.expect("accepted");
    assert!(posted.0.starts_with("accepted:"));
    let asked = stage.player().asked[0].clone();
    assert_eq!((asked.method.as_str(), asked.path.as_str()), ("POST", "/workflows/7/paths/invoke"));
    assert_eq!(asked.parameter("sig"), Some("se/cret"));
    let attachment = &asked.body["attachments"][0];
    assert_eq!(attachment["contentType"], "application/vnd.microsoft.card.adaptive");
    assert_eq!(attachment["contentUrl"], Value::Null);
    assert_eq!(attachment["content"]["version"], "1.4");
}

#[tokio::test]
async fn what_a_webhook_may_have_posted_is_left_to_a_person() {
    let stage = heard(vec![Reply::empty(502)]).await;
    let webhook = webhook(&stage);
    let unclear = webhook.deliver(&post("experts"), &key("a")).await.expect_err("a gateway's word");
    assert!(matches!(unclear, DeliveryError::Unclear(_)), "{unclear:?}");
    let undecided = webhook.delivered(&post("experts"), &key("a")).await.expect_err("unknown");
    assert!(matches!(undecided, DeliveryError::Undecided(_)), "{undecided:?}");
    assert!(!undecided.is_retryable() && !undecided.is_outage());
}

#[tokio::test]
async fn a_webhooks_address_is_never_told() {
    let stage = heard(vec![Reply::empty(401)]).await;
    let webhook = webhook(&stage);
    let told = format!("{:?} {:?}", webhook, webhook.deliver(&post("experts"), &key("a")).await);
    assert!(!told.contains("cret"), "{told}");
    let unknown = webhook.deliver(&post("elsewhere"), &key("a")).await;
    assert!(matches!(unknown, Err(DeliveryError::NotFound(_))), "{unknown:?}");
    let settings = WorkflowsSettings {
        name: "teams".to_owned(),
        rooms: BTreeMap::from([("experts".to_owned(), "ftp://host/?sig=cret".into())]),
        patience: PATIENCE,
    };
    let wrong = Workflows::new(settings).expect_err("no webhook");
    assert!(wrong.starts_with("rooms.experts ") && !wrong.contains("cret"), "{wrong}");
}

fn bot(stage: &Stage<Heard>) -> Bot {
    let settings = BotSettings {
        name: "bot".to_owned(),
        app_id: "app".to_owned(),
        app_secret: "app-secret".into(),
        tenant: "botframework.com".to_owned(),
        login_url: stage.url(),
        service_urls: vec![stage.url().join("teams/").expect("an address")],
        patience: PATIENCE,
    };
    Bot::new(settings).expect("settings that can be used")
}

#[tokio::test]
async fn a_bot_posts_with_a_token_that_it_keeps() {
    let stage = heard(Vec::new()).await;
    let bot = bot(&stage);
    for (room, of) in [("19:x@thread.tacv2", "a"), (&format!("{}teams 19:y", stage.url()), "b")] {
        let posted = bot.deliver(&post(room), &key(of)).await.expect("posted");
        assert_eq!(posted.0, "1:abc");
    }
    let player = stage.player();
    let paths: Vec<&str> = player.asked.iter().map(|asked| asked.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "/botframework%2Ecom/oauth2/v2.0/token",
            "/teams/v3/conversations/19%3Ax%40thread%2Etacv2/activities",
            "/teams/v3/conversations/19%3Ay/activities",
        ]
    );
    assert_eq!(player.asked[0].body["scope"], "https://api.botframework.com/.default");
    assert_eq!(player.asked[1].header("authorization"), Some("Bearer t-1"));
    assert_eq!(player.asked[1].body["type"], "message");
}

#[tokio::test]
async fn a_bots_token_goes_to_listed_services_only() {
    let stage = heard(Vec::new()).await;
    let bot = bot(&stage);
    for room in [
        "https://evil.example/teams 19:x".to_owned(),
        format!("{}other 19:x", stage.url()),
        format!("{}teams/../evil 19:x", stage.url()),
        "not-an-address 19:x".to_owned(),
        String::new(),
        format!("{}teams ", stage.url()),
    ] {
        let refused = bot.deliver(&post(&room), &key("a")).await;
        assert!(matches!(refused, Err(DeliveryError::Refused(_))), "{room}: {refused:?}");
    }
    assert!(stage.player().asked.is_empty(), "not even a token was asked for");
    let undecided = bot.delivered(&post("19:x"), &key("a")).await;
    assert!(matches!(undecided, Err(DeliveryError::Undecided(_))), "{undecided:?}");
}
