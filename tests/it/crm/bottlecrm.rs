//! BottleCRM itself.

use backchannel::connect::crm::conformance::{self, Look, Person, REGION, Way};
use backchannel::connect::crm::{bottlecrm, checked};
use backchannel::domain::{
    CallRecord, CaseRef, Contact, ContactKey, DedupeKey, Direction, Effect, NewCase, NewNote,
    Redacted,
};
use jiff::Timestamp;
use reqwest::Method;
use serde_json::json;

use super::peers::BottleCrm;

#[tokio::test]
async fn it_keeps_what_a_crm_promises() {
    conformance::all(BottleCrm::shared()).await;
}

/// Somebody with an address that nobody else has in this file.
async fn customer(peer: &BottleCrm, word: &str) -> Contact {
    let email = format!("{word}@bottlecrm.example.test");
    let person = Person { name: format!("Ada {word}"), phone: None, email: Some(email) };
    Contact { id: peer.add_contact(&person).await, ..Contact::default() }
}

fn text(text: &str) -> Redacted {
    Redacted::vouched(text)
}

fn note(contact: &Contact, case: Option<&str>) -> Effect {
    Effect::AddNote(NewNote {
        contact_id: contact.id.clone(),
        case: case.map(|id| CaseRef::Id(id.to_owned())),
        subject: text("A note"),
        body: text("She waits."),
    })
}

#[tokio::test]
async fn facts_come_from_custom_fields_and_deals() {
    let peer = BottleCrm::shared();
    let crm = peer.connector(&Way::Right);
    let fields = json!({"tier": "gold", "annual_value": 1200});
    let person = json!({"first_name": "Ada", "last_name": "Facts", "email": "facts@example.test",
        "organization": "Analytical Engines", "custom_fields": fields});
    let made = peer.ask(Method::POST, "api/contacts/", &person).await;
    let id = made["id"].as_str().expect("an identifier").to_owned();
    let found = crm.find_contacts(&ContactKey::Id(id)).await.expect("answers");
    assert_eq!(found[0].company.as_ref().map(Redacted::as_str), Some("Analytical Engines"));
    let facts = crm.account_facts(&found[0]).await.expect("answers");
    assert_eq!((facts.tier.as_deref(), facts.value), (Some("gold"), Some(1200.0)));
    assert_eq!(facts.since, Some(Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date()));
}

/// The last ten digits are the same: the CRM takes them for duplicates, and we don't.
#[tokio::test]
async fn a_look_alike_is_unknown_and_no_mistake_of_the_crm() {
    let peer = BottleCrm::shared();
    let person = Person {
        name: "Ada Like".to_owned(),
        phone: Some("+33 1 79 46 07 77".to_owned()),
        email: None,
    };
    peer.add_contact(&person).await;
    let key = ContactKey::Phone("+4420179460777".to_owned());
    let found = checked::find(&*peer.connector(&Way::Right), &key, REGION).await;
    assert_eq!(found, Ok(Vec::new()));
}

#[tokio::test]
async fn an_open_case_behind_ten_newer_ones_is_found() {
    let peer = BottleCrm::shared();
    let contact = customer(peer, "many").await;
    let oldest = peer.add_case(&contact.id, "many: the oldest").await;
    for count in 0..11 {
        let id = peer.add_case(&contact.id, &format!("many: {count}")).await;
        if count > 2 {
            peer.close_case(&id).await;
        }
    }
    let cases = peer.connector(&Way::Right).open_cases(&contact, 20).await.expect("answers");
    assert_eq!(cases.len(), 4);
    assert!(cases.iter().any(|case| case.id == oldest), "the oldest is among them");
}

