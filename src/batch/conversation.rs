//! A conversation as it came in, and why one couldn't be read.

use std::sync::Arc;

use jiff::Zoned;
use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};

use crate::domain::{Classify, ErrorKind, Party, PartyId, Role, Turn};
use crate::flow::wrapup::Circumstances;
use crate::insight::redaction;
use crate::models::Material;

/// Longer than any day at a desk; what goes on beyond is no conversation.
pub const TURNS_MAX: usize = 100_000;

/// A conversation, masked and ready to be written about.
#[derive(Clone, Debug)]
pub struct Conversation {
    /// As the input names it; where it has no name, the file's and the line's.
    pub id: String,
    pub material: Arc<Material>,
    pub circumstances: Circumstances,
}

/// What is wrong with one item of the input.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{reason}", .field.as_ref().map(|field| format!("field \"{field}\" ")).unwrap_or_default())]
pub struct ItemError {
    /// The item's own name, where that much could be read.
    pub id: Option<String>,
    /// Such as `turns[3].role`.
    pub field: Option<String>,
    pub reason: String,
    pub kind: ErrorKind,
}

impl ItemError {
    pub fn invalid(reason: impl Into<String>) -> Self {
        Self { id: None, field: None, reason: reason.into(), kind: ErrorKind::Invalid }
    }

    pub fn field(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { field: Some(field.into()), ..Self::invalid(reason) }
    }

    pub fn named(mut self, id: &str) -> Self {
        self.id = Some(id.to_owned());
        self
    }
}

impl Classify for ItemError {
    fn kind(&self) -> ErrorKind {
        self.kind
    }
}

/// A turn before masking. It doesn't leave this room.
#[derive(Clone, Debug)]
pub struct RawTurn {
    pub role: Role,
    pub name: Option<String>,
    pub text: String,
    pub start_ms: Option<u64>,
    pub end_ms: Option<u64>,
    pub language: Option<String>,
}

/// A conversation before masking.
#[derive(Clone, Debug)]
pub struct RawConversation {
    pub id: String,
    pub began: Option<Zoned>,
    pub language: Option<String>,
    pub turns: Vec<RawTurn>,
}

/// How long a turn is taken to last where nothing says so.
const TURN_MS: u64 = 5_000;

impl RawConversation {
    /// Masks the turns. A conversation without a time began at the epoch, so that the same input
    /// gives the same output on any day.
    ///
    /// # Errors
    /// It has too many turns.
    pub fn masked(self, zone: &TimeZone) -> Result<Conversation, ItemError> {
        if self.turns.len() > TURNS_MAX {
            let reason = format!("has {} entries; {TURNS_MAX} are the most", self.turns.len());
            return Err(ItemError::field("turns", reason).named(&self.id));
        }
        let mut parties: Vec<Party> = Vec::new();
        let mut of_turn = Vec::with_capacity(self.turns.len());
        for turn in &self.turns {
            let known =
                parties.iter().position(|one| one.role == turn.role && one.name == turn.name);
            of_turn.push(known.unwrap_or_else(|| {
                let id = PartyId::from(format!("p-{}", parties.len() + 1));
                parties.push(Party { id, role: turn.role, name: turn.name.clone() });
                parties.len() - 1
            }));
        }
        let raw: Vec<(PartyId, &str)> = self
            .turns
            .iter()
            .zip(&of_turn)
            .map(|(turn, party)| (parties[*party].id.clone(), turn.text.as_str()))
            .collect();
        let texts = redaction::imported(&raw);
        let language = self.language.as_deref().unwrap_or("en");
        let turns = self.turns.iter().zip(&of_turn).zip(texts).enumerate();
        let turns = turns.map(|(at, ((raw, party), text))| {
            let start_ms = raw.start_ms.unwrap_or(at as u64 * TURN_MS);
            Turn {
                id: format!("t-{}", at + 1).into(),
                party: parties[*party].clone(),
                start_ms,
                end_ms: raw.end_ms.unwrap_or(start_ms).max(start_ms),
                text,
                display_text: None,
                words: Vec::new(),
                mean_logprob: None,
                language: raw.language.as_deref().unwrap_or(language).to_owned(),
            }
        });
        let material = Material { turns: turns.collect(), passages: Vec::new() };
        let began = self.began.unwrap_or_else(|| epoch(zone));
        let circumstances = Circumstances { began, parties };
        Ok(Conversation { id: self.id, material: Arc::new(material), circumstances })
    }
}

fn epoch(zone: &TimeZone) -> Zoned {
    jiff::Timestamp::UNIX_EPOCH.to_zoned(zone.clone())
}

/// What people call those who take part.
pub fn role(word: &str) -> Option<Role> {
    let word = word.trim().trim_matches('#').to_lowercase();
    Role::parse(&word).or(match word.as_str() {
        "client" | "caller" | "user" | "consumer" | "human" | "inbound" => Some(Role::Customer),
        "assistant" | "representative" | "rep" | "advisor" | "adviser" | "operator"
        | "employee" | "support" | "outbound" => Some(Role::Agent),
        "virtual agent" | "chatbot" | "system" | "ivr" => Some(Role::Bot),
        "manager" => Some(Role::Supervisor),
        "unknown" => Some(Role::Mixed),
        _ => None,
    })
}

pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
