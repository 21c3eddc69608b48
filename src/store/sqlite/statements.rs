//! The writer's statements. Rows go in many at a time: a round trip to SQLite's thread costs more
//! than a row.

use std::sync::{Arc, OnceLock};

use sqlx::query::Query;
use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteConnection};
use sqlx::{AssertSqlSafe, Error};

use crate::domain::{CardId, ConversationId, TenantId};
use crate::store::chain::LogHead;
use crate::store::codec;
use crate::store::sql::{Connection, Sql};
use crate::store::writer::{Entry, Head, HeadKey, LogState, Posted};

/// So many rows a statement takes at most, as a power of two; the sizes below it are used for the
/// remainder, so that there are few statements and all of them stay prepared.
const LARGEST: usize = 6;

/// One statement in all its sizes.
struct Rows {
    row: &'static str,
    /// Around the list of rows.
    sql: fn(&str) -> String,
    sizes: [OnceLock<Arc<str>>; LARGEST + 1],
}

type Bound = Query<'static, Sqlite, SqliteArguments>;

impl Rows {
    const fn new(row: &'static str, sql: fn(&str) -> String) -> Self {
        Self { row, sql, sizes: [const { OnceLock::new() }; LARGEST + 1] }
    }

    /// `bind` adds the columns of one row.
    async fn write<T>(
        &self,
        connection: &mut SqliteConnection,
        rows: &[T],
        bind: impl Fn(Bound, &T) -> Bound,
    ) -> Result<(), Error> {
        let mut rest = rows;
        // The largest size that the rest fills.
        while let Some(size) = rest.len().checked_ilog2() {
            let size = (size as usize).min(LARGEST);
            let (now, later) = rest.split_at(1 << size);
            let query = sqlx::query(AssertSqlSafe(self.of_size(size)));
            now.iter().fold(query, &bind).execute(&mut *connection).await?;
            rest = later;
        }
        Ok(())
    }

    fn of_size(&self, size: usize) -> Arc<str> {
        let sql = self.sizes[size]
            .get_or_init(|| (self.sql)(&vec![self.row; 1 << size].join(",")).into());
        sql.clone()
    }
}

static EVENTS: Rows = Rows::new("(?,?,?,?,?,?,?,?,?,?,?)", |rows| {
    format!(
        "INSERT INTO events (position, tenant, conversation, sequence, id, time, kind, schema, \
         data, salt, chain) VALUES {rows}"
    )
});

/// What every event changes.
static CHANGES: Rows = Rows::new("(?,?,?,?,?,?,?,?)", |rows| {
    format!(
        "UPDATE conversations SET turn_count = v.column2, card_count = v.column3, \
         last_turn = v.column4, last_event_at = v.column5, last_sequence = v.column6, \
         last_position = v.column7, chain = v.column8 FROM (VALUES {rows}) AS v \
         WHERE conversations.first_position = v.column1"
    )
});

static WHOLE_HEADS: Rows = Rows::new("(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", |rows| {
    format!(
        "INSERT INTO conversations (tenant, id, state, channel, external_id, started_at, \
         ended_at, duration_ms, parties, attributes, turn_count, card_count, last_turn, \
         last_event_at, last_sequence, first_position, last_position, chain) VALUES {rows} \
         ON CONFLICT (tenant, id) DO UPDATE SET state = excluded.state, \
         ended_at = excluded.ended_at, duration_ms = excluded.duration_ms, \
         parties = excluded.parties, \
         turn_count = excluded.turn_count, card_count = excluded.card_count, \
         last_turn = excluded.last_turn, last_event_at = excluded.last_event_at, \
         last_sequence = excluded.last_sequence, last_position = excluded.last_position, \
         chain = excluded.chain"
    )
});

static DELIVERIES: Rows = Rows::new("(?,?,?,?,?,?,?,?,?,?,'waiting',0,?,0,?,?)", |rows| {
    format!(
        "INSERT INTO outbox (tenant, destination, key, lane, conversation, operation, schema, effect, wrapup, \
         \"by\", state, attempts, next_at, unclear, created_at, updated_at) VALUES {rows} \
         ON CONFLICT (tenant, destination, key) DO NOTHING"
    )
});

pub async fn insert_events(
    connection: &mut SqliteConnection,
    entries: &[Entry],
) -> Result<(), Error> {
    let bind = |query: Bound, entry: &Entry| {
        let event = &entry.event;
        query
            .bind(event.position as i64)
            .bind(event.tenant.shared())
            .bind(event.conversation.shared())
            .bind(event.sequence as i64)
            .bind(event.id.shared())
            .bind(event.time.as_millisecond())
            .bind(event.kind.clone())
            .bind(event.schema.clone())
            .bind(event.data.clone())
            .bind(entry.salt.to_vec())
            .bind(entry.chain.to_vec())
    };
    EVENTS.write(connection, entries, bind).await
}

