use async_trait::async_trait;
use reqwest::Url;

use super::fake::{Account, TOKEN};
use super::*;
use crate::connect::crm::conformance::{self, Look, Person, Record, Way};
use crate::connect::crm::hostile;
use crate::connect::crm::played::{Cassette, Stage};
use crate::connect::crm::samples;
use crate::connect::crm::wording::plain;
use crate::domain::{CaseRef, NewNote, Redacted};

fn settings(url: Url, token: &str) -> Settings {
    let access = Access {
        name: "hub".to_owned(),
        url,
        patience: Duration::from_secs(5),
        region: conformance::REGION.to_owned(),
    };
    Settings::new(access, Credentials::Bearer(token.to_owned().into()))
}

#[async_trait]
impl Look for Stage<Account> {
    fn connector(&self, way: &Way) -> Box<dyn Crm> {
        let (url, token) = match way {
            Way::Right => (self.url(), TOKEN),
            Way::At(url) => (url.clone(), TOKEN),
            Way::WrongToken => (self.url(), "guess"),
        };
        let mut settings = settings(url, token);
        if !self.player().is_unique {
            settings.key = Key::Marker;
        }
        Box::new(HubSpot::new(settings).expect("right settings"))
    }

    fn url(&self) -> Url {
        Stage::url(self)
    }

