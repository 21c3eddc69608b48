//! The bus: tells whoever listens that something happened.
//!
//! It carries only what may be lost: durable events can be read again from the log, and a partial
//! is replaced by the next one. The store's commit hook feeds it, streams listen. A listener that
//! is too slow is told so; nobody ever waits for it.

pub mod conformance;
mod memory;

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::domain::{ConversationId, Recorded, TenantId};

pub use memory::MemoryBus;

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Signal {
    /// It is durable.
    Event(Arc<Recorded>),
    /// It never will be.
    Partial(Arc<PartialSignal>),
}

#[derive(Debug)]
pub struct PartialSignal {
    pub tenant: TenantId,
    pub conversation: ConversationId,
    pub time: Timestamp,
    /// A kind of `store::codec` that is streamed only.
    pub kind: &'static str,
    /// JSON of that kind: `store::codec::partial_data`, `growing_data`
    pub data: Arc<str>,
}

/// Each back end passes `conformance::all`.
pub trait Bus: Send + Sync {
    /// Tells all subscriptions of now, in the order of publishing by one publisher. Never waits.
    fn publish(&self, signal: Signal);

    /// Hears what is published from now on.
    fn subscribe(&self) -> Box<dyn Subscription>;
}

#[async_trait]
pub trait Subscription: Send {
    /// The next signal. Safe to cancel: a signal is not lost when the future is dropped.
    async fn next(&mut self) -> Heard;
}

#[derive(Clone, Debug)]
pub enum Heard {
    Signal(Signal),
    /// So many signals went by unheard; read the log again from the last known position. The
    /// subscription goes on with the oldest signal that is still there.
    Lagged(u64),
    /// There will be no more.
    Closed,
}
