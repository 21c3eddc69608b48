use super::PartyId;

/// What somebody is in a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    Customer,
    Agent,
    Supervisor,
    Bot,
    Expert,
    /// Several people on one channel that the wire can't tell apart.
    Mixed,
}

impl Role {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Agent => "agent",
            Self::Supervisor => "supervisor",
            Self::Bot => "bot",
            Self::Expert => "expert",
            Self::Mixed => "mixed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Customer, Self::Agent, Self::Supervisor, Self::Bot, Self::Expert, Self::Mixed]
            .into_iter()
            .find(|role| role.as_str() == text)
    }
}

/// One participant of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    pub id: PartyId,
    pub role: Role,
    pub name: Option<String>,
}
