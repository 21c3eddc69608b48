use std::time::Duration;

use async_trait::async_trait;
use reqwest::Url;
use serde_json::{Value, json};

use super::fake::{ADDRESS, Desk, SECTION, TOKEN};
use super::*;
use crate::connect::crm::conformance::{self, Look, Person, Record, Way};
use crate::connect::crm::hostile;
use crate::connect::crm::played::{Cassette, Stage};
use crate::connect::crm::samples;
use crate::connect::crm::wording::plain;
use crate::domain::{CaseRef, CaseUpdate, NewNote, Redacted};

fn settings(url: Url, token: &str) -> Settings {
    let access = Access {
        name: "desk".to_owned(),
        url,
        patience: Duration::from_secs(5),
        region: conformance::REGION.to_owned(),
    };
    let mut settings = Settings::new(access, api_token(ADDRESS, token.to_owned().into()));
    settings.articles = Some(Articles {
        locale: "en-gb".to_owned(),
        section_id: SECTION,
        permission_group_id: 5,
        user_segment_id: None,
    });
    settings
}

#[async_trait]
impl Look for Stage<Desk> {
    fn connector(&self, way: &Way) -> Box<dyn Crm> {
        let (url, token) = match way {
            Way::Right => (self.url(), TOKEN),
            Way::At(url) => (url.clone(), TOKEN),
            Way::WrongToken => (self.url(), "guess"),
        };
        Box::new(Zendesk::new(settings(url, token)).expect("right settings"))
    }

    fn url(&self) -> Url {
        Stage::url(self)
    }

    fn without_case(&self) -> &'static [&'static str] {
        &["log_call", "create_task"]
    }

    fn shared(&self) -> &'static [&'static str] {
        &["phone"]
    }

    async fn add_contact(&self, person: &Person) -> String {
        let mut desk = self.player();
        let id = desk.next();
        desk.users.push(json!({
            "id": id, "name": person.name, "phone": person.phone, "email": person.email, "role": "end-user",
            "organization_id": null, "user_fields": {}, "created_at": "2020-01-02T00:00:00Z",
        }));
        id.to_string()
    }

    async fn add_case(&self, contact_id: &str, subject: &str) -> String {
        let requester: u64 = contact_id.parse().expect("a number");
        let comment = json!({"body": "It is broken.", "public": true});
        let wanted = json!({"requester_id": requester, "subject": subject, "comment": comment});
        let mut desk = self.player();
        let at = desk.open(&wanted).expect("it is opened");
        desk.tickets[at]["id"].to_string()
    }

    async fn close_case(&self, case_id: &str) {
        let mut desk = self.player();
        let at = desk.ticket(case_id).expect("it is there");
        desk.change(at, &json!({"status": "solved"}));
    }

    async fn touch_case(&self, case_id: &str) {
        let mut desk = self.player();
        let at = desk.ticket(case_id).expect("it is there");
        desk.change(at, &json!({"priority": "urgent"}));
    }

    async fn records(&self, operation: &str, text: &str) -> Vec<Record> {
        let desk = self.player();
        let read = |one: &Value, field: &str| one[field].as_str().unwrap_or_default().to_owned();
        let comments = |ticket: &Value| -> Vec<Value> {
            desk.comments.iter().filter(|one| one["ticket_id"] == ticket["id"]).cloned().collect()
        };
        let mut all = Vec::new();
        if operation == "push_article" {
            all.extend(desk.articles.iter().map(|one| Record {
                text: format!("{}\n{}", read(one, "title"), plain(&read(one, "body"))),
                is_public: false,
                is_published: one["draft"] != true,
            }));
        } else if matches!(operation, "add_note") {
            all.extend(desk.comments.iter().map(|one| Record {
                text: read(one, "body"),
                is_public: one["public"] == true,
                is_published: false,
            }));
        } else {
            all.extend(desk.tickets.iter().map(|one| {
                let said = comments(one);
                let body =
                    said.iter().map(|one| read(one, "body")).collect::<Vec<String>>().join("\n");
                Record {
                    text: format!("{}\n{body}\n{}", read(one, "subject"), read(one, "external_id")),
                    is_public: said.iter().any(|one| one["public"] == true),
                    is_published: false,
                }
            }));
        }
        all.retain(|record| record.text.contains(text));
        all
    }
}

#[tokio::test]
async fn it_conforms() {
    conformance::all(&Stage::new(Desk::default()).await).await;
}

#[tokio::test]
async fn it_survives_what_it_is_answered() {
    hostile::survives(&Stage::new(Desk::default()).await).await;
}

