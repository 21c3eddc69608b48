//! What an upgrade must compute: the hash chain of a log from before there was one.

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::{Row, SqliteConnection};

use super::write_error;
use crate::domain::{ConversationId, Recorded, TenantId};
use crate::store::StoreError;
use crate::store::chain::{Hash, LogHead, START, commitment, fresh_salt, link, seal};
use crate::store::reader::read_error;

const PAGE: i64 = 1_000;

/// Gives every event its salt and its place in the chain, every conversation its end, and the log its head.
pub async fn chain(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let mut ends: HashMap<(TenantId, ConversationId), Hash> = HashMap::new();
    let mut head = LogHead::EMPTY;
    loop {
        let page = page(connection, head.position).await?;
        if page.is_empty() {
            break;
        }
        for event in page {
            let salt = fresh_salt();
            let end =
                ends.entry((event.tenant.clone(), event.conversation.clone())).or_insert(START);
            *end = link(end, &event, &commitment(&salt, &event.data));
            head = LogHead { position: event.position, seal: seal(&head.seal, end) };
            sqlx::query("UPDATE events SET salt = ?, chain = ? WHERE position = ?")
                .bind(salt.to_vec())
                .bind(end.to_vec())
                .bind(event.position as i64)
                .execute(&mut *connection)
                .await
                .map_err(|error| write_error(&error))?;
        }
    }
    for ((tenant, conversation), end) in ends {
        sqlx::query("UPDATE conversations SET chain = ? WHERE tenant = ? AND id = ?")
            .bind(end.to_vec())
            .bind(tenant.as_str())
            .bind(conversation.as_str())
            .execute(&mut *connection)
            .await
            .map_err(|error| write_error(&error))?;
    }
    sqlx::query("UPDATE log SET position = ?, seal = ?")
        .bind(head.position as i64)
        .bind(head.seal.to_vec())
        .execute(&mut *connection)
        .await
        .map(drop)
        .map_err(|error| write_error(&error))
}

async fn page(connection: &mut SqliteConnection, after: u64) -> Result<Vec<Recorded>, StoreError> {
    let rows = sqlx::query(
        "SELECT position, tenant, conversation, sequence, id, time, kind, schema, data FROM events \
         WHERE position > ? ORDER BY position LIMIT ?",
    )
    .bind(after as i64)
    .bind(PAGE)
    .fetch_all(connection)
    .await
    .map_err(|error| read_error(&error))?;
    let event = |row: &sqlx::sqlite::SqliteRow| {
        let time = Timestamp::from_millisecond(row.get(5))
            .map_err(|error| StoreError::Corrupt(format!("a time is out of range: {error}")))?;
        Ok(Recorded {
            position: row.get::<i64, _>(0) as u64,
            tenant: row.get::<&str, _>(1).into(),
            conversation: row.get::<&str, _>(2).into(),
            sequence: row.get::<i64, _>(3) as u64,
            id: row.get::<&str, _>(4).into(),
            time,
            kind: row.get::<&str, _>(6).into(),
            schema: row.get::<&str, _>(7).into(),
            data: row.get::<&str, _>(8).into(),
        })
    };
    rows.iter().map(event).collect()
}
