//! Who is on the line, as far as the CRM can say.

use std::collections::BTreeMap;
use std::time::Instant;

use crate::connect::crm::{Crm, checked, same};
use crate::connect::destination::DeliveryError;
use crate::domain::{Activity, Contact, ContactKey, CrmContext, Direction, Identity, KnownContact};

/// Cases and entries that an agent can take in.
const CASES_MAX: usize = 10;
const HISTORY_MAX: usize = 10;

/// What a conversation says about its customer: the first attribute that can be one's number or address.
pub fn key_of(
    attributes: &BTreeMap<String, String>,
    direction: Direction,
    names: &[String],
    region: &str,
) -> Option<ContactKey> {
    // Of an outbound call the customer is who was called.
    let theirs = match direction {
        Direction::Inbound => ["from", "caller", "ani", "caller_number", "From"],
        Direction::Outbound => ["to", "called", "dnis", "called_number", "To"],
    };
    let id = attributes.get("contact_id").filter(|id| !id.trim().is_empty());
    if let Some(id) = id {
        return Some(ContactKey::Id(id.trim().to_owned()));
    }
    let names = names.iter().map(String::as_str).chain(["phone", "email"]).chain(theirs);
    names.filter_map(|name| attributes.get(name)).find_map(|text| key(text, region))
}

/// A number or an address, as somebody wrote it.
pub fn key(text: &str, region: &str) -> Option<ContactKey> {
    let text = address(text);
    let email = || same::email(text).map(ContactKey::Email);
    same::e164(text, region).map(ContactKey::Phone).or_else(email)
}

/// Everything that the same text can be: a number may lack the `+` before its country code.
pub fn keys(text: &str, region: &str) -> Vec<ContactKey> {
    let abroad = same::e164_without_plus(address(text), region).map(ContactKey::Phone);
    key(text, region).into_iter().chain(abroad).collect()
}

/// Without what stands around it: `Ann <ann@example.test>`, `"Ann" <sip:+442079460123@example.test;user=phone>;tag=1`.
fn address(text: &str) -> &str {
    let text = within(text).unwrap_or(text).trim();
    let Some(address) = same::without_scheme(text, &["sip", "sips"]) else { return text };
    // Of a SIP address the user's part is the number; who is called by a name there has none.
    let user = address.split(['@', ';', ':', '?']).next().unwrap_or_default();
    let is_part = |c: char| c.is_ascii_digit() || "+-.()".contains(c);
    if user.chars().all(is_part) { user } else { "" }
}

/// The one address in brackets. Of a list nobody can say whose it is.
fn within(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once('<')?;
    let (address, behind) = rest.split_once('>')?;
    let is_end = behind.trim().is_empty() || behind.trim_start().starts_with(';');
    (is_end && !behind.contains(['<', '>']) && !address.contains('<')).then_some(address)
}

/// Looks somebody up. What fails is said, not raised: the call goes on without.
pub async fn identify(crm: &dyn Crm, key: ContactKey, region: &str) -> CrmContext {
    let begun = Instant::now();
    let identity = match checked::find(crm, &key, region).await {
        Ok(mut found) => match found.len() {
            0 => Identity::Unknown,
            1 => Identity::Known(Box::new(known(crm, found.remove(0)).await)),
            _ => Identity::Ambiguous(found),
        },
        Err(error) => {
            tracing::warn!(connector = crm.name(), %error, "the CRM can't say who it is");
            Identity::Unavailable(error.to_string())
        }
    };
    let latency_ms = begun.elapsed().as_millis() as u64;
    metrics::histogram!("backchannel_crm_lookup_seconds").record(begun.elapsed().as_secs_f64());
    CrmContext { connector: crm.name().to_owned(), searched: Some(key), identity, latency_ms }
}

/// Everything that is read about a contact, at the same time.
pub async fn known(crm: &dyn Crm, contact: Contact) -> KnownContact {
    let about = crm.about(&contact, CASES_MAX, HISTORY_MAX).await;
    let mut missing = Vec::new();
    let mut cases = or_missing(about.cases, "open cases", &mut missing);
    let mut history = or_missing(about.history, "last contacts", &mut missing);
    let facts = or_missing(about.facts, "account", &mut missing);
    cases.truncate(CASES_MAX);
    history.truncate(HISTORY_MAX);
    for entry in history.iter_mut().chain(cases.iter_mut().flat_map(|case| &mut case.history)) {
        without_marker(entry);
    }
    KnownContact { contact, facts, cases, history, missing, chosen_by: None }
}