fn note(case: &str) -> Effect {
    Effect::AddNote(NewNote {
        contact_id: "35436".to_owned(),
        case: Some(CaseRef::Id(case.to_owned())),
        subject: Redacted::default(),
        body: crate::insight::redaction::typed("She waits."),
    })
}

#[tokio::test]
async fn shapes_are_read_as_the_reference_shows_them() {
    let stage = Stage::new(Cassette::load("zendesk/caller")).await;
    let crm = Zendesk::new(Settings {
        tier_field: Some("tier".to_owned()),
        value_field: Some("yearly".to_owned()),
        ..settings(stage.url(), TOKEN)
    })
    .expect("right settings");
    let found =
        crm.find_contacts(&ContactKey::Phone("+442079460123".to_owned())).await.expect("answers");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].phones, ["+44 20 7946 0999", "+442079460123"], "the second is an identity");
    assert_eq!(found[0].company.as_ref().map(Redacted::as_str), Some("Analytical Engines"));
    let cases = crm.open_cases(&found[0], 5).await.expect("answers");
    assert_eq!(cases.len(), 1, "a solved one isn't open");
    assert_eq!((cases[0].owner.as_deref(), cases[0].status.as_str()), (Some("Otto Agent"), "open"));
    assert_eq!(cases[0].history[0].text.as_str(), "Asked for an engineer.");
    let facts = crm.account_facts(&found[0]).await.expect("answers");
    assert_eq!((facts.tier.as_deref(), facts.value), (Some("gold"), Some(1200.0)));
}

#[tokio::test]
async fn a_ticket_that_was_changed_is_left() {
    let stage = Stage::new(Cassette::load("zendesk/conflict")).await;
    let crm = Zendesk::new(settings(stage.url(), TOKEN)).expect("right settings");
    let update = Effect::UpdateCase(CaseUpdate {
        contact_id: "35436".to_owned(),
        case_id: "123".to_owned(),
        status: Some("solved".to_owned()),
        priority: None,
        expected_version: Some("2026-11-22T10:00:04Z".to_owned()),
    });
    let key = DedupeKey::stored("5f2b");
    assert_eq!(crm.deliver(&update, &key).await, Err(DeliveryError::Changed));
    // Everybody's tickets for one key: nothing may be concluded from that.
    let case = Effect::CreateTask(crate::domain::NewTask {
        contact_id: "35436".to_owned(),
        case: None,
        subject: Redacted::default(),
        body: Redacted::default(),
        due: None,
    });
    assert!(matches!(crm.delivered(&case, &key).await, Err(DeliveryError::Untrusted(_))));
    assert!(matches!(crm.delivered(&note("123"), &key).await, Ok(Some(_))));
    let limited = crm.deliver(&note("123"), &key).await;
    assert_eq!(limited, Err(DeliveryError::Limited { retry_after: Some(Duration::from_secs(93)) }));
}

#[tokio::test]
async fn an_address_stays_inside_its_quotes() {
    let stage = Stage::new(Desk::default()).await;
    let crm = Zendesk::new(settings(Stage::url(&stage), TOKEN)).expect("right settings");
    for odd in ["\" type:ticket \"@example.test", "a\\@example.test", "a\nb@example.test"] {
        let found = crm.find_contacts(&ContactKey::Email(odd.to_owned())).await;
        assert!(matches!(found, Err(DeliveryError::Refused(_))), "{odd:?}: {found:?}");
    }
    for id in ["1,2", "1/../me", "", "１"] {
        assert_eq!(crm.find_contacts(&ContactKey::Id(id.to_owned())).await, Ok(Vec::new()), "{id}");
    }
}

#[tokio::test]
async fn writes_are_sent_as_the_reference_says() {
    let stage = Stage::new(Cassette::load("zendesk/writes")).await;
    let crm = Zendesk::new(settings(stage.url(), TOKEN)).expect("right settings");
    for effect in samples::all("35436", "123") {
        crm.deliver(&effect, &samples::key())
            .await
            .unwrap_or_else(|error| panic!("{}: {error}", effect.operation()));
    }
}

#[test]
fn settings_are_checked() {
    let right = settings(Url::parse("https://company.zendesk.com").expect("a URL"), "x");
    let calls = |status: &str| Some(CallTickets { status: status.to_owned(), assignee_id: None });
    for (wrong, told) in [
        (Settings { tier_field: Some("a/b".to_owned()), ..right.clone() }, "tier_field"),
        (Settings { call_tickets: calls("done"), ..right.clone() }, "call_tickets.status"),
    ] {
        let error = Zendesk::new(wrong).err().expect("it is wrong");
        assert!(error.starts_with(told), "{error}");
    }
    assert!(Zendesk::new(right).is_ok());
}
