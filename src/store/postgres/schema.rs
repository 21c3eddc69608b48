//! The tables, and how an older database becomes a newer one.

use std::cmp::Ordering;

use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row};

use super::failure;
use crate::store::StoreError;

/// One step per schema version; a released step is never edited.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_log.sql"),
    include_str!("migrations/0002_erasure.sql"),
    include_str!("migrations/0003_room.sql"),
];

/// 0 where there is nothing yet.
pub async fn version(connection: &mut PgConnection) -> Result<i64, StoreError> {
    let there = sqlx::query("SELECT to_regclass('log_version') IS NOT NULL")
        .fetch_one(&mut *connection)
        .await
        .map_err(|error| failure(&error))?;
    if !there.get::<bool, _>(0) {
        return Ok(0);
    }
    let row = sqlx::query("SELECT coalesce(max(version), 0) FROM log_version")
        .fetch_one(connection)
        .await
        .map_err(|error| failure(&error))?;
    Ok(row.get(0))
}

/// Brings the database to the newest schema, or says why this program can't.
pub async fn migrate(connection: &mut PgConnection) -> Result<(), StoreError> {
    let found = version(connection).await?;
    let known = MIGRATIONS.len() as i64;
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    for (version, script) in (1..).zip(MIGRATIONS).skip(found as usize) {
        let mut step = connection.begin().await.map_err(|error| failure(&error))?;
        let note = format!(
            "CREATE TABLE IF NOT EXISTS log_version (version BIGINT PRIMARY KEY); \
             INSERT INTO log_version VALUES ({version})"
        );
        for sql in [*script, note.as_str()] {
            sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
                .execute(&mut *step)
                .await
                .map_err(|error| failure(&error))?;
        }
        step.commit().await.map_err(|error| failure(&error))?;
    }
    Ok(())
}

/// Whether a database of this version can be read as it is.
pub fn check_version(found: i64) -> Result<(), StoreError> {
    let known = MIGRATIONS.len() as i64;
    match found.cmp(&known) {
        Ordering::Greater => Err(StoreError::Newer { found, known }),
        Ordering::Less => Err(StoreError::Older { found, known }),
        Ordering::Equal => Ok(()),
    }
}
