//! What a back end does differently when it writes.

use async_trait::async_trait;

use super::Group;
use crate::store::StoreError;
use crate::store::chain::LogHead;
use crate::store::sql::Connection;

/// Where the log is: what the next group follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogState {
    pub head: LogHead,
    /// The greatest position of a revision of an article that was ever given.
    pub revision: u64,
}

/// When a back end may do what its commits left to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tending {
    /// Appends wait: only what can't be put off.
    Busy,
    Idle,
}

/// One connection that may write, and how it does it. A transaction goes `begin`, `insert`, `commit`; between them
/// the writer uses `connection` for statements that are the same everywhere.
#[async_trait]
pub trait Engine: Send {
    fn connection(&mut self) -> &mut Connection;

    /// Begins a transaction beside which nobody can write, and says what it finds.
    async fn begin(&mut self) -> Result<LogState, StoreError>;

    /// Writes a group's events, heads, cards and deliveries.
    async fn insert(&mut self, group: &Group) -> Result<(), sqlx::Error>;

    /// Writes down where the log is now, and makes everything durable.
    async fn commit(&mut self, state: &LogState) -> Result<(), sqlx::Error>;

    /// After a failure: rolls back what is open, and connects again where that is needed.
    async fn recover(&mut self) -> Result<(), StoreError>;

    /// Writes something that changes nothing, durably, to find out whether that works.
    async fn probe(&mut self) -> Result<(), sqlx::Error>;

    /// Whether `tend` has something to do.
    fn has_left_work(&self) -> bool;

    async fn tend(&mut self, when: Tending);

    /// Sees to it that what was deleted or written over stands in no file any more, as far as the back end can.
    async fn scrub(&mut self) -> Result<(), StoreError>;

    fn failure(&self, error: &sqlx::Error) -> StoreError;

    /// The last thing that happens.
    async fn close(self: Box<Self>);
}
