//! The right person, or nobody.
//!
//! CRMs ignore filters they don't know and answer with everybody (Request Tracker and BottleCRM do, ServiceNow by
//! default). So what comes back is compared with what was searched for, here and nowhere else.

use super::{CANDIDATES_MAX, Crm, same};
use crate::connect::destination::DeliveryError;
use crate::domain::{Contact, ContactKey};

/// Contacts that surely bear the number or the address.
///
/// # Errors
/// `Untrusted` when the CRM answered and none of its answers is one of those that were asked for.
pub async fn find(
    crm: &dyn Crm,
    key: &ContactKey,
    region: &str,
) -> Result<Vec<Contact>, DeliveryError> {
    let answered = crm.find_contacts(key).await?;
    let all = answered.len();
    let mut right: Vec<Contact> = Vec::new();
    for contact in answered {
        let is_new = right.iter().all(|other| other.id != contact.id);
        if !contact.id.is_empty() && is_new && bears(&contact, key, region) {
            right.push(contact);
        }
    }
    if right.len() < all {
        tracing::warn!(
            connector = crm.name(),
            dropped = all - right.len(),
            "the CRM answered with contacts that weren't searched for"
        );
    }
    if right.is_empty() && all > 0 {
        let what = format!("none of its {all} answers has the {} that was asked for", key.kind());
        return Err(DeliveryError::Untrusted(what));
    }
    right.truncate(CANDIDATES_MAX);
    Ok(right)
}

/// Whether a contact bears it, digit for digit.
pub fn bears(contact: &Contact, key: &ContactKey, region: &str) -> bool {
    match key {
        ContactKey::Id(id) => contact.id == *id,
        ContactKey::Phone(number) => {
            contact.phones.iter().any(|phone| same::e164(phone, region).as_deref() == Some(number))
        }
        ContactKey::Email(address) => {
            contact.emails.iter().any(|email| same::email(email).as_deref() == Some(address))
        }
    }
}
