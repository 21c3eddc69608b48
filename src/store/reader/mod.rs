//! Reading: connections that can't write. The statements are the same in both back ends.
//!
//! Readers see events in commit order by reading on from a position, because the writer gives positions under the
//! lock under which it commits: what is behind a position that somebody saw was there before.

mod articles;
mod beside;
mod erasure;
mod outbox;
mod told;
mod walk;

use std::sync::Arc;

pub use self::articles::newest_revision;
use jiff::Timestamp;

use super::chain::{Hash, LogHead, START};
use super::sql::{Connection, Dialect, Pool, Row, Sql};
use super::writer::{Head, HeadKey};
use super::{
    ConversationRow, ConversationState, ERASED, KindFilter, ListQuery, MAX_READ, Page, ReadQuery,
    SYSTEM, StoreError, is_own,
};
use crate::domain::{CardId, ConversationId, EventId, Recorded, TenantId};

const MAX_LIST: usize = 500;
const EVENT: &str =
    "SELECT position, tenant, conversation, sequence, id, time, kind, schema, data FROM events";

pub struct Reader {
    pool: Pool,
}

impl Reader {
    pub const fn new(pool: Pool) -> Self {
        Self { pool }
    }

    const fn dialect(&self) -> Dialect {
        self.pool.dialect()
    }

    async fn rows(&self, sql: Sql) -> Result<Vec<Row>, StoreError> {
        self.pool.rows(sql).await.map_err(|error| read_error(&error))
    }

    async fn row(&self, sql: Sql) -> Result<Option<Row>, StoreError> {
        self.pool.row(sql).await.map_err(|error| read_error(&error))
    }

    /// The one number that the statement answers with.
    pub async fn number(&self, sql: Sql) -> Result<i64, StoreError> {
        Ok(self.row(sql).await?.map_or(0, |row| row.int(0)))
    }

    pub async fn read(&self, query: &ReadQuery) -> Result<Vec<Arc<Recorded>>, StoreError> {
        let mut sql = Sql::new(EVENT);
        sql.push(" WHERE tenant = ").bind(query.tenant.as_str());
        if let Some(conversation) = &query.conversation {
            sql.push(" AND conversation = ").bind(conversation.as_str());
        }
        sql.push(" AND position > ").bind(in_row(query.after));
        if !query.with_erased {
            sql.push(" AND salt IS NOT NULL");
        }
        only_kinds(&mut sql, &query.kinds);
        // In one conversation both orders are the same, and the index has this one.
        let order = if query.conversation.is_some() { "sequence" } else { "position" };
        sql.push(" ORDER BY ").push(order).push(" LIMIT ");
        sql.bind(query.limit.min(MAX_READ) as i64);
        self.rows(sql).await?.iter().map(|row| shown(row).map(Arc::new)).collect()
    }

    pub async fn head(&self) -> Result<u64, StoreError> {
        let sql = Sql::new("SELECT coalesce(max(position), 0) FROM events");
        Ok(self.number(sql).await? as u64)
    }

    /// Where the log itself says that it ends.
    pub async fn log_head(&self) -> Result<LogHead, StoreError> {
        let row = self.row(Sql::new("SELECT position, seal FROM log")).await?;
        let row = row.ok_or_else(|| StoreError::Corrupt("the log has lost its head".to_owned()))?;
        let seal = hash(&row.bytes(1))?;
        Ok(LogHead { position: row.int(0) as u64, seal })
    }

    /// What the log is called; a restored one has another name.
    pub async fn log_id(&self) -> Result<String, StoreError> {
        let row = self.row(Sql::new("SELECT id FROM log")).await?;
        Ok(row.map(|row| row.text(0).to_owned()).unwrap_or_default())
    }

    pub async fn conversations(
        &self,
        query: &ListQuery,
    ) -> Result<Page<ConversationRow>, StoreError> {
        let limit = query.limit.clamp(1, MAX_LIST);
        let mut sql = Sql::new("SELECT * FROM conversations WHERE tenant = ");
        sql.bind(query.tenant.as_str());
        match query.state {
            Some(state) => sql.push(" AND state = ").bind(state.as_str()),
            None => sql.push(" AND state <> ").bind(SYSTEM),
        };
        if let Some(external_id) = &query.external_id {
            sql.push(" AND external_id = ").bind(external_id.as_str());
        }
        if let Some(after) = &query.after {
            let before: i64 = after.parse().map_err(|_| {
                StoreError::BadCursor(format!("`{}`", after.chars().take(40).collect::<String>()))
            })?;
            sql.push(" AND first_position < ").bind(before);
        }
        sql.push(" ORDER BY first_position DESC LIMIT ").bind(limit as i64 + 1);
        let rows = self.rows(sql).await?;
        let next = (rows.len() > limit).then(|| rows[limit - 1].int("first_position").to_string());
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
        let row = self.row(head_sql(tenant, id)).await?;
        row.map(|row| head_of(&row).map(|head| head.row)).transpose()
    }

