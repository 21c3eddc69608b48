//! `[mail]`, `[calendar]` and `[team]`: where drafts, appointments and calls for help go.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Login, Secret};

/// The mailbox that customers are written from.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Mail {
    pub name: String,
    /// Who writes, such as `support@example.org`. Absent: there is no mailbox.
    pub from: Option<String>,
    pub from_name: Option<String>,
    /// `imaps://host`, `imap://host` (with STARTTLS), with a port where it isn't the usual one.
    pub imap: Option<String>,
    /// `smtps://host` or `smtp://host` (with STARTTLS). Absent: mails are drafted and never sent.
    pub smtp: Option<String>,
    /// `from` unless told.
    pub user: Option<String>,
    pub password: Option<Secret>,
    /// Certificates in PEM that are trusted besides the system's.
    pub ca_file: Option<PathBuf>,
    /// Folders, where the server doesn't say itself which they are.
    pub drafts_folder: Option<String>,
    pub sent_folder: Option<String>,
    pub sent_copy: SentCopy,
    /// Whether mails that come in are conversations; replies go out by `smtp`.
    pub conversations: bool,
    /// Where they come in; INBOX unless told.
    pub inbox_folder: Option<String>,
    /// For one visit to a server.
    pub patience_ms: u64,
    /// Instead of a password, for Exchange Online: `tenant`, `client_id` and `client_secret` of an application that may
    /// open the mailbox.
    pub login: Login,
}

/// Who puts a sent mail into Sent: `ours` (this service), or `servers` (Gmail and Exchange Online do).
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum SentCopy {
    #[default]
    Ours,
    Servers,
}

impl Default for Mail {
    fn default() -> Self {
        Self {
            name: "mailbox".to_owned(),
            from: None,
            from_name: None,
            imap: None,
            smtp: None,
            user: None,
            password: None,
            ca_file: None,
            drafts_folder: None,
            sent_folder: None,
            sent_copy: SentCopy::Ours,
            conversations: false,
            inbox_folder: None,
            patience_ms: 15_000,
            login: Login::default(),
        }
    }
}

/// A calendar by CalDAV.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Calendar {
    pub name: String,
    /// The calendar itself, such as `https://dav.example.org/calendars/support/calls/`. Absent: there is none.
    pub url: Option<String>,
    pub user: String,
    pub password: Option<Secret>,
    /// In whose name meetings are made; `mail.from` unless told.
    pub organizer: Option<String>,
    pub organizer_name: Option<String>,
    /// Whether the server itself sends the invitations (RFC 6638), where it can.
    pub server_invites: bool,
    /// How long a call-back is put down for.
    pub meeting_minutes: u32,
    pub patience_ms: u64,
}

impl Default for Calendar {
    fn default() -> Self {
        Self {
            name: "calendar".to_owned(),
            url: None,
            user: String::new(),
            password: None,
            organizer: None,
            organizer_name: None,
            server_invites: false,
            meeting_minutes: 15,
            patience_ms: 10_000,
        }
    }
}

/// Where colleagues are asked for help.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Team {
    pub name: String,
    /// matrix, slack, workflows (Microsoft Teams by webhook) or bot (Microsoft Teams by Bot Framework). Absent:
    /// there is none.
    pub system: Option<String>,
    pub url: Option<String>,
    pub token: Option<Secret>,
    /// Matrix: who posts, such as `@copilot:example.org`. Bot: its application's identifier.
    pub user: Option<String>,
    /// Bot: its Entra tenant.
    pub tenant: String,
    /// Bot: addresses at which conversations may be, the usual one first.
    pub service_urls: Vec<String>,
    /// Where is asked unless somebody names another room.
    pub room: Option<String>,
    pub patience_ms: u64,
    /// Workflows: a webhook's whole address for each room.
    pub rooms: BTreeMap<String, Secret>,
}

impl Default for Team {
    fn default() -> Self {
        Self {
            name: "team".to_owned(),
            system: None,
            url: None,
            token: None,
            user: None,
            tenant: "botframework.com".to_owned(),
            service_urls: vec!["https://smba.trafficmanager.net/teams/".to_owned()],
            room: None,
            patience_ms: 10_000,
            rooms: BTreeMap::new(),
        }
    }
}
