use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Map, json};

use super::fake::{Organization, SECRET};
use super::query::identifier;
use super::*;
use crate::connect::crm::conformance::{self, Look, Person, Record, Way};
use crate::connect::crm::hostile;
use crate::connect::crm::played::{Cassette, Stage};
use crate::connect::crm::wording::plain;
use crate::domain::{CallRecord, CaseUpdate, Direction, NewNote, Redacted};

fn settings(url: Url, secret: &str) -> Settings {
    let credentials = client_credentials(
        url.clone(),
        "contoso",
        "app".to_owned(),
        secret.to_owned().into(),
        &url,
    );
    let access = Access {
        name: "dynamics".to_owned(),
        url,
        patience: Duration::from_secs(5),
        region: conformance::REGION.to_owned(),
    };
    Settings::new(access, credentials)
}

#[async_trait]
impl Look for Stage<Organization> {
    fn connector(&self, way: &Way) -> Box<dyn Crm> {
        let (url, secret) = match way {
            Way::Right => (self.url(), SECRET),
            Way::At(url) => (url.clone(), SECRET),
            Way::WrongToken => (self.url(), "guess"),
        };
        Box::new(Dataverse::new(settings(url, secret)).expect("right settings"))
    }

    fn url(&self) -> Url {
        Stage::url(self)
    }

    async fn add_contact(&self, person: &Person) -> String {
        let mut fields = json!({"fullname": person.name});
        for (field, value) in [("telephone1", &person.phone), ("emailaddress1", &person.email)] {
            if let Some(value) = value {
                fields[field] = json!(value);
            }
        }
        let mut organization = self.player();
        let id = organization.fresh();
        organization.insert("contacts", &id, &fields).expect("it is entered");
        id
    }

    async fn add_case(&self, contact_id: &str, subject: &str) -> String {
        let fields = json!({"title": subject, "customerid_contact@odata.bind": format!("/contacts({contact_id})")});
        let mut organization = self.player();
        let id = organization.fresh();
        organization.insert("incidents", &id, &fields).expect("it is opened");
        id
    }

    async fn close_case(&self, case_id: &str) {
        self.player().set(
            "incidents",
            case_id,
            &[("statecode", json!(1)), ("statuscode", json!(5))],
        );
    }

    async fn touch_case(&self, case_id: &str) {
        self.player().set("incidents", case_id, &[("prioritycode", json!(1))]);
    }

    async fn records(&self, operation: &str, text: &str) -> Vec<Record> {
        let table = match operation {
            "create_case" => "incidents",
            "add_note" => "annotations",
            "log_call" => "phonecalls",
            "create_task" => "tasks",
            _ => "knowledgearticles",
        };
        // A key is seen in no text: it is the row's identifier.
        let id = identifier(&DedupeKey::stored(text));
        let organization = self.player();
        let whole = |row: &Map<String, Value>| {
            let texts = row.iter().filter_map(|(field, value)| match field.as_str() {
                "content" => value.as_str().map(plain),
                _ => value.as_str().map(str::to_owned),
            });
            texts.collect::<Vec<String>>().join("\n")
        };
        let rows = organization.tables.get(table).into_iter().flatten();
        rows.map(|(key, row)| (key, row, whole(row)))
            .filter(|(key, _, whole)| **key == id || whole.contains(text))
            .map(|(_, row, text)| Record {
                is_public: text.contains("*WEB*"),
                is_published: row["statecode"] == 3,
                text,
            })
            .collect()
    }
}

#[tokio::test]
async fn it_conforms() {
    conformance::all(&Stage::new(Organization::default()).await).await;
}

#[tokio::test]
async fn it_survives_what_it_is_answered() {
    hostile::survives(&Stage::new(Organization::default()).await).await;
}

fn call(contact_id: &str) -> Effect {
    Effect::LogCall(CallRecord {
        contact_id: contact_id.to_owned(),
        case: None,
        direction: Direction::Inbound,
        started_at: "2026-11-22T10:00:04Z".parse().expect("a time"),
        duration_s: 184,
        subject: crate::insight::redaction::typed("Late router"),
        outcome: Some(crate::insight::redaction::typed("Promised a call back")),
        body: crate::insight::redaction::typed("She waits."),
    })
}

