//! Values in OData's queries, and identifiers.

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::connect::http::segment;
use crate::domain::DedupeKey;

/// A query. Spaces are written as `%20`: OData's own readers take a plus for a plus.
#[derive(Clone, Debug, Default)]
pub struct Query(String);

impl Query {
    pub fn new() -> Self {
        Self::default()
    }

    #[must_use]
    pub fn add(mut self, name: &str, value: &str) -> Self {
        self.0.push(if self.0.is_empty() { '?' } else { '&' });
        self.0.push_str(name);
        self.0.push('=');
        self.0.push_str(&segment(value));
        self
    }

    pub fn text(&self) -> &str {
        &self.0
    }
}

/// A string (`odata-abnf`, SQUOTE-in-string): a quote is written twice, nothing else means anything.
pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Any of these fields is any of these values, which are literals.
pub fn any(fields: &[&str], values: &[&str]) -> String {
    let all: Vec<String> = values
        .iter()
        .flat_map(|value| fields.iter().map(move |field| format!("{field} eq {value}")))
        .collect();
    format!("({})", all.join(" or "))
}

/// A row's identifier.
pub fn guid(text: &str) -> Option<&str> {
    // Other forms of it (in braces, without hyphens) are no part of an address.
    let is_one = text.len() == 36 && Uuid::try_parse(text).is_ok();
    is_one.then_some(text)
}

/// The identifier of what an effect makes: RFC 9562, version 8, of the whole key.
pub fn identifier(key: &DedupeKey) -> String {
    let digest = Sha256::digest(format!("backchannel:{}", key.as_str()));
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn no_value_leaves_its_quotes(text in "\\PC*|['&=+%#?)( or]*") {
            let literal = quoted(&text);
            let inner = &literal[1..literal.len() - 1];
            proptest::prop_assert_eq!(inner.replace("''", "'"), text);
            proptest::prop_assert!(!inner.replace("''", "").contains('\''));
            // Nor does it leave its parameter.
            let query = Query::new().add("$filter", &literal).add("$top", "1");
            proptest::prop_assert_eq!(query.text().matches(['&', '=', '?', '#', '+']).count(), 4);
        }
    }

    #[test]
    fn identifiers_are_made_of_the_whole_key() {
        let one = identifier(&DedupeKey::stored("5f2b"));
        assert_eq!(one, identifier(&DedupeKey::stored("5f2b")));
        assert!(guid(&one).is_some() && one.as_bytes()[14] == b'8', "{one}");
        for other in ["5f2b0", "5f2", "5f2br1", ""] {
            assert_ne!(one, identifier(&DedupeKey::stored(other)), "{other}");
        }
        for none in ["", "999999999", "{465b158c-541c-e511-80d3-3863bb347ba8}", "../systemusers(1)"]
        {
            assert!(guid(none).is_none(), "{none}");
        }
    }
}
