//! Which conversations are a contact's.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::app::crm::identify;
use crate::domain::{ContactKey, ConversationId, Recorded, TenantId};
use crate::insight::redaction;
use crate::store::wire::{Contact, ConversationStarted, CrmContext};
use crate::store::{KindFilter, MAX_READ, ROUTING, ReadQuery, Store, StoreError, codec};

/// What is a contact's.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// They were the customer.
    pub conversations: BTreeSet<ConversationId>,
    /// Positions of events of others' conversations, or of none, that name them.
    pub events: BTreeSet<u64>,
}

/// Whoever is meant, and where numbers without a country code are.
pub struct Who<'a> {
    pub contacts: &'a [ContactKey],
    /// ISO 3166-1, such as `GB`.
    pub region: &'a str,
}

/// Reads a contact as somebody writes it: `phone:`, `email:` or `id:` before it says what it is. Without that it is a
/// number or an address if it looks like one, else the CRM's identifier.
///
/// A number that may be read in two ways is both; what is nobody's is none, such as a number that isn't whole.
pub fn parse(text: &str, region: &str) -> Vec<ContactKey> {
    let text = text.trim();
    let keys = |value: &str| identify::keys(value, region);
    let id = |text: &str| vec![ContactKey::Id(text.trim().to_owned())];
    let mut all = match text.split_once(':') {
        Some(("id", text)) => id(text),
        Some(("phone", number)) => {
            keys(number).into_iter().filter(|key| matches!(key, ContactKey::Phone(_))).collect()
        }
        Some(("email", address)) => {
            keys(address).into_iter().filter(|key| matches!(key, ContactKey::Email(_))).collect()
        }
        Some(("tel" | "sms" | "whatsapp" | "sip" | "sips" | "mailto", _)) => keys(text),
        // Letters can be dialled, and nobody writes a number so.
        _ if text.contains(char::is_alphabetic) && !text.contains(['@', ':', '+']) => id(text),
        _ => match keys(text) {
            none if none.is_empty() && !is_meant_for_key(text) => id(text),
            all => all,
        },
    };
    all.retain(|key| !key.value().is_empty());
    all
}

/// Written as a number or an address is. Where it is none, nobody's identifier is meant, either.
fn is_meant_for_key(text: &str) -> bool {
    let is_bare = text.chars().all(|c| c.is_ascii_digit());
    let is_dialled = redaction::is_local_number(text) && (!is_bare || text.starts_with('0'));
    text.starts_with('+') || redaction::has_address(text) || is_dialled
}

impl Who<'_> {
    fn is(&self, text: &str) -> bool {
        identify::keys(text, self.region).iter().any(|key| self.contacts.contains(key))
    }

    fn has_id(&self, id: &str) -> bool {
        self.contacts.iter().any(|key| matches!(key, ContactKey::Id(known) if known == id.trim()))
    }

    fn is_contact(&self, contact: &Contact) -> bool {
        self.has_id(&contact.id)
            || contact.phones.iter().chain(&contact.emails).any(|text| self.is(text))
    }

    fn began(&self, started: &ConversationStarted) -> bool {
        let named = |(name, value): (&String, &String)| match name.as_str() {
            "contact_id" => self.has_id(value),
            _ => self.is(value),
        };
        started.attributes.iter().any(named)
            || started.external_id.as_deref().is_some_and(|id| self.is(id))
            || started.parties.iter().any(|party| {
                self.is(&party.id) || party.name.as_deref().is_some_and(|name| self.is(name))
            })
    }

    /// Anywhere in a body.
    fn is_in(&self, value: &Value) -> bool {
        match value {
            Value::String(text) => self.is(text),
            Value::Array(all) => all.iter().any(|one| self.is_in(one)),
            Value::Object(members) => members.iter().any(|(name, value)| {
                let is_id = matches!(name.as_str(), "contact_id" | "customer_id");
                self.is_in(value) || (is_id && value.as_str().is_some_and(|id| self.has_id(id)))
            }),
            _ => false,
        }
    }
}

/// What the CRM said of a conversation's customer, over time.
#[derive(Default)]
struct Told {
    named: BTreeSet<u64>,
    /// The one who was searched for.
    is_searched: bool,
    /// The newest says that it is them.
    is_theirs: bool,
}

/// Reads a tenant's whole log.
///
/// # Errors
/// It can't be read.
pub async fn of_contact(
    store: &dyn Store,
    tenant: &TenantId,
    who: &Who<'_>,
) -> Result<Found, StoreError> {
    let mut found = Found::default();
    let mut told: BTreeMap<ConversationId, Told> = BTreeMap::new();
    let mut query = ReadQuery::all(tenant.clone(), 0);
    query.kinds = KindFilter::exactly(codec::CONVERSATION_STARTED)
        .or(codec::CRM_CONTEXT)
        .or(codec::ROUTE_OFFERED)
        .or(codec::ROUTE_QUEUED);
    loop {
        let page = store.read(&query).await?;
        for event in &page {
            query.after = event.position;
            take(event, who, &mut found, &mut told)?;
        }
        if page.len() < MAX_READ {
            break;
        }
    }
    for (conversation, told) in told {
        if told.is_searched || told.is_theirs {
            found.conversations.insert(conversation);
        } else if !found.conversations.contains(&conversation) {
            // One of several, or not the right one: the conversation is somebody else's.
            found.events.extend(told.named);
        }
    }
    Ok(found)
}

