//! Gaps: questions that were asked and not answered, told from the log and grouped by what they ask.
//!
//! `evidence` reads what an event tells, `clusters` groups, `words` stands in for the model. `app` feeds events and
//! vectors in the order of the log and keeps what comes of it. No I/O and no clock, so that the same log gives the
//! same gaps.

mod clusters;
mod evidence;
mod words;

pub use clusters::{Cluster, Clusters};
pub use evidence::{CardOutcome, Evidence, Question, evidence, is_missed};
pub use words::word_vector;

use sha2::{Digest, Sha256};

use crate::domain::TenantId;

/// From this mean cosine on a question belongs to a group. Average precision and recall of pairs over three public
/// sets of labelled questions, precision counted twice: a group of two questions hides one of them, and a question in
/// two groups is only read twice (`backchannel eval gaps`, figures in `benches/README.md`).
pub const MEANING_NEARNESS: f32 = 0.55;
/// The same for [`word_vector`].
pub const WORDS_NEARNESS: f32 = 0.35;

/// A gap's identifier: of its first question and where the log tells of it, so that it stays whatever comes later.
pub fn gap_id(tenant: &TenantId, position: u64, question: &str) -> String {
    let mut hash = Sha256::new();
    for part in [tenant.as_str(), &position.to_string(), question] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let hex: String = hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("g-{hex}")
}
