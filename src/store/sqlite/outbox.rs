//! The outbox in SQLite: the writer's statements and the readers' queries.

use jiff::Timestamp;
use sqlx::sqlite::{SqliteConnection, SqlitePool, SqliteRow};
use sqlx::{QueryBuilder, Row, Sqlite};

use super::read_error;
use crate::domain::{
    ConversationId, DedupeKey, Delivery, DeliveryMove, DeliveryState, NewDelivery, Progress,
    TenantId,
};
use crate::store::outbox::{DeliveryQuery, MAX_DELIVERIES};
use crate::store::{Page, StoreError, codec};

const ROW: &str = "SELECT position, tenant, destination, key, lane, conversation, operation, effect, wrapup, \
    \"by\", state, attempts, next_at, unclear, remote_id, problem, created_at, updated_at FROM outbox o ";

/// Of a destination: what may go next in its lane. What belongs to a case that is a dead letter waits for it, and
/// lets others pass.
const FIRST_OF_LANE: &str = "o.destination = ? AND o.state = 'waiting' AND NOT EXISTS \
    (SELECT 1 FROM outbox c WHERE c.tenant = o.tenant AND c.destination = o.destination \
     AND c.key = json_extract(o.effect, '$.case.made_by') AND c.state = 'failed') AND NOT EXISTS \
    (SELECT 1 FROM outbox e WHERE e.destination = o.destination AND e.lane = o.lane \
     AND e.state IN ('waiting', 'sending') AND (e.state = 'sending' OR (e.position < o.position AND NOT EXISTS \
     (SELECT 1 FROM outbox c WHERE c.tenant = e.tenant AND c.destination = e.destination \
      AND c.key = json_extract(e.effect, '$.case.made_by') AND c.state = 'failed'))))";

/// A key that stands already is left alone.
pub async fn insert(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    conversation: &ConversationId,
    new: &NewDelivery,
) -> Result<(), sqlx::Error> {
    let at = new.created_at.as_millisecond();
    sqlx::query(
        "INSERT INTO outbox (tenant, destination, key, lane, conversation, operation, schema, effect, wrapup, \
         \"by\", state, attempts, next_at, unclear, created_at, updated_at) \
         VALUES (?,?,?,?,?,?,?,?,?,?,?,0,?,0,?,?) ON CONFLICT (tenant, destination, key) DO NOTHING",
    )
    .bind(tenant.as_str())
    .bind(new.destination.as_str())
    .bind(new.key.as_str())
    .bind(new.lane.as_str())
    .bind(conversation.as_str())
    .bind(new.effect.operation())
    .bind(codec::EFFECT_SCHEMA)
    .bind(codec::encode_effect(&new.effect))
    .bind(new.from.as_ref().map(|id| id.as_str()))
    .bind(new.by.as_deref())
    .bind(DeliveryState::Waiting.as_str())
    .bind(at)
    .bind(at)
    .bind(at)
    .execute(connection)
    .await?;
    Ok(())
}

/// Whether it stood where it was said to stand.
pub async fn advance(
    connection: &mut SqliteConnection,
    step: &DeliveryMove,
) -> Result<bool, sqlx::Error> {
    let to = &step.to;
    let done = sqlx::query(
        "UPDATE outbox SET state = ?, attempts = ?, next_at = ?, unclear = ?, remote_id = ?, problem = ?, \
         updated_at = ? WHERE position = ? AND tenant = ? AND conversation = ? AND state = ?",
    )
    .bind(to.state.as_str())
    .bind(i64::from(to.attempts))
    .bind(to.next_at.as_millisecond())
    .bind(i64::from(to.unclear))
    .bind(to.remote_id.as_deref())
    .bind(to.problem.as_deref())
    .bind(to.updated_at.as_millisecond())
    .bind(in_row(step.position))
    .bind(step.tenant.as_str())
    .bind(step.conversation.as_str())
    .bind(step.from.as_str())
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The readers' side.
pub struct Reading<'a>(pub &'a SqlitePool);

