//! Reading: a pool of connections that can't write.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqlitePool, SqlitePoolOptions, SqliteRow,
};
use sqlx::{QueryBuilder, Row, Sqlite};

use super::articles::Articles;
use super::head::{Head, HeadKey};
use super::{outbox, read_error};
use crate::domain::{CardId, ConversationId, EventId, Recorded, TenantId};
use crate::store::{
    ConversationRow, ConversationState, ListQuery, MAX_READ, Page, ReadQuery, SYSTEM, StoreError,
    is_own,
};

const MAX_LIST: usize = 500;

pub struct Reader {
    pool: SqlitePool,
}

impl Reader {
    pub async fn open(options: SqliteConnectOptions, readers: u32) -> Result<Self, StoreError> {
        let pool = SqlitePoolOptions::new()
            .max_connections(readers.max(1))
            .acquire_timeout(Duration::from_secs(10))
            .connect_with(options.read_only(true).pragma("query_only", "1"))
            .await
            .map_err(|error| read_error(&error))?;
        Ok(Self { pool })
    }

    pub async fn schema_version(&self) -> Result<i64, StoreError> {
        let row = sqlx::query("PRAGMA user_version").fetch_one(&self.pool).await;
        Ok(row.map_err(|error| read_error(&error))?.get(0))
    }

    pub async fn read(&self, query: &ReadQuery) -> Result<Vec<Arc<Recorded>>, StoreError> {
        let mut sql = QueryBuilder::<Sqlite>::new(
            "SELECT position, tenant, conversation, sequence, id, time, kind, schema, data \
             FROM events WHERE tenant = ",
        );
        sql.push_bind(query.tenant.as_str());
        if let Some(conversation) = &query.conversation {
            sql.push(" AND conversation = ").push_bind(conversation.as_str());
        }
        sql.push(" AND position > ").push_bind(i64::try_from(query.after).unwrap_or(i64::MAX));
        if !query.kinds.is_all() {
            sql.push(" AND (0");
            for glob in query.kinds.globs() {
                sql.push(" OR kind GLOB ").push_bind(glob);
            }
            sql.push(")");
        }
        // In one conversation both orders are the same, and the index has this one.
        let order = if query.conversation.is_some() { "sequence" } else { "position" };
        sql.push(" ORDER BY ").push(order).push(" LIMIT ");
        sql.push_bind(query.limit.min(MAX_READ) as i64);
        let rows = sql.build().fetch_all(&self.pool).await.map_err(|error| read_error(&error))?;
        rows.iter().map(|row| recorded(row).map(Arc::new)).collect()
    }

    pub async fn head(&self) -> Result<u64, StoreError> {
        let head: i64 = sqlx::query("SELECT coalesce(max(position), 0) FROM events")
            .fetch_one(&self.pool)
            .await
            .map_err(|error| read_error(&error))?
            .get(0);
        Ok(head as u64)
    }

    pub async fn conversations(
        &self,
        query: &ListQuery,
    ) -> Result<Page<ConversationRow>, StoreError> {
        let limit = query.limit.clamp(1, MAX_LIST);
        let mut sql = QueryBuilder::<Sqlite>::new("SELECT * FROM conversations WHERE tenant = ");
        sql.push_bind(query.tenant.as_str());
        match query.state {
            Some(state) => sql.push(" AND state = ").push_bind(state.as_str()),
            None => sql.push(" AND state <> ").push_bind(SYSTEM),
        };
        if let Some(external_id) = &query.external_id {
            sql.push(" AND external_id = ").push_bind(external_id.as_str());
        }
        if let Some(after) = &query.after {
            let before: i64 = after.parse().map_err(|_| {
                StoreError::BadCursor(format!("`{}`", after.chars().take(40).collect::<String>()))
            })?;
            sql.push(" AND first_position < ").push_bind(before);
        }
        sql.push(" ORDER BY first_position DESC LIMIT ").push_bind(limit as i64 + 1);
        let rows = sql.build().fetch_all(&self.pool).await.map_err(|error| read_error(&error))?;
        let next = (rows.len() > limit)
            .then(|| rows[limit - 1].get::<i64, _>("first_position").to_string());
        let items = rows
            .iter()
            .take(limit)
            .map(|row| head_of(row).map(|head| head.row))
            .collect::<Result<_, _>>()?;
        Ok(Page { items, next })
    }