    pub async fn conversation_of_card(
        &self,
        tenant: &TenantId,
        card: &CardId,
    ) -> Result<Option<ConversationId>, StoreError> {
        let sql = Sql::new("SELECT conversation FROM cards WHERE tenant = $1 AND id = $2")
            .with(tenant.as_str())
            .with(card.as_str());
        Ok(self.row(sql).await?.map(|row| row.text(0).into()))
    }

    pub async fn event(
        &self,
        tenant: &TenantId,
        id: &EventId,
    ) -> Result<Option<Arc<Recorded>>, StoreError> {
        let row = self.row(event_sql(id)).await?;
        let found = row.map(|row| recorded(&row)).transpose()?;
        let is_theirs = |event: &Recorded| event.tenant == *tenant && !event.data.is_empty();
        Ok(found.filter(is_theirs).map(Arc::new))
    }

    /// All live conversations of all tenants, as the last commit left them.
    pub async fn live_heads(&self) -> Result<Vec<(TenantId, Head)>, StoreError> {
        let rows = self.rows(Sql::new("SELECT * FROM conversations WHERE state = 'live'")).await?;
        rows.iter().map(|row| Ok((row.text("tenant").into(), head_of(row)?))).collect()
    }

    pub async fn integrity(&self) -> Result<(), StoreError> {
        self.pages_hold().await?;
        let broken = Sql::new(
            "SELECT c.id FROM conversations c LEFT JOIN events e \
             ON e.tenant = c.tenant AND e.conversation = c.id \
             GROUP BY c.tenant, c.id, c.last_sequence, c.last_position \
             HAVING count(e.position) <> c.last_sequence OR max(e.sequence) <> c.last_sequence \
             OR max(e.position) <> c.last_position LIMIT 1",
        );
        match self.row(broken).await? {
            Some(row) => Err(StoreError::Corrupt(format!(
                "conversation {} has a gap in its sequence",
                row.text(0)
            ))),
            None => self.articles_hold().await,
        }
    }

    /// SQLite's own look at its pages; PostgreSQL checks each as it reads it.
    pub async fn pages_hold(&self) -> Result<(), StoreError> {
        if self.dialect() == Dialect::Postgres {
            return Ok(());
        }
        let row = self.row(Sql::new("PRAGMA quick_check(1)")).await?;
        match row.as_ref().map(|row| row.text(0)) {
            Some("ok") => Ok(()),
            verdict => {
                Err(StoreError::Corrupt(verdict.unwrap_or("it can't be checked").to_owned()))
            }
        }
    }

