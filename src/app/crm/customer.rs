//! Whose a conversation is: one customer's, as long as the CRM has them.

use super::desk::failed;
use super::identify::known;
use crate::connect::crm::{CANDIDATES_MAX, Crm, checked};
use crate::connect::destination::DeliveryError;
use crate::domain::{ContactKey, CrmContext, DeliveryState, ErrorKind, Identity, KnownContact};
use crate::serve::{Failure, Known};

/// Whom something may be written about, or why nobody.
pub(super) fn customer(context: Option<CrmContext>) -> Result<KnownContact, String> {
    Err(match context.map(|context| context.identity) {
        Some(Identity::Known(known)) => return Ok(*known),
        Some(Identity::Ambiguous(all)) => {
            format!("{} contacts fit; choose one, and it can be written", all.len())
        }
        Some(Identity::Unknown) => {
            "the CRM knows nobody with this number or address; look for another one".to_owned()
        }
        Some(Identity::Unavailable(why)) => format!("the CRM was not reached: {why}"),
        None => "nobody was looked for in the CRM".to_owned(),
    })
}

/// One of the candidates that were shown, with all that is known of them by now.
pub(super) async fn candidate(
    crm: &dyn Crm,
    before: Option<CrmContext>,
    id: &str,
) -> Result<CrmContext, Failure> {
    let missing = || failed(ErrorKind::Invalid, "that is none of the contacts that were found");
    let before = before.ok_or_else(missing)?;
    let candidates = match before.identity {
        Identity::Ambiguous(candidates) => candidates,
        Identity::Known(known) => vec![known.contact],
        Identity::Unknown | Identity::Unavailable(_) => Vec::new(),
    };
    debug_assert!(candidates.len() <= CANDIDATES_MAX);
    let contact = candidates.into_iter().find(|one| one.id == id).ok_or_else(missing)?;
    // It may have another number by now.
    let key = ContactKey::Id(contact.id.clone());
    let again = checked::find(crm, &key, "").await.map_err(|error| Failure::of(&error))?;
    let contact = again.into_iter().next().ok_or_else(missing)?;
    let identity = Identity::Known(Box::new(known(crm, contact).await));
    Ok(CrmContext { identity, latency_ms: 0, ..before })
}

/// Of the contacts about whom something stands, those whom the CRM no longer has: merged into another, or deleted.
pub(super) async fn gone(crm: &dyn Crm, before: &Known, now: &CrmContext) -> Vec<String> {
    let mut gone = Vec::new();
    for id in others(before, chosen(now)) {
        let found = checked::find(crm, &ContactKey::Id(id.to_owned()), "").await;
        // Whatever else goes wrong says nothing about them.
        let is_gone = match found {
            Ok(found) => found.is_empty(),
            Err(error) => matches!(error, DeliveryError::NotFound(_)),
        };
        if is_gone {
            gone.push(id.to_owned());
        }
    }
    gone
}

/// About whom else something was put, each once.
pub(super) fn others<'a>(known: &'a Known, contact_id: Option<&str>) -> Vec<&'a str> {
    let all = known.writes.iter().filter_map(|write| write.contact_id.as_deref());
    let mut others: Vec<&str> = all.filter(|id| Some(*id) != contact_id).collect();
    others.sort_unstable();
    others.dedup();
    others
}

fn chosen(context: &CrmContext) -> Option<&str> {
    match &context.identity {
        Identity::Known(known) => Some(known.contact.id.as_str()),
        _ => None,
    }
}

/// What was written stays where it is: a conversation has one customer. Who is gone is nobody's customer any more,
/// but what is still to be written about them may have been done, and a person looks at it first.
pub(super) fn refuse_second_person(
    before: &Known,
    now: &CrmContext,
    gone: &[String],
) -> Result<(), Failure> {
    let known = chosen(now);
    let (done, discarded) = (DeliveryState::Done.as_str(), DeliveryState::Discarded.as_str());
    let mut why = None;
    for write in before.writes.iter().filter(|write| write.state != discarded) {
        let Some(id) = write.contact_id.as_ref().filter(|id| Some(id.as_str()) != known) else {
            continue;
        };
        let is_gone = gone.contains(id);
        match (write.state == done, is_gone) {
            (true, true) => (),
            (true, false) => {
                let what = "something was written to another contact already, so this conversation stays theirs";
                return Err(failed(ErrorKind::Conflict, what));
            }
            (false, true) => {
                why = Some(
                    "the CRM no longer has the contact to whom something is still to be written; \
                     throw that away first",
                );
            }
            (false, false) => {
                why = Some(
                    "something is to be written to another contact already; throw that away first",
                );
            }
        }
    }
    why.map_or(Ok(()), |why| Err(failed(ErrorKind::Conflict, why)))
}