#[tokio::test]
async fn two_cases_may_be_about_the_same() {
    let peer = BottleCrm::shared();
    let crm = peer.connector(&Way::Right);
    let contact = customer(peer, "twins").await;
    let case = |subject: &str| {
        Effect::CreateCase(NewCase {
            contact_id: contact.id.clone(),
            subject: text(subject),
            body: text("It is broken."),
            priority: Some("High".to_owned()),
        })
    };
    let long =
        "The router in the attic loses its connection whenever the kitchen's microwave oven is on";
    for subject in ["Twin routers", "twin ROUTERS", long, long] {
        let key = DedupeKey::of(&["twins", &ulid::Ulid::generate().to_string()]);
        let id = crm.deliver(&case(subject), &key).await.expect("delivered");
        assert_eq!(crm.delivered(&case(subject), &key).await, Ok(Some(id)));
        assert!(peer.records("create_case", key.as_str()).await[0].text.contains(subject));
    }
    assert_eq!(crm.open_cases(&contact, 9).await.expect("answers").len(), 4);
}

#[tokio::test]
async fn a_note_follows_its_case_into_another() {
    let peer = BottleCrm::shared();
    let crm = peer.connector(&Way::Right);
    let contact = customer(peer, "merged").await;
    let (gone, stays) = (
        peer.add_case(&contact.id, "merged: gone").await,
        peer.add_case(&contact.id, "merged: stays").await,
    );
    let (before, after) =
        (DedupeKey::of(&["merged", "before"]), DedupeKey::of(&["merged", "after"]));
    let what = note(&contact, Some(&gone));
    let first = crm.deliver(&what, &before).await.expect("delivered");
    peer.ask(Method::POST, &format!("api/cases/{gone}/merge/{stays}/"), &json!({})).await;
    assert_eq!(crm.delivered(&what, &before).await, Ok(Some(first)), "it moved with its case");
    let second = crm.deliver(&what, &after).await.expect("delivered");
    assert_eq!(crm.delivered(&what, &after).await, Ok(Some(second)));
    let cases = crm.open_cases(&contact, 9).await.expect("answers");
    assert_eq!(cases.iter().map(|case| case.id.as_str()).collect::<Vec<_>>(), [stays.as_str()]);
    let notes = cases[0].history.iter().filter(|entry| entry.text.as_str().contains("She waits."));
    assert_eq!(notes.count(), 2, "both stand in the case that is left");
}

#[tokio::test]
async fn a_call_is_found_behind_hundreds_of_later_ones() {
    let peer = BottleCrm::shared();
    let crm = peer.connector(&Way::Right);
    let contact = customer(peer, "talkative").await;
    let call = Effect::LogCall(CallRecord {
        contact_id: contact.id.clone(),
        case: None,
        direction: Direction::Outbound,
        started_at: Timestamp::now(),
        duration_s: 61,
        subject: text("Call back"),
        outcome: None,
        body: text("She was at home."),
    });
    let key = DedupeKey::of(&["talkative"]);
    let id = crm.deliver(&call, &key).await.expect("delivered");
    let later = format!(
        "with more as (insert into interaction (id, created_at, updated_at, kind, direction, occurred_at, \
         duration_estimated, outcome, subject, body, participants, contact_id, home, origin, external_id, org_id) \
         select gen_random_uuid(), now(), now(), kind, direction, occurred_at + n * interval '1 second', false, \
         outcome, subject, 'later', participants, contact_id, home, origin, '', org_id \
         from interaction, generate_series(1, 450) n where id = '{}' returning 1) select count(*) from more",
        id.0
    );
    peer.change(&later);
    assert_eq!(crm.delivered(&call, &key).await, Ok(Some(id)));
    assert_eq!(crm.delivered(&call, &DedupeKey::of(&["talkative", "other"])).await, Ok(None));
    assert_eq!(crm.history(&contact, 5).await.expect("answers").len(), 5);
}

#[test]
fn settings_are_checked() {
    let mut settings = BottleCrm::shared().settings();
    settings.open_statuses.clear();
    assert!(bottlecrm::BottleCrm::new(settings).is_err_and(|why| why.starts_with("open_statuses")));
}
