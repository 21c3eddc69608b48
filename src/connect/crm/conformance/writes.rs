//! What is written: once, whole, where it belongs, and seen by nobody who shouldn't.

use super::{
    Look, ODD, ODD_PIECES, OPERATIONS, Way, customer, effect, fresh_key, fresh_word, kind_of, made,
    placed,
};
use crate::connect::destination::DeliveryError;
use crate::domain::{Case, CaseRef, Contact, Effect, MailDraft, Redacted};

pub(super) async fn all(look: &dyn Look) {
    what_was_delivered_is_found_by_its_key_alone(look).await;
    texts_arrive_whole_and_stay_inside(look).await;
    a_long_text_is_cut_and_keeps_its_key(look).await;
    what_it_hasnt_is_refused(look).await;
    if look.operations().contains(&"update_case") {
        a_case_is_changed(look).await;
        a_case_that_somebody_changed_is_left(look).await;
    }
}

async fn what_was_delivered_is_found_by_its_key_alone(look: &dyn Look) {
    let crm = look.connector(&Way::Right);
    let contact = customer(look).await;
    for operation in made(look) {
        let what = placed(look, operation, &contact, "She waits for an answer.").await;
        let (key, other) = (fresh_key(), fresh_key());
        assert_eq!(crm.delivered(&what, &key).await, Ok(None), "{operation}: not yet");
        let id =
            crm.deliver(&what, &key).await.unwrap_or_else(|error| panic!("{operation}: {error}"));
        assert_eq!(crm.delivered(&what, &key).await, Ok(Some(id)), "{operation}: found again");
        assert_eq!(crm.delivered(&what, &other).await, Ok(None), "{operation}: nothing else's key");
        assert_eq!(look.records(operation, key.as_str()).await.len(), 1, "{operation}: once");
        // A key that begins in the same way is another.
        let longer = crate::domain::DedupeKey::stored(format!("{}0", key.as_str()));
        assert_eq!(crm.delivered(&what, &longer).await, Ok(None), "{operation}: the whole key");
        let shorter = crate::domain::DedupeKey::stored(&key.as_str()[..31]);
        assert_eq!(crm.delivered(&what, &shorter).await, Ok(None), "{operation}: the whole key");
        // Many later ones don't hide it.
        if matches!(operation, "add_note" | "log_call") {
            for _ in 0..look.later() {
                crm.deliver(&what, &fresh_key()).await.expect("delivered");
            }
            assert!(
                matches!(crm.delivered(&what, &key).await, Ok(Some(_))),
                "{operation}: on a later page"
            );
        }
    }
}

async fn texts_arrive_whole_and_stay_inside(look: &dyn Look) {
    let crm = look.connector(&Way::Right);
    let contact = customer(look).await;
    for operation in made(look) {
        let what = placed(look, operation, &contact, ODD).await;
        let key = fresh_key();
        crm.deliver(&what, &key).await.unwrap_or_else(|error| panic!("{operation}: {error}"));
        let records = look.records(operation, key.as_str()).await;
        assert_eq!(records.len(), 1, "{operation}");
        assert!(
            records[0].text.contains("Broken router"),
            "{operation} keeps its subject: {}",
            records[0].text
        );
        for piece in ODD_PIECES {
            assert!(
                records[0].text.contains(piece),
                "{operation} loses {piece}: {}",
                records[0].text
            );
        }
        if matches!(operation, "add_note" | "log_call" | "create_task") {
            assert!(!records[0].is_public, "{operation}: no customer sees it");
        }
        assert!(!records[0].is_published, "{operation}: a person publishes");
    }
}

/// An answer to a cut text is looked for by the key at its end.
async fn a_long_text_is_cut_and_keeps_its_key(look: &dyn Look) {
    let crm = look.connector(&Way::Right);
    let contact = customer(look).await;
    let long = "Zoë waits. ".repeat(20_000);
    for operation in made(look).filter(|one| *one != "push_article") {
        let what = placed(look, operation, &contact, &long).await;
        let key = fresh_key();
        let id = crm
            .deliver(&what, &key)
            .await
            .unwrap_or_else(|error| panic!("{operation}, long: {error}"));
        assert_eq!(crm.delivered(&what, &key).await, Ok(Some(id)), "{operation}, long");
        assert_eq!(look.records(operation, key.as_str()).await.len(), 1, "{operation}, long");
    }
}

