//! Revisions of articles in SQLite: the writer's statements and the readers' queries.

use std::sync::Arc;

use jiff::Timestamp;
use sqlx::sqlite::{SqliteConnection, SqlitePool, SqliteRow};
use sqlx::{QueryBuilder, Row, Sqlite};

use super::read_error;
use crate::domain::{
    ArticleAction, ArticleId, ArticleRevision, ArticleState, NewRevision, Redacted, TenantId,
};
use crate::store::articles::{MAX_LIST, MAX_REVISIONS, codec};
use crate::store::{ArticleQuery, ArticleRow, Page, RevisionRow, StoreError};

const REVISION: &str = "SELECT r.position, r.article, r.number, r.action, r.author, r.\"by\", \
    r.approver, r.time, r.comment, r.content, r.provenance FROM article_revisions r ";
const ROW: &str = "SELECT id, number, action, title, author, \"by\", approver, time, audience, products, \
    language, review_by, content_hash, imported_hash, published_number, (SELECT \
    CASE WHEN json_valid(content) THEN content ->> 'valid_until' END FROM article_revisions r WHERE r.tenant = articles.tenant AND r.article = articles.id \
    AND r.number = coalesce(published_number, articles.number)) AS valid_until FROM articles ";

/// A revision that is about to be written, with its place.
pub fn recorded(new: &NewRevision, position: u64, time: Timestamp) -> ArticleRevision {
    ArticleRevision {
        position,
        number: new.based_on + 1,
        article: new.article.clone(),
        action: new.action,
        author: new.author.clone(),
        by: new.by.clone(),
        approver: new.approver.clone(),
        time,
        comment: new.comment.clone(),
        content: Arc::clone(&new.content),
        provenance: Arc::clone(&new.provenance),
    }
}

/// The newest revision of an article; 0 when there is no such article.
pub async fn newest(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    article: &ArticleId,
) -> Result<u32, sqlx::Error> {
    let row = sqlx::query("SELECT number FROM articles WHERE tenant = ? AND id = ?")
        .bind(tenant.as_str())
        .bind(article.as_str())
        .fetch_optional(connection)
        .await?;
    Ok(row.map_or(0, |row| row.get::<i64, _>(0) as u32))
}

/// The greatest position that was ever given.
pub async fn last_position(connection: &mut SqliteConnection) -> Result<u64, sqlx::Error> {
    let last: i64 = sqlx::query(
        "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'article_revisions'), 0)",
    )
    .fetch_one(connection)
    .await?
    .get(0);
    Ok(last as u64)
}

pub async fn insert(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    revision: &ArticleRevision,
) -> Result<(), sqlx::Error> {
    let content = codec::encode(&revision.content);
    let hash = codec::hash(&content);
    sqlx::query(
        "INSERT INTO article_revisions (position, tenant, article, number, action, author, \"by\", \
         approver, time, comment, schema, content, provenance) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
    )
    .bind(revision.position as i64)
    .bind(tenant.as_str())
    .bind(revision.article.as_str())
    .bind(i64::from(revision.number))
    .bind(revision.action.as_str())
    .bind(revision.author.as_str())
    .bind(revision.by.as_str())
    .bind(revision.approver.as_deref())
    .bind(revision.time.as_millisecond())
    .bind(revision.comment.as_ref().map(Redacted::as_str))
    .bind(codec::SCHEMA)
    .bind(content)
    .bind(codec::encode_provenance(&revision.provenance))
    .execute(&mut *connection)
    .await?;
    save_row(connection, tenant, revision, hash).await
}

