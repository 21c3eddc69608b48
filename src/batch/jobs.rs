//! Who works on which job: apalis' worker over a SQLite file of the batch's own.
//!
//! apalis-sqlite would bring sqlx's compile-time macros, which build half the tree a second time, and
//! sets `synchronous = OFF`; apalis-core's `Persistence` is the seam that its back ends stand on, and
//! six statements fill it. That a job is finished is said by its part, not here: a lost or stale
//! file costs a look at the parts and nothing else.

use std::path::Path;
use std::task::{Context, Poll};
use std::time::Duration;

use apalis_core::backend::codec::Codec;
use apalis_core::backend::finalize::Ephemeral;
use apalis_core::backend::persistence::{Persisted, Persistence, TaskEvent, TaskPersistLayer};
use apalis_core::backend::{Backend, BackendConfig};
use apalis_core::task::Task;
use apalis_core::task::builder::TaskBuilder;
use apalis_core::task::status::Status;
use apalis_core::task::task_id::TaskId;
use apalis_core::worker::context::WorkerContext;
use jiff::Timestamp;
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use super::error::BatchError;

/// A worker says so often that it lives, and loses its jobs after `LEASE`.
const HEARTBEAT: Duration = Duration::from_secs(2);
const LEASE: Duration = Duration::from_secs(8);
/// Statements of one `INSERT`.
const ROWS: usize = 500;
/// Events that wait for their transaction.
const EVENTS: usize = 64;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS jobs (
    number INTEGER PRIMARY KEY,
    state TEXT NOT NULL DEFAULT 'waiting',
    worker TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    why TEXT
);
CREATE INDEX IF NOT EXISTS jobs_waiting ON jobs (number) WHERE state = 'waiting';
CREATE TABLE IF NOT EXISTS workers (name TEXT PRIMARY KEY, seen_ms INTEGER NOT NULL);
";

/// The jobs of one batch.
#[derive(Clone, Debug)]
pub struct JobFile {
    pool: SqlitePool,
}

impl JobFile {
    /// Opens the file, making it anew if it is damaged, and puts in what is still to be done. The
    /// caller holds the batch's lock: whoever had a job before is dead, and nobody waits for leases.
    ///
    /// # Errors
    /// The file can't be written.
    pub async fn open(path: &Path, unfinished: &[u64]) -> Result<Self, BatchError> {
        match Self::filled(path, unfinished).await {
            Err(error) if is_damage(&error) => {}
            done => return Ok(done?),
        }
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(super::files::with_suffix(path, suffix));
        }
        Ok(Self::filled(path, unfinished).await?)
    }

    async fn filled(path: &Path, unfinished: &[u64]) -> Result<Self, sqlx::Error> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal);
        // One connection: two writers of one file only wait for each other.
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
        sqlx::raw_sql(SCHEMA).execute(&pool).await?;
        let mut transaction = pool.begin().await?;
        sqlx::raw_sql("UPDATE jobs SET state = 'done', worker = NULL; DELETE FROM workers")
            .execute(&mut *transaction)
            .await?;
        for numbers in unfinished.chunks(ROWS) {
            let mut insert = sqlx::QueryBuilder::new("INSERT INTO jobs (number) ");
            insert.push_values(numbers, |mut row, number| {
                row.push_bind(i64::try_from(*number).unwrap_or(i64::MAX));
            });
            insert.push(" ON CONFLICT (number) DO UPDATE SET state = 'waiting'");
            insert.build().execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(Self { pool })
    }

    pub fn queue(&self) -> Queue {
        Queue { persisted: Persisted::new(Rows { pool: self.pool.clone() }) }
    }

    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// `SQLITE_CORRUPT` and `SQLITE_NOTADB`. A full disk or a missing right isn't mended by a new file.
fn is_damage(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    // Beyond the last eight bits stands what exactly is corrupt.
    let code = code.and_then(|code| code.parse::<u32>().ok());
    code.is_some_and(|code| matches!(code & 0xff, 11 | 26))
}

/// apalis' view of the file; a task's argument is the job's number.
pub struct Queue {
    persisted: Persisted<Rows>,
}

