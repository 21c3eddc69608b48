//! What readers ask about the outbox. An effect that is erased left its row, with nothing in it: it isn't told of.

use jiff::Timestamp;

use super::{Reader, in_row};
use crate::domain::{DedupeKey, Delivery, DeliveryState, NewDelivery, Progress, TenantId};
use crate::store::outbox::{DeliveryQuery, MAX_DELIVERIES, OF_CONVERSATION};
use crate::store::sql::{Column, Dialect, Row, Sql};
use crate::store::{Page, StoreError, codec};

const ROW: &str = "SELECT position, tenant, destination, key, lane, conversation, operation, effect, wrapup, \
    \"by\", state, attempts, next_at, unclear, remote_id, problem, created_at, updated_at FROM outbox o ";

/// Of a destination: what may go next in its lane. What belongs to a case that is a dead letter waits for it, and
/// lets others pass. `$1` is the destination.
fn first_of_lane(dialect: Dialect) -> String {
    let case_of = |row: &str| dialect.member(&format!("{row}.effect"), &["case", "made_by"]);
    let (of_one, of_earlier) = (case_of("o"), case_of("e"));
    format!(
        "o.destination = $1 AND o.state = 'waiting' AND NOT EXISTS \
         (SELECT 1 FROM outbox c WHERE c.tenant = o.tenant AND c.destination = o.destination \
          AND c.key = {of_one} AND c.state = 'failed') AND NOT EXISTS \
         (SELECT 1 FROM outbox e WHERE e.destination = o.destination AND e.lane = o.lane \
          AND e.state IN ('waiting', 'sending') AND (e.state = 'sending' OR (e.position < o.position AND NOT EXISTS \
          (SELECT 1 FROM outbox c WHERE c.tenant = e.tenant AND c.destination = e.destination \
           AND c.key = {of_earlier} AND c.state = 'failed'))))"
    )
}

impl Reader {
    pub async fn due(
        &self,
        destination: &str,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        // What waits for longer than any pause was put off before the clock was set back.
        let latest = now.checked_add(Progress::PAUSE_MAX).unwrap_or(Timestamp::MAX);
        let first = first_of_lane(self.dialect());
        let sql = Sql::new(format!(
            "{ROW} WHERE {first} AND (o.next_at <= $2 OR o.next_at > $3) ORDER BY o.position LIMIT $4"
        ))
        .with(destination)
        .with(now.as_millisecond())
        .with(latest.as_millisecond())
        .with(limit.min(MAX_DELIVERIES) as i64);
        self.rows(sql).await?.iter().map(delivery).collect()
    }

    pub async fn next_due(&self, destination: &str) -> Result<Option<Timestamp>, StoreError> {
        let first = first_of_lane(self.dialect());
        let sql = Sql::new(format!("SELECT min(o.next_at) FROM outbox o WHERE {first}"));
        let row = self.row(sql.with(destination)).await?;
        row.and_then(|row| row.maybe_int(0)).map(moment).transpose()
    }

    pub async fn in_state(
        &self,
        destination: &str,
        state: DeliveryState,
        after: u64,
    ) -> Result<Vec<Delivery>, StoreError> {
        let sql = Sql::new(format!(
            "{ROW} WHERE destination = $1 AND state = $2 AND position > $3 AND effect <> '' ORDER BY position LIMIT $4"
        ))
        .with(destination)
        .with(state.as_str())
        .with(in_row(after))
        .with(MAX_DELIVERIES as i64);
        self.rows(sql).await?.iter().map(delivery).collect()
    }

