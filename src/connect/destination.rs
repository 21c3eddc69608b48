//! Where effects go: somebody else's system, that may be slow, down, or lose our answer.

use std::time::Duration;

use async_trait::async_trait;

use crate::domain::{Classify, DedupeKey, Effect, ErrorKind};

/// What another system calls what was made in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteId(pub String);

/// A system in which effects happen. Every one passes `conformance`.
#[async_trait]
pub trait Destination: Send + Sync {
    /// Its name in the settings.
    fn name(&self) -> &str;

    /// Makes the effect, without looking whether it was made before unless the system does so by itself.
    ///
    /// What is made bears the key, in a field or as a marker, so that `delivered` finds it. A `CaseRef::MadeBy`
    /// was replaced by the case's identifier before.
    ///
    /// # Errors
    /// `Unclear` whenever the system may have done it all the same.
    async fn deliver(&self, effect: &Effect, key: &DedupeKey) -> Result<RemoteId, DeliveryError>;

    /// What an earlier try with this key made, if there is anything.
    ///
    /// # Errors
    /// When it can't be told: nothing may be delivered then.
    async fn delivered(
        &self,
        effect: &Effect,
        key: &DedupeKey,
    ) -> Result<Option<RemoteId>, DeliveryError>;
}

/// Why another system did not do, or not surely do, what it was asked for. The texts are for people and hold
/// none of its own words, which may quote a customer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryError {
    /// Nothing was sent: no connection.
    #[error("it can't be reached: {0}")]
    Unreachable(String),
    /// It was sent and no answer came, or none that can be read.
    #[error("it is unknown whether it was done: {0}")]
    Unclear(String),
    /// It may have been done, the system can't tell, and only a person can find out: never repeated by itself.
    #[error("it may have been done: {0}")]
    Undecided(String),
    #[error("it is asked too often")]
    Limited { retry_after: Option<Duration> },
    #[error("the key was not accepted: {0}")]
    Denied(String),
    /// Not to this user, whose key was accepted.
    #[error("it isn't allowed: {0}")]
    Forbidden(String),
    /// It will never do this.
    #[error("it refuses: {0}")]
    Refused(String),
    #[error("it has no such record: {0}")]
    NotFound(String),
    /// Somebody else changed it meanwhile.
    #[error("it was changed meanwhile")]
    Changed,
    /// It answered with records that weren't asked for.
    #[error("it ignores what is searched for: {0}")]
    Untrusted(String),
    /// This system has no such thing.
    #[error("it can't do that: {0}")]
    Unsupported(&'static str),
}

impl DeliveryError {
    /// The same again may succeed.
    pub const fn is_retryable(&self) -> bool {
        // A key is renewed, a permission given; what waits is not lost meanwhile.
        matches!(
            self,
            Self::Unreachable(_)
                | Self::Unclear(_)
                | Self::Limited { .. }
                | Self::Denied(_)
                | Self::Forbidden(_)
        )
    }

    /// The system itself is in trouble, whatever it is asked for.
    pub const fn is_outage(&self) -> bool {
        self.is_retryable()
    }
}

impl Classify for DeliveryError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Unreachable(_) | Self::Untrusted(_) => ErrorKind::Unavailable,
            Self::Unclear(_) | Self::Undecided(_) => ErrorKind::Timeout,
            Self::Limited { .. } => ErrorKind::Busy,
            Self::Denied(_) | Self::Forbidden(_) => ErrorKind::Denied,
            Self::Refused(_) | Self::Unsupported(_) => ErrorKind::Invalid,
            Self::NotFound(_) => ErrorKind::NotFound,
            Self::Changed => ErrorKind::Conflict,
        }
    }
}
