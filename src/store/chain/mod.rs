//! The hash chain: each event of a conversation commits to all that came before it.
//!
//! What stands beside event *n* of a conversation is
//! `chain(n) = SHA-256("backchannel chain 1" ‖ chain(n-1) ‖ fields ‖ commitment(n))`, with 32 zero bytes before the
//! first. `fields` are tenant, conversation, id, kind and schema, each as a length of four bytes and UTF-8, then
//! position, sequence and time in milliseconds as eight bytes; all numbers little-endian. The body comes in by
//! `commitment(n) = SHA-256("backchannel event 1" ‖ salt ‖ body)` with 16 random bytes of salt, so that a body can be
//! erased: its salt goes with it, its commitment stays, the chain still holds, and nobody can try out what the body
//! may have been. Over the whole log runs `seal(k) = SHA-256("backchannel seal 1" ‖ seal(k-1) ‖ chain(k))` in the order
//! of positions; the newest one and its position are the log's head. A flipped byte breaks the chain, a missing event
//! breaks its conversation's sequence, and an end that was cut off is not the head that somebody kept. `audit` walks
//! all that.

mod audit;

use sha2::{Digest as _, Sha256};

use crate::domain::Recorded;

pub use self::audit::{Audit, Fault, Report};

pub type Hash = [u8; 32];
pub type Salt = [u8; 16];

/// What the first event of a conversation follows, and the first of the log.
pub const START: Hash = [0; 32];

/// Where a log ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogHead {
    /// The position of the newest event; 0 in an empty log.
    pub position: u64,
    pub seal: Hash,
}

impl LogHead {
    pub const EMPTY: Self = Self { position: 0, seal: START };

    /// 64 hexadecimal digits.
    pub fn seal_text(&self) -> String {
        self.seal.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Reads what `Display` writes: `<position>:<64 hexadecimal digits>`.
    pub fn parse(text: &str) -> Option<Self> {
        let (position, seal) = text.trim().split_once(':')?;
        let digit = |at: usize| u8::from_str_radix(seal.get(at..at + 2)?, 16).ok();
        if seal.len() != 64 || !seal.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let bytes: Option<Vec<u8>> = (0..64).step_by(2).map(digit).collect();
        Some(Self { position: position.parse().ok()?, seal: bytes?.try_into().ok()? })
    }
}

impl std::fmt::Display for LogHead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.position, self.seal_text())
    }
}

/// An event with what stands beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct Linked {
    pub event: Recorded,
    /// `None`: the body is erased.
    pub salt: Option<Salt>,
    /// Kept when the body is erased.
    pub commitment: Option<Hash>,
    pub chain: Hash,
}

impl Linked {
    /// What stands for the body; `None` when it is erased and left nothing.
    pub fn body(&self) -> Option<Hash> {
        match &self.salt {
            Some(salt) => Some(commitment(salt, &self.event.data)),
            None => self.commitment.filter(|_| self.event.data.is_empty()),
        }
    }
}

pub fn fresh_salt() -> Salt {
    rand::random()
}

/// What stands for a body.
pub fn commitment(salt: &Salt, data: &str) -> Hash {
    let hash = Sha256::new().chain_update(b"backchannel event 1").chain_update(salt);
    hash.chain_update(data.as_bytes()).finalize().into()
}

/// What stands beside an event that follows `before` in its conversation.
pub fn link(before: &Hash, event: &Recorded, commitment: &Hash) -> Hash {
    let mut hash = Sha256::new().chain_update(b"backchannel chain 1").chain_update(before);
    let texts = [
        event.tenant.as_str(),
        event.conversation.as_str(),
        event.id.as_str(),
        &event.kind,
        &event.schema,
    ];
    for text in texts {
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        hash.update(length.to_le_bytes());
        hash.update(text.as_bytes());
    }
    hash.update(event.position.to_le_bytes());
    hash.update(event.sequence.to_le_bytes());
    hash.update(event.time.as_millisecond().to_le_bytes());
    hash.update(commitment);
    hash.finalize().into()
}

/// The log's seal after one more event.
pub fn seal(before: &Hash, link: &Hash) -> Hash {
    let hash = Sha256::new().chain_update(b"backchannel seal 1");
    hash.chain_update(before).chain_update(link).finalize().into()
}

#[cfg(test)]
mod tests;
