use std::time::Duration;

use async_trait::async_trait;
use reqwest::Url;

use super::fake::{DATABASE, Database, KEY, LOGIN};
use super::*;
use crate::connect::crm::conformance::{self, Look, Person, Record, Way};
use crate::connect::crm::hostile;
use crate::connect::crm::played::{Cassette, Stage};
use crate::connect::crm::samples;
use crate::connect::crm::wording::plain;
use crate::domain::{CaseRef, CaseUpdate, NewNote, Redacted};

fn settings(url: Url, version: i64, key: &str) -> Settings {
    let access = Access {
        name: "odoo".to_owned(),
        url,
        patience: Duration::from_secs(5),
        region: conformance::REGION.to_owned(),
    };
    let database = DATABASE.to_owned();
    let protocol = match version {
        19.. => Protocol::Json2 { database: Some(database) },
        _ => Protocol::JsonRpc { database, login: LOGIN.to_owned() },
    };
    let mut settings = Settings::new(access, protocol, key.to_owned().into());
    settings.articles = Some(Articles { parent_id: None });
    settings
}

#[async_trait]
impl Look for Stage<Database> {
    fn connector(&self, way: &Way) -> Box<dyn Crm> {
        let (url, key) = match way {
            Way::Right => (self.url(), KEY),
            Way::At(url) => (url.clone(), KEY),
            Way::WrongToken => (self.url(), "guess"),
        };
        let version = self.player().version;
        Box::new(Odoo::new(settings(url, version, key)).expect("right settings"))
    }

    fn url(&self) -> Url {
        Stage::url(self)
    }

    async fn add_contact(&self, person: &Person) -> String {
        let mut fields = json!({"name": person.name});
        for (field, value) in [("phone", &person.phone), ("email", &person.email)] {
            if let Some(value) = value {
                fields[field] = json!(value);
            }
        }
        self.player().insert("res.partner", &fields).to_string()
    }

    async fn add_case(&self, contact_id: &str, subject: &str) -> String {
        let contact: i64 = contact_id.parse().expect("a number");
        let fields = json!({"name": subject, "partner_id": [contact, "Ada"], "description": ""});
        self.player().insert("helpdesk.ticket", &fields).to_string()
    }

    async fn close_case(&self, case_id: &str) {
        let id = case_id.parse().expect("a number");
        self.player().set("helpdesk.ticket", id, &json!({"stage_id": 4}));
    }

    async fn touch_case(&self, case_id: &str) {
        let id = case_id.parse().expect("a number");
        self.player().set("helpdesk.ticket", id, &json!({"priority": "3"}));
    }

    async fn records(&self, operation: &str, text: &str) -> Vec<Record> {
        let model = match operation {
            "create_case" => "helpdesk.ticket",
            "create_task" => "mail.activity",
            "push_article" => "knowledge.article",
            _ => "mail.message",
        };
        let database = self.player();
        let all = database.models.get(model).into_iter().flat_map(BTreeMap::values);
        let shown = all.map(|record| {
            let texts = record.iter().filter_map(|(field, value)| match field.as_str() {
                "body" | "description" | "note" => value.as_str().map(plain),
                _ => value.as_str().map(str::to_owned),
            });
            let is_public = record.get("is_internal") == Some(&json!(false));
            Record {
                text: texts.collect::<Vec<String>>().join("\n"),
                is_public,
                is_published: false,
            }
        });
        shown.filter(|record| record.text.contains(text)).collect()
    }
}

#[tokio::test]
async fn it_conforms_over_json_2() {
    conformance::all(&Stage::new(Database::new(19)).await).await;
}

#[tokio::test]
async fn it_conforms_over_json_rpc() {
    conformance::all(&Stage::new(Database::new(18)).await).await;
}

#[tokio::test]
async fn it_survives_what_it_is_answered() {
    hostile::survives(&Stage::new(Database::new(18)).await).await;
}

fn note(body: &str) -> Effect {
    Effect::AddNote(NewNote {
        contact_id: "7".to_owned(),
        case: Some(CaseRef::Id("11".to_owned())),
        subject: Redacted::default(),
        body: crate::insight::redaction::typed(body),
    })
}

#[tokio::test]
async fn an_old_server_is_not_told_what_it_doesnt_know() {
    let stage = Stage::new(Database::new(16)).await;
    let contact = stage.add_contact(&Person { name: "Ada".to_owned(), ..Person::default() }).await;
    let crm = stage.connector(&Way::Right);
    let note = Effect::AddNote(NewNote {
        contact_id: contact,
        case: None,
        subject: Redacted::default(),
        body: crate::insight::redaction::typed("<b>Bold</b> she was."),
    });
    crm.deliver(&note, &DedupeKey::stored("5f2b")).await.expect("it is made");
    let records = stage.records("add_note", "5f2b").await;
    assert!(records[0].text.contains("<b>Bold</b> she was."), "{}", records[0].text);
}

