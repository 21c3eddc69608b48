use std::time::Duration;

use async_trait::async_trait;
use reqwest::Url;
use serde_json::json;

use super::fake::{BASE, Instance, KEY, Row};
use super::*;
use crate::connect::crm::conformance::{self, Look, Person, Record, Way};
use crate::connect::crm::hostile;
use crate::connect::crm::played::{Cassette, Stage};
use crate::connect::crm::samples;
use crate::connect::crm::wording::plain;
use crate::domain::{CaseRef, NewNote, Redacted};

fn settings(url: Url, key: &str) -> Settings {
    let access = Access {
        name: "now".to_owned(),
        url,
        patience: Duration::from_secs(5),
        region: conformance::REGION.to_owned(),
    };
    let mut settings = Settings::new(access, api_key(key.to_owned().into()));
    settings.knowledge_base = Some(BASE.to_owned());
    settings
}

#[async_trait]
impl Look for Stage<Instance> {
    fn connector(&self, way: &Way) -> Box<dyn Crm> {
        let (url, key) = match way {
            Way::Right => (self.url(), KEY),
            Way::At(url) => (url.clone(), KEY),
            Way::WrongToken => (self.url(), "guess"),
        };
        Box::new(ServiceNow::new(settings(url, key)).expect("right settings"))
    }

    fn url(&self) -> Url {
        Stage::url(self)
    }

    fn without_case(&self) -> &'static [&'static str] {
        &["log_call", "create_task"]
    }

    async fn add_contact(&self, person: &Person) -> String {
        let (phone, email) = (person.phone.clone(), person.email.clone());
        let wanted = json!({
            "name": person.name, "phone": phone.unwrap_or_default(), "email": email.unwrap_or_default(),
        });
        self.player().insert("sys_user", &wanted).expect("it is entered")["sys_id"].clone()
    }

    async fn add_case(&self, contact_id: &str, subject: &str) -> String {
        let wanted = json!({"caller_id": contact_id, "short_description": subject});
        self.player().insert("incident", &wanted).expect("it is opened")["sys_id"].clone()
    }

    async fn close_case(&self, case_id: &str) {
        self.player().set("incident", case_id, &json!({"state": "6", "active": "false"}), false);
    }

    async fn touch_case(&self, case_id: &str) {
        self.player().set("incident", case_id, &json!({"urgency": "1"}), false);
    }

    async fn records(&self, operation: &str, text: &str) -> Vec<Record> {
        let instance = self.player();
        let whole = |row: &Row| row.values().cloned().collect::<Vec<String>>().join("\n");
        let of = |table: &str| instance.tables.get(table).cloned().unwrap_or_default();
        let texts: Vec<String> = match operation {
            "create_case" => of("incident").iter().map(whole).collect(),
            "create_task" => of("task").iter().map(whole).collect(),
            "push_article" => of("kb_knowledge").iter().map(|row| plain(&whole(row))).collect(),
            _ => of("sys_journal_field").iter().map(whole).collect(),
        };
        let right = texts.into_iter().filter(|record| record.contains(text));
        right
            .map(|text| Record {
                is_public: text.contains("\ncomments\n"),
                is_published: text.contains("published"),
                text,
            })
            .collect()
    }
}

#[tokio::test]
async fn it_conforms() {
    conformance::all(&Stage::new(Instance::default()).await).await;
}

#[tokio::test]
async fn it_survives_what_it_is_answered() {
    hostile::survives(&Stage::new(Instance::default()).await).await;
}

#[tokio::test]
async fn a_field_that_a_table_hasnt_is_an_error_and_no_answer() {
    let stage = Stage::new(Instance::default()).await;
    let ada = Person { name: "Ada".to_owned(), ..Person::default() };
    let (one, other) = (stage.add_contact(&ada).await, stage.add_contact(&ada).await);
    stage.add_case(&other, "Somebody else's").await;
    let wrong = ServiceNow::new(Settings {
        case_contact_field: "caller".to_owned(),
        task_table: "kb_knowledge".to_owned(),
        ..settings(Stage::url(&stage), KEY)
    })
    .expect("right in form");
    let contact = Contact { id: one.clone(), ..Contact::default() };
    // The instance answers with everybody's.
    assert!(matches!(wrong.open_cases(&contact, 5).await, Err(DeliveryError::Untrusted(_))));
    assert!(matches!(wrong.history(&contact, 5).await, Err(DeliveryError::Untrusted(_))));
    let task = Effect::CreateTask(crate::domain::NewTask {
        contact_id: one,
        case: None,
        subject: Redacted::default(),
        body: Redacted::default(),
        due: None,
    });
    let key = DedupeKey::stored("5f2b");
    let error = wrong.deliver(&task, &key).await.expect_err("the key isn't kept");
    assert!(error.to_string().contains("doesn't keep correlation_id"), "{error}");
    assert!(matches!(wrong.delivered(&task, &key).await, Err(DeliveryError::Untrusted(_))));
}

