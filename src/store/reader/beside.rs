//! Whether what stands beside the log says what its events tell: articles' revisions, the rows of articles, and where
//! cards were offered. The hash chain is over the events alone.

use std::collections::{BTreeMap, HashMap};

use super::{Reader, in_row};
use crate::domain::{ArticleAction, ConversationId, PROGRAM, Recorded, TenantId};
use crate::store::articles::codec::{SEALED, Written, hash, written_hash};
use crate::store::chain::{Audit, Fault, Linked};
use crate::store::codec::{self, ARTICLE_IMPORTED, SUGGESTION_OFFERED};
use crate::store::sql::{Row, Sql};
use crate::store::{SYSTEM, StoreError, wire};

const PAGE: i64 = 500;

const REVISIONS: &str = "SELECT position, tenant, article, number, action, author, \"by\", approver, time, comment, \
    content FROM article_revisions WHERE position > $1 ORDER BY position LIMIT $2";

/// An article's row, its newest revision, and the one that was published last.
const ARTICLES: &str = "SELECT a.tenant, a.id, a.action, a.state, a.title, a.author, a.\"by\", a.approver, a.time, \
    a.audience, a.products, a.language, a.review_by, a.content_hash, a.published_number, a.published_position, \
    r.action, r.author, r.\"by\", r.approver, r.time, r.content, p.number, p.position, \
    (SELECT max(t.number) FROM article_revisions t WHERE t.tenant = a.tenant AND t.article = a.id \
    AND t.action = 'retired') \
    FROM articles a \
    LEFT JOIN article_revisions r ON r.tenant = a.tenant AND r.article = a.id AND r.number = a.number \
    LEFT JOIN article_revisions p ON p.tenant = a.tenant AND p.article = a.id AND p.number = \
    (SELECT max(q.number) FROM article_revisions q WHERE q.tenant = a.tenant AND q.article = a.id \
    AND q.action IN ('published', 'imported')) \
    WHERE (a.tenant, a.id) > ($1, $2) ORDER BY a.tenant, a.id LIMIT $3";

/// Tenant, article and number.
type Which = (TenantId, String, i64);

/// What the events tell of revisions.
#[derive(Default)]
pub struct Decided(HashMap<Which, Told>);

struct Told {
    /// Of the event.
    position: u64,
    /// `None`: it was imported with others.
    changed: Option<wire::ArticleChanged>,
    /// Events from before there were hashes have none.
    hash: Option<String>,
}

impl Decided {
    pub fn take(&mut self, linked: &Linked) {
        let event = &linked.event;
        if linked.salt.is_none()
            || event.conversation.as_str() != SYSTEM
            || !event.kind.starts_with("article.")
        {
            return;
        }
        // What can't be read was changed, and is named by its place in the chain.
        if &*event.kind == ARTICLE_IMPORTED {
            let imported = codec::data::<wire::ArticlesImported>(event);
            for one in imported.map(|imported| imported.revisions).unwrap_or_default() {
                self.tell(event, one.article_id, one.revision, None, Some(one.hash));
            }
        } else if let Ok(changed) = codec::data::<wire::ArticleChanged>(event) {
            let (article, hash) = (changed.article_id.clone(), changed.hash.clone());
            self.tell(event, article, changed.revision, Some(changed), hash);
        }
    }

    fn tell(
        &mut self,
        event: &Recorded,
        article: String,
        number: u32,
        changed: Option<wire::ArticleChanged>,
        hash: Option<String>,
    ) {
        let told = Told { position: event.position, changed, hash };
        self.0.insert((event.tenant.clone(), article, i64::from(number)), told);
    }
}

