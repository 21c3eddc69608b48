//! RT's JSON as the house's nouns.

use jiff::Timestamp;
use serde_json::Value;

use super::{Settings, unreadable};
use crate::connect::crm::answers::at;
use crate::connect::crm::wording::{self, moment};
use crate::connect::destination::DeliveryError;
use crate::domain::{Activity, ActivityKind, Case, Contact};
use crate::insight::redaction::typed;

/// What a call's subject begins with: RT has no kind of entry for it.
pub(super) const CALL: &str = "Call: ";

/// Of a user in a list.
pub(super) fn contact(user: &Value, settings: &Settings) -> Result<Contact, DeliveryError> {
    let id = at(user, "/Name").ok_or_else(unreadable)?;
    let phones = settings.phone_fields.iter().filter_map(|field| at(user, &format!("/{field}")));
    // "id" is the number that pages go by; RT calls a user by name everywhere else.
    let number = at(user, "/id").filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
    Ok(Contact {
        name: at(user, "/RealName").map(|name| typed(&name)),
        phones: phones.collect(),
        emails: at(user, "/EmailAddress").into_iter().collect(),
        company: at(user, "/Organization").map(|name| typed(&name)),
        url: number.map(|number| page(settings, &format!("User/Summary.html?id={number}"))),
        id,
    })
}

fn page(settings: &Settings, path: &str) -> String {
    format!("{}/{path}", settings.access.url.as_str().trim_end_matches('/'))
}

/// A value of a custom field in a record.
pub(super) fn custom(record: &Value, name: &str) -> Option<String> {
    let fields = record.get("CustomFields")?.as_array()?;
    let field = fields.iter().find(|field| at(field, "/name").as_deref() == Some(name))?;
    at(field, "/values/0")
}

/// A ticket of a list. What happened in it comes from `entries`, with its version: the number of its last
/// transaction, which is also its ETag.
pub(super) fn case(ticket: &Value, settings: &Settings) -> Result<Case, DeliveryError> {
    let id = at(ticket, "/id").ok_or_else(unreadable)?;
    let owner = at(ticket, "/Owner/Name").or_else(|| at(ticket, "/Owner/id"));
    Ok(Case {
        number: Some(format!("#{id}")),
        subject: at(ticket, "/Subject").map(|text| typed(&text)).unwrap_or_default(),
        status: at(ticket, "/Status").unwrap_or_default(),
        priority: at(ticket, "/Priority").map(|value| priority(&value, settings)),
        opened_at: time(ticket, "/Created"),
        updated_at: time(ticket, "/LastUpdated"),
        owner: owner.filter(|name| name != "Nobody"),
        version: None,
        url: Some(page(settings, &format!("Ticket/Display.html?id={id}"))),
        history: Vec::new(),
        id,
    })
}

/// RT says 1970 for "never".
fn time(record: &Value, pointer: &str) -> Option<Timestamp> {
    moment(&at(record, pointer)?).filter(|at| at.as_second() > 0)
}

/// The name of a priority that has one.
pub(super) fn priority(value: &str, settings: &Settings) -> String {
    let number = value.parse::<i64>().ok();
    let named = settings.priorities.iter().find(|(_, value)| Some(*value) == number);
    named.map_or_else(|| value.to_owned(), |(name, _)| name.clone())
}

/// The number of a priority, which is how RT keeps it.
pub(super) fn priority_number(name: &str, settings: &Settings) -> Option<i64> {
    let named =
        settings.priorities.iter().find(|(known, _)| known.eq_ignore_ascii_case(name.trim()));
    named.map(|(_, value)| *value).or_else(|| name.trim().parse().ok())
}

