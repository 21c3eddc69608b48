//! The tables, and how an older file becomes a newer one.

use std::cmp::Ordering;

use sqlx::{Connection, Row, SqliteConnection};

use super::upgrade;
use crate::store::StoreError;
use crate::store::reader::read_error;

/// One step per schema version; a released step is never edited.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_events.sql"),
    include_str!("migrations/0002_articles.sql"),
    include_str!("migrations/0003_outbox.sql"),
    include_str!("migrations/0004_chain.sql"),
    include_str!("migrations/0005_erasure.sql"),
    include_str!("migrations/0006_outbox.sql"),
];

/// The step whose columns are hashes, which SQL can't make.
const CHAIN: i64 = 4;

/// The first release without the WAL-reset bug, which could corrupt a log.
const OLDEST_SQLITE: [u32; 3] = [3, 51, 3];

/// Brings the file to the newest schema, or says why this program can't.
pub async fn migrate(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let found: i64 = sqlx::query("PRAGMA user_version")
        .fetch_one(&mut *connection)
        .await
        .map_err(|error| read_error(&error))?
        .get(0);
    let known = MIGRATIONS.len() as i64;
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    for (version, script) in (1..).zip(MIGRATIONS).skip(found as usize) {
        let mut step = connection.begin().await.map_err(|error| super::write_error(&error))?;
        let set_version = format!("PRAGMA user_version = {version}");
        for sql in [*script, set_version.as_str()] {
            sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
                .execute(&mut *step)
                .await
                .map_err(|error| super::write_error(&error))?;
        }
        if version == CHAIN {
            upgrade::chain(&mut step).await?;
        }
        step.commit().await.map_err(|error| super::write_error(&error))?;
    }
    Ok(())
}

/// Whether a file of this version can be read as it is.
pub fn check_version(found: i64) -> Result<(), StoreError> {
    let known = MIGRATIONS.len() as i64;
    match found.cmp(&known) {
        Ordering::Greater => Err(StoreError::Newer { found, known }),
        Ordering::Less => Err(StoreError::Older { found, known }),
        Ordering::Equal => Ok(()),
    }
}

/// Refuses a linked SQLite that is known to lose data.
pub async fn check_sqlite(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let found: String = sqlx::query("SELECT sqlite_version()")
        .fetch_one(connection)
        .await
        .map_err(|error| read_error(&error))?
        .get(0);
    if is_new_enough(&found) { Ok(()) } else { Err(StoreError::OldSqlite { found }) }
}

fn is_new_enough(version: &str) -> bool {
    let parts: Vec<u32> = version.split('.').filter_map(|part| part.parse().ok()).collect();
    parts.as_slice() >= OLDEST_SQLITE.as_slice()
}

#[cfg(test)]
mod tests {
    use super::is_new_enough;

    #[test]
    fn versions_compare_by_number() {
        assert!(is_new_enough("3.51.3"));
        assert!(is_new_enough("3.100.0"));
        assert!(!is_new_enough("3.51.2"));
        assert!(!is_new_enough("3.9.9"));
        assert!(!is_new_enough(""));
    }
}