impl Reading<'_> {
    pub async fn due(
        &self,
        destination: &str,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        // What waits for longer than any pause was put off before the clock was set back.
        let latest = now.checked_add(Progress::PAUSE_MAX).unwrap_or(Timestamp::MAX);
        let sql = format!(
            "{ROW} WHERE {FIRST_OF_LANE} AND (o.next_at <= ? OR o.next_at > ?) ORDER BY o.position LIMIT ?"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(destination)
            .bind(now.as_millisecond())
            .bind(latest.as_millisecond())
            .bind(limit.min(MAX_DELIVERIES) as i64);
        let rows = query.fetch_all(self.0).await.map_err(|error| read_error(&error))?;
        rows.iter().map(delivery).collect()
    }

    pub async fn next_due(&self, destination: &str) -> Result<Option<Timestamp>, StoreError> {
        let sql = format!("SELECT min(o.next_at) FROM outbox o WHERE {FIRST_OF_LANE}");
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(destination);
        let row = query.fetch_one(self.0).await.map_err(|error| read_error(&error))?;
        row.get::<Option<i64>, _>(0).map(moment).transpose()
    }

    pub async fn in_state(
        &self,
        destination: &str,
        state: DeliveryState,
        after: u64,
    ) -> Result<Vec<Delivery>, StoreError> {
        let sql = format!(
            "{ROW} WHERE destination = ? AND state = ? AND position > ? ORDER BY position LIMIT ?"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(destination)
            .bind(state.as_str())
            .bind(in_row(after))
            .bind(MAX_DELIVERIES as i64);
        let rows = query.fetch_all(self.0).await.map_err(|error| read_error(&error))?;
        rows.iter().map(delivery).collect()
    }

    pub async fn list(&self, query: &DeliveryQuery) -> Result<Page<Delivery>, StoreError> {
        let limit = query.limit.clamp(1, MAX_DELIVERIES);
        let mut sql = QueryBuilder::<Sqlite>::new(ROW);
        sql.push("WHERE tenant = ").push_bind(query.tenant.as_str());
        if let Some(state) = query.state {
            sql.push(" AND state = ").push_bind(state.as_str());
        }
        if let Some(conversation) = &query.conversation {
            sql.push(" AND conversation = ").push_bind(conversation.as_str());
        }
        if let Some(after) = &query.after {
            let before: i64 = after.parse().map_err(|_| StoreError::BadCursor(after.clone()))?;
            sql.push(" AND position < ").push_bind(before);
        }
        sql.push(" ORDER BY position DESC LIMIT ").push_bind(limit as i64 + 1);
        let rows = sql.build().fetch_all(self.0).await.map_err(|error| read_error(&error))?;
        let mut items: Vec<Delivery> = rows.iter().map(delivery).collect::<Result<_, _>>()?;
        let is_more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| is_more).map(|last| last.position.to_string());
        Ok(Page { items, next })
    }

    pub async fn one(
        &self,
        tenant: &TenantId,
        position: u64,
    ) -> Result<Option<Delivery>, StoreError> {
        let sql = format!("{ROW} WHERE tenant = ? AND position = ?");
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(tenant.as_str());
        let row = query.bind(in_row(position)).fetch_optional(self.0).await;
        row.map_err(|error| read_error(&error))?.as_ref().map(delivery).transpose()
    }

    pub async fn by_key(
        &self,
        tenant: &TenantId,
        destination: &str,
        key: &DedupeKey,
    ) -> Result<Option<Delivery>, StoreError> {
        let sql = format!("{ROW} WHERE tenant = ? AND destination = ? AND key = ?");
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(tenant.as_str());
        let row = query.bind(destination).bind(key.as_str()).fetch_optional(self.0).await;
        row.map_err(|error| read_error(&error))?.as_ref().map(delivery).transpose()
    }

    pub async fn tally(
        &self,
        tenant: &TenantId,
    ) -> Result<Vec<(String, DeliveryState, u64)>, StoreError> {
        let rows = sqlx::query(
            "SELECT destination, state, count(*) FROM outbox WHERE tenant = ? GROUP BY 1, 2 ORDER BY 1, 2",
        )
        .bind(tenant.as_str())
        .fetch_all(self.0)
        .await
        .map_err(|error| read_error(&error))?;
        let line = |row: &SqliteRow| Ok((row.get(0), state(row, 1)?, row.get::<i64, _>(2) as u64));
        rows.iter().map(line).collect()
    }
}

fn delivery(row: &SqliteRow) -> Result<Delivery, StoreError> {
    let position = row.get::<i64, _>("position") as u64;
    let effect = codec::decode_effect(row.get("effect")).map_err(|why| {
        StoreError::Corrupt(format!("delivery {position} of the outbox can't be read: {why}"))
    })?;
    let created_at = moment(row.get("created_at"))?;
    let state = state(row, "state")?;
    Ok(Delivery {
        position,
        tenant: row.get::<&str, _>("tenant").into(),
        conversation: row.get::<&str, _>("conversation").into(),
        new: NewDelivery {
            destination: row.get("destination"),
            key: DedupeKey::stored(row.get::<String, _>("key")),
            lane: row.get("lane"),
            effect,
            from: row.get::<Option<&str>, _>("wrapup").map(Into::into),
            by: row.get("by"),
            created_at,
        },
        progress: Progress {
            state,
            attempts: u32::try_from(row.get::<i64, _>("attempts")).unwrap_or(u32::MAX),
            next_at: moment(row.get("next_at"))?,
            unclear: row.get::<i64, _>("unclear") != 0,
            remote_id: row.get("remote_id"),
            problem: row.get("problem"),
            updated_at: moment(row.get("updated_at"))?,
        },
    })
}

fn state<I: sqlx::ColumnIndex<SqliteRow>>(
    row: &SqliteRow,
    column: I,
) -> Result<DeliveryState, StoreError> {
    let text: &str = row.get(column);
    DeliveryState::parse(text)
        .ok_or_else(|| StoreError::Corrupt(format!("the outbox has the unknown state {text}")))
}

fn moment(milliseconds: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(milliseconds)
        .map_err(|_| StoreError::Corrupt("the outbox has a time out of range".to_owned()))
}

fn in_row(position: u64) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}