pub async fn save_heads<'a>(
    connection: &mut SqliteConnection,
    heads: impl Iterator<Item = (&'a HeadKey, &'a Head)>,
) -> Result<(), Error> {
    let (whole, changed): (Vec<_>, Vec<_>) = heads.partition(|(_, head)| head.whole);
    let bind_whole = |query: Bound, ((tenant, id), head): &(&HeadKey, &Head)| {
        let row = &head.row;
        query
            .bind(tenant.as_str())
            .bind(id.as_str())
            .bind(head.state_text())
            .bind(row.channel.as_str())
            .bind(row.external_id.as_deref())
            .bind(row.started_at.as_millisecond())
            .bind(row.ended_at.map(|time| time.as_millisecond()))
            .bind(row.duration_ms.map(|ms| ms as i64))
            .bind(json(&row.parties))
            .bind(json(&row.attributes))
            .bind(row.turn_count as i64)
            .bind(row.card_count as i64)
            .bind(row.last_turn.as_ref().map(json))
            .bind(head.last_event_at.as_millisecond())
            .bind(row.last_sequence as i64)
            .bind(head.first_position as i64)
            .bind(row.last_position as i64)
            .bind(head.chain.to_vec())
    };
    WHOLE_HEADS.write(connection, &whole, bind_whole).await?;
    let bind_changes = |query: Bound, (_, head): &(&HeadKey, &Head)| {
        let row = &head.row;
        query
            .bind(head.first_position as i64)
            .bind(row.turn_count as i64)
            .bind(row.card_count as i64)
            .bind(row.last_turn.as_ref().map(json))
            .bind(head.last_event_at.as_millisecond())
            .bind(row.last_sequence as i64)
            .bind(row.last_position as i64)
            .bind(head.chain.to_vec())
    };
    CHANGES.write(connection, &changed, bind_changes).await
}

pub async fn insert_cards(
    connection: &mut SqliteConnection,
    cards: &[(TenantId, CardId, ConversationId)],
) -> Result<(), Error> {
    for (tenant, card, conversation) in cards {
        sqlx::query("INSERT OR IGNORE INTO cards (tenant, id, conversation) VALUES (?, ?, ?)")
            .bind(tenant.as_str())
            .bind(card.as_str())
            .bind(conversation.as_str())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// A key that stands already is left alone.
pub async fn insert_deliveries(
    connection: &mut SqliteConnection,
    deliveries: &[(TenantId, ConversationId, Arc<Posted>)],
) -> Result<(), Error> {
    type Placed = (TenantId, ConversationId, Arc<Posted>);
    let schema: Arc<str> = codec::EFFECT_SCHEMA.into();
    let bind = |query: Bound, (tenant, conversation, posted): &Placed| {
        let new = &posted.new;
        let at = new.created_at.as_millisecond();
        query
            .bind(tenant.shared())
            .bind(new.destination.as_str())
            .bind(new.key.as_str())
            .bind(new.lane.as_str())
            .bind(conversation.shared())
            .bind(new.effect.operation())
            .bind(schema.clone())
            .bind(posted.effect.clone())
            .bind(new.from.as_ref().map(|id| id.as_str()))
            .bind(new.by.as_deref())
            .bind(at)
            .bind(at)
            .bind(at)
    };
    DELIVERIES.write(connection, deliveries, bind).await
}

/// Where the log is.
pub async fn state(connection: &mut Connection) -> Result<LogState, Error> {
    let sql = Sql::new("SELECT position, revision, seal FROM log");
    let row = connection.row(sql).await?.ok_or(Error::RowNotFound)?;
    let seal = row.bytes(2).try_into();
    let seal = seal.map_err(|_| Error::Decode("the log's seal isn't 32 bytes long".into()))?;
    let head = LogHead { position: row.int(0) as u64, seal };
    Ok(LogState { head, revision: row.int(1) as u64 })
}

/// Written out, so that it goes with the commit: two statements with parameters are two round trips.
pub fn save_state(LogState { head, revision }: &LogState) -> String {
    let (position, seal) = (head.position, head.seal_text());
    format!("UPDATE log SET position = {position}, revision = {revision}, seal = x'{seal}';")
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("wire types have string keys only; this is a bug")
}