/// What stands in no conversation and is of work that is about one of these, or that names the contact: decisions and
/// steps repeat what was known of their item.
///
/// # Errors
/// The log can't be read.
pub async fn of_work(
    store: &dyn Store,
    tenant: &TenantId,
    found: &mut Found,
) -> Result<(), StoreError> {
    let mut theirs = BTreeSet::new();
    for conversation in &found.conversations {
        let mut query = ReadQuery::all(tenant.clone(), 0).of(conversation.clone());
        query.kinds = KindFilter::exactly(codec::ROUTE_OFFERED);
        for event in store.read(&query).await? {
            theirs.extend(item_of(&event)?);
        }
    }
    if theirs.is_empty() && found.events.is_empty() {
        return Ok(());
    }
    let mut positions: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    let mut query = ReadQuery::all(tenant.clone(), 0).of(ROUTING.into());
    query.kinds = KindFilter::parse("route.*").expect("the kinds are a constant; this is a bug");
    loop {
        let page = store.read(&query).await?;
        for event in &page {
            query.after = event.position;
            let Some(item) = item_of(event)? else { continue };
            if found.events.contains(&event.position) {
                theirs.insert(item.clone());
            }
            positions.entry(item).or_default().push(event.position);
        }
        if page.len() < MAX_READ {
            break;
        }
    }
    let of_them = positions.into_iter().filter(|(item, _)| theirs.contains(item));
    found.events.extend(of_them.flat_map(|(_, positions)| positions));
    Ok(())
}

fn item_of(event: &Recorded) -> Result<Option<String>, StoreError> {
    let data: Value = codec::data(event)?;
    Ok(data["work_item_id"].as_str().map(str::to_owned))
}

fn take(
    event: &Recorded,
    who: &Who<'_>,
    found: &mut Found,
    told: &mut BTreeMap<ConversationId, Told>,
) -> Result<(), StoreError> {
    match &*event.kind {
        codec::CONVERSATION_STARTED if who.began(&codec::data(event)?) => {
            found.conversations.insert(event.conversation.clone());
        }
        codec::CRM_CONTEXT => {
            let context: CrmContext = codec::data(event)?;
            let told = told.entry(event.conversation.clone()).or_default();
            let searched = context.searched.as_ref();
            told.is_searched |= searched.is_some_and(|searched| match searched.by.as_str() {
                "id" => who.has_id(&searched.value),
                _ => who.is(&searched.value),
            });
            if let Some(contact) = &context.contact {
                told.is_theirs = who.is_contact(contact);
            }
            if context.contact.iter().chain(&context.candidates).any(|one| who.is_contact(one)) {
                told.named.insert(event.position);
            }
        }
        _ if event.conversation.as_str() == ROUTING && who.is_in(&codec::data(event)?) => {
            found.events.insert(event.position);
        }
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contact_is_read_as_people_write_it() {
        let check = |text: &str, expected: &[ContactKey]| {
            assert_eq!(parse(text, "GB"), expected, "{text}");
        };
        let phone = |number: &str| ContactKey::Phone(number.into());
        check("020 7946 0123", &[phone("+442079460123")]);
        check("phone:+44 20 7946 0123", &[phone("+442079460123")]);
        check("Ada@Example.test", &[ContactKey::Email("ada@example.test".into())]);
        check("003Ab00000XyZ", &[ContactKey::Id("003Ab00000XyZ".into())]);
        check("id:020 7946 0123", &[ContactKey::Id("020 7946 0123".into())]);
        check("email:020 7946 0123", &[]);
        check("+44 (0)20 7946 0123", &[phone("+442079460123")]);
        check("sip:+442079460123@example.test", &[phone("+442079460123")]);
        check("Ada <Ada@Example.test>", &[ContactKey::Email("ada@example.test".into())]);
        // What is cut or mistyped is nobody's identifier.
        for nobody in
            ["+44 20 79", "+44 20 7946 0123 ext. 7", "ada@", "sip:ada@example.test", "tel:1"]
        {
            check(nobody, &[]);
        }
        assert!(parse("020 7946 0123", "US").is_empty(), "it is another country's");
        check("id: ", &[]);
        check("", &[]);
        // Of the region as it stands, and of abroad without its plus.
        assert!(parse("442079460123", "US").contains(&phone("+442079460123")));
        assert!(parse("phone:447700900111", "US").contains(&phone("+447700900111")));
        let contacts = [phone("+447700900111")];
        let who = Who { contacts: &contacts, region: "US" };
        assert!(who.is("447700900111") && who.is("+44 7700 900111"));
        assert!(!who.is("447700900112"));
    }

    #[test]
    fn nobody_else_is_meant() {
        let contacts = [parse("+44 (0)20 7946 0123", "US"), parse("Ada <ada@example.test>", "US")];
        let contacts = contacts.concat();
        let who = Who { contacts: &contacts, region: "US" };
        for theirs in [
            "+442079460123",
            "+44 (0)20 7946 0123",
            "sip:+442079460123@pbx.example.test",
            "Ada <tel:+44-20-7946-0123>",
            "\"A. Byron\" <ADA@example.test>",
            "mailto:ada@example.test",
        ] {
            assert!(who.is(theirs), "{theirs}");
        }
        for others in [
            "+44 (0)20 7946 0124",
            "+1 207 946 0123",
            "sip:ada@example.test",
            "Ada <ada@another.test>",
            "ada@example.test.another.test",
            "Ada",
            "Bo <bo@example.test>, Ada <ada@example.test>",
        ] {
            assert!(!who.is(others), "{others}");
        }
    }
}
