//! What somebody is here for.

/// What a person or program may do is decided by one of these. Which routes each may use stands in
/// `serve::access`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccessRole {
    /// A program that reads and writes batches, and nothing that is live.
    Batch,
    /// A program beside the calls: a telephone system, a CRM, a router.
    Service,
    Agent,
    KnowledgeManager,
    Supervisor,
    Admin,
}

impl AccessRole {
    /// From the one that may do least; whoever is given several is the last of them.
    pub const ALL: [Self; 6] = [
        Self::Batch,
        Self::Service,
        Self::Agent,
        Self::KnowledgeManager,
        Self::Supervisor,
        Self::Admin,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Batch => "batch",
            Self::Service => "service",
            Self::Agent => "agent",
            Self::KnowledgeManager => "knowledge_manager",
            Self::Supervisor => "supervisor",
            Self::Admin => "admin",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }

    /// For sentences that say what a role can be.
    pub const NAMES: &'static str = "batch, service, agent, knowledge_manager, supervisor or admin";
}

impl std::fmt::Display for AccessRole {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