/// A transaction with what was written in it, and with the subject of the ticket if it opened that; `None` for
/// those that say nothing to people.
pub(super) fn entry(transaction: &Value, opened: &str, text: Option<&str>) -> Option<Activity> {
    let subject = at(transaction, "/Data").unwrap_or_default();
    let (kind, text) = match at(transaction, "/Type")?.as_str() {
        "Create" => (ActivityKind::Other, wording::titled(opened, text.unwrap_or_default())),
        "Comment" => (ActivityKind::Note, wording::titled(&subject, text.unwrap_or_default())),
        "Correspond" => (ActivityKind::Mail, wording::titled(&subject, text.unwrap_or_default())),
        "Status" => {
            let was = at(transaction, "/OldValue").unwrap_or_default();
            (ActivityKind::Status, format!("{was} → {}", at(transaction, "/NewValue")?))
        }
        _ => return None,
    };
    let by = at(transaction, "/Creator/Name").or_else(|| at(transaction, "/Creator/id"));
    let kind = if text.starts_with(CALL) { ActivityKind::Call } else { kind };
    // RT sets this where nobody wrote a subject.
    let text = text.strip_prefix("No Subject\n").unwrap_or(&text);
    let text = text.strip_prefix(CALL).unwrap_or(text);
    Some(Activity {
        kind,
        at: time(transaction, "/Created"),
        by,
        text: wording::shown(text),
        conversation: None,
    })
}

/// What people read of an attachment, unless it is a file.
pub(super) fn content(attachment: &Value) -> Option<String> {
    let text = at(attachment, "/Content")?;
    match at(attachment, "/ContentType")?.as_str() {
        "text/plain" => Some(text),
        "text/html" => Some(wording::plain(&text)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::connect::crm::Access;

    fn settings() -> Settings {
        let url = "https://rt.example.test/support/".parse().expect("an address");
        let access = Access {
            name: "rt".to_owned(),
            url,
            patience: Duration::from_secs(5),
            region: "GB".to_owned(),
        };
        Settings::new(access, "1-2-3".into())
    }

    #[test]
    fn what_is_no_record_is_no_answer() {
        for odd in
            [json!(null), json!([]), json!({}), json!("Sign in"), json!({"Name": null, "id": []})]
        {
            assert!(contact(&odd, &settings()).is_err(), "{odd}");
            assert!(case(&odd, &settings()).is_err(), "{odd}");
            assert!(entry(&odd, "", None).is_none() && content(&odd).is_none(), "{odd}");
            assert_eq!(custom(&odd, "Tier"), None);
        }
    }

    #[test]
    fn a_user_is_called_by_name_and_its_page_goes_by_number() {
        let user = json!({"id": 39, "Name": "ada@example.test", "RealName": "Ada", "MobilePhone": "", "Organization": null});
        let ada = contact(&user, &settings()).expect("a user");
        assert_eq!((ada.id.as_str(), ada.phones.len()), ("ada@example.test", 0));
        let page = "https://rt.example.test/support/User/Summary.html?id=39";
        assert_eq!(ada.url.as_deref(), Some(page));
    }

    #[test]
    fn priorities_have_names() {
        let settings = settings();
        assert_eq!(
            (priority("50", &settings), priority("51", &settings)),
            ("Medium".to_owned(), "51".to_owned())
        );
        for (name, number) in
            [("medium", Some(50)), ("High ", Some(100)), ("7", Some(7)), ("urgent", None)]
        {
            assert_eq!(priority_number(name, &settings), number, "{name}");
        }
    }

    #[test]
    fn entries_say_what_they_are() {
        let told = |kind: &str, data: &str, text: Option<&str>| {
            let transaction =
                json!({"Type": kind, "Data": data, "Created": "2026-11-22T10:00:00Z"});
            entry(&transaction, "Call: Router", text)
                .map(|entry| (entry.kind, entry.text.as_str().to_owned()))
        };
        let call = told("Comment", "Call: Router [backchannel:00ff]\n", Some("Inbound call"));
        assert_eq!(call, Some((ActivityKind::Call, "Router \n\nInbound call".to_owned())));
        let note = told("Comment", "No Subject", Some("She waits."));
        assert_eq!(note, Some((ActivityKind::Note, "She waits.".to_owned())));
        let opened = told("Create", "", Some("Inbound call"));
        assert_eq!(opened, Some((ActivityKind::Call, "Router\n\nInbound call".to_owned())));
        assert_eq!(told("EmailRecord", "", None), None);
        assert_eq!(told("Status", "", None), None, "without a status it says nothing");
    }
}