    pub async fn conversation(
        &self,
        tenant: &TenantId,
        id: &ConversationId,
    ) -> Result<Option<ConversationRow>, StoreError> {
        if is_own(id) {
            return Ok(None);
        }
        let row = sqlx::query("SELECT * FROM conversations WHERE tenant = ? AND id = ?")
            .bind(tenant.as_str())
            .bind(id.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(|error| read_error(&error))?;
        row.map(|row| head_of(&row).map(|head| head.row)).transpose()
    }

    pub async fn conversation_of_card(
        &self,
        tenant: &TenantId,
        card: &CardId,
    ) -> Result<Option<ConversationId>, StoreError> {
        let row = sqlx::query("SELECT conversation FROM cards WHERE tenant = ? AND id = ?")
            .bind(tenant.as_str())
            .bind(card.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(|error| read_error(&error))?;
        Ok(row.map(|row| ConversationId::from(row.get::<String, _>(0))))
    }

    pub async fn event(
        &self,
        tenant: &TenantId,
        id: &EventId,
    ) -> Result<Option<Arc<Recorded>>, StoreError> {
        let mut connection = self.pool.acquire().await.map_err(|error| read_error(&error))?;
        let found = event_by_id(&mut connection, id).await.map_err(|error| read_error(&error))?;
        Ok(found.filter(|event| event.tenant == *tenant))
    }

    /// All live conversations of all tenants, as the last commit left them.
    pub async fn live_heads(&self) -> Result<Vec<(TenantId, Head)>, StoreError> {
        let rows = sqlx::query("SELECT * FROM conversations WHERE state = 'live'")
            .fetch_all(&self.pool)
            .await
            .map_err(|error| read_error(&error))?;
        rows.iter().map(|row| Ok((row.get::<String, _>("tenant").into(), head_of(row)?))).collect()
    }

    pub async fn integrity(&self) -> Result<(), StoreError> {
        let verdict: String = sqlx::query("PRAGMA quick_check(1)")
            .fetch_one(&self.pool)
            .await
            .map_err(|error| read_error(&error))?
            .get(0);
        if verdict != "ok" {
            return Err(StoreError::Corrupt(verdict));
        }
        let broken = sqlx::query(
            "SELECT c.id FROM conversations c LEFT JOIN events e \
             ON e.tenant = c.tenant AND e.conversation = c.id GROUP BY c.tenant, c.id \
             HAVING count(e.position) <> c.last_sequence OR max(e.sequence) <> c.last_sequence \
             OR max(e.position) <> c.last_position LIMIT 1",
        )
        .fetch_optional(&self.pool)
        .await
        .map_err(|error| read_error(&error))?;
        match broken {
            Some(row) => Err(StoreError::Corrupt(format!(
                "conversation {} has a gap in its sequence",
                row.get::<String, _>(0)
            ))),
            None => self.articles().integrity().await,
        }
    }

    pub fn outbox(&self) -> outbox::Reading<'_> {
        outbox::Reading(&self.pool)
    }

    pub fn articles(&self) -> Articles<'_> {
        Articles(&self.pool)
    }

    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// The writer's own look at a conversation, inside its transaction.
pub async fn head(
    connection: &mut SqliteConnection,
    (tenant, id): &HeadKey,
) -> Result<Option<Head>, sqlx::Error> {
    let row = sqlx::query("SELECT * FROM conversations WHERE tenant = ? AND id = ?")
        .bind(tenant.as_str())
        .bind(id.as_str())
        .fetch_optional(connection)
        .await?;
    row.map(|row| head_of(&row).map_err(|error| sqlx::Error::Decode(error.into()))).transpose()
}

pub async fn event_by_id(
    connection: &mut SqliteConnection,
    id: &EventId,
) -> Result<Option<Arc<Recorded>>, sqlx::Error> {
    let row = sqlx::query(
        "SELECT position, tenant, conversation, sequence, id, time, kind, schema, data \
         FROM events WHERE id = ?",
    )
    .bind(id.as_str())
    .fetch_optional(connection)
    .await?;
    row.map(|row| recorded(&row).map(Arc::new).map_err(|error| sqlx::Error::Decode(error.into())))
        .transpose()
}

fn recorded(row: &SqliteRow) -> Result<Recorded, StoreError> {
    Ok(Recorded {
        position: row.get::<i64, _>(0) as u64,
        tenant: row.get::<&str, _>(1).into(),
        conversation: row.get::<&str, _>(2).into(),
        sequence: row.get::<i64, _>(3) as u64,
        id: row.get::<&str, _>(4).into(),
        time: time(row.get(5))?,
        kind: row.get::<&str, _>(6).into(),
        schema: row.get::<&str, _>(7).into(),
        data: row.get::<&str, _>(8).into(),
    })
}

fn head_of(row: &SqliteRow) -> Result<Head, StoreError> {
    let id: String = row.get("id");
    let damaged =
        |error: serde_json::Error| StoreError::Corrupt(format!("conversation {id}: {error}"));
    let count = |column: &str| row.get::<i64, _>(column) as u64;
    let ended = row.get::<&str, _>("state") == ConversationState::Ended.as_str();
    let last_turn = row.get::<Option<&str>, _>("last_turn").map(serde_json::from_str).transpose();
    Ok(Head {
        row: ConversationRow {
            state: if ended { ConversationState::Ended } else { ConversationState::Live },
            channel: row.get("channel"),
            external_id: row.get("external_id"),
            started_at: time(row.get("started_at"))?,
            ended_at: row.get::<Option<i64>, _>("ended_at").map(time).transpose()?,
            duration_ms: row.get::<Option<i64>, _>("duration_ms").map(|ms| ms as u64),
            parties: serde_json::from_str(row.get("parties")).map_err(damaged)?,
            attributes: serde_json::from_str(row.get("attributes")).map_err(damaged)?,
            turn_count: count("turn_count"),
            card_count: count("card_count"),
            last_turn: last_turn.map_err(damaged)?,
            last_sequence: count("last_sequence"),
            last_position: count("last_position"),
            id: id.clone().into(),
        },
        first_position: count("first_position"),
        last_event_at: time(row.get("last_event_at"))?,
        whole: false,
    })
}

pub(super) fn time(milliseconds: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(milliseconds)
        .map_err(|error| StoreError::Corrupt(format!("a time is out of range: {error}")))
}