#[tokio::test]
async fn shapes_are_read_as_the_reference_shows_them() {
    let stage = Stage::new(Cassette::load("servicenow/caller")).await;
    let crm = ServiceNow::new(Settings {
        credentials: Credentials::Basic {
            user: "admin".to_owned(),
            password: "admin".to_owned().into(),
        },
        ..settings(stage.url(), KEY)
    })
    .expect("right settings");
    let found =
        crm.find_contacts(&ContactKey::Phone("+442079460123".to_owned())).await.expect("answers");
    assert_eq!(found[0].phones, ["(020) 7946-0123"]);
    assert_eq!(found[0].company.as_ref().map(Redacted::as_str), Some("ACME North America"));
    let cases = crm.open_cases(&found[0], 5).await.expect("answers");
    assert_eq!(
        (cases[0].status.as_str(), cases[0].priority.as_deref()),
        ("In Progress", Some("1 - High"))
    );
    assert_eq!(cases[0].version.as_deref(), Some("7"));
    assert_eq!(cases[0].history[0].text.as_str(), "Asked for an engineer.");
    let facts = crm.account_facts(&found[0]).await.expect("answers");
    assert_eq!(facts.tier.as_deref(), Some("VIP"));
}

#[tokio::test]
async fn a_journal_that_cant_be_read_says_nothing() {
    let stage = Stage::new(Cassette::load("servicenow/journal")).await;
    let crm = ServiceNow::new(settings(stage.url(), KEY)).expect("right settings");
    let note = Effect::AddNote(NewNote {
        contact_id: "46d44a23a9fe19810012d100cca80666".to_owned(),
        case: Some(CaseRef::Id("9d385017c611228701d22104cc95c371".to_owned())),
        subject: Redacted::default(),
        body: Redacted::default(),
    });
    let hidden = crm.delivered(&note, &DedupeKey::stored("5f2b")).await;
    assert!(matches!(hidden, Err(DeliveryError::Denied(_))), "{hidden:?}");
    // A short page isn't the last one: rights are applied after the limit.
    let found = crm.delivered(&note, &DedupeKey::stored("5f2c")).await;
    assert_eq!(found, Ok(Some(RemoteId("9d385017c611228701d22104cc95c371".to_owned()))));
}

#[tokio::test]
async fn what_would_leave_its_condition_is_not_sent() {
    let stage = Stage::new(Instance::default()).await;
    let crm = ServiceNow::new(settings(Stage::url(&stage), KEY)).expect("right settings");
    for odd in ["a^ORactive=true@example.test", "javascript:gs.getUser()@example.test"] {
        let found = crm.find_contacts(&ContactKey::Email(odd.to_owned())).await;
        assert!(matches!(found, Err(DeliveryError::Refused(_))), "{odd}");
    }
}

#[tokio::test]
async fn writes_are_sent_as_the_reference_says() {
    let stage = Stage::new(Cassette::load("servicenow/writes")).await;
    let crm = ServiceNow::new(settings(stage.url(), KEY)).expect("right settings");
    for effect in
        samples::all("46d44a23a9fe19810012d100cca80666", "9d385017c611228701d22104cc95c371")
    {
        crm.deliver(&effect, &samples::key())
            .await
            .unwrap_or_else(|error| panic!("{}: {error}", effect.operation()));
    }
}

#[test]
fn settings_are_checked() {
    let right = settings(Url::parse("https://company.service-now.com").expect("a URL"), "x");
    for (wrong, told) in [
        (Settings { case_table: "incident/..".to_owned(), ..right.clone() }, "case_table"),
        (Settings { priority_field: "a^b".to_owned(), ..right.clone() }, "priority_field"),
        (Settings { knowledge_base: Some("it".to_owned()), ..right.clone() }, "knowledge_base"),
    ] {
        let error = ServiceNow::new(wrong).err().expect("it is wrong");
        assert!(error.starts_with(told), "{error}");
    }
    assert!(ServiceNow::new(right).is_ok());
}