    fn operations(&self) -> &'static [&'static str] {
        &["create_case", "update_case", "add_note", "log_call", "create_task"]
    }

    fn shared(&self) -> &'static [&'static str] {
        &["phone"]
    }

    async fn add_contact(&self, person: &Person) -> String {
        let (first, last) = person.name.split_once(' ').unwrap_or((&person.name, ""));
        let mut properties = json!({"firstname": first, "lastname": last});
        for (name, value) in [("phone", &person.phone), ("email", &person.email)] {
            if let Some(value) = value {
                properties[name] = json!(value);
            }
        }
        self.player().insert("contacts", &properties, &[]).expect("it is entered")
    }

    async fn add_case(&self, contact_id: &str, subject: &str) -> String {
        let properties = json!({
            "subject": subject, "hs_pipeline": "0", "hs_pipeline_stage": "1", "hs_ticket_priority": "LOW",
        });
        let types = [json!({"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 16})];
        let contact = json!({"to": {"id": contact_id}, "types": types});
        self.player().insert("tickets", &properties, &[contact]).expect("it is opened")
    }

    async fn close_case(&self, case_id: &str) {
        self.player().set("tickets", case_id, &json!({"hs_pipeline_stage": "4"}));
    }

    async fn touch_case(&self, case_id: &str) {
        self.player().set("tickets", case_id, &json!({"hs_ticket_priority": "HIGH"}));
    }

    async fn records(&self, operation: &str, text: &str) -> Vec<Record> {
        let kind = match operation {
            "create_case" => "tickets",
            "add_note" => "notes",
            "log_call" => "calls",
            _ => "tasks",
        };
        let account = self.player();
        let of_kind = account.objects.iter().filter(|((one, _), _)| one == kind);
        let shown = of_kind.map(|(_, record)| {
            let texts = record.iter().filter_map(|(name, value)| match name.ends_with("_body") {
                true => value.as_str().map(plain),
                false => value.as_str().map(str::to_owned),
            });
            texts.collect::<Vec<String>>().join("\n")
        });
        let right = shown.filter(|shown| shown.contains(text));
        right.map(|text| Record { text, is_public: false, is_published: false }).collect()
    }
}

#[tokio::test]
async fn it_conforms_with_a_unique_property() {
    conformance::all(&Stage::new(Account::new(true)).await).await;
}

#[tokio::test]
async fn it_conforms_with_markers() {
    conformance::all(&Stage::new(Account::new(false)).await).await;
}

#[tokio::test]
async fn it_survives_what_it_is_answered() {
    hostile::survives(&Stage::new(Account::new(true)).await).await;
}

fn note(body: &str) -> Effect {
    Effect::AddNote(NewNote {
        contact_id: "101".to_owned(),
        case: Some(CaseRef::Id("501".to_owned())),
        subject: Redacted::default(),
        body: crate::insight::redaction::typed(body),
    })
}

/// Two requests with one key that overtake each other: HubSpot refuses the second, which is then done.
#[tokio::test]
async fn the_same_key_twice_is_one_note() {
    let stage = Stage::new(Account::new(true)).await;
    let contact =
        stage.add_contact(&Person { name: "Ada Lovelace".to_owned(), ..Person::default() }).await;
    let crm = stage.connector(&Way::Right);
    let note = Effect::AddNote(NewNote {
        contact_id: contact,
        case: None,
        subject: Redacted::default(),
        body: crate::insight::redaction::typed("She waits."),
    });
    let key = DedupeKey::stored("5f2b");
    let all = futures_util::future::join_all((0..8).map(|_| crm.deliver(&note, &key))).await;
    let first = all[0].clone().expect("it is made");
    assert!(all.iter().all(|one| *one == Ok(first.clone())), "{all:?}");
    assert_eq!(stage.records("add_note", "5f2b").await.len(), 1);
}

#[tokio::test]
async fn shapes_are_read_as_the_reference_shows_them() {
    let stage = Stage::new(Cassette::load("hubspot/caller")).await;
    let crm = HubSpot::new(Settings {
        tier_property: Some("customer_tier".to_owned()),
        portal_id: Some(62_515),
        ..settings(stage.url(), TOKEN)
    })
    .expect("right settings");
    let found =
        crm.find_contacts(&ContactKey::Phone("+442079460123".to_owned())).await.expect("answers");
    assert_eq!(found[0].emails, ["ada@example.test", "countess@example.test"]);
    assert_eq!(
        found[0].url.as_deref(),
        Some("https://app.hubspot.com/contacts/62515/record/0-1/101")
    );
    let cases = crm.open_cases(&found[0], 5).await.expect("answers");
    assert_eq!(cases.len(), 1, "a closed one isn't open");
    assert_eq!(
        (cases[0].status.as_str(), cases[0].priority.as_deref()),
        ("Waiting on us", Some("HIGH"))
    );
    assert_eq!(cases[0].history[0].text.as_str(), "Asked for an engineer.");
    let facts = crm.account_facts(&found[0]).await.expect("answers");
    assert_eq!((facts.tier.as_deref(), facts.owner.as_deref()), (Some("gold"), Some("Otto Owner")));
}

#[tokio::test]
async fn only_hubspot_says_that_nothing_is_there() {
    let stage = Stage::new(Cassette::load("hubspot/keys")).await;
    let crm = HubSpot::new(settings(stage.url(), TOKEN)).expect("right settings");
    let key = DedupeKey::stored("5f2b");
    assert_eq!(crm.delivered(&note(""), &key).await, Ok(None));
    // The property isn't unique, or isn't there; a gateway's own 404.
    assert!(matches!(crm.delivered(&note(""), &key).await, Err(DeliveryError::Refused(_))));
    assert!(matches!(crm.delivered(&note(""), &key).await, Err(DeliveryError::NotFound(_))));
    // It reads by something else.
    assert!(matches!(crm.delivered(&note(""), &key).await, Err(DeliveryError::Untrusted(_))));
    let made = crm.deliver(&note("She waits & <hopes>."), &key).await.expect("it is made");
    assert_eq!(made.0, "701");
}

#[tokio::test]
async fn writes_are_sent_as_the_reference_says() {
    let stage = Stage::new(Cassette::load("hubspot/writes")).await;
    let crm = HubSpot::new(settings(stage.url(), TOKEN)).expect("right settings");
    for effect in samples::all("101", "501") {
        match crm.deliver(&effect, &samples::key()).await {
            Err(DeliveryError::Unsupported(_)) => assert_eq!(effect.operation(), "push_article"),
            other => _ = other.unwrap_or_else(|error| panic!("{}: {error}", effect.operation())),
        }
    }
}

#[test]
fn settings_are_checked() {
    let right = settings(Url::parse("https://api.hubapi.com").expect("a URL"), "x");
    for (wrong, told) in [
        (Settings { key: Key::Property("a key".to_owned()), ..right.clone() }, "key"),
        (Settings { tier_property: Some("a,b".to_owned()), ..right.clone() }, "tier_property"),
    ] {
        let error = HubSpot::new(wrong).err().expect("it is wrong");
        assert!(error.starts_with(told), "{error}");
    }
    assert!(HubSpot::new(right).is_ok());
}
