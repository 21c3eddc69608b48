//! How PostgreSQL writes: one connection that holds the log's lock, and the row that says whose turn it is.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection as _, Error, Row};
use tokio::time::error::Elapsed;

use super::{failure, name, schema, statements};
use crate::store::StoreError;
use crate::store::chain::LogHead;
use crate::store::sql::{Connection, Sql};
use crate::store::writer::{Engine, Group, LogState, Tending};

/// A service that was just killed lets go of the lock when the server notices; so long it is waited for.
const LOCK_WAIT: Duration = Duration::from_secs(4);
const LOCK_RETRY: Duration = Duration::from_millis(50);
/// A statement that takes longer is given up, and the connection with it: the other end may be gone.
const PATIENCE: Duration = Duration::from_secs(15);

/// One log for each schema of a database.
const LOCK: &str = "hashtextextended('backchannel event log ' || current_schema(), 0)";

pub struct PostgresEngine {
    connection: Connection,
    options: PgConnectOptions,
    /// This service's number.
    epoch: i64,
    /// The connection must be made anew: a statement on it was given up, or failed.
    is_doubtful: bool,
    taken_over: bool,
}

impl PostgresEngine {
    pub async fn open(options: &PgConnectOptions) -> Result<Self, StoreError> {
        let options = options
            .clone()
            .application_name("backchannel writer")
            // A machine that vanished must not hold the log's lock for hours.
            .options([
                ("tcp_keepalives_idle", "10"),
                ("tcp_keepalives_interval", "5"),
                ("tcp_keepalives_count", "3"),
                // All that it asks for it finds by an index. A plan that was made when the tables were small must
                // not go on reading them whole, nor one that can't be told otherwise be compiled for its price.
                ("enable_seqscan", "off"),
                ("jit", "off"),
                ("enable_hashjoin", "off"),
                ("enable_mergejoin", "off"),
            ])
            .disable_statement_logging();
        let mut connection = connect(&options).await?;
        schema::migrate(&mut connection).await?;
        let row = sqlx::query("UPDATE log SET epoch = epoch + 1 RETURNING epoch")
            .fetch_one(&mut connection)
            .await
            .map_err(|error| failure(&error))?;
        let (epoch, connection) = (row.get(0), Connection::Postgres(connection));
        Ok(Self { connection, options, epoch, is_doubtful: false, taken_over: false })
    }

    /// Its connection, which goes on holding the log's lock.
    pub fn into_connection(self) -> Connection {
        self.connection
    }

    fn postgres(&mut self) -> &mut PgConnection {
        match &mut self.connection {
            Connection::Postgres(connection) => connection,
            Connection::Sqlite(_) => unreachable!("this engine opens PostgreSQL only; a bug"),
        }
    }

    /// A statement that was given up leaves its answer under way, and the connection useless.
    fn in_time<T>(&mut self, outcome: Result<Result<T, Error>, Elapsed>) -> Result<T, Error> {
        outcome.unwrap_or_else(|_| {
            self.is_doubtful = true;
            Err(timed_out())
        })
    }
}

/// A connection that holds the log's lock and makes each commit durable.
async fn connect(options: &PgConnectOptions) -> Result<PgConnection, StoreError> {
    let connecting = tokio::time::timeout(PATIENCE, options.connect());
    let connected = connecting.await.unwrap_or_else(|_| Err(timed_out()));
    let mut connection = connected.map_err(|error| match error {
        error @ Error::Database(_) => match failure(&error) {
            StoreError::Write(why) => StoreError::Place(format!("{}: {why}", name(options))),
            other => other,
        },
        error => StoreError::Unreachable(format!("{}: {error}", name(options)).into()),
    })?;
    let begun = tokio::time::Instant::now();
    loop {
        let sql = sqlx::AssertSqlSafe(format!("SELECT pg_try_advisory_lock({LOCK})"));
        let row = sqlx::query(sql).fetch_one(&mut connection).await;
        if row.map_err(|error| failure(&error))?.get::<bool, _>(0) {
            break;
        }
        if begun.elapsed() > LOCK_WAIT {
            let holder = holder(&mut connection).await.unwrap_or_else(|_| "another service".into());
            return Err(StoreError::InUse { place: name(options), holder });
        }
        tokio::time::sleep(LOCK_RETRY).await;
    }
    // Where the server is set to acknowledge before it wrote, we are not.
    sqlx::query(
        "SELECT set_config('synchronous_commit', 'on', false) \
         WHERE current_setting('synchronous_commit') IN ('off', 'local')",
    )
    .execute(&mut connection)
    .await
    .map_err(|error| failure(&error))?;
    let fsync = sqlx::query("SELECT current_setting('fsync')").fetch_one(&mut connection).await;
    if fsync.map_err(|error| failure(&error))?.get::<&str, _>(0) == "off" {
        tracing::warn!("the database server runs with fsync = off: a power cut may lose events");
    }
    Ok(connection)
}

