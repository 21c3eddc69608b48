//! What every CRM connector must do: each sentence of the contracts of `Crm` and `Destination` is one function
//! here or in a file beside. Called by the tests of each connector, with the real system or with a server in this
//! process that does what the real one was seen doing.

mod faults;
mod reads;
mod trouble;
mod writes;

use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use jiff::{Timestamp, civil};
use reqwest::Url;

pub use faults::{Fault, Proxy};

use super::Crm;
use crate::connect::destination::DeliveryError;
use crate::domain::{
    CallRecord, CaseRef, CaseUpdate, Contact, ContactKey, DedupeKey, Direction, DueAt, Effect,
    NewCase, NewNote, NewTask, PushedArticle, Redacted,
};

/// The CRM from outside: what the connector doesn't do, and what it can't be trusted to tell.
#[async_trait]
pub trait Look: Send + Sync {
    /// The connector, with right settings but for what `way` says, and a patience of a few seconds.
    fn connector(&self, way: &Way) -> Box<dyn Crm>;

    /// Where the CRM listens.
    fn url(&self) -> Url;

    /// Of `create_case`, `update_case`, `add_note`, `log_call`, `create_task` and `push_article`, those that it
    /// has. The suite checks that it refuses the others.
    fn operations(&self) -> &'static [&'static str] {
        &OPERATIONS
    }

    /// Those of `add_note`, `log_call` and `create_task` that need no case.
    fn without_case(&self) -> &'static [&'static str] {
        &["add_note", "log_call", "create_task"]
    }

    /// What two people may both bear in this CRM, of `phone` and `email`.
    fn shared(&self) -> &'static [&'static str] {
        &["phone", "email"]
    }

    /// So many later notes or calls that an earlier one is on another page of them.
    fn later(&self) -> usize {
        25
    }

    /// Whether somebody else's change in between is noticed.
    fn notices_changes(&self) -> bool {
        true
    }

    /// Enters a person, as a colleague at a screen does. Its identifier.
    async fn add_contact(&self, person: &Person) -> String;

    /// Opens a case for a contact. Its identifier.
    async fn add_case(&self, contact_id: &str, subject: &str) -> String;

    /// Somebody else finishes it.
    async fn close_case(&self, case_id: &str);

    /// Somebody else gives it another priority.
    async fn touch_case(&self, case_id: &str);

    /// The records of an operation's kind in which a text stands, anywhere, however they were made.
    async fn records(&self, operation: &str, text: &str) -> Vec<Record>;
}

pub const OPERATIONS: [&str; 6] =
    ["create_case", "update_case", "add_note", "log_call", "create_task", "push_article"];

/// How the connector is set up.
#[derive(Clone, Debug)]
pub enum Way {
    Right,
    /// At another address, which is a proxy before the CRM, or where nobody listens. All that the connector asks
    /// goes there, also for a token.
    At(Url),
    WrongToken,
}

/// Somebody to enter.
#[derive(Clone, Debug, Default)]
pub struct Person {
    pub name: String,
    /// As it is to be written.
    pub phone: Option<String>,
    pub email: Option<String>,
}

/// What stands in the CRM.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Subject and text, as people see them: no markup.
    pub text: String,
    /// The customer can see it, or was sent it.
    pub is_public: bool,
    /// An article that is published, not a draft.
    pub is_published: bool,
}

/// Runs the suite on a CRM that nobody else uses meanwhile.
///
/// # Panics
/// When the connector breaks a contract.
pub async fn all(look: &dyn Look) {
    reads::all(look).await;
    writes::all(look).await;
    trouble::all(look).await;
}

/// Where numbers without a country code are, for every connector in the suite.
pub const REGION: &str = "GB";

/// A London number that nobody has in this process, from the range that is kept free for stories:
/// (E.164, its last seven digits).
fn fresh_number() -> (String, String) {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let last = format!("79460{:03}", NEXT.fetch_add(1, Ordering::Relaxed) % 1000);
    (format!("+4420{last}"), last)
}

fn fresh_key() -> DedupeKey {
    DedupeKey::of(&["conformance", &fresh_word()])
}

/// A word that stands nowhere else.
fn fresh_word() -> String {
    ulid::Ulid::generate().to_string().to_lowercase()
}

