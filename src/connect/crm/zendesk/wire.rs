//! Zendesk's records.

use serde_json::Value;

use crate::connect::crm::answers::{self, at, words};
use crate::connect::crm::wording::{kind, moment, shown};
use crate::connect::destination::DeliveryError;
use crate::domain::{AccountFacts, Activity, ActivityKind, Case, Contact};

/// Identifiers are numbers; what isn't one is nobody's.
pub fn id(text: &str) -> Option<&str> {
    let is_one = (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_one.then_some(text)
}

/// A phrase of the search (`zendesk-search-reference`): there is no escape for a quote in it.
///
/// # Errors
/// What can't be searched for.
pub fn quoted(text: &str) -> Result<String, DeliveryError> {
    if text.contains(|c: char| matches!(c, '"' | '\\') || c.is_control()) {
        return Err(DeliveryError::Refused(
            "it can't be searched for a quote or a backslash".to_owned(),
        ));
    }
    Ok(format!("\"{text}\""))
}

/// `{"users", "identities", "organizations"}`.
pub fn contacts(body: &Value) -> Result<Vec<Contact>, DeliveryError> {
    let identities =
        body.pointer("/identities").and_then(Value::as_array).cloned().unwrap_or_default();
    let of = |user: &str, kind: &str| -> Vec<String> {
        let is_theirs = |one: &&Value| {
            at(one, "/user_id").as_deref() == Some(user)
                && at(one, "/type").as_deref() == Some(kind)
        };
        identities.iter().filter(is_theirs).filter_map(|one| at(one, "/value")).collect()
    };
    let contact = |user: &Value| {
        let id = at(user, "/id")?;
        let mut phones: Vec<String> = at(user, "/phone").into_iter().collect();
        phones.extend(
            of(&id, "phone_number")
                .into_iter()
                .filter(|one| Some(one) != phones.first())
                .collect::<Vec<_>>(),
        );
        let mut emails: Vec<String> = at(user, "/email").into_iter().collect();
        emails.extend(
            of(&id, "email")
                .into_iter()
                .filter(|one| Some(one) != emails.first())
                .collect::<Vec<_>>(),
        );
        let company = organization(body, user).and_then(|one| words(one, "/name"));
        Some(Contact { id, name: words(user, "/name"), phones, emails, company, url: None })
    };
    Ok(answers::list(body, "/users")?.iter().filter_map(contact).collect())
}

/// The organization of a person, where it was loaded beside.
fn organization<'a>(body: &'a Value, user: &Value) -> Option<&'a Value> {
    let wanted = at(user, "/organization_id")?;
    let all = body.pointer("/organizations")?.as_array()?;
    all.iter().find(|one| at(one, "/id").as_ref() == Some(&wanted))
}

/// Whom a number stands for, where the people were loaded beside.
fn name_of(body: &Value, user: Option<String>) -> Option<String> {
    let user = user?;
    let all = body.pointer("/users")?.as_array()?;
    at(all.iter().find(|one| at(one, "/id").as_ref() == Some(&user))?, "/name")
}

/// `{"tickets", "users"}`.
pub fn open_cases(body: &Value) -> Result<Vec<Case>, DeliveryError> {
    let case = |ticket: &Value| {
        let status = at(ticket, "/status").unwrap_or_default();
        if matches!(status.as_str(), "solved" | "closed") {
            return None;
        }
        let id = at(ticket, "/id")?;
        let version = at(ticket, "/updated_at");
        Some(Case {
            number: Some(format!("#{id}")),
            id,
            subject: words(ticket, "/subject").unwrap_or_default(),
            status,
            priority: at(ticket, "/priority"),
            opened_at: at(ticket, "/created_at").as_deref().and_then(moment),
            updated_at: version.as_deref().and_then(moment),
            owner: name_of(body, at(ticket, "/assignee_id")),
            version,
            url: None,
            history: Vec::new(),
        })
    };
    Ok(answers::list(body, "/tickets")?.iter().filter_map(case).collect())
}

/// `{"comments", "users"}`.
pub fn entries(body: &Value) -> Result<Vec<Activity>, DeliveryError> {
    let entry = |comment: &Value| {
        let text = at(comment, "/plain_body").or_else(|| at(comment, "/body")).unwrap_or_default();
        let channel = at(comment, "/via/channel");
        let kind = match (at(comment, "/type").as_deref(), channel.as_deref()) {
            (Some("VoiceComment" | "TpeVoiceComment"), _) => ActivityKind::Call,
            (_, Some("email")) => ActivityKind::Mail,
            _ => kind(&text),
        };
        Activity {
            kind,
            at: at(comment, "/created_at").as_deref().and_then(moment),
            by: name_of(body, at(comment, "/author_id")),
            text: shown(&text),
            conversation: None,
        }
    };
    let mut all: Vec<Activity> = answers::list(body, "/comments")?.iter().map(entry).collect();
    all.sort_by_key(|one| std::cmp::Reverse(one.at));
    Ok(all)
}

/// `{"users", "organizations"}`.
pub fn facts(
    body: &Value,
    tier: Option<&str>,
    value: Option<&str>,
) -> Result<AccountFacts, DeliveryError> {
    let Some(user) = answers::list(body, "/users")?.first() else {
        return Ok(AccountFacts::default());
    };
    let organization = organization(body, user);
    let field = |name: &str| {
        at(user, &format!("/user_fields/{name}"))
            .or_else(|| at(organization?, &format!("/organization_fields/{name}")))
    };
    let since =
        organization.and_then(|one| at(one, "/created_at")).or_else(|| at(user, "/created_at"));
    Ok(AccountFacts {
        tier: tier.and_then(field),
        value: value.and_then(field).and_then(|value| value.parse().ok()),
        since: since.and_then(|text| text.get(..10)?.parse().ok()),
        owner: None,
        products: Vec::new(),
    })
}
