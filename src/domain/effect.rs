//! What is done in other companies' systems: once, in order, and never without a rule or a person.

use jiff::civil;
use jiff::{Timestamp, Zoned};
use sha2::{Digest, Sha256};

use super::{ArticleId, ConversationId, Direction, Recommendation, Redacted, TurnId, WrapUpId};

/// Names one effect for ever: the same key twice is the same effect. Lower-case letters and digits, so that it
/// fits into any system's field, a URL, and a marker in a text.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DedupeKey(String);

impl DedupeKey {
    /// Of what makes the effect the same one: conversation, what is written, from which draft.
    pub fn of(parts: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        let digest = hash.finalize();
        Self(digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect())
    }

    /// As it was stored.
    pub fn stored(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Of a later revision of the same thing: the same stem, so that it replaces what the first one made.
    #[must_use]
    pub fn revised(&self, revision: u32) -> Self {
        let stem = self.stem();
        Self(if revision == 0 { stem.to_owned() } else { format!("{stem}r{revision}") })
    }

    /// What all revisions of one thing have in common; the whole key where there is but one.
    pub fn stem(&self) -> &str {
        // A key is written in hexadecimal digits, of which `r` is none.
        self.0.split('r').next().unwrap_or_default()
    }

    /// What stands at the end of a text in systems that have no field for a key.
    pub fn marker(&self) -> String {
        format!("[backchannel:{}]", self.0)
    }
}

/// The case that something belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaseRef {
    /// The CRM's own identifier.
    Id(String),
    /// The one that an earlier effect of the same conversation makes.
    MadeBy(DedupeKey),
}

/// One thing to be done elsewhere.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    CreateCase(NewCase),
    UpdateCase(CaseUpdate),
    AddNote(NewNote),
    LogCall(CallRecord),
    CreateTask(NewTask),
    PushArticle(PushedArticle),
    DraftMail(MailDraft),
    SendMail(MailDraft),
    PutMeeting(Meeting),
    PostMessage(TeamMessage),
    SendReply(ChannelReply),
    Recommend(Box<Recommendation>),
}

impl Effect {
    pub const fn operation(&self) -> &'static str {
        match self {
            Self::CreateCase(_) => "create_case",
            Self::UpdateCase(_) => "update_case",
            Self::AddNote(_) => "add_note",
            Self::LogCall(_) => "log_call",
            Self::CreateTask(_) => "create_task",
            Self::PushArticle(_) => "push_article",
            Self::DraftMail(_) => "draft_mail",
            Self::SendMail(_) => "send_mail",
            Self::PutMeeting(_) => "put_meeting",
            Self::PostMessage(_) => "post_message",
            Self::SendReply(_) => "send_reply",
            Self::Recommend(_) => "recommend",
        }
    }

    /// The contact in the CRM that it is about.
    pub fn contact_id(&self) -> Option<&str> {
        match self {
            Self::CreateCase(one) => Some(&one.contact_id),
            Self::AddNote(one) => Some(&one.contact_id),
            Self::LogCall(one) => Some(&one.contact_id),
            Self::CreateTask(one) => Some(&one.contact_id),
            Self::UpdateCase(one) => Some(&one.contact_id),
            _ => None,
        }
    }

    /// The turn that it carries to a customer.
    pub fn turn(&self) -> Option<&TurnId> {
        match self {
            Self::SendReply(one) => Some(&one.turn),
            _ => None,
        }
    }

    /// The case that it goes to.
    pub fn case(&self) -> Option<&CaseRef> {
        match self {
            Self::AddNote(one) => one.case.as_ref(),
            Self::LogCall(one) => one.case.as_ref(),
            Self::CreateTask(one) => one.case.as_ref(),
            _ => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCase {
    pub contact_id: String,
    pub subject: Redacted,
    pub body: Redacted,
    /// In the words of the settings; the connector's default where absent.
    pub priority: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseUpdate {
    pub contact_id: String,
    pub case_id: String,
    pub status: Option<String>,
    pub priority: Option<String>,
    /// Refused as changed when the case has another by now.
    pub expected_version: Option<String>,
}

/// A note for colleagues; no customer sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewNote {
    pub contact_id: String,
    pub case: Option<CaseRef>,
    pub subject: Redacted,
    pub body: Redacted,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRecord {
    pub contact_id: String,
    pub case: Option<CaseRef>,
    pub direction: Direction,
    pub started_at: Timestamp,
    pub duration_s: u64,
    pub subject: Redacted,
    /// How it ended: the disposition.
    pub outcome: Option<Redacted>,
    pub body: Redacted,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTask {
    pub contact_id: String,
    pub case: Option<CaseRef>,
    pub subject: Redacted,
    pub body: Redacted,
    pub due: Option<DueAt>,
}

/// A day, and a moment of it where one was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueAt {
    pub date: civil::Date,
    pub time: Option<civil::Time>,
    /// Such as `Europe/London`.
    pub time_zone: String,
}

/// An article for the CRM's own knowledge base, as a draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushedArticle {
    pub article: ArticleId,
    pub revision: u32,
    pub title: Redacted,
    /// Markdown.
    pub body: Redacted,
}

/// A mail that a person reads before it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailDraft {
    pub to: Vec<Mailbox>,
    pub subject: Redacted,
    pub body: Redacted,
    /// Message identifiers without brackets, oldest first: what it answers is the last.
    pub references: Vec<String>,
    pub about: Option<WrapUpId>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    pub name: Option<String>,
    pub address: String,
}

/// An appointment or a call-back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meeting {
    pub subject: Redacted,
    pub body: Redacted,
    /// With the zone in which it was agreed.
    pub starts: Zoned,
    pub minutes: u32,
    pub organizer: Mailbox,
    pub attendees: Vec<Mailbox>,
    /// Counts changes; a later one replaces an earlier.
    pub revision: u32,
    pub is_cancelled: bool,
}

/// A request to colleagues, with all that they need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TeamMessage {
    /// A channel or room in the words of its system.
    pub room: String,
    pub conversation: ConversationId,
    pub title: Redacted,
    pub paragraphs: Vec<Redacted>,
    /// Name and value, in order.
    pub facts: Vec<(String, Redacted)>,
    /// Where to open it.
    pub link: Option<String>,
}

/// What a person answers a customer, on the channel on which the customer writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelReply {
    pub conversation: ConversationId,
    pub turn: TurnId,
    /// Our address on the channel: a number, a bot, a mailbox.
    pub from: String,
    /// The customer's.
    pub to: String,
    pub text: Redacted,
    /// The channel's own name for what is answered: a chat, or the mail that began it.
    pub in_reply_to: Option<String>,
    /// In a thread of mails: their message identifiers without brackets, oldest first; the last one is answered.
    pub answers: Vec<String>,
    /// Whoever looks for it at the vendor needn't look at what is older.
    pub written_at: Timestamp,
}
