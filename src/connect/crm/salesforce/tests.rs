use std::time::Duration;

use async_trait::async_trait;
use reqwest::Url;
use serde_json::{Value, json};

use super::fake::{Org, SECRET};
use super::*;
use crate::connect::crm::conformance::{self, Look, Person, Record, Way};
use crate::connect::crm::hostile;
use crate::connect::crm::played::{Cassette, Stage};
use crate::connect::crm::samples;
use crate::connect::crm::wording::plain;
use crate::domain::{CaseRef, NewNote, Redacted};

fn settings(url: Url, secret: &str) -> Settings {
    let access = Access {
        name: "crm".to_owned(),
        url,
        patience: Duration::from_secs(5),
        region: conformance::REGION.to_owned(),
    };
    let mut settings = Settings::new(access, client_credentials("key".to_owned(), secret.into()));
    settings.articles = Some(Articles {
        object: "Knowledge__kav".to_owned(),
        body_field: "Answer__c".to_owned(),
        language: "en_US".to_owned(),
    });
    settings
}

fn connector(url: Url) -> Salesforce {
    Salesforce::new(settings(url, SECRET)).expect("right settings")
}

#[async_trait]
impl Look for Stage<Org> {
    fn connector(&self, way: &Way) -> Box<dyn Crm> {
        let (url, secret) = match way {
            Way::Right => (self.url(), SECRET),
            Way::At(url) => (url.clone(), SECRET),
            Way::WrongToken => (self.url(), "guess"),
        };
        Box::new(Salesforce::new(settings(url, secret)).expect("right settings"))
    }

    fn url(&self) -> Url {
        Stage::url(self)
    }

    async fn add_contact(&self, person: &Person) -> String {
        let mut fields = json!({"Name": person.name});
        for (field, value) in [("Phone", &person.phone), ("Email", &person.email)] {
            if let Some(value) = value {
                fields[field] = json!(value);
            }
        }
        self.player()
            .insert("Contact", fields.as_object().expect("an object"))
            .expect("it is entered")
    }

    async fn add_case(&self, contact_id: &str, subject: &str) -> String {
        let fields = json!({"ContactId": contact_id, "Subject": subject});
        self.player().insert("Case", fields.as_object().expect("an object")).expect("it is opened")
    }

    async fn close_case(&self, case_id: &str) {
        self.player().touch(case_id, &[("Status", json!("Closed")), ("IsClosed", json!(true))]);
    }

    async fn touch_case(&self, case_id: &str) {
        self.player().touch(case_id, &[("Priority", json!("High"))]);
    }

    async fn records(&self, operation: &str, text: &str) -> Vec<Record> {
        let org = self.player();
        let right = |row: &&super::fake::Row| match operation {
            "create_case" => row.object == "Case",
            "add_note" => row.object == "CaseComment" || row.object == "Task",
            "log_call" | "create_task" => row.object == "Task",
            _ => row.object == "Knowledge__kav",
        };
        let whole = |row: &super::fake::Row| {
            let texts = row.fields.values().filter_map(Value::as_str).map(plain);
            texts.collect::<Vec<String>>().join("\n")
        };
        // Only rich text is markup; everything else is shown as it is.
        let shown = |row: &super::fake::Row| match row.object {
            "Knowledge__kav" => whole(row),
            _ => row.fields.values().filter_map(Value::as_str).collect::<Vec<&str>>().join("\n"),
        };
        let rows = org.rows.iter().filter(right).map(|row| (row, shown(row)));
        rows.filter(|(_, shown)| shown.contains(text))
            .map(|(row, shown)| Record {
                text: shown,
                is_public: row.fields.get("IsPublished") == Some(&json!(true)),
                is_published: row.get("PublishStatus") == "Online",
            })
            .collect()
    }
}

#[tokio::test]
async fn it_conforms() {
    conformance::all(&Stage::new(Org::new()).await).await;
}

#[tokio::test]
async fn it_survives_what_it_is_answered() {
    hostile::survives(&Stage::new(Org::new()).await).await;
}

#[tokio::test]
async fn one_token_opens_for_many() {
    let org = Stage::new(Org::new()).await;
    let crm = connector(Stage::url(&org));
    let key = ContactKey::Email("ada@example.test".to_owned());
    let all = (0..20).map(|_| crm.find_contacts(&key));
    for found in futures_util::future::join_all(all).await {
        assert_eq!(found, Ok(Vec::new()));
    }
    assert_eq!(org.player().tokens, 1);
}

