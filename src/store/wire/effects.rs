//! Effects as they stand in the outbox.

use serde::{Deserialize, Serialize};

use super::RouteRecommended;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "operation", rename_all = "snake_case")]
pub enum Effect {
    CreateCase {
        contact_id: String,
        subject: String,
        body: String,
        priority: Option<String>,
    },
    UpdateCase {
        contact_id: String,
        case_id: String,
        status: Option<String>,
        priority: Option<String>,
        expected_version: Option<String>,
    },
    AddNote {
        contact_id: String,
        case: Option<CaseRef>,
        subject: String,
        body: String,
    },
    LogCall {
        contact_id: String,
        case: Option<CaseRef>,
        direction: String,
        started_at: jiff::Timestamp,
        duration_s: u64,
        subject: String,
        outcome: Option<String>,
        body: String,
    },
    CreateTask {
        contact_id: String,
        case: Option<CaseRef>,
        subject: String,
        body: String,
        due: Option<DueAt>,
    },
    PushArticle {
        article_id: String,
        revision: u32,
        title: String,
        body: String,
    },
    DraftMail(Mail),
    SendMail(Mail),
    PutMeeting {
        subject: String,
        body: String,
        starts: jiff::Zoned,
        minutes: u32,
        organizer: Mailbox,
        attendees: Vec<Mailbox>,
        revision: u32,
        cancelled: bool,
    },
    PostMessage {
        room: String,
        conversation_id: String,
        title: String,
        paragraphs: Vec<String>,
        facts: Vec<(String, String)>,
        link: Option<String>,
    },
    SendReply {
        conversation_id: String,
        turn_id: String,
        from: String,
        to: String,
        text: String,
        in_reply_to: Option<String>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        answers: Vec<String>,
        written_at: jiff::Timestamp,
    },
    Recommend {
        conversation_id: String,
        external_id: String,
        decision: Box<RouteRecommended>,
        brief: Option<String>,
        link: Option<String>,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseRef {
    Id(String),
    MadeBy(String),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DueAt {
    pub date: jiff::civil::Date,
    pub time: Option<jiff::civil::Time>,
    pub time_zone: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mail {
    pub to: Vec<Mailbox>,
    pub subject: String,
    pub body: String,
    pub references: Vec<String>,
    pub wrapup_id: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mailbox {
    pub name: Option<String>,
    pub address: String,
}
