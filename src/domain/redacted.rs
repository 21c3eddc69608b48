use std::fmt;

/// Text whose secrets are masked. Only `insight::redaction` makes one out of raw words (a test
/// guards that), and everything that is stored, streamed, indexed or sent on takes this type.
///
/// It is still what a customer said, so `Debug` hides it: a log line can't carry it by accident.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Redacted(String);

impl Redacted {
    /// Vouches that `text` holds no secret: it comes out of the masker, or out of the store.
    pub fn vouched(text: impl Into<String>) -> Self {
        Self(text.into())
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} characters]", self.0.chars().count())
    }
}
