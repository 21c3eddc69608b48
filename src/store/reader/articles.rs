//! What readers ask about articles.

use std::sync::Arc;

use super::{Reader, time};
use crate::domain::{ArticleAction, ArticleId, ArticleRevision, ArticleState, Redacted, TenantId};
use crate::store::articles::{MAX_LIST, MAX_REVISIONS, codec};
use crate::store::sql::{Connection, Dialect, Row, Sql};
use crate::store::{ArticleQuery, ArticleRow, Page, RevisionRow, StoreError};

const REVISION: &str = "SELECT r.position, r.article, r.number, r.action, r.author, r.\"by\", \
    r.approver, r.time, r.comment, r.content, r.provenance FROM article_revisions r ";

/// Rows of articles, with the last day on which each holds.
fn rows_of(dialect: Dialect) -> Sql {
    let valid_until = dialect.member("r.content", &["valid_until"]);
    Sql::new(format!(
        "SELECT * FROM (SELECT a.*, (SELECT {valid_until} FROM article_revisions r WHERE r.tenant = a.tenant \
         AND r.article = a.id AND r.number = coalesce(a.published_number, a.number)) AS valid_until \
         FROM articles a) listed "
    ))
}

/// What is left of an article when revisions of it were taken away.
pub async fn newest_revision(
    connection: &mut Connection,
    tenant: &TenantId,
    article: &str,
) -> Result<Option<ArticleRevision>, sqlx::Error> {
    let mut sql = Sql::new(REVISION);
    sql.push("WHERE r.tenant = ").bind(tenant.as_str());
    sql.push(" AND r.article = ").bind(article);
    sql.push(" ORDER BY r.number DESC LIMIT 1");
    let row = connection.row(sql).await?;
    let damaged = |error: StoreError| sqlx::Error::Decode(error.to_string().into());
    row.map(|row| revision(&row).map_err(damaged)).transpose()
}

impl Reader {
    async fn revisions(&self, sql: Sql) -> Result<Vec<Arc<ArticleRevision>>, StoreError> {
        let rows = self.rows(sql).await?;
        rows.iter().map(|row| revision(row).map(Arc::new)).collect()
    }

    /// Without those that are damaged: one article must not take the others along.
    async fn sound(&self, sql: Sql) -> Result<Vec<Arc<ArticleRevision>>, StoreError> {
        let rows = self.rows(sql).await?;
        let sound = |row: &Row| {
            let (article, number) = (row.text(1), row.int(2));
            let complain = |error: &StoreError| {
                tracing::error!(article, number, %error, "a damaged revision was left out");
            };
            revision(row).inspect_err(complain).ok().map(Arc::new)
        };
        Ok(rows.iter().filter_map(sound).collect())
    }

    pub async fn revisions_after(
        &self,
        tenant: &TenantId,
        after: u64,
    ) -> Result<Vec<Arc<ArticleRevision>>, StoreError> {
        let mut sql = Sql::new(REVISION);
        sql.push("WHERE r.tenant = ").bind(tenant.as_str());
        sql.push(" AND r.position > ").bind(super::in_row(after));
        sql.push(" ORDER BY r.position LIMIT ").bind(MAX_REVISIONS as i64);
        self.sound(sql).await
    }

    pub async fn newest_revision(&self) -> Result<u64, StoreError> {
        let sql = Sql::new("SELECT coalesce(max(position), 0) FROM article_revisions");
        Ok(self.number(sql).await? as u64)
    }

    pub async fn in_force(
        &self,
        tenant: &TenantId,
        after: Option<&ArticleId>,
    ) -> Result<Vec<Arc<ArticleRevision>>, StoreError> {
        let mut sql = Sql::new(REVISION);
        sql.push("JOIN articles a ON r.position = a.published_position WHERE a.tenant = ");
        sql.bind(tenant.as_str());
        if let Some(after) = after {
            sql.push(" AND a.id > ").bind(after.as_str());
        }
        sql.push(" ORDER BY a.id LIMIT ").bind(MAX_REVISIONS as i64);
        self.sound(sql).await
    }

    pub async fn articles(&self, query: &ArticleQuery) -> Result<Page<ArticleRow>, StoreError> {
        let limit = query.limit.clamp(1, MAX_LIST);
        let mut sql = rows_of(self.dialect());
        sql.push("WHERE tenant = ").bind(query.tenant.as_str());
        match query.state {
            Some(ArticleState::Published) => {
                sql.push(" AND published_number IS NOT NULL");
            }
            Some(state) => {
                sql.push(" AND state = ").bind(state.as_str());
            }
            None => {}
        }
        if let Some(product) = &query.product {
            let elements = self.dialect().elements("products");
            sql.push(&format!(" AND EXISTS (SELECT 1 FROM {elements} WHERE value = "));
            sql.bind(product.as_str()).push(")");
        }
        if let Some(day) = query.review_by {
            sql.push(" AND review_by <= ").bind(day.to_string());
        }
        if let Some(day) = query.valid_until {
            sql.push(" AND valid_until <= ").bind(day.to_string());
        }
        if let Some(text) = &query.text {
            let pattern = format!("%{}%", escaped(text));
            let (like, pattern) = (self.dialect().like(), sql.next(pattern));
            sql.push(&format!(
                " AND (title {like} {pattern} ESCAPE '\\' OR id {like} {pattern} ESCAPE '\\')"
            ));
        }
        if let Some(after) = &query.after {
            sql.push(" AND id > ").bind(after.as_str());
        }
        sql.push(" ORDER BY id LIMIT ").bind(limit as i64 + 1);
        let rows = self.rows(sql).await?;
        let next = (rows.len() > limit).then(|| rows[limit - 1].text("id").to_owned());
        let items = rows.iter().take(limit).map(article_row).collect::<Result<_, _>>()?;
        Ok(Page { items, next })
    }

