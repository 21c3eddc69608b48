//! Which stream is whose: by the addresses that the settings name, or by what is usual.

use super::metadata::{Metadata, Participant};
use crate::domain::Role;

/// Addresses of record with `*` for any characters: `sip:*@agents.example.com`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleRules {
    pub agents: Vec<String>,
    pub customers: Vec<String>,
}

/// One stream's party.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamParty {
    pub role: Role,
    pub name: Option<String>,
    pub aor: Option<String>,
}

impl RoleRules {
    fn role_of(&self, aor: &str) -> Option<Role> {
        let named = |patterns: &[String]| patterns.iter().any(|pattern| fits(pattern, aor));
        match (named(&self.agents), named(&self.customers)) {
            (true, _) => Some(Role::Agent),
            (false, true) => Some(Role::Customer),
            (false, false) => None,
        }
    }

    /// Who takes the place of somebody with this role.
    pub fn successor(&self, participant: &Participant, before: Role) -> StreamParty {
        let Participant { aor, name } = participant.clone();
        let role = aor.as_deref().and_then(|aor| self.role_of(aor)).unwrap_or(before);
        StreamParty { role, name, aor }
    }

    /// The parties of the streams with these labels; `before` are those of the call so far.
    ///
    /// A rule decides first. Otherwise an address that is a telephone number is the customer's if
    /// it is the only one; and of two that say nothing, the first is the customer.
    pub fn parties(
        &self,
        metadata: &Metadata,
        labels: &[Option<&str>],
        before: &[Role],
    ) -> Vec<StreamParty> {
        let senders: Vec<Vec<&Participant>> = labels
            .iter()
            .map(|label| label.map(|label| metadata.senders(label)).unwrap_or_default())
            .collect();
        let mut roles: Vec<Option<Role>> = senders
            .iter()
            .map(|senders| match senders[..] {
                [] => None,
                [only] => only.aor.as_deref().and_then(|aor| self.role_of(aor)),
                _ => Some(Role::Mixed),
            })
            .collect();
        if labels.len() == 1 && senders[0].is_empty() && before.is_empty() {
            roles[0] = Some(Role::Mixed);
        }
        let phone = |number: usize| {
            senders[number].first().and_then(|only| only.aor.as_deref()).is_some_and(is_phone)
        };
        let known =
            |roles: &[Option<Role>], role| before.contains(&role) || roles.contains(&Some(role));
        let open: Vec<usize> = (0..roles.len()).filter(|number| roles[*number].is_none()).collect();
        let mut phones = open.iter().filter(|number| phone(**number));
        if let (Some(only), None) = (phones.next(), phones.next())
            && !known(&roles, Role::Customer)
        {
            roles[*only] = Some(Role::Customer);
        }
        // One alone whose address is no telephone number is an agent.
        let alone = roles.len() == 1 && before.is_empty();
        for number in open {
            if roles[number].is_none() {
                let customer = !alone && !known(&roles, Role::Customer);
                roles[number] = Some(if customer { Role::Customer } else { Role::Agent });
            }
        }
        let party = |(role, senders): (Option<Role>, Vec<&Participant>)| StreamParty {
            role: role.unwrap_or(Role::Mixed),
            name: match senders[..] {
                [only] => only.name.clone(),
                _ => None,
            },
            aor: match senders[..] {
                [only] => only.aor.clone(),
                _ => None,
            },
        };
        roles.into_iter().zip(senders).map(party).collect()
    }
}

/// `sip:+15551230001@…` or `tel:15551230001`: extensions are shorter.
fn is_phone(aor: &str) -> bool {
    const NUMBER_MIN_DIGITS: usize = 7;
    let user = aor.split_once(':').map_or(aor, |(_, rest)| rest);
    let user = user.split(['@', ';']).next().unwrap_or_default();
    let digits = user.strip_prefix('+').unwrap_or(user);
    let separators = |c: char| matches!(c, '-' | '.' | '(' | ')');
    digits.chars().filter(char::is_ascii_digit).count() >= NUMBER_MIN_DIGITS
        && digits.chars().all(|c| c.is_ascii_digit() || separators(c))
}

/// Whether `text` fits a pattern with `*`, letters in either case.
fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_lowercase(), text.to_lowercase());
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut last = None;
    for piece in pieces {
        if let Some(piece) = last.replace(piece) {
            match rest.find(piece) {
                Some(at) => rest = &rest[at + piece.len()..],
                None => return false,
            }
        }
    }
    match last {
        Some(last) => rest.ends_with(last),
        None => rest.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, text, expected) in [
            ("sip:a@b", "sip:a@b", true),
            ("sip:a@b", "sip:a@bc", false),
            ("sip:agent*@example.com", "SIP:Agent7@example.com", true),
            ("sip:agent*@example.com", "sip:agent7@example.org", false),
            ("*@example.com", "sip:x@example.com", true),
            ("*", "", true),
            ("*a*a", "a", false),
            ("*a*a", "aa", true),
            ("a*", "b", false),
            ("", "", true),
            ("", "x", false),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_telephone_number_is_told_from_an_extension() {
        for (aor, expected) in [
            ("sip:+15551230001@example.com", true),
            ("tel:+1-555-123-0001", true),
            ("sip:15551230001@example.com;user=phone", true),
            ("sip:1007@example.com", false),
            ("sip:agent7@example.com", false),
            ("sip:anonymous@anonymous.invalid", false),
        ] {
            assert_eq!(is_phone(aor), expected, "{aor}");
        }
    }
}
