//! People and matters as the company's CRM knows them.

use jiff::{Timestamp, civil};

use super::{ConversationId, Redacted};

/// What a contact is looked up by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ContactKey {
    /// E.164, such as `+442079460123`.
    Phone(String),
    /// In lower case.
    Email(String),
    /// The CRM's own identifier.
    Id(String),
}

impl ContactKey {
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Phone(_) => "phone",
            Self::Email(_) => "email",
            Self::Id(_) => "id",
        }
    }

    pub fn value(&self) -> &str {
        match self {
            Self::Phone(value) | Self::Email(value) | Self::Id(value) => value,
        }
    }
}

/// A person in the CRM.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contact {
    /// The CRM's own identifier.
    pub id: String,
    pub name: Option<Redacted>,
    /// As the CRM writes them.
    pub phones: Vec<String>,
    pub emails: Vec<String>,
    pub company: Option<Redacted>,
    /// Where a person reads the record.
    pub url: Option<String>,
}

/// What decides how a contact is served.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AccountFacts {
    /// `gold`, `VIP`: the company's own word.
    pub tier: Option<String>,
    /// What the account is worth a year, in the CRM's currency.
    pub value: Option<f64>,
    pub since: Option<civil::Date>,
    /// Who looks after it.
    pub owner: Option<String>,
    /// What they have bought.
    pub products: Vec<Redacted>,
}

/// A matter that is, or was, being looked into.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Case {
    /// The CRM's own identifier.
    pub id: String,
    /// What people call it by, where that is something else.
    pub number: Option<String>,
    pub subject: Redacted,
    /// In the CRM's own words.
    pub status: String,
    pub priority: Option<String>,
    pub opened_at: Option<Timestamp>,
    pub updated_at: Option<Timestamp>,
    /// Who works on it.
    pub owner: Option<String>,
    /// What a change may be made conditional on: an ETag, a time of change.
    pub version: Option<String>,
    pub url: Option<String>,
    /// The latest entries, newest first.
    pub history: Vec<Activity>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ActivityKind {
    Note,
    Call,
    Mail,
    Task,
    Status,
    Other,
}

impl ActivityKind {
    pub const ALL: [Self; 6] =
        [Self::Note, Self::Call, Self::Mail, Self::Task, Self::Status, Self::Other];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Call => "call",
            Self::Mail => "mail",
            Self::Task => "task",
            Self::Status => "status",
            Self::Other => "other",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// Something that happened with a contact or in a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activity {
    pub kind: ActivityKind,
    pub at: Option<Timestamp>,
    pub by: Option<String>,
    pub text: Redacted,
    /// Of our own log, where it was ours.
    pub conversation: Option<ConversationId>,
}

/// Who is on the line, as far as the CRM can say.
#[derive(Clone, Debug, PartialEq)]
pub enum Identity {
    /// One contact bears the number or the address, or a person chose this one.
    Known(Box<KnownContact>),
    /// Several bear it: a person chooses.
    Ambiguous(Vec<Contact>),
    /// Nobody bears it.
    Unknown,
    /// The CRM couldn't be asked: why, for people.
    Unavailable(String),
}

impl Identity {
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Known(_) => "known",
            Self::Ambiguous(_) => "ambiguous",
            Self::Unknown => "unknown",
            Self::Unavailable(_) => "unavailable",
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct KnownContact {
    pub contact: Contact,
    pub facts: AccountFacts,
    /// Open ones, the latest changed first.
    pub cases: Vec<Case>,
    /// The last contacts, newest first: of the CRM, and of our own log.
    pub history: Vec<Activity>,
    /// What couldn't be read, for people; the rest stands.
    pub missing: Vec<String>,
    /// Who chose it, where the CRM had several.
    pub chosen_by: Option<String>,
}

/// What the CRM knows of a conversation's customer. The newest of a conversation stands.
#[derive(Clone, Debug, PartialEq)]
pub struct CrmContext {
    /// The connector's name in the settings.
    pub connector: String,
    pub searched: Option<ContactKey>,
    pub identity: Identity,
    /// From the beginning of the look-up.
    pub latency_ms: u64,
}
