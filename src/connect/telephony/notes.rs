use std::collections::BTreeMap;

use serde_json::Value;

use super::{ATTRIBUTE_MAX_CHARS, ATTRIBUTES_MAX, Opening, Rejection};
use crate::domain::{Direction, Role};
use crate::flow::audio::Codec;
use crate::flow::driver::LegSpec;

/// What a connection says about its call under names of ours, for wires whose own messages have no
/// place for it: in the query of its address, or in free metadata.
///
/// `external_id`, `direction` (`inbound` or `outbound`) and `parties` (roles, with commas between)
/// mean what they mean on the plain wire; everything else is an attribute. Where the plain wire
/// refuses what is too long or too much, these wires' clients can't be helped: it is cut.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    pub external_id: Option<String>,
    pub direction: Option<Direction>,
    /// Empty when nothing is said.
    pub parties: Vec<Role>,
    pub attributes: BTreeMap<String, String>,
}

impl Notes {
    /// # Errors
    /// The sentence to refuse the connection with.
    pub fn from_query(query: &[(String, String)]) -> Result<Self, String> {
        let mut notes = Self::default();
        for (name, value) in query {
            notes.take(name, value)?;
        }
        Ok(notes)
    }

    /// # Errors
    /// As `from_query`.
    pub fn take(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "external_id" => self.external_id(value),
            "direction" => {
                self.direction = Some(match value {
                    "inbound" => Direction::Inbound,
                    "outbound" => Direction::Outbound,
                    _ => return Err("direction must be inbound or outbound".to_owned()),
                });
            }
            "party" | "parties" => {
                let roles: Option<Vec<Role>> =
                    value.split(',').map(|role| Role::parse(role.trim())).collect();
                self.parties = roles.ok_or(
                    "each of parties must be customer, agent, supervisor, bot, expert or mixed",
                )?;
            }
            _ => self.attribute(name, value),
        }
        Ok(())
    }

    pub fn external_id(&mut self, id: &str) {
        self.external_id = Some(shortened(id));
    }

    /// Keeps it unless there is too much already.
    pub fn attribute(&mut self, name: &str, value: &str) {
        let known = self.attributes.contains_key(name);
        let right = !name.is_empty() && name.chars().nth(ATTRIBUTE_MAX_CHARS).is_none();
        if right && (known || self.attributes.len() < ATTRIBUTES_MAX) {
            self.attributes.insert(name.to_owned(), shortened(value));
        }
    }

    /// A call with a leg for each channel; the roles are `usual` if nothing is said.
    ///
    /// # Errors
    /// As many parties must be said as there are channels.
    pub fn opening(
        self,
        usual: &[Role],
        codec: Codec,
        sample_rate_hz: u32,
    ) -> Result<Opening, Rejection> {
        let roles = self
            .roles(usual.len(), usual)
            .map_err(|reason| Rejection::new(Rejection::POLICY, reason))?;
        let leg = |role| LegSpec { role, name: None, codec, sample_rate_hz };
        Ok(Opening {
            external_id: self.external_id,
            direction: self.direction.unwrap_or(Direction::Inbound),
            legs: roles.into_iter().map(leg).collect(),
            attributes: self.attributes,
            wants_news: false,
        })
    }

    /// The roles of so many channels: as said, or else `usual`.
    ///
    /// # Errors
    /// As many must be said as there are channels.
    pub fn roles(&self, channels: usize, usual: &[Role]) -> Result<Vec<Role>, String> {
        if self.parties.is_empty() {
            let rest = std::iter::repeat(Role::Mixed);
            return Ok(usual.iter().copied().chain(rest).take(channels).collect());
        }
        if self.parties.len() != channels {
            let said = self.parties.len();
            return Err(format!("{channels} channels need as many parties, not {said}"));
        }
        Ok(self.parties.clone())
    }
}

/// The fields of a JSON object that can be told in words.
pub(super) fn texts(object: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(on) => Some(on.to_string()),
        _ => None,
    };
    let fields = object.as_object().into_iter().flatten();
    fields.filter_map(|(name, value)| Some((name.clone(), text(value)?))).collect()
}

pub(super) fn shortened(text: &str) -> String {
    text.chars().take(ATTRIBUTE_MAX_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notes(query: &[(&str, &str)]) -> Result<Notes, String> {
        let query: Vec<_> =
            query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Notes::from_query(&query)
    }

    #[test]
    fn names_of_ours_are_understood_and_the_rest_is_kept() {
        let said = notes(&[
            ("external_id", "x-1"),
            ("direction", "outbound"),
            ("parties", "agent, customer"),
            ("queue", "billing"),
        ])
        .expect("all right");
        assert_eq!(said.external_id.as_deref(), Some("x-1"));
        assert_eq!(said.direction, Some(Direction::Outbound));
        assert_eq!(said.roles(2, &[]), Ok(vec![Role::Agent, Role::Customer]));
        assert_eq!(said.attributes["queue"], "billing");
    }

    #[test]
    fn each_fault_has_its_sentence() {
        let check = |query: &[(&str, &str)], says: &str| {
            assert_eq!(notes(query).and_then(|notes| notes.roles(2, &[])), Err(says.to_owned()));
        };
        check(&[("direction", "sideways")], "direction must be inbound or outbound");
        check(
            &[("parties", "customer,cat")],
            "each of parties must be customer, agent, supervisor, bot, expert or mixed",
        );
        check(&[("party", "agent")], "2 channels need as many parties, not 1");
    }

    #[test]
    fn what_is_not_said_is_as_usual() {
        let usual = [Role::Customer, Role::Agent];
        let said = Notes::default();
        assert_eq!(said.roles(1, &usual), Ok(vec![Role::Customer]));
        assert_eq!(said.roles(3, &usual), Ok(vec![Role::Customer, Role::Agent, Role::Mixed]));
    }

    #[test]
    fn too_much_is_left_out() {
        let mut said = Notes::default();
        for number in 0..100 {
            said.attribute(&format!("n{number}"), &"ä".repeat(900));
        }
        said.attribute(&"n".repeat(257), "long name");
        said.external_id(&"x".repeat(257));
        assert_eq!(said.attributes.len(), ATTRIBUTES_MAX);
        assert_eq!(said.attributes["n0"].chars().count(), ATTRIBUTE_MAX_CHARS);
        assert_eq!(said.external_id.map(|id| id.len()), Some(ATTRIBUTE_MAX_CHARS));
    }
}