#[tokio::test]
async fn the_same_key_twice_is_one_case() {
    let stage = Stage::new(Database::new(19)).await;
    let contact = stage.add_contact(&Person { name: "Ada".to_owned(), ..Person::default() }).await;
    let crm = stage.connector(&Way::Right);
    let case = Effect::CreateCase(crate::domain::NewCase {
        contact_id: contact,
        subject: crate::insight::redaction::typed("Late router"),
        body: Redacted::default(),
        priority: None,
    });
    let key = DedupeKey::stored("5f2b");
    let first = crm.deliver(&case, &key).await.expect("it is made");
    assert_eq!(crm.deliver(&case, &key).await, Ok(first));
    assert_eq!(stage.records("create_case", "5f2b").await.len(), 1);
}

#[tokio::test]
async fn shapes_of_json_2_are_read_as_the_reference_shows_them() {
    let stage = Stage::new(Cassette::load("odoo/json2")).await;
    let crm = Odoo::new(settings(stage.url(), 19, KEY)).expect("right settings");
    let found =
        crm.find_contacts(&ContactKey::Phone("+442079460123".to_owned())).await.expect("answers");
    assert_eq!((found[0].id.as_str(), found[0].phones[0].as_str()), ("25", "+44 20 7946 0123"));
    let cases = crm.open_cases(&found[0], 3).await.expect("answers");
    assert_eq!(
        (cases[0].status.as_str(), cases[0].priority.as_deref()),
        ("In Progress", Some("2"))
    );
    assert_eq!(cases[0].history[0].text.as_str(), "Asked for an engineer.");
    assert_eq!(
        crm.deliver(&note("She waits."), &DedupeKey::stored("5f2b")).await,
        Ok(RemoteId("91".to_owned()))
    );
    // Odoo's own errors mean that nothing was done, whatever their status.
    let errors = [
        DeliveryError::Forbidden("odoo.exceptions.AccessError".to_owned()),
        DeliveryError::Refused("builtins.ValueError".to_owned()),
        DeliveryError::Limited { retry_after: None },
        DeliveryError::Unclear("status 502".to_owned()),
    ];
    for error in errors {
        assert_eq!(crm.deliver(&note("She waits."), &DedupeKey::stored("5f2b")).await, Err(error));
    }
}

#[tokio::test]
async fn shapes_of_json_rpc_are_read_as_the_reference_shows_them() {
    let stage = Stage::new(Cassette::load("odoo/jsonrpc")).await;
    let crm = Odoo::new(settings(stage.url(), 18, KEY)).expect("right settings");
    let found = crm
        .find_contacts(&ContactKey::Email("ada@example.test".to_owned()))
        .await
        .expect("answers");
    assert_eq!(found[0].emails, ["ada@example.test"]);
    let update = Effect::UpdateCase(CaseUpdate {
        contact_id: "25".to_owned(),
        case_id: "11".to_owned(),
        status: Some("solved".to_owned()),
        priority: None,
        expected_version: Some("2026-11-20 09:30:00".to_owned()),
    });
    assert_eq!(
        crm.deliver(&update, &DedupeKey::stored("5f2b")).await,
        Ok(RemoteId("11".to_owned()))
    );
    assert_eq!(
        crm.deliver(&note("x"), &DedupeKey::stored("5f2b")).await,
        Err(DeliveryError::NotFound("Odoo has no such record".to_owned()))
    );
}

#[tokio::test]
async fn writes_are_sent_as_the_reference_says() {
    let stage = Stage::new(Cassette::load("odoo/writes")).await;
    let crm = Odoo::new(settings(stage.url(), 19, KEY)).expect("right settings");
    for effect in samples::all("25", "11") {
        crm.deliver(&effect, &samples::key())
            .await
            .unwrap_or_else(|error| panic!("{}: {error}", effect.operation()));
    }
}

#[test]
fn settings_are_checked() {
    let right = settings(Url::parse("https://mycompany.odoo.com").expect("a URL"), 19, "x");
    for (wrong, told) in [
        (Settings { case_model: "a/b".to_owned(), ..right.clone() }, "case_model"),
        (Settings { phone_fields: Vec::new(), ..right.clone() }, "phone_fields"),
        (Settings { open_domain: vec![json!(["a", "="])], ..right.clone() }, "open_domain"),
        (Settings { open_domain: vec![json!("or")], ..right.clone() }, "open_domain"),
    ] {
        let error = Odoo::new(wrong).err().expect("it is wrong");
        assert!(error.starts_with(told), "{error}");
    }
    assert!(Odoo::new(right).is_ok());
}
