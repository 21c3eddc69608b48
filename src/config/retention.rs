//! How long what is remembered is kept.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Settings `[retention]`: `[retention.all]`, and `[retention.tenants.NAME]` for tenants that have times of their own.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Of tenants that have none of their own.
    pub all: Kept,
    /// By tenant. What one doesn't name is kept for ever: nothing is taken over from `all`.
    pub tenants: BTreeMap<String, Kept>,
}

/// In days after the end of a conversation, or the beginning of a batch. 0: kept for ever, which is so unless somebody
/// decides otherwise.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Kept {
    /// Everything of a conversation: what was said, what was made of it, its effects in the outbox. Times, kinds of
    /// events and counts stay.
    pub conversations_days: u32,
    /// Cards, agents' questions and searches, and what became of them.
    pub suggestions_days: u32,
    /// Summaries, e-mails, follow-ups, dispositions and articles that were drafted at the end.
    pub drafts_days: u32,
    /// What was written into other systems and is done with; it stays there.
    pub deliveries_days: u32,
    /// Batches over the API that are over, with their output.
    pub batches_days: u32,
}

impl Retention {
    /// A tenant's times.
    pub fn of(&self, tenant: &str) -> &Kept {
        self.tenants.get(tenant).unwrap_or(&self.all)
    }

    /// Whether nobody has a time set.
    pub fn keeps_all(&self) -> bool {
        let mut every = self.tenants.values().chain([&self.all]);
        every.all(|kept| *kept == Kept::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_has_its_own_times_or_everybodys() {
        let settings: Retention =
            toml::from_str("[all]\nconversations_days = 90\n[tenants.acme]\ndrafts_days = 7\n")
                .expect("settings");
        assert_eq!(settings.of("default").conversations_days, 90);
        assert_eq!(settings.of("acme"), &Kept { drafts_days: 7, ..Kept::default() });
        assert!(!settings.keeps_all());
        assert!(Retention::default().keeps_all());
        assert!(toml::from_str::<Retention>("[all]\nconversation_days = 90").is_err());
    }
}
