//! Reading everything, in pages, as audits do.

use std::collections::HashMap;

use super::beside::Decided;
use super::{Reader, hash, in_row, recorded};
use crate::domain::{ConversationId, Recorded, TenantId};
use crate::store::StoreError;
use crate::store::chain::{Audit, Hash, Linked, LogHead, Report, START, link};
use crate::store::sql::{Row, Sql};

const PAGE: i64 = 1_000;
/// So many of the newest positions are checked at each start.
const CHECKED_AT_START: u64 = 500;

impl Reader {
    /// Checks the chain of the whole log, as far as it stands now; appends go on meanwhile. `progress` hears how many
    /// events were read.
    pub async fn audit(
        &self,
        kept: Option<LogHead>,
        mut progress: impl FnMut(u64) + Send,
    ) -> Result<Report, StoreError> {
        let mut audit = Audit::new(kept);
        match self.audit_all(&mut audit, &mut progress).await {
            Ok(end) => Ok(audit.finish(end)),
            // What comes behind it can't be said.
            Err(StoreError::Corrupt(what)) => Ok(audit.break_off(what)),
            Err(error) => Err(error),
        }
    }

    async fn audit_all(
        &self,
        audit: &mut Audit,
        progress: &mut (impl FnMut(u64) + Send),
    ) -> Result<LogHead, StoreError> {
        for what in self.page_faults().await? {
            audit.damaged(what);
        }
        // What comes later isn't looked at, so that heads and events are of one moment.
        let end = self.log_head().await?;
        let (mut after, mut count) = (0, 0);
        let mut decided = Decided::default();
        loop {
            let page = self.linked(after, end.position).await?;
            let Some(last) = page.last() else { break };
            after = last.event.position;
            count += page.len() as u64;
            for linked in &page {
                audit.take(linked);
                decided.take(linked);
            }
            self.cards_differ(&page, audit).await?;
            progress(count);
        }
        self.ends(end.position, audit).await?;
        match self.articles_differ(decided, audit).await {
            Err(StoreError::Corrupt(what)) => audit.damaged(what),
            walked => walked?,
        }
        Ok(end)
    }

    /// A look at the log's end, at each start: the newest events are what was written, and nothing was cut off.
    ///
    /// # Errors
    /// It is damaged.
    pub async fn check_ends(&self) -> Result<(), StoreError> {
        let (head, newest) = (self.log_head().await?, self.head().await?);
        if head.position != newest {
            return Err(StoreError::Corrupt(format!(
                "its newest event has position {newest}, and {} was the last one written",
                head.position
            )));
        }
        let mut ends: HashMap<(TenantId, ConversationId), Hash> = HashMap::new();
        for linked in self.linked(newest.saturating_sub(CHECKED_AT_START), newest).await? {
            let event = &linked.event;
            let key = (event.tenant.clone(), event.conversation.clone());
            let before = match ends.get(&key) {
                _ if event.sequence == 1 => Some(START),
                Some(before) => Some(*before),
                None => self.chain_of(event, event.sequence - 1).await?,
            };
            let body = linked.body();
            let holds = before
                .zip(body)
                .is_some_and(|(before, body)| link(&before, event, &body) == linked.chain);
            if !holds {
                return Err(StoreError::Corrupt(format!(
                    "event {} of conversation {} is not what was written",
                    event.sequence, event.conversation
                )));
            }
            ends.insert(key, linked.chain);
        }
        Ok(())
    }

    async fn chain_of(&self, of: &Recorded, sequence: u64) -> Result<Option<Hash>, StoreError> {
        let sql = Sql::new(
            "SELECT chain FROM events WHERE tenant = $1 AND conversation = $2 AND sequence = $3",
        )
        .with(of.tenant.as_str())
        .with(of.conversation.as_str())
        .with(in_row(sequence));
        self.row(sql).await?.map(|row| hash(&row.bytes(0))).transpose()
    }

    /// Events of all tenants after a position, up to another, in commit order.
    pub async fn linked(&self, after: u64, up_to: u64) -> Result<Vec<Linked>, StoreError> {
        let sql = Sql::new(
            "SELECT position, tenant, conversation, sequence, id, time, kind, schema, data, salt, commitment, chain \
             FROM events WHERE position > $1 AND position <= $2 ORDER BY position LIMIT $3",
        )
        .with(in_row(after))
        .with(in_row(up_to))
        .with(PAGE);
        self.rows(sql).await?.iter().map(linked).collect()
    }

    async fn ends(&self, up_to: u64, audit: &mut Audit) -> Result<(), StoreError> {
        let mut after = 0;
        loop {
            let sql = Sql::new(
                "SELECT first_position, tenant, id, last_sequence, last_position, chain FROM conversations \
                 WHERE first_position > $1 AND first_position <= $2 ORDER BY first_position LIMIT $3",
            )
            .with(after)
            .with(in_row(up_to))
            .with(PAGE);
            let rows = self.rows(sql).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = last.int(0);
            for row in &rows {
                let (tenant, id): (TenantId, ConversationId) =
                    (row.text(1).into(), row.text(2).into());
                let (sequence, chain) = match row.int(4) as u64 > up_to {
                    // It has grown since the walk began.
                    true => self.end_at(&tenant, &id, up_to).await?,
                    false => (row.int(3) as u64, hash(&row.maybe_bytes(5).unwrap_or_default())?),
                };
                audit.conversation(&tenant, &id, sequence, &chain);
                // What is named already needs no second name.
                if !audit.is_faulty(&tenant, &id)
                    && let Some(what) = self.row_differs(&tenant, &id, up_to).await?
                {
                    audit.row_differs(&tenant, &id, what);
                }
            }
        }
    }

    async fn end_at(
        &self,
        tenant: &TenantId,
        id: &ConversationId,
        up_to: u64,
    ) -> Result<(u64, Hash), StoreError> {
        let sql = Sql::new(
            "SELECT sequence, chain FROM events WHERE tenant = $1 AND conversation = $2 AND position <= $3 \
             ORDER BY sequence DESC LIMIT 1",
        )
        .with(tenant.as_str())
        .with(id.as_str())
        .with(in_row(up_to));
        match self.row(sql).await? {
            Some(row) => Ok((row.int(0) as u64, hash(&row.bytes(1))?)),
            None => Err(StoreError::Corrupt(format!("conversation {id} has no event"))),
        }
    }
}

fn linked(row: &Row) -> Result<Linked, StoreError> {
    let salt = row.maybe_bytes(9).map(|bytes| {
        let short = |_| StoreError::Corrupt("a salt isn't 16 bytes long".to_owned());
        bytes.try_into().map_err(short)
    });
    Ok(Linked {
        event: recorded(row)?,
        salt: salt.transpose()?,
        commitment: row.maybe_bytes(10).map(|bytes| hash(&bytes)).transpose()?,
        chain: hash(&row.bytes(11))?,
    })
}
