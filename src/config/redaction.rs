//! `[redaction]`: which secrets are masked.

use serde::{Deserialize, Serialize};

use crate::insight::redaction::{Kinds, Secret, VaultKey};

/// `[redaction]`: what is masked before anything is kept, streamed, searched or given to a model.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Redaction {
    /// Kinds of secrets. `card` has to be among them.
    pub mask: Vec<String>,
    /// The public half of a key by `backchannel vault new`; without it, what is masked can be had back by nobody.
    pub vault_key: Option<String>,
}

impl Default for Redaction {
    fn default() -> Self {
        Self {
            mask: Kinds::USUAL.iter().map(|kind| kind.as_str().to_owned()).collect(),
            vault_key: None,
        }
    }
}

impl Redaction {
    pub(super) fn mistakes(&self) -> Vec<String> {
        let unknown = self.mask.iter().filter(|name| Secret::named(name).is_none());
        let all = Secret::ALL.map(Secret::as_str).join(", ");
        let mut mistakes: Vec<String> =
            unknown.map(|name| format!("redaction.mask: {name} is none of {all}")).collect();
        if !self.mask.iter().any(|name| name == Secret::Card.as_str()) {
            mistakes.push(
                "redaction.mask: card has to be in it, card numbers are always masked".to_owned(),
            );
        }
        if self.vault_key.is_some() && self.vault().is_none() {
            mistakes.push(
                "redaction.vault_key: write the line that `backchannel vault new` prints, vault-public-1:…"
                    .to_owned(),
            );
        }
        mistakes
    }

    /// Seals what is masked.
    pub fn vault(&self) -> Option<VaultKey> {
        VaultKey::parse(self.vault_key.as_deref()?)
    }

    /// What [`Self::mistakes`] names is left out.
    pub fn kinds(&self) -> Kinds {
        let kinds: Vec<Secret> = self.mask.iter().filter_map(|name| Secret::named(name)).collect();
        Kinds::of(&kinds)
    }
}