    /// The same to the last entry of each index; what is wrong, a line each.
    pub async fn page_faults(&self) -> Result<Vec<String>, StoreError> {
        if self.dialect() == Dialect::Postgres {
            return Ok(Vec::new());
        }
        let rows = self.rows(Sql::new("PRAGMA integrity_check(20)")).await?;
        let lines = rows.iter().map(|row| row.text(0)).filter(|line| *line != "ok");
        Ok(lines.map(str::to_owned).collect())
    }

    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// Goes on with ` AND` what the filter says of the column `kind`.
pub fn only_kinds(sql: &mut Sql, kinds: &KindFilter) {
    if kinds.is_all() {
        return;
    }
    sql.push(" AND (1 = 0");
    for (name, is_stem) in kinds.names() {
        let name = sql.next(name);
        sql.push(&match is_stem {
            true => format!(" OR substr(kind, 1, length({name})) = {name}"),
            false => format!(" OR kind = {name}"),
        });
    }
    sql.push(")");
}

fn head_sql(tenant: &TenantId, id: &ConversationId) -> Sql {
    Sql::new("SELECT * FROM conversations WHERE tenant = $1 AND id = $2")
        .with(tenant.as_str())
        .with(id.as_str())
}

fn event_sql(id: &EventId) -> Sql {
    Sql::new(format!("{EVENT} WHERE id = $1")).with(id.as_str())
}

/// The writer's own look at a conversation, inside its transaction.
pub async fn head(
    connection: &mut Connection,
    (tenant, id): &HeadKey,
) -> Result<Option<Head>, sqlx::Error> {
    let row = connection.row(head_sql(tenant, id)).await?;
    row.map(|row| head_of(&row).map_err(|error| sqlx::Error::Decode(error.into()))).transpose()
}

pub async fn event_by_id(
    connection: &mut Connection,
    id: &EventId,
) -> Result<Option<Arc<Recorded>>, sqlx::Error> {
    let row = connection.row(event_sql(id)).await?;
    row.map(|row| shown(&row).map(Arc::new).map_err(|error| sqlx::Error::Decode(error.into())))
        .transpose()
}

/// An event as it is read; `recorded` has it as it stands.
fn shown(row: &Row) -> Result<Recorded, StoreError> {
    let event = recorded(row)?;
    Ok(match event.data.is_empty() {
        true => Recorded { data: ERASED.into(), ..event },
        false => event,
    })
}

fn recorded(row: &Row) -> Result<Recorded, StoreError> {
    Ok(Recorded {
        position: row.int(0) as u64,
        tenant: row.text(1).into(),
        conversation: row.text(2).into(),
        sequence: row.int(3) as u64,
        id: row.text(4).into(),
        time: time(row.int(5))?,
        kind: row.text(6).into(),
        schema: row.text(7).into(),
        data: row.text(8).into(),
    })
}

fn head_of(row: &Row) -> Result<Head, StoreError> {
    let id = row.text("id");
    let damaged =
        |error: serde_json::Error| StoreError::Corrupt(format!("conversation {id}: {error}"));
    let count = |column: &str| row.int(column) as u64;
    let ended = row.text("state") == ConversationState::Ended.as_str();
    let last_turn = row.maybe_text("last_turn").map(serde_json::from_str).transpose();
    Ok(Head {
        row: ConversationRow {
            state: if ended { ConversationState::Ended } else { ConversationState::Live },
            channel: row.text("channel").to_owned(),
            external_id: row.maybe_text("external_id").map(str::to_owned),
            started_at: time(row.int("started_at"))?,
            ended_at: row.maybe_int("ended_at").map(time).transpose()?,
            duration_ms: row.maybe_int("duration_ms").map(|ms| ms as u64),
            parties: serde_json::from_str(row.text("parties")).map_err(damaged)?,
            attributes: serde_json::from_str(row.text("attributes")).map_err(damaged)?,
            turn_count: count("turn_count"),
            card_count: count("card_count"),
            last_turn: last_turn.map_err(damaged)?,
            last_sequence: count("last_sequence"),
            last_position: count("last_position"),
            erased_at: row.maybe_int("erased_at").map(time).transpose()?,
            id: id.into(),
        },
        first_position: count("first_position"),
        last_event_at: time(row.int("last_event_at"))?,
        chain: row.maybe_bytes("chain").map_or(Ok(START), |bytes| hash(&bytes))?,
        whole: false,
    })
}

fn time(milliseconds: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(milliseconds)
        .map_err(|error| StoreError::Corrupt(format!("a time is out of range: {error}")))
}

fn hash(bytes: &[u8]) -> Result<Hash, StoreError> {
    bytes.try_into().map_err(|_| StoreError::Corrupt("a hash isn't 32 bytes long".to_owned()))
}

fn in_row(position: u64) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}

/// What is to be said of a failed read: whether the database is gone, or it answered badly.
pub fn read_error(error: &sqlx::Error) -> StoreError {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::Tls(_) => {
            StoreError::Unreachable(error.to_string().into())
        }
        sqlx::Error::Database(answer) if is_of_shutdown(answer.code().as_deref()) => {
            StoreError::Unreachable(error.to_string().into())
        }
        sqlx::Error::Database(answer) if is_of_damage(answer.code().as_deref()) => {
            StoreError::Corrupt(answer.message().to_owned())
        }
        error @ sqlx::Error::ColumnDecode { .. } => StoreError::Corrupt(error.to_string()),
        error => StoreError::Read(error.to_string().into()),
    }
}

/// SQLite's codes of a file that is no database, or none any more.
fn is_of_damage(code: Option<&str>) -> bool {
    matches!(code, Some("11" | "26" | "267" | "523" | "779"))
}

/// PostgreSQL's classes 08 (connection) and 57P (operator intervention: shutting down, starting up).
pub fn is_of_shutdown(code: Option<&str>) -> bool {
    code.is_some_and(|code| code.starts_with("57P") || code.starts_with("08"))
}