/// Who has the lock.
async fn holder(connection: &mut PgConnection) -> Result<String, Error> {
    let sql = format!(
        "SELECT a.application_name || ', process ' || a.pid || coalesce(' from ' || host(a.client_addr), '') \
         FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid WHERE l.locktype = 'advisory' AND l.granted \
         AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
         AND ((l.classid::bigint << 32) | l.objid::bigint) = {LOCK} LIMIT 1"
    );
    Ok(sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_one(connection).await?.get(0))
}

fn timed_out() -> Error {
    Error::Io(std::io::Error::new(
        std::io::ErrorKind::TimedOut,
        format!("no answer within {} seconds", PATIENCE.as_secs()),
    ))
}

#[async_trait]
impl Engine for PostgresEngine {
    fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    async fn begin(&mut self) -> Result<LogState, StoreError> {
        if self.taken_over {
            return Err(StoreError::TakenOver);
        }
        // In one round trip.
        let begin = "BEGIN; SELECT position, revision, seal, epoch FROM log FOR UPDATE";
        let asked = sqlx::raw_sql(begin).fetch_one(self.postgres());
        let answer = tokio::time::timeout(PATIENCE, asked).await;
        let row = self.in_time(answer);
        let row = row.map_err(|error| failure(&error))?;
        if row.get::<i64, _>(3) != self.epoch {
            self.taken_over = true;
            return Err(StoreError::TakenOver);
        }
        let seal = row.get::<Vec<u8>, _>(2).try_into();
        let seal =
            seal.map_err(|_| StoreError::Corrupt("the log's seal isn't 32 bytes long".into()))?;
        let head = LogHead { position: row.get::<i64, _>(0) as u64, seal };
        Ok(LogState { head, revision: row.get::<i64, _>(1) as u64 })
    }

    async fn insert(&mut self, group: &Group) -> Result<(), Error> {
        let connection = self.postgres();
        let writing = tokio::time::timeout(PATIENCE, statements::insert(connection, group)).await;
        self.in_time(writing)
    }

    async fn commit(&mut self, state: &LogState) -> Result<(), Error> {
        let connection = self.postgres();
        let writing = tokio::time::timeout(PATIENCE, statements::commit(connection, state)).await;
        self.in_time(writing)
    }

    async fn recover(&mut self) -> Result<(), StoreError> {
        // Whatever went wrong, a new connection has no open transaction and no answer under way.
        let rolled_back =
            tokio::time::timeout(Duration::from_secs(1), self.connection.script("ROLLBACK")).await;
        if !self.is_doubtful && matches!(rolled_back, Ok(Ok(()))) {
            return Ok(());
        }
        self.is_doubtful = true;
        if self.taken_over {
            return Err(StoreError::TakenOver);
        }
        let mut connection = connect(&self.options).await?;
        let row = sqlx::query("SELECT epoch FROM log").fetch_one(&mut connection).await;
        if row.map_err(|error| failure(&error))?.get::<i64, _>(0) != self.epoch {
            self.taken_over = true;
            return Err(StoreError::TakenOver);
        }
        self.connection = Connection::Postgres(connection);
        self.is_doubtful = false;
        Ok(())
    }

    async fn probe(&mut self) -> Result<(), Error> {
        let write = "INSERT INTO probes (bytes) VALUES (convert_to(repeat('x', 262144), 'UTF8'))";
        self.connection.execute(Sql::new(write)).await?;
        self.connection.execute(Sql::new("DELETE FROM probes")).await.map(drop)
    }

    fn has_left_work(&self) -> bool {
        false
    }

    async fn tend(&mut self, _when: Tending) {}

    async fn scrub(&mut self) -> Result<(), StoreError> {
        for table in ["events", "conversations", "outbox", "article_revisions", "backup_keys"] {
            let vacuumed = self.connection.script(&format!("VACUUM {table}")).await;
            vacuumed.map_err(|error| failure(&error))?;
        }
        Ok(())
    }

    fn failure(&self, error: &Error) -> StoreError {
        failure(error)
    }

    async fn close(self: Box<Self>) {
        if let Connection::Postgres(connection) = self.connection
            && let Err(error) = connection.close().await
        {
            tracing::debug!(%error, "the database's connection did not close in order");
        }
    }
}