impl Told {
    /// Where a revision's row says something else.
    fn differs(&self, row: &Row) -> Option<&'static str> {
        if let Some(changed) = &self.changed {
            let action = ArticleAction::parse(row.text(4));
            let content = serde_json::from_str::<wire::ArticleContent>(row.text(10));
            let checks = [
                (
                    action.is_some_and(|action| action.leads_to().as_str() == changed.state),
                    "what was done",
                ),
                (content.is_ok_and(|content| content.title == changed.title), "its title"),
                (row.text(6) == changed.by, "who did it"),
                (row.maybe_text(9) == changed.comment.as_deref(), "the comment"),
            ];
            if let Some((_, what)) = checks.into_iter().find(|(holds, _)| !holds) {
                return Some(what);
            }
        }
        let written = Written {
            article: row.text(2),
            number: row.int(3),
            action: row.text(4),
            author: row.text(5),
            by: row.text(6),
            approver: row.maybe_text(7),
            time_ms: row.int(8),
            comment: row.maybe_text(9),
            content: row.text(10),
        };
        let holds = self.hash.as_ref().is_none_or(|hash| *hash == written_hash(&written));
        (!holds).then_some("what it says, who wrote or approved it, or when")
    }
}

impl Reader {
    pub(super) async fn articles_differ(
        &self,
        decided: Decided,
        audit: &mut Audit,
    ) -> Result<(), StoreError> {
        match self.articles_hold().await {
            Err(StoreError::Corrupt(what)) => audit.damaged(what),
            held => held?,
        }
        self.revisions_differ(decided, audit).await?;
        self.article_rows_differ(audit).await
    }

    async fn revisions_differ(
        &self,
        mut decided: Decided,
        audit: &mut Audit,
    ) -> Result<(), StoreError> {
        let mut after = 0;
        loop {
            let rows = self.rows(Sql::new(REVISIONS).with(after).with(PAGE)).await?;
            let Some(last) = rows.last() else { break };
            after = last.int(0);
            let mut found = Vec::new();
            for row in &rows {
                let which: Which = (row.text(1).into(), row.text(2).to_owned(), row.int(3));
                let Some(told) = decided.0.remove(&which) else { continue };
                found.extend(told.differs(row).map(|what| (which, told.position, what)));
            }
            for (which, position, what) in found {
                self.name(audit, which, position, what).await?;
            }
        }
        let mut missing: Vec<(Which, Told)> = decided.0.into_iter().collect();
        missing.sort_by(|(a, _), (b, _)| a.cmp(b));
        for (which, told) in missing {
            self.name(audit, which, told.position, "that it is there").await?;
        }
        Ok(())
    }

    /// Unless the event was erased since the walk began: the revision went with it.
    async fn name(
        &self,
        audit: &mut Audit,
        (tenant, article, number): Which,
        position: u64,
        what: &'static str,
    ) -> Result<(), StoreError> {
        let sql = Sql::new("SELECT position FROM events WHERE position = $1 AND salt IS NOT NULL");
        if self.row(sql.with(in_row(position))).await?.is_some() {
            audit.fault(Fault::Revision { tenant, article: article.into(), number, what });
        }
        Ok(())
    }

    async fn article_rows_differ(&self, audit: &mut Audit) -> Result<(), StoreError> {
        let mut after = (String::new(), String::new());
        loop {
            let sql = Sql::new(ARTICLES).with(after.0.as_str()).with(after.1.as_str()).with(PAGE);
            let rows = self.rows(sql).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = (last.text(0).to_owned(), last.text(1).to_owned());
            for row in &rows {
                if let Some(what) = article_differs(row) {
                    let (tenant, article) = (row.text(0).into(), row.text(1).into());
                    audit.fault(Fault::ArticleRow { tenant, article, what });
                }
            }
        }
    }

