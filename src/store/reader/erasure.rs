//! What could be erased.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{Reader, only_kinds};
use crate::domain::{ConversationId, TenantId};
use crate::store::erasure::{Erased, Erasure, Reach};
use crate::store::outbox::OF_CONVERSATION;
use crate::store::sql::Sql;
use crate::store::writer::{
    Unreviewed, drafted, drafts_told, elsewhere, told, unreviewed, without,
};
use crate::store::{StoreError, codec};

impl Reader {
    pub async fn would_erase(&self, what: &Erasure) -> Result<Erased, StoreError> {
        let mut erased = Erased::default();
        let mut drafts = BTreeSet::new();
        if what.reach == Reach::Whole {
            drafts = unreviewed(&self.rows(drafted(&what.tenant)).await?, &what.conversations);
        }
        if !drafts.is_empty() {
            let told = told(&self.rows(drafts_told(&what.tenant)).await?, &drafts).len() as u64;
            if told > 0 {
                *erased.bodies.entry(codec::ARTICLE_DRAFTED.to_owned()).or_default() += told;
            }
            erased.revisions += drafts.len() as u64;
            erased.drafts.extend(drafts.iter().map(|one| one.article.clone()));
        }
        for id in &what.conversations {
            if what.reach != Reach::Deliveries {
                let mut sql = Sql::new(
                    "SELECT kind, count(*) FROM events WHERE salt IS NOT NULL AND tenant = ",
                );
                sql.bind(what.tenant.as_str()).push(" AND conversation = ").bind(id.as_str());
                if let Reach::Kinds(kinds) = &what.reach {
                    only_kinds(&mut sql, kinds);
                }
                sql.push(" GROUP BY kind");
                for row in self.rows(sql).await? {
                    *erased.bodies.entry(row.text(0).to_owned()).or_default() += row.int(1) as u64;
                }
            }
            match what.reach {
                Reach::Whole => self.whole(&what.tenant, id, &drafts, &mut erased).await?,
                Reach::Deliveries => {
                    let sql = Sql::new(
                        "SELECT count(*) FROM outbox WHERE tenant = $1 AND conversation = $2 AND effect <> '' \
                         AND state <> 'waiting' AND state IN ('done', 'discarded')",
                    );
                    let sql = sql.with(what.tenant.as_str()).with(id.as_str());
                    erased.deliveries += self.number(sql).await? as u64;
                }
                Reach::Kinds(_) => {}
            }
        }
        for position in &what.events {
            let sql = Sql::new(
                "SELECT kind FROM events WHERE salt IS NOT NULL AND tenant = $1 AND position = $2",
            );
            let sql = sql.with(what.tenant.as_str()).with(super::in_row(*position));
            if let Some(row) = self.row(sql).await? {
                *erased.bodies.entry(row.text(0).to_owned()).or_default() += 1;
            }
        }
        Ok(erased)
    }

    async fn whole(
        &self,
        tenant: &TenantId,
        id: &ConversationId,
        drafts: &BTreeSet<Unreviewed>,
        erased: &mut Erased,
    ) -> Result<(), StoreError> {
        let of = |sql: &str| Sql::new(sql).with(tenant.as_str()).with(id.as_str());
        let row = of(
            "SELECT count(*) FROM conversations WHERE tenant = $1 AND id = $2 AND erased_at IS NULL",
        );
        erased.conversations += self.number(row).await? as u64;
        let effects = of(&format!(
            "SELECT destination, operation, remote_id, state, unclear FROM outbox WHERE {OF_CONVERSATION} \
             AND effect <> '' ORDER BY position"
        ));
        let effects = self.rows(effects).await?;
        erased.deliveries += effects.len() as u64;
        erased.elsewhere.extend(effects.iter().filter_map(|row| elsewhere(id, row)));
        let keys = of("SELECT count(*) FROM backup_keys WHERE tenant = $1 AND conversation = $2");
        erased.backup_keys += self.number(keys).await? as u64;
        let articles = Sql::new(
            "SELECT article, provenance, number FROM article_revisions WHERE tenant = $1 AND provenance IS NOT NULL",
        );
        for row in self.rows(articles.with(tenant.as_str())).await? {
            let (count, _) = without(row.text(1), id);
            let one = Unreviewed { article: row.text(0).to_owned(), number: row.int(2) };
            if count > 0 && !drafts.contains(&one) {
                erased.origins += count;
                erased.articles.insert(row.text(0).to_owned());
            }
        }
        Ok(())
    }

    pub async fn tenants(&self) -> Result<Vec<TenantId>, StoreError> {
        let sql = Sql::new("SELECT DISTINCT tenant FROM conversations ORDER BY 1");
        Ok(self.rows(sql).await?.iter().map(|row| row.text(0).into()).collect())
    }

    pub async fn ended(
        &self,
        tenant: &TenantId,
        (from, before): (Timestamp, Timestamp),
        reach: &Reach,
        limit: usize,
    ) -> Result<Vec<ConversationId>, StoreError> {
        let mut sql =
            Sql::new("SELECT c.id FROM conversations c WHERE c.state = 'ended' AND c.tenant = ");
        sql.bind(tenant.as_str());
        sql.push(" AND c.ended_at >= ").bind(from.as_millisecond());
        sql.push(" AND c.ended_at < ").bind(before.as_millisecond());
        match reach {
            Reach::Whole => {
                sql.push(" AND c.erased_at IS NULL");
            }
            Reach::Kinds(kinds) => {
                sql.push(
                    " AND EXISTS (SELECT 1 FROM events WHERE tenant = c.tenant AND conversation = c.id \
                     AND salt IS NOT NULL",
                );
                only_kinds(&mut sql, kinds);
                sql.push(")");
            }
            Reach::Deliveries => {
                sql.push(
                    " AND EXISTS (SELECT 1 FROM outbox WHERE tenant = c.tenant AND conversation = c.id \
                     AND effect <> '' AND state <> 'waiting' AND state IN ('done', 'discarded'))",
                );
            }
        }
        sql.push(" ORDER BY c.first_position LIMIT ").bind(limit as i64);
        Ok(self.rows(sql).await?.iter().map(|row| row.text(0).into()).collect())
    }
}
