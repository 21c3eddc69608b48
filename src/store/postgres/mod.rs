//! The shared back end: a PostgreSQL database, one writer for the whole of it, a pool of readers.
//!
//! There is one service to a database (to a schema of it, where `search_path` names another). It holds an advisory
//! lock as long as its connection lives, and its number, the epoch, stands in the row that every commit locks: a
//! service that was cut off and comes back too late finds another's number there and writes no more. Positions are
//! given under that row's lock, so they follow the order of commits, and a reader that goes on from a position misses
//! nothing. Going by `pg_snapshot_xmin` instead would hold every reader up for as long as any transaction of the
//! whole cluster is open, a dump of another database among them.

mod engine;
mod schema;
mod statements;

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Error};

use self::engine::PostgresEngine;
use super::failpoints::{self, Failpoints};
use super::log::{EventLog, Queueing};
use super::reader::{Reader, is_of_shutdown};
use super::sql::{Connection, Pool};
use super::{CommitHook, Store as _, StoreError};

const READERS: u32 = 8;
/// A reader that gets no connection for so long is told so.
const PATIENCE: Duration = Duration::from_secs(5);

impl EventLog {
    /// Opens (or makes) the log in a database, alone: a second service is refused.
    ///
    /// Conversations that a crash left live are ended here, with reason `crash`.
    ///
    /// # Errors
    /// The database can't be reached, another service has it, or it is damaged.
    pub async fn open_in(
        options: &PgConnectOptions,
        queueing: Queueing,
        on_commit: CommitHook,
    ) -> Result<Self, StoreError> {
        Self::open_failing(options, queueing, None, on_commit).await
    }

    /// The same with failpoints, for tests.
    pub(super) async fn open_failing(
        options: &PgConnectOptions,
        queueing: Queueing,
        failpoints: Option<Failpoints>,
        on_commit: CommitHook,
    ) -> Result<Self, StoreError> {
        let engine = failpoints::around(Box::new(PostgresEngine::open(options).await?), failpoints);
        let reader = Reader::new(Pool::Postgres(pool(options).await?));
        Self::to_write(engine, reader, queueing, on_commit).await
    }

    /// Opens a log that is there for reading only, also while a service writes to it.
    ///
    /// # Errors
    /// There is no log in the database, or it is of another version.
    pub async fn open_in_to_read(options: &PgConnectOptions) -> Result<Self, StoreError> {
        let pool = pool(options).await?;
        let mut connection = pool.acquire().await.map_err(|error| failure(&error))?;
        let version = schema::version(&mut connection).await?;
        drop(connection);
        if version == 0 {
            return Err(StoreError::Place(format!(
                "there is no event log in {}; start the service once, which makes one",
                name(options)
            )));
        }
        schema::check_version(version)?;
        Ok(Self::to_read(Reader::new(Pool::Postgres(pool))))
    }
}

/// For people: where a database is, without its password.
pub fn name(options: &PgConnectOptions) -> String {
    let database = options.get_database().unwrap_or_else(|| options.get_username());
    match options.get_socket() {
        Some(socket) => format!("the database {database} at {}", socket.display()),
        None => format!("the database {database} at {}:{}", options.get_host(), options.get_port()),
    }
}

/// A connection that sees the log as it is now, whatever is written meanwhile.
pub async fn snapshot(options: &PgConnectOptions) -> Result<Connection, StoreError> {
    EventLog::open_in_to_read(options).await?.close().await;
    let options =
        options.clone().application_name("backchannel backup").disable_statement_logging();
    let connection = options.connect().await.map_err(|error| failure(&error))?;
    let mut connection = Connection::Postgres(connection);
    let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
    connection.script(begin).await.map_err(|error| failure(&error))?;
    Ok(connection)
}

/// A second connection that may write to a log, also beside a service: little, and what no writer remembers.
pub async fn beside(options: &PgConnectOptions) -> Result<Connection, StoreError> {
    let options =
        options.clone().application_name("backchannel backup").disable_statement_logging();
    let connection = options.connect().await.map_err(|error| failure(&error))?;
    Ok(Connection::Postgres(connection))
}

/// A connection to a log that no service writes, and none can as long as it lives.
pub async fn alone(options: &PgConnectOptions) -> Result<Connection, StoreError> {
    Ok(PostgresEngine::open(options).await?.into_connection())
}

/// Connections that can't write.
async fn pool(options: &PgConnectOptions) -> Result<PgPool, StoreError> {
    let options = options
        .clone()
        .application_name("backchannel reader")
        .options([("default_transaction_read_only", "on")])
        .disable_statement_logging();
    let pool = PgPoolOptions::new().max_connections(READERS).acquire_timeout(PATIENCE);
    pool.connect_with(options).await.map_err(|error| failure(&error))
}

pub fn failure(error: &Error) -> StoreError {
    let text = || error.to_string().into();
    let code = match error {
        Error::Database(answer) => answer.code(),
        Error::Io(_) | Error::Tls(_) | Error::PoolTimedOut | Error::PoolClosed => {
            return StoreError::Unreachable(text());
        }
        _ => return StoreError::Write(text()),
    };
    match code.as_deref().unwrap_or_default() {
        // No room on the disk; too many connections.
        "53100" => StoreError::Full,
        code if is_of_shutdown(Some(code)) || code == "53300" => StoreError::Unreachable(text()),
        // How the database puts it is nothing for whoever sent the text.
        "22021" | "22P05" => StoreError::Unwritable("a text in it holds a NUL character".into()),
        // Data that the database can't hold; a key too long for an index.
        code if code.starts_with("22") || code.starts_with("54") => StoreError::Unwritable(text()),
        _ => StoreError::Write(text()),
    }
}

#[cfg(test)]
mod tests;