    /// Holds the offers of a page of events against the rows by which cards are found.
    pub(super) async fn cards_differ(
        &self,
        page: &[Linked],
        audit: &mut Audit,
    ) -> Result<(), StoreError> {
        let mut offered: BTreeMap<TenantId, BTreeMap<String, ConversationId>> = BTreeMap::new();
        for linked in page {
            let event = &linked.event;
            let is_offer = linked.salt.is_some() && &*event.kind == SUGGESTION_OFFERED;
            if !is_offer || audit.is_faulty(&event.tenant, &event.conversation) {
                continue;
            }
            let Ok(card) = codec::data::<wire::SuggestionOffered>(event) else { continue };
            // PostgreSQL knows no such text.
            if !card.card_id.contains('\0') {
                let cards = offered.entry(event.tenant.clone()).or_default();
                cards.entry(card.card_id).or_insert_with(|| event.conversation.clone());
            }
        }
        for (tenant, cards) in offered {
            let mut sql = Sql::new("SELECT id, conversation FROM cards WHERE tenant = ");
            sql.bind(tenant.as_str());
            // As one value: there are more of them than a statement takes.
            let ids: Vec<&String> = cards.keys().collect();
            let ids = serde_json::to_string(&ids).expect("texts are JSON; this is a bug");
            let elements = self.dialect().elements(&sql.next(ids));
            sql.push(&format!(" AND id IN (SELECT value FROM {elements})"));
            let rows = self.rows(sql).await?;
            let rows = rows.iter().map(|row| (row.text(0).to_owned(), row.text(1).to_owned()));
            let there: HashMap<String, String> = rows.collect();
            for (card, conversation) in cards {
                let holds = match there.get(&card) {
                    None => false,
                    Some(found) if *found == conversation.as_str() => true,
                    // The first one of that name is the one that is found.
                    Some(found) => self.is_offered_in(&tenant, found, &card).await?,
                };
                if !holds {
                    let card = card.into();
                    audit.fault(Fault::Card { tenant: tenant.clone(), conversation, card });
                }
            }
        }
        Ok(())
    }

    async fn is_offered_in(
        &self,
        tenant: &TenantId,
        conversation: &str,
        card: &str,
    ) -> Result<bool, StoreError> {
        let sql = Sql::new(
            "SELECT data FROM events WHERE tenant = $1 AND conversation = $2 AND kind = $3",
        );
        let sql = sql.with(tenant.as_str()).with(conversation).with(SUGGESTION_OFFERED);
        let rows = self.rows(sql).await?;
        Ok(rows.iter().any(|row| {
            let offer = serde_json::from_str::<wire::SuggestionOffered>(row.text(0));
            // It may be one that is erased.
            row.text(0).is_empty() || offer.is_ok_and(|offer| offer.card_id == card)
        }))
    }
}

/// Where an article's row says something else than its revisions.
fn article_differs(row: &Row) -> Option<&'static str> {
    let Some(text) = row.maybe_text(21) else { return Some("its newest revision") };
    // In a backup, under keys.
    if text == SEALED && row.text(13).is_empty() && row.maybe_text(17) == Some(PROGRAM) {
        return None;
    }
    let Ok(content) = serde_json::from_str::<wire::ArticleContent>(text) else {
        return Some("what can't be read");
    };
    let list = |all: &[String]| serde_json::to_string(all).unwrap_or_default();
    let encoded = serde_json::to_string(&content).unwrap_or_default();
    let state = ArticleAction::parse(row.text(2)).map(|action| action.leads_to().as_str());
    let retired = row.maybe_int(24);
    let is_in_force = |number: &i64| retired.is_none_or(|retired| retired < *number);
    let published = row.maybe_int(22).filter(is_in_force);
    let position = row.maybe_int(23).filter(|_| published.is_some());
    let checks = [
        (row.maybe_text(16) == Some(row.text(2)) && state == Some(row.text(3)), "its state"),
        (row.text(4) == content.title, "its title"),
        (row.maybe_text(17) == Some(row.text(5)), "its author"),
        (row.maybe_text(18) == Some(row.text(6)), "who did it"),
        (row.maybe_text(19) == row.maybe_text(7), "its approver"),
        (row.maybe_int(20) == Some(row.int(8)), "its time"),
        (row.text(9) == list(&content.audience), "its audience"),
        (row.text(10) == list(&content.products), "its products"),
        (row.text(11) == content.language, "its language"),
        (row.maybe_text(12) == content.review_by.as_deref(), "its review"),
        // A row that was made anew has the hash of what this version writes.
        ([hash(text), hash(&encoded)].iter().any(|hash| hash == row.text(13)), "what it says"),
        (row.maybe_int(14) == published && row.maybe_int(15) == position, "what is in force"),
    ];
    checks.into_iter().find(|(holds, _)| !holds).map(|(_, what)| what)
}
