//! The writer's statements. Rows go in many at a time: a round trip to SQLite's thread costs more
//! than a row.

use std::sync::{Arc, OnceLock};

use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Error};

use super::head::{Head, HeadKey};
use crate::domain::{CardId, ConversationId, Recorded, TenantId};

const EVENT_COLUMNS: usize = 9;
const HEAD_COLUMNS: usize = 17;
const CHANGE_COLUMNS: usize = 7;

/// So many rows a statement takes at most, as a power of two; the sizes below it are used for the
/// remainder, so that there are few statements and all of them stay prepared.
const LARGEST: usize = 6;

pub async fn insert_events(
    connection: &mut SqliteConnection,
    events: &[Arc<Recorded>],
) -> Result<(), Error> {
    static SQL: [OnceLock<Arc<str>>; LARGEST + 1] = [const { OnceLock::new() }; LARGEST + 1];
    let mut rest = events;
    while let Some(size) = chunk(rest.len()) {
        let sql = SQL[size].get_or_init(|| {
            let rows = rows(1 << size, EVENT_COLUMNS);
            format!(
                "INSERT INTO events (position, tenant, conversation, sequence, id, time, kind, \
                 schema, data) VALUES {rows}"
            )
            .into()
        });
        let (now, later) = rest.split_at(1 << size);
        let mut query = sqlx::query(AssertSqlSafe(sql.clone()));
        for event in now {
            query = query
                .bind(event.position as i64)
                .bind(event.tenant.as_str())
                .bind(event.conversation.as_str())
                .bind(event.sequence as i64)
                .bind(event.id.as_str())
                .bind(event.time.as_millisecond())
                .bind(event.kind.clone())
                .bind(event.schema.clone())
                .bind(event.data.clone());
        }
        query.execute(&mut *connection).await?;
        rest = later;
    }
    Ok(())
}

pub async fn save_heads<'a>(
    connection: &mut SqliteConnection,
    heads: impl Iterator<Item = (&'a HeadKey, &'a Head)>,
) -> Result<(), Error> {
    let (whole, changed): (Vec<_>, Vec<_>) = heads.partition(|(_, head)| head.whole);
    save_whole(connection, &whole).await?;
    save_changes(connection, &changed).await
}

/// What every event changes.
async fn save_changes(
    connection: &mut SqliteConnection,
    heads: &[(&HeadKey, &Head)],
) -> Result<(), Error> {
    static SQL: [OnceLock<Arc<str>>; LARGEST + 1] = [const { OnceLock::new() }; LARGEST + 1];
    let mut rest = heads;
    while let Some(size) = chunk(rest.len()) {
        let sql = SQL[size].get_or_init(|| {
            let rows = rows(1 << size, CHANGE_COLUMNS);
            format!(
                "UPDATE conversations SET turn_count = v.column2, card_count = v.column3, \
                 last_turn = v.column4, last_event_at = v.column5, last_sequence = v.column6, \
                 last_position = v.column7 FROM (VALUES {rows}) AS v \
                 WHERE conversations.first_position = v.column1"
            )
            .into()
        });
        let (now, later) = rest.split_at(1 << size);
        let mut query = sqlx::query(AssertSqlSafe(sql.clone()));
        for (_, head) in now {
            let row = &head.row;
            query = query
                .bind(head.first_position as i64)
                .bind(row.turn_count as i64)
                .bind(row.card_count as i64)
                .bind(row.last_turn.as_ref().map(json))
                .bind(head.last_event_at.as_millisecond())
                .bind(row.last_sequence as i64)
                .bind(row.last_position as i64);
        }
        query.execute(&mut *connection).await?;
        rest = later;
    }
    Ok(())
}

async fn save_whole(
    connection: &mut SqliteConnection,
    heads: &[(&HeadKey, &Head)],
) -> Result<(), Error> {
    static SQL: [OnceLock<Arc<str>>; LARGEST + 1] = [const { OnceLock::new() }; LARGEST + 1];
    let mut rest = heads;
    while let Some(size) = chunk(rest.len()) {
        let sql = SQL[size].get_or_init(|| {
            let rows = rows(1 << size, HEAD_COLUMNS);
            format!(
                "INSERT INTO conversations (tenant, id, state, channel, external_id, started_at, \
                 ended_at, duration_ms, parties, attributes, turn_count, card_count, last_turn, \
                 last_event_at, last_sequence, first_position, last_position) VALUES {rows} \
                 ON CONFLICT (tenant, id) DO UPDATE SET state = excluded.state, \
                 ended_at = excluded.ended_at, duration_ms = excluded.duration_ms, \
                 turn_count = excluded.turn_count, card_count = excluded.card_count, \
                 last_turn = excluded.last_turn, last_event_at = excluded.last_event_at, \
                 last_sequence = excluded.last_sequence, last_position = excluded.last_position"
            )
            .into()
        });
        let (now, later) = rest.split_at(1 << size);
        let mut query = sqlx::query(AssertSqlSafe(sql.clone()));
        for ((tenant, id), head) in now {
            let row = &head.row;
            query = query
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
                .bind(row.last_position as i64);
        }
        query.execute(&mut *connection).await?;
        rest = later;
    }
    Ok(())
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

/// The exponent of the largest statement that `left` rows fill.
fn chunk(left: usize) -> Option<usize> {
    left.checked_ilog2().map(|size| (size as usize).min(LARGEST))
}

fn rows(count: usize, columns: usize) -> String {
    let row = format!("({})", vec!["?"; columns].join(","));
    vec![row; count].join(",")
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("wire types have string keys only; this is a bug")
}
