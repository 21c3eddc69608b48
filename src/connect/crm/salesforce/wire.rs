//! Salesforce's records, and its errors: a list of `{"errorCode", "message", "fields"}` (`errorcodes.htm`).

use jiff::civil::Date;
use serde_json::Value;

use crate::connect::crm::answers::{self, at, words};
use crate::connect::crm::wording::{moment, shown, titled};
use crate::connect::destination::DeliveryError;
use crate::connect::http::Answered;
use crate::domain::{AccountFacts, Activity, ActivityKind, Case, Contact};

/// Contact (`sforce_api_objects_contact.htm`): every number that may be somebody's own.
pub const CONTACT_FIELDS: &str =
    "Id, Name, Phone, MobilePhone, HomePhone, OtherPhone, Email, Account.Name";
/// Case (`sforce_api_objects_case.htm`).
pub const CASE_FIELDS: &str =
    "Id, CaseNumber, Subject, Status, Priority, CreatedDate, LastModifiedDate, Owner.Name";
/// Task (`sforce_api_objects_task.htm`).
pub const TASK_FIELDS: &str =
    "Id, Subject, Description, TaskSubtype, Status, CallDisposition, CreatedDate, Owner.Name";

/// By status, and by the code where that says more.
pub fn success(answer: Answered) -> Result<Answered, DeliveryError> {
    match answer.text("/0/errorCode").as_deref() {
        // Its daily allowance, or somebody holds the record: nothing was done.
        Some("REQUEST_LIMIT_EXCEEDED" | "UNABLE_TO_LOCK_ROW") => {
            Err(DeliveryError::Limited { retry_after: None })
        }
        _ => answers::success(answer, "/0/errorCode", &[]),
    }
}

/// A record of a query or a search: `{"attributes", "Id", …}`; what is empty is `null`.
pub fn contact(record: &Value) -> Option<Contact> {
    let phones = ["/Phone", "/MobilePhone", "/HomePhone", "/OtherPhone"];
    Some(Contact {
        id: at(record, "/Id")?,
        name: words(record, "/Name"),
        phones: phones.into_iter().filter_map(|field| at(record, field)).collect(),
        emails: at(record, "/Email").into_iter().collect(),
        company: words(record, "/Account/Name"),
        url: None,
    })
}

/// A case with its children, which are `null` where it has none. `done` is what a finished activity is called.
pub fn case(record: &Value, done: &str) -> Option<Case> {
    let children =
        |name: &str| record.pointer(&format!("/{name}/records")).and_then(Value::as_array).cloned();
    let mut history: Vec<Activity> =
        children("CaseComments").unwrap_or_default().iter().map(comment).collect();
    history.extend(children("Tasks").unwrap_or_default().iter().map(|record| task(record, done)));
    history.sort_by_key(|one| std::cmp::Reverse(one.at));
    let version = at(record, "/LastModifiedDate");
    let changed = version.as_deref().and_then(moment);
    Some(Case {
        id: at(record, "/Id")?,
        number: at(record, "/CaseNumber"),
        subject: words(record, "/Subject").unwrap_or_default(),
        status: at(record, "/Status").unwrap_or_default(),
        priority: at(record, "/Priority"),
        opened_at: at(record, "/CreatedDate").as_deref().and_then(moment),
        // An entry is a change too, which not every kind of entry writes into the case.
        updated_at: changed.max(history.first().and_then(|entry| entry.at)),
        owner: at(record, "/Owner/Name"),
        version,
        url: None,
        history,
    })
}

/// CaseComment (`sforce_api_objects_casecomment.htm`).
pub fn comment(record: &Value) -> Activity {
    Activity {
        kind: ActivityKind::Note,
        at: at(record, "/CreatedDate").as_deref().and_then(moment),
        by: at(record, "/CreatedBy/Name"),
        text: shown(&at(record, "/CommentBody").unwrap_or_default()),
        conversation: None,
    }
}

/// A task, a logged call, a mail, or a note of ours that had no case.
pub fn task(record: &Value, done: &str) -> Activity {
    let kind = match at(record, "/TaskSubtype").as_deref() {
        Some("Call") => ActivityKind::Call,
        Some("Email" | "ListEmail") => ActivityKind::Mail,
        // A note without a case is a finished task.
        _ if at(record, "/Status").as_deref() == Some(done) => ActivityKind::Note,
        _ => ActivityKind::Task,
    };
    let subject = at(record, "/Subject").unwrap_or_default();
    let outcome = at(record, "/CallDisposition").unwrap_or_default();
    let text = titled(&titled(&subject, &outcome), &at(record, "/Description").unwrap_or_default());
    Activity {
        kind,
        at: at(record, "/CreatedDate").as_deref().and_then(moment),
        by: at(record, "/Owner/Name"),
        text: shown(&text),
        conversation: None,
    }
}

/// `tier` and `value` are paths seen from the contact, such as `Account.Rating`.
pub fn facts(
    record: &Value,
    assets: &[Value],
    tier: Option<&str>,
    value: Option<&str>,
) -> AccountFacts {
    let field = |path: &str| at(record, &format!("/{}", path.replace('.', "/")));
    let since = field("Account.CreatedDate").or_else(|| field("CreatedDate"));
    let product = |asset: &Value| words(asset, "/Product2/Name").or_else(|| words(asset, "/Name"));
    AccountFacts {
        tier: tier.and_then(field),
        value: value.and_then(field).and_then(|value| value.parse().ok()),
        since: since.as_deref().and_then(day),
        owner: field("Account.Owner.Name").or_else(|| field("Owner.Name")),
        products: assets.iter().filter_map(product).collect(),
    }
}

fn day(text: &str) -> Option<Date> {
    text.get(..10)?.parse().ok()
}
