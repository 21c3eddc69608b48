//! When the CRM is away, refuses, or its answer gets lost: nothing is done twice, and nothing is said to be done
//! that wasn't.

use super::faults::{self, Fault, Proxy};
use super::{Look, Way, customer, fresh_key, kind_of, made, placed};
use crate::connect::crm::{Crm, checked};
use crate::connect::destination::{DeliveryError, RemoteId};
use crate::domain::{Contact, ContactKey, DedupeKey, Effect};

/// More requests than that for one effect are too many.
const REQUESTS_MAX: usize = 12;

pub(super) async fn all(look: &dyn Look) {
    where_nobody_listens_nothing_was_sent(look).await;
    a_wrong_key_is_denied(look).await;
    an_answer_that_cant_be_read_is_no_answer(look).await;
    a_lost_answer_is_found_again(look).await;
}

async fn where_nobody_listens_nothing_was_sent(look: &dyn Look) {
    let contact = customer(look).await;
    let crm = look.connector(&Way::At(faults::nowhere(&look.url()).await));
    all_fail(look, &*crm, &contact, &["unreachable"]).await;
}

async fn a_wrong_key_is_denied(look: &dyn Look) {
    let contact = customer(look).await;
    let crm = look.connector(&Way::WrongToken);
    all_fail(look, &*crm, &contact, &["denied"]).await;
}

async fn all_fail(look: &dyn Look, crm: &dyn Crm, contact: &Contact, kinds: &[&str]) {
    let fails = |what: &str, error: DeliveryError| {
        assert!(kinds.contains(&kind_of(&error)), "{what}: {error}");
        let told = error.to_string();
        assert!(!told.contains("example.test"), "{what} quotes a customer: {told}");
    };
    let key = ContactKey::Email("ada@example.test".to_owned());
    fails("find", checked::find(crm, &key, super::REGION).await.expect_err("find"));
    fails("open_cases", crm.open_cases(contact, 5).await.expect_err("open_cases"));
    fails("history", crm.history(contact, 5).await.expect_err("history"));
    for operation in made(look) {
        let what = placed(look, operation, contact, "This goes nowhere.").await;
        let key = fresh_key();
        fails(operation, crm.deliver(&what, &key).await.expect_err(operation));
        fails(operation, crm.delivered(&what, &key).await.expect_err(operation));
        assert!(
            look.records(operation, key.as_str()).await.is_empty(),
            "{operation}: nothing was made"
        );
    }
}

/// Nobody may be told "no such customer", and nothing may be delivered, on an answer that wasn't one.
async fn an_answer_that_cant_be_read_is_no_answer(look: &dyn Look) {
    let contact = customer(look).await;
    let email = contact.emails.first().cloned().unwrap_or_default();
    for fault in Fault::ALL {
        for spoilt in 0..REQUESTS_MAX {
            let proxy = Proxy::before(look.url(), spoilt, fault).await;
            let crm = look.connector(&Way::At(proxy.url()));
            let found = crm.find_contacts(&ContactKey::Email(email.to_lowercase())).await;
            let was_spoilt = proxy.answers() > spoilt;
            match found {
                Ok(found) => assert!(
                    !was_spoilt && found.iter().any(|one| one.id == contact.id),
                    "{fault:?} of answer {spoilt}: taken for an answer"
                ),
                Err(error) => {
                    assert_eq!(kind_of(&error), "unclear", "{fault:?} of {spoilt}: {error}")
                }
            }
            if !was_spoilt {
                break;
            }
        }
    }
}

/// Each answer of each operation in turn is lost after the CRM did what it was asked for.
async fn a_lost_answer_is_found_again(look: &dyn Look) {
    let contact = customer(look).await;
    for (nth, operation) in made(look).enumerate() {
        let mut done = false;
        // How an answer gets lost makes the difference in one place of a connector, not in each operation.
        let faults = if nth == 0 { &Fault::ALL[..] } else { &[Fault::Swallowed] };
        for fault in faults.iter().copied() {
            for spoilt in 0..REQUESTS_MAX {
                let what = placed(look, operation, &contact, "The answer to this is lost.").await;
                let (key, is_made, went_through) =
                    once_through(look, &what, operation, spoilt, fault).await;
                let found = found(look, &what, &key).await;
                assert_eq!(found.is_some(), is_made, "{operation}, {fault:?} of answer {spoilt}");
                if went_through {
                    break;
                }
                done |= is_made;
                if found.is_none() {
                    look.connector(&Way::Right).deliver(&what, &key).await.expect("now it goes");
                }
                let records = look.records(operation, key.as_str()).await.len();
                assert_eq!(records, 1, "{operation}, {fault:?} of answer {spoilt}: once");
                a_lost_look_up_says_nothing(look, &what, &key, spoilt, fault).await;
            }
        }
        assert!(done, "{operation}: one of the lost answers was to the write");
    }
}

/// Key, whether it was made, and whether no answer was spoilt.
async fn once_through(
    look: &dyn Look,
    what: &Effect,
    operation: &str,
    spoilt: usize,
    fault: Fault,
) -> (DedupeKey, bool, bool) {
    let proxy = Proxy::before(look.url(), spoilt, fault).await;
    let key = fresh_key();
    let result = look.connector(&Way::At(proxy.url())).deliver(what, &key).await;
    let made = look.records(operation, key.as_str()).await.len();
    assert!(made <= 1, "{operation}: one try made {made}");
    let was_spoilt = proxy.answers() > spoilt;
    match result {
        Ok(_) => assert_eq!(made, 1, "{operation}: said to be done, {fault:?} of answer {spoilt}"),
        Err(error) => {
            assert!(was_spoilt, "{operation}: {error}");
            assert_eq!(kind_of(&error), "unclear", "{operation}, {fault:?} of {spoilt}: {error}");
        }
    }
    (key, made == 1, !was_spoilt)
}

async fn found(look: &dyn Look, what: &Effect, key: &DedupeKey) -> Option<RemoteId> {
    look.connector(&Way::Right).delivered(what, key).await.expect("it can tell")
}

/// "It isn't there" must never come of a look-up whose answer was lost: it would be done again.
async fn a_lost_look_up_says_nothing(
    look: &dyn Look,
    what: &Effect,
    key: &DedupeKey,
    spoilt: usize,
    fault: Fault,
) {
    let proxy = Proxy::before(look.url(), spoilt, fault).await;
    match look.connector(&Way::At(proxy.url())).delivered(what, key).await {
        Ok(found) => assert!(found.is_some(), "{}: {fault:?} of {spoilt}", what.operation()),
        Err(error) => {
            assert!(proxy.answers() > spoilt, "{}: {error}", what.operation());
            assert_eq!(kind_of(&error), "unclear", "{}: {fault:?}", what.operation());
        }
    }
}