async fn save_row(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    revision: &ArticleRevision,
    hash: String,
) -> Result<(), sqlx::Error> {
    let state = revision.state();
    let is_published = state == ArticleState::Published;
    let number = i64::from(revision.number);
    // A newer draft leaves the revision in force in force.
    let keeps = !is_published && state != ArticleState::Retired;
    let sql = "INSERT INTO articles (tenant, id, number, action, state, title, author, \"by\", \
         approver, time, audience, products, language, review_by, content_hash, imported_hash, \
         published_number, published_position) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) \
         ON CONFLICT (tenant, id) DO UPDATE SET number = excluded.number, action = excluded.action, \
         state = excluded.state, title = excluded.title, author = excluded.author, \
         \"by\" = excluded.\"by\", approver = excluded.approver, time = excluded.time, \
         audience = excluded.audience, products = excluded.products, \
         language = excluded.language, review_by = excluded.review_by, \
         content_hash = excluded.content_hash, \
         imported_hash = coalesce(excluded.imported_hash, imported_hash), \
         published_number = CASE WHEN ? THEN published_number ELSE excluded.published_number END, \
         published_position = \
         CASE WHEN ? THEN published_position ELSE excluded.published_position END";
    let content = &revision.content;
    let audience: Vec<&str> = content.audience.iter().map(|one| one.as_str()).collect();
    sqlx::query(sql)
        .bind(tenant.as_str())
        .bind(revision.article.as_str())
        .bind(number)
        .bind(revision.action.as_str())
        .bind(state.as_str())
        .bind(content.title.as_str())
        .bind(revision.author.as_str())
        .bind(revision.by.as_str())
        .bind(revision.approver.as_deref())
        .bind(revision.time.as_millisecond())
        .bind(json(&audience))
        .bind(json(&content.products))
        .bind(content.language.as_str())
        .bind(content.review_by.map(|date| date.to_string()))
        .bind(hash.clone())
        .bind((revision.action == ArticleAction::Import).then_some(hash))
        .bind(is_published.then_some(number))
        .bind(is_published.then_some(revision.position as i64))
        .bind(keeps)
        .bind(keeps)
        .execute(connection)
        .await?;
    Ok(())
}

/// The readers' side.
pub struct Articles<'a>(pub &'a SqlitePool);

