//! A room of its own for a case that several people work on.

use async_trait::async_trait;

use crate::connect::destination::DeliveryError;
use crate::domain::{DedupeKey, Redacted};

/// Who is asked to what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomRequest {
    pub title: Redacted,
    pub topic: Redacted,
    /// In the words of the system: `@ada:example.org`, `U024BE7LH`.
    pub people: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    /// What `TeamMessage::room` takes.
    pub id: String,
    /// Who couldn't be asked to come.
    pub missing: Vec<String>,
}

/// A system that can open rooms.
#[async_trait]
pub trait Swarm: Send + Sync {
    /// Opens a private room and invites people. The same key finds the same room and invites whoever isn't in it
    /// yet, so it can be repeated whatever became of an earlier try.
    ///
    /// # Errors
    /// The room isn't there, or isn't surely there. People who can't be invited are told, and are no error.
    async fn open_room(
        &self,
        request: &RoomRequest,
        key: &DedupeKey,
    ) -> Result<Room, DeliveryError>;
}
