//! The writer's statements: a column is one array, whatever the number of rows, so each statement is prepared once.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, Error, PgConnection};

use crate::domain::{CardId, ConversationId, DeliveryState, TenantId};
use crate::store::codec;
use crate::store::writer::{Entry, Group, Head, HeadKey, LogState, Posted};

const EVENTS: &str = "INSERT INTO events (position, tenant, conversation, sequence, id, time, kind, schema, data, \
    salt, chain) SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::text[], \
    $6::bigint[], $7::text[], $8::text[], $9::text[], $10::bytea[], $11::bytea[])";

/// What every event changes.
const CHANGES: &str = "UPDATE conversations AS c SET turn_count = v.turn_count, card_count = v.card_count, \
    last_turn = v.last_turn, last_event_at = v.last_event_at, last_sequence = v.last_sequence, \
    last_position = v.last_position, chain = v.chain FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], \
    $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bytea[]) AS v (first_position, turn_count, \
    card_count, last_turn, last_event_at, last_sequence, last_position, chain) \
    WHERE c.first_position = v.first_position";

const WHOLE_HEADS: &str = "INSERT INTO conversations (tenant, id, state, channel, external_id, started_at, ended_at, \
    duration_ms, parties, attributes, turn_count, card_count, last_turn, last_event_at, last_sequence, \
    first_position, last_position, chain) SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], \
    $5::text[], $6::bigint[], $7::bigint[], $8::bigint[], $9::text[], $10::text[], $11::bigint[], $12::bigint[], \
    $13::text[], $14::bigint[], $15::bigint[], $16::bigint[], $17::bigint[], $18::bytea[]) \
    ON CONFLICT (tenant, id) DO UPDATE SET state = excluded.state, ended_at = excluded.ended_at, \
    duration_ms = excluded.duration_ms, parties = excluded.parties, turn_count = excluded.turn_count, \
    card_count = excluded.card_count, last_turn = excluded.last_turn, last_event_at = excluded.last_event_at, \
    last_sequence = excluded.last_sequence, last_position = excluded.last_position, chain = excluded.chain";

const CARDS: &str = "INSERT INTO cards (tenant, id, conversation) \
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) ON CONFLICT DO NOTHING";

const DELIVERIES: &str = "INSERT INTO outbox (tenant, destination, key, lane, conversation, operation, schema, effect, \
    wrapup, \"by\", state, attempts, next_at, unclear, created_at, updated_at) \
    SELECT v.tenant, v.destination, v.key, v.lane, v.conversation, v.operation, $9, v.effect, v.wrapup, v.by_whom, \
    $10, 0, v.at, 0, v.at, v.at FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], \
    $7::text[], $8::text[], $11::text[], $12::bigint[]) WITH ORDINALITY AS v (tenant, destination, key, lane, \
    conversation, operation, effect, wrapup, by_whom, at, n) ORDER BY v.n";

/// A key that stands already is left alone. The server looks for each row's key before it writes it, so this is only
/// asked of a group of which something is known to stand.
const MISSING_ONLY: &str = " ON CONFLICT (tenant, destination, key) DO NOTHING";

pub async fn insert(connection: &mut PgConnection, group: &Group) -> Result<(), Error> {
    if !group.entries.is_empty() {
        events(connection, &group.entries).await?;
    }
    let (whole, changed): (Vec<_>, Vec<_>) = group.heads.iter().partition(|(_, head)| head.whole);
    if !whole.is_empty() {
        whole_heads(connection, &whole).await?;
    }
    if !changed.is_empty() {
        changes(connection, &changed).await?;
    }
    if !group.cards.is_empty() {
        cards(connection, &group.cards).await?;
    }
    if !group.deliveries.is_empty() {
        deliveries(connection, &group.deliveries, group.closely).await?;
    }
    Ok(())
}

pub async fn commit(connection: &mut PgConnection, state: &LogState) -> Result<(), Error> {
    // Written out, so that it goes with the commit: two statements with parameters are two round trips.
    let LogState { head, revision } = state;
    let (position, seal) = (head.position, head.seal_text());
    let sql = format!(
        "UPDATE log SET position = {position}, revision = {revision}, seal = decode('{seal}', 'hex'); COMMIT"
    );
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await.map(drop)
}

/// One column of all rows.
fn column<'a, R, T>(rows: &'a [R], of: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(of).collect()
}

async fn events(connection: &mut PgConnection, entries: &[Entry]) -> Result<(), Error> {
    sqlx::query(EVENTS)
        .bind(column(entries, |entry| entry.event.position as i64))
        .bind(column(entries, |entry| entry.event.tenant.as_str()))
        .bind(column(entries, |entry| entry.event.conversation.as_str()))
        .bind(column(entries, |entry| entry.event.sequence as i64))
        .bind(column(entries, |entry| entry.event.id.as_str()))
        .bind(column(entries, |entry| entry.event.time.as_millisecond()))
        .bind(column(entries, |entry| &*entry.event.kind))
        .bind(column(entries, |entry| &*entry.event.schema))
        .bind(column(entries, |entry| &*entry.event.data))
        .bind(column(entries, |entry| entry.salt.as_slice()))
        .bind(column(entries, |entry| entry.chain.as_slice()))
        .execute(connection)
        .await
        .map(drop)
}

