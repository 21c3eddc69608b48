//! Who takes part in a conversation, as the driver names them; and bots that stand before people.

use super::{LegSpec, Shared, masked};
use crate::domain::{Party, PartyId, Role};
use crate::flow::session::SessionLeg;

/// Bots that talk to customers first.
#[derive(Clone, Debug, Default)]
pub struct Bots {
    /// Names of agents who are bots, where the medium knows no such role. Capitals don't matter.
    pub names: Vec<String>,
    /// Categories that say that a bot hands over: what it tried and promised is written down at once.
    pub escalated_by: Vec<String>,
}

impl Bots {
    /// What somebody is whom the medium gives this role and this name.
    pub(super) fn role_of(&self, role: Role, name: Option<&str>) -> Role {
        let is_one = |name: &str| {
            self.names.iter().any(|bot| bot.trim().to_lowercase() == name.trim().to_lowercase())
        };
        if role == Role::Agent && name.is_some_and(is_one) { Role::Bot } else { role }
    }

    pub(super) fn are_left_by(&self, category: &str) -> bool {
        self.escalated_by.iter().any(|one| one == category)
    }
}

impl Shared {
    /// The session's view of the leg with this number.
    pub(super) fn leg_of(&self, number: usize, leg: &LegSpec) -> SessionLeg {
        SessionLeg {
            party: self.party_of(number, leg.role, leg.name.clone()),
            codec: leg.codec,
            sample_rate_hz: leg.sample_rate_hz,
        }
    }

    /// By the order in which they came. Agents type names, too.
    pub(super) fn party_of(&self, number: usize, role: Role, name: Option<String>) -> Party {
        let role = self.settings.bots.role_of(role, name.as_deref());
        let plain = |name: String| masked(&name.replace(char::is_control, " "));
        Party { id: PartyId::from(format!("p-{}", number + 1)), role, name: name.map(plain) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_of_a_bots_name_is_a_bot() {
        let bots = Bots { names: vec!["Otto ".into()], escalated_by: vec!["gives_up".into()] };
        for (role, name, is) in [
            (Role::Agent, Some(" OTTO"), Role::Bot),
            (Role::Agent, Some("Ottokar"), Role::Agent),
            (Role::Agent, None, Role::Agent),
            // A customer may have the name of a bot.
            (Role::Customer, Some("Otto"), Role::Customer),
            (Role::Bot, None, Role::Bot),
        ] {
            assert_eq!(bots.role_of(role, name), is, "{role:?} {name:?}");
        }
        assert!(bots.are_left_by("gives_up") && !bots.are_left_by("gives"));
    }
}