#[tokio::test]
async fn contacts_are_read_as_the_reference_shows_them() {
    let stage = Stage::new(Cassette::load("salesforce/contacts")).await;
    let crm = Salesforce::new(Settings {
        credentials: Credentials::Bearer("00D-token".into()),
        ..settings(stage.url(), SECRET)
    })
    .expect("right settings");
    let found =
        crm.find_contacts(&ContactKey::Phone("+442079460123".to_owned())).await.expect("answers");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].id, "0035g00000AbCdEAAV");
    assert_eq!(found[0].phones, ["(020) 7946-0123"]);
    assert!(
        found[0]
            .url
            .as_deref()
            .is_some_and(|url| url.ends_with("/lightning/r/Contact/0035g00000AbCdEAAV/view"))
    );
    let odd = ContactKey::Email("o'neil\\\"}@example.test".to_owned());
    assert!(crm.find_contacts(&odd).await.expect("answers").is_empty());
    let cases = crm.open_cases(&found[0], 3).await.expect("answers");
    assert_eq!(
        (cases[0].number.as_deref(), cases[0].status.as_str()),
        (Some("00001026"), "Working")
    );
    assert_eq!(cases[0].history[0].text.as_str(), "Asked for an engineer.");
    assert_eq!(cases[0].version.as_deref(), Some("2026-11-20T09:30:00.000+0000"));
    let facts = crm.account_facts(&found[0]).await.expect("answers");
    assert_eq!((facts.tier.as_deref(), facts.value), (Some("Hot"), Some(120_000.0)));
    assert_eq!(facts.products[0].as_str(), "Router X1");
}

#[tokio::test]
async fn refusals_are_told_by_their_code_alone() {
    let stage = Stage::new(Cassette::load("salesforce/refusals")).await;
    let crm = Salesforce::new(Settings {
        credentials: Credentials::Bearer("00D-token".into()),
        ..settings(stage.url(), SECRET)
    })
    .expect("right settings");
    let key = DedupeKey::stored("5f2b");
    let note = |case: Option<CaseRef>| {
        Effect::AddNote(NewNote {
            contact_id: "0035g00000AbCdEAAV".to_owned(),
            case,
            subject: Redacted::default(),
            body: Redacted::default(),
        })
    };
    let error = crm.deliver(&note(None), &key).await.expect_err("refused");
    assert_eq!(error.to_string(), "it refuses: status 400, FIELD_CUSTOM_VALIDATION_EXCEPTION");
    let error = crm.deliver(&note(None), &key).await.expect_err("refused");
    assert!(error.to_string().contains("must be unique"), "{error}");
    let case = Some(CaseRef::Id("5005g00000AbCdEAAV".to_owned()));
    let error = crm.deliver(&note(case), &key).await.expect_err("limited");
    assert_eq!(error, DeliveryError::Limited { retry_after: None });
    assert!(crm.delivered(&note(None), &key).await.is_err(), "a missing field is no \"not yet\"");
}

#[tokio::test]
async fn writes_are_sent_as_the_reference_says() {
    let stage = Stage::new(Cassette::load("salesforce/writes")).await;
    let settings = Settings {
        credentials: Credentials::Bearer("00D-token".into()),
        ..settings(stage.url(), SECRET)
    };
    let crm = Salesforce::new(settings).expect("right settings");
    for effect in samples::all("0035g00000AbCdEAAV", "5005g00000AbCdEAAV") {
        crm.deliver(&effect, &samples::key())
            .await
            .unwrap_or_else(|error| panic!("{}: {error}", effect.operation()));
    }
}

#[test]
fn settings_are_checked() {
    let right = settings(Url::parse("https://company.my.salesforce.com").expect("a URL"), "x");
    for (wrong, told) in [
        (Settings { api_version: "67".to_owned(), ..right.clone() }, "api_version"),
        (Settings { api_version: "v40.0".to_owned(), ..right.clone() }, "api_version"),
        (Settings { key_field: "Key__c = ''".to_owned(), ..right.clone() }, "key_field"),
        (Settings { tier_field: Some("a,b".to_owned()), ..right.clone() }, "tier_field"),
        (Settings { credentials: Credentials::Bearer("a\nb".into()), ..right.clone() }, "key"),
    ] {
        let error = Salesforce::new(wrong).err().expect("it is wrong");
        assert!(error.starts_with(told), "{error}");
    }
    assert!(!format!("{right:?}").contains("\"x\""), "secrets aren't printed");
    assert!(Salesforce::new(right).is_ok());
}