async fn what_it_hasnt_is_refused(look: &dyn Look) {
    let crm = look.connector(&Way::Right);
    let contact = customer(look).await;
    let mail = Effect::DraftMail(MailDraft {
        to: Vec::new(),
        subject: Redacted::default(),
        body: Redacted::default(),
        references: Vec::new(),
        about: None,
    });
    let mut foreign = vec![mail];
    for operation in OPERATIONS {
        if !look.operations().contains(&operation) {
            foreign.push(effect(operation, &contact, Some("1"), "Not here."));
        }
        if look.without_case().contains(&operation)
            || !matches!(operation, "add_note" | "log_call" | "create_task")
        {
            continue;
        }
        foreign.push(effect(operation, &contact, None, "Without a case."));
    }
    for what in foreign {
        let error = crm.deliver(&what, &fresh_key()).await.expect_err("it has no such thing");
        assert_eq!(kind_of(&error), "unsupported", "{}: {error}", what.operation());
    }
}

async fn open_case(look: &dyn Look, contact: &Contact, id: &str) -> Case {
    let cases = look.connector(&Way::Right).open_cases(contact, 10).await.expect("answers");
    cases.into_iter().find(|case| case.id == id).expect("it is open")
}

/// An update to a priority that the case hasn't; systems name them differently, so it is one that was seen.
async fn update(look: &dyn Look, contact: &Contact, id: &str) -> (Effect, Case) {
    // Somebody gave another case the priority that `touch_case` gives.
    let sample = look.add_case(&contact.id, &format!("A sample {}", fresh_word())).await;
    look.touch_case(&sample).await;
    let priority = open_case(look, contact, &sample).await.priority.expect("cases have priorities");
    let before = open_case(look, contact, id).await;
    assert_ne!(before.priority.as_ref(), Some(&priority), "touch_case gives another priority");
    let mut what = effect("update_case", contact, Some(id), "");
    if let Effect::UpdateCase(update) = &mut what {
        update.priority = Some(priority);
        update.expected_version.clone_from(&before.version);
    }
    (what, before)
}

async fn a_case_is_changed(look: &dyn Look) {
    let crm = look.connector(&Way::Right);
    let contact = customer(look).await;
    let id = look.add_case(&contact.id, &format!("A case {}", fresh_word())).await;
    let (what, before) = update(look, &contact, &id).await;
    let key = fresh_key();
    assert_eq!(crm.delivered(&what, &key).await, Ok(None), "not yet");
    crm.deliver(&what, &key).await.expect("nobody else changed it");
    assert!(matches!(crm.delivered(&what, &key).await, Ok(Some(_))), "it is as it should be");
    let after = open_case(look, &contact, &id).await;
    let Effect::UpdateCase(wanted) = &what else { panic!("an update") };
    assert_eq!(after.priority, wanted.priority);
    assert_eq!((after.status, after.subject), (before.status, before.subject), "the rest stands");
    assert!(
        before.version.is_none() || after.version != before.version,
        "a change gives a version"
    );
}

async fn a_case_that_somebody_changed_is_left(look: &dyn Look) {
    if !look.notices_changes() {
        return;
    }
    let crm = look.connector(&Way::Right);
    let contact = customer(look).await;
    let id = look.add_case(&contact.id, &format!("A case {}", fresh_word())).await;
    let (what, before) = update(look, &contact, &id).await;
    assert!(before.version.is_some(), "a case has a version");
    let note = effect("add_note", &contact, Some(&id), "Somebody wrote this meanwhile.");
    look.touch_case(&id).await;
    let touched = open_case(look, &contact, &id).await;
    let mut late = what.clone();
    if let Effect::UpdateCase(update) = &mut late {
        // What it would change now is something else again.
        update.priority.clone_from(&before.priority);
        assert_ne!(touched.priority, before.priority);
    }
    assert_eq!(crm.deliver(&late, &fresh_key()).await, Err(DeliveryError::Changed));
    assert_eq!(
        open_case(look, &contact, &id).await.priority,
        touched.priority,
        "it is left as it was"
    );
    // With what stands there now it goes through.
    if let Effect::UpdateCase(update) = &mut late {
        update.expected_version.clone_from(&touched.version);
    }
    crm.deliver(&late, &fresh_key()).await.expect("nobody changed it since");
    if look.operations().contains(&"add_note") {
        let Effect::AddNote(one) = &note else { panic!("a note") };
        assert_eq!(one.case, Some(CaseRef::Id(id)));
        crm.deliver(&note, &fresh_key()).await.expect("a note needs no version");
    }
}