fn redacted(text: &str) -> Redacted {
    crate::insight::redaction::typed(text)
}

/// A contact of its own, read back through the connector.
async fn customer(look: &dyn Look) -> Contact {
    let word = fresh_word();
    let email = format!("{word}@example.test");
    let person = Person { name: format!("Ada {word}"), phone: None, email: Some(email) };
    let id = look.add_contact(&person).await;
    let crm = look.connector(&Way::Right);
    let mut found = crm.find_contacts(&ContactKey::Id(id.clone())).await.expect("answers");
    found.retain(|contact| contact.id == id);
    assert_eq!(found.len(), 1, "{}: a contact is found by its identifier", crm.system());
    found.remove(0)
}

/// What isn't plain: umlauts, quotes, markup, a template's marks, a backslash, another script, lines.
const ODD: &str = "Zoë said: \"it's 100 % <b>broken</b> & {{late}}\" \\ %s £5\n\n- 漢字 line two";

/// Words of `ODD` that every system must keep, whatever it does with white space.
const ODD_PIECES: [&str; 6] =
    ["Zoë said: \"it's 100 %", "<b>broken</b> & {{late}}", "\\ %s £5", "漢字", "line two", "- "];

/// An effect of each kind, about this contact.
fn effect(operation: &str, contact: &Contact, case: Option<&str>, body: &str) -> Effect {
    let contact_id = contact.id.clone();
    let case_ref = case.map(|id| CaseRef::Id(id.to_owned()));
    let (subject, body) = (redacted("Broken router"), redacted(body));
    match operation {
        "create_case" => Effect::CreateCase(NewCase { contact_id, subject, body, priority: None }),
        "update_case" => Effect::UpdateCase(CaseUpdate {
            contact_id,
            case_id: case.expect("an update is of a case").to_owned(),
            status: None,
            priority: None,
            expected_version: None,
        }),
        "add_note" => Effect::AddNote(NewNote { contact_id, case: case_ref, subject, body }),
        "log_call" => Effect::LogCall(CallRecord {
            contact_id,
            case: case_ref,
            direction: Direction::Inbound,
            started_at: Timestamp::now() - jiff::SignedDuration::from_mins(5),
            duration_s: 184,
            subject,
            outcome: Some(redacted("Promised a call back")),
            body,
        }),
        "create_task" => Effect::CreateTask(NewTask {
            contact_id,
            case: case_ref,
            subject,
            body,
            due: Some(DueAt {
                date: civil::date(2030, 3, 31),
                time: Some(civil::time(10, 30, 0, 0)),
                time_zone: "Europe/London".to_owned(),
            }),
        }),
        "push_article" => Effect::PushArticle(PushedArticle {
            article: format!("suite/{}", fresh_word()).as_str().into(),
            revision: 3,
            title: subject,
            body,
        }),
        other => panic!("no operation: {other}"),
    }
}

/// Those that make a record, which bears the key.
fn made(look: &dyn Look) -> impl Iterator<Item = &'static str> {
    look.operations().iter().copied().filter(|operation| *operation != "update_case")
}

/// An effect of an operation, in the place that this CRM has for it.
async fn placed(look: &dyn Look, operation: &str, contact: &Contact, body: &str) -> Effect {
    let in_case = !matches!(operation, "create_case" | "push_article")
        && !look.without_case().contains(&operation);
    let case = match in_case {
        true => Some(look.add_case(&contact.id, &format!("The router {}", fresh_word())).await),
        false => None,
    };
    effect(operation, contact, case.as_deref(), body)
}

fn kind_of(error: &DeliveryError) -> &'static str {
    match error {
        DeliveryError::Unreachable(_) => "unreachable",
        DeliveryError::Unclear(_) => "unclear",
        DeliveryError::Limited { .. } => "limited",
        DeliveryError::Denied(_) | DeliveryError::Forbidden(_) => "denied",
        DeliveryError::Refused(_) => "refused",
        DeliveryError::NotFound(_) => "not found",
        DeliveryError::Changed => "changed",
        DeliveryError::Untrusted(_) => "untrusted",
        DeliveryError::Unsupported(_) => "unsupported",
        DeliveryError::Undecided(_) => "undecided",
    }
}