    pub async fn article(
        &self,
        tenant: &TenantId,
        id: &ArticleId,
    ) -> Result<Option<ArticleRow>, StoreError> {
        let mut sql = rows_of(self.dialect());
        sql.push("WHERE tenant = ").bind(tenant.as_str());
        sql.push(" AND id = ").bind(id.as_str());
        let row = self.row(sql).await?;
        row.map(|row| article_row(&row)).transpose()
    }

    pub async fn articles_named(
        &self,
        tenant: &TenantId,
        ids: &[ArticleId],
    ) -> Result<Vec<ArticleRow>, StoreError> {
        let ids: Vec<&str> = ids.iter().map(ArticleId::as_str).collect();
        let mut sql = rows_of(self.dialect());
        sql.push("WHERE tenant = ").bind(tenant.as_str());
        // As one value: there are more of them than a statement takes.
        let ids = sql.next(serde_json::to_string(&ids).expect("texts are JSON; this is a bug"));
        let elements = self.dialect().elements(&ids);
        sql.push(&format!(" AND id IN (SELECT value FROM {elements})"));
        let rows = self.rows(sql).await?;
        rows.iter().map(article_row).collect()
    }

    pub async fn revision(
        &self,
        tenant: &TenantId,
        id: &ArticleId,
        number: u32,
    ) -> Result<Option<Arc<ArticleRevision>>, StoreError> {
        let mut sql = Sql::new(REVISION);
        sql.push("WHERE r.tenant = ").bind(tenant.as_str());
        sql.push(" AND r.article = ").bind(id.as_str());
        sql.push(" AND r.number = ").bind(i64::from(number));
        Ok(self.revisions(sql).await?.pop())
    }

    pub async fn history(
        &self,
        tenant: &TenantId,
        id: &ArticleId,
    ) -> Result<Vec<RevisionRow>, StoreError> {
        let title = self.dialect().member("content", &["title"]);
        let sql = Sql::new(format!(
            "SELECT number, action, {title}, author, \"by\", approver, time, comment \
             FROM article_revisions WHERE tenant = $1 AND article = $2 ORDER BY number"
        ))
        .with(tenant.as_str())
        .with(id.as_str());
        let rows = self.rows(sql).await?;
        let row = |row: &Row| {
            Ok(RevisionRow {
                number: row.int(0) as u32,
                action: action(row.text(1))?,
                title: row.maybe_text(2).unwrap_or_default().to_owned(),
                author: row.text(3).to_owned(),
                by: row.text(4).to_owned(),
                approver: row.maybe_text(5).map(str::to_owned),
                time: time(row.int(6))?,
                comment: row.maybe_text(7).map(str::to_owned),
            })
        };
        rows.iter().map(row).collect()
    }

    /// Whether each article's revisions are there without gaps, and its row is of the newest.
    pub async fn articles_hold(&self) -> Result<(), StoreError> {
        let broken = Sql::new(
            "SELECT r.article FROM article_revisions r LEFT JOIN articles a \
             ON a.tenant = r.tenant AND a.id = r.article GROUP BY r.tenant, r.article, a.number \
             HAVING a.number IS NULL OR count(*) <> a.number OR max(r.number) <> a.number LIMIT 1",
        );
        match self.row(broken).await? {
            Some(row) => Err(StoreError::Corrupt(format!(
                "article {} has a gap in its revisions",
                row.text(0)
            ))),
            None => Ok(()),
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

fn action(text: &str) -> Result<ArticleAction, StoreError> {
    ArticleAction::parse(text)
        .ok_or_else(|| StoreError::Corrupt(format!("nothing is called {text} in an article's log")))
}

fn revision(row: &Row) -> Result<ArticleRevision, StoreError> {
    let article = ArticleId::from(row.text(1));
    Ok(ArticleRevision {
        position: row.int(0) as u64,
        number: row.int(2) as u32,
        action: action(row.text(3))?,
        author: row.text(4).to_owned(),
        by: row.text(5).to_owned(),
        approver: row.maybe_text(6).map(str::to_owned),
        time: time(row.int(7))?,
        comment: row.maybe_text(8).map(Redacted::vouched),
        content: codec::decode(&article, row.text(9))?,
        provenance: codec::decode_provenance(&article, row.maybe_text(10))?,
        article,
    })
}

fn article_row(row: &Row) -> Result<ArticleRow, StoreError> {
    let id = row.text("id");
    let damaged = |what: String| StoreError::Corrupt(format!("article {id}: {what}"));
    let list = |column: &str| -> Result<Vec<String>, StoreError> {
        serde_json::from_str(row.text(column)).map_err(|error| damaged(error.to_string()))
    };
    let date = |column: &str| {
        let day = row.maybe_text(column).map(str::parse).transpose();
        day.map_err(|error: jiff::Error| damaged(error.to_string()))
    };
    Ok(ArticleRow {
        number: row.int("number") as u32,
        action: action(row.text("action"))?,
        title: row.text("title").to_owned(),
        author: row.text("author").to_owned(),
        by: row.text("by").to_owned(),
        approver: row.maybe_text("approver").map(str::to_owned),
        time: time(row.int("time"))?,
        audience: list("audience")?,
        products: list("products")?,
        language: row.text("language").to_owned(),
        review_by: date("review_by")?,
        valid_until: date("valid_until")?,
        content_hash: row.text("content_hash").to_owned(),
        imported_hash: row.maybe_text("imported_hash").map(str::to_owned),
        published: row.maybe_int("published_number").map(|number| number as u32),
        id: id.into(),
    })
}
