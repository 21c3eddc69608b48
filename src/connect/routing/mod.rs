//! Routers that a company has already: they place the work, and are told whom we recommend.
//!
//! Every one keeps attributes of what it routes, and routes by them. So a recommendation is written there, under names
//! that begin alike (`fields`), with its key and its time: told twice it stands once, and one that comes late never
//! takes the place of a newer one. A router is a file of its own behind one trait, and all pass `conformance`;
//! [`Recommender`] makes it a destination, so that the courier carries recommendations like any other effect.
//!
//! Routers that ask instead, while a customer is in their flow, get the same fields as the answer ([`answer`]): the
//! result of an AWS Lambda function in Amazon Connect and of a data action in Genesys Cloud are both a flat object of
//! texts.

pub mod amazon;
pub mod callback;
pub mod conformance;
pub mod dynamics;
pub mod fields;
pub mod genesys;
mod sigv4;
pub mod taskrouter;
pub mod webhook;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;

use super::destination::{DeliveryError, Destination, RemoteId};
use crate::domain::{DedupeKey, Effect, Recommendation};

pub use fields::{Fields, answer};

/// So often a change is read again that somebody else's came before.
const TRIES: usize = 4;

/// What every router has in its settings.
#[derive(Clone, Debug)]
pub struct Access {
    /// The destination's name.
    pub name: String,
    pub url: reqwest::Url,
    /// For one request.
    pub patience: Duration,
    /// Our agents by what the router calls them; who isn't in it is called the same there.
    pub agents: BTreeMap<String, String>,
}

/// Attributes of an item as a router has them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Held {
    /// Ours only, by their names in `fields`; an empty text is none.
    pub ours: Fields,
    /// All of them, where a change must bring all, as the router writes them.
    pub all: serde_json::Value,
    /// What a change is made conditional on, where the router can do that.
    pub version: Option<String>,
    /// Where they are, if not under the item's own name.
    pub place: Option<String>,
}

/// A system that routes by attributes of its items. Every one passes `conformance`.
#[async_trait]
pub trait Attributes: Send + Sync {
    /// `taskrouter`, `amazon_connect`.
    fn system(&self) -> &'static str;

    fn access(&self) -> &Access;

    /// Bytes of names and values that our fields may have together.
    fn room_bytes(&self) -> usize;

    /// # Errors
    /// `NotFound` when there is no such item, `Refused` when it is over.
    async fn read(&self, external_id: &str) -> Result<Held, DeliveryError>;

    /// Sets our fields, and leaves all others as they are.
    ///
    /// # Errors
    /// `Changed` when `held` is no longer what it has; nothing was written then.
    async fn write(
        &self,
        external_id: &str,
        fields: &Fields,
        held: &Held,
    ) -> Result<(), DeliveryError>;
}

/// A router as a destination of effects.
pub struct Recommender<R> {
    router: R,
}

impl<R: Attributes> Recommender<R> {
    pub const fn new(router: R) -> Self {
        Self { router }
    }

    pub const fn router(&self) -> &R {
        &self.router
    }

    /// What was read did nothing, so nothing about it is unclear.
    async fn read(&self, external_id: &str) -> Result<Held, DeliveryError> {
        self.router.read(external_id).await.map_err(|error| match error {
            DeliveryError::Unclear(why) => DeliveryError::Unreachable(why),
            other => other,
        })
    }
}

/// # Errors
/// It is none.
fn recommendation(effect: &Effect) -> Result<&Recommendation, DeliveryError> {
    match effect {
        Effect::Recommend(one) => Ok(one),
        _ => Err(DeliveryError::Unsupported("take anything but recommendations")),
    }
}

#[async_trait]
impl<R: Attributes> Destination for Recommender<R> {
    fn name(&self) -> &str {
        &self.router.access().name
    }

    async fn deliver(&self, effect: &Effect, key: &DedupeKey) -> Result<RemoteId, DeliveryError> {
        let told = recommendation(effect)?;
        let agents = &self.router.access().agents;
        let ours = fields::of(told, key, agents, self.router.room_bytes())?;
        let done = || RemoteId(told.external_id.clone());
        for _ in 0..TRIES {
            let held = self.read(&told.external_id).await?;
            if fields::stands(&held.ours, told, key) {
                return Ok(done());
            }
            match self.router.write(&told.external_id, &ours, &held).await {
                Ok(()) => return Ok(done()),
                Err(DeliveryError::Changed) => {}
                Err(error) => return Err(error),
            }
        }
        // Nothing of ours was written: later is soon enough.
        Err(DeliveryError::Limited { retry_after: None })
    }

    async fn delivered(
        &self,
        effect: &Effect,
        key: &DedupeKey,
    ) -> Result<Option<RemoteId>, DeliveryError> {
        let told = recommendation(effect)?;
        let held = self.read(&told.external_id).await?;
        let stands = fields::stands(&held.ours, told, key);
        Ok(stands.then(|| RemoteId(told.external_id.clone())))
    }
}