#[tokio::test]
async fn shapes_are_read_as_the_reference_shows_them() {
    let stage = Stage::new(Cassette::load("dataverse/caller")).await;
    let crm = Dataverse::new(settings(stage.url(), SECRET)).expect("right settings");
    let odd = ContactKey::Email("o'neil&$top=9#@example.test".to_owned());
    assert!(crm.find_contacts(&odd).await.expect("answers").is_empty());
    let id = ContactKey::Id("465b158c-541c-e511-80d3-3863bb347ba8".to_owned());
    let found = crm.find_contacts(&id).await.expect("answers");
    assert_eq!(found[0].phones, ["555-0109", "+44 7700 900123"]);
    assert_eq!(found[0].company.as_ref().map(Redacted::as_str), Some("Fourth Coffee (sample)"));
    let cases = crm.open_cases(&found[0], 3).await.expect("answers");
    assert_eq!(
        (cases[0].status.as_str(), cases[0].priority.as_deref()),
        ("In Progress", Some("Normal"))
    );
    assert_eq!(cases[0].version.as_deref(), Some("W/\"1234567\""));
    let texts: Vec<&str> = cases[0].history.iter().map(|entry| entry.text.as_str()).collect();
    assert_eq!(texts, ["Late\n\nAsked for an engineer.", "Call\n\nShe waits."]);
    let facts = crm.account_facts(&found[0]).await.expect("answers");
    assert_eq!((facts.tier.as_deref(), facts.value), (Some("Preferred Customer"), Some(120_000.0)));
    assert_eq!(facts.owner.as_deref(), Some("Anna Account"));
}

#[tokio::test]
async fn a_call_is_made_and_completed_and_a_case_is_closed_by_its_action() {
    let stage = Stage::new(Cassette::load("dataverse/writes")).await;
    let crm = Dataverse::new(settings(stage.url(), SECRET)).expect("right settings");
    let key = DedupeKey::stored("5f2b");
    let contact = "465b158c-541c-e511-80d3-3863bb347ba8";
    let made = crm.deliver(&call(contact), &key).await.expect("it is made");
    assert_eq!(made.0, identifier(&key));
    // What an earlier try left open is completed when it is looked for.
    assert_eq!(crm.delivered(&call(contact), &key).await, Ok(Some(made.clone())));
    // The table is missing: that isn't "not yet".
    assert!(matches!(crm.delivered(&call(contact), &key).await, Err(DeliveryError::NotFound(_))));
    let close = Effect::UpdateCase(CaseUpdate {
        contact_id: contact.to_owned(),
        case_id: "39dd0b31-ed8b-e511-80d2-00155d2a68d4".to_owned(),
        status: Some("problem solved".to_owned()),
        priority: None,
        expected_version: Some("W/\"1234567\"".to_owned()),
    });
    crm.deliver(&close, &key).await.expect("it is closed");
    assert_eq!(crm.deliver(&close, &key).await, Err(DeliveryError::Changed));
}

#[tokio::test]
async fn no_portal_shows_a_note() {
    let stage = Stage::new(Organization::default()).await;
    let contact = stage.add_contact(&Person { name: "Ada".to_owned(), ..Person::default() }).await;
    let crm = Dataverse::new(settings(Stage::url(&stage), SECRET)).expect("right settings");
    let note = Effect::AddNote(NewNote {
        contact_id: contact,
        case: None,
        subject: Redacted::default(),
        body: crate::insight::redaction::typed("She said *WEB* twice: *WEB*."),
    });
    crm.deliver(&note, &DedupeKey::stored("5f2b")).await.expect("it is made");
    let records = stage.records("add_note", "5f2b").await;
    assert!(!records[0].is_public && records[0].text.contains("twice"), "{}", records[0].text);
}

#[test]
fn settings_are_checked() {
    let right = settings(Url::parse("https://contoso.crm4.dynamics.com").expect("a URL"), "x");
    let wrong = Settings { tier_field: Some("a b".to_owned()), ..right.clone() };
    assert!(Dataverse::new(wrong).err().expect("it is wrong").starts_with("tier_field"));
    let Credentials::OAuth(grant) = &right.credentials else { panic!("a grant") };
    assert_eq!(grant.fields[0].1, "https://contoso.crm4.dynamics.com/.default");
    assert!(Dataverse::new(right).is_ok());
}