fn or_missing<T: Default>(
    read: Result<T, DeliveryError>,
    what: &str,
    missing: &mut Vec<String>,
) -> T {
    read.unwrap_or_else(|error| {
        // A system that has no such thing misses nothing.
        if !matches!(error, DeliveryError::Unsupported(_)) {
            missing.push(format!("{what}: {error}"));
        }
        T::default()
    })
}

/// Our own key is nothing that an agent has to read.
fn without_marker(entry: &mut Activity) {
    const OPENS: &str = "[backchannel:";
    let text = entry.text.as_str();
    let Some(from) = text.find(OPENS) else { return };
    let Some(length) = text[from..].find(']') else { return };
    let marker = from..from + length + 1;
    entry.text = entry.text.without(std::slice::from_ref(&marker));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ActivityKind;
    use crate::insight::redaction;

    fn found(pairs: &[(&str, &str)], direction: Direction) -> Option<ContactKey> {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        key_of(&pairs.iter().map(own).collect(), direction, &["msisdn".to_owned()], "GB")
    }

    #[test]
    fn the_customer_is_who_calls_or_is_called() {
        let both = [("from", "020 7946 0123"), ("to", "+442079460999")];
        let phone = |number: &str| Some(ContactKey::Phone(number.to_owned()));
        assert_eq!(found(&both, Direction::Inbound), phone("+442079460123"));
        assert_eq!(found(&both, Direction::Outbound), phone("+442079460999"));
        let sip = [("from", "sip:+442079460123@example.test;user=phone")];
        assert_eq!(found(&sip, Direction::Inbound), phone("+442079460123"));
        let named = [("from", "\"Ada\" <sip:+442079460123@example.test>;tag=1")];
        assert_eq!(found(&named, Direction::Inbound), phone("+442079460123"));
        let own = [("from", "anonymous"), ("msisdn", "+442079460777")];
        assert_eq!(found(&own, Direction::Inbound), phone("+442079460777"));
        let mail = [("from", "Ada@example.test")];
        assert_eq!(
            found(&mail, Direction::Inbound),
            Some(ContactKey::Email("ada@example.test".to_owned()))
        );
        let named = [("contact_id", "77"), ("from", "020 7946 0123")];
        assert_eq!(found(&named, Direction::Inbound), Some(ContactKey::Id("77".to_owned())));
        assert_eq!(found(&[("from", "anonymous")], Direction::Inbound), None);
    }

    #[test]
    fn an_address_is_read_with_what_stands_around_it() {
        let phone = || vec![ContactKey::Phone("+442079460123".to_owned())];
        let email = || vec![ContactKey::Email("ada@example.test".to_owned())];
        for (text, expected) in [
            ("Ada <ada@example.test>", email()),
            ("\"Byron, Ada\" <Ada@Example.test>", email()),
            ("<mailto:ada@example.test>", email()),
            ("MAILTO:ada@example.test", email()),
            ("sip:+442079460123@example.test", phone()),
            ("SIPS:+442079460123:secret@example.test;user=phone", phone()),
            ("+44 (0)20 7946 0123", phone()),
            ("Ada <tel:+44-20-7946-0123>", phone()),
            // A name, not a number, however many digits it has.
            ("sip:ada442079460123@example.test", vec![]),
            ("Ada <ada@example.test>, Bo <bo@example.test>", vec![]),
            ("Ada <ada@example.test> and others", vec![]),
            ("Ada <>", vec![]),
        ] {
            assert_eq!(keys(text, "US"), expected, "{text}");
        }
    }

    #[test]
    fn every_attribute_that_names_a_customer_keeps_its_number() {
        for name in redaction::PARTY_ATTRIBUTES {
            let both = [Direction::Inbound, Direction::Outbound];
            let number = both.into_iter().find_map(|way| found(&[(name, "+4915112345678")], way));
            assert_eq!(number, Some(ContactKey::Phone("+4915112345678".to_owned())), "{name}");
        }
    }

    #[test]
    fn our_marker_is_not_read_to_anybody() {
        let text = redaction::typed("Called back. [backchannel:00ff]");
        let (kind, at, by, conversation) = (ActivityKind::Note, None, None, None);
        let mut entry = Activity { kind, at, by, text, conversation };
        without_marker(&mut entry);
        assert_eq!(entry.text.as_str().trim(), "Called back.");
    }
}