impl Backend for Queue {
    type Task = Task<u64>;
    type Error = sqlx::Error;

    fn poll_ready(
        &mut self,
        context: &mut Context<'_>,
        worker: &WorkerContext,
    ) -> Poll<Result<(), sqlx::Error>> {
        self.persisted.poll_ready(context, worker, HEARTBEAT)
    }

    fn poll_next(
        &mut self,
        context: &mut Context<'_>,
        worker: &WorkerContext,
    ) -> Poll<Option<Result<Task<u64>, sqlx::Error>>> {
        self.persisted.poll_next(context, worker)
    }

    fn poll_close(
        &mut self,
        context: &mut Context<'_>,
        worker: &WorkerContext,
    ) -> Poll<Result<(), sqlx::Error>> {
        self.persisted.poll_close(context, worker)
    }
}

impl BackendConfig for Queue {
    type Args = u64;
    type Id = u64;
    type Kind = Ephemeral;
    type Config = ();
    type Layer = TaskPersistLayer<Nothing, ()>;

    fn config(&self) -> &() {
        &()
    }

    fn middleware(&mut self, _: &mut WorkerContext) -> Self::Layer {
        // Fetching locks already.
        self.persisted.layer(Nothing, EVENTS).persist_results(true)
    }
}

/// A job's result is its part.
#[derive(Clone, Copy, Debug)]
pub struct Nothing;

impl Codec<()> for Nothing {
    type Error = std::convert::Infallible;
    type Compact = ();

    fn encode(&self, (): &()) -> Result<(), Self::Error> {
        Ok(())
    }

    fn decode(&self, (): &()) -> Result<(), Self::Error> {
        Ok(())
    }
}

#[derive(Clone, Debug)]
struct Rows {
    pool: SqlitePool,
}

