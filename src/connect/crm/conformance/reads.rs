//! Who is on the line: the right person, or nobody.

use super::{
    Look, ODD, Person, REGION, Way, customer, effect, fresh_key, fresh_number, fresh_word, kind_of,
    made, placed,
};
use crate::connect::crm::{Crm, checked};
use crate::connect::destination::DeliveryError;
use crate::domain::{ActivityKind, CaseRef, Contact, ContactKey, Effect};

pub(super) async fn all(look: &dyn Look) {
    a_number_is_found_however_it_was_written(look).await;
    an_address_is_found_in_capitals(look).await;
    look_alikes_are_nobody(look).await;
    nobody_is_found_for_what_nobody_bears(look).await;
    all_who_share_a_line_are_candidates(look).await;
    what_is_searched_for_is_no_pattern(look).await;
    open_cases_come_latest_first_with_their_history(look).await;
    history_is_the_contacts_own_and_newest_first(look).await;
    a_new_contact_has_nothing_yet(look).await;
}

async fn find(look: &dyn Look, key: &ContactKey) -> Vec<Contact> {
    match checked::find(&*look.connector(&Way::Right), key, REGION).await {
        Ok(found) => found,
        // It answered with others, whom nobody takes for this one.
        Err(DeliveryError::Untrusted(_)) => Vec::new(),
        Err(error) => panic!("a search fails: {error}"),
    }
}

fn ids(contacts: &[Contact]) -> Vec<&str> {
    let mut ids: Vec<&str> = contacts.iter().map(|contact| contact.id.as_str()).collect();
    ids.sort_unstable();
    ids
}

async fn enter(look: &dyn Look, phone: Option<&str>, email: Option<&str>) -> String {
    let person = Person {
        name: format!("Grace {}", fresh_word()),
        phone: phone.map(str::to_owned),
        email: email.map(str::to_owned),
    };
    look.add_contact(&person).await
}

async fn a_number_is_found_however_it_was_written(look: &dyn Look) {
    for spelling in 0..4 {
        let (number, last) = fresh_number();
        let (area, line) = last.split_at(4);
        // 020 7946 0123 in four hands.
        let written = match spelling {
            0 => number.clone(),
            1 => format!("020 {area} {line}"),
            2 => format!("+44 20 {area} {line}"),
            _ => format!("(020) {area}-{line}"),
        };
        let id = enter(look, Some(&written), None).await;
        let found = find(look, &ContactKey::Phone(number)).await;
        assert_eq!(ids(&found), [id.as_str()], "a contact whose number is written {written}");
        assert!(found[0].name.as_ref().is_some_and(|name| name.as_str().starts_with("Grace ")));
    }
}

async fn an_address_is_found_in_capitals(look: &dyn Look) {
    let word = fresh_word();
    let id = enter(look, None, Some(&format!("{}@Example.test", word.to_uppercase()))).await;
    let found = find(look, &ContactKey::Email(format!("{word}@example.test"))).await;
    assert_eq!(ids(&found), [id.as_str()]);
}

/// The worst that this product can do is to show one customer's affairs for another's.
async fn look_alikes_are_nobody(look: &dyn Look) {
    let (number, last) = fresh_number();
    // The same last eight digits in France, the same digits and one more, and a longer address.
    enter(look, Some(&format!("+331{last}")), None).await;
    enter(look, Some(&format!("+44161{last}")), None).await;
    let word = fresh_word();
    enter(look, None, Some(&format!("{word}@example.test.invalid"))).await;
    enter(look, None, Some(&format!("x{word}@example.test"))).await;
    assert!(find(look, &ContactKey::Phone(number.clone())).await.is_empty());
    assert!(find(look, &ContactKey::Email(format!("{word}@example.test"))).await.is_empty());
    let right = enter(look, Some(&number), None).await;
    assert_eq!(ids(&find(look, &ContactKey::Phone(number)).await), [right.as_str()]);
}

async fn nobody_is_found_for_what_nobody_bears(look: &dyn Look) {
    let (number, _) = fresh_number();
    assert!(find(look, &ContactKey::Phone(number)).await.is_empty());
    assert!(
        find(look, &ContactKey::Email(format!("{}@example.test", fresh_word()))).await.is_empty()
    );
    for id in [fresh_word(), "0".to_owned(), "999999999".to_owned(), "../users".to_owned()] {
        assert!(find(look, &ContactKey::Id(id)).await.is_empty());
    }
}

async fn all_who_share_a_line_are_candidates(look: &dyn Look) {
    for kind in look.shared() {
        let (number, _) = fresh_number();
        let email = format!("{}@example.test", fresh_word());
        let (phone, mail, key) = match *kind {
            "phone" => (Some(number.as_str()), None, ContactKey::Phone(number.clone())),
            _ => (None, Some(email.as_str()), ContactKey::Email(email.clone())),
        };
        let (one, other) = (enter(look, phone, mail).await, enter(look, phone, mail).await);
        let mut both = [one.as_str(), other.as_str()];
        both.sort_unstable();
        assert_eq!(ids(&find(look, &key).await), both, "two contacts share {kind}");
    }
}

