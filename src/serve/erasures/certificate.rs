//! What is handed to whoever asked for an erasure.

use std::collections::BTreeMap;

use serde::Serialize;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use crate::domain::ContactKey;
use crate::store::erasure::{Elsewhere, Erased};

/// Whom it was about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Asked {
    /// phone, email or id
    pub by: &'static str,
    pub value: String,
}

impl From<&ContactKey> for Asked {
    fn from(key: &ContactKey) -> Self {
        Self { by: key.kind(), value: key.value().to_owned() }
    }
}

/// What went, by what it was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Counts {
    /// Bodies of events, by kind.
    pub events: BTreeMap<String, u64>,
    /// Names, attributes, identifiers and last words in the list of conversations.
    pub conversations: u64,
    /// Effects in the outbox.
    pub deliveries: u64,
    /// Keys without which no backup holds anything of these conversations.
    pub backup_keys: u64,
    /// Revisions of articles that this program drafted from these conversations and nobody reviewed.
    pub article_revisions: u64,
    /// Sentences of articles whose origin in these conversations is forgotten.
    pub article_origins: u64,
    /// Batches whose output named these conversations: their lines are gone, or all of it.
    pub batches: u64,
}

/// The certificate, without its own hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Content {
    pub version: u32,
    pub program: String,
    pub tenant: String,
    pub contacts: Vec<Asked>,
    /// Who did it.
    pub by: String,
    pub begun_at: String,
    pub done_at: String,
    /// Nothing went; this is what would go.
    pub dry_run: bool,
    /// Those that are erased whole.
    pub conversations: Vec<String>,
    /// Positions of single events of others, or of none, that named the contact.
    pub events: Vec<u64>,
    pub erased: Counts,
    /// Articles of which this program's newest draft is gone: it said what was said, and nobody had reviewed it.
    pub drafts: Vec<String>,
    /// Articles that rest on what was said and stay: people wrote them, or took them in hand.
    pub articles: Vec<String>,
    /// Batches that were running and may yet write of these conversations: ask again when they are over.
    pub running_batches: Vec<String>,
    /// What was written into other systems, which is erased there and not from here.
    pub elsewhere: Vec<Elsewhere>,
    /// What this doesn't reach.
    pub remains: Vec<String>,
    /// The entry of the audit log; null of a dry run.
    #[schema(required)]
    pub audit_event: Option<String>,
    /// Where the log ended afterwards: `backchannel audit verify --head` takes it.
    pub head: String,
}

/// Says what was erased.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Certificate {
    #[serde(flatten)]
    pub content: Content,
    /// Of everything else as JSON without blanks, in this order: `jq -cj 'del(.sha256)' | sha256sum`.
    pub sha256: String,
}

impl From<Content> for Certificate {
    fn from(content: Content) -> Self {
        let text = serde_json::to_string(&content).expect("it is JSON; this is a bug");
        let digest = Sha256::digest(text.as_bytes());
        Self { content, sha256: digest.iter().map(|byte| format!("{byte:02x}")).collect() }
    }
}

impl Counts {
    pub fn of(erased: &Erased, batches: u64) -> Self {
        Self {
            events: erased.bodies.clone(),
            conversations: erased.conversations,
            deliveries: erased.deliveries,
            backup_keys: erased.backup_keys,
            article_revisions: erased.revisions,
            article_origins: erased.origins,
            batches,
        }
    }
}