impl Rows {
    async fn release_orphans(&self) -> Result<(), sqlx::Error> {
        let oldest_ms = now_ms() - i64::try_from(LEASE.as_millis()).unwrap_or(i64::MAX);
        sqlx::query(
            "UPDATE jobs SET state = 'waiting', worker = NULL WHERE state = 'running'
             AND worker NOT IN (SELECT name FROM workers WHERE seen_ms >= ?)",
        )
        .bind(oldest_ms)
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

fn now_ms() -> i64 {
    Timestamp::now().as_millisecond()
}

fn number(id: &TaskId) -> i64 {
    id.as_int().and_then(|number| i64::try_from(number).ok()).unwrap_or(-1)
}

impl Persistence for Rows {
    type Compact = u64;
    type Response = ();
    type Error = sqlx::Error;

    async fn register(&mut self, worker: &WorkerContext) -> Result<(), sqlx::Error> {
        self.heartbeat(worker).await
    }

    async fn heartbeat(&mut self, worker: &WorkerContext) -> Result<(), sqlx::Error> {
        sqlx::query(
            "INSERT INTO workers (name, seen_ms) VALUES (?, ?)
             ON CONFLICT (name) DO UPDATE SET seen_ms = excluded.seen_ms",
        )
        .bind(worker.name())
        .bind(now_ms())
        .execute(&self.pool)
        .await?;
        self.release_orphans().await
    }

    async fn fetch_next(&mut self, worker: &WorkerContext) -> Result<Vec<Task<u64>>, sqlx::Error> {
        // One at a time: apalis doesn't send heartbeats while it has some to hand out.
        let found: Option<i64> = sqlx::query_scalar(
            "UPDATE jobs SET state = 'running', worker = ?, attempts = attempts + 1
             WHERE number = (SELECT number FROM jobs WHERE state = 'waiting' ORDER BY number LIMIT 1)
             RETURNING number",
        )
        .bind(worker.name())
        .fetch_optional(&self.pool)
        .await?;
        let task = |number: u64| TaskBuilder::new(number).task_id(TaskId::from_int(number)).build();
        Ok(found.and_then(|number| u64::try_from(number).ok()).map(task).into_iter().collect())
    }

    async fn reenqueue_abandoned(
        &mut self,
        tasks: Vec<Task<u64>>,
        worker: &WorkerContext,
    ) -> Result<u64, sqlx::Error> {
        for task in &tasks {
            sqlx::query(
                "UPDATE jobs SET state = 'waiting', worker = NULL WHERE number = ? AND worker = ?",
            )
            .bind(i64::try_from(task.args).unwrap_or(-1))
            .bind(worker.name())
            .execute(&self.pool)
            .await?;
        }
        Ok(tasks.len() as u64)
    }

    async fn handle_events(
        &mut self,
        events: Vec<TaskEvent<()>>,
        worker: &WorkerContext,
    ) -> Result<(), sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        for event in events {
            let TaskEvent::Complete(result) = event else { continue };
            // What failed waits for the next start: the run ends with the first failure.
            let (state, why) = match (&result.status, &result.result) {
                (_, Err(why)) => ("failed", Some(why.as_str())),
                (Status::Failed | Status::Killed, Ok(())) => ("failed", None),
                (_, Ok(())) => ("done", None),
            };
            sqlx::query(
                "UPDATE jobs SET state = ?, why = ?, worker = NULL WHERE number = ? AND worker = ?",
            )
            .bind(state)
            .bind(why)
            .bind(number(&result.task_id))
            .bind(worker.name())
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await
    }

    async fn push_tasks(&mut self, _: Vec<Task<u64>>) -> Result<(), sqlx::Error> {
        // All jobs are there from the beginning.
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_silent_workers_job_goes_to_another_within_its_lease() {
        let folder = tempfile::tempdir().expect("a folder");
        let jobs = JobFile::open(&folder.path().join("jobs"), &[4, 9]).await.expect("opens");
        let mut rows = Rows { pool: jobs.pool.clone() };
        let (dead, alive) = (WorkerContext::new("dead"), WorkerContext::new("alive"));
        rows.register(&dead).await.expect("registers");
        let first = rows.fetch_next(&dead).await.expect("a job");
        assert_eq!(first[0].args, 4);
        rows.heartbeat(&alive).await.expect("a heartbeat");
        assert_eq!(rows.fetch_next(&alive).await.expect("a job")[0].args, 9);
        assert!(LEASE + HEARTBEAT <= Duration::from_secs(10));
        let lease_ms = i64::try_from(LEASE.as_millis()).expect("small");
        for (silent_ms, is_free) in [(lease_ms - 2_000, false), (lease_ms + 1, true)] {
            sqlx::query("UPDATE workers SET seen_ms = ? WHERE name = 'dead'")
                .bind(now_ms() - silent_ms)
                .execute(&jobs.pool)
                .await
                .expect("time passes");
            rows.heartbeat(&alive).await.expect("a heartbeat");
            let got = rows.fetch_next(&alive).await.expect("perhaps a job");
            let got: Vec<u64> = got.iter().map(|task| task.args).collect();
            assert_eq!(got, if is_free { vec![4] } else { Vec::new() }, "{silent_ms} ms silent");
        }
        // Whoever comes back too late doesn't end what another does now.
        rows.reenqueue_abandoned(first, &dead).await.expect("nothing to give back");
        assert!(rows.fetch_next(&alive).await.expect("none").is_empty(), "4 is taken");
    }

    #[tokio::test]
    async fn what_is_no_damage_is_told_and_deletes_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("jobs");
        std::fs::create_dir(&path).expect("a folder in its place");
        let beside = folder.path().join("jobs-wal");
        std::fs::write(&beside, "x").expect("written");
        assert!(JobFile::open(&path, &[1]).await.is_err());
        assert!(beside.exists());
    }

    #[tokio::test]
    async fn a_damaged_file_is_made_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("jobs");
        std::fs::write(&path, "no database ".repeat(500)).expect("written");
        let jobs = JobFile::open(&path, &[1]).await.expect("opens");
        let mut rows = Rows { pool: jobs.pool.clone() };
        let worker = WorkerContext::new("w");
        rows.register(&worker).await.expect("registers");
        assert_eq!(rows.fetch_next(&worker).await.expect("a job").len(), 1);
    }
}
