//! Tokens that programs and other pages bring as `Authorization: Bearer`.

use jiff::Timestamp;
use jsonwebtoken::Algorithm;

use super::claims::{ClaimMapping, Identified};
use super::token::{Expected, Refusal, end_of};
use crate::connect::jwks::KeySet;

/// Whose tokens count here.
#[derive(Clone, Debug)]
pub struct BearerSettings {
    pub issuer: String,
    /// A token is for one of these.
    pub audiences: Vec<String>,
    pub jwks_url: String,
    pub algorithms: Vec<Algorithm>,
    pub claims: ClaimMapping,
}

/// Checks tokens. Cheap to clone.
#[derive(Clone)]
pub struct Bearers {
    expected: Expected,
    claims: ClaimMapping,
}

impl Bearers {
    /// # Errors
    /// The keys' address is none that may be asked.
    pub fn new(settings: BearerSettings) -> Result<Self, String> {
        let keys = KeySet::new(&settings.jwks_url, &settings.algorithms)?;
        let BearerSettings { issuer, audiences, claims, .. } = settings;
        Ok(Self { expected: Expected { issuer, audiences, keys }, claims })
    }

    /// Whether a text looks like a token at all: ours have no dots.
    pub fn may_be(text: &str) -> bool {
        text.bytes().filter(|byte| *byte == b'.').count() == 2
    }

    /// Whose it is, and until when it is good.
    ///
    /// # Errors
    /// Why it opens nothing.
    pub async fn identify(&self, token: &str) -> Result<(Identified, Timestamp), Refusal> {
        let claims = self.expected.check(token).await?;
        let end = end_of(&claims).ok_or(Refusal::Time)?;
        Ok((self.claims.identify(&claims)?, end))
    }
}
