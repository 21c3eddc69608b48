use crate::domain::Role;

/// Users of ACS and of Teams, in the public cloud and in those of governments.
const DESKS: [&str; 7] =
    ["8:acs:", "8:dod-acs:", "8:gcch-acs:", "8:spool:", "8:orgid:", "8:dod:", "8:gcch:"];

/// Who of a call's participants is the customer, by raw id, if anybody has said so.
///
/// Raw ids: `4:+15551230001` is a telephone, `8:acs:…` a user of ACS, `8:orgid:…` one of Teams (both
/// have names of their own in government clouds), `28:…` a bot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Customer(Option<String>);

impl Customer {
    /// `raw_id` as it comes in a query, where a plus that isn't escaped reads as a space.
    pub fn named(raw_id: &str) -> Self {
        let raw_id = match raw_id.trim().strip_prefix("4: ") {
            Some(number) => format!("4:+{}", number.trim_start()),
            None => raw_id.trim().to_owned(),
        };
        Self((!raw_id.is_empty()).then_some(raw_id))
    }

    pub fn raw_id(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// `None` stands for mixed audio. When the customer is known, everybody else on a telephone or a
    /// desk is on our side; otherwise the telephone is the customer.
    pub fn role_of(&self, participant: Option<&str>) -> Role {
        let Some(participant) = participant else { return Role::Mixed };
        if participant.starts_with("28:") {
            return Role::Bot;
        }
        let telephone = participant.starts_with("4:");
        let desk = DESKS.iter().any(|prefix| participant.starts_with(prefix));
        match self.raw_id() {
            Some(customer) if customer.eq_ignore_ascii_case(participant) => Role::Customer,
            Some(_) if telephone || desk => Role::Agent,
            None if telephone => Role::Customer,
            None if desk => Role::Agent,
            _ => Role::Mixed,
        }
    }
}
