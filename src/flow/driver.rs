//! Runs sessions: feeds them audio and model results, and carries out what they ask for.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::domain::{ConversationId, Direction, EndReason, Role, TenantId};
use crate::flow::audio::Codec;

/// What a media connection says about its call before the first audio.
#[derive(Clone, Debug)]
pub struct CallOpening {
    pub tenant: TenantId,
    pub external_id: Option<String>,
    pub direction: Direction,
    pub legs: Vec<LegSpec>,
    pub attributes: BTreeMap<String, String>,
}

/// One party's audio.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegSpec {
    pub role: Role,
    pub name: Option<String>,
    pub codec: Codec,
    pub sample_rate_hz: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallSummary {
    pub turns: usize,
    pub duration_ms: u64,
}

/// Why a call can't be taken, or couldn't be finished.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    #[error("as many calls are live as this machine can hold ({0})")]
    Busy(usize),
    #[error("the service is shutting down")]
    ShuttingDown,
    #[error("the call's events could not be stored: {0}")]
    Store(String),
}

/// Takes calls. Cheap to clone.
#[derive(Clone)]
pub struct Calls;

impl Calls {
    /// Records the start of a call and returns its handle.
    pub async fn open(&self, _opening: CallOpening) -> Result<CallHandle, CallError> {
        Err(CallError::ShuttingDown)
    }
}

/// One live call, as its media connection holds it. Dropping it ends the call as disconnected.
pub struct CallHandle {
    id: ConversationId,
}

impl CallHandle {
    pub fn id(&self) -> &ConversationId {
        &self.id
    }

    /// Hands over one wire payload of one leg. `at_ms` is the wire's own clock, where it has one.
    /// Never waits: when the queue is full the audio is dropped, counted and marked as a gap.
    pub fn audio(&self, _leg: usize, _at_ms: Option<u64>, _payload: Bytes) {}

    /// Ends the call; resolves when all finals are durable.
    pub async fn close(self, _reason: EndReason) -> Result<CallSummary, CallError> {
        Err(CallError::ShuttingDown)
    }
}
