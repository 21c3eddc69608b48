//! Drafts of articles that are this program's alone: nobody has reviewed them, so they go with what they rest on.

use std::collections::BTreeSet;

use sqlx::Error;

use super::statements;
use crate::domain::{ArticleAction, ConversationId, PROGRAM, TenantId};
use crate::store::reader;
use crate::store::sql::{Connection, Row, Sql};
use crate::store::{SYSTEM, codec, wire};

/// A revision that goes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unreviewed {
    pub article: String,
    pub number: i64,
}

/// A revision that goes with each of these conversations.
pub struct Resting {
    pub position: i64,
    pub article: String,
    pub number: i64,
    pub on: BTreeSet<String>,
}

/// What `unreviewed` looks through: all revisions of the articles of which this program drafted one.
pub fn drafted(tenant: &TenantId) -> Sql {
    let sql = "SELECT article, number, action, author, \"by\", provenance, position FROM article_revisions \
               WHERE tenant = $1 \
               AND article IN (SELECT article FROM article_revisions WHERE tenant = $2 AND author = $3) \
               ORDER BY article, number";
    Sql::new(sql).with(tenant.as_str()).with(tenant.as_str()).with(PROGRAM)
}

/// The newest revisions of each article that nobody wrote or decided about, from the first on that rests on one of
/// these conversations: what came after it was made from it, and numbers have no gaps.
pub fn unreviewed(rows: &[Row], conversations: &[ConversationId]) -> BTreeSet<Unreviewed> {
    from_the_first(rows, |row| {
        row.maybe_text(5)
            .is_some_and(|origins| conversations.iter().any(|id| super::without(origins, id).0 > 0))
    })
}

/// The same from the first on that stands at one of these positions.
pub fn unreviewed_at(rows: &[Row], positions: &BTreeSet<i64>) -> BTreeSet<Unreviewed> {
    from_the_first(rows, |row| positions.contains(&row.int(6)))
}

fn from_the_first(rows: &[Row], is_first: impl Fn(&Row) -> bool) -> BTreeSet<Unreviewed> {
    let mut found = BTreeSet::new();
    for newest in own(rows) {
        let first = newest.iter().position(&is_first);
        let gone = first.map_or(&[][..], |first| &newest[first..]);
        let one = |row: &Row| Unreviewed { article: row.text(0).to_owned(), number: row.int(1) };
        found.extend(gone.iter().map(one));
    }
    found
}

/// All that would go with some conversation, and with which.
pub fn resting(rows: &[Row]) -> Vec<Resting> {
    let mut found = Vec::new();
    for newest in own(rows) {
        let mut on = BTreeSet::new();
        for row in newest {
            let origins = row.maybe_text(5).and_then(|origins| serde_json::from_str(origins).ok());
            let origins: Vec<wire::SentenceOrigin> = origins.unwrap_or_default();
            on.extend(origins.into_iter().map(|origin| origin.conversation_id));
            if !on.is_empty() {
                let (article, number) = (row.text(0).to_owned(), row.int(1));
                found.push(Resting { position: row.int(6), article, number, on: on.clone() });
            }
        }
    }
    found
}

/// Of each article the newest revisions that are this program's alone.
fn own(rows: &[Row]) -> impl Iterator<Item = &[Row]> {
    rows.chunk_by(|a, b| a.text(0) == b.text(0)).map(|revisions| {
        let own = revisions.iter().rev().take_while(|row| is_own(row)).count();
        &revisions[revisions.len() - own..]
    })
}

fn is_own(row: &Row) -> bool {
    ArticleAction::parse(row.text(2)) == Some(ArticleAction::Draft)
        && row.text(3) == PROGRAM
        && row.text(4) == PROGRAM
}

/// What `told` looks through: position and data of what was told of drafts, unless it is erased.
pub fn events(tenant: &TenantId) -> Sql {
    let sql = "SELECT position, data FROM events WHERE salt IS NOT NULL AND tenant = $1 AND conversation = $2 \
               AND kind = $3";
    Sql::new(sql).with(tenant.as_str()).with(SYSTEM).with(codec::ARTICLE_DRAFTED)
}

/// Positions of the events that quote one of these revisions.
pub fn told(rows: &[Row], of: &BTreeSet<Unreviewed>) -> Vec<i64> {
    let is_of = |row: &&Row| {
        let data = serde_json::from_str::<wire::ArticleChanged>(row.text(1));
        data.is_ok_and(|data| {
            let (article, number) = (data.article_id, i64::from(data.revision));
            of.contains(&Unreviewed { article, number })
        })
    };
    rows.iter().filter(is_of).map(|row| row.int(0)).collect()
}

/// Takes the revisions away; an article that was in force before goes back to the revision before them.
pub async fn remove(
    connection: &mut Connection,
    tenant: &TenantId,
    all: &BTreeSet<Unreviewed>,
) -> Result<(), Error> {
    for one in all {
        let sql =
            "DELETE FROM article_revisions WHERE tenant = $1 AND article = $2 AND number = $3";
        let sql = Sql::new(sql).with(tenant.as_str()).with(one.article.as_str()).with(one.number);
        connection.execute(sql).await?;
    }
    let articles: BTreeSet<&str> = all.iter().map(|one| one.article.as_str()).collect();
    for article in articles {
        show_newest(connection, tenant, article).await?;
    }
    Ok(())
}

/// Makes an article's row anew from its newest revision; without one there is no article.
pub async fn show_newest(
    connection: &mut Connection,
    tenant: &TenantId,
    article: &str,
) -> Result<(), Error> {
    match reader::newest_revision(connection, tenant, article).await? {
        Some(newest) => statements::show_revision(connection, tenant, &newest).await,
        None => {
            let sql = Sql::new("DELETE FROM articles WHERE tenant = $1 AND id = $2");
            connection.execute(sql.with(tenant.as_str()).with(article)).await.map(drop)
        }
    }
}
