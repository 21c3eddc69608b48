//! JSON with nothing in memory but what is read of it afterwards.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::json::is_known_field;
use crate::batch::conversation::TURNS_MAX;

/// A turn has some ten of them; more than these are no conversation, however few bytes they are.
const VALUES_MAX: usize = 20 * TURNS_MAX;

/// # Errors
/// It is no JSON, or has too many entries.
pub fn parse(text: &str) -> Result<Value, String> {
    let left = Cell::new(VALUES_MAX);
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Kept { left: &left }
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value));
    value.map_err(|error| match error.classify() {
        serde_json::error::Category::Data => error.to_string(),
        _ => format!("is not JSON: {error}"),
    })
}

/// A value without the fields that nobody reads.
#[derive(Clone, Copy)]
struct Kept<'a> {
    left: &'a Cell<usize>,
}

impl<'de> DeserializeSeed<'de> for Kept<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        match self.left.get().checked_sub(1) {
            Some(left) => self.left.set(left),
            None => return Err(D::Error::custom(format!("holds more than {VALUES_MAX} values"))),
        }
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Kept<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_bool<E>(self, it: bool) -> Result<Value, E> {
        Ok(it.into())
    }

    fn visit_i64<E>(self, it: i64) -> Result<Value, E> {
        Ok(it.into())
    }

    fn visit_u64<E>(self, it: u64) -> Result<Value, E> {
        Ok(it.into())
    }

    fn visit_f64<E>(self, it: f64) -> Result<Value, E> {
        Ok(it.into())
    }

    fn visit_str<E>(self, it: &str) -> Result<Value, E> {
        Ok(it.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<Value, A::Error> {
        let mut kept = Vec::new();
        while let Some(value) = all.next_element_seed(self)? {
            if kept.len() == TURNS_MAX {
                let why = format!("has a list of more than {TURNS_MAX} entries");
                return Err(A::Error::custom(why));
            }
            kept.push(value);
        }
        Ok(kept.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut all: A) -> Result<Value, A::Error> {
        let mut kept = Map::new();
        while let Some(name) = all.next_key::<String>()? {
            if is_known_field(&name) {
                kept.insert(name, all.next_value_seed(self)?);
            } else {
                all.next_value::<IgnoredAny>()?;
            }
        }
        Ok(kept.into())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_is_read_is_kept() {
        let text =
            r#"{"id":"a","x":{"id":1,"y":[[[]]]},"turns":[{"role":"agent","text":"hi","z":2}]}"#;
        let kept = json!({"id": "a", "turns": [{"role": "agent", "text": "hi"}]});
        assert_eq!(parse(text).expect("JSON"), kept);
        assert!(parse("{} {}").expect_err("two").starts_with("is not JSON"));
        assert!(parse("{\"id\":").expect_err("cut").starts_with("is not JSON"));
    }

    #[test]
    fn reading_ends_at_the_most_entries() {
        let of = |count: usize| format!(r#"{{"turns":[{}0]}}"#, "0,".repeat(count - 1));
        assert!(parse(&of(TURNS_MAX)).is_ok());
        let error = parse(&of(TURNS_MAX + 1)).expect_err("too many");
        assert!(error.contains("list of more than 100000"), "{error}");
        let nested = format!("[{}]", vec![of(TURNS_MAX); 21].join(","));
        let error = parse(&nested).expect_err("too many");
        assert!(error.contains("more than 2000000 values"), "{error}");
    }
}
