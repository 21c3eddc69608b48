//! Dataverse's rows: a choice is a number with what it is called beside it.

use serde_json::Value;

use crate::connect::crm::answers::{at, words};
use crate::connect::crm::wording::{moment, plain, shown, titled};
use crate::domain::{AccountFacts, Activity, ActivityKind, Case, Contact, Redacted};
use crate::insight::redaction::typed;

/// Business, mobile, home and another number (`contact`).
pub const PHONE_FIELDS: [&str; 4] = ["telephone1", "mobilephone", "telephone2", "telephone3"];
pub const EMAIL_FIELDS: [&str; 3] = ["emailaddress1", "emailaddress2", "emailaddress3"];
pub const CONTACT_FIELDS: &str = "contactid,fullname,telephone1,mobilephone,telephone2,telephone3,emailaddress1,\
     emailaddress2,emailaddress3,_parentcustomerid_value";
/// `incident`. A case's customer is a contact, or an account with a contact at it.
pub const CASE_FIELDS: &str = "incidentid,ticketnumber,title,statuscode,prioritycode,createdon,modifiedon,\
     _ownerid_value,_customerid_value,_primarycontactid_value";
/// `annotation`.
pub const NOTE_FIELDS: &str =
    "annotationid,subject,notetext,createdon,_createdby_value,_objectid_value";
/// `activitypointer`: calls, mails, tasks and appointments in one table.
pub const ACTIVITY_FIELDS: &str = "activityid,activitytypecode,subject,description,createdon,_ownerid_value,_regardingobjectid_value";

/// What a choice or a reference is called.
pub fn named(row: &Value, field: &str) -> Option<String> {
    at(row, &format!("/{field}@OData.Community.Display.V1.FormattedValue"))
}

/// A row of `contacts`.
pub fn contact(row: &Value) -> Option<Contact> {
    let all = |fields: &[&str]| -> Vec<String> {
        fields.iter().filter_map(|field| at(row, &format!("/{field}"))).collect()
    };
    Some(Contact {
        id: at(row, "/contactid")?,
        name: words(row, "/fullname"),
        phones: all(&PHONE_FIELDS),
        emails: all(&EMAIL_FIELDS),
        company: named(row, "_parentcustomerid_value").map(|name| typed(&name)),
        url: None,
    })
}

/// A row of `incidents`; its ETag is the version.
pub fn case(row: &Value) -> Option<Case> {
    Some(Case {
        id: at(row, "/incidentid")?,
        number: at(row, "/ticketnumber"),
        subject: words(row, "/title").unwrap_or_default(),
        status: named(row, "statuscode").or_else(|| at(row, "/statuscode")).unwrap_or_default(),
        priority: named(row, "prioritycode").or_else(|| at(row, "/prioritycode")),
        opened_at: at(row, "/createdon").as_deref().and_then(moment),
        updated_at: at(row, "/modifiedon").as_deref().and_then(moment),
        owner: named(row, "_ownerid_value"),
        version: at(row, "/@odata.etag"),
        url: None,
        history: Vec::new(),
    })
}

/// A note's text is HTML where it was written in the newer editor.
fn text(row: &Value, field: &str) -> Redacted {
    let body = at(row, &format!("/{field}")).unwrap_or_default();
    let is_html = body.trim_start().starts_with('<');
    let body = if is_html { plain(&body) } else { body };
    shown(&titled(&at(row, "/subject").unwrap_or_default(), &body))
}

/// A row of `annotations`.
pub fn note(row: &Value) -> Activity {
    Activity {
        kind: ActivityKind::Note,
        at: at(row, "/createdon").as_deref().and_then(moment),
        by: named(row, "_createdby_value"),
        text: text(row, "notetext"),
        conversation: None,
    }
}

/// A row of `activitypointers`.
pub fn activity(row: &Value) -> Activity {
    let kind = match at(row, "/activitytypecode").as_deref() {
        Some("phonecall") => ActivityKind::Call,
        Some("email") => ActivityKind::Mail,
        Some("task") => ActivityKind::Task,
        _ => ActivityKind::Other,
    };
    Activity {
        kind,
        at: at(row, "/createdon").as_deref().and_then(moment),
        by: named(row, "_ownerid_value"),
        text: text(row, "description"),
        conversation: None,
    }
}

/// Of the contact, with its account where it has one.
pub fn facts(row: &Value, tier: Option<&str>, value: Option<&str>) -> AccountFacts {
    let account = row.pointer("/parentcustomerid_account").filter(|account| account.is_object());
    let of_account =
        |field: &str| named(account?, field).or_else(|| at(account?, &format!("/{field}")));
    let number = |field: &str| at(account?, &format!("/{field}"))?.parse().ok();
    let since =
        account.and_then(|account| at(account, "/createdon")).or_else(|| at(row, "/createdon"));
    AccountFacts {
        tier: tier.and_then(of_account),
        value: value.and_then(number),
        since: since.and_then(|text| text.get(..10)?.parse().ok()),
        owner: account
            .and_then(|account| named(account, "_ownerid_value"))
            .or_else(|| named(row, "_ownerid_value")),
        products: Vec::new(),
    }
}
