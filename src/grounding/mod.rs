//! Proof or silence: each sentence that was written is checked against what was said and what the
//! articles say. What isn't supported is struck, and the rest still reads well.
//!
//! Everything here is a function of its input: no I/O, no clock. Nobody here obeys words that give
//! orders; those that are addressed to a machine prove nothing either (`insight::orders`).

mod abroad;
mod aligned;
mod asked;
mod claim;
mod condition;
pub mod conflict;
mod context;
mod exact;
mod facts;
mod foreign;
mod ground;
mod names;
mod opposites;
mod polarity;
mod predicate;
mod presented;
mod question;
mod reading;
mod refusal;
mod repair;
mod speaker;
mod support;
mod swap;
#[cfg(test)]
mod tests;
mod tongue;
mod vectors;
mod verify;

pub use claim::{Claim, claims, cut};
pub use ground::Ground;
pub use refusal::Refusal;
pub use vectors::Vectors;

use crate::domain::{ProvenSentence, ProvenText, Redacted, StruckSentence};

/// Checks texts against a [`Ground`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Verifier;

impl Verifier {
    /// Cuts a text into sentences with their citations, and checks each.
    ///
    /// # Errors
    /// There is too little to write about, or nothing of the text is supported.
    pub fn verify(&self, text: &Redacted, ground: &Ground) -> Result<ProvenText, Refusal> {
        ground.enough()?;
        self.verify_claims(&claims(text, &|id| ground.knows(id)), ground)
    }

    /// Checks sentences in reading order. `struck` has what was struck, each once.
    ///
    /// # Errors
    /// There is too little to write about, or none of them is supported.
    pub fn verify_claims(&self, claims: &[Claim], ground: &Ground) -> Result<ProvenText, Refusal> {
        ground.enough()?;
        if claims.is_empty() {
            return Err(Refusal::NothingWritten);
        }
        let verdicts = self.judged(claims, &|claim| self.check(claim, ground));
        let mut text = ProvenText::default();
        for verdict in verdicts {
            match verdict {
                Ok(sentence) => text.sentences.push(sentence),
                Err(struck) => text.struck.push(struck),
            }
        }
        if text.sentences.is_empty() {
            return Err(Refusal::NothingProven { struck: text.struck });
        }
        Ok(text)
    }

    /// A verdict for each sentence by whatever `check` asks for. Behind what was struck, openings are
    /// mended, and what refers to it is struck, too.
    pub fn judged(
        &self,
        claims: &[Claim],
        check: &dyn Fn(&Claim) -> Result<ProvenSentence, StruckSentence>,
    ) -> Vec<Result<ProvenSentence, StruckSentence>> {
        repair::mended(claims.iter().map(check).collect())
    }

    /// Checks one sentence by itself.
    ///
    /// # Errors
    /// The sentence with the first fault that was found.
    pub fn check(&self, claim: &Claim, ground: &Ground) -> Result<ProvenSentence, StruckSentence> {
        verify::check(claim, ground)
    }
}
