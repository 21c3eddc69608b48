//! Where something stands in an answer: a JMESPath expression, or a JSON pointer where it begins with a slash.
//!
//! JMESPath says what pointers can't: the second of two numbers, names put together, records that hold something.
//! The crate is the language's own (`jmespath`, MIT, kept by its author, no dependencies beyond serde).

use jmespath::{Expression as Compiled, compile};
use serde_json::Value;

use crate::connect::http::text;

#[derive(Clone, Debug)]
pub enum Expression {
    Pointer(String),
    Path(Box<Compiled<'static>>),
}

impl Expression {
    /// # Errors
    /// What is wrong with it, and in which column.
    pub fn new(text: &str) -> Result<Self, String> {
        if text.starts_with('/') {
            return Ok(Self::Pointer(text.to_owned()));
        }
        match compile(text) {
            Ok(compiled) => Ok(Self::Path(Box::new(compiled))),
            Err(error) => {
                Err(format!("is no JMESPath expression, from column {} on", error.column + 1))
            }
        }
    }

    /// What stands there; `Null` where nothing does, or where a function can't be applied.
    pub fn of(&self, value: &Value) -> Value {
        match self {
            Self::Pointer(pointer) => value.pointer(pointer).cloned().unwrap_or_default(),
            Self::Path(compiled) => {
                let found = compiled.search(value).ok();
                found.and_then(|found| serde_json::to_value(&*found).ok()).unwrap_or_default()
            }
        }
    }

    /// A text or a number, as text.
    pub fn text(&self, value: &Value) -> Option<String> {
        text(&self.of(value)).filter(|text| !text.trim().is_empty())
    }

    /// One text or several.
    pub fn texts(&self, value: &Value) -> Vec<String> {
        match self.of(value) {
            Value::Array(all) => {
                all.iter().filter_map(text).filter(|text| !text.trim().is_empty()).collect()
            }
            other => text(&other).into_iter().filter(|text| !text.trim().is_empty()).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(expression: &str, value: &Value) -> Value {
        Expression::new(expression).expect("an expression").of(value)
    }

    #[test]
    fn both_languages_find_what_stands_there() {
        let value = json!({"a": {"b c": [{"n": 1}, {"n": "x", "is": true}]}, "first": "Ada", "last": "Lovelace"});
        assert_eq!(of("/a/b c/1/n", &value), "x");
        assert_eq!(of("a.\"b c\"[?is].n | [0]", &value), "x");
        assert_eq!(of("join(' ', [first, last])", &value), "Ada Lovelace");
        assert_eq!(Expression::new("a.\"b c\"[].n").expect("one").texts(&value), ["1", "x"]);
        assert_eq!(Expression::new("first").expect("one").texts(&value), ["Ada"]);
        // What can't be done with this answer finds nothing.
        for none in ["/none", "none.at.all", "join(' ', a)", "sum(first)"] {
            assert_eq!(of(none, &value), Value::Null, "{none}");
        }
    }

    #[test]
    fn a_mistake_is_told_with_its_place() {
        let error = Expression::new("a.b[").expect_err("it is unfinished");
        assert!(error.contains("column 5"), "{error}");
        assert!(Expression::new("").is_err() && Expression::new("a b").is_err());
    }
}