impl Articles<'_> {
    async fn revisions(
        &self,
        mut sql: QueryBuilder<Sqlite>,
    ) -> Result<Vec<Arc<ArticleRevision>>, StoreError> {
        let rows = sql.build().fetch_all(self.0).await.map_err(|error| read_error(&error))?;
        rows.iter().map(|row| revision(row).map(Arc::new)).collect()
    }

    /// Without those that are damaged: one article must not take the others along.
    async fn sound(
        &self,
        mut sql: QueryBuilder<Sqlite>,
    ) -> Result<Vec<Arc<ArticleRevision>>, StoreError> {
        let rows = sql.build().fetch_all(self.0).await.map_err(|error| read_error(&error))?;
        let sound = |row: &SqliteRow| {
            let (article, number) = (row.get::<&str, _>(1), row.get::<i64, _>(2));
            let complain = |error: &StoreError| {
                tracing::error!(article, number, %error, "a damaged revision was left out");
            };
            revision(row).inspect_err(complain).ok().map(Arc::new)
        };
        Ok(rows.iter().filter_map(sound).collect())
    }

    pub async fn after(
        &self,
        tenant: &TenantId,
        after: u64,
    ) -> Result<Vec<Arc<ArticleRevision>>, StoreError> {
        let mut sql = QueryBuilder::<Sqlite>::new(REVISION);
        sql.push("WHERE r.tenant = ").push_bind(tenant.as_str().to_owned());
        sql.push(" AND r.position > ").push_bind(i64::try_from(after).unwrap_or(i64::MAX));
        sql.push(" ORDER BY r.position LIMIT ").push_bind(MAX_REVISIONS as i64);
        self.sound(sql).await
    }

    pub async fn newest(&self) -> Result<u64, StoreError> {
        let newest: i64 = sqlx::query("SELECT coalesce(max(position), 0) FROM article_revisions")
            .fetch_one(self.0)
            .await
            .map_err(|error| read_error(&error))?
            .get(0);
        Ok(newest as u64)
    }

    pub async fn in_force(
        &self,
        tenant: &TenantId,
        after: Option<&ArticleId>,
    ) -> Result<Vec<Arc<ArticleRevision>>, StoreError> {
        let mut sql = QueryBuilder::<Sqlite>::new(REVISION);
        sql.push("JOIN articles a ON r.position = a.published_position WHERE a.tenant = ");
        sql.push_bind(tenant.as_str().to_owned());
        if let Some(after) = after {
            sql.push(" AND a.id > ").push_bind(after.as_str().to_owned());
        }
        sql.push(" ORDER BY a.id LIMIT ").push_bind(MAX_REVISIONS as i64);
        self.sound(sql).await
    }

    pub async fn list(&self, query: &ArticleQuery) -> Result<Page<ArticleRow>, StoreError> {
        let limit = query.limit.clamp(1, MAX_LIST);
        let mut sql = QueryBuilder::<Sqlite>::new(ROW);
        sql.push("WHERE tenant = ").push_bind(query.tenant.as_str());
        match query.state {
            Some(ArticleState::Published) => {
                sql.push(" AND published_number IS NOT NULL");
            }
            Some(state) => {
                sql.push(" AND state = ").push_bind(state.as_str());
            }
            None => {}
        }
        if let Some(product) = &query.product {
            sql.push(" AND EXISTS (SELECT 1 FROM json_each(products) WHERE value = ");
            sql.push_bind(product.as_str()).push(")");
        }
        if let Some(day) = query.review_by {
            sql.push(" AND review_by <= ").push_bind(day.to_string());
        }
        if let Some(day) = query.valid_until {
            sql.push(" AND valid_until <= ").push_bind(day.to_string());
        }
        if let Some(text) = &query.text {
            let pattern = format!("%{}%", escaped(text));
            sql.push(" AND (title LIKE ").push_bind(pattern.clone()).push(" ESCAPE '\\'");
            sql.push(" OR id LIKE ").push_bind(pattern).push(" ESCAPE '\\')");
        }
        if let Some(after) = &query.after {
            sql.push(" AND id > ").push_bind(after.as_str());
        }
        sql.push(" ORDER BY id LIMIT ").push_bind(limit as i64 + 1);
        let rows = sql.build().fetch_all(self.0).await.map_err(|error| read_error(&error))?;
        let next = (rows.len() > limit).then(|| rows[limit - 1].get::<String, _>("id"));
        let items = rows.iter().take(limit).map(article_row).collect::<Result<_, _>>()?;
        Ok(Page { items, next })
    }

    pub async fn one(
        &self,
        tenant: &TenantId,
        id: &ArticleId,
    ) -> Result<Option<ArticleRow>, StoreError> {
        let mut sql = QueryBuilder::<Sqlite>::new(ROW);
        sql.push("WHERE tenant = ").push_bind(tenant.as_str());
        sql.push(" AND id = ").push_bind(id.as_str());
        let row = sql.build().fetch_optional(self.0).await.map_err(|error| read_error(&error))?;
        row.map(|row| article_row(&row)).transpose()
    }

    pub async fn named(
        &self,
        tenant: &TenantId,
        ids: &[ArticleId],
    ) -> Result<Vec<ArticleRow>, StoreError> {
        let ids: Vec<&str> = ids.iter().map(ArticleId::as_str).collect();
        let mut sql = QueryBuilder::<Sqlite>::new(ROW);
        sql.push("WHERE tenant = ").push_bind(tenant.as_str());
        // As one value: there are more of them than a statement takes.
        sql.push(" AND id IN (SELECT value FROM json_each(").push_bind(json(&ids)).push("))");
        let rows = sql.build().fetch_all(self.0).await.map_err(|error| read_error(&error))?;
        rows.iter().map(article_row).collect()
    }

    pub async fn revision(
        &self,
        tenant: &TenantId,
        id: &ArticleId,
        number: u32,
    ) -> Result<Option<Arc<ArticleRevision>>, StoreError> {
        let mut sql = QueryBuilder::<Sqlite>::new(REVISION);
        sql.push("WHERE r.tenant = ").push_bind(tenant.as_str().to_owned());
        sql.push(" AND r.article = ").push_bind(id.as_str().to_owned());
        sql.push(" AND r.number = ").push_bind(i64::from(number));
        Ok(self.revisions(sql).await?.pop())
    }

    pub async fn history(
        &self,
        tenant: &TenantId,
        id: &ArticleId,
    ) -> Result<Vec<RevisionRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT number, action, CASE WHEN json_valid(content) THEN content ->> 'title' END, author, \"by\", approver, time, comment \
             FROM article_revisions WHERE tenant = ? AND article = ? ORDER BY number",
        )
        .bind(tenant.as_str())
        .bind(id.as_str())
        .fetch_all(self.0)
        .await
        .map_err(|error| read_error(&error))?;
        let row = |row: &SqliteRow| {
            Ok(RevisionRow {
                number: row.get::<i64, _>(0) as u32,
                action: action(row.get(1))?,
                title: row.get::<Option<String>, _>(2).unwrap_or_default(),
                author: row.get(3),
                by: row.get(4),
                approver: row.get(5),
                time: super::reader::time(row.get(6))?,
                comment: row.get(7),
            })
        };
        rows.iter().map(row).collect()
    }

    /// Whether each article's revisions are there without gaps, and its row is of the newest.
    pub async fn integrity(&self) -> Result<(), StoreError> {
        let broken = sqlx::query(
            "SELECT r.article FROM article_revisions r LEFT JOIN articles a \
             ON a.tenant = r.tenant AND a.id = r.article GROUP BY r.tenant, r.article \
             HAVING a.number IS NULL OR count(*) <> a.number OR max(r.number) <> a.number LIMIT 1",
        )
        .fetch_optional(self.0)
        .await
        .map_err(|error| read_error(&error))?;
        match broken {
            Some(row) => Err(StoreError::Corrupt(format!(
                "article {} has a gap in its revisions",
                row.get::<String, _>(0)
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

fn revision(row: &SqliteRow) -> Result<ArticleRevision, StoreError> {
    let article = ArticleId::from(row.get::<&str, _>(1));
    Ok(ArticleRevision {
        position: row.get::<i64, _>(0) as u64,
        number: row.get::<i64, _>(2) as u32,
        action: action(row.get(3))?,
        author: row.get(4),
        by: row.get(5),
        approver: row.get(6),
        time: super::reader::time(row.get(7))?,
        comment: row.get::<Option<String>, _>(8).map(Redacted::vouched),
        content: codec::decode(&article, row.get(9))?,
        provenance: codec::decode_provenance(&article, row.get(10))?,
        article,
    })
}

fn article_row(row: &SqliteRow) -> Result<ArticleRow, StoreError> {
    let id: String = row.get("id");
    let damaged = |what: String| StoreError::Corrupt(format!("article {id}: {what}"));
    let list = |column: &str| -> Result<Vec<String>, StoreError> {
        serde_json::from_str(row.get(column)).map_err(|error| damaged(error.to_string()))
    };
    let date = |column: &str| {
        let day = row.get::<Option<&str>, _>(column).map(str::parse).transpose();
        day.map_err(|error: jiff::Error| damaged(error.to_string()))
    };
    Ok(ArticleRow {
        number: row.get::<i64, _>("number") as u32,
        action: action(row.get("action"))?,
        title: row.get("title"),
        author: row.get("author"),
        by: row.get("by"),
        approver: row.get("approver"),
        time: super::reader::time(row.get("time"))?,
        audience: list("audience")?,
        products: list("products")?,
        language: row.get("language"),
        review_by: date("review_by")?,
        valid_until: date("valid_until")?,
        content_hash: row.get("content_hash"),
        imported_hash: row.get("imported_hash"),
        published: row.get::<Option<i64>, _>("published_number").map(|number| number as u32),
        id: id.clone().into(),
    })
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("wire types have string keys only; this is a bug")
}
