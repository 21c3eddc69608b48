//! Places around a commit where a test stops the log or has it fail. The service never opens a log with them, and a log
//! without them is written as if they weren't there: they stand around the back end, in an `Engine` of their own.

use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use sqlx::Error;

use super::StoreError;
use super::sql::Connection;
use super::writer::{Engine, Group, LogState, Tending};

/// Where the writer is. The places around an acknowledgement are the caller's: the `CommitHook` stands between a commit and
/// its answers, and after an answer is after the append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failpoint {
    /// Nothing of a group is written.
    Begin,
    /// The transaction is open.
    Insert,
    /// All rows are written, none is committed.
    Commit,
    /// The commit stands, and nobody knows yet.
    Committed,
    /// Everybody in the group has an answer; what commits left behind (a WAL) comes next.
    Tend,
    /// After that.
    Tended,
}

impl Failpoint {
    pub const ALL: [Self; 6] =
        [Self::Begin, Self::Insert, Self::Commit, Self::Committed, Self::Tend, Self::Tended];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Begin => "begin",
            Self::Insert => "insert",
            Self::Commit => "commit",
            Self::Committed => "committed",
            Self::Tend => "tend",
            Self::Tended => "tended",
        }
    }
}

/// Called at each place, on the writer's task. An error is taken for the back end's; at `Tend` and `Tended` it is for nothing.
pub type Failpoints = Arc<dyn Fn(Failpoint) -> io::Result<()> + Send + Sync>;

/// A back end with failpoints, if there are any.
pub fn around(engine: Box<dyn Engine>, failpoints: Option<Failpoints>) -> Box<dyn Engine> {
    match failpoints {
        Some(at) => Box::new(Failing { inner: engine, at }),
        None => engine,
    }
}

struct Failing {
    inner: Box<dyn Engine>,
    at: Failpoints,
}

impl Failing {
    fn pass(&self, place: Failpoint) -> Result<(), Error> {
        (self.at)(place).map_err(Error::Io)
    }
}

#[async_trait]
impl Engine for Failing {
    fn connection(&mut self) -> &mut Connection {
        self.inner.connection()
    }

    async fn begin(&mut self) -> Result<LogState, StoreError> {
        self.pass(Failpoint::Begin).map_err(|error| self.inner.failure(&error))?;
        self.inner.begin().await
    }

    async fn insert(&mut self, group: &Group) -> Result<(), Error> {
        self.pass(Failpoint::Insert)?;
        self.inner.insert(group).await
    }

    async fn commit(&mut self, state: &LogState) -> Result<(), Error> {
        self.pass(Failpoint::Commit)?;
        self.inner.commit(state).await?;
        self.pass(Failpoint::Committed)
    }

    async fn recover(&mut self) -> Result<(), StoreError> {
        self.inner.recover().await
    }

    async fn probe(&mut self) -> Result<(), Error> {
        self.inner.probe().await
    }

    fn has_left_work(&self) -> bool {
        self.inner.has_left_work()
    }

    async fn tend(&mut self, when: Tending) {
        // What fails there fails later again, or is found by the next commit.
        let _ = self.pass(Failpoint::Tend);
        self.inner.tend(when).await;
        let _ = self.pass(Failpoint::Tended);
    }

    async fn scrub(&mut self) -> Result<(), StoreError> {
        self.inner.scrub().await
    }

    fn failure(&self, error: &Error) -> StoreError {
        self.inner.failure(error)
    }

    async fn close(self: Box<Self>) {
        self.inner.close().await;
    }
}
