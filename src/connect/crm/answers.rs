//! Reading what a CRM answered: a shape that wasn't expected is no answer, and its words are not repeated.

use serde_json::Value;

use crate::connect::destination::DeliveryError;
use crate::connect::http::{Answered, text};
use crate::domain::{CaseUpdate, Redacted};
use crate::insight::redaction::typed;

/// It answered with something that isn't what it was asked for.
pub fn unreadable() -> DeliveryError {
    DeliveryError::Unclear("its answer can't be read".to_owned())
}

/// A list at a JSON pointer.
///
/// # Errors
/// `Unclear` where none stands: "nothing found" must never come of a page for people.
pub fn list<'a>(body: &'a Value, pointer: &str) -> Result<&'a [Value], DeliveryError> {
    body.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).ok_or_else(unreadable)
}

/// A text or number at a JSON pointer, as text; `None` where nothing stands.
pub fn at(value: &Value, pointer: &str) -> Option<String> {
    text(value.pointer(pointer)?).filter(|text| !text.trim().is_empty())
}

/// The same, for words that may be a customer's.
pub fn words(value: &Value, pointer: &str) -> Option<Redacted> {
    at(value, pointer).map(|text| typed(&text))
}

/// The identifier of what was made.
///
/// # Errors
/// `Unclear` where none stands: then nobody knows whether it was made.
pub fn made(body: &Value, pointer: &str) -> Result<String, DeliveryError> {
    at(body, pointer).ok_or_else(unreadable)
}

/// A success, or the error with the vendor's own code at `code`: constants of its documentation, such as
/// `INVALID_FIELD` and `0x80040217`, and those of `known`. Anything else there may be somebody's words.
///
/// # Errors
/// As `Answered::success`.
pub fn success(answer: Answered, code: &str, known: &[&str]) -> Result<Answered, DeliveryError> {
    let is_constant = |code: &String| {
        let is_loud = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        let is_name = code.len() <= 60 && code.contains('_') && code.chars().all(is_loud);
        let digits = code.strip_prefix("0x").unwrap_or_default();
        let is_number = digits.len() == 8 && digits.chars().all(|c| c.is_ascii_hexdigit());
        is_name || is_number || known.contains(&code.as_str())
    };
    let code = answer.text(code).filter(is_constant);
    let status = answer.status.as_u16();
    answer.success().map_err(|error| match (error, code) {
        (DeliveryError::Refused(_), Some(code)) => {
            DeliveryError::Refused(format!("status {status}, {code}"))
        }
        (DeliveryError::Denied(_), Some(code)) => {
            DeliveryError::Denied(format!("status {status}, {code}"))
        }
        (DeliveryError::Forbidden(_), Some(code)) => {
            DeliveryError::Forbidden(format!("status {status}, {code}"))
        }
        (DeliveryError::NotFound(_), Some(code)) => {
            DeliveryError::NotFound(format!("status {status}, {code}"))
        }
        (error, _) => error,
    })
}

/// What isn't there is `None`; all else stays as it is.
///
/// # Errors
/// All but `NotFound`.
pub fn optional<T>(result: Result<T, DeliveryError>) -> Result<Option<T>, DeliveryError> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(DeliveryError::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether a case is already as an update wants it: the only trace that an update leaves everywhere.
pub fn is_as_wanted(update: &CaseUpdate, status: Option<&str>, priority: Option<&str>) -> bool {
    let same = |wanted: &Option<String>, is: Option<&str>| match wanted {
        Some(wanted) => is.is_some_and(|is| is.eq_ignore_ascii_case(wanted)),
        None => true,
    };
    same(&update.status, status) && same(&update.priority, priority)
}

/// Names of fields and tables from the settings stand in queries and paths.
///
/// # Errors
/// In a sentence that begins with the setting's name.
pub fn name_of_a_field(setting: &str, name: &str) -> Result<(), String> {
    let is_one = !name.is_empty()
        && name.len() <= 255
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'))
        && !name.contains("..");
    if is_one { Ok(()) } else { Err(format!("{setting} must be a field's name, not {name:?}")) }
}
