//! Which user has a telephone number, where numbers can be searched by and not read.
//!
//! RT compares texts. A pattern with `%` between the digits finds the number however it is set apart, and others
//! that have more digits. So a second question says how often each digit may stand: all digits in their order, and
//! none more often than there, is the number and nothing else. That is RT's word, for nobody here sees what is
//! written; and RT drops a filter that its user may not use, and then answers with everybody. So a third question
//! asks for what no number holds, and if that finds anybody, nobody is believed.

use futures_util::future::try_join_all;
use serde_json::{Value, json};

use super::{RequestTracker, wire};
use crate::connect::crm::answers::at;
use crate::connect::crm::{numbers, same};
use crate::connect::destination::DeliveryError;
use crate::domain::Contact;

/// What stands in no number.
const NO_NUMBER: &str = "no number holds this";

/// One way to write a number: what it begins with, and its digits.
#[derive(Debug, PartialEq, Eq)]
struct Spelling {
    has_plus: bool,
    digits: String,
}

impl RequestTracker {
    pub(super) async fn who_has(&self, e164: &str) -> Result<Vec<Contact>, DeliveryError> {
        let digits = numbers::national_digits(e164)
            .unwrap_or_else(|| e164.chars().filter(char::is_ascii_digit).collect());
        let fields = &self.settings.phone_fields;
        let each =
            try_join_all(fields.iter().map(|field| self.in_field(field, e164, &digits))).await?;
        let mut found: Vec<Contact> = Vec::new();
        for contact in each.into_iter().flatten() {
            add(&mut found, contact);
        }
        Ok(found)
    }

    async fn in_field(
        &self,
        field: &str,
        e164: &str,
        digits: &str,
    ) -> Result<Vec<Contact>, DeliveryError> {
        let about = json!([condition(field, "LIKE", &spread(digits))]);
        let mut found = Vec::new();
        let mut has_hidden = false;
        for user in self.users(&about).await? {
            let Some(written) = at(&user, &format!("/{field}")) else {
                has_hidden = true;
                continue;
            };
            let is_it = same::e164(&written, &self.settings.access.region).as_deref() == Some(e164);
            // Others that have these digits among theirs were asked for; without them the filter was dropped.
            if is_it || !is_spread(&written, digits) {
                found.push(self.contact(&user)?);
            }
        }
        if !has_hidden {
            return Ok(found);
        }
        let control = json!([condition(field, "LIKE", NO_NUMBER)]);
        let spellings: Vec<Value> =
            self.spellings(e164).iter().map(|spelling| exactly(field, spelling)).collect();
        let exact = try_join_all(spellings.iter().map(|conditions| self.users(conditions)));
        let (nobody, exact) = tokio::try_join!(self.users(&control), exact)?;
        if !nobody.is_empty() {
            return Err(DeliveryError::Untrusted(format!(
                "users can't be searched by {field}: the token's user must be no administrator, and \
                 $UserSummaryExtraInfo must name it"
            )));
        }
        for user in exact.iter().flatten() {
            let mut contact = self.contact(user)?;
            contact.phones.push(e164.to_owned());
            found.push(contact);
        }
        Ok(found)
    }

    fn contact(&self, user: &Value) -> Result<Contact, DeliveryError> {
        wire::contact(user, &self.settings)
    }

    /// How one writes a number: abroad, and within its country where that is the company's.
    fn spellings(&self, e164: &str) -> Vec<Spelling> {
        let region = &self.settings.access.region;
        let international: String = e164.chars().filter(char::is_ascii_digit).collect();
        let mut all = vec![
            Spelling { has_plus: true, digits: international.clone() },
            Spelling { has_plus: false, digits: format!("00{international}") },
        ];
        let national = numbers::national_digits(e164)
            .filter(|digits| same::e164(&format!("0{digits}"), region).as_deref() == Some(e164));
        if let Some(digits) = national {
            let code = international.strip_suffix(digits.as_str()).unwrap_or_default();
            // As on letterheads: +44 (0)20 7946 0123.
            all.push(Spelling { has_plus: true, digits: format!("{code}0{digits}") });
            all.push(Spelling { has_plus: false, digits: format!("0{digits}") });
        }
        let bare = numbers::national_digits(e164)
            .filter(|digits| same::e164(digits, region).as_deref() == Some(e164));
        all.extend(bare.map(|digits| Spelling { has_plus: false, digits }));
        all
    }
}

/// A user with both numbers is one candidate.
fn add(found: &mut Vec<Contact>, contact: Contact) {
    match found.iter_mut().find(|other| other.id == contact.id) {
        Some(other) => other.phones.extend(contact.phones),
        None => found.push(contact),
    }
}

fn condition(field: &str, operator: &str, value: &str) -> Value {
    json!({"field": field, "operator": operator, "value": value, "entry_aggregator": "AND"})
}

/// The digits in their order, with anything between them; RT adds `%` at both ends.
fn spread(digits: &str) -> String {
    digits.chars().map(String::from).collect::<Vec<_>>().join("%")
}

/// Whether a text has the digits in their order, as RT's `LIKE` sees it.
fn is_spread(text: &str, digits: &str) -> bool {
    let mut rest = text.chars();
    digits.chars().all(|digit| rest.any(|character| character == digit))
}

/// The number in this spelling and no other.
fn exactly(field: &str, spelling: &Spelling) -> Value {
    let plus = if spelling.has_plus { "+%" } else { "" };
    let mut all = vec![condition(field, "LIKE", &format!("{plus}{}", spread(&spelling.digits)))];
    for digit in '0'..='9' {
        let often = spelling.digits.chars().filter(|other| *other == digit).count();
        let once_more = spread(&String::from(digit).repeat(often + 1));
        all.push(condition(field, "NOT LIKE", &once_more));
    }
    if !spelling.has_plus {
        all.push(condition(field, "NOT LIKE", "+"));
    }
    Value::Array(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RT's `LIKE`: a `%` at both ends, and anything where one stands.
    fn is_like(text: &str, pattern: &str) -> bool {
        let mut rest = text;
        pattern.split('%').all(|piece| match rest.find(piece) {
            Some(at) => {
                rest = &rest[at + piece.len()..];
                true
            }
            None => false,
        })
    }

    fn holds(conditions: &Value, text: &str) -> bool {
        conditions.as_array().expect("a list").iter().all(|condition| {
            let found = is_like(text, condition["value"].as_str().expect("a pattern"));
            found == (condition["operator"] == "LIKE")
        })
    }

    #[test]
    fn exactly_is_the_number_and_nothing_else() {
        let abroad =
            exactly("MobilePhone", &Spelling { has_plus: true, digits: "442079460123".to_owned() });
        for right in ["+442079460123", "+44 20 7946 0123", "+44-(20)-7946.0123"] {
            assert!(holds(&abroad, right), "{right}");
        }
        let others = [
            "442079460123",
            "+4420794601234",
            "+1442079460123",
            "+44 207 946 0123 ext. 4",
            "+4420794 60 13",
            "",
            "+33179460123",
            "+44 20 7946 0124",
            "020 7946 0123",
        ];
        for other in others {
            assert!(!holds(&abroad, other), "{other}");
        }
        let home =
            exactly("MobilePhone", &Spelling { has_plus: false, digits: "02079460123".to_owned() });
        assert!(
            is_spread("+44 20 7946 01123", "2079460123")
                && !is_spread("+33179460123", "2079460123")
        );
        assert!(holds(&home, "(020) 7946-0123"));
        assert!(!holds(&home, "+44 (0)20 7946 0123") && !holds(&home, "0020 7946 0123"));
    }
}