    pub async fn deliveries(&self, query: &DeliveryQuery) -> Result<Page<Delivery>, StoreError> {
        let limit = query.limit.clamp(1, MAX_DELIVERIES);
        let before = match &query.after {
            None => None,
            Some(after) => {
                Some(after.parse::<i64>().map_err(|_| StoreError::BadCursor(after.clone()))?)
            }
        };
        let mut sql = Sql::new(ROW);
        let tenant = sql.next(query.tenant.as_str());
        match &query.conversation {
            // The newest of each state, which an index has in their order; else all of a tenant would be sorted.
            None if query.state.is_none() => {
                let before = match &before {
                    Some(before) => format!(" AND position < {before}"),
                    None => String::new(),
                };
                let newest = DeliveryState::ALL.map(|state| {
                    format!(
                        "SELECT position FROM (SELECT position FROM outbox WHERE tenant = {tenant} AND state = '{}' \
                         AND effect <> ''{before} ORDER BY position DESC LIMIT {}) AS newest",
                        state.as_str(),
                        limit + 1
                    )
                });
                sql.push("WHERE position IN (").push(&newest.join(" UNION ALL ")).push(")")
            }
            None => sql.push("WHERE tenant = ").push(&tenant),
            Some(conversation) => {
                sql.next(conversation.as_str());
                sql.push("WHERE ").push(OF_CONVERSATION)
            }
        };
        sql.push(" AND effect <> ''");
        if let Some(state) = query.state {
            sql.push(" AND state = ").bind(state.as_str());
        }
        if let Some(before) = before {
            sql.push(" AND position < ").bind(before);
        }
        sql.push(" ORDER BY position DESC LIMIT ").bind(limit as i64 + 1);
        let rows = self.rows(sql).await?;
        let mut items: Vec<Delivery> = rows.iter().map(delivery).collect::<Result<_, _>>()?;
        let is_more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| is_more).map(|last| last.position.to_string());
        Ok(Page { items, next })
    }

    pub async fn delivery(
        &self,
        tenant: &TenantId,
        position: u64,
    ) -> Result<Option<Delivery>, StoreError> {
        let sql = Sql::new(format!("{ROW} WHERE tenant = $1 AND position = $2 AND effect <> ''"))
            .with(tenant.as_str())
            .with(in_row(position));
        self.row(sql).await?.as_ref().map(delivery).transpose()
    }

    pub async fn delivery_by_key(
        &self,
        tenant: &TenantId,
        destination: &str,
        key: &DedupeKey,
    ) -> Result<Option<Delivery>, StoreError> {
        let sql = Sql::new(format!(
            "{ROW} WHERE tenant = $1 AND destination = $2 AND key = $3 AND effect <> ''"
        ))
        .with(tenant.as_str())
        .with(destination)
        .with(key.as_str());
        self.row(sql).await?.as_ref().map(delivery).transpose()
    }

    pub async fn tally(
        &self,
        tenant: &TenantId,
    ) -> Result<Vec<(String, DeliveryState, u64)>, StoreError> {
        let sql = Sql::new(
            "SELECT destination, state, count(*) FROM outbox WHERE tenant = $1 GROUP BY 1, 2 ORDER BY 1, 2",
        );
        let rows = self.rows(sql.with(tenant.as_str())).await?;
        let line = |row: &Row| Ok((row.text(0).to_owned(), state(row, 1)?, row.int(2) as u64));
        rows.iter().map(line).collect()
    }
}

fn delivery(row: &Row) -> Result<Delivery, StoreError> {
    let position = row.int("position") as u64;
    let effect = codec::decode_effect(row.text("effect")).map_err(|why| {
        StoreError::Corrupt(format!("delivery {position} of the outbox can't be read: {why}"))
    })?;
    let created_at = moment(row.int("created_at"))?;
    let state = state(row, "state")?;
    Ok(Delivery {
        position,
        tenant: row.text("tenant").into(),
        conversation: row.text("conversation").into(),
        new: NewDelivery {
            destination: row.text("destination").to_owned(),
            key: DedupeKey::stored(row.text("key")),
            lane: row.text("lane").to_owned(),
            effect,
            from: row.maybe_text("wrapup").map(Into::into),
            by: row.maybe_text("by").map(str::to_owned),
            created_at,
        },
        progress: Progress {
            state,
            attempts: u32::try_from(row.int("attempts")).unwrap_or(u32::MAX),
            next_at: moment(row.int("next_at"))?,
            unclear: row.int("unclear") != 0,
            remote_id: row.maybe_text("remote_id").map(str::to_owned),
            problem: row.maybe_text("problem").map(str::to_owned),
            updated_at: moment(row.int("updated_at"))?,
        },
    })
}

fn state(row: &Row, column: impl Column) -> Result<DeliveryState, StoreError> {
    let text = row.text(column);
    DeliveryState::parse(text)
        .ok_or_else(|| StoreError::Corrupt(format!("the outbox has the unknown state {text}")))
}

fn moment(milliseconds: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(milliseconds)
        .map_err(|_| StoreError::Corrupt("the outbox has a time out of range".to_owned()))
}
