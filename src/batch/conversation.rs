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
    /// What was wrong with its source although it could be read.
    pub warnings: Vec<String>,
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

    /// A name may hold anything.
    pub fn named(mut self, id: &str) -> Self {
        self.id = Some(redaction::typed(id).as_str().to_owned());
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
    pub warnings: Vec<String>,
}

/// How long a turn is taken to last where nothing says so.
const TURN_MS: u64 = 5_000;
const ID_CHARS_MAX: usize = 1_024;

impl RawConversation {
    pub fn new(id: &str, turns: Vec<RawTurn>) -> Self {
        let (id, warnings) = (id.to_owned(), Vec::new());
        Self { id, began: None, language: None, turns, warnings }
    }

    /// Masks the turns, the names and the identifier. A conversation without a time began at the epoch, so that the same input
    /// gives the same output on any day.
    ///
    /// # Errors
    /// It has too many turns, or says what can't be.
    pub fn masked(mut self, zone: &TimeZone) -> Result<Conversation, ItemError> {
        if self.turns.len() > TURNS_MAX {
            let reason = format!("has {} entries; {TURNS_MAX} are the most", self.turns.len());
            return Err(ItemError::field("turns", reason).named(&self.id));
        }
        if self.id.chars().count() > ID_CHARS_MAX {
            let reason = format!("has more than {ID_CHARS_MAX} characters");
            return Err(ItemError::field("id", reason));
        }
        self.id = redaction::typed(&self.id).as_str().to_owned();
        let of_language = |field: String| {
            ItemError::field(field, "is no code such as en or pt-BR").named(&self.id)
        };
        if self.language.as_deref().is_some_and(|code| !is_language(code)) {
            return Err(of_language("language".to_owned()));
        }
        let is_odd = |turn: &RawTurn| turn.language.as_deref().is_some_and(|it| !is_language(it));
        if let Some(at) = self.turns.iter().position(is_odd) {
            return Err(of_language(format!("turns[{at}].language")));
        }
        for turn in &mut self.turns {
            turn.name = turn.name.as_deref().map(|name| redaction::typed(name).as_str().to_owned());
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
        let circumstances = Circumstances::new(began, parties);
        let (id, warnings) = (self.id, self.warnings);
        Ok(Conversation { id, material: Arc::new(material), circumstances, warnings })
    }
}

fn epoch(zone: &TimeZone) -> Zoned {
    jiff::Timestamp::UNIX_EPOCH.to_zoned(zone.clone())
}

/// A code in the form of BCP 47, whatever it may mean.
fn is_language(code: &str) -> bool {
    let mut parts = code.split(['-', '_']);
    let is_first = |part: &str| {
        (2..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphabetic())
    };
    let is_later = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    code.len() <= 35
        && parts.next().is_some_and(is_first)
        && parts.all(is_later)
        && redaction::typed(code).as_str() == code
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_besides_the_turns_carries_a_card() {
        let card = "4539 1488 0343 6467";
        let turn = |language: &str| RawTurn {
            role: Role::Customer,
            name: Some(format!("Ann {card}")),
            text: "My lamp is broken.".to_owned(),
            start_ms: None,
            end_ms: None,
            language: Some(language.to_owned()),
        };
        let raw = |language| RawConversation::new(&format!("a-{card}"), vec![turn(language)]);
        let masked = raw("pt-BR").masked(&TimeZone::UTC).expect("it can be read");
        assert!(!format!("{masked:?}").contains("0343"), "{masked:?}");
        assert_eq!(masked.id, "a-[card-1]");
        for odd in ["4539148803436467", "en-4539-1488-0343-6467", "", "a", "the language of Ann"] {
            let error = raw(odd).masked(&TimeZone::UTC).expect_err("it is none");
            assert_eq!(error.field.as_deref(), Some("turns[0].language"), "{odd}");
            assert!(
                !error.to_string().contains("0343") && error.id.as_deref() == Some("a-[card-1]")
            );
        }
        let long = RawConversation::new(&"x".repeat(2_000), vec![turn("en")]);
        assert_eq!(long.masked(&TimeZone::UTC).expect_err("no name").field.as_deref(), Some("id"));
    }
}