async fn whole_heads(
    connection: &mut PgConnection,
    heads: &[(&HeadKey, &Head)],
) -> Result<(), Error> {
    let last_turn = |head: &Head| head.row.last_turn.as_ref().map(json);
    sqlx::query(WHOLE_HEADS)
        .bind(column(heads, |((tenant, _), _)| tenant.as_str()))
        .bind(column(heads, |((_, id), _)| id.as_str()))
        .bind(column(heads, |(_, head)| head.state_text()))
        .bind(column(heads, |(_, head)| head.row.channel.as_str()))
        .bind(column(heads, |(_, head)| head.row.external_id.as_deref()))
        .bind(column(heads, |(_, head)| head.row.started_at.as_millisecond()))
        .bind(column(heads, |(_, head)| head.row.ended_at.map(|time| time.as_millisecond())))
        .bind(column(heads, |(_, head)| head.row.duration_ms.map(|ms| ms as i64)))
        .bind(column(heads, |(_, head)| json(&head.row.parties)))
        .bind(column(heads, |(_, head)| json(&head.row.attributes)))
        .bind(column(heads, |(_, head)| head.row.turn_count as i64))
        .bind(column(heads, |(_, head)| head.row.card_count as i64))
        .bind(column(heads, |(_, head)| last_turn(head)))
        .bind(column(heads, |(_, head)| head.last_event_at.as_millisecond()))
        .bind(column(heads, |(_, head)| head.row.last_sequence as i64))
        .bind(column(heads, |(_, head)| head.first_position as i64))
        .bind(column(heads, |(_, head)| head.row.last_position as i64))
        .bind(column(heads, |(_, head)| head.chain.as_slice()))
        .execute(connection)
        .await
        .map(drop)
}

async fn changes(connection: &mut PgConnection, heads: &[(&HeadKey, &Head)]) -> Result<(), Error> {
    let last_turn = |head: &Head| head.row.last_turn.as_ref().map(json);
    sqlx::query(CHANGES)
        .bind(column(heads, |(_, head)| head.first_position as i64))
        .bind(column(heads, |(_, head)| head.row.turn_count as i64))
        .bind(column(heads, |(_, head)| head.row.card_count as i64))
        .bind(column(heads, |(_, head)| last_turn(head)))
        .bind(column(heads, |(_, head)| head.last_event_at.as_millisecond()))
        .bind(column(heads, |(_, head)| head.row.last_sequence as i64))
        .bind(column(heads, |(_, head)| head.row.last_position as i64))
        .bind(column(heads, |(_, head)| head.chain.as_slice()))
        .execute(connection)
        .await
        .map(drop)
}

async fn cards(
    connection: &mut PgConnection,
    cards: &[(TenantId, CardId, ConversationId)],
) -> Result<(), Error> {
    sqlx::query(CARDS)
        .bind(column(cards, |(tenant, _, _)| tenant.as_str()))
        .bind(column(cards, |(_, card, _)| card.as_str()))
        .bind(column(cards, |(_, _, conversation)| conversation.as_str()))
        .execute(connection)
        .await
        .map(drop)
}

async fn deliveries(
    connection: &mut PgConnection,
    all: &[(TenantId, ConversationId, Arc<Posted>)],
    closely: bool,
) -> Result<(), Error> {
    let missing = if closely { MISSING_ONLY } else { "" };
    sqlx::query(AssertSqlSafe(format!("{DELIVERIES}{missing}")))
        .bind(column(all, |(tenant, _, _)| tenant.as_str()))
        .bind(column(all, |(_, _, one)| one.new.destination.as_str()))
        .bind(column(all, |(_, _, one)| one.new.key.as_str()))
        .bind(column(all, |(_, _, one)| one.new.lane.as_str()))
        .bind(column(all, |(_, conversation, _)| conversation.as_str()))
        .bind(column(all, |(_, _, one)| one.new.effect.operation()))
        .bind(column(all, |(_, _, one)| &*one.effect))
        .bind(column(all, |(_, _, one)| one.new.from.as_ref().map(|id| id.as_str())))
        .bind(codec::EFFECT_SCHEMA)
        .bind(DeliveryState::Waiting.as_str())
        .bind(column(all, |(_, _, one)| one.new.by.as_deref()))
        .bind(column(all, |(_, _, one)| one.new.created_at.as_millisecond()))
        .execute(connection)
        .await
        .map(drop)
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("wire types have string keys only; this is a bug")
}
