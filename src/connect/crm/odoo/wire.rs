//! Odoo's records: what is empty is `false`, a reference is `[id, "what it is called"]`, times are UTC.

use serde_json::Value;

use crate::connect::crm::answers::{at, words};
use crate::connect::crm::wording::{kind, moment, plain, shown, titled};
use crate::domain::{AccountFacts, Activity, ActivityKind, Case, Contact};

pub const CONTACT_FIELDS: &[&str] = &["id", "name", "email", "commercial_company_name"];
pub const CASE_FIELDS: &[&str] =
    &["id", "name", "partner_id", "stage_id", "priority", "user_id", "create_date", "write_date"];
pub const MESSAGE_FIELDS: &[&str] =
    &["id", "model", "res_id", "date", "author_id", "subject", "body", "message_type"];

/// Records are numbered from 1.
pub fn id(text: &str) -> Option<i64> {
    let is_one = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|id| is_one && *id > 0)
}

/// A number as Odoo compares it: digits, and a plus at its beginning.
pub fn bare(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect()
}

pub fn reference(record: &Value, field: &str) -> Option<i64> {
    record.pointer(&format!("/{field}/0"))?.as_i64()
}

fn called(record: &Value, field: &str) -> Option<String> {
    at(record, &format!("/{field}/1"))
}

/// `res.partner`.
pub fn contact(record: &Value, phone_fields: &[&str]) -> Option<Contact> {
    Some(Contact {
        id: at(record, "/id")?,
        name: words(record, "/name"),
        phones: phone_fields.iter().filter_map(|field| at(record, &format!("/{field}"))).collect(),
        emails: at(record, "/email").into_iter().flat_map(|text| addresses(&text)).collect(),
        company: words(record, "/commercial_company_name"),
        url: None,
    })
}

/// `Ada <ada@example.test>`, or several with commas between.
fn addresses(text: &str) -> Vec<String> {
    text.split(',')
        .map(|one| match one.rsplit_once('<') {
            Some((_, address)) => address.trim_end().trim_end_matches('>').to_owned(),
            None => one.trim().to_owned(),
        })
        .collect()
}

/// The settings' model; what all three have is read.
pub fn case(record: &Value, number: Option<&str>) -> Option<Case> {
    let version = at(record, "/write_date");
    Some(Case {
        id: at(record, "/id")?,
        number: number.and_then(|field| at(record, &format!("/{field}"))),
        subject: words(record, "/name").unwrap_or_default(),
        status: called(record, "stage_id").unwrap_or_default(),
        priority: at(record, "/priority"),
        opened_at: at(record, "/create_date").as_deref().and_then(moment),
        updated_at: version.as_deref().and_then(moment),
        owner: called(record, "user_id"),
        version,
        url: None,
        history: Vec::new(),
    })
}

/// A message, with the record in whose thread it is.
pub fn message(record: &Value) -> Option<(i64, Activity)> {
    let body = plain(&at(record, "/body").unwrap_or_default());
    let kind = match at(record, "/message_type").as_deref() {
        Some("email" | "email_outgoing") => ActivityKind::Mail,
        _ => kind(&body),
    };
    let text = shown(&titled(&at(record, "/subject").unwrap_or_default(), &body));
    let entry = Activity {
        kind,
        at: at(record, "/date").as_deref().and_then(moment),
        by: called(record, "author_id"),
        text,
        conversation: None,
    };
    Some((record.get("res_id")?.as_i64()?, entry))
}

pub fn facts(record: &Value, tier: Option<&str>, value: Option<&str>) -> AccountFacts {
    let of = |field: &str| called(record, field).or_else(|| at(record, &format!("/{field}")));
    AccountFacts {
        tier: tier.and_then(of),
        value: value.and_then(of).and_then(|value| value.parse().ok()),
        since: at(record, "/create_date").and_then(|text| text.get(..10)?.parse().ok()),
        owner: called(record, "user_id"),
        products: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_out_of_its_name() {
        assert_eq!(
            addresses("Ada <ada@example.test>, b@example.test"),
            ["ada@example.test", "b@example.test"]
        );
        assert_eq!(addresses("ada@example.test"), ["ada@example.test"]);
    }

    #[test]
    fn identifiers_are_numbers_from_one() {
        assert_eq!((id("7"), id("999999999")), (Some(7), Some(999_999_999)));
        for none in ["", "0", "-1", "+7", "7,8", "../users", "99999999999999999999"] {
            assert_eq!(id(none), None, "{none}");
        }
    }

    #[test]
    fn what_is_empty_is_false() {
        let record = serde_json::json!({"id": 7, "name": false, "email": false, "phone": false});
        let contact = contact(&record, &["phone"]).expect("it has an identifier");
        assert_eq!((contact.name, contact.phones.len(), contact.emails.len()), (None, 0, 0));
    }
}
