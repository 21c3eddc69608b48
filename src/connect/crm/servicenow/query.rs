//! Values in encoded queries.

use crate::connect::destination::DeliveryError;

/// A value that can stand in a condition.
///
/// # Errors
/// `Refused`: a caret would end the condition, and there is no escape for one; a script would be run.
pub fn value(text: &str) -> Result<&str, DeliveryError> {
    let refused =
        |what: &str| Err(DeliveryError::Refused(format!("it can't be searched for {what}")));
    if text.contains('^') || text.chars().any(char::is_control) {
        return refused("a caret or a control character");
    }
    let bare: String = text.chars().filter(|c| !c.is_whitespace()).take(11).collect();
    if bare.eq_ignore_ascii_case("javascript:") {
        return refused("a script");
    }
    Ok(text)
}

/// A record's `sys_id`.
pub fn id(text: &str) -> Option<&str> {
    let is_one =
        text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    is_one.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_one_condition() {
        for right in ["ada@example.test", "o'neil\\\"{}&=x@example.test", "020 7946 0123"] {
            assert_eq!(value(right), Ok(right));
        }
        for wrong in [
            "a^ORactive=true",
            "^NQsys_id!=",
            "x\ny",
            "javascript:gs.getUserID()",
            " JavaScript:x",
            "java script:gs.sleep(1)",
        ] {
            assert!(value(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn identifiers_are_hexadecimal() {
        assert!(id("46d44a23a9fe19810012d100cca80666").is_some());
        for none in [
            "",
            "999999999",
            "../users",
            "46d44a23a9fe19810012d100cca8066^",
            "46D44A23A9FE19810012D100CCA80666",
        ] {
            assert!(id(none).is_none(), "{none}");
        }
    }
}