/// A caller chooses the number that is shown, and a customer the address: neither may be read as a query.
async fn what_is_searched_for_is_no_pattern(look: &dyn Look) {
    enter(look, None, Some(&format!("{}@example.test", fresh_word()))).await;
    for email in ["%@example.test", "*@example.test", "x' or ''='@example.test", "\\@example.test"]
    {
        let crm = look.connector(&Way::Right);
        match checked::find(&*crm, &ContactKey::Email(email.to_owned()), REGION).await {
            Ok(found) => assert!(found.is_empty(), "{email} finds somebody"),
            Err(DeliveryError::Untrusted(_) | DeliveryError::Refused(_)) => (),
            Err(error) => panic!("{email}: {error}"),
        }
    }
}

async fn open_cases_come_latest_first_with_their_history(look: &dyn Look) {
    let (contact, other) = (customer(look).await, customer(look).await);
    let crm = look.connector(&Way::Right);
    // Some systems want cases to have different names.
    let word = fresh_word();
    let subject = format!("The router {word}");
    let first = look.add_case(&contact.id, &subject).await;
    let second = look.add_case(&contact.id, &format!("The bill {word}")).await;
    let closed = look.add_case(&contact.id, &format!("The move {word}")).await;
    look.close_case(&closed).await;
    look.add_case(&other.id, &format!("Somebody else's {word}")).await;
    let mut note = effect("add_note", &contact, Some(&first), "Asked for an engineer.");
    if !look.operations().contains(&"add_note") {
        note = effect("log_call", &contact, Some(&first), "Asked for an engineer.");
    }
    crm.deliver(&note, &fresh_key()).await.expect("delivered");

    let cases = crm.open_cases(&contact, 10).await.expect("answers");
    let mut ids: Vec<&str> = cases.iter().map(|case| case.id.as_str()).collect();
    ids.sort_unstable();
    let mut open = [first.as_str(), second.as_str()];
    open.sort_unstable();
    assert_eq!(ids, open, "the contact's own, and no closed one");
    assert!(cases.is_sorted_by(|a, b| a.updated_at >= b.updated_at), "the latest changed is first");
    let noted = cases.iter().position(|case| case.id == first).expect("it is there");
    // Two changes within one tick of the CRM's clock have no order.
    assert!(noted == 0 || cases[0].updated_at == cases[noted].updated_at);
    let case = &cases[noted];
    assert_eq!(case.subject.as_str(), subject);
    assert!(!case.status.is_empty() && case.opened_at.is_some() && case.updated_at.is_some());
    let entry = case.history.iter().find(|entry| entry.text.as_str().contains("an engineer"));
    let entry = entry.expect("the case's history has the note");
    assert!(!entry.text.as_str().contains("[backchannel:"), "the marker is not for people");
    assert!(case.history.is_sorted_by(|a, b| a.at >= b.at), "newest first");
    assert_eq!(
        crm.open_cases(&contact, 1).await.expect("answers").len(),
        1,
        "no more than asked for"
    );
    assert!(crm.open_cases(&contact, 0).await.expect("answers").is_empty());
}

async fn history_is_the_contacts_own_and_newest_first(look: &dyn Look) {
    let (contact, other) = (customer(look).await, customer(look).await);
    let crm = look.connector(&Way::Right);
    let operations: Vec<&str> =
        made(look).filter(|one| matches!(*one, "log_call" | "add_note")).collect();
    for operation in &operations {
        for (who, word) in [(&contact, "hers"), (&other, "theirs")] {
            let what =
                placed(look, operation, who, &format!("This is {word}, {operation}. {ODD}")).await;
            crm.deliver(&what, &fresh_key()).await.expect("delivered");
        }
    }
    let history = crm.history(&contact, 20).await.expect("answers");
    let texts: Vec<&str> = history.iter().map(|entry| entry.text.as_str()).collect();
    for operation in &operations {
        let hers = format!("hers, {operation}");
        assert!(texts.iter().any(|text| text.contains(&hers)), "{operation} is in the history");
    }
    assert!(!texts.iter().any(|text| text.contains("theirs")), "and nobody else's");
    assert!(
        texts.iter().all(|text| !text.contains("[backchannel:")),
        "the marker is not for people"
    );
    assert!(history.is_sorted_by(|a, b| a.at >= b.at), "newest first");
    if operations.contains(&"log_call") {
        assert!(
            history.iter().any(|entry| entry.kind == ActivityKind::Call),
            "a call is told as one"
        );
    }
    assert!(crm.history(&contact, 1).await.expect("answers").len() <= 1, "no more than asked for");
    crm.account_facts(&contact).await.expect("answers");
}

async fn a_new_contact_has_nothing_yet(look: &dyn Look) {
    let contact = customer(look).await;
    let crm: Box<dyn Crm> = look.connector(&Way::Right);
    assert!(crm.open_cases(&contact, 5).await.expect("answers").is_empty());
    assert!(crm.history(&contact, 5).await.expect("answers").is_empty());
    crm.account_facts(&contact).await.expect("answers");
    // What is asked of a case or a contact that isn't there makes nothing.
    let ghost = Contact { id: "999999999".to_owned(), ..Contact::default() };
    for operation in made(look) {
        if operation == "push_article" {
            continue;
        }
        let mut lost = effect(operation, &ghost, None, "For nobody.");
        if let Effect::AddNote(note) = &mut lost {
            note.case = Some(CaseRef::Id("999999999".to_owned()));
        }
        let error = crm.deliver(&lost, &fresh_key()).await.expect_err(operation);
        assert!(
            matches!(kind_of(&error), "not found" | "refused" | "unsupported"),
            "{operation} for nobody: {error}"
        );
    }
}
