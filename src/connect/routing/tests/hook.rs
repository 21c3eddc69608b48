//! The signed message, to a receiver that checks it.

use std::time::Duration;

use async_trait::async_trait;
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::Url;
use sha2::Sha256;

use super::super::conformance::{self, EMMAS_OTHER_NAME, Fault, Look, Way};
use super::super::{Fields, webhook};
use crate::connect::crm::generic::webhook::Scheme;
use crate::connect::crm::played::{Asked, Play, Reply, Stage};
use crate::connect::destination::Destination;
use crate::connect::oauth::Credentials;

const SECRET: &str = "a-secret-of-at-least-24-bytes";

#[derive(Default)]
struct Receiver {
    items: usize,
    /// By the item's identifier: the last that came.
    told: std::collections::BTreeMap<String, Fields>,
    fault: Option<Fault>,
}

fn is_signed(asked: &Asked) -> bool {
    let given = asked.header("x-backchannel-signature").unwrap_or_default();
    let Some((seconds, signature)) = given.strip_prefix("t=").and_then(|text| text.split_once(','))
    else {
        return false;
    };
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any length");
    mac.update(format!("{seconds}.{}", asked.body).as_bytes());
    let code = mac.finalize().into_bytes();
    let code: String = code.iter().map(|byte| format!("{byte:02x}")).collect();
    signature == format!("v1={code}")
}

impl Play for Receiver {
    fn answer(&mut self, asked: &Asked) -> Reply {
        if !is_signed(asked) {
            return Reply::empty(401);
        }
        let fault = self.fault.take();
        if fault == Some(Fault::Limited) {
            return Reply::empty(429).header("Retry-After", "7");
        }
        assert_eq!(asked.body["type"], "backchannel.effect.recommend");
        let data = &asked.body["data"];
        let decision = &data["decision"];
        let agent = decision["chosen"]["agent"].as_str().unwrap_or_default();
        let intent = decision["features"].as_array().and_then(|all| all.first());
        let text = |value: &serde_json::Value| match value {
            serde_json::Value::String(text) => text.clone(),
            serde_json::Value::Null => String::new(),
            other => other.to_string(),
        };
        // The receiver knows its people by our names.
        let theirs = if agent == "emma" { EMMAS_OTHER_NAME } else { agent };
        let fields = [
            ("key", text(&asked.body["id"])),
            ("at_ms", text(&decision["at_ms"])),
            ("decision", text(&decision["decision_id"])),
            ("agent", theirs.to_owned()),
            ("agent_name", agent.to_owned()),
            ("mode", text(&decision["mode"])),
            ("reason", text(&decision["reason"])),
            ("intent", intent.map(|one| text(&one["value"])).unwrap_or_default()),
        ];
        let fields = fields.map(|(name, value)| (name.to_owned(), value));
        self.told.insert(text(&data["external_id"]), Fields::from(fields));
        if fault == Some(Fault::Lost) { Reply::empty(504) } else { Reply::empty(204) }
    }
}

struct Hook(Stage<Receiver>);

#[async_trait]
impl Look for Hook {
    fn connector(&self, way: &Way) -> Box<dyn Destination> {
        let url: Url = match way {
            Way::At(url) => url.clone(),
            _ => self.0.url().join("/told?from=us").expect("an address"),
        };
        let wrong = matches!(way, Way::WrongKey);
        let secret = if wrong { "b-secret-of-at-least-24-bytes" } else { SECRET };
        let settings = webhook::Settings {
            name: "hook".into(),
            url,
            patience: Duration::from_secs(5),
            credentials: Credentials::None,
            scheme: Scheme::timestamped(),
            secret: secret.to_owned().into(),
            previous_secret: None,
            deduplicates: false,
        };
        Box::new(webhook::webhook(settings).expect("settings"))
    }

    fn add_item(&self) -> String {
        let mut receiver = self.0.player();
        receiver.items += 1;
        format!("item-{}", receiver.items)
    }

    fn nobody(&self) -> String {
        "nobody".into()
    }

    fn ours(&self, item: &str) -> Fields {
        self.0.player().told.get(item).cloned().unwrap_or_default()
    }

    fn theirs(&self, _: &str) -> Option<String> {
        None
    }

    fn next(&self, fault: Fault) {
        self.0.player().fault = Some(fault);
    }

    fn is_told_only(&self) -> bool {
        true
    }
}

#[tokio::test]
async fn the_webhook_keeps_the_contract() {
    conformance::all(&Hook(Stage::new(Receiver::default()).await)).await;
}
