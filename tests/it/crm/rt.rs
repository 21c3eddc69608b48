//! Request Tracker itself.

use backchannel::connect::crm::conformance::{self, Look, Person, REGION, Way};
use backchannel::connect::crm::{checked, rt};
use backchannel::connect::destination::{DeliveryError, Destination};
use backchannel::domain::{
    ActivityKind, CaseRef, CaseUpdate, Contact, ContactKey, DedupeKey, Effect, NewCase, NewNote,
    PushedArticle, Redacted,
};
use reqwest::Method;
use serde_json::json;

use super::peers::RequestTracker;

#[tokio::test]
async fn it_keeps_what_a_crm_promises() {
    conformance::all(RequestTracker::shared()).await;
}

/// Somebody with an address that nobody else has in this file.
async fn customer(peer: &RequestTracker, word: &str) -> Contact {
    let email = format!("{word}@rt.example.test");
    let person = Person { name: format!("Ada {word}"), phone: None, email: Some(email) };
    Contact { id: peer.add_contact(&person).await, ..Contact::default() }
}

fn text(text: &str) -> Redacted {
    Redacted::vouched(text)
}

fn case(contact: &Contact, subject: &str) -> Effect {
    let (subject, body) = (text(subject), text("It is broken."));
    Effect::CreateCase(NewCase { contact_id: contact.id.clone(), subject, body, priority: None })
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
async fn the_customer_is_told_only_where_settings_say_so() {
    let peer = RequestTracker::shared();
    let contact = customer(peer, "told").await;
    let crm = peer.connector(&Way::Right);
    crm.deliver(&case(&contact, "Silently"), &DedupeKey::of(&["silent"])).await.expect("delivered");
    crm.deliver(&note(&contact, None), &DedupeKey::of(&["silent note"])).await.expect("delivered");
    assert!(!peer.mails().contains(&contact.id), "no mail went to the customer");
    let mut settings = peer.settings();
    settings.autoreply = true;
    let crm = rt::RequestTracker::new(settings).expect("settings");
    crm.deliver(&case(&contact, "Aloud"), &DedupeKey::of(&["aloud"])).await.expect("delivered");
    assert!(peer.mails().contains(&format!("To: {}", contact.id)), "RT answered by itself");
}

#[tokio::test]
async fn a_field_that_cant_be_searched_finds_nobody() {
    let peer = RequestTracker::shared();
    let mut settings = peer.settings();
    // RT's settings don't name it, so that RT drops the filter and answers with everybody.
    settings.phone_fields = vec!["HomePhone".to_owned()];
    let crm = rt::RequestTracker::new(settings).expect("settings");
    let found = checked::find(&crm, &ContactKey::Phone("+442079460123".to_owned()), REGION).await;
    assert!(matches!(found, Err(DeliveryError::Untrusted(_))), "{found:?}");
}

#[tokio::test]
async fn a_look_alike_is_unknown_and_no_mistake_of_the_crm() {
    let peer = RequestTracker::shared();
    let person = Person {
        name: "Ada Like".to_owned(),
        phone: Some("+44 20 7946 07778".to_owned()),
        email: None,
    };
    peer.add_contact(&person).await;
    let key = ContactKey::Phone("+442079460777".to_owned());
    let found = checked::find(&*peer.connector(&Way::Right), &key, REGION).await;
    assert_eq!(found, Ok(Vec::new()));
}

#[tokio::test]
async fn without_its_field_for_keys_nothing_is_opened() {
    let peer = RequestTracker::shared();
    let contact = customer(peer, "keyless").await;
    let mut settings = peer.settings();
    settings.key_field = "NoSuchField".to_owned();
    let crm = rt::RequestTracker::new(settings).expect("settings");
    let key = DedupeKey::of(&["keyless"]);
    for what in [case(&contact, "Keyless"), note(&contact, None)] {
        let refused = crm.deliver(&what, &key).await;
        assert!(matches!(refused, Err(DeliveryError::Refused(_))), "{refused:?}");
    }
    assert!(peer.rows("select id from Tickets where Subject = 'Keyless'").is_empty());
}

#[tokio::test]
async fn a_ticket_that_lost_its_requestor_gets_one() {
    let peer = RequestTracker::shared();
    let contact = customer(peer, "orphan").await;
    let key = DedupeKey::of(&["orphan"]);
    // As it stands when the process dies between the two requests.
    let body = json!({
        "Queue": "General", "Subject": "Orphan", "Content": "x", "ContentType": "text/plain",
        "CustomFields": {"BackchannelKey": key.as_str()},
    });
    let made = peer.ask(Method::POST, "ticket", &body).await;
    let crm = peer.connector(&Way::Right);
    let found = crm.delivered(&case(&contact, "Orphan"), &key).await.expect("it can tell");
    assert_eq!(found.map(|id| id.0).as_deref(), made["id"].as_str());
    let cases = crm.open_cases(&contact, 5).await.expect("answers");
    assert_eq!(cases.len(), 1, "it is the customer's now");
}

#[tokio::test]
async fn our_own_note_is_no_change_and_a_colleagues_is_one() {
    let peer = RequestTracker::shared();
    let crm = peer.connector(&Way::Right);
    let contact = customer(peer, "versions").await;
    let id = peer.add_case(&contact.id, "Versions").await;
    let seen = crm.open_cases(&contact, 1).await.expect("answers").remove(0);
    let update = |status: &str, priority: &str| {
        Effect::UpdateCase(CaseUpdate {
            contact_id: contact.id.clone(),
            case_id: id.clone(),
            status: Some(status.to_owned()),
            priority: Some(priority.to_owned()),
            expected_version: seen.version.clone(),
        })
    };
    crm.deliver(&note(&contact, Some(&id)), &DedupeKey::of(&["versions"]))
        .await
        .expect("delivered");
    let key = DedupeKey::of(&["versions", "update"]);
    crm.deliver(&update("open", "high"), &key).await.expect("nobody else changed it");
    let after = crm.open_cases(&contact, 1).await.expect("answers").remove(0);
    assert_eq!((after.status.as_str(), after.priority.as_deref()), ("open", Some("High")));
    // RT answers "200" to a status that it doesn't know.
    let mut unknown = update("on fire", "low");
    if let Effect::UpdateCase(one) = &mut unknown {
        one.expected_version = None;
    }
    assert!(matches!(crm.deliver(&unknown, &key).await, Err(DeliveryError::Refused(_))));
    let comment = json!({"Content": "I take it.", "ContentType": "text/plain"});
    peer.ask(Method::POST, &format!("ticket/{id}/comment"), &comment).await;
    assert_eq!(crm.deliver(&update("open", "Low"), &key).await, Err(DeliveryError::Changed));
}

#[tokio::test]
async fn mails_are_read_without_their_markup_and_facts_from_fields() {
    let peer = RequestTracker::shared();
    let crm = peer.connector(&Way::Right);
    let contact = customer(peer, "mails").await;
    peer.ask(
        Method::PUT,
        &format!("user/{}", contact.id),
        &json!({"CustomFields": {"Tier": "gold"}}),
    )
    .await;
    let id = peer.add_case(&contact.id, "Mails").await;
    let mail =
        json!({"Content": "<p>Dear <b>Ada</b>,</p><p>4 &lt; 5</p>", "ContentType": "text/html"});
    peer.ask(Method::POST, &format!("ticket/{id}/correspond"), &mail).await;
    let history = crm.history(&contact, 10).await.expect("answers");
    let mail = history.iter().find(|entry| entry.kind == ActivityKind::Mail).expect("the mail");
    assert!(mail.text.as_str().contains("Dear Ada,") && mail.text.as_str().contains("4 < 5"));
    assert_eq!(mail.by.as_deref(), Some("root"));
    let facts = crm.account_facts(&contact).await.expect("answers");
    assert_eq!(facts.tier.as_deref(), Some("gold"));
}

#[tokio::test]
async fn two_articles_may_have_one_title_and_a_subject_any_length() {
    let peer = RequestTracker::shared();
    let crm = peer.connector(&Way::Right);
    for revision in 1..3 {
        let article = Effect::PushArticle(PushedArticle {
            article: "billing/twice".into(),
            revision,
            title: text("Duplicate payments"),
            body: text("We refund them."),
        });
        let key = DedupeKey::of(&["article", &revision.to_string()]);
        let id = crm.deliver(&article, &key).await.expect("delivered");
        assert_eq!(crm.delivered(&article, &key).await, Ok(Some(id)));
    }
    let contact = customer(peer, "long").await;
    let id = peer.add_case(&contact.id, "Long").await;
    for (count, subject) in ["漢".repeat(300), "Zoë's \"router\" ".repeat(40)].iter().enumerate()
    {
        let mut what = note(&contact, Some(&id));
        if let Effect::AddNote(note) = &mut what {
            note.subject = text(subject);
        }
        let key = DedupeKey::of(&["long", &count.to_string()]);
        let made = crm.deliver(&what, &key).await.expect("delivered");
        assert_eq!(crm.delivered(&what, &key).await, Ok(Some(made)), "{subject}");
    }
}
